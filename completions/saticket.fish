# fish completion for saticket. Goes to /usr/share/fish/vendor_completions.d/saticket.fish.

function __saticket_command -d 'whether none of the subcommands, or the one given, is on the line'
    set -l given (commandline -opc)[2..]
    for word in $given
        if contains -- $word show list search new switch status note
            test "$word" = "$argv[1]"
            return
        end
    end
    test -z "$argv[1]"
end

function __saticket_statuses
    set -l words (commandline -opc)
    set -l at (contains -i -- --ticket $words)
    and saticket complete statuses $words[(math $at + 1)] 2>/dev/null
    or saticket complete statuses 2>/dev/null
end

function __saticket_trackers
    set -l words (commandline -opc)
    set -l at (contains -i -- --project $words)
    and saticket complete trackers $words[(math $at + 1)] 2>/dev/null
    or saticket complete trackers 2>/dev/null
end

complete -c saticket -f
complete -c saticket -l json -d 'print JSON'
complete -c saticket -l help -d 'show help'
complete -c saticket -n '__saticket_command ""' -l version -d 'show the version'

complete -c saticket -n '__saticket_command ""' -a show -d 'a ticket with its notes and its statuses'
complete -c saticket -n '__saticket_command ""' -a list -d 'your open tickets, newest first'
complete -c saticket -n '__saticket_command ""' -a search -d 'tickets with all the words'
complete -c saticket -n '__saticket_command ""' -a new -d 'make a ticket and switch to it'
complete -c saticket -n '__saticket_command ""' -a switch -d 'switch to another open ticket'
complete -c saticket -n '__saticket_command ""' -a status -d 'show the status, or set it'
complete -c saticket -n '__saticket_command ""' -a note -d 'add a note'

for command in list search
    complete -c saticket -n "__saticket_command $command" -l all -d 'closed ones as well'
end
complete -c saticket -n '__saticket_command new' -l project -x -d 'the project it is made in' \
    -a '(saticket complete projects 2>/dev/null)'
complete -c saticket -n '__saticket_command new' -l tracker -x -d 'its tracker, or issue type' \
    -a '(__saticket_trackers)'
complete -c saticket -n '__saticket_command new' -l field -x -d 'a further field, NAME=VALUE'
complete -c saticket -n '__saticket_command new' -l no-switch -d 'stay on the present ticket'
for command in status note
    complete -c saticket -n "__saticket_command $command" -l ticket -x -d 'this ticket' \
        -a '(saticket complete tickets 2>/dev/null)'
end
for command in show switch
    complete -c saticket -n "__saticket_command $command" -k -a '(saticket complete tickets 2>/dev/null)'
end
complete -c saticket -n '__saticket_command status' -k -a '(__saticket_statuses)'
