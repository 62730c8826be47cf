#!/bin/sh
# Sees to it that the programs are there that make a package: tools.sh KIND PROGRAM:DEBIAN_PACKAGE...
# As root on Debian it installs what is missing; elsewhere it says what that is, and ends with 1.
set -eu

kind=$1
shift
packages=
missing=
for tool; do
  command -v "${tool%%:*}" > /dev/null && continue
  missing="$missing ${tool%%:*}"
  packages="$packages ${tool##*:}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  # shellcheck disable=SC2086 # the names are words on purpose
  exec "$(dirname "$0")/debian_packages.sh" $packages
fi
echo "make $kind needs$missing (Debian's packages$packages): install them, or run it as root" >&2
exit 1
