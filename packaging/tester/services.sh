# shellcheck shell=sh disable=SC2034  # sourced: what it sets is used elsewhere
# The database and Redmine of `make tester`, inside its copy of the machine. Sourced, never run.
project=/usr/src/srvaudit
export REDMINE_BASE=/srv/redmine REDMINE_DATABASE_GEM=mysql2
# shellcheck source=../../tests/support/redmine/lib.sh
. "$project/tests/support/redmine/lib.sh"
# Where Redmine keeps what is its own, and the key that srvAudit works with.
redmine_folder=$base/instance
key=$base/key

say() { printf 'tester: %s\n' "$*" >&2; }

# wait_for SECONDS PID LOG COMMAND...: until the command succeeds; what the process said, if it ends or is too slow.
wait_for() {
  seconds=$1 pid=$2 log=$3
  shift 3
  until "$@" > /dev/null 2>&1; do
    if [ "$seconds" = 0 ] || ! kill -0 "$pid" 2> /dev/null; then
      tail -n 30 "$log" >&2
      return 1
    fi
    seconds=$((seconds - 1))
    sleep 1
  done
}

# start_database: MariaDB, on its unix socket alone. Its number is in $database.
start_database() {
  install -d -o mysql -g mysql /run/mysqld /var/log/mysql
  setsid mariadbd --user=mysql < /dev/null > /var/log/mysql/tester.log 2>&1 &
  database=$!
  wait_for 60 "$database" /var/log/mysql/tester.log mariadb-admin ping || die "MariaDB does not start: see above"
}

# as_redmine COMMAND...: runs it as Redmine's user, in Redmine's own environment.
as_redmine() {
  ruby_exec="${redmine_exec:-} setpriv --reuid=redmine --regid=redmine --init-groups"
  ruby_env "$redmine_folder" "$@"
}
