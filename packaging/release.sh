#!/bin/sh
# Makes what is handed out of what `make build` made: packaging/release.sh COPYRIGHT OUTPUT LEVEL
#   COPYRIGHT  what copyright.ts has printed
#   OUTPUT     the folder that it goes to:
#     srvaudit-VERSION-linux-ARCHITECTURE.tar.gz   install.sh, SHA256SUMS and root/, which has every file where it is to lie
#     install.sh                                   the same one, which knows the tarball's sum
#     SHA256SUMS                                   of these two
#   LEVEL      how hard gzip tries
# The same sources give the same bytes.
set -eu
umask 022
export LC_ALL=C TZ=UTC0

cd "$(dirname "$0")/.."
copyright=$PWD/$1
mkdir -p "$2"
output=$(cd "$2" && pwd)
level=$3
version=$(packaging/version.sh version)
made=$(packaging/version.sh epoch)

packaging/tools.sh release checkmodule:checkpolicy semodule_package:semodule-utils
packaging/selinux/build.sh dist/selinux

# e_machine of the ELF header.
case $(od -A n -t u2 -j 18 -N 2 dist/srvaudit | tr -d ' ') in
  62) architecture=x86_64 ;;
  183) architecture=aarch64 ;;
  *)
    echo "release.sh: dist/srvaudit is for neither x86_64 nor aarch64" >&2
    exit 1
    ;;
esac
name=srvaudit-$version
tarball=$name-linux-$architecture.tar.gz

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sum_of() {
  sha256sum < "$1" | cut -d ' ' -f 1
}

# stamp_installer TARGET TARBALL_SHA256 CONTENTS_SHA256
stamp_installer() {
  sed -e "s/^version=\$/version=$version/" -e "s/^architecture=\$/architecture=$architecture/" \
    -e "s/^tarball_sha256=\$/tarball_sha256=$2/" -e "s/^contents_sha256=\$/contents_sha256=$3/" install.sh > "$1"
  chmod 755 "$1"
}

mkdir "$work/$name"
install -m 644 "$copyright" "$work/$name/copyright"
packaging/install_files.sh "$work/$name/root" /usr any
(cd "$work/$name" && find root -type f | sort | xargs sha256sum > SHA256SUMS)
stamp_installer "$work/$name/install.sh" "" "$(sum_of "$work/$name/SHA256SUMS")"

# ustar is what every tar unpacks, busybox's too.
tar --create --file - --directory "$work" --format=ustar --sort=name --mtime="@$made" --owner=0 --group=0 --numeric-owner \
  "$name" | gzip --no-name "-$level" > "$work/$tarball"
stamp_installer "$work/install.sh" "$(sum_of "$work/$tarball")" ""
(cd "$work" && sha256sum "$tarball" install.sh > SHA256SUMS)

mv -f "$work/$tarball" "$work/install.sh" "$work/SHA256SUMS" "$output"
