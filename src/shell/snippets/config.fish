# srvAudit: commands go on record, and the exit code of `hello -c COMMAND`.
if status is-interactive; and test -r /usr/lib/srvaudit/shell/srvaudit.fish
    set -g SRVAUDIT_BIN /usr/lib/srvaudit
    source /usr/lib/srvaudit/shell/srvaudit.fish
end
if set -q SRVAUDIT_COMMAND_PID; and test -r /usr/lib/srvaudit/shell/command.fish
    source /usr/lib/srvaudit/shell/command.fish
end
