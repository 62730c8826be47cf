#!/bin/sh
# A Redmine to look at, until Ctrl-C: `make redmine`. It is a new one each time, and nothing of it stays.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
line=$("$here/start.sh")
pid=${line#* pid=} pid=${pid%% *} folder=${line##*folder=} url=${line%% *} url=${url#url=}
trap 'kill "$pid" 2> /dev/null; rm -rf "$folder"' EXIT
trap 'exit 0' HUP INT TERM
cat << TEXT
Redmine runs at $url

  login    password          REST key              role in the project "ops"
  admin    admin-password    40 times the letter a  administrator
  alice    alice-password    40 times the letter b  Manager
  bob      bob-password      40 times the letter c  Developer: may not close what is New

  curl -H "X-Redmine-API-Key: $(printf '%040d' 0 | tr 0 b)" $url/issues.json

Ctrl-C ends it.
TEXT
while kill -0 "$pid" 2> /dev/null; do sleep 1; done
echo "redmine: it has ended by itself" >&2
exit 1
