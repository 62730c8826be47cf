#!/bin/sh
# The try-out environment without Docker, until Ctrl-C: `make tester`, or tester.sh [-n] (-n: nothing but prepare it).
# All of it, packages too, is in a copy of this machine that is kept in memory (see machine.sh), and is gone when this script
# ends, however it ends. What stays is .tools/tester, which makes the next start faster.
# Exit 77: it cannot be had here.
set -eu
umask 022
project=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)

say() { printf 'tester: %s\n' "$*" >&2; }
die() { say "$1"; exit "${2:-1}"; }

only_make=
while getopts n option; do
  case $option in n) only_make=1 ;; *) exit 2 ;; esac
done

[ "$(id -u)" = 0 ] || die "needs root, for its copy of this machine: sudo make tester" 77
for program in apt-get unshare setpriv setsid flock tar; do
  command -v "$program" > /dev/null || die "$program is missing: it needs Debian or Ubuntu, with util-linux" 77
done
for folder in /etc /usr /var /home /opt /srv; do
  ! mountpoint -q "$folder" || die "$folder is a file system of its own here: a copy of / would be without it" 77
done
[ -n "$only_make" ] || [ -s "$project/dist/srvaudit" ] || die "there is no dist/srvaudit: make build"

# is_taken PORT: whether somebody listens there.
is_taken() {
  cat /proc/net/tcp /proc/net/tcp6 2> /dev/null |
    awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}

# free_port PORT: the first one from it on that nobody has.
free_port() {
  port=$1
  while is_taken "$port"; do port=$((port + 1)); done
  [ "$port" = "$1" ] || say "port $1 is taken here: $port in its place"
  echo "$port"
}

if [ -z "$only_make" ]; then
  SSH_PORT=$(free_port 2222)
  REDMINE_PORT=$(free_port 8889)
  export SSH_PORT REDMINE_PORT
fi

# A session of its own, so that Ctrl-C is this script's alone. Whatever ends this script, the kernel ends unshare, and with it
# all processes inside; the mounts and what is in memory go with the last of them. A job in the background would ignore Ctrl-C
# for ever, and with it all that people start by ssh: hence env.
env --default-signal=INT,QUIT setsid setpriv --pdeathsig KILL \
  unshare --mount --propagation private --pid --ipc --uts --fork --kill-child \
  "$project/packaging/tester/machine.sh" "$project" "$only_make" < /dev/null &
inside=$!
# finish: nothing inside is worth an orderly end. The kernel ends the first process inside after all others.
finish() {
  first=$(cat "/proc/$inside/task/$inside/children" 2> /dev/null) || true
  kill -KILL "$inside" ${first:+"${first% }"} 2> /dev/null || true
  wait "$inside" 2> /dev/null || true
  while [ -n "$first" ] && grep -q '^State:.[^ZX]' "/proc/${first% }/status" 2> /dev/null; do sleep 0.1; done
}
trap finish EXIT
trap 'finish; say "ended: nothing of it is left"; exit 0' HUP INT TERM
wait "$inside"
