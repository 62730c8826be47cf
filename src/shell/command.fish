# The end of `hello -c COMMAND` goes on record, with fish as the real shell: its exit code, without a process around it and
# without a touch on its standard streams and arguments.
#
# `hello` writes the `shell` and `start` records itself and then becomes fish, with -C 'source FILE' (FILE being this one's
# path in fish's quotes) before the arguments that it was given, and with SRVAUDIT_COMMAND_SPOOL (the records' file) and
# SRVAUDIT_COMMAND_PID (its own pid, which fish then has) in the environment. Where it is installed,
# /etc/fish/config.fish (snippets/config.fish) sources this, and -C is not needed.
#
# The exit code stays unknown where fish does not come to its end: COMMAND execs, or a signal kills fish.

if builtin test "$SRVAUDIT_COMMAND_PID" = "$fish_pid" -a -w "$SRVAUDIT_COMMAND_SPOOL" -a -O "$SRVAUDIT_COMMAND_SPOOL"
    builtin set -g _srvaudit_file $SRVAUDIT_COMMAND_SPOOL
    # fish has no clock. hello wrote the command's start just now, and /proc/uptime says how long ago that was, to 10 ms.
    builtin set -l fields (builtin string split0 <$_srvaudit_file)
    builtin set -l start (builtin contains --index start $fields)
    builtin set -g _srvaudit_number $fields[(builtin math $start + 1)]
    builtin set -g _srvaudit_started $fields[(builtin math $start + 2)]
    builtin read -d ' ' -g _srvaudit_uptime _ </proc/uptime

    function _srvaudit_command_exit --on-event fish_exit
        builtin set -l states $status $pipestatus
        builtin set -l joined $states[2]
        for state in $states[3..-1]
            builtin set joined {$joined}_$state
        end
        builtin read -d ' ' -l uptime _ </proc/uptime
        builtin set -l now (builtin math -s0 "$_srvaudit_started + ($uptime - $_srvaudit_uptime) x 1000000")
        # COMMAND may have taken it away; what fish would say of that is not to be silenced.
        builtin test -w $_srvaudit_file
        and builtin printf '\x1eSA1\x00end\x00%s\x00%s\x00%s\x00%s\x00\x1e\n\x1eSA1\x00exit\x00%s\x00%s\x00\x1e\n' \
            $_srvaudit_number $now $states[1] $joined $now $states[1] >>$_srvaudit_file
        # A person's own session (ssh -t host command) ends as any login does.
        if builtin test "$SRVAUDIT_LEADER_PID" = "$fish_pid" -a -t 0 -a -t 2 -a -x "$SRVAUDIT_BIN/saticket"
            function _srvaudit_hung_up --on-signal HUP # as in srvaudit.fish
            end
            command $SRVAUDIT_BIN/saticket logout --exit-code $states[1]
        end
    end
end
# COMMAND and what it starts do not see these.
builtin set -e SRVAUDIT_COMMAND_SPOOL
builtin set -e SRVAUDIT_COMMAND_PID
