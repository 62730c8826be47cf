# fish completion for srvaudit. Goes to /usr/share/fish/vendor_completions.d/srvaudit.fish.

complete -c srvaudit -f
complete -c srvaudit -n __fish_use_subcommand -a ingest -d 'take what the shells have recorded into the history'
complete -c srvaudit -n __fish_use_subcommand -a help -d 'show help'
complete -c srvaudit -n '__fish_seen_subcommand_from ingest' -l linger -x -a '30 60 300' \
    -d 'go on in the background until nothing has come for so many seconds'
complete -c srvaudit -s h -l help -d 'show help'
complete -c srvaudit -n __fish_use_subcommand -s V -l version -d 'show the version'
