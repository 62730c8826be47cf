# How the recording hook comes into bash where srvAudit is installed: the system-wide startup files source this, before the
# user's own. It must take hold after hers, whatever they do, so it comes by two ways at once:
#   PROMPT_COMMAND  at the first prompt; lost where a startup file assigns it.
#   a DEBUG trap    at the first prompt, or before the first command; lost where a startup file sets its own.

# shellcheck disable=SC2016 # what stands in single quotes is expanded later, by bash itself
if [[ $- == *i* && -z ${_srvaudit_loaded-} && ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -ge 44 ]]; then
  _srvaudit_system=1
  _srvaudit_hook=${BASH_SOURCE[0]%/*}/srvaudit.bash
  # An installed hook brings the programs along, for shells that `hello` did not start.
  SRVAUDIT_BIN=${BASH_SOURCE[0]%/shell/*}
  [[ ${PROMPT_COMMAND-} == *_srvaudit_loader* ]] ||
    PROMPT_COMMAND='\builtin eval "${_srvaudit_loader-. \"\$SRVAUDIT_BIN/shell/srvaudit.bash\"}"'${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}
  # Startup files are still being read while BASH_SOURCE names one.
  trap '[[ ${BASH_SOURCE[0]-} || ${_srvaudit_loaded-} ]] || \builtin . "$_srvaudit_hook"' DEBUG
fi
