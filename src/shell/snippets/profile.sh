# srvAudit records what is typed: see srvaudit(8). Login shells of bash read this; others pass it by.
if [ -n "${BASH_VERSION-}" ] && [ -r /usr/lib/srvaudit/shell/attach.bash ]; then . /usr/lib/srvaudit/shell/attach.bash; fi
