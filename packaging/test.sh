#!/bin/sh
# Runs all tests with the Deno given: packaging/test.sh DENO
# As root it installs what they need first. Ends on the line "N passed, N failed", and ", N skipped" where there are any.
set -eu

deno=$1
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  echo "not root: tests that need other users, sshd or the system's files are skipped (named below)"
elif ! command -v apt-get > /dev/null; then
  echo "no apt-get here: tests whose programs are missing are skipped (named below)"
else
  # sshd and its clients; the shells and terminals that people use; what they send through ssh; what the tests look with.
  packaging/debian_packages.sh \
    binutils openssh-server openssh-client expect zsh fish tmux rsync git sqlite3 strace man-db procps ansible-core \
    checkpolicy semodule-utils setools policycoreutils selinux-utils bsdutils util-linux openssl tinyproxy-bin rsyslog rsyslog-openssl rsyslog-gnutls acl attr \
    debootstrap debhelper lintian rpm libnss-systemd
fi

work=$(mktemp -d)
# finish: whatever a test that crashed has left of users and processes goes with it.
finish() {
  rm -rf "$work"
  [ "$(id -u)" -ne 0 ] || tests/support/sweep_users.sh
}
trap finish EXIT
trap 'exit 130' INT TERM

# A closed stdin would be handed to the first file that is opened: it is always an open one here.
{
  "$deno" test --allow-all --no-prompt --no-check --junit-path="$work/junit.xml" tests \
    < /dev/null || : > "$work/failed"
} 2>&1 | tee "$work/log"

# count WORD: the number before the word in deno's last summary, "ok | 12 passed (3 steps) | 0 failed | 2 ignored (1s)".
count() {
  sed 's/\x1b\[[0-9;]*m//g' "$work/log" | grep -E '^(ok|FAILED) \|' | tail -n 1 |
    sed -n "s/.*| \([0-9]*\) $1.*/\1/p"
}
# list_skipped: file and name of each test that was skipped. A test that knows why says so in its name:
# "[needs zsh]", "[not as root]".
list_skipped() {
  if [ "$(id -u)" -ne 0 ]; then reason="not root"; else reason="a program that it needs is not here"; fi
  awk '/<testcase /{line = $0} /<skipped\/>/{print line}' "$work/junit.xml" | sed -E \
    -e 's/.*name="([^"]*)" classname="([^"]*)".*/  \2: \1/' \
    -e "/\\[(needs|not) /!s/\$/ [$reason]/" \
    -e "s/&quot;/\"/g; s/&apos;/'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\\&/g"
}

passed=$(count passed)
failures=$(count failed)
skipped=$(count ignored)

# A file that cannot even be loaded has no test to count: it must not look like success.
if [ -e "$work/failed" ] && [ "${failures:-0}" -eq 0 ]; then failures=1; fi

if [ "${skipped:-0}" -gt 0 ]; then
  echo
  echo "skipped:"
  list_skipped
fi
echo
echo "${passed:-0} passed, ${failures:-0} failed$([ "${skipped:-0}" -eq 0 ] || echo ", $skipped skipped")"
[ "${failures:-0}" -eq 0 ] && [ -n "$passed" ]
