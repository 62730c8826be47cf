# bash completion for srvaudit. Goes to /usr/share/bash-completion/completions/srvaudit.
# shellcheck shell=bash

_srvaudit() {
  local current=${COMP_WORDS[COMP_CWORD]} words='ingest help --help --version'
  if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --linger ]]; then
    words='30 60 300'
  elif [[ ${COMP_WORDS[1]} == ingest ]] && ((COMP_CWORD > 1)); then
    words='--linger --help'
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _srvaudit srvaudit
