#!/bin/sh
# A Redmine of one's own: copies the template to a folder and serves it by puma on a free loopback port.
#   start.sh [-n] [-f] [-e] [-t textile|markdown|common_mark] [FOLDER]
# Plain: starts in the background, waits for the first answer, prints `url=… pid=… folder=…`; stop it by `kill $pid`.
#   -n  nothing but make sure that one can be started: exit 77 where it cannot be had
#   -f  stay in the foreground (exec puma; its line `* Listening on http://127.0.0.1:PORT` tells the port)
#   -e  end when standard input ends, so that a test run that dies leaves no server behind (with -f)
#   -t  the text formatting
# FOLDER (default: a new one under $REDMINE_BASE/runs) must not exist or be empty; removing it is the caller's.
set -eu
. "$(dirname -- "$0")/lib.sh"
only_make=; foreground=; until_eof=; formatting=
while getopts nfet: option; do
  case $option in n) only_make=1 ;; f) foreground=1 ;; e) until_eof=1 ;; t) formatting=$OPTARG ;; *) exit 2 ;; esac
done
shift $((OPTIND - 1))
case $formatting in '' | textile | markdown | common_mark) ;; *) die "no such formatting: $formatting" 2 ;; esac
# one maker at a time, and none while somebody copies
mkdir -p "$base/runs"
exec 9>"$base/.lock"
flock 9
"$here/make_template.sh" 9>&-
[ -z "$only_make" ] || exit 0
if [ $# -gt 0 ]; then folder=$1; mkdir -p "$folder"; else folder=$(mktemp -d "$base/runs/XXXXXX"); fi
folder=$(CDPATH='' cd -- "$folder" && pwd -P)
[ -z "$(ls -A "$folder")" ] || die "not empty: $folder" 2
make_instance "$folder"
cp "$template/redmine.sqlite3" "$folder/redmine.sqlite3"
exec 9>&-
[ -z "$formatting" ] || sqlite3 "$folder/redmine.sqlite3" "UPDATE settings SET value = '$formatting' WHERE name = 'text_formatting'"

cat >"$folder/config/puma.rb" <<PUMA
environment 'production'
directory '$app'
bind 'tcp://127.0.0.1:${REDMINE_PORT:-0}'
# More would write at once: SQLite lets one, and Redmine makes 500 of that.
threads 1, 1
workers 0
pidfile '$folder/tmp/pids/puma.pid'
PUMA
[ -z "$until_eof" ] || cat >>"$folder/config/puma.rb" <<'PUMA'
Thread.new { STDIN.read; Process.kill(:TERM, Process.pid) }
PUMA

cd "$app"
set -- /usr/bin/bundle exec puma -C "$folder/config/puma.rb"
if [ "$foreground" ]; then
  ruby_exec="exec"
  ruby_env "$folder" "$@"
fi
: >"$folder/log/puma.log"
# a subshell that becomes puma: $! is its pid, and nobody keeps the caller's stdout open
(
  exec >"$folder/log/puma.log" 2>&1 </dev/null
  ruby_exec="exec"
  ruby_env "$folder" setsid "$@"
) &
pid=$!
trap 'kill $pid 2>/dev/null || true' EXIT   # until it is up
trap 'exit 1' HUP INT TERM
deadline=$(($(date +%s) + 180))   # 5 s on an idle machine, 30 on a very busy one
while [ "$(date +%s)" -lt $deadline ]; do
  kill -0 $pid 2>/dev/null || { tail -n 30 "$folder/log/puma.log" >&2; die "puma did not start"; }
  url=$(sed -n 's,^\* Listening on \(http://.*\)$,\1,p' "$folder/log/puma.log")
  if [ "$url" ] && curl -sf --noproxy '*' -o /dev/null "$url/issue_statuses.json" -H "X-Redmine-API-Key: $(printf %040d 0 | tr 0 a)"; then
    trap - EXIT
    printf 'url=%s pid=%s folder=%s\n' "$url" "$pid" "$folder"
    exit 0
  fi
  sleep 0.1
done
die "no answer in three minutes, see $folder/log/puma.log"
