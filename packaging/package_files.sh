#!/bin/sh
# Places what a package holds: packaging/package_files.sh DESTDIR deb|rpm
set -eu

destdir=$1
package=$2
cd "$(dirname "$0")/.."

case $package in
  deb) packaging/install_files.sh "$destdir" /usr debian ;;
  rpm) packaging/install_files.sh "$destdir" /usr redhat ;;
esac

# Who installs it, and so who removes it: `srvaudit uninstall` leaves these files to dpkg or rpm.
echo "$package" > "$destdir/usr/lib/srvaudit/package"
# They look after what an admin has written there. It may hold secrets.
mkdir -p "$destdir/etc/srvaudit"
install -m 640 packaging/config packaging/mask "$destdir/etc/srvaudit/"

# Debian's helpers look for units there, and so does Ubuntu 18.04, where it is another folder than /usr/lib.
if [ "$package" = deb ]; then
  mkdir -p "$destdir/lib/systemd"
  mv "$destdir/usr/lib/systemd/system" "$destdir/lib/systemd/"
  rmdir "$destdir/usr/lib/systemd"
  manifest=$destdir/usr/lib/srvaudit/manifest
  sed 's|\t/usr/lib/systemd/system/|\t/lib/systemd/system/|' "$manifest" | LC_ALL=C sort -t "$(printf '\t')" -k 4 > "$manifest.new"
  mv "$manifest.new" "$manifest"
fi
