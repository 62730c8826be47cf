# The end of `hello -c COMMAND` goes on record, with zsh as the real shell: its exit code, without a process around it and
# without a touch on its standard streams and arguments.
#
# `hello` writes the `shell` and `start` records itself and then becomes `zsh -c COMMAND`, with SRVAUDIT_COMMAND_SPOOL (that
# file) and SRVAUDIT_COMMAND_PID (its own pid, which the shell then has) in the environment. /etc/zsh/zshenv
# (snippets/zshenv.zsh) or, where nothing is installed, zdotdir/.zshenv sources this.
#
# The exit code stays unknown where the shell does not come to its end: COMMAND execs, or a signal kills the shell.

if [[ ${SRVAUDIT_COMMAND_PID-} == $$ && -f ${SRVAUDIT_COMMAND_SPOOL-} && -O ${SRVAUDIT_COMMAND_SPOOL-} ]]; then
  typeset -g _srvaudit_file=$SRVAUDIT_COMMAND_SPOOL _srvaudit_source=${(%):-%x}
  # COMMAND and what it starts do not see these.
  'builtin' 'unset' SRVAUDIT_COMMAND_SPOOL SRVAUDIT_COMMAND_PID
  # As in srvaudit.zsh: the function means what is written here, whatever options COMMAND sets.
  'builtin' 'emulate' -R zsh -o no_aliases -o no_xtrace -o no_debug_before_cmd -o local_traps \
    -c 'builtin source "$_srvaudit_source"'
  'builtin' 'unset' _srvaudit_source
elif [[ -n ${_srvaudit_source-} ]]; then
  _srvaudit_command_exit() {
    trap - DEBUG ZERR ${${_srvaudit_status::=$?}:#*} ${${_srvaudit_states::=${(j:_:)pipestatus}}:#*}
    # zsh calls this in a subshell that ends by `exit`, too.
    (( ZSH_SUBSHELL )) || [[ -z $_srvaudit_file ]] && return 0
    local now=${EPOCHREALTIME-} clock=%D{%s.%6.}
    [[ -n $now ]] || now=${(%)clock}
    now=${${now/[.,]/}[1,16]}
    # What is no pipe leaves the states of something earlier.
    [[ _${_srvaudit_states}_ == *_${_srvaudit_status}_* ]] || _srvaudit_states=$_srvaudit_status
    local -a end=(end 1 $now $_srvaudit_status $_srvaudit_states) exit=(exit $now $_srvaudit_status)
    local open=$'\x1eSA1\0' close=$'\0\x1e\n'
    { builtin print -rn -- "$open${(pj:\0:)end}$close$open${(pj:\0:)exit}$close" >>| $_srvaudit_file } 2>/dev/null
    _srvaudit_file=''
    # A person's own session (ssh -t host command) ends as any login does.
    if [[ ${SRVAUDIT_LEADER_PID-} == $$ && -t 0 && -t 2 && -x ${SRVAUDIT_BIN-}/saticket ]]; then
      trap : HUP # as in srvaudit.zsh
      $SRVAUDIT_BIN/saticket logout --exit-code $_srvaudit_status
    fi
    return 0
  }
  zshexit_functions=(_srvaudit_command_exit $zshexit_functions)
  # A trap for EXIT keeps zsh from becoming the last command of COMMAND, which would have no end of its own, and is all
  # that `set -e` calls. Where COMMAND sets its own, there is still zshexit.
  trap _srvaudit_command_exit EXIT
fi
