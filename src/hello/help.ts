import { VERSION } from "../config/version.ts";

/** What `hello --help` prints. */
export const help = `hello: srvAudit's login shell. It asks for a ticket, then becomes your shell.

Usage:
  hello [-l]                  ask for a ticket, then an interactive shell
  hello -c COMMAND [ARG...]   run COMMAND as your shell would; on record
  hello --forced              what sshd's ForceCommand starts: the command that
                              SSH_ORIGINAL_COMMAND holds, or a login shell
  hello --help | --version

All options of the real shell are handed on to it. At the ticket prompt:
  17       go on with ticket 17
  ?        list your open tickets
  words    search them
  (blank)  make a new ticket: what it needs is asked, Enter takes the default
In an emergency, who may (breakGlassGroup) types emergency there, and a reason.

A command that nobody types has the ticket that SRVAUDIT_TICKET names, which
ssh sends (SendEnv) where sshd lets it through (AcceptEnv).

Examples:
  usermod -s /usr/bin/hello-srvaudit alice    make it alice's login shell
  hello -c 'systemctl status nginx'           one command, its exit code kept

The real shell is /bin/bash, or defaultShell="/path" in /etc/srvaudit/config,
or a line alice="/bin/zsh" in /etc/srvaudit/shells.
See also: saticket(1), ash_query(1), srvaudit(8)`;

/** What `hello --version` prints. */
export const version = `hello (srvAudit) ${VERSION}`;
