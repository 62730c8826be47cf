# srvAudit records what is typed: see srvaudit(8).
if [ -n "${BASH_VERSION-}" ] && [ -r /usr/lib/srvaudit/shell/attach.bash ]; then . /usr/lib/srvaudit/shell/attach.bash; fi
