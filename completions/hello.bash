# bash completion for hello. Goes to /usr/share/bash-completion/completions/hello-srvaudit, the name that it is installed by.
# shellcheck shell=bash

_hello_srvaudit() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  # Behind -c COMMAND come the command's own arguments.
  for ((i = 1; i < COMP_CWORD - 1; i++)); do
    [[ ${COMP_WORDS[i]} == -c ]] && return
  done
  if [[ $previous == -c ]]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$current" | sort -u)
  elif [[ $current == -* ]]; then
    # --help and --version are hello's own only where they stand alone.
    local words='-c -i -l'
    ((COMP_CWORD == 1)) && words+=' --help --version'
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
# "filenames" lets bash quote the blanks in a script's path.
complete -o filenames -F _hello_srvaudit hello hello-srvaudit
