#compdef saticket
# zsh completion for saticket. Goes to /usr/share/zsh/vendor-completions/_saticket.

_saticket_tickets() {
  local -a tickets
  # _describe wants word:meaning, a colon of the word's own escaped.
  tickets=(${${${(f)"$(saticket complete tickets 2>/dev/null)"}//:/\\:}/$'\t'/:})
  _describe -V ticket tickets
}

_saticket_statuses() {
  local -a statuses
  local ticket=${opt_args[--ticket]-}
  statuses=(${${(f)"$(saticket complete statuses $ticket 2>/dev/null)"}/$'\t'/:})
  _describe -V status statuses
}

_saticket_projects() {
  local -a projects
  projects=(${${${(f)"$(saticket complete projects 2>/dev/null)"}//:/\\:}/$'\t'/:})
  _describe -V project projects
}

_saticket_trackers() {
  local -a trackers
  local project=${opt_args[--project]-}
  trackers=(${${${(f)"$(saticket complete trackers $project 2>/dev/null)"}//:/\\:}/$'\t'/:})
  _describe -V tracker trackers
}

_saticket() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
    'show:a ticket with its notes and its statuses'
    'list:your open tickets, newest first'
    'search:tickets with all the words in subject or notes'
    'new:make a ticket and switch the session to it'
    'switch:switch the session to another open ticket'
    'status:show the status and the next ones, or set it'
    'note:add a note'
  )
  local -a common=('--json[print JSON]' '(- *)--help[show help]')

  _arguments -C $common '(- *)--version[show the version]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
        show | switch) _arguments $common '1:ticket:_saticket_tickets' ;;
        list) _arguments $common '--all[closed ones as well]' ;;
        search) _arguments $common '--all[closed ones as well]' '*:word:' ;;
        new)
          _arguments $common '--project[the project it is made in]:project:_saticket_projects' \
            '--tracker[its tracker, or issue type]:tracker:_saticket_trackers' \
            '*--field[a further field, by its name]:NAME=VALUE:' '--no-switch[stay on the present ticket]' '*:subject:'
          ;;
        status) _arguments $common '--ticket[this ticket]:ticket:_saticket_tickets' '1:status:_saticket_statuses' ;;
        note) _arguments $common '--ticket[this ticket]:ticket:_saticket_tickets' '*:text:' ;;
      esac
      ;;
  esac
}

# Autoloaded by compinit, this file is the function's body; sourced, it registers it.
if [[ $funcstack[1] == _saticket ]]; then _saticket "$@"; else compdef _saticket saticket; fi
