# srvAudit's recording hook for bash 4.4 and later. Builtins only: no fork for a command.
#
# How it works (docs/architecture.md, "Recording in bash"):
#   PS0             takes the time at which a line was read: an arithmetic expansion, which prints and forks nothing.
#   DEBUG trap      fires once, before the line's first simple command: writes the `start` record, then takes itself
#                   away and puts back what the user had there.
#   PROMPT_COMMAND  writes the `end` record, then listens for the next line: keeps bash from hiding that line from its
#                   history (HISTCONTROL, HISTIGNORE) and sets the DEBUG trap.
#   EXIT trap       writes the `exit` record; in the login session's own shell it runs the logout dialogue.
# The first three mend each other. What the user has set is put back before her command runs.
#
# It is sourced at the first prompt, after all the user's startup files. src/record/spool.ts has the records' format.

# The user's aliases must not be read into what follows: a line of its own, since a whole `if` is read at once.
\builtin shopt -q expand_aliases && _srvaudit_aliases=1
\builtin shopt -u expand_aliases
# shellcheck disable=SC2016 # what stands in single quotes is expanded later, by bash itself
if [[ -z ${_srvaudit_loader-} && $- == *i* && ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -ge 44 ]]; then

# 0, or the time (µs) at which the present line was read.
_srvaudit_us=0
# The line that has a `start` record, by that time: where it is another, that one's end was not seen.
_srvaudit_started=0
_srvaudit_number=0
# Whether this line's text can be had from `history 1` as it is (plain), or only with care, or not at all (blind).
_srvaudit_history=plain
# What the user has in HISTCONTROL and HISTIGNORE, and whether she has cmdhist off, while we listen with care.
_srvaudit_control='' _srvaudit_ignore='' _srvaudit_cmdhist_off=''
_srvaudit_status=0 _srvaudit_states='' _srvaudit_last=''
# The user's own DEBUG trap, as `trap -p` says it.
_srvaudit_debug=''
# When the next freshening is due; the second stays 0 where there is no clock to do without _srvaudit_seldom.
_srvaudit_fresh_at=0 _srvaudit_fresh_until=0
_srvaudit_said=''
# Whether there is a terminal that can be hung up.
_srvaudit_on_terminal=''
[[ -t 0 && -t 2 ]] && _srvaudit_on_terminal=1
# PS0 speaks of this name as a number.
_srvaudit_guard=0

# What stands in PROMPT_COMMAND. Where nothing is installed, hello exports the second text, which brings us in.
_srvaudit_loader='_srvaudit_prompt; _srvaudit_arm'
_srvaudit_exported='\builtin eval "${_srvaudit_loader-. \"\$SRVAUDIT_BIN/shell/srvaudit.bash\"; _srvaudit_arm}"'
# In an array, bash 5.1 and later give each of the user's own entries $? and PIPESTATUS as the command left them. But an
# array is not exported: where only the environment brings us into nested shells, PROMPT_COMMAND stays a text.
_srvaudit_as_array=0
[[ ${_srvaudit_system-} && ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -ge 51 ]] && _srvaudit_as_array=1

# The time goes on record as EPOCHREALTIME has it. bash 4.4 has none: there it is a plain variable, in whole seconds,
# set by us; and PS0 can but say that a line was read.
_srvaudit_ps0='_srvaudit_us=${EPOCHREALTIME/[.,]/}'
_srvaudit_plain=plain
_srvaudit_clockless=0
if [[ -z ${EPOCHREALTIME-} ]]; then
  _srvaudit_clockless=1 _srvaudit_plain=care _srvaudit_history=care _srvaudit_ps0='_srvaudit_us=1'
fi
_srvaudit_clock() { ((!_srvaudit_clockless)) || \builtin printf -v EPOCHREALTIME '%(%s)T.000000' -1; }
# What stands behind a text in PROMPT_COMMAND finds the status of the user's command; in an array bash sees to that.
((_srvaudit_as_array)) || _srvaudit_loader+='; _srvaudit_resume'
((_srvaudit_as_array)) && _srvaudit_ps0+=',${PROMPT_COMMAND[88]:=_srvaudit_guard}'
_srvaudit_ps0='${_srvaudit_['$_srvaudit_ps0',0]}'

# One line, once per shell: the user's work goes on.
_srvaudit_lost() {
  [[ $_srvaudit_said ]] || \builtin printf 'srvaudit: commands are NOT being recorded: cannot write %s\n' \
    "${_srvaudit_file@Q}" >&2
  _srvaudit_said=1
}

# The DEBUG trap: the line just read goes on record, before its first command. It also fires for what else is in
# PROMPT_COMMAND, before a line is read; and, with functrace, in a subshell, which is not where the line was typed.
# Of all that is here this and the next two run for every command: they are short, since each statement costs some µs.
_srvaudit_fire() {
  ((_srvaudit_us && !BASH_SUBSHELL)) || \builtin return 0
  \builtin trap - DEBUG
  # PWD is a variable, and may lie.
  if [[ $_srvaudit_history == plain && ${PWD-} -ef . && $BASH_COMMAND != @(exit|logout)* ]]; then
    _srvaudit_started=$_srvaudit_us
    {
      # shellcheck disable=SC2059 # the format holds what is the same for all commands of this shell
      \builtin printf "$_srvaudit_head" "$((++_srvaudit_number))" "$_srvaudit_us" history "$PWD" &&
        \builtin history 1 && \builtin printf '\0\036\n'
    } 2>&- >>"$_srvaudit_file" || _srvaudit_lost
  else
    _srvaudit_start_with_care
  fi
}
# With this attribute a function sees and sets the shell's own DEBUG trap, not a copy.
\builtin declare -ft _srvaudit_fire

# The first thing at a prompt: what ran has ended. And bash is kept from hiding the next line, where it lets us: with
# ignoredups alone, what it leaves out is what it has, the same text.
_srvaudit_prompt() {
  # shellcheck disable=SC2124,SC2319 # joined by blanks, whatever IFS is; the status is the command's
  _srvaudit_status=$? _srvaudit_states="${PIPESTATUS[@]}"
  if ((_srvaudit_us)); then
    ((_srvaudit_us == _srvaudit_started && _srvaudit_us < _srvaudit_fresh_until)) || _srvaudit_seldom
    \builtin printf '\036SA1\0end\0%s\0%s\0%s\0%s\0\036\n' "$_srvaudit_number" "$EPOCHREALTIME" "$_srvaudit_status" \
      "$_srvaudit_states" 2>&- >>"$_srvaudit_file" || _srvaudit_lost
    _srvaudit_us=0
  fi
  [[ (-z ${HISTCONTROL-} || $HISTCONTROL == ignoredups) && -z ${HISTIGNORE-}${HISTTIMEFORMAT-} &&
    ${HISTSIZE-} != 0 && -o history && $BASHOPTS == *cmdhist* && ${PS0-} == *_srvaudit_us=* ]] || _srvaudit_listen
}

# The last thing at a prompt that is ours: sets the DEBUG trap. Who has one of her own keeps it: see _srvaudit_beside.
# Whether she has one `trap -p` tells by failing to print it: no file is needed for that.
_srvaudit_arm() {
  if \builtin trap -p DEBUG >&- 2>&-; then
    \builtin trap '_srvaudit_fire "$_"' DEBUG
  else
    _srvaudit_arm_beside
  fi
}
\builtin declare -ft _srvaudit_arm

# There is a DEBUG trap: ours (nothing ran), or one of the user's, which then is done behind ours.
_srvaudit_arm_beside() {
  # No { } around this: her trap would fire within, and print to the file, too.
  \builtin trap -p DEBUG 2>&- >|"$_srvaudit_scratch" || \builtin return 0
  \builtin trap - DEBUG
  local debug=() words action='_srvaudit_fire "$_"'
  \builtin mapfile -d '' -t debug <"$_srvaudit_scratch"
  # trap -- 'action' DEBUG
  \builtin eval "words=(${debug[0]})"
  case ${words[2]} in
    # posix mode says so where there is none.
    -) ;;
    _srvaudit_*) action=${words[2]} ;;
    *)
      _srvaudit_debug=${debug[0]}
      action='_srvaudit_beside "$?" "$_"; _srvaudit_resume "$_srvaudit_last"'$'\n'${words[2]}
      ;;
  esac
  # shellcheck disable=SC2064 # what it says now is what is meant
  \builtin trap "$action" DEBUG
}
\builtin declare -ft _srvaudit_arm_beside

# Ours before the user's own DEBUG trap. It takes ours away, and gives hers its status and $_ back.
#   $1 the status before   $2 the user's $_
_srvaudit_beside() {
  _srvaudit_status=$1 _srvaudit_last=$2
  if ((_srvaudit_us && !BASH_SUBSHELL)); then
    _srvaudit_fire
    \builtin eval "$_srvaudit_debug"
  fi
}
\builtin declare -ft _srvaudit_beside

_srvaudit_resume() {
  [[ $- == *e* ]] || \builtin return "$_srvaudit_status"
}

# At a prompt, what is not needed each time.
_srvaudit_seldom() {
  # The DEBUG trap does not fire for ( ... ) alone, and may have been taken away: then the start is written now.
  ((_srvaudit_started == _srvaudit_us)) || _srvaudit_start_with_care
  if ((_srvaudit_us >= _srvaudit_fresh_at)); then
    _srvaudit_attach_exit
    _srvaudit_freshen
  fi
  _srvaudit_clock
}

# The start of a line that bash would have hidden, or that is hidden all the same.
_srvaudit_start_with_care() {
  local text=$BASH_COMMAND state=partial entry=() number=''
  [[ $BASH_COMMAND == @(exit|logout)* ]] && _srvaudit_attach_exit
  [[ ${PWD-} -ef . ]] || \builtin cd . 2>&- || PWD='?'
  ((_srvaudit_us > 1)) || { _srvaudit_clock; _srvaudit_us=${EPOCHREALTIME/./}; }
  _srvaudit_started=$_srvaudit_us
  if [[ $_srvaudit_history != blind ]]; then
    _srvaudit_scratch_again
    # What an earlier line has left there must not be taken for this one.
    { HISTTIMEFORMAT='' \builtin history 1; \builtin printf '\0'; } 2>&- 1<>"$_srvaudit_scratch" &&
      \builtin mapfile -d '' -n 1 -t entry 2>&- <"$_srvaudit_scratch"
    # "  123* text", the number padded to five. Patterns are matched on its front alone: they are slow on a long text.
    number=${entry[0]:0:20}
    number=${number#"${number%%[0-9]*}"} number=${number%%[!0-9]*}
    if [[ $number ]]; then
      text=${entry[0]:(${#number} < 5 ? 5 : ${#number}) + 2}
      text=${text%$'\n'} state=whole
    fi
  fi
  [[ $state == partial && $text == *_srvaudit_* ]] && state=missing text=''
  # shellcheck disable=SC2059 # as above
  \builtin printf "$_srvaudit_head%s"'\0\036\n' "$((++_srvaudit_number))" "$_srvaudit_us" "$state" "$PWD" "$text" \
    2>&- >>"$_srvaudit_file" || _srvaudit_lost
  # The user's history is hers: bash decides by her settings, now, whether the line may stay in it.
  if [[ $_srvaudit_control$_srvaudit_ignore && $number ]]; then
    _srvaudit_put_back
    \builtin history -d "$number"
    \builtin history -s -- "$text"
  else
    _srvaudit_put_back
  fi
  \builtin return 0
}

# The scratch file may be gone, with its folder (rm -rf ~/.ash), or be none any more. Nothing is forked where it is well. If
# the record lay there too, there is none to go on with.
_srvaudit_scratch_again() {
  [[ -f $_srvaudit_scratch && -w $_srvaudit_scratch && -r $_srvaudit_scratch || ! -e $_srvaudit_file ]] &&
    \builtin return 0
  (
    \builtin umask 077
    \command -p mkdir -p -- "${_srvaudit_scratch%/*}"
    \command -p rm -rf -- "$_srvaudit_scratch"
    : >|"$_srvaudit_scratch"
  ) 2>/dev/null
}

# What decides about the history, as the user has it.
_srvaudit_put_back() {
  [[ $_srvaudit_control ]] && HISTCONTROL=$_srvaudit_control
  [[ $_srvaudit_ignore ]] && HISTIGNORE=$_srvaudit_ignore
  [[ $_srvaudit_cmdhist_off ]] && \builtin shopt -u cmdhist
  _srvaudit_control='' _srvaudit_ignore='' _srvaudit_cmdhist_off='' _srvaudit_history=$_srvaudit_plain
}

# What keeps bash from hiding the next line. It stays so until that line's start is on record.
_srvaudit_listen() {
  [[ ${PS0-} == *_srvaudit_us=* ]] || _srvaudit_heal
  _srvaudit_history=care
  if [[ ${HISTSIZE-} == 0 || ${HISTTIMEFORMAT+${HISTTIMEFORMAT@a}} == *r* || ! -o history ]]; then
    _srvaudit_history=blind
  fi
  if [[ ${HISTCONTROL-} ]]; then
    if [[ ${HISTCONTROL@a} == *r* ]]; then _srvaudit_history=blind; else _srvaudit_control=$HISTCONTROL HISTCONTROL=''; fi
  fi
  if [[ ${HISTIGNORE-} ]]; then
    if [[ ${HISTIGNORE@a} == *r* ]]; then _srvaudit_history=blind; else _srvaudit_ignore=$HISTIGNORE HISTIGNORE=''; fi
  fi
  \builtin shopt -q cmdhist || { _srvaudit_cmdhist_off=1; \builtin shopt -s cmdhist; }
}

# Someone took PROMPT_COMMAND[0] away: PS0 put this one there too, and bash 5.1 and later still run it.
_srvaudit_guard() {
  # `case`, since it leaves the command's status and PIPESTATUS for _srvaudit_prompt to take.
  case ${PROMPT_COMMAND[0]-} in
    "$_srvaudit_loader") ;;
    *) _srvaudit_prompt; _srvaudit_heal ;;
  esac
}

# Puts PS0 and PROMPT_COMMAND right: ours first, and behind it all that the user has.
_srvaudit_heal() {
  local entry theirs=()
  if [[ ${PS0-} != *_srvaudit_us=* && ${PS0+${PS0@a}} != *r* ]]; then PS0=${PS0-}$_srvaudit_ps0; fi
  [[ ${PROMPT_COMMAND+${PROMPT_COMMAND@a}} == *r* ]] && \builtin return
  for entry in "${PROMPT_COMMAND[@]}"; do
    # A text of the user's around ours ("x; $PROMPT_COMMAND") keeps its own part.
    entry=${entry//"$_srvaudit_loader"/:} entry=${entry//"$_srvaudit_exported"/:}
    [[ $entry == _srvaudit_guard || $entry == : ]] || theirs+=("$entry")
  done
  if ((_srvaudit_as_array)) || [[ ${PROMPT_COMMAND+${PROMPT_COMMAND@a}} == *a* ]]; then
    \builtin unset -v PROMPT_COMMAND
    PROMPT_COMMAND=("$_srvaudit_loader" "${theirs[@]}")
    PROMPT_COMMAND[88]=_srvaudit_guard
  else
    # shellcheck disable=SC2178,SC2179 # a text here
    {
      PROMPT_COMMAND=$_srvaudit_exported
      for entry in "${theirs[@]}"; do PROMPT_COMMAND+=$'\n'$entry; done
    }
  fi
}

# For those who read the history with sqlite3: one background process at most, started every 20 seconds at most.
_srvaudit_freshen() {
  _srvaudit_fresh_at=$((_srvaudit_us + 20000000))
  ((_srvaudit_clockless)) || _srvaudit_fresh_until=$_srvaudit_fresh_at
  [[ -f ${SRVAUDIT_BIN-}/srvaudit && -x $SRVAUDIT_BIN/srvaudit ]] || \builtin return
  ("$SRVAUDIT_BIN/srvaudit" ingest --linger 30 </dev/null >/dev/null 2>&1 &)
}

_srvaudit_exit() {
  local status=$? code
  code=$status
  # No terminal any more: the line was hung up, and 129 is what SIGHUP gives.
  [[ -z $_srvaudit_on_terminal || (-t 0 && -t 2) ]] || code=129
  _srvaudit_clock
  if ((_srvaudit_us)); then
    ((_srvaudit_started == _srvaudit_us)) || _srvaudit_start_with_care
    \builtin printf '\036SA1\0end\0%s\0%s\0%s\0%s\0\036\n' "$_srvaudit_number" "$EPOCHREALTIME" "$status" "$status" \
      2>&- >>"$_srvaudit_file"
    _srvaudit_us=0
  fi
  _srvaudit_put_back
  \builtin printf '\036SA1\0exit\0%s\0%s\0\036\n' "$EPOCHREALTIME" "$code" 2>&- >>"$_srvaudit_file" || _srvaudit_lost
  if [[ $$ == "${SRVAUDIT_LEADER_PID-}" && $_srvaudit_on_terminal && $code != 129 && -x ${SRVAUDIT_BIN-}/saticket ]]; then
    # A hang-up ends the dialogue, which keeps what was entered as long as this shell, the session's, is there.
    \builtin trap : HUP
    "$SRVAUDIT_BIN/saticket" logout --exit-code "$status"
  fi
  \command -p rm -f -- "$_srvaudit_scratch"
  \builtin return "$status"
}

# Finds this shell's spool file, or makes it, and says in it who we are.
_srvaudit_open_spool() {
  local spool=${SRVAUDIT_SPOOL-} stat='' zone mask level from user='\u' host='\H' scratch=/run/user/$EUID
  if [[ -z $spool || ! -d $spool || ! -O $spool ]]; then
    # sudo and su may leave another user's HOME behind: nothing of ours goes there. Without HOME, ~ is what passwd says.
    [[ -O ~ ]] || { local HOME; \builtin unset -v HOME; }
    spool=~/.ash/spool
  fi
  [[ -d $spool ]] || \command -p mkdir -p -m 700 -- "${spool%/*}" "$spool" 2>/dev/null
  _srvaudit_clock
  _srvaudit_file=$spool/$$-${EPOCHREALTIME/[.,]/}.shell
  # What `history` and `trap -p` print comes into a variable, without a fork, through a file: one in memory, if we can.
  if [[ -d $scratch && -O $scratch ]]; then _srvaudit_scratch=$scratch/srvaudit-$$; else _srvaudit_scratch=$spool/.$$; fi
  # After the name, which may hold anything, the 2nd field is the parent, the 5th the terminal, the 20th the start.
  IFS='' \builtin read -r stat 2>/dev/null <"/proc/$$/stat"
  stat=${stat##*) }
  local IFS=' '
  # shellcheck disable=SC2086 # the kernel's numbers, to be split
  \builtin set -- $stat
  _srvaudit_tty=''
  (($# > 5)) && _srvaudit_terminal "$5"
  \builtin printf -v zone '%(%Z)T' -1
  # Whatever the environment holds, it must not look like a record's end, or like no number.
  level=${SHLVL//[!0-9]/} level=${level:-0}
  from=("${SRVAUDIT_SESSION-}" "${SSH_CLIENT-}" "${SSH_CONNECTION-}" "${SUDO_USER-}" "${SUDO_UID-}")
  _srvaudit_head='\036SA1\0start\0%s\0%s\000'"$level\000$_srvaudit_tty\000$EUID"'\0%s\0%s\0'
  # Last of all: a Ctrl-C that ends the waiting leaves all that is needed behind.
  _srvaudit_ask_agent "${20:-0}"
  # The files are for the user alone, whatever her umask.
  mask=$(\builtin umask)
  \builtin umask 077
  {
    : >|"$_srvaudit_scratch"
    \builtin printf '\036SA1\0shell\0bash %s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0%s\0\036\n' \
      "$BASH_VERSION" "$$" "$PPID" "${20:-0}" "$EPOCHREALTIME" "$_srvaudit_tty" "$UID" "$EUID" \
      "${user@P}" "${host@P}" "$zone" "$level" "${from[@]//[[:cntrl:]]/}" >>"$_srvaudit_file"
  } 2>/dev/null || _srvaudit_lost
  \builtin umask "$mask"
}

# Where the host has an agent, the file is one that the agent makes: hello has brought it along, or the agent is asked now.
#   $1 when this process started: in the file's name, it tells that no other process is meant
_srvaudit_ask_agent() {
  local file=${SRVAUDIT_SPOOL_FILE-} root=''
  # What is installed takes no variable's word for where the agent is.
  [[ ${BASH_SOURCE[0]} == /@(usr|srv|opt)/* ]] || root=${SRVAUDIT_ROOT-}
  if ! _srvaudit_is_ours "$file" "$1"; then
    [[ -S $root/run/srvaudit/agent.sock && -f ${SRVAUDIT_BIN-}/srvaudit && -x $SRVAUDIT_BIN/srvaudit ]] || \builtin return 0
    file=$(\builtin trap '' INT; \builtin exec "$SRVAUDIT_BIN/srvaudit" attach "$$" </dev/null 2>/dev/null) || file=''
    # A DEBUG trap of the user's may have printed something before.
    file=${file##*$'\n'}
    _srvaudit_is_ours "$file" "$1" || \builtin return 0
  fi
  _srvaudit_file=$file
}

# Nobody but the agent makes files there: no variable, and nothing that was put in attach's place, names another.
_srvaudit_is_ours() {
  [[ $1 == "$root"/var/spool/srvaudit/+([^/])."$$-$2"-+([0-9]).shell && -f $1 && -O $1 && ! -L $1 ]]
}

# The name of a terminal by its device number (proc(5), tty_nr; the majors are those of the kernel's devices.txt).
_srvaudit_terminal() {
  local major=$((($1 >> 8) & 0xfff)) minor=$((($1 & 0xff) | (($1 >> 12) & 0xfff00)))
  if ((major >= 136 && major <= 143)); then
    _srvaudit_tty=/dev/pts/$(((major - 136) * 256 + minor))
  elif ((major == 4 && minor < 64)); then
    _srvaudit_tty=/dev/tty$minor
  elif ((major == 4)); then
    _srvaudit_tty=/dev/ttyS$((minor - 64))
  elif ((major)); then
    _srvaudit_tty=$major:$minor
  fi
}

# Ours comes before the user's own EXIT trap. It is looked for where the shell is about to end, and now and then: she may
# have set one since.
_srvaudit_attach_exit() {
  local exit=() words
  _srvaudit_scratch_again
  { \builtin trap -p EXIT; \builtin printf '\0'; } 2>&- 1<>"$_srvaudit_scratch" || \builtin return 0
  \builtin mapfile -d '' -n 1 -t exit 2>&- <"$_srvaudit_scratch"
  # trap -- 'action' EXIT
  \builtin eval "words=(${exit[0]-})"
  [[ ${words[2]-} == _srvaudit_exit* ]] && \builtin return
  # posix mode says `-` where there is none.
  [[ ${words[2]:--} == - ]] && words[2]=:
  # shellcheck disable=SC2064 # what the user's trap says now is what is meant
  \builtin trap -- "_srvaudit_exit; ${words[2]}" EXIT
}

# Nobody has a reason to change these, and a slip must not end the recording unseen.
\builtin readonly -f _srvaudit_arm _srvaudit_arm_beside _srvaudit_ask_agent _srvaudit_attach_exit _srvaudit_beside \
  _srvaudit_clock _srvaudit_exit _srvaudit_fire _srvaudit_freshen _srvaudit_guard _srvaudit_heal _srvaudit_is_ours \
  _srvaudit_listen _srvaudit_lost _srvaudit_open_spool _srvaudit_prompt _srvaudit_put_back _srvaudit_resume \
  _srvaudit_scratch_again _srvaudit_seldom _srvaudit_start_with_care _srvaudit_terminal
# Unset or assigned, it would be no clock any more.
((_srvaudit_clockless)) || \builtin readonly EPOCHREALTIME

_srvaudit_open_spool
_srvaudit_attach_exit
_srvaudit_heal
# Whoever sourced this calls _srvaudit_arm next: in a sourced file, too, a DEBUG trap is but a copy.
if [[ ${_srvaudit_late-} ]]; then
  # No prompt brought us here but the first command itself (attach.bash): nobody kept bash from hiding it.
  _srvaudit_clock
  _srvaudit_us=${EPOCHREALTIME/[.,]/}
  [[ -z ${HISTCONTROL-}${HISTIGNORE-}${HISTTIMEFORMAT-} && -o history ]] || _srvaudit_history=blind
  _srvaudit_start_with_care
else
  _srvaudit_prompt
fi
fi
if [[ ${_srvaudit_aliases-} ]]; then \builtin shopt -s expand_aliases; fi
\builtin unset -v _srvaudit_aliases
