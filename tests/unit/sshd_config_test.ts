import assert from "node:assert/strict";
import { withBlock } from "../../src/install/blocks.ts";
import {
  criteriaOf,
  includeOf,
  matchLines,
  matchName,
  SNIPPET,
  withoutForce,
} from "../../src/install/sshd_config.ts";

const HELLO = "/usr/bin/hello-srvaudit";

Deno.test("criteriaOf() names users, and never root by a group or by everybody", () => {
  assert.deepEqual(criteriaOf("User alice,bob"), ["User alice,bob"]);
  assert.deepEqual(criteriaOf("User root,alice"), ["User root,alice"]);
  assert.deepEqual(criteriaOf("User *"), ["User *,!root"]);
  assert.deepEqual(criteriaOf("User *,!root,!git"), ["User *,!root,!git"]);
  assert.deepEqual(criteriaOf("Group ops"), ["Group ops User *,!root"]);
  assert.deepEqual(criteriaOf("Group ops User *,!git"), ["Group ops User *,!root,!git"]);
  assert.deepEqual(criteriaOf("User alice@example.org,josé,svc$"), ["User alice@example.org,josé,svc$"]);
});

Deno.test("criteriaOf() keeps lines short, as older sshds cut them off", () => {
  const names = Array.from({ length: 1000 }, (_, i) => `somebody-with-a-long-name-${i}`);
  const lines = criteriaOf(`User ${names.join(",")}`);
  assert.deepEqual(lines.flatMap((line) => line.slice("User ".length).split(",")), names);
  for (const line of lines) assert.ok(line.length < 1000, line);
});

Deno.test("criteriaOf() refuses what sshd would read more into than a name", () => {
  for (
    const name of [
      "al*ce",
      "al?ce",
      "!alice",
      "al ice",
      "al\nice",
      '"alice"',
      "#alice",
      "DOMAIN\\alice",
      "",
      "-alice",
    ]
  ) {
    assert.throws(() => matchName(name), /passwd/, name);
    assert.throws(() => criteriaOf(`User ${name}`), Error, name);
    assert.throws(() => criteriaOf(`Group ${name}`), Error, name);
    assert.throws(() => criteriaOf(`User *,!${name}`), Error, name);
  }
  for (
    const match of ["", "all", "User", "User *a", "Group ops User alice", "User a User b", "Address 10.0.0.1"]
  ) {
    assert.throws(() => criteriaOf(match), Error, match);
  }
});

Deno.test("includeOf() finds the line that takes a file of ours for everybody", () => {
  const found = (text: string) => includeOf(text, SNIPPET);
  assert.equal(found("Include /etc/ssh/sshd_config.d/*.conf\n"), 0);
  assert.equal(found("# sshd\n\n\tinclude  sshd_config.d/*.conf\nPort 22\n"), 2);
  assert.equal(found('Include "/etc/ssh/sshd_config.d/*.conf" # the distribution\'s\n'), 0);
  assert.equal(found("Include=/etc/ssh/sshd_config.d/s?vaudit.conf\n"), 0);
  assert.equal(found("Include /etc/ssh/other/*.conf sshd_config.d/[a-s]*.conf\n"), 0);
  assert.equal(found("Include /etc/ssh/sshd_config.d/[!s]*.conf\n"), undefined);
  assert.equal(found("# Include /etc/ssh/sshd_config.d/*.conf\n"), undefined);
  assert.equal(found("Port 22 # Include /etc/ssh/sshd_config.d/*.conf\n"), undefined);
  assert.equal(found("Include /etc/ssh/sshd_config.d/*.cnf\n"), undefined);
  assert.equal(found("Include /etc/ssh/sshd_config.d/[.conf\n"), undefined);
});

Deno.test("includeOf() takes no Include below a Match: it holds for some alone", () => {
  assert.equal(includeOf("Port 22\nMatch User bob\n  Include sshd_config.d/*.conf\n", SNIPPET), undefined);
  assert.equal(includeOf("Include sshd_config.d/*.conf\nMatch User bob\n", SNIPPET), 0);
});

Deno.test("withoutForce() leaves nobody forced, whatever became of the block's marks", () => {
  const lines = matchLines("User alice", HELLO);
  const whole = withBlock("Port 22\n", lines) + "PasswordAuthentication no\n";
  assert.equal(withoutForce(whole, true), "Port 22\nPasswordAuthentication no\n");
  for (const mark of ["# >>> srvaudit >>>\n", "# <<< srvaudit <<<\n"]) {
    const left = withoutForce(whole.replace(mark, ""), true);
    assert.equal(left.includes("ForceCommand"), false);
    assert.ok(left.startsWith("Port 22\n") && left.endsWith("PasswordAuthentication no\n"));
  }
  const others =
    "Match User bob\n  ForceCommand /usr/bin/other --forced\n  #ForceCommand exec /usr/bin/hello --forced\n";
  assert.equal(withoutForce(others, true), others);
});
