#!/bin/sh
# A copy of this machine to change at will: machine.sh FOLDER COMMAND...
# Runs the command in an overlay of / that is kept in memory. Nothing of what it changes is seen outside, and all of it
# is gone when its last process ends. Needs root, and a mount namespace of its own: see installed_host in sshd.ts.
set -eu

folder=$1
shift
mkdir -p "$folder"
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
for kernel in proc sys dev; do mount --rbind "/$kernel" "$folder/root/$kernel"; done
exec chroot "$folder/root" "$@"
