/** `/etc/srvaudit/config` and `/etc/srvaudit/mask`: shipped, filled in by the installer, and the admin's from then on. */

import { checkConfig, type ConfigReport } from "../../config/agent_settings.ts";
import type { Change, ChangeKind, Preview } from "../change.ts";
import { withNewKeys, withoutSecrets, withValues } from "../config_text.ts";
import type { Target } from "../target.ts";
import {
  type EtcBefore,
  type EtcName,
  firstText,
  isClosed,
  pathOf,
  presentText,
  putBack,
  rememberBefore,
  rememberShipped,
  shippedEarlier,
  shippedText,
  writeText,
} from "./etc_file.ts";

/** What is to stand in the config, by key. */
export type ConfigValues = Readonly<Record<string, string>>;

/**
 * The config as an installation would leave it: every key that this version knows, and these values.
 *
 * @throws {Error} if there is no reading the present one, or a value that no line can hold
 */
export function plannedConfig(target: Target, values: ConfigValues): string {
  const shipped = shippedText(target, "config");
  return withValues(withNewKeys(firstText(target, "config"), shipped), values);
}

/** What the agent would say of such a config. */
export function reportOn(target: Target, text: string): ConfigReport {
  const mask = presentText(target, "mask");
  return checkConfig(
    text,
    pathOf("config"),
    mask === undefined ? undefined : { text: mask, file: pathOf("mask") },
  );
}

/**
 * The change that fills the config in.
 *
 * @param values by key; they are no arguments of the change, since the journal has those, and some of these are secrets
 *
 * @example
 * ```ts
 * configChange({ pms: "Redmine", redmineURL: "https://redmine.corp.example", redmineKey: key });
 * ```
 */
export function configChange(values: ConfigValues): Change<null, EtcBefore> {
  return { kind: configWith(values), about: pathOf("config"), args: null };
}

/** The change that places the mask file, or a newer one where nobody has changed it. */
export function maskChange(): Change<null, EtcBefore> {
  return { kind: maskFile, about: pathOf("mask"), args: null };
}

/** What undoing a change of the config takes. */
export const configText: ChangeKind<null, EtcBefore> = configWith({});

/** The mask file. */
export const maskFile: ChangeKind<null, EtcBefore> = {
  ...etcFile("mask", "mask", (target) => {
    const now = firstText(target, "mask");
    return now === shippedEarlier(target, "mask") ? shippedText(target, "mask") : now;
  }),
  isDone(target) {
    const shipped = shippedText(target, "mask");
    const now = presentText(target, "mask");
    const earlier = shippedEarlier(target, "mask");
    return isClosed(target, "mask") && (now === shipped ? earlier === shipped : now !== earlier);
  },
  apply(target) {
    const shipped = shippedText(target, "mask");
    const now = firstText(target, "mask");
    const wanted = now === shippedEarlier(target, "mask") ? shipped : now;
    writeText(target, "mask", wanted);
    if (wanted === shipped) rememberShipped(target, "mask", shipped);
  },
};

function configWith(values: ConfigValues): ChangeKind<null, EtcBefore> {
  return etcFile("config", "config", (target) => {
    const wanted = plannedConfig(target, values);
    const { errors } = reportOn(target, wanted);
    if (errors.length === 0) return wanted;
    // What is wrong already is the admin's to mend: an upgrade must not fail for it.
    if (Object.keys(values).length === 0) return firstText(target, "config");
    throw new Error(`${pathOf("config")} would have errors, so nothing is written:\n${errors.join("\n")}`);
  });
}

function etcFile(
  kind: string,
  name: EtcName,
  wantedOf: (target: Target) => string,
): ChangeKind<null, EtcBefore> {
  return {
    kind,
    isDone: (target) => isClosed(target, name) && presentText(target, name) === wantedOf(target),
    preview: (target) => preview(target, name, wantedOf(target)),
    writes: () => [pathOf(name)],
    before: (target) => rememberBefore(target, name),
    apply: (target) => writeText(target, name, wantedOf(target)),
    undo(target, _args, before) {
      putBack(target, name, before);
      return [];
    },
  };
}

function preview(target: Target, name: EtcName, wanted: string): Preview[] {
  const now = presentText(target, name);
  const changes: Preview[] = [];
  if (now !== wanted) {
    changes.push({
      path: pathOf(name),
      now: now === undefined ? undefined : withoutSecrets(now, undefined),
      then: withoutSecrets(wanted, now),
    });
  }
  if (now !== undefined && !isClosed(target, name)) {
    changes.push({ does: `chown root:srvaudit ${pathOf(name)}; chmod 640 ${pathOf(name)}` });
  }
  return changes;
}
