#!/bin/sh
# Packs what `make build` made as an RPM: packaging/rpm.sh COPYRIGHT OUTPUT LEVEL
#   COPYRIGHT  what copyright.ts has printed
#   OUTPUT     the folder that srvaudit-VERSION-1.ARCHITECTURE.rpm goes to
#   LEVEL      how hard xz tries
# The same sources give the same bytes, wherever they lie.
set -eu
umask 022
export LC_ALL=C TZ=UTC0

cd "$(dirname "$0")/.."
copyright=$PWD/$1
mkdir -p "$2"
output=$(cd "$2" && pwd)
version=$(packaging/version.sh version)
SOURCE_DATE_EPOCH=$(packaging/version.sh epoch)
export SOURCE_DATE_EPOCH

packaging/tools.sh rpm rpmbuild:rpm checkmodule:checkpolicy semodule_package:semodule-utils
packaging/selinux/build.sh dist/selinux

# licences: the SPDX names of those in the copyright file.
licences() {
  sed -n 's/^License: //p' "$copyright" | sed -e 's/^Expat$/MIT/' -e 's/-clause$/-Clause/' | sort -u |
    awk '{ printf "%s%s", separator, $0; separator = " AND " }'
}

# changelog: Debian's, as rpm writes it: "* Sun Nov 22 2026 NAME <MAIL> - VERSION-1", and a line for each point.
changelog() {
  tac packaging/changelog | awk '
    / -- / { sub(/^ -- /, ""); day = $0; sub(/.*>  /, "", day); sub(/  [^>]*$/, ""); who = $0; text = ""; next }
    /^srvaudit / { gsub(/[()]/, "", $2); split(day, d, /[ ,]+/)
      printf "* %s %s %02d %s %s - %s-1\n%s\n", d[1], d[3], d[2], d[4], who, $2, text; next }
    NF { sub(/^  \* /, "- "); text = $0 "\n" text }'
}

# list_files STAGE: what is shipped, as %files has it. Folders that no host is sure to have are everybody's who puts something
# there: rpm removes them with the last one.
list_files() {
  (cd "$1" && find etc/srvaudit usr/lib/srvaudit usr/lib/systemd/system/*.wants usr/share/doc/srvaudit usr/share/fish \
    usr/share/licenses usr/share/selinux usr/share/zsh -type d) | sort | sed 's|.*|%dir %attr(0755, root, root) /&|'
  (cd "$1" && find . ! -type d) | sed 's|^\./|/|' | sort | while read -r path; do
    case $path in
      /etc/srvaudit/*) echo "%attr(0640, root, srvaudit) %config(noreplace) $path" ;;
      /etc/*) echo "%attr(-, root, root) %config(noreplace) $path" ;;
      /usr/share/doc/*) echo "%attr(-, root, root) %doc $path" ;;
      /usr/share/licenses/*) echo "%attr(-, root, root) %license $path" ;;
      *) echo "%attr(-, root, root) $path" ;;
    esac
  done
}

work=$output/.rpm
rm -rf "$work"
mkdir -p "$work/stage"
packaging/package_files.sh "$work/stage" rpm
install -D -m 644 "$copyright" "$work/stage/usr/share/licenses/srvaudit/copyright"
find "$work/stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
list_files "$work/stage" > "$work/stage.files"
{
  sed -e '/^#MISSING_SHELLS#$/{r packaging/missing_shells.sh' -e 'd;}' packaging/rpm/srvaudit.spec |
    sed '/^# shellcheck /d'
  echo
  echo %changelog
  changelog
} > "$work/srvaudit.spec"
rpmbuild -bb --quiet --define "_topdir $work" --define "_rpmdir $output" --define "_rpmfilename %{name}-%{version}-%{release}.%{arch}.rpm" \
  --define "VERSION $version" --define "LICENCES $(licences)" --define "LEVEL $3" --define "STAGE $work/stage" \
  "$work/srvaudit.spec" > "$work/log" 2>&1 || {
  cat "$work/log" >&2
  echo "rpm.sh: $work was not packed: see above" >&2
  exit 1
}
rm -rf "$work"
ls -l "$output/srvaudit-$version-1."*.rpm
