# srvAudit: commands go on record. The hook attaches itself for good at the first prompt, after ~/.zshrc.
if [[ -o interactive && -r /usr/lib/srvaudit/shell/srvaudit.zsh ]]; then
  SRVAUDIT_BIN=/usr/lib/srvaudit
  source /usr/lib/srvaudit/shell/srvaudit.zsh
fi
