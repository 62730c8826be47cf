# How srvAudit comes into a zsh where nothing is installed: `hello` starts it with ZDOTDIR=<this folder>, and the user's own
# ZDOTDIR, if she has one, in SRVAUDIT_ZDOTDIR. From here on it is hers again: zsh goes on with her own .zprofile, .zshrc,
# .zlogin and .zlogout, as it would have.

_srvaudit_folder=${ZDOTDIR:h}
if [[ -n ${SRVAUDIT_ZDOTDIR+set} ]]; then
  export ZDOTDIR=$SRVAUDIT_ZDOTDIR
else
  'builtin' 'unset' ZDOTDIR
fi
'builtin' 'unset' SRVAUDIT_ZDOTDIR
# hello gives a command's file to the very next shell alone: before anything of the user's runs.
if [[ -n ${SRVAUDIT_COMMAND_PID-} ]]; then
  'builtin' 'source' "$_srvaudit_folder/command.zsh"
fi
if [[ -r ${ZDOTDIR-$HOME}/.zshenv ]]; then
  'builtin' 'source' "${ZDOTDIR-$HOME}/.zshenv"
fi
if [[ -o interactive && -r $_srvaudit_folder/srvaudit.zsh ]]; then
  'builtin' 'source' "$_srvaudit_folder/srvaudit.zsh"
fi
'builtin' 'unset' _srvaudit_folder
