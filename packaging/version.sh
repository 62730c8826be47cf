#!/bin/sh
# What packages are called and dated by: version.sh version | epoch
#   version  deno.json's, the one place that chooses it; the changelog's newest entry must be about it
#   epoch    when that entry was written, in seconds since 1970: the time of all that is packaged (SOURCE_DATE_EPOCH)
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/^  "version": "\([^"]*\)",*$/\1/p' deno.json)
newest=$(sed -n '1s/^srvaudit (\(.*\)) .*/\1/p' packaging/changelog)
if [ "$version" != "$newest" ]; then
  echo "version.sh: deno.json says version \"$version\", and packaging/changelog begins with \"$newest\":" \
    "write an entry for $version at its top" >&2
  exit 1
fi

case $1 in
  version) echo "$version" ;;
  epoch) date --date="$(sed -n '/^ -- /{s/.*>  //p;q;}' packaging/changelog)" +%s ;;
esac
