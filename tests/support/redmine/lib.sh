# shellcheck shell=sh disable=SC2034  # sourced: what it sets is used elsewhere
# Common ground of the Redmine that tests and people try: where things lie, and one clean environment for Ruby. Sourced,
# never run. An instance of Redmine's is any folder: REDMINE_INSTANCE is its path relative to app/instances.
#   app/        Debian's Redmine, unpacked (read-only at test time)      made by install.sh
#   template/   an instance with its database migrated and filled         made by make_template.sh
#   runs/ID/    one running instance: copy of the template, log, pid      made by start.sh
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
base=${REDMINE_BASE:-$(CDPATH='' cd -- "$here/../../.." && pwd -P)/.tools/redmine}
app=$base/app
template=$base/template
# Ruby's library for its database: Debian's package of it is ruby-NAME.
database_gem=${REDMINE_DATABASE_GEM:-sqlite3}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$1"; exit "${2:-1}"; }
have() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# ruby_env FOLDER COMMAND...: runs it for that instance; nothing of the caller's environment (RUBYOPT, GEM_*, BUNDLE_*,
# rbenv, proxies) gets in.
ruby_env() {
  instance=$(realpath --relative-to="$app/instances" "$1"); shift
  ${ruby_exec:-} env -i PATH=/usr/bin:/bin HOME="$base" LANG=C.UTF-8 TZ=UTC \
    RAILS_ENV=production SCHEMA=/dev/null REDMINE_LANG=en \
    BUNDLE_GEMFILE="$app/Gemfile" BUNDLE_FROZEN=true BUNDLE_IGNORE_CONFIG=1 BUNDLE_DISABLE_VERSION_CHECK=true \
    REDMINE_INSTANCE="$instance" MALLOC_ARENA_MAX=2 "$@"
}

# make_instance FOLDER: the skeleton that Debian's multi-tenancy expects, in a folder of our own.
make_instance() {
  mkdir -p "$1/config" "$1/log" "$1/files" "$1/tmp/pids" "$1/public/plugin_assets"
  cat >"$1/config/database.yml" <<YML
production:
  adapter: sqlite3
  database: $1/redmine.sqlite3
  timeout: 5000
YML
  echo 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef >"$1/config/secret_key.txt"
}
