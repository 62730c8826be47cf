#compdef hello-srvaudit hello
# zsh completion for hello. Goes to /usr/share/zsh/vendor-completions/_hello-srvaudit, the name that it is installed by.

_hello_srvaudit() {
  _arguments -S \
    '(- : *)--help[show help]' \
    '(- : *)--version[show the version]' \
    '-l[a login shell]' \
    '-i[an interactive shell]' \
    '(1)-c[run a command, on record]:command:_cmdstring' \
    '1:script:_files' \
    '*:argument:_files'
}

# Autoloaded by compinit, this file is the function's body; sourced, it registers it.
if [[ $funcstack[1] == _hello-srvaudit ]]; then
  _hello_srvaudit "$@"
else
  compdef _hello_srvaudit hello-srvaudit hello
fi
