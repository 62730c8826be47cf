#!/bin/sh
# Brings Debian's Redmine onto this machine without installing it: its libraries come from apt, Redmine itself is unpacked
# into a folder of ours. Nothing is in /etc/redmine or /var/lib/redmine, and its postinst never runs: that fails, since
# bookworm-security's ruby3.1 brings a bundler that is newer than Debian's and lacks Debian's patch for gems without folders.
# Idempotent; silent when there is nothing to do. Exit 77: it cannot be had here.
set -eu
. "$(dirname -- "$0")/lib.sh"

[ -e "$app/.ready" ] && exit 0
command -v apt-get >/dev/null || die "no apt-get: Redmine cannot be had here" 77
mkdir -p "$base"
work=$(mktemp -d "$base/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fetch() { (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download redmine >apt.log 2>&1); }
refresh() { [ "$(id -u)" = 0 ] && apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1; }  # lists none or stale
fetch || { refresh && fetch; } || die "apt has no package redmine: $(tail -n 1 "$work/apt.log")" 77

# All that redmine depends on in Ruby, less the picture library; no JavaScript: the suite speaks to its REST API alone.
wanted="ruby-$database_gem puma sqlite3 curl $(dpkg-deb -f "$work"/redmine_*.deb Depends | tr ',' '\n' |
  sed 's/[(|].*//; s/:any//; s/ //g' | grep '^ruby' | grep -vxE 'ruby-(rmagick|mini-magick|mocha)' | tr '\n' ' ')"
missing=
for package in $wanted; do have "$package" || missing="$missing $package"; done
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || die "needs root once, for: apt-get install$missing" 77
  # shellcheck disable=SC2086  # a list of names
  bring() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
      install -y --no-install-recommends $missing >"$work/apt.log" 2>&1 </dev/null
  }
  bring || { refresh && bring; } || { tail -n 20 "$work/apt.log" >&2; die "apt-get install failed:$missing"; }
fi

dpkg-deb -x "$work"/redmine_*.deb "$work/root"
tree=$work/root/usr/share/redmine
rm -f "$tree/Gemfile.lock" "$tree/instances" "$tree/config/database.yml"
mkdir "$tree/instances"   # REDMINE_INSTANCE is a path relative to it, see lib.sh
sed -i -e '/^group :minimagick/,/^end/d' -e '/^group :test/,/^end/d' \
  -e "s,/usr/share/redmine/{,/nonexistent/{," "$tree/Gemfile"
printf 'gem "%s"\ngem "puma"\n' "$database_gem" >"$tree/Gemfile.local"
# `bundle install --local` is what fails in the postinst; `bundle lock` only resolves.
(cd "$tree" && env -i PATH=/usr/bin:/bin HOME="$work" LANG=C.UTF-8 BUNDLE_IGNORE_CONFIG=1 \
  /usr/bin/bundle lock --local >"$work/bundle.log" 2>&1) || { cat "$work/bundle.log" >&2; die "bundle lock failed"; }
dpkg-deb -f "$work"/redmine_*.deb Version >"$tree/.ready"
rm -rf "$app"
mv "$tree" "$app"
