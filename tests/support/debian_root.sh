#!/bin/sh
# Debian roots for tests, each one's own to change at will. Needs root and debootstrap.
#   debian_root.sh make             makes the one that all others are copies of, where it is missing; prints its path
#   debian_root.sh hold BASE FOLDER a copy of it in memory under FOLDER/root, in namespaces of its own: prints the number of
#                                   their first process, and is there until standard input ends; what runs there ends with it
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

# make_base FOLDER: a bookworm with what nearly every host has; the packages of other shells, and of sshd, lie there to be installed.
make_base() {
  suite=bookworm
  mirror=http://deb.debian.org/debian
  debootstrap --variant=minbase --include=adduser,procps,ca-certificates "$suite" "$1" "$mirror"
  # apt-get installs them later without a network.
  chroot "$1" apt-get install --yes --no-install-recommends --download-only zsh fish openssh-server
}

make() {
  cache=$here/../../.tools/debootstrap
  mkdir -p "$cache"
  cache=$(CDPATH='' cd -- "$cache" && pwd -P)
  # Another text of this script makes another root: whoever uses the earlier one keeps it.
  base=$cache/$(sha256sum "$0" | cut -c 1-12)
  # Test files run side by side: one makes it, the others wait for it.
  exec 9> "$cache/lock"
  flock 9
  if [ ! -e "$base" ]; then
    rm -rf "$base.part"
    if ! make_base "$base.part" > "$base.log" 2>&1 < /dev/null 9>&-; then
      tail -n 30 "$base.log" >&2
      echo "debian_root.sh: debootstrap failed: see above, and $base.log" >&2
      exit 1
    fi
    mv "$base.part" "$base"
  fi
  echo "$base"
}

# Runs as the first process of its own mount and pid namespace.
hold() {
  base=$1
  folder=$2
  mount -t tmpfs tmpfs "$folder"
  mkdir "$folder/upper" "$folder/work" "$folder/root"
  root=$folder/root
  mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mkdir -m 1777 "$root/run/lock"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
  mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
  # Of the /proc that is still the machine's: the number by which others find this process.
  read -r pid rest < /proc/self/stat
  echo "$pid"
  # Its end is the end of all processes in the namespace.
  cat > /dev/null
}

case $1 in
  make) make ;;
  hold) exec unshare --mount --pid --fork --kill-child --propagation private "$0" held "$2" "$3" ;;
  held) hold "$2" "$3" ;;
esac
