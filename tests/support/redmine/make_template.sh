#!/bin/sh
# Makes, once, the instance that every run copies: schema, Redmine's default data (en), and setup.rb's little world.
# Made again when Redmine, setup.rb or this script change. Silent when there is nothing to do.
set -eu
. "$(dirname -- "$0")/lib.sh"
"$here/install.sh"

stamp=$(cat "$app/.ready" "$here/setup.rb" "$here/make_template.sh" "$here/lib.sh" | sha256sum | cut -d' ' -f1)
[ "$(cat "$template/.stamp" 2>/dev/null)" = "$stamp" ] && exit 0

work=$(mktemp -d "${TMPDIR:-/dev/shm}/redmine-template.XXXXXX" 2>/dev/null || mktemp -d)  # memory: sqlite syncs a lot
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
make_instance "$work"
cd "$app"
for step in "/usr/bin/bundle exec rake db:migrate" "/usr/bin/bundle exec rails runner $here/setup.rb"; do
  # shellcheck disable=SC2086  # two command lines
  ruby_env "$work" $step >"$work/step.log" 2>&1 || { tail -n 30 "$work/step.log" >&2; die "failed: $step"; }
done
[ ! -e "$work/redmine.sqlite3-wal" ] || sqlite3 "$work/redmine.sqlite3" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
new=$(mktemp -d "$base/template.XXXXXX")
chmod 755 "$new"
cp "$work/redmine.sqlite3" "$new/"
echo "$stamp" >"$new/.stamp"
rm -rf "$template"
mv "$new" "$template"
