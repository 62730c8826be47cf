#!/bin/sh
# Packs what `make build` made as a Debian package: packaging/deb.sh COPYRIGHT OUTPUT LEVEL
#   COPYRIGHT  what copyright.ts has printed
#   OUTPUT     the folder that srvaudit_VERSION_ARCHITECTURE.deb goes to
#   LEVEL      how hard xz tries
# The same sources give the same bytes, wherever they lie.
set -eu
umask 022
export LC_ALL=C TZ=UTC0

cd "$(dirname "$0")/.."
copyright=$1
mkdir -p "$2"
OUTPUT=$(cd "$2" && pwd)
PROJECT=$PWD
LEVEL=$3
version=$(packaging/version.sh version)
SOURCE_DATE_EPOCH=$(packaging/version.sh epoch)
export OUTPUT PROJECT LEVEL SOURCE_DATE_EPOCH

packaging/tools.sh deb dh:debhelper dpkg-deb:dpkg

work=$OUTPUT/.deb
rm -rf "$work"
mkdir -p "$work"
cp -R packaging/deb "$work/debian"
cp packaging/changelog packaging/sysv/srvaudit "$work/debian/"
mv "$work/debian/srvaudit" "$work/debian/srvaudit.init"
cp "$copyright" "$work/debian/copyright"
sed -e '/^#MISSING_SHELLS#$/{r packaging/missing_shells.sh' -e 'd;}' packaging/deb/srvaudit.postrm |
  sed '/^# shellcheck /d' > "$work/debian/srvaudit.postrm"
(cd "$work" && DEB_RULES_REQUIRES_ROOT=no debian/rules binary > log 2>&1) || {
  cat "$work/log" >&2
  echo "deb.sh: $work was not packed: see above" >&2
  exit 1
}
rm -rf "$work"
ls -l "$OUTPUT/srvaudit_${version}_"*.deb
