#!/bin/sh
# A Debian that systemd has booted, as the first process of namespaces of its own. Needs root and debootstrap.
#   systemd_host.sh -n            whether namespaces and cgroups allow it here; exit code 77, and why, where they do not
#   systemd_host.sh make          makes what all such hosts are copies of, where it is missing; prints its layers
#   systemd_host.sh hold LAYERS FOLDER
#                                 boots a copy, kept in memory under FOLDER/root; prints the number of its first process,
#                                 another one each time that it is rebooted, and is there until standard input ends
#   systemd_host.sh enter PID COMMAND...
#                                 runs a command in the host whose first process that is, as root, from /
# What runs in it ends with it, however this ends; of a kill -9 a group of processes without any stays until the next one.
set -eu

# What would reach the machine's kernel.
kept=-sys_module,-sys_rawio,-sys_time,-syslog,-audit_control,-mac_admin,-mac_override

self=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)/systemd_host.sh

# groups MOUNTPOINT: the cgroups, whatever the machine itself has mounted where; in a mount namespace that goes with them.
groups() {
  mkdir -p "$1"
  mount -t cgroup2 cgroup2 "$1"
}

can() {
  # shellcheck disable=SC2016 # the inner shell expands it
  if ! said=$(unshare --mount --uts --ipc --net --pid --cgroup --time --fork --propagation private sh -ec '
    mount -t tmpfs tmpfs /mnt
    mkdir /mnt/groups /mnt/lower /mnt/upper /mnt/work /mnt/root
    mount -t cgroup2 cgroup2 /mnt/groups
    mkdir "/mnt/groups/satest$$.can"
    rmdir "/mnt/groups/satest$$.can"
    mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
    mount -t proc proc /proc
    mount -t sysfs -o ro sysfs /mnt/root
    mknod /mnt/null c 1 3
  ' 2>&1); then
    echo "no systemd can be booted here: $said" >&2
    exit 77
  fi
}

# make_layer BASE FOLDER: what is added to a Debian: systemd and sshd, as on nearly every host.
make_layer() {
  mkdir -p "$2/upper" "$2/work" "$2/root"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
  # Nothing is started here: it would be the machine's.
  printf '#!/bin/sh\nexit 101\n' > "$2/root/usr/sbin/policy-rc.d"
  chmod 755 "$2/root/usr/sbin/policy-rc.d"
  mount -t proc proc "$2/root/proc"
  DEBIAN_FRONTEND=noninteractive chroot "$2/root" apt-get install --yes --no-install-recommends \
    systemd systemd-sysv libpam-systemd dbus openssh-server
  rm "$2/root/usr/sbin/policy-rc.d"
  umount "$2/root/proc" "$2/root"
}

make() {
  base=$("${self%/*}/debian_root.sh" make)
  # Another text of this script, or another base, makes another layer: whoever uses the earlier one keeps it.
  layer=$base-$(sha256sum < "$self" | cut -c 1-12)
  exec 9> "${base%/*}/lock"
  flock 9
  if [ ! -e "$layer" ]; then
    rm -rf "$layer.part"
    mkdir -p "$layer.part"
    if ! unshare --mount --propagation private "$self" layer "$base" "$layer.part" > "$layer.log" 2>&1 < /dev/null 9>&-; then
      tail -n 30 "$layer.log" >&2
      echo "systemd_host.sh: systemd could not be installed: see above, and $layer.log" >&2
      exit 1
    fi
    mv "$layer.part/upper" "$layer"
    rm -rf "$layer.part"
  fi
  echo "$layer:$base"
}

# sweep GROUPS: removes groups whose processes are gone with the one that held them. One that is in use stays: it is not empty.
sweep() {
  for group in "$1"/satest*.systemd; do
    [ -d "$group" ] || continue
    maker=${group##*/satest}
    [ ! -e "/proc/${maker%.systemd}" ] && remove_group "$group"
  done
  return 0
}

remove_group() {
  find "$1" -depth -type d -exec rmdir {} + 2> /dev/null || true
}

# Runs in a mount namespace of its own, which holds the host's disk as long as it is rebooted.
hold() {
  layers=$1
  folder=$2
  mount -t tmpfs tmpfs "$folder"
  mkdir "$folder/upper" "$folder/work" "$folder/root"
  groups "$folder/groups"
  sweep "$folder/groups"
  group=$folder/groups/satest$$.systemd
  mkdir "$group"
  mount -t overlay overlay -o "lowerdir=$layers,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
  setpriv --pdeathsig KILL "$self" reboots "$folder" "$group" &
  # Until nobody is there who wants it.
  cat > /dev/null
  kill -KILL $! 2> /dev/null || true
  until grep -q 'populated 0' "$group/cgroup.events"; do
    echo 1 > "$group/cgroup.kill"
    sleep 0.05
  done
  remove_group "$group"
  umount -l "$folder"
  # It may be gone already, with all else of the test.
  rmdir "$folder" 2> /dev/null || true
}

# Boots it again each time that it was rebooted: the kernel ends the first process of a namespace by SIGHUP then.
reboots() {
  # The shell says of each reboot what has ended its child.
  exec 4>&2 2> /dev/null
  code=129
  while [ "$code" -eq 129 ]; do
    code=0
    uptime=$(cut -d . -f 1 /proc/uptime)
    # Each boot has its own clock since the boot, as machines have.
    (
      exec setpriv --pdeathsig KILL unshare --mount --propagation private --uts --ipc --net --pid --time \
        --boottime "-$uptime" --monotonic "-$uptime" --fork --kill-child "$self" boot "$1" "$2" 2>&4
    ) || code=$?
  done
}

boot() {
  root=$1/root
  echo 0 > "$2/cgroup.procs"
  # Of the /proc that is still the machine's: the number by which others find this process.
  read -r pid rest < /proc/self/stat
  mount -t proc proc "$root/proc"
  # The kernel is the machine's.
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
  done
  mknod -m 666 "$root/dev/tty" c 5 0
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir "$root/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  cat /proc/sys/kernel/random/uuid > "$root/run/boot_id"
  mount --bind "$root/run/boot_id" "$root/proc/sys/kernel/random/boot_id"
  echo "$pid"
  exec unshare --cgroup "$self" init "$root"
}

init() {
  mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
  # Not by chroot alone: whoever enters the mount namespace of a process in there would be on the machine's own disk.
  cd "$1"
  pivot_root . mnt
  # shellcheck disable=SC2016 # the inner shell expands it
  exec chroot . sh -ec '
    umount -l /mnt
    exec setpriv --bounding-set "$1" env -i container=satest /sbin/init
  ' sh "$kept" < /dev/null > /dev/null 2>&1
}

enter() {
  pid=$1
  shift
  exec nsenter --target="$pid" --mount --uts --ipc --net --pid --time --cgroup --root="/proc/$pid/root" --wdns=/ \
    setpriv --bounding-set "$kept" "$@"
}

case $1 in
  -n) can ;;
  make) make ;;
  layer) make_layer "$2" "$3" ;;
  hold) exec unshare --mount --propagation private "$self" held "$2" "$3" ;;
  held) hold "$2" "$3" ;;
  reboots) reboots "$2" "$3" ;;
  boot) boot "$2" "$3" ;;
  init) init "$2" ;;
  enter)
    shift
    enter "$@"
    ;;
esac
