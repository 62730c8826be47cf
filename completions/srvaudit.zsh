#compdef srvaudit
# zsh completion for srvaudit. Goes to /usr/share/zsh/vendor-completions/_srvaudit.

_srvaudit() {
  local context state line
  _arguments \
    '(- *)'{-h,--help}'[show help]' \
    '(- *)'{-V,--version}'[show the version]' \
    '1:command:((ingest\:"take what the shells have recorded into the history" help\:"show help"))' \
    '*::option:->options'
  [[ $state == options && $line[1] == ingest ]] &&
    _arguments '--linger=[go on in the background until nothing has come for so long]:seconds:(30 60 300)' \
      '(- *)--help[show help]'
}

if [[ $funcstack[1] == _srvaudit ]]; then
  _srvaudit "$@"
else
  compdef _srvaudit srvaudit
fi
