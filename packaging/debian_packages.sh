#!/bin/sh
# Installs the Debian packages named, as far as they are missing. Needs root. Quiet unless it fails.
set -eu

is_installed() {
  case $(dpkg-query --show --showformat='${Status}' "$1" 2> /dev/null) in
    *" installed") return 0 ;;
    *) return 1 ;;
  esac
}

missing=
for package; do
  is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# install: the names are words on purpose.
install() {
  # shellcheck disable=SC2086
  apt-get install --yes --no-install-recommends $missing
}

echo "installing$missing" >&2
# The package lists of a fresh machine are missing or old: then the first try fails, and an update helps.
if ! install > "$log" 2>&1 < /dev/null; then
  if ! { apt-get update && install; } > "$log" 2>&1 < /dev/null; then
    cat "$log" >&2
    echo "debian_packages.sh: apt-get could not install$missing: see above" >&2
    exit 1
  fi
fi
