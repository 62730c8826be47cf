# bash completion for srvaudit. Goes to /usr/share/bash-completion/completions/srvaudit.
# shellcheck shell=bash

_srvaudit() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]-} words='' files=''
  local sinks='slack datadog newRelic syslog otlp webhook'
  ((COMP_CWORD > 1)) || command=''
  COMPREPLY=()
  case $previous in
    --user) mapfile -t COMPREPLY < <(compgen -u -- "$current"); return ;;
    --since | --until) [[ $command == sessions ]] && words='1h 1d 7d today yesterday' ;;
    --linger) words='30 60 300' ;;
    --users)
      # A list: what is before the last comma stays.
      local before=${current%"${current##*,}"}
      mapfile -t COMPREPLY < <(compgen -u -P "$before" -- "${current##*,}")
      return ;;
    --group) mapfile -t COMPREPLY < <(compgen -g -- "$current"); return ;;
    --answers) files=yes ;;
    # KEY=FILE: bash parts words at =.
    =) [[ ${COMP_WORDS[COMP_CWORD - 3]-} == --set-from ]] && files=yes ;;
    --root) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    --set | --set-from | --test-ticket | --ticket | --session | --host | --from | -n | --lines | -l | --limit) return ;;
    *)
      case $command in
        '') words='agent status sessions follow verify head doctor config sink redeliver ingest
            install uninstall rescue --help --version' ;;
        agent) words='--help' ;;
        status | doctor) words='--json --help' ;;
        sessions)
          words='--user --ticket --since --until --open --host --from --emergency --limit --json --help' ;;
        follow) words='--user --session --ticket --lines --json --help' ;;
        verify) words='--since --json --help' files=yes ;;
        head) words='--help' files=yes ;;
        config)
          words='check --help'
          [[ ${COMP_WORDS[2]-} == check ]] && ((COMP_CWORD > 2)) && words='--json --help' files=yes ;;
        sink)
          words='list test --help'
          case ${COMP_WORDS[2]-},$COMP_CWORD in
            list,[3-9]*) words='--json --help' ;;
            test,3) words="$sinks --help" ;;
            test,*) words='' ;;
          esac ;;
        redeliver) words="$sinks --help" ;;
        ingest) words='--linger --help' ;;
        install)
          words='--answers --set --set-from --users --group --all --nobody --force-command --test-ticket --no-safety
            --yes --dry-run --confirm --hooks-only --help' ;;
        uninstall) words='--purge --keep-files --yes --dry-run --help' ;;
        rescue)
          words='--hooks --root --help'
          [[ $current == -* ]] || words=$(compgen -u) ;;
      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(
    compgen -W "$words" -- "$current"
    [[ -z $files || $current == -* ]] || compgen -f -- "$current"
  )
}
complete -F _srvaudit srvaudit
