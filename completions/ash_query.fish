# fish completion for ash_query. Goes to /usr/share/fish/vendor_completions.d/ash_query.fish.

function __ash_query_list -d 'what ash_query lists, each with its description behind a tab'
    ash_query $argv -H 2>/dev/null | string replace -r ' +' \t | string trim -r -c ' '
end

complete -c ash_query -f
complete -c ash_query -s q -l query -x -d 'run a saved query' -a '(__ash_query_list -Q)'
complete -c ash_query -s p -l print_query -x -d 'print the SQL of a saved query' -a '(__ash_query_list -Q)'
complete -c ash_query -l sql -x -d 'run one SELECT'
complete -c ash_query -l since -x -d 'from this time on' -a 'today yesterday 30m 2h 1d 1w'
complete -c ash_query -l until -x -d 'up to this time' -a 'today yesterday 30m 2h 1d 1w'
complete -c ash_query -l cwd -x -d 'in this directory and below' -a '(__fish_complete_directories)'
complete -c ash_query -l failed -d 'that did not exit with 0'
complete -c ash_query -l ticket -x -d 'done for this ticket' -a '(saticket complete tickets 2>/dev/null)'
complete -c ash_query -l grep -x -d 'with this text in the command'
complete -c ash_query -s l -l limit -x -d 'so many rows at most'
complete -c ash_query -s f -l format -x -d 'the format' -a '(__ash_query_list -F)'
complete -c ash_query -s d -l database -r -F -d 'another database'
complete -c ash_query -s H -l hide_headings -d 'leave the headings away'
complete -c ash_query -s F -l list_formats -d 'list the formats'
complete -c ash_query -s Q -l list_queries -d 'list the saved queries'
complete -c ash_query -l version -d 'show the version'
complete -c ash_query -l help -d 'show help'
