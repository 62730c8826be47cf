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
  sshd=$(cat "$folder/sshd.pid" 2> /dev/null)
  # A process number may have gone to another program since: sshd's own title says whose it is.
  if grep -q "$folder/sshd_config" "/proc/${sshd:-none}/cmdline" 2> /dev/null; then kill "$sshd"; fi
  sed -i "\|^$folder/|d" /etc/shells
  rm -rf "$folder"
done
exit 0
