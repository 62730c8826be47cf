# bash completion for saticket. Goes to /usr/share/bash-completion/completions/saticket.
# shellcheck shell=bash

_saticket() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' ticket='' project='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --ticket) ticket=${COMP_WORDS[i + 1]} ;;
      --project) project=${COMP_WORDS[i + 1]} ;;
      show | list | search | new | switch | status | note) [[ $command ]] || command=${COMP_WORDS[i]} ;;
    esac
  done
  COMPREPLY=()
  if [[ $previous == --ticket ]]; then
    words=$("${COMP_WORDS[0]}" complete tickets 2>/dev/null | cut -f 1)
  elif [[ $previous == --project ]]; then
    words=$("${COMP_WORDS[0]}" complete projects 2>/dev/null | cut -f 1)
  elif [[ $previous == --tracker ]]; then
    words=$("${COMP_WORDS[0]}" complete trackers "$project" 2>/dev/null | cut -f 1)
  elif [[ $previous == --field ]]; then
    :
  elif [[ $current == -* ]]; then
    case $command in
      '') words='--help --version --json' ;;
      show | switch) words='--json --help' ;;
      list | search) words='--all --json --help' ;;
      new) words='--project --tracker --field --no-switch --json --help' ;;
      status | note) words='--ticket --json --help' ;;
    esac
  else
    case $command in
      '') words='show list search new switch status note' ;;
      show | switch) [[ $previous == "$command" ]] &&
        words=$("${COMP_WORDS[0]}" complete tickets 2>/dev/null | cut -f 1) ;;
      status) words=$("${COMP_WORDS[0]}" complete statuses "$ticket" 2>/dev/null | cut -f 1) ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _saticket saticket
