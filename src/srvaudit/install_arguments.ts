/** The command line of `srvaudit install`, `uninstall` and `rescue`. */

import { merge, object, or } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { examples } from "./examples.ts";

const file = string({
  metavar: "FILE",
  pattern: /^[^-]/,
  errors: { patternMismatch: (input) => message`unknown option ${input}; a file of that name is ./${input}` },
});

const dryRun = option("--dry-run", {
  description: message`show what would be changed, as a diff, and change nothing`,
});
const yes = option("-y", "--yes", { description: message`ask nothing` });

/** What `readAnswers` takes. */
const flags = object({
  answers: optional(
    option("--answers", file, {
      description:
        message`take answers from it: lines of key="value", the config's keys and users, group, all, forceCommand, testTicket, safety`,
    }),
  ),
  set: multiple(
    option("--set", string({ metavar: "KEY=VALUE" }), { description: message`write this to the config` }),
  ),
  setFrom: multiple(
    option("--set-from", string({ metavar: "KEY=FILE" }), {
      description:
        message`write this to the config, the value from a file: for secrets, which all can see in a command line`,
    }),
  ),
  users: optional(
    option("--users", string({ metavar: "A,B" }), {
      description: message`these get hello as their shell; root too, if you name it`,
    }),
  ),
  group: optional(
    option("--group", string({ metavar: "GROUP" }), {
      description: message`its members get hello as their shell`,
    }),
  ),
  all: option("--all", { description: message`everybody with a person's uid whose shell is bash or zsh` }),
  nobody: option("--nobody", { description: message`nobody gets it now` }),
  forceCommand: option("--force-command", {
    description: message`change no shell: sshd forces hello on them`,
  }),
  testTicket: optional(
    option("--test-ticket", string({ metavar: "KEY" }), {
      description: message`the ticket that hello is tried out with; otherwise one is made`,
    }),
  ),
  noSafety: option("--no-safety", {
    description: message`do not put everything back in 10 minutes unless that is confirmed`,
  }),
});

/** `srvaudit install`, and no word more. */
const NOTHING_SAID = {
  action: "install",
  yes: false,
  dryRun: false,
  answers: undefined,
  set: [],
  setFrom: [],
  users: undefined,
  group: undefined,
  all: false,
  nobody: false,
  forceCommand: false,
  testTicket: undefined,
  noSafety: false,
} as const;

/** The parser of `srvaudit install`. */
export const installParser = command(
  "install",
  // or() takes nothing for an answer that is missing.
  withDefault(
    or(
      merge(object({ action: constant("install"), yes, dryRun }), flags),
      object({
        action: constant("install confirm"),
        confirm: flag("--confirm", {
          description: message`keep what was installed: nothing is put back any more`,
        }),
      }),
      object({
        action: constant("install hooks"),
        hooksOnly: flag("--hooks-only", {
          description:
            message`the files, the group and the shells' hooks: no user's shell, no agent, no question`,
        }),
        dryRun,
      }),
    ),
    NOTHING_SAID,
  ),
  {
    brief: message`Put srvAudit on this host, or another version of it.`,
    description:
      message`Asks what it must know, checks each answer, shows what it will change, changes it, tries it out as the users, and gives them hello as their shell. Everything is put back in 10 minutes unless you confirm. Running it again goes on where it was, and changes only what is not so yet.`,
    footer: examples(
      "srvaudit install                             asks",
      "srvaudit install --users alice --dry-run     what would be changed?",
      "srvaudit install -y --answers FILE --all     asks nothing",
      "srvaudit install --confirm                   I could log in: keep it",
    ),
  },
);

/** The parser of `srvaudit uninstall`. */
export const uninstallParser = command(
  "uninstall",
  object({
    action: constant("uninstall"),
    purge: option("--purge", {
      description: message`the evidence, the spool, the config and the log go too`,
    }),
    keepFiles: option("--keep-files", {
      description: message`leave the files that a package has placed: for the package's own scripts`,
    }),
    yes,
    dryRun: option("--dry-run", { description: message`show what would be put back, and change nothing` }),
  }),
  {
    brief: message`Put everything back as it was before.`,
    description:
      message`Gives the users their shells back, and removes every file, line, unit and group of srvAudit's. The evidence and the config stay unless ${
        commandLine("--purge")
      }; users keep their ~/.ash.`,
    footer: examples(
      "srvaudit uninstall             everything but the evidence",
      "srvaudit uninstall --purge     without a trace",
      "srvaudit uninstall --dry-run   what would be changed?",
    ),
  },
);

/** The parser of `srvaudit rescue`. */
export const rescueParser = command(
  "rescue",
  object({
    action: constant("rescue"),
    users: multiple(
      argument(string({ metavar: "USER" }), { description: message`these alone; otherwise everybody` }),
    ),
    hooks: option("--hooks", { description: message`and take the shells' hooks out of the startup files` }),
    root: optional(
      option("--root", string({ metavar: "DIR" }), {
        description: message`on the disk that is mounted there`,
      }),
    ),
  }),
  {
    brief: message`Nobody can log in: give users their plain shells back.`,
    description:
      message`Gives users the shell back that they had before hello; where nobody is named, sshd forces hello on nobody any more. Nothing else is changed.`,
    footer: examples(
      "srvaudit rescue                   everybody",
      "srvaudit rescue alice             her alone",
      "srvaudit rescue --root /mnt       from a rescue disk",
    ),
  },
);
