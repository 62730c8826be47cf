#!/bin/sh
# Lints shell files: shellcheck for sh and bash, zsh's and fish's own parsers for theirs.
# Fetches shellcheck where it is missing and this is root; says by name what it had to skip.
set -eu

if ! command -v shellcheck > /dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  "$(dirname "$0")/debian_packages.sh" shellcheck
fi

failed=0

# lint PROGRAM COMMAND...: runs the command where its program is there, and says so where it is not.
lint() {
  program=$1
  shift
  if command -v "$program" > /dev/null; then
    "$@" || failed=1
  else
    echo "shellcheck.sh: skipped $file: no $program here" >&2
  fi
}

for file; do
  case $file in
    *.zsh | */zshrc | */zshenv | */.zsh* | */.zlog* | */.zprofile) lint zsh zsh -n "$file" ;;
    *.fish) lint fish fish --no-execute "$file" ;;
    *.bash | */bashrc) lint shellcheck shellcheck --shell=bash "$file" ;;
    *) lint shellcheck shellcheck --external-sources --source-path=SCRIPTDIR "$file" ;;
  esac
done
exit "$failed"
