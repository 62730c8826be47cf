# How the recording hook comes into bash where srvAudit is installed: the system-wide startup files source this, before the
# user's own. It must take hold after hers, whatever they do, so it comes by two ways at once:
#   PROMPT_COMMAND  at the first prompt; lost where a startup file assigns it.
#   a DEBUG trap    at the first prompt, or before the first command; lost where a startup file sets its own.

# shellcheck disable=SC2016,SC2089,SC2090 # what stands in single quotes is expanded later, by bash itself
if [[ $- == *i* && -z ${_srvaudit_loader-} && ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -ge 44 ]]; then
  _srvaudit_system=1
  _srvaudit_hook=${BASH_SOURCE[0]%/*}/srvaudit.bash
  # An installed hook brings the programs along, for shells that `hello` did not start.
  SRVAUDIT_BIN=${BASH_SOURCE[0]%/shell/*}
  # shellcheck disable=SC2154 # the hook sets it
  [[ ${PROMPT_COMMAND-} == *_srvaudit_loader* ]] ||
    PROMPT_COMMAND='\builtin eval "${_srvaudit_loader-. \"\$SRVAUDIT_BIN/shell/srvaudit.bash\"; _srvaudit_arm}"'${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}
  # Startup files are still being read while BASH_SOURCE names one. Once the prompt's count of commands (it begins at 0 or
  # at 1) has moved on, what the trap fires for is the first command already: PROMPT_COMMAND had no simple one.
  _srvaudit_count='\#'
  _srvaudit_before=${_srvaudit_count@P}
  trap '[[ ${BASH_SOURCE[0]-} || ${_srvaudit_loader-} ]] || {
    \builtin trap - DEBUG
    if ((${_srvaudit_count@P} > _srvaudit_before)); then
      _srvaudit_late=1
      \builtin . "$_srvaudit_hook"
    else
      \builtin . "$_srvaudit_hook"
      _srvaudit_arm
    fi
  }' DEBUG
fi
