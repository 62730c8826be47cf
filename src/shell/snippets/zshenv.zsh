# srvAudit: the exit code of `hello -c COMMAND` goes on record.
if [[ -n ${SRVAUDIT_COMMAND_PID-} && -r /usr/lib/srvaudit/shell/command.zsh ]]; then
  source /usr/lib/srvaudit/shell/command.zsh
fi
