#!/bin/sh
# The client: start.sh ADDRESS PORT REDMINE_URL KEYFILE
# Gives this machine, on which srvAudit's files lie, a user srvaudit (password abc123) whose shell is hello, points srvAudit at
# Redmine, and serves ssh there. For what is thrown away alone: a container, or the copy of a machine of `make tester`.
set -eu
address=$1
port=$2
redmine=$3
key=$4

# Not with a group of the same name: who is in that can read srvAudit's config.
id srvaudit > /dev/null 2>&1 || useradd --create-home --gid users --no-user-group --shell /bin/bash srvaudit
echo srvaudit:abc123 | chpasswd

for file in config mask; do
  [ -e "/etc/srvaudit/$file" ] || install -D -m 640 "/usr/lib/srvaudit/defaults/$file" "/etc/srvaudit/$file"
done
sed -i -e 's/^pms=.*/pms="Redmine"/' -e "s|^redmineURL=.*|redmineURL=\"$redmine\"|" -e 's/^redmineProject=.*/redmineProject="servers"/' \
  -e 's/^storySeconds=.*/storySeconds="2"/' /etc/srvaudit/config
printf 's/redmineKey=""/redmineKey="%s"/g\n' "$(cat "$key")" | sed -i -f - /etc/srvaudit/config
cp /usr/lib/srvaudit/init/srvaudit /etc/init.d/srvaudit
/etc/init.d/srvaudit start
usermod --shell /usr/bin/hello-srvaudit srvaudit

# Debian's own config, whatever this machine has made of it.
cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config
rm -f /etc/ssh/sshd_config.d/*.conf
printf '%s\n' "ListenAddress $address" "Port $port" 'PasswordAuthentication yes' 'AllowUsers srvaudit' > /etc/ssh/sshd_config.d/tester.conf
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e
