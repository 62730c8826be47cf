# shellcheck shell=sh
# srvAudit records what is typed: see srvaudit(8). Login shells of bash read this; others pass it by.
if [ -n "${BASH_VERSION-}" ] && [ -r /usr/lib/srvaudit/shell/attach.bash ]; then
  # shellcheck disable=SC1091 # it is there where srvAudit is installed
  . /usr/lib/srvaudit/shell/attach.bash
fi
