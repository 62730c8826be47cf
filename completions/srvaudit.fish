# fish completion for srvaudit. Goes to /usr/share/fish/vendor_completions.d/srvaudit.fish.

complete -c srvaudit -f
complete -c srvaudit -s h -l help -d 'show help'
complete -c srvaudit -n __fish_use_subcommand -s V -l version -d 'show the version'

complete -c srvaudit -n __fish_use_subcommand -a agent -d 'run the host\'s agent'
complete -c srvaudit -n __fish_use_subcommand -a status -d 'is the agent well, who is here, what waits?'
complete -c srvaudit -n __fish_use_subcommand -a sessions -d 'login sessions'
complete -c srvaudit -n __fish_use_subcommand -a follow -d 'what goes on record, as it comes'
complete -c srvaudit -n __fish_use_subcommand -a verify -d 'is the evidence what was written?'
complete -c srvaudit -n __fish_use_subcommand -a head -d 'the chain\'s head, to be kept off the host'
complete -c srvaudit -n __fish_use_subcommand -a doctor -d 'what is wrong, and its mend'
complete -c srvaudit -n __fish_use_subcommand -a config -d 'would the agent take this config?'
complete -c srvaudit -n __fish_use_subcommand -a sink -d 'where it is told, and whether that works'
complete -c srvaudit -n __fish_use_subcommand -a redeliver -d 'send sinks once more what they have refused'
complete -c srvaudit -n __fish_use_subcommand -a ingest -d 'take what your shells have recorded into your history'
complete -c srvaudit -n __fish_use_subcommand -a install -d 'put srvAudit on this host'
complete -c srvaudit -n __fish_use_subcommand -a uninstall -d 'put everything back as it was'
complete -c srvaudit -n __fish_use_subcommand -a rescue -d 'nobody can log in: plain shells for all'

complete -c srvaudit -n '__fish_seen_subcommand_from status sessions follow verify doctor config list' \
    -l json -d 'print JSON'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions follow' \
    -l user -x -a '(__fish_complete_users)' -d 'of this user'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions follow' -l ticket -x -d 'that were on this ticket'

complete -c srvaudit -n '__fish_seen_subcommand_from sessions' \
    -l since -x -a '1h 1d 7d today yesterday' -d 'that had not ended by then'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions' \
    -l until -x -a '1h 1d 7d today yesterday' -d 'that had begun by then'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions' -l open -d 'that are open now'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions' -l host -x -d 'on this host'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions' -l from -x -d 'from this address'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions' -l emergency -d 'that went in by an emergency'
complete -c srvaudit -n '__fish_seen_subcommand_from sessions' -s l -l limit -x -d 'so many at most'

complete -c srvaudit -n '__fish_seen_subcommand_from follow' -l session -x -d 'of this session'
complete -c srvaudit -n '__fish_seen_subcommand_from follow' -s n -l lines -x -d 'so many of the past first'

complete -c srvaudit -n '__fish_seen_subcommand_from verify' -l since -x -d 'it must hold this head, SEQ:HASH'
complete -c srvaudit -n '__fish_seen_subcommand_from verify head' -F
complete -c srvaudit -n '__fish_seen_subcommand_from config; and not __fish_seen_subcommand_from check' -a check
complete -c srvaudit -n '__fish_seen_subcommand_from check' -F
complete -c srvaudit -n '__fish_seen_subcommand_from sink; and not __fish_seen_subcommand_from list test' -a list \
    -d 'which are on, and how that goes'
complete -c srvaudit -n '__fish_seen_subcommand_from sink; and not __fish_seen_subcommand_from list test' -a test \
    -d 'send one marked news'
complete -c srvaudit -n '__fish_seen_subcommand_from test redeliver' \
    -a 'slack datadog newRelic syslog otlp webhook'
complete -c srvaudit -n '__fish_seen_subcommand_from ingest' -l linger -x -a '30 60 300' \
    -d 'go on in the background until nothing has come for so many seconds'

complete -c srvaudit -n '__fish_seen_subcommand_from install uninstall' -s y -l yes -d 'ask nothing'
complete -c srvaudit -n '__fish_seen_subcommand_from install uninstall' -l dry-run -d 'show what would be changed'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l answers -r -F -d 'take answers from this file'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l set -x -d 'KEY=VALUE for the config'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l set-from -r -F -d 'KEY=FILE: for secrets'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l users -x \
    -a '(__fish_append , (__fish_complete_users))' -d 'these get hello'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l group -x -a '(__fish_complete_groups)' \
    -d 'its members get hello'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l all -d 'all people with bash or zsh get hello'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l nobody -d 'nobody gets it now'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l force-command -d 'sshd forces hello on them'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l test-ticket -x -d 'the ticket to try it out with'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l no-safety -d 'put nothing back by a timer'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l confirm -d 'keep what was installed'
complete -c srvaudit -n '__fish_seen_subcommand_from install' -l hooks-only -d 'files and hooks, nothing else'
complete -c srvaudit -n '__fish_seen_subcommand_from uninstall' -l purge -d 'the evidence goes too'
complete -c srvaudit -n '__fish_seen_subcommand_from uninstall' -l keep-files -d 'what a package has placed stays'
complete -c srvaudit -n '__fish_seen_subcommand_from rescue' -a '(__fish_complete_users)'
complete -c srvaudit -n '__fish_seen_subcommand_from rescue' -l hooks -d 'and take the hooks out'
complete -c srvaudit -n '__fish_seen_subcommand_from rescue' -l root -x -a '(__fish_complete_directories)' \
    -d 'on the disk that is mounted there'
