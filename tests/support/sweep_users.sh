#!/bin/sh
# Removes the test users, their processes and their folders, that a test process which is no more has left behind.
# A user's name says which process made it, satestPIDxN, and so does its folder's: /tmp/satestPID.XXXXXX. Needs root.
set -u

exec 9> /run/lock/satest
flock 9

# is_running PID: whether the test process is still there.
is_running() { [ -e "/proc/$1" ]; }

getent passwd | sed -n 's/^\(satest\([0-9]*\)x[0-9]*\):.*/\1 \2/p' | while read -r user maker; do
  is_running "$maker" && continue
  for process in $(pgrep -U "$user"); do kill -KILL "$process" 2> /dev/null; done
  userdel --force "$user" > /dev/null 2>&1
done

for folder in /tmp/satest*.*; do
  [ -O "$folder" ] || continue
  maker=${folder#/tmp/satest}
  is_running "${maker%%.*}" && continue
  # sshd and its clients, whose command lines name the host's own configuration.
  for process in $(pgrep -f -- "$folder/ssh"); do kill "$process" 2> /dev/null; done
  sed -i "\|^$folder/|d" /etc/shells
  "${0%/*}/unprotect.sh" "$folder"
  rm -rf "$folder"
done
exit 0
