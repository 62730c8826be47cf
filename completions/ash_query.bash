# bash completion for ash_query. Goes to /usr/share/bash-completion/completions/ash_query.
# shellcheck shell=bash

_ash_query() {
  local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local words=''
  # bash takes the = of --query=NAME for a word of its own.
  [[ $current == '=' ]] && current='' previous='='
  [[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 1]}
  [[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  COMPREPLY=()
  case $previous in
    -q | --query | -p | --print_query) words=$("$program" -Q -H 2>/dev/null | cut -d ' ' -f 1) ;;
    -f | --format) words=$("$program" -F -H 2>/dev/null | cut -d ' ' -f 1) ;;
    --ticket) words=$(saticket complete tickets 2>/dev/null | cut -f 1) ;;
    --since | --until) words='today yesterday 30m 2h 1d 1w' ;;
    -d | --database) mapfile -t COMPREPLY < <(compgen -f -- "$current") && return ;;
    --cwd) mapfile -t COMPREPLY < <(compgen -d -- "$current") && return ;;
    -l | --limit | --grep | --sql) return ;;
    *) words='--database --format --limit --print_query --query --list_formats --hide_headings --list_queries
      --since --until --cwd --failed --ticket --grep --sql --version --help' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
# "filenames" lets bash quote the blanks in a path.
complete -o filenames -F _ash_query ash_query
