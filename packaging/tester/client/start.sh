#!/bin/sh
# The client: start.sh ADDRESS PORT REDMINE_URL KEYFILE [SRVAUDIT]
# Gives this machine a user srvaudit (password abc123), installs srvAudit for her, with Redmine as its tracker, and serves ssh.
# SRVAUDIT is the program that installs it, where its files do not lie there already. For machines that are thrown away alone:
# a container, or the copy of one of `make tester`.
set -eu
address=$1
port=$2
redmine=$3
key=$4
srvaudit=${5:-srvaudit}

# Not with a group of the same name: that one is srvAudit's own.
id srvaudit > /dev/null 2>&1 || useradd --create-home --gid users --no-user-group --shell /bin/bash srvaudit
echo srvaudit:abc123 | chpasswd

# What a container has of its last start is of processes that are gone.
rm -rf /run/srvaudit
answers=$(mktemp)
trap 'rm -f "$answers"' EXIT
cat > "$answers" << TEXT
pms="Redmine"
redmineURL="$redmine"
redmineKey="$(cat "$key")"
redmineProject="servers"
storySeconds="2"
trackerUnknownUsers="deny"
users="srvaudit"
testTicket="1"
safety="no"
TEXT
"$srvaudit" install --yes --answers "$answers"
rm -f "$answers"

# Debian's own config, whatever this machine has made of it.
cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config
rm -f /etc/ssh/sshd_config.d/*.conf
printf '%s\n' "ListenAddress $address" "Port $port" 'PasswordAuthentication yes' 'AllowUsers srvaudit' > /etc/ssh/sshd_config.d/tester.conf
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e
