#!/bin/sh
# A copy of this machine in memory, with Redmine and its database in it: machine.sh PROJECT [ONLY_MAKE]
# Run by tester.sh in namespaces of its own: what is mounted and changed here nobody else sees.
# What prepare.sh has made is kept in PROJECT/.tools/tester until this machine's packages, or the scripts, change.
set -eu
project=$1
only_make=${2-}
tools=$project/.tools/tester
folder=$tools/machine
source=/usr/src/srvaudit

say() { printf 'tester: %s\n' "$*" >&2; }

mkdir -p "$folder"
# The copies have passwords and a key in them, if only those of this machine's shadow.
chmod 700 "$tools"
# One maker at a time.
exec 9> "$tools/lock"
flock 9
rm -f "$tools"/machine.tar.new
stamp=$(cat /var/lib/dpkg/status "$project"/packaging/tester/*.sh "$project"/packaging/tester/redmine/world.rb \
  "$project"/tests/support/redmine/install.sh "$project"/tests/support/redmine/lib.sh | sha256sum | cut -d' ' -f1)

mount -t tmpfs -o mode=700 tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
chmod 755 "$folder/upper"
is_ready=
if [ "$(cat "$tools/stamp" 2> /dev/null)" = "$stamp" ]; then
  is_ready=1
  [ -z "$only_make" ] || exit 0
  say "Redmine and its database are ready from an earlier start"
  tar --extract --file "$tools/machine.tar" --directory "$folder/upper" --xattrs --xattrs-include='*' --numeric-owner
fi
root=$folder/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"

# The kernel's own, as far as it is needed: what is asked of this machine's devices and daemons does not reach them.
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
for fresh in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$fresh"; done
chmod 1777 "$root/tmp"
mkdir "$root/run/lock" "$root/dev/pts" "$root/dev/shm"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for stream in stdin:0 stdout:1 stderr:2; do ln -s "/proc/self/fd/${stream#*:}" "$root/dev/${stream%:*}"; done
# Another srvAudit that this machine has is not tried here, and not spoilt.
for own in /etc/srvaudit /var/lib/srvaudit /var/spool/srvaudit; do
  [ ! -d "$root$own" ] || mount -t tmpfs -o mode=755 tmpfs "$root$own"
done
mkdir -p "$root$source"
mount --bind "$project" "$root$source"
mount -o remount,bind,ro "$root$source"
hostname tester

path=/usr/sbin:/usr/bin:/sbin:/bin
if [ -z "$is_ready" ]; then
  # The environment is the admin's: apt may need a proxy.
  PATH=$path HOME=/root LC_ALL=C.UTF-8 chroot "$root" "$source/packaging/tester/prepare.sh" 9>&-
  tar --create --file "$tools/machine.tar.new" --directory "$folder/upper" --xattrs --xattrs-include='*' --numeric-owner \
    --exclude=./var/cache/apt --exclude=./var/lib/apt/lists --exclude=./var/log .
  chmod 600 "$tools/machine.tar.new"
  rm -f "$tools/stamp"
  mv "$tools/machine.tar.new" "$tools/machine.tar"
  echo "$stamp" > "$tools/stamp"
  [ -z "$only_make" ] || exit 0
fi
exec 9>&-
# sshd's key is not this machine's, and stays the same: ssh goes on knowing it.
rm -f "$root"/etc/ssh/ssh_host_*
[ -s "$tools/host_key" ] || chroot "$root" ssh-keygen -q -t ed25519 -N '' -C tester -f /etc/ssh/ssh_host_ed25519_key
[ -s "$tools/host_key" ] || cp -p "$root/etc/ssh/ssh_host_ed25519_key" "$tools/host_key"
cp -p "$tools/host_key" "$root/etc/ssh/ssh_host_ed25519_key"
exec env -i PATH="$path" HOME=/root LANG=C.UTF-8 SSH_PORT="$SSH_PORT" REDMINE_PORT="$REDMINE_PORT" chroot "$root" "$source/packaging/tester/serve.sh"
