# srvAudit's recording hook for zsh 5. Builtins only: no fork for a command.
#
# How it works (docs/architecture.md, "Recording"):
#   zshaddhistory   sees each line as it was typed, whatever the history then keeps of it.
#   preexec         writes the `start` record before the line runs.
#   precmd          writes the `end` record; zle-line-init, set only while a command runs, does so where precmd did not.
#   zshexit         writes the `exit` record; in the login session's own shell it runs the logout dialogue.
# Each of the first three puts all of them back where a startup file or the user took some away, and so does `sched` at
# the first prompt, for startup files that take all of them away.
#
# Installed, /etc/zsh/zshrc sources it, before the user's own .zshrc (snippets/zshrc.zsh). Where nothing is installed,
# `hello` starts zsh, login or not, with ZDOTDIR=<this folder>/zdotdir and the user's own ZDOTDIR, if she has one, in
# SRVAUDIT_ZDOTDIR. What differs then: a zsh started within that zsh is not recorded, since it has her ZDOTDIR again.
# Neither way takes hold of `zsh -f`. With `setopt err_exit`, zsh ends at a command that fails without calling zshexit: that
# command's and the shell's own end stay unknown.
# src/record/spool.ts has the records' format.

if [[ ! -o interactive ]] || typeset -f _srvaudit_start >/dev/null; then
  return 0
fi
# Functions made under `emulate -c` run with these options whenever they are called, and the user's come back when they
# return. So whatever she sets, they mean what is written here, and `set -x` and a DEBUG trap do not see into them.
if [[ ${_srvaudit_source-} != ${(%):-%x} ]]; then
  _srvaudit_source=${(%):-%x}
  'builtin' 'emulate' -R zsh -o no_aliases -o no_xtrace -o no_debug_before_cmd -o local_traps -o no_bg_nice \
    -c 'builtin source "$_srvaudit_source"'
  'builtin' 'unset' _srvaudit_source
  return 0
fi

zmodload -F zsh/datetime p:EPOCHREALTIME 2>/dev/null
zmodload -F zsh/files b:zf_mkdir 2>/dev/null
zmodload zsh/sched zsh/zleparameter zsh/parameter 2>/dev/null

typeset -gi _srvaudit_number=0 _srvaudit_now=0 _srvaudit_fresh_at=0 _srvaudit_asked=0
# 1 while a `start` record waits for its `end`.
typeset -gi _srvaudit_open=0
# The line that was read, where and when, from zshaddhistory on until it is on record.
typeset -g _srvaudit_line='' _srvaudit_directory=''
typeset -gi _srvaudit_began=0
typeset -g _srvaudit_status='' _srvaudit_states=''
typeset -g _srvaudit_file='' _srvaudit_said=''
typeset -g _srvaudit_tty=$TTY
# 1 where there is a terminal that can be hung up.
typeset -gi _srvaudit_on_terminal=0
[[ -t 0 && -t 2 ]] && _srvaudit_on_terminal=1
# The clock of the prompt, for where zsh/datetime is missing.
typeset -g _srvaudit_clock='%D{%s.%6.}'

# Every hook begins with one command that keeps the user's traps away until the hook returns and that takes $? and
# $pipestatus, which a second command would not find any more. A call costs zsh some 15 µs: so what every command passes
# through calls nothing.

# zshaddhistory: a line was read. $1 the line as typed, and its newline.
_srvaudit_read() {
  trap - DEBUG ZERR ${${_srvaudit_line::=${1%$'\n'}}:#*}
  # PWD is a variable, and may lie.
  _srvaudit_directory=${PWD-}
  [[ $_srvaudit_directory -ef . ]] || _srvaudit_directory=${${:-.}:A}
  _srvaudit_began=${${${EPOCHREALTIME-${(%)_srvaudit_clock}}/[.,]/}[1,16]}
  (( $precmd_functions[(Ie)_srvaudit_prompt] && $preexec_functions[(Ie)_srvaudit_start] )) || _srvaudit_attach
  # In reserve, until precmd has done its work; not where the user has one of her own.
  (( $+widgets[zle-line-init] )) || zle -N zle-line-init _srvaudit_edit
  return 0
}

# preexec: a command is about to run. $1 the line, if the history has it; $3 what runs, with aliases replaced.
_srvaudit_start() {
  trap - DEBUG ZERR ${${_srvaudit_status::=$?}:#*} ${${_srvaudit_states::=${(j:_:)pipestatus}}:#*}
  (( _srvaudit_open )) && _srvaudit_prompt $_srvaudit_status $_srvaudit_states
  # Where zshaddhistory was kept from it.
  [[ -n $_srvaudit_line ]] || _srvaudit_read "${1:-$3}"
  # A variable of zsh's may hold a NUL, which would end the field: the sign for it, U+2400, stands for it.
  [[ $_srvaudit_line == *$'\0'* ]] && _srvaudit_line=${_srvaudit_line//$'\0'/$'\xe2\x90\x80'}
  [[ -f $_srvaudit_file ]] || _srvaudit_introduce
  (( _srvaudit_number++ ))
  local -a fields=(
    $'\x1eSA1' start $_srvaudit_number $_srvaudit_began ${SHLVL:-0} "$_srvaudit_tty" $EUID whole
    "$_srvaudit_directory" "$_srvaudit_line" $'\x1e\n'
  )
  { builtin print -rn -- "${(pj:\0:)fields}" >>| $_srvaudit_file } 2>/dev/null || _srvaudit_lost
  _srvaudit_open=1 _srvaudit_line=''
  (( $precmd_functions[(Ie)_srvaudit_prompt] )) || _srvaudit_attach
  return 0
}

# precmd: what ran has ended. The hooks that see to what precmd was kept from give the status and the states as $1 and $2.
_srvaudit_prompt() {
  trap - DEBUG ZERR ${${_srvaudit_status::=${1-$?}}:#*} ${${_srvaudit_states::=${2-${(j:_:)pipestatus}}}:#*}
  if (( _srvaudit_open )); then
    # What is no pipe, and a trap of the user's, may leave the states of something earlier.
    [[ _${_srvaudit_states}_ == *_${_srvaudit_status}_* ]] || _srvaudit_states=$_srvaudit_status
    _srvaudit_now=${${${EPOCHREALTIME-${(%)_srvaudit_clock}}/[.,]/}[1,16]}
    local -a fields=($'\x1eSA1' end $_srvaudit_number $_srvaudit_now $_srvaudit_status $_srvaudit_states $'\x1e\n')
    { builtin print -rn -- "${(pj:\0:)fields}" >>| $_srvaudit_file } 2>/dev/null || _srvaudit_lost
    _srvaudit_open=0
    (( _srvaudit_now - _srvaudit_fresh_at > 20000000 )) && _srvaudit_freshen
    [[ ${widgets[zle-line-init]-} == user:_srvaudit_edit ]] && zle -D zle-line-init
  fi
  (( $preexec_functions[(Ie)_srvaudit_start] && $zshaddhistory_functions[(Ie)_srvaudit_read] &&
    $zshexit_functions[(Ie)_srvaudit_exit] )) || _srvaudit_attach
  return 0
}

# zle-line-init, after precmd: sees to what a hook of the user's that fails has kept the others from.
_srvaudit_edit() {
  trap - DEBUG ZERR ${${_srvaudit_status::=$?}:#*} ${${_srvaudit_states::=${(j:_:)pipestatus}}:#*}
  # Not the rest of a line, and not vared's.
  [[ $CONTEXT == start ]] || return 0
  [[ ${widgets[zle-line-init]-} == user:_srvaudit_edit ]] && zle -D zle-line-init
  local code=$_srvaudit_status states=$_srvaudit_states
  (( _srvaudit_open )) || ! _srvaudit_ran || _srvaudit_start
  (( _srvaudit_open )) && _srvaudit_prompt $code $states
  _srvaudit_line=''
  _srvaudit_attach
  return 0
}

# Whether the line of which preexec said nothing ran all the same: not if it waits in the editor (HIST_VERIFY), nor if it
# is a comment or does not parse.
_srvaudit_ran() {
  [[ -z ${BUFFER-} ]] && (( $+functions[preexec] || $#preexec_functions > 1 )) || return
  setopt local_options interactive_comments
  local parsed
  { functions[_srvaudit_parsed]=$_srvaudit_line; parsed=${functions[_srvaudit_parsed]-} } 2>/dev/null
  (( $+functions[_srvaudit_parsed] )) && unfunction _srvaudit_parsed
  [[ $parsed == *[^[:space:]]* ]]
}

# sched: the first prompt, after all startup files.
_srvaudit_first() {
  local -i code=$?
  _srvaudit_attach
  return code
}

# zshexit: the shell ends.
_srvaudit_exit() {
  trap - DEBUG ZERR ${${_srvaudit_status::=$?}:#*} ${${_srvaudit_states::=${(j:_:)pipestatus}}:#*}
  # zsh calls this in a subshell that ends by `exit`, too.
  (( ZSH_SUBSHELL )) && return 0
  local -i code=_srvaudit_status recorded=_srvaudit_status
  # The terminal is gone, or a signal came while the line editor waited.
  if (( _srvaudit_on_terminal )) && { [[ ! -t 0 || ! -t 2 ]] || zle }; then
    recorded=129
  fi
  # A line that preexec was kept from: `exit` itself.
  (( _srvaudit_open )) || [[ -z $_srvaudit_line ]] || ! _srvaudit_ran || _srvaudit_start
  (( _srvaudit_open )) && _srvaudit_prompt $code $code
  _srvaudit_now=${${${EPOCHREALTIME-${(%)_srvaudit_clock}}/[.,]/}[1,16]}
  _srvaudit_write exit $_srvaudit_now $recorded
  if (( _srvaudit_on_terminal && recorded != 129 && $$ == ${SRVAUDIT_LEADER_PID:-0} )) && [[ -x ${SRVAUDIT_BIN-}/saticket ]]; then
    # A hang-up ends the dialogue, which keeps what was entered as long as this shell, the session's, is there.
    trap : HUP
    $SRVAUDIT_BIN/saticket logout --exit-code $code
  fi
  return 0
}

# Puts back what someone took away: ours first, since zsh leaves out the hooks that come after one that fails.
_srvaudit_attach() {
  (( $zshaddhistory_functions[(Ie)_srvaudit_read] )) || zshaddhistory_functions=(_srvaudit_read $zshaddhistory_functions)
  (( $preexec_functions[(Ie)_srvaudit_start] )) || preexec_functions=(_srvaudit_start $preexec_functions)
  (( $precmd_functions[(Ie)_srvaudit_prompt] )) || precmd_functions=(_srvaudit_prompt $precmd_functions)
  (( $zshexit_functions[(Ie)_srvaudit_exit] )) || zshexit_functions=(_srvaudit_exit $zshexit_functions)
}

# For those who read the history with sqlite3: one background process at most, at most every 20 seconds. It is a
# subshell's, so that neither $! nor the jobs change.
_srvaudit_freshen() {
  _srvaudit_fresh_at=$_srvaudit_now
  [[ -x ${SRVAUDIT_BIN-}/srvaudit ]] || return
  ( $SRVAUDIT_BIN/srvaudit ingest --linger 30 </dev/null >/dev/null 2>&1 & )
}

# Appends a record: its type and its fields.
_srvaudit_write() {
  { builtin print -rn -- $'\x1eSA1\0'"${(pj:\0:)@}"$'\0\x1e\n' >>| $_srvaudit_file } 2>/dev/null || _srvaudit_lost
}

# One line, once per shell: the user's work goes on.
_srvaudit_lost() {
  if [[ -z $_srvaudit_said ]]; then
    builtin print -ru2 -- "srvaudit: commands are NOT being recorded: cannot write ${(q)_srvaudit_file}"
  fi
  _srvaudit_said=1
}

# Finds this shell's spool file, or makes it, and says in it who we are.
_srvaudit_introduce() {
  local stat='' host=$HOST zone=%D{%Z}
  {
    # After the name, which may hold anything, the 20th field is the start.
    stat=$(</proc/$$/stat)
    host=$(</proc/sys/kernel/hostname)
  } 2>/dev/null
  local -a fields=(${(s: :)${stat##*\) }})
  _srvaudit_now=${${${EPOCHREALTIME-${(%)_srvaudit_clock}}/[.,]/}[1,16]}
  _srvaudit_ask_agent ${fields[20]:-0} || _srvaudit_make_file
  # Whatever the environment holds, it must not look like a record's end.
  local -a from=("${SRVAUDIT_SESSION-}" "${SSH_CLIENT-}" "${SSH_CONNECTION-}" "${SUDO_USER-}" "${SUDO_UID-}")
  _srvaudit_write shell "zsh $ZSH_VERSION" $$ $PPID ${fields[20]:-0} $_srvaudit_now "$_srvaudit_tty" $UID $EUID \
    "$USERNAME" "$host" "${(%)zone}" ${SHLVL:-0} "${(@)from//[[:cntrl:]]/}"
}

# Where the host has an agent, the file is one that the agent makes: hello has brought it along, or the agent is asked now.
#   $1 when this process started: in the file's name, it tells that no other process is meant
_srvaudit_ask_agent() {
  local file=${SRVAUDIT_SPOOL_FILE-} root=''
  # What is installed takes no variable's word for where the agent is.
  [[ ${(%):-%x} == /(usr|srv|opt)/* ]] || root=${SRVAUDIT_ROOT-}
  if ! _srvaudit_is_ours "$file" $1; then
    # Once: an agent that hangs must not hold up every command.
    (( _srvaudit_asked++ )) && return 1
    [[ -S $root/run/srvaudit/agent.sock && -f ${SRVAUDIT_BIN-}/srvaudit && -x $SRVAUDIT_BIN/srvaudit ]] || return
    file=$(trap '' INT; exec $SRVAUDIT_BIN/srvaudit attach $$ </dev/null 2>/dev/null)
    _srvaudit_is_ours "$file" $1 || return
  fi
  _srvaudit_file=$file
}

# Nobody but the agent makes files there: no variable, and nothing that was put in attach's place, names another.
_srvaudit_is_ours() {
  [[ ${1:h} == $root/var/spool/srvaudit && $1 == *.$$-$2-<->.shell && -f $1 && -O $1 && ! -L $1 ]]
}

# A file of this user's own, in her home.
_srvaudit_make_file() {
  local spool=${SRVAUDIT_SPOOL-} home=$HOME opened
  if [[ -z $spool || ! -d $spool || ! -O $spool ]]; then
    # sudo and su may leave another user's HOME behind: nothing of ours goes there.
    [[ -O $home ]] || home=${~:-~$USERNAME}
    spool=$home/.ash/spool
    [[ -d $spool ]] || _srvaudit_make_folders ${spool:h} $spool
  fi 2>/dev/null
  _srvaudit_file=$spool/$$-$_srvaudit_now.shell
  # For this user's eyes alone, whatever the umask. Where there is no such module, the folder sees to that.
  { zmodload -F zsh/system b:sysopen &&
    sysopen -w -o creat,excl -m 600 -u opened $_srvaudit_file && exec {opened}>&- } 2>/dev/null
}

_srvaudit_make_folders() {
  local folder
  for folder; do
    if (( $+builtins[zf_mkdir] )); then zf_mkdir -p -m 700 $folder; else command mkdir -p -m 700 $folder; fi
  done
}

_srvaudit_attach
sched +0 _srvaudit_first 2>/dev/null
# Last of all: a Ctrl-C that ends the waiting for the agent leaves all that is needed behind.
_srvaudit_introduce
