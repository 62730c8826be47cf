#!/bin/sh
# Makes the copy of the machine ready, as far as it need not be done at each start: packages, Redmine, its database and what is
# in it, sshd's key. Run by machine.sh inside of the copy. Exit 77: it cannot be had here.
set -eu
. "$(dirname -- "$0")/services.sh"

# Nothing is started by its package, and no downloaded package stays.
if [ -e /usr/sbin/policy-rc.d ]; then had_policy=yes; else had_policy=; fi
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
echo 'APT::Keep-Downloaded-Packages "false";' > /etc/apt/apt.conf.d/99tester
# A database this small needs no more.
mkdir -p /etc/mysql/mariadb.conf.d
cat > /etc/mysql/mariadb.conf.d/99-tester.cnf << 'TEXT'
[mariadbd]
skip-networking
innodb-log-file-size = 8M
innodb-buffer-pool-size = 32M
TEXT

say "1 of 4: packages for sshd, MariaDB and Redmine (70 MB to download, where apt has none of them)"
DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
# bring PACKAGE...: installs them.
bring() { apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" > /var/log/tester-apt.log 2>&1 < /dev/null; }
set -- openssh-server mariadb-server libjs-chart.js libjs-jquery libjs-jquery-ui libjs-raphael
dpkg --configure -a > /dev/null 2>&1 || true
bring "$@" || { apt-get -qq update > /dev/null 2>&1 && bring "$@"; } ||
  { tail -n 20 /var/log/tester-apt.log >&2; die "apt-get install failed: $*" 77; }

say "2 of 4: Redmine"
"$project/tests/support/redmine/install.sh"
# Redmine's links to other packages' scripts are relative.
ln -sfn /usr/share/javascript /usr/share/ruby-jquery-rails "$base/"

say "3 of 4: its database"
id redmine > /dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin redmine
make_instance "$redmine_folder"
cat > "$redmine_folder/config/database.yml" << 'TEXT'
production:
  adapter: mysql2
  database: redmine
  username: redmine
  socket: /run/mysqld/mysqld.sock
  encoding: utf8mb4
TEXT
(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$redmine_folder/config/secret_key.txt")
chown -R redmine:redmine "$redmine_folder"
start_database
mariadb << 'TEXT'
CREATE DATABASE redmine CHARACTER SET utf8mb4;
CREATE USER redmine@localhost IDENTIFIED VIA unix_socket;
GRANT ALL ON redmine.* TO redmine@localhost;
TEXT
cd "$app"
# step COMMAND...: of Redmine's; what it says only if it fails.
step() { as_redmine "$@" > /var/log/tester-redmine.log 2>&1 || { head -n 20 /var/log/tester-redmine.log >&2; die "failed: $*"; }; }
step /usr/bin/bundle exec rake db:migrate
say "4 of 4: a project, a ticket, people and a key"
install -d -o redmine -m 700 "$key"
step /usr/bin/bundle exec rails runner "$project/packaging/tester/redmine/world.rb" "$key/redmine.key"
mariadb-admin shutdown
wait "$database"

[ -n "$had_policy" ] || rm /usr/sbin/policy-rc.d
