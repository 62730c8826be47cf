# srvAudit's recording hook for fish 3. Builtins only: no fork for a command.
#
# How it works (docs/architecture.md, "Recording"):
#   fish_preexec    writes the `start` record before a command runs.
#   fish_postexec   writes the `end` record.
#   fish_prompt     does so where that one was taken away.
#   fish_exit       writes the `exit` record; in the login session's own shell it runs the logout dialogue.
# Each of the first three brings back what was erased. Handlers of events add up: no startup file loses ours by making its
# own, and none of fish's settings (private mode, fish_history) hides a command from them.
#
# Time: fish has no clock. `date` runs once, as the shell starts; from then on /proc/uptime says how long ago that was, to
# 10 ms. How long a command took, fish itself says, to 1 ms. That the system's clock was set is seen from the time that the
# spool file bears, when the history is freshened.
#
# Installed, /etc/fish/config.fish sources it (snippets/config.fish). Where nothing is installed, `hello` starts fish, login
# or not, with -C 'source FILE', FILE being this one's path in fish's quotes. What differs then: a fish started within that
# fish is not recorded. Neither way takes hold of `fish --no-config`. src/record/spool.ts has the records' format.

status is-interactive; or return 0

# A command is about to run: $argv[1], as typed.
function _srvaudit_start --on-event fish_preexec
    builtin test "$_srvaudit_open" = 1; and _srvaudit_prompt
    builtin read -d ' ' -l uptime _ </proc/uptime
    # A substitution takes longer than all the rest: so both sums in one.
    builtin set -l sums (builtin math $_srvaudit_number + 1; builtin math -s0 $_srvaudit_base + $uptime x 1000000)
    builtin set -g _srvaudit_number $sums[1]
    # Not before the last command's end, which is known to 1 ms.
    builtin test $sums[2] -gt $_srvaudit_now; and builtin set -g _srvaudit_now $sums[2]
    _srvaudit_ready; or return
    builtin printf '\x1eSA1\x00start\x00%s\x00%s\x00%s\x00%s\x00%s\x00whole\x00%s\x00%s\x00\x1e\n' \
        $_srvaudit_number $_srvaudit_now "$SHLVL" "$_srvaudit_tty" $_srvaudit_euid "$PWD" "$argv[1]" \
        >>$_srvaudit_file
    or _srvaudit_lost
    builtin set -g _srvaudit_open 1
    _srvaudit_heal
end

# It has ended.
function _srvaudit_end --on-event fish_postexec
    builtin set -l states $status $pipestatus
    builtin test "$_srvaudit_open" = 1; and _srvaudit_write_end $states
    _srvaudit_heal
end

# A prompt comes.
function _srvaudit_prompt --on-event fish_prompt
    builtin set -l states $status $pipestatus
    builtin test "$_srvaudit_open" = 1; and _srvaudit_write_end $states
    _srvaudit_heal
end

# $argv: the exit code, and then that of each part of the pipe.
function _srvaudit_write_end
    builtin set -g _srvaudit_open 0
    builtin set -l states $argv[2]
    for state in $argv[3..-1]
        builtin set states {$states}_$state
    end
    builtin set -l now (builtin math -s0 $_srvaudit_now + "$CMD_DURATION" x 1000 2>/dev/null)
    builtin test -n "$now"; and builtin set -g _srvaudit_now $now
    _srvaudit_ready; or return
    builtin printf '\x1eSA1\x00end\x00%s\x00%s\x00%s\x00%s\x00\x1e\n' \
        $_srvaudit_number $_srvaudit_now $argv[1] $states >>$_srvaudit_file
    or _srvaudit_lost
    builtin test $_srvaudit_now -gt $_srvaudit_fresh_until; and _srvaudit_freshen
end

# The shell ends.
function _srvaudit_exit --on-event fish_exit
    builtin set -l code $status
    # The terminal is gone: the line was hung up, as SIGHUP's 129 says.
    builtin set -l recorded $code
    if builtin test "$_srvaudit_on_terminal" = 1
        builtin test -t 0; and builtin test -t 2; or builtin set recorded 129
    end
    if _srvaudit_ready
        builtin read -d ' ' -l uptime _ </proc/uptime
        builtin printf '\x1eSA1\x00exit\x00%s\x00%s\x00\x1e\n' \
            (builtin math -s0 "max($_srvaudit_now, $_srvaudit_base + $uptime x 1000000)") $recorded >>$_srvaudit_file
    end
    if builtin test "$fish_pid" = "$SRVAUDIT_LEADER_PID" -a "$_srvaudit_on_terminal" = 1 -a $recorded != 129
        # A hang-up ends the dialogue, which keeps what was entered as long as this shell, the session's, is there.
        function _srvaudit_hung_up --on-signal HUP
        end
        builtin test -x "$SRVAUDIT_BIN/saticket"; and command $SRVAUDIT_BIN/saticket logout --exit-code $code
    end
end

# Whether the spool file can be written. fish's own words on a file that cannot be are not to be silenced, so it is asked
# first; and where only the attempt showed it (a full disk), the next attempt is a minute later.
function _srvaudit_ready
    builtin test $_srvaudit_now -ge $_srvaudit_rest_until; or return
    builtin test -w "$_srvaudit_file"; or _srvaudit_introduce
end

# One line, once per shell: the user's work goes on.
function _srvaudit_lost
    builtin set -q _srvaudit_said
    or builtin printf 'srvaudit: commands are NOT being recorded: cannot write %s\n' "$_srvaudit_file" >&2
    builtin set -g _srvaudit_said 1
    builtin set -g _srvaudit_rest_until (builtin math -s0 $_srvaudit_now + 60000000)
    return 1
end

# Brings back what was erased: this file, once more.
function _srvaudit_heal
    builtin functions -q _srvaudit_start _srvaudit_end _srvaudit_prompt _srvaudit_exit
    or builtin source $_srvaudit_hook
end

# For those who read the history with sqlite3: one background process at most, at most every 20 seconds. It is a child of
# sh's, so that neither $last_pid nor the jobs change.
function _srvaudit_freshen
    builtin set -g _srvaudit_fresh_until (builtin math -s0 $_srvaudit_now + 20000000)
    if builtin contains path (builtin --names)
        # Was the clock set? The file that was written just now has its time, to the second.
        builtin set -l ahead (builtin math (builtin path mtime $_srvaudit_file) - $_srvaudit_now / 1000000)
        builtin test $ahead -gt 1 -o $ahead -lt -2
        and builtin set -g _srvaudit_base (builtin math -s0 $_srvaudit_base + $ahead x 1000000)
        and builtin set -g _srvaudit_now 0
    end
    builtin test -x "$SRVAUDIT_BIN/srvaudit"; or return
    command sh -c '"$0" ingest --linger 30 </dev/null >/dev/null 2>&1 &' $SRVAUDIT_BIN/srvaudit
end

# Finds this shell's spool file, or makes it, and says in it who we are.
function _srvaudit_introduce
    # After the name, which may hold anything, the 2nd field is the parent and the 20th the start.
    builtin read -z -l stat </proc/$fish_pid/stat
    builtin set stat (builtin string split ' ' (builtin string replace -r '(?s)^.*\) ' '' $stat))
    _srvaudit_ask_agent $stat[20]; or _srvaudit_choose_file; or return
    # For this user's eyes alone.
    builtin set -l mask $umask
    builtin set -g umask 0077
    builtin read -l host </proc/sys/kernel/hostname
    # Whatever the environment holds, it must not look like a record's end, or like no number.
    builtin set -l from
    for value in "$SRVAUDIT_SESSION" "$SSH_CLIENT" "$SSH_CONNECTION" "$SUDO_USER" "$SUDO_UID"
        builtin set -l plain (builtin string replace -ra '[[:cntrl:]]' '' -- "$value")
        builtin set -a from "$plain"
    end
    builtin printf '\x1eSA1\x00shell\x00fish %s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00\x1e\n' \
        "$version" $fish_pid "$stat[2]" "$stat[20]" $_srvaudit_now "$_srvaudit_tty" $_srvaudit_uid $_srvaudit_euid \
        "$_srvaudit_user" "$host" "$_srvaudit_zone" (builtin string match -r '^\d+$' -- "$SHLVL"; or builtin echo 0) $from >>$_srvaudit_file
    or _srvaudit_lost
    builtin set -g umask $mask
end

# Where the host has an agent, the file is one that the agent makes: hello has brought it along, or the agent is asked now.
# $argv[1]: when this process started. In the file's name, it tells that no other process is meant.
function _srvaudit_ask_agent
    builtin set -l file "$SRVAUDIT_SPOOL_FILE"
    # What is installed takes no variable's word for where the agent is.
    builtin set -l root "$SRVAUDIT_ROOT"
    builtin string match -qr '^/(usr|srv|opt)/' -- $_srvaudit_hook; and builtin set root ""
    if not _srvaudit_is_ours "$file" $argv[1] "$root"
        # Once: an agent that hangs must not hold up every command.
        builtin set -q _srvaudit_asked; and return 1
        builtin set -g _srvaudit_asked 1
        builtin test -S "$root/run/srvaudit/agent.sock" -a -f "$SRVAUDIT_BIN/srvaudit" -a -x "$SRVAUDIT_BIN/srvaudit"
        or return
        builtin set file (command sh -c 'trap "" INT; exec "$0" attach "$1" </dev/null 2>/dev/null' \
            $SRVAUDIT_BIN/srvaudit $fish_pid)
        _srvaudit_is_ours "$file" $argv[1] "$root"; or return
    end
    builtin set -g _srvaudit_file $file
end

# Nobody but the agent makes files there: no variable, and nothing that was put in attach's place, names another.
function _srvaudit_is_ours
    builtin set -l folder (builtin string escape --style=regex -- "$argv[3]/var/spool/srvaudit/")
    builtin string match -qr "^$folder""[^/\n]+\.$fish_pid-$argv[2]-[0-9]+\.shell\$" -- $argv[1]
    and builtin test -f $argv[1] -a -O $argv[1] -a ! -L $argv[1]
end

# A file of this user's own, in her home. The record that comes first makes it.
function _srvaudit_choose_file
    builtin set -l spool $SRVAUDIT_SPOOL
    if not builtin test -n "$spool" -a -d "$spool" -a -O "$spool"
        # sudo and su may leave another user's HOME behind: nothing of ours goes there.
        builtin set -l home $HOME
        builtin test -O "$home"; or builtin set home ~$_srvaudit_user
        builtin set spool $home/.ash/spool
        builtin test -d $spool; or command mkdir -p -m 700 $home/.ash $spool 2>/dev/null
    end
    builtin set -g _srvaudit_file $spool/$fish_pid-$_srvaudit_now.shell
    builtin test -w $spool; or _srvaudit_lost
end

# What holds for the shell's whole life; a second time, only the functions are made anew.
if not builtin set -q _srvaudit_hook
    builtin set -g _srvaudit_hook (builtin status filename)
    builtin set -g _srvaudit_number 0
    builtin set -g _srvaudit_open 0
    builtin set -g _srvaudit_rest_until 0
    builtin set -g _srvaudit_fresh_until 0
    # The real and the effective user.
    builtin set -l ids (builtin string match -r '^Uid:\t(\d+)\t(\d+)' </proc/$fish_pid/status)
    builtin set -g _srvaudit_uid $ids[2]
    builtin set -g _srvaudit_euid $ids[3]
    builtin set -l account (builtin string match -r "^([^:]*):[^:]*:$ids[2]:" </etc/passwd)
    builtin set -g _srvaudit_user $account[2] $USER
    builtin set -g _srvaudit_user $_srvaudit_user[1]
    builtin set -g _srvaudit_tty
    builtin set -g _srvaudit_on_terminal 0
    if builtin test -t 0
        builtin set _srvaudit_tty (builtin realpath /proc/self/fd/0)
        builtin test -t 2; and builtin set _srvaudit_on_terminal 1
    end
    builtin set -l date (builtin string split ' ' (command date '+%s%6N %Z'))
    # A date that knows no fractions.
    builtin string match -qr '^\d{16}$' -- $date[1]; or builtin set date[1] (command date +%s)000000
    builtin read -d ' ' -l uptime _ </proc/uptime
    builtin set -g _srvaudit_now $date[1]
    builtin set -g _srvaudit_base (builtin math -s0 $date[1] - $uptime x 1000000)
    builtin set -g _srvaudit_zone $date[2]
    _srvaudit_introduce
end
