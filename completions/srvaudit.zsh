#compdef srvaudit
# zsh completion for srvaudit. Goes to /usr/share/zsh/vendor-completions/_srvaudit.

_srvaudit() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
    "agent:run the host's agent, which keeps the evidence"
    'status:is the agent well, who is here, what waits?'
    'sessions:login sessions: who, when, from where, for which ticket'
    'follow:what goes on record, as it comes'
    'verify:is the evidence what was written?'
    "head:the chain's head, to be kept off the host"
    "doctor:what is wrong with this host's srvAudit, and its mend"
    'config:would the agent take this config?'
    'sink:where it is told, and whether that works'
    'redeliver:send sinks once more what they have refused'
    'ingest:take what your shells have recorded into your history'
    'install:put srvAudit on this host'
    'uninstall:put everything back as it was'
    'rescue:nobody can log in: plain shells for all'
  )
  local -a help=('(- *)'{-h,--help}'[show help]') json=('--json[print JSON]')
  local -a sinks=(slack datadog newRelic syslog otlp webhook)
  local -a changing=('(-y --yes)'{-y,--yes}'[ask nothing]' '--dry-run[show what would be changed]')
  local -a whose=('--user[of this user]:user:_users' '--ticket[that were on this ticket]:ticket:')

  _arguments -C $help '(- *)'{-V,--version}'[show the version]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
        agent) _arguments $help ;;
        status | doctor) _arguments $help $json ;;
        sessions)
          _arguments $help $json $whose \
            '--since[that had not ended by then]:time:(1h 1d 7d today yesterday)' \
            '--until[that had begun by then]:time:(1h 1d 7d today yesterday)' \
            '--open[that are open now]' \
            '--host[on this host]:host:_hosts' \
            '--from[from this address, or those that begin so]:address:' \
            '--emergency[that went in by an emergency]' \
            '(-l --limit)'{-l,--limit}'[so many at most]:number:'
          ;;
        follow)
          _arguments $help $json $whose \
            '--session[of this session]:id:' \
            '(-n --lines)'{-n,--lines}'[so many of the past first]:number:'
          ;;
        verify) _arguments $help $json '--since[it must hold this head]:SEQ\:HASH:' '1:database:_files' ;;
        head) _arguments $help '1:database:_files' ;;
        config) _arguments $help $json '1:what:(check)' '2:config:_files' ;;
        sink)
          case $words[2] in
            list) _arguments $help $json '1:what:(list)' ;;
            *) _arguments $help '1:what:(list test)' "2:sink:($sinks)" ;;
          esac
          ;;
        redeliver) _arguments $help "1:sink:($sinks)" ;;
        ingest) _arguments $help '--linger[go on until nothing has come for so long]:seconds:(30 60 300)' ;;
        install)
          _arguments $help $changing \
            '--answers[take answers from this file]:file:_files' \
            '*--set[for the config]:KEY=VALUE:' \
            '*--set-from[for the config, from a file: for secrets]:KEY=FILE:_files' \
            '(--group --all --nobody)--users[these get hello]:users:_sequence _users' \
            '(--users --all --nobody)--group[its members get hello]:group:_groups' \
            '(--users --group --nobody)--all[all people with bash or zsh get hello]' \
            '(--users --group --all)--nobody[nobody gets it now]' \
            '--force-command[sshd forces hello on them]' \
            '--test-ticket[the ticket to try it out with]:ticket:' \
            '--no-safety[put nothing back by a timer]' \
            '(- *)--confirm[keep what was installed]' \
            '--hooks-only[files and hooks, nothing else]'
          ;;
        uninstall)
          _arguments $help $changing '--purge[the evidence goes too]' '--keep-files[what a package has placed stays]'
          ;;
        rescue)
          _arguments $help '--hooks[and take the hooks out]' \
            '--root[on the disk that is mounted there]:folder:_directories' '*:user:_users'
          ;;
      esac
      ;;
  esac
}

# Autoloaded by compinit, this file is the function's body; sourced, it registers it.
if [[ $funcstack[1] == _srvaudit ]]; then _srvaudit "$@"; else compdef _srvaudit srvaudit; fi
