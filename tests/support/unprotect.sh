#!/bin/sh
# Lets spool files that can only be added to be removed again: unprotect.sh FOLDER. Needs root.
spool=$1/root/var/spool/srvaudit
[ ! -d "$spool" ] || chattr -R -f -a -i "$spool"
exit 0
