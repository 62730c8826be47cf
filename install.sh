#!/bin/sh
# Installs srvAudit from a release: see --help. Needs sh, tar, gzip, sha256sum (or shasum, or openssl), and curl or wget for a URL.
#
# Nothing of a release runs, or is unpacked, before its SHA-256 was compared. packaging/release.sh writes the sums in here, so
# whoever has checked this file has checked all of it. The release is first copied into a folder of root's alone: what lies where
# it was downloaded to may belong to somebody else, and change after it was looked at.
set -eu
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
unset SRVAUDIT_ROOT

# The release that this file belongs to; nothing in a source tree.
version=
architecture=
# The sum of the tarball, in the install.sh that is handed out beside it.
tarball_sha256=
# The sum of SHA256SUMS, in the install.sh that the tarball holds.
contents_sha256=

work=
executable=root/usr/lib/srvaudit/srvaudit

usage() {
  cat << 'END'
Usage: install.sh [--from FILE|URL] [--sha256 SUM] [what srvaudit install takes]...

Installs srvAudit on this host, as root. It takes the release that it was unpacked with, the tarball beside it, or:

  --from FILE|URL   the tarball: srvaudit-VERSION-linux-ARCHITECTURE.tar.gz; a URL must be https, unless --sha256 is given
  --sha256 SUM      the tarball's SHA-256; otherwise it is the one written in here, or in SHA256SUMS beside the tarball
  -h, --help        this text

All else goes to `srvaudit install`, which asks its questions on the terminal, or takes all answers at once:

  install.sh -y --answers FILE --all
  install.sh --dry-run
  install.sh --nobody        the programs and the agent, nobody's shell
  install.sh --hooks-only    the programs and the hooks, no agent

Exit code: 0 done, 1 failed, 2 called wrongly. Away again: srvaudit uninstall
END
}

say() {
  echo "install.sh: $*" >&2
}

# fail CODE TEXT...
fail() {
  code=$1
  shift
  say "$*"
  exit "$code"
}

remove_work() {
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

has() {
  command -v "$1" > /dev/null 2>&1
}

# sum_of FILE: its SHA-256.
sum_of() {
  if has sha256sum; then
    sum=$(sha256sum < "$1")
  elif has shasum; then
    sum=$(shasum -a 256 < "$1")
  elif has openssl; then
    sum=$(openssl dgst -sha256 -r < "$1")
  else
    fail 1 "this host has no sha256sum, shasum or openssl: what cannot be checked is not installed"
  fi
  echo "${sum%% *}"
}

# listed_sum NAME: the sum that a SHA256SUMS on stdin has for this name.
listed_sum() {
  while read -r sum name; do
    if [ "${name#\*}" = "$1" ]; then echo "$sum"; fi
  done
}

# is_sum TEXT: 64 hexadecimal digits.
is_sum() {
  case $1 in
    *[!0-9a-f]*) return 1 ;;
  esac
  [ "${#1}" -eq 64 ]
}

check_host() {
  [ "$(uname -s)" = Linux ] || fail 1 "srvAudit is for Linux; this is $(uname -s)"
  machine=$(uname -m)
  case $machine in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
  esac
  if [ -n "$architecture" ] && [ "$architecture" != "$machine" ]; then
    fail 1 "this release is for $architecture; this host is $machine"
  fi
  libc=$(getconf GNU_LIBC_VERSION 2> /dev/null || :)
  case $libc in
    "glibc "*)
      libc=${libc#glibc }
      major=${libc%%.*}
      minor=${libc#*.}
      minor=${minor%%[!0-9]*}
      if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 27 ]; }; then
        fail 1 "srvAudit needs glibc 2.27; this host has $libc. It runs from Ubuntu 18.04, Debian 10 and CentOS/RHEL 8 on"
      fi
      ;;
    *)
      for loader in /lib/ld-musl-*; do
        if [ -e "$loader" ]; then fail 1 "srvAudit needs glibc 2.27; this host has musl (Alpine, for one)"; fi
      done
      ;;
  esac
  [ "$(id -u)" -eq 0 ] || fail 1 "only root can install srvAudit: sudo $0 ..."
}

# make_work: a private folder, where programs may run.
make_work() {
  for parent in /tmp /var/tmp /usr/lib; do
    # Where anybody may rename what is others', the folder would not stay ours.
    case $(ls -ld "$parent/") in
      d???????w[!tT]*) continue ;;
    esac
    work=$(mktemp -d "$parent/srvaudit-install.XXXXXX") || continue
    printf '#!/bin/sh\n' > "$work/try"
    chmod 700 "$work/try"
    if "$work/try" 2> /dev/null; then
      rm "$work/try"
      return
    fi
    say "programs may not run in $parent (noexec): trying elsewhere"
    remove_work
    work=
  done
  fail 1 "no program may run in /tmp, /var/tmp or /usr/lib: mount -o remount,exec /tmp for as long as this takes"
}

# fetch URL FILE
fetch() {
  if has curl; then
    case $1 in
      https:*) allowed='=https' ;;
      *) allowed='=http,https' ;;
    esac
    curl --fail --silent --show-error --location --proto "$allowed" --proto-redir "$allowed" --output "$2" "$1" ||
      fail 1 "$1 could not be downloaded: see above"
  elif has wget; then
    # busybox's looks at no certificate, and GNU's leaves https where it is told to: only the sum counts then.
    [ -n "$expected" ] || fail 1 "without curl the sum must be known before: give --sha256 SUM"
    wget -q -O "$2" "$1" || fail 1 "$1 could not be downloaded by wget"
  else
    fail 1 "this host has neither curl nor wget: download it elsewhere, and give --from FILE"
  fi
}

# take_tarball: $from, checked and unpacked in $work/release.
take_tarball() {
  name=${from##*/}
  case $from in
    https://*) ;;
    http://*)
      [ -n "$expected" ] || fail 2 "$from: what comes by http must have its sum given by hand: --sha256 SUM, or take https"
      ;;
    *://*) fail 2 "$from: only https and http are known here" ;;
    *) [ -f "$from" ] || fail 1 "$from: there is no such file" ;;
  esac
  expected=${expected:-$tarball_sha256}
  case $from in
    *://*)
      fetch "$from" "$work/release.tar.gz"
      if [ -z "$expected" ]; then
        fetch "${from%/*}/SHA256SUMS" "$work/SHA256SUMS"
        expected=$(listed_sum "$name" < "$work/SHA256SUMS")
      fi
      ;;
    *)
      case $from in
        */*) folder=${from%/*} ;;
        *) folder=. ;;
      esac
      if [ -z "$expected" ] && [ -f "$folder/SHA256SUMS" ]; then expected=$(listed_sum "$name" < "$folder/SHA256SUMS"); fi
      cat "$from" > "$work/release.tar.gz" || fail 1 "$from could not be copied to $work: is there room?"
      ;;
  esac
  is_sum "$expected" ||
    fail 1 "$name: its SHA-256 is not known. Put SHA256SUMS beside it, or give --sha256 SUM; unchecked it is not installed"
  found=$(sum_of "$work/release.tar.gz")
  if [ "$found" != "$expected" ]; then
    say "$name is not what it should be: it was changed, or is not whole. Nothing was unpacked"
    say "  its SHA-256   $found"
    say "  should be     $expected"
    if [ "$expected" = "$tarball_sha256" ]; then say "(this install.sh is for srvaudit $version alone; each has its own)"; fi
    exit 1
  fi
  mkdir "$work/unpacked"
  # Not tar's own z: not every busybox has it.
  if ! { gzip -dc "$work/release.tar.gz" > "$work/release.tar" && rm "$work/release.tar.gz" &&
    tar -xf "$work/release.tar" -C "$work/unpacked" && rm "$work/release.tar" &&
    mv "$work/unpacked"/srvaudit-* "$work/release"; }; then
    fail 1 "$name could not be unpacked in $work: is there room?"
  fi
  [ -f "$work/release/$executable" ] || fail 1 "$name holds no $executable: it is no release of srvAudit's"
}

# take_unpacked: the files that lie beside this one, copied to $work/release and checked there.
take_unpacked() {
  mkdir "$work/release"
  cp "$here/SHA256SUMS" "$work/release/SHA256SUMS"
  [ "$(sum_of "$work/release/SHA256SUMS")" = "$contents_sha256" ] ||
    fail 1 "$here/SHA256SUMS is not the one of this release: unpack it anew"
  while read -r sum file; do
    mkdir -p "$work/release/${file%/*}"
    cat "$here/$file" > "$work/release/$file" || fail 1 "$here/$file cannot be copied: is there room in $work? Or unpack it anew"
    [ "$(sum_of "$work/release/$file")" = "$sum" ] || fail 1 "$here/$file is not what it should be: unpack it anew"
  done < "$work/release/SHA256SUMS"
  chmod 755 "$work/release/$executable"
}

# check_room: each file is written beside the one that it replaces.
check_room() {
  needed=$(du -sk "$work/release/root")
  needed=$((${needed%%[!0-9]*} + 16384))
  free=$(df -Pk /usr | while read -r _ _ _ free _; do echo "$free"; done | tail -n 1)
  if [ "$free" -lt "$needed" ]; then
    fail 1 "/usr has $((free / 1024)) MB of room; srvAudit needs $((needed / 1024)) MB"
  fi
}

check_runs() {
  "$work/release/$executable" --version > /dev/null 2> "$work/complaint" < /dev/null && return
  cat "$work/complaint" >&2
  # The module that is installed allows it to all who log in.
  if [ "$(cat /sys/fs/selinux/enforce 2> /dev/null)" = 1 ]; then
    for wanted in allow_execmem=on deny_execmem=off; do
      if [ -e "/sys/fs/selinux/booleans/${wanted%=*}" ]; then
        say "SELinux may keep it from running. Once it is installed its own module lets it; until then: setsebool $wanted"
      fi
    done
  fi
  fail 1 "the release does not run on this host ($(uname -m), $(getconf GNU_LIBC_VERSION 2> /dev/null || echo "unknown libc"))"
}

main() {
  from=
  expected=
  is_unattended=
  left=$#
  while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $word in
      --from | --sha256)
        [ "$left" -gt 0 ] || fail 2 "$word wants a value: see --help"
        if [ "$word" = --from ]; then from=$1; else expected=$1; fi
        shift
        left=$((left - 1))
        ;;
      --from=*) from=${word#*=} ;;
      --sha256=*) expected=${word#*=} ;;
      -h | --help)
        usage
        exit 0
        ;;
      *)
        case $word in
          -y | --yes | --hooks-only | --confirm | --dry-run) is_unattended=1 ;;
        esac
        set -- "$@" "$word"
        ;;
    esac
  done
  expected=$(echo "$expected" | tr ABCDEF abcdef)
  if [ -n "$expected" ] && ! is_sum "$expected"; then fail 2 "--sha256 $expected: a SHA-256 has 64 hexadecimal digits"; fi

  # Read from a pipe, this file lies nowhere, and what is in the current folder has nothing to do with it.
  here=
  if [ "${0##*/}" = install.sh ] && [ -f "$0" ]; then here=$(cd "$(dirname "$0")" && pwd); fi

  check_host
  if [ -z "$from" ] && [ -n "$here" ] && [ -z "$contents_sha256" ] && [ -n "$version" ]; then
    from=$here/srvaudit-$version-linux-$architecture.tar.gz
  fi
  if [ -z "$from" ] && { [ -z "$here" ] || [ -z "$contents_sha256" ]; }; then
    fail 2 "there is no release beside this file: give --from FILE or --from URL, or make one (make release)"
  fi
  # Questions need somebody to answer; a secret may come through stdin to one who asks for none.
  input=
  if [ ! -t 0 ] && { [ -z "$is_unattended" ] || [ -z "$here" ]; }; then
    if (: < /dev/tty) 2> /dev/null; then
      input=/dev/tty
    elif [ -n "$is_unattended" ]; then
      input=/dev/null
    else
      fail 2 "there is no terminal to ask on: give all answers at once, -y --answers FILE (see --help)"
    fi
  fi

  trap remove_work EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  make_work
  if [ -n "$from" ]; then take_tarball; else take_unpacked; fi
  check_room
  check_runs

  # What it is told to do at Ctrl-C it knows itself: here it is waited for.
  trap : INT
  code=0
  if [ -n "$input" ]; then
    "$work/release/$executable" install "$@" < "$input" || code=$?
  else
    "$work/release/$executable" install "$@" || code=$?
  fi
  exit "$code"
}

# All of it was read before any of it runs: half a download does nothing.
main "$@"
