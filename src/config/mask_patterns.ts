/** What is masked in all that leaves the host: patterns of secrets that people type. */

import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";
import type { Findings } from "./findings.ts";

/** A kind of secret. */
export interface MaskPattern {
  /** Names the pattern, for evidence and messages: `mysql-password`. */
  name: string;
  /**
   * A regular expression of RE2. What its group `secret` matches is masked; or the word that begins at its group `word`, as a
   * shell would read it; or all that it matches.
   */
  expression: string;
}

/** What stands between a program and an option of its: further options, and texts in quotes, but no other command. */
const OPTIONS = String.raw`["']?(?:[^|;&\n"'\\]|\\(?s:.)|"(?:[^"\\]|\\.)*"|'[^']*')*?[ \t]`;
const CURL = String.raw`\b(?:curl|wget|https?|xh)\b${OPTIONS}(?:-[uUa]|--(?:proxy-)?user|--auth)(?:[ \t]*|=)`;
/** How the names of secrets end. */
const SECRET_NAME =
  "(?:password|passwd|passphrase|token|secret|credentials?|(?:api|access|account|secret|private|auth|encryption|license|master|signing)[_-]?key)";

/** What holds where there is no mask file, which `packaging/mask` repeats. */
export const DEFAULT_MASK: readonly MaskPattern[] = [
  {
    name: "private-key",
    expression: String.raw`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?P<secret>(?:[^-]|-[^-])*)`,
  },
  // Programs with an option of their own.
  {
    name: "mysql-password",
    expression: String.raw`\b(?:mysql|mariadb|mycli)[a-z_-]*${OPTIONS}-p(?P<word>)[^ \t\n]`,
  },
  { name: "curl-user", expression: String.raw`${CURL}"[^:"/]*:(?P<secret>(?:[^"\\]|\\.)+)` },
  { name: "curl-user", expression: String.raw`${CURL}'[^:'/]*:(?P<secret>[^']+)` },
  { name: "curl-user", expression: String.raw`${CURL}(?:\\")?[^\s:"'/\\]*:(?P<word>)[^/]` },
  {
    name: "program-password",
    expression: String
      .raw`\b(?:sshpass${OPTIONS}-p|mongo[a-z]*${OPTIONS}-p|ldap[a-z]+${OPTIONS}-w|redis-cli${OPTIONS}(?:-a|--pass)|(?:useradd|usermod)${OPTIONS}-p|smbclient${OPTIONS}-U[ \t]*[^\s%"']+%)[ \t]*(?P<word>)`,
  },
  {
    name: "program-password",
    expression: String
      .raw`\b(?:(?:docker|podman|nerdctl|skopeo|buildah|oc|az|helm)[ \t][^|;&\n]*\blogin${OPTIONS}-p|zip${OPTIONS}-P|(?:7z[a-z]?|rar|unrar)${OPTIONS}-p|openssl${OPTIONS}-[kK]|curl${OPTIONS}--oauth2-bearer|htpasswd${OPTIONS}-[a-zA-Z]*b[a-zA-Z]*[ \t]+[^ \t]+[ \t]+[^ \t]+|mysqladmin${OPTIONS}password|aws[ \t]+configure[ \t]+set[ \t]+[^ \t]*(?:secret|token)[^ \t]*)[ \t=]*(?P<word>)`,
  },
  { name: "openssl-password", expression: String.raw`[ \t=]pass:(?P<word>)` },
  {
    name: "piped-password",
    expression: String
      .raw`\b(?:echo|printf)[ \t]+(?:-[neE]+[ \t]+)?(?P<secret>[^|\n]+?)[ \t]*\|[ \t]*(?:sudo[ \t]+(?:-[a-zA-Z]+[ \t]+)*)?(?:\S*/)?(?:passwd|chpasswd|smbpasswd|cryptsetup|sudo[ \t]+(?:-[a-zA-Z]+[ \t]+)*-[a-zA-Z]*S|[a-z]+[ \t][^|;&\n]*--(?:password|passphrase|token|with-token)(?:-stdin|-fd|\b))`,
  },
  {
    name: "piped-password",
    expression: String.raw`\b(?:passwd|chpasswd|smbpasswd)\b[^|;&\n<]*<<<[ \t]*(?P<word>)`,
  },
  {
    name: "sql-password",
    expression: String
      .raw`(?i)\bidentified[ \t]+(?:with[ \t]+\S+[ \t]+)?by[ \t]+(?:password[ \t]+)?(?P<word>)`,
  },
  { name: "sql-password", expression: String.raw`(?i)\bpassword[ \t]+(?P<word>)['"]` },
  // Headers, and whatever has a name that says so.
  {
    name: "authorization",
    expression: String
      .raw`(?i)\bauthorization\\?["']?[ \t]*[:=][ \t]*\\?["']?(?:(?:basic|bearer|digest|token|api-?key|key|negotiate|ntlm|oauth|pat|splunk|geniekey)[ \t]+)?(?P<secret>(?:[^\s"'\\]|\\[^"'])+)`,
  },
  {
    name: "header",
    expression: String
      .raw`(?i)\b(?:(?:[a-z0-9]+-)+(?:key|token|secret|auth|password)|apikey)[ \t]*:[ \t]*(?P<secret>(?:[^\s"'\\]|\\[^"'])+)`,
  },
  { name: "cookie", expression: String.raw`(?i)["'](?:set-)?cookie:[ \t]*(?P<secret>[^"']+)` },
  {
    name: "json",
    expression: String.raw`(?i)${SECRET_NAME}"[ \t]*:[ \t]*"(?P<secret>(?:[^"\\]|\\(?s:.))*)`,
  },
  {
    name: "json",
    expression: String.raw`(?i)${SECRET_NAME}\\"[ \t]*:[ \t]*\\"(?P<secret>(?:[^"\\]|\\[^"])*)`,
  },
  // As in YAML, which people paste into `cat > file <<EOF`.
  {
    name: "entry",
    expression: String.raw`(?im)^[ \t]*(?:- )?[a-z0-9_.-]*${SECRET_NAME}[ \t]*:[ \t]+(?P<word>)[^ \t]`,
  },
  {
    name: "option",
    expression: String
      .raw`(?i)[ \t]-{1,2}(?:(?:access|admin|api|app|auth|aws|bearer|bot|client|db|database|git|github|gitlab|http|https|ftp|key|ldap|master|new|old|private|proxy|refresh|registration|registry|root|secret|session|shared|smtp|user|vault|web|webhook)-?)*${SECRET_NAME}[ \t]+(?P<word>)[^\s-]`,
  },
  {
    name: "variable",
    expression: String
      .raw`(?i)(?:${SECRET_NAME}|[a-z]_?pass|\bpass|mysql_pwd|aws_secret[a-z_]*|secret_key_base)[0-9]*(?:=|[ \t]+=[ \t]+)(?P<word>)`,
  },
  { name: "url", expression: String.raw`\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@"']*:(?P<secret>[^\s/@"']+)@` },
  // Secrets that are known by their own looks.
  { name: "aws-key", expression: String.raw`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b` },
  { name: "github-token", expression: String.raw`\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,}` },
  { name: "gitlab-token", expression: String.raw`\bgl[a-z]{1,5}-[A-Za-z0-9_=-]{20,}` },
  { name: "slack-token", expression: String.raw`\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{10,}` },
  {
    name: "slack-webhook",
    expression: String.raw`\bhooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/]+)`,
  },
  { name: "jwt", expression: String.raw`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*` },
  {
    name: "service-key",
    expression: String
      .raw`\b(?:AIza[0-9A-Za-z_-]{35}|[rs]k_live_[0-9A-Za-z]{16,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{20,}|hvs\.[A-Za-z0-9_-]{20,}|ATATT[A-Za-z0-9_=-]{20,})`,
  },
];

/**
 * Reads a mask file: lines `name  expression`, blank lines, and `#` comments.
 *
 * @param errors where each line that is none is added
 */
export function readMask(text: string, errors: Findings): MaskPattern[] {
  const patterns: MaskPattern[] = [];
  text.split("\n").forEach((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return;
    const [, name, expression] = /^(\S+)\s+(\S.*)$/.exec(line) ?? [];
    const fault = name === undefined || expression === undefined
      ? "expected a name and a regular expression, such as: badge  BADGE-[0-9]+"
      : faultOf(name, expression);
    if (fault !== undefined) errors.add(index + 1, fault);
    else if (name !== undefined && expression !== undefined) patterns.push({ name, expression });
  });
  return patterns;
}

/** The line's text is not shown: an expression may be a secret itself. */
function faultOf(name: string, expression: string): string | undefined {
  if (!/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/.test(name)) {
    return "a pattern's name has letters, digits, - and _ alone, and stands before its expression";
  }
  try {
    const compiled = RE2JS.compile(expression);
    if (compiled.matches("")) return `${name}: the expression matches nothing at all: every text has that`;
    return undefined;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const hint = /\(\?[=!<]/.test(expression) ? " (nothing looks ahead or behind there)" : "";
    const words = error instanceof RE2JSSyntaxException ? error.getDescription() : error.message;
    return `${name}: this is no regular expression of RE2: ${words}${hint}`;
  }
}
