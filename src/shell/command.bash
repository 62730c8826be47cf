# How `hello -c COMMAND` gets its exit code on record where bash is the real shell: BASH_ENV names this file, which bash
# reads before COMMAND. It sets an EXIT trap that writes with builtins alone, and takes itself out of the environment, so
# that COMMAND and its children find what /bin/bash would have given them.
#
# Not seen: the exit code of a COMMAND that execs, or that sets an EXIT trap of its own.

_srvaudit_file=$SRVAUDIT_COMMAND_SPOOL
[[ $SRVAUDIT_COMMAND_PID == "$$" && -O $_srvaudit_file ]] || _srvaudit_file=
if [[ ${SRVAUDIT_BASH_ENV+set} ]]; then BASH_ENV=$SRVAUDIT_BASH_ENV; else unset BASH_ENV; fi
_srvaudit_first=${SRVAUDIT_SHLVL-}
unset SRVAUDIT_COMMAND_SPOOL SRVAUDIT_COMMAND_PID SRVAUDIT_BASH_ENV SRVAUDIT_SHLVL

_srvaudit_exit() {
  local status=$? now=${EPOCHREALTIME-}
  # A subshell's end is not the command's.
  [[ $BASHPID == "$$" && $_srvaudit_file ]] || return "$status"
  [[ $now ]] || printf -v now '%(%s)T.000000' -1
  builtin printf '\036SA1\0end\0001\0%s\0%s\0%s\0\036\n\036SA1\0exit\0%s\0%s\0\036\n' "$now" "$status" "$status" \
    "$now" "$status" 2>&- >>"$_srvaudit_file"
  # A person's own session (ssh -t host command) ends as any login does.
  if [[ $$ == "${SRVAUDIT_LEADER_PID-}" && -t 0 && -t 2 && -x ${SRVAUDIT_BIN-}/saticket ]]; then
    trap : HUP # as in srvaudit.bash
    "$SRVAUDIT_BIN/saticket" logout --exit-code "$status"
  fi
  return "$status"
}
if [[ $_srvaudit_file ]]; then trap _srvaudit_exit EXIT; fi

# An EXIT trap that the user's startup files set runs behind ours.
_srvaudit_chain() {
  local words
  [[ $_srvaudit_file ]] || return
  # trap -- 'action' EXIT
  eval "words=($(trap -p EXIT))"
  [[ ${words[2]-} == _srvaudit_exit* ]] && return
  # shellcheck disable=SC2064 # what it says now is what is meant
  trap -- "_srvaudit_exit; ${words[2]:-:}" EXIT
}
# What bash would have read by itself, had it known that it is the first shell (see src/hello/launch.ts).
if [[ $_srvaudit_first ]]; then SHLVL=1; fi
if [[ $_srvaudit_first && (${SSH_CLIENT+set}${SSH2_CLIENT+set} || -S /dev/stdin) ]]; then
  # shellcheck disable=SC1091 # the system's, where it has one
  [[ -r /etc/bash.bashrc ]] && . /etc/bash.bashrc
  # shellcheck disable=SC1090 # the user's
  [[ -r ~/.bashrc ]] && . ~/.bashrc
  _srvaudit_chain
elif [[ ${BASH_ENV-} && -r ${BASH_ENV-} ]]; then
  # shellcheck disable=SC1090 # the user's
  . "$BASH_ENV"
  _srvaudit_chain
fi
unset _srvaudit_first
