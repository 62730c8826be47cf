import assert from "node:assert/strict";
import fc from "fast-check";
import { Findings } from "../../src/config/findings.ts";
import { DEFAULT_MASK, readMask } from "../../src/config/mask_patterns.ts";
import { Mask, MASKED } from "../../src/net/mask.ts";

const MASK = new Mask(DEFAULT_MASK);

/** What a person types, and what of it leaves the host. */
const SECRETS: [typed: string, left: string][] = [
  ["mysql -u root -phunter2 shop", "mysql -u root -p***** shop"],
  ["mysqldump --all -p'it is' > x.sql", "mysqldump --all -p***** > x.sql"],
  [`mysql -p'it'\\''s a secret' shop`, "mysql -p***** shop"],
  [`mysql -e "select 1; select 2" -p"a \\" b" shop`, `mysql -e "select 1; select 2" -p***** shop`],
  ["mariadb-dump -h db -phunter2", "mariadb-dump -h db -p*****"],
  [`"/usr/bin/mysql" -phunter2`, `"/usr/bin/mysql" -p*****`],
  [`ssh db "mysql -phunter2 shop" && ls`, `ssh db "mysql -p***** shop" && ls`],
  ["ssh db 'mysql -phunter2' && ls 'b'", "ssh db 'mysql -p*****' && ls 'b'"],
  ["mysqladmin \\\n -phunter2 ping", "mysqladmin \\\n -p***** ping"],
  ["mysql --password=hunter2 x", "mysql --password=***** x"],
  ["tool --password hunter2 x", "tool --password ***** x"],
  ["tool --token 'a b' --verbose", "tool --token ***** --verbose"],
  ["tool --secret=x --api-key y", "tool --secret=***** --api-key *****"],
  ["tool --client-secret abc", "tool --client-secret *****"],
  ["java -jar x -storepassword abc", "java -jar x -storepassword abc"],
  [`curl -H "Authorization: Bearer abc.def" https://x`, `curl -H "Authorization: Bearer *****" https://x`],
  ["curl -H 'authorization: basic dTpw' https://x", "curl -H 'authorization: basic *****' https://x"],
  ["curl -H 'Authorization: token abc' x", "curl -H 'Authorization: token *****' x"],
  ["curl -H Authorization:abc http://x/y", "curl -H Authorization:***** http://x/y"],
  [
    `ssh h "curl -H \\"Authorization: Bearer abc\\" x"`,
    `ssh h "curl -H \\"Authorization: Bearer *****\\" x"`,
  ],
  ["curl -H 'X-Redmine-API-Key: 0123' x", "curl -H 'X-Redmine-API-Key: *****' x"],
  ["curl -H 'PRIVATE-TOKEN: abc' x", "curl -H 'PRIVATE-TOKEN: *****' x"],
  ["curl -u alice:hunter2 https://x", "curl -u alice:***** https://x"],
  ["curl -ualice:hunter2 https://x", "curl -ualice:***** https://x"],
  ["curl --user 'alice:a b' https://x", "curl --user 'alice:*****' https://x"],
  [`curl -s -u "alice:a b" https://x`, `curl -s -u "alice:*****" https://x`],
  ["git clone https://alice:hunter2@git.example/x", "git clone https://alice:*****@git.example/x"],
  ["psql postgres://u:p@h:5432/db", "psql postgres://u:*****@h:5432/db"],
  ["redis-cli -u redis://:p@h", "redis-cli -u redis://:*****@h"],
  ["export FOO_SECRET=abc", "export FOO_SECRET=*****"],
  ["export AWS_SECRET_ACCESS_KEY=abc/def+ghi=", "export AWS_SECRET_ACCESS_KEY=*****"],
  ["AWS_SECRET_THING='x y' aws s3 ls", "AWS_SECRET_THING=***** aws s3 ls"],
  ["GITHUB_TOKEN=abc gh pr list", "GITHUB_TOKEN=***** gh pr list"],
  [`export DB_PASSWORD="a b" DB_HOST=x`, "export DB_PASSWORD=***** DB_HOST=x"],
  ["PGPASSWORD=x psql -h db", "PGPASSWORD=***** psql -h db"],
  ["MYSQL_PWD=x mysql", "MYSQL_PWD=***** mysql"],
  ["export DB_PASS=x; ls", "export DB_PASS=*****; ls"],
  ["curl 'https://x/?access_token=abc&page=2'", "curl 'https://x/?access_token=*****&page=2'"],
  [`curl -d '{"user":"a","password":"b c"}' x`, `curl -d '{"user":"a","password":"*****"}' x`],
  [`curl -d "{\\"api_key\\": \\"b c\\"}" x`, `curl -d "{\\"api_key\\": \\"*****\\"}" x`],
  ["sshpass -p hunter2 ssh h", "sshpass -p ***** ssh h"],
  ["docker login -u bob -p hunter2 x.example", "docker login -u bob -p ***** x.example"],
  ["sudo podman login -p=hunter2", "sudo podman login -p=*****"],
  ["zip -r -P hunter2 a.zip b", "zip -r -P ***** a.zip b"],
  ["7z x -phunter2 a.7z", "7z x -p***** a.7z"],
  ["openssl enc -aes256 -k hunter2 -in f", "openssl enc -aes256 -k ***** -in f"],
  ["curl --oauth2-bearer hunter2 x", "curl --oauth2-bearer ***** x"],
  ["htpasswd -b file alice hunter2", "htpasswd -b file alice *****"],
  ["mysqladmin -u root password hunter2", "mysqladmin -u root password *****"],
  ["aws configure set aws_secret_access_key hunter2", "aws configure set aws_secret_access_key *****"],
  ["cat > x <<E\nuser: a\n  db_password: hunter2\nE", "cat > x <<E\nuser: a\n  db_password: *****\nE"],
  ["sshpass -phunter2 ssh h", "sshpass -p***** ssh h"],
  ["ldapsearch -x -D cn=a -w hunter2 -b dc=x", "ldapsearch -x -D cn=a -w ***** -b dc=x"],
  ["openssl rsa -in k -passin pass:hunter2", "openssl rsa -in k -passin pass:*****"],
  ["echo hunter2 | passwd --stdin alice", "echo ***** | passwd --stdin alice"],
  ["echo 'alice:hunter2' | sudo chpasswd", "echo ***** | sudo chpasswd"],
  ["echo hunter2 | sudo -S apt update", "echo ***** | sudo -S apt update"],
  ["echo abc | docker login -u a --password-stdin r", "echo ***** | docker login -u a --password-stdin r"],
  ["chpasswd <<< alice:hunter2", "chpasswd <<< *****"],
  [`mysql -e "CREATE USER a IDENTIFIED BY 'x y'"`, `mysql -e "CREATE USER a IDENTIFIED BY *****"`],
  ["psql -c \"ALTER USER a PASSWORD 'x'\"", 'psql -c "ALTER USER a PASSWORD *****"'],
  ["aws configure set aws_access_key_id AKIAIOSFODNN7EXAMPLE", "aws configure set aws_access_key_id *****"],
  [`git remote add o ghp_${"a1".repeat(18)}`, "git remote add o *****"],
  [`echo glpat-${"x".repeat(20)} > t`, "echo ***** > t"],
  ["slack xoxb-1234567890-abcdef", "slack *****"],
  [
    "cat > k <<E\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\nbnNz\n-----END OPENSSH PRIVATE KEY-----\nE",
    "cat > k <<E\n-----BEGIN OPENSSH PRIVATE KEY-----*****-----END OPENSSH PRIVATE KEY-----\nE",
  ],
  ["echo '-----BEGIN PRIVATE KEY-----\nMIIB", "echo '-----BEGIN PRIVATE KEY-----*****"],
  [`bash -c "PGPASSWORD=\\"x y\\" psql"`, `bash -c "PGPASSWORD=***** psql"`],
  ["cat > my.cnf <<E\npassword = hunter2\nE", "cat > my.cnf <<E\npassword = *****\nE"],
];

const HARMLESS = [
  "ls -la /var/log",
  "mysql -p shop",
  "mysql -u root -P3306 shop",
  "mysql --protocol=tcp shop; cat -pfile",
  "mkdir -pv /srv/x && cp -pr a b",
  "mysql -p$DB_PASSWORD shop",
  `PGPASSWORD="$PW" psql`,
  "export TOKEN=${TOKEN}",
  "export PASSWORD=",
  "PGPASSWORD= psql -h x",
  `grep "PASSWORD=" file && grep "x" y`,
  "tool --password-file=/run/secrets/db --verbose",
  "export DB_PASSWORD_FILE=/run/secrets/db",
  "tool --password --user alice",
  "adduser --disabled-password alice",
  "psql --no-password shop",
  "curl -u alice https://x:8443/y",
  "curl https://example.com:8443/a@b",
  "ssh alice@host:22",
  "echo hello | sudo tee /etc/motd",
  "echo passwd",
  "cd /home/alice && PWD=/x OLDPWD=/y",
  "vim src/token.ts",
  "scp a:b c:d",
  "git commit -m 'Reset the password of a user'",
  "kubectl get secret db",
];

Deno.test("Mask hides the secrets that people type, and leaves what stands around them", () => {
  for (const [typed, left] of SECRETS) assert.equal(MASK.apply(typed).text, left, typed);
});

Deno.test("Mask leaves alone what holds no secret", () => {
  for (const typed of HARMLESS) assert.deepEqual(MASK.apply(typed), { text: typed, masked: [] });
});

/** A mask of one pattern. */
function maskOf(expression: string): Mask {
  return new Mask([{ name: "own", expression }]);
}

Deno.test("Mask names each pattern that hit, once", () => {
  const { masked } = MASK.apply("mysql -px && mysql -py && GITHUB_TOKEN=abc gh");
  assert.deepEqual(masked, ["mysql-password", "variable"]);
  assert.deepEqual(MASK.apply("").masked, []);
});

Deno.test("Mask hides a group, a shell's word, or all that a pattern finds", () => {
  assert.equal(maskOf("BADGE-(?P<secret>[0-9]+)").apply("BADGE-12 BADGE-3").text, "BADGE-***** BADGE-*****");
  assert.equal(maskOf("badge (?P<word>)").apply("badge 'a b' badge c").text, "badge ***** badge *****");
  assert.equal(maskOf("BADGE-[0-9]+").apply("x BADGE-12 y").text, "x ***** y");
  assert.equal(maskOf("a(?P<secret>b)?").apply("a ab").text, "a a*****");
});

Deno.test("Mask hides a secret wherever it stands among other words", () => {
  const word = fc.stringMatching(/^[a-z0-9/.-]{1,12}$/);
  const secret = fc.stringMatching(/^[A-Za-z0-9+/.,:!@%^*_-]{6,20}$/).filter((text) => !/^\*+$/.test(text));
  const quoted = secret.chain((text) =>
    fc.constantFrom(text, `"${text} ${text}"`, `'${text} ${text}'`, `'${text}'\\''${text}'`).map((typed) => ({
      text,
      typed,
    }))
  );
  const around = fc.array(word, { maxLength: 5 }).map((words) => words.join(" "));
  fc.assert(fc.property(around, quoted, around, (before, { text, typed }, after) => {
    for (const command of [`APP_SECRET=${typed}`, `tool --password=${typed}`, `mysql -p${typed}`]) {
      const left = MASK.apply(`${before}; ${command} ${after}`).text;
      assert.ok(!left.replace(before, "").replace(after, "").includes(text), left);
      assert.ok(left.startsWith(`${before};`) || before !== MASK.apply(before).text, left);
    }
  }));
});

Deno.test("Mask finds nothing more in what it has masked", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...SECRETS).map(([typed]) => typed)), (typed) => {
    const { text } = MASK.apply(typed.join("; "));
    assert.equal(MASK.apply(text).text, text);
  }));
});

Deno.test("Mask's one look at all patterns finds what each of them finds", () => {
  const alone = DEFAULT_MASK.map((pattern) => new Mask([pattern]));
  const piece = fc.oneof(
    fc.constantFrom(...SECRETS).map(([typed]) => typed),
    fc.constantFrom(
      "password",
      "=",
      "token:",
      '"',
      "'",
      "\\",
      "mysql ",
      "-p",
      "curl -u a:",
      "://",
      "@",
      "-----",
      "é",
      "\n",
    ),
    fc.string(),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
    const text = pieces.join("");
    const one = alone.findIndex((mask) => mask.apply(text).text !== text);
    assert.equal(MASK.apply(text).text !== text, one >= 0, text);
  }));
});

Deno.test("Mask takes any text for what it is: no end, no broken character, and nothing before what it hides, is lost", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (before, after) => {
    fc.pre(MASK.apply(before).masked.length === 0 && !/[\w"'\\-]$/.test(before));
    const { text } = MASK.apply(`${before}\nX_TOKEN=abcdef\n${after}`);
    assert.ok(text.startsWith(`${before}\nX_TOKEN=${MASKED}`));
    if (MASK.apply(after).masked.length === 0) assert.ok(text.endsWith(after), text);
  }));
});

/** Built to make an expression go back, or go over a text again and again. */
const HOSTILE = [
  ...[
    "mysql ",
    "mysql -p ",
    "mysql -px ",
    "--password ",
    '--password="',
    'password=a"',
    "password='",
    "SECRET_",
  ],
  ...[
    "echo x | ",
    "authorization: ",
    "-----BEGIN PRIVATE KEY-----",
    "http://:",
    '"password":"',
    "\\",
    "'",
    "curl -u a:",
  ],
  ...["x://a:b@", "passwd <<< ", "eyJ", "a", " ", "-"],
];

Deno.test("Mask is done with a hostile line of a megabyte", () => {
  for (const seed of HOSTILE) {
    const line = seed.repeat(1_000_000 / seed.length);
    const start = performance.now();
    MASK.apply(line);
    // A run away expression would take hours: this is no measurement.
    assert.ok(performance.now() - start < 60_000, seed);
  }
});

Deno.test("Mask hides the rest of a text for which an admin's own expression takes too long", () => {
  for (const expression of ["(?:a+)+b", "(a|aa)+$", "a(?:[^b]*b)?"]) {
    const { text } = maskOf(expression).apply(`${"a".repeat(1_000_000)}!secret`);
    assert.ok(text.length <= 1_000_007 || !text.includes("secret"), expression);
  }
  // Each match looks through the whole text.
  const { text, masked } = maskOf("a(?P<secret>x)?(?:[^b]*b)?").apply("ax".repeat(500_000) + "SECRET");
  assert.deepEqual(masked, ["own"]);
  assert.ok(!text.includes("SECRET"));
});

Deno.test("Mask makes the same of a text each time, however long that takes", () => {
  const texts = [
    `mysql -pX shop; ${"ls -l /tmp; ".repeat(40)}`.repeat(100) + "echo y | passwd; PASSWORD=z",
    "zip -P x a ".repeat(6000) + "PASSWORD=z",
  ];
  const usual = texts.map((text) => MASK.apply(text));
  const now = performance.now;
  try {
    let ms = 0;
    performance.now = () => ms += 100_000;
    assert.deepEqual(texts.map((text) => MASK.apply(text)), usual);
  } finally {
    performance.now = now;
  }
  assert.ok(usual[0]?.text.endsWith("; PASSWORD=*****"), "within the budget");
  assert.ok(usual[1]?.text.endsWith("*****") && !usual[1].text.includes("PASSWORD"), "beyond it");
});

Deno.test("readMask() reads names and expressions, and says which line is none, without what it says", () => {
  const errors = new Findings("/etc/srvaudit/mask");
  const text = [
    "# a comment",
    "",
    "  badge   BADGE-[0-9]+ x ",
    "hunter2",
    "a=b  c",
    "open  (a",
    "behind  (?<=a)b",
    "empty  a*",
    "badge  NO-[0-9]+",
  ].join("\n");
  assert.deepEqual(readMask(text, errors), [
    { name: "badge", expression: "BADGE-[0-9]+ x" },
    { name: "badge", expression: "NO-[0-9]+" },
  ]);
  assert.deepEqual(errors.inOrder(), [
    "/etc/srvaudit/mask: line 4: expected a name and a regular expression, such as: badge  BADGE-[0-9]+",
    "/etc/srvaudit/mask: line 5: a pattern's name has letters, digits, - and _ alone, and stands before its expression",
    "/etc/srvaudit/mask: line 6: open: this is no regular expression of RE2: missing closing )",
    "/etc/srvaudit/mask: line 7: behind: this is no regular expression of RE2: invalid named capture (nothing looks ahead or behind there)",
    "/etc/srvaudit/mask: line 8: empty: the expression matches nothing at all: every text has that",
  ]);
});

Deno.test("the mask file that is shipped has the patterns that hold without one", async () => {
  const errors = new Findings("packaging/mask");
  const text = await Deno.readTextFile(new URL("../../packaging/mask", import.meta.url));
  assert.deepEqual(readMask(text, errors), DEFAULT_MASK);
  assert.ok(errors.isEmpty);
});
