#compdef ash_query
# zsh completion for ash_query. Goes to /usr/share/zsh/vendor-completions/_ash_query.

# What ash_query lists (-Q or -F), as word:meaning; names have neither blanks nor colons.
_ash_query_list() {
  local -a lines
  local line
  for line in ${(f)"$(ash_query $1 -H 2>/dev/null)"}; do
    lines+=("${line%% *}:${${line#* }## #}")
  done
  _describe $2 lines
}

_ash_query_queries() { _ash_query_list -Q query }
_ash_query_formats() { _ash_query_list -F format }

_ash_query_times() {
  local -a times=(today yesterday 30m 2h 1d 1w)
  _describe time times
}

_ash_query_tickets() {
  local -a tickets
  tickets=(${${${(f)"$(saticket complete tickets 2>/dev/null)"}//:/\\:}/$'\t'/:})
  _describe -V ticket tickets
}

_ash_query() {
  _arguments -s \
    '(-q --query)'{-q+,--query=}'[run a saved query]:query:_ash_query_queries' \
    '(-p --print_query)'{-p+,--print_query=}'[print the SQL of a saved query]:query:_ash_query_queries' \
    '--sql=[run one SELECT]:SQL:' \
    '--since=[from this time on]:time:_ash_query_times' \
    '--until=[up to this time]:time:_ash_query_times' \
    '--cwd=[in this directory and below]:directory:_files -/' \
    '--failed[that did not exit with 0]' \
    '--ticket=[done for this ticket]:ticket:_ash_query_tickets' \
    '--grep=[with this text in the command]:text:' \
    '(-l --limit)'{-l+,--limit=}'[so many rows at most]:number:' \
    '(-f --format)'{-f+,--format=}'[the format]:format:_ash_query_formats' \
    '(-d --database)'{-d+,--database=}'[another database]:file:_files' \
    '(-H --hide_headings)'{-H,--hide_headings}'[leave the headings away]' \
    '(-F --list_formats)'{-F,--list_formats}'[list the formats]' \
    '(-Q --list_queries)'{-Q,--list_queries}'[list the saved queries]' \
    '(- *)--version[show the version]' \
    '(- *)--help[show help]'
}

# Autoloaded by compinit, this file is the function's body; sourced, it registers it.
if [[ $funcstack[1] == _ash_query ]]; then _ash_query "$@"; else compdef _ash_query ash_query; fi
