import assert from "node:assert/strict";
import { DEFAULT_MASK } from "../../src/config/mask_patterns.ts";
import { Mask } from "../../src/net/mask.ts";

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
