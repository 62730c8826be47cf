#!/bin/sh
# Renders texts by Redmine's own formatter, without a server: render.sh textile|markdown|common_mark < TEXTS > PAGES
# Both are JSON lists. Exit 77: Redmine cannot be had here.
set -eu
. "$(dirname -- "$0")/lib.sh"
"$here/start.sh" -n
folder=$(mktemp -d "$base/runs/XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
make_instance "$folder"
cp "$template/redmine.sqlite3" "$folder/redmine.sqlite3"
cd "$app"
ruby_env "$folder" /usr/bin/bundle exec rails runner "$here/render.rb" "$1"
