#!/bin/sh
# Starts the three services inside the copy of the machine, says how to use them, and stays until one of them ends or all is
# killed. Run by machine.sh; its first process in there.
set -eu
. "$(dirname -- "$0")/services.sh"

grep -qs '^127.0.1.1.*tester$' /etc/hosts || echo '127.0.1.1 tester' >> /etc/hosts
say "starting MariaDB and Redmine"
start_database
cat > "$redmine_folder/config/puma.rb" << TEXT
environment 'production'
directory '$app'
bind 'tcp://127.0.0.1:$REDMINE_PORT'
threads 1, 4
workers 0
TEXT
(cd "$app" && redmine_exec='exec setsid' && as_redmine RAILS_SERVE_STATIC_FILES=1 /usr/bin/bundle exec puma -C "$redmine_folder/config/puma.rb") \
  > /var/log/tester-puma.log 2>&1 < /dev/null &
redmine=$!

say "installing srvAudit"
REDMINE_URL=http://127.0.0.1:$REDMINE_PORT
wait_for 180 "$redmine" /var/log/tester-puma.log curl -sf --noproxy '*' "$REDMINE_URL/login" || die "Redmine does not start: see above"
# As from a release that was unpacked there: the installer places its files itself, and could take them away again.
release=$(mktemp -d)
(
  "$project/packaging/install_files.sh" "$release" /usr
  exec "$project/packaging/tester/client/start.sh" 127.0.0.1 "$SSH_PORT" "$REDMINE_URL" "$key/redmine.key" \
    "$release/usr/lib/srvaudit/srvaudit"
) > /var/log/tester-client.log 2>&1 &
client=$!
wait_for 120 "$client" /var/log/tester-client.log ssh-keyscan -T 1 -t ed25519 -p "$SSH_PORT" 127.0.0.1 ||
  die "the client does not start: see above"
rm -rf "$release"

cat << TEXT

All is ready. In another terminal:

  ssh -p $SSH_PORT srvaudit@127.0.0.1       password: abc123

At the ticket prompt press Enter for a new ticket, or type 2 for the one that is there; ? lists what is yours.
Then work as you like, and try

  saticket note "what I do and why"         saticket status        saticket --help
  ash_query -q ME                           what you have typed, where, when, how it ended
  exit                                      asks for notes and the ticket's status

  Redmine   http://127.0.0.1:$REDMINE_PORT/projects/servers/issues
            as srvaudit, password abc123; the administrator is admin, password abc123

Ctrl-C here ends all of it, and nothing of it stays on this machine.
TEXT
while kill -0 "$database" && kill -0 "$redmine" && kill -0 "$client"; do sleep 1; done 2> /dev/null
die "one of the services has ended by itself"
