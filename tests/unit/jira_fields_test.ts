import assert from "node:assert/strict";
import { CLOUD, SERVER } from "../../src/trackers/jira/editions.ts";
import { choicesOf, type Field, valueOf } from "../../src/trackers/jira/fields.ts";
import { CREATE_FIELDS, ISSUE_TYPES, PROJECTS } from "../../src/trackers/jira/replies.ts";

const CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:";
const VALUES = [{ id: "1", name: "db, primary" }, { id: 2, name: "web" }, {
  id: "3",
  name: "old",
  disabled: true,
}];

function field(schema: Field["schema"], allowedValues?: Field["allowedValues"]): Field {
  return { id: "customfield_1", name: "Field", required: true, schema, allowedValues };
}

const nobody = () => Promise.resolve(undefined);
const anybody = (name: string) => Promise.resolve({ id: `id of ${name}` });

Deno.test("choicesOf() offers what is not disabled, and each second list behind its first", () => {
  assert.deepEqual(choicesOf(field({ type: "priority" }, VALUES)), [
    { value: "1", label: "db, primary" },
    { value: "2", label: "web" },
  ]);
  const cascading = field({ type: "option-with-child" }, [
    { id: "10", value: "EU", children: [{ id: "11", value: "Berlin" }] },
  ]);
  assert.deepEqual(choicesOf(cascading), [
    { value: "10", label: "EU" },
    { value: "10/11", label: "EU / Berlin" },
  ]);
  assert.equal(choicesOf(field({ type: "string" }, [])), undefined);
});

Deno.test("valueOf() gives one value as its id, by its id or its label in any case", async () => {
  const priority = field({ type: "priority" }, VALUES);
  assert.deepEqual(await valueOf(priority, "WEB", SERVER, nobody), { id: "2" });
  assert.deepEqual(await valueOf(priority, "2", SERVER, nobody), { id: "2" });
  await assert.rejects(valueOf(priority, "old", SERVER, nobody), /choose one of db, primary, web/);
  const cascading = field({ type: "option-with-child" }, [
    { id: "10", value: "EU", children: [{ id: "11", value: "Berlin" }] },
  ]);
  assert.deepEqual(await valueOf(cascading, "eu / berlin", CLOUD, nobody), { id: "10", child: { id: "11" } });
  assert.deepEqual(await valueOf(cascading, "EU", CLOUD, nobody), { id: "10" });
});

Deno.test("valueOf() gives several values as a list, parted by commas that are in none of their names", async () => {
  const components = field({ type: "array", items: "component", system: "components" }, VALUES);
  assert.deepEqual(await valueOf(components, "db, primary", CLOUD, nobody), [{ id: "1" }]);
  assert.deepEqual(await valueOf(components, "web,2", CLOUD, nobody), [{ id: "2" }, { id: "2" }]);
  const labels = field({ type: "array", items: "string", system: "labels" });
  assert.deepEqual(await valueOf(labels, "a b,c", CLOUD, nobody), ["a", "b", "c"]);
  const people = field({ type: "array", items: "user" });
  assert.deepEqual(await valueOf(people, "ann, bob", CLOUD, anybody), [
    { accountId: "id of ann" },
    { accountId: "id of bob" },
  ]);
});

Deno.test("valueOf() gives text as the edition takes it", async () => {
  const area = field({ type: "string", custom: `${CUSTOM}textarea` });
  assert.deepEqual(await valueOf(area, "a\nb", SERVER, nobody), "a\nb");
  assert.match(JSON.stringify(await valueOf(area, "a\nb", CLOUD, nobody)), /"hardBreak"/);
  const line = field({ type: "string", custom: `${CUSTOM}textfield` });
  assert.equal(await valueOf(line, "*a*", CLOUD, nobody), "*a*");
  const environment = field({ type: "string", system: "environment" });
  assert.match(String(await valueOf(environment, "*a*", SERVER, nobody)), /&#42;a&#42;/);
});

Deno.test("valueOf() knows moments, users, groups and estimates", async () => {
  const value = (type: string, answer: string) => valueOf(field({ type }), answer, SERVER, anybody);
  assert.equal(await value("datetime", "2026-01-31T17:00:00Z"), "2026-01-31T17:00:00.000+0000");
  assert.deepEqual(await value("user", "ann"), { name: "id of ann" });
  assert.deepEqual(await value("group", "ops"), { name: "ops" });
  assert.deepEqual(await value("timetracking", "2h"), { originalEstimate: "2h" });
  for (
    const [type, answer] of [["datetime", "soon"], ["date", "31.1.2026"], ["number", " "], [
      "number",
      "1e999",
    ]]
  ) {
    await assert.rejects(value(type ?? "", answer ?? ""), {
      name: "TicketRefusedError",
      message: /Field cannot be/,
    });
  }
  await assert.rejects(valueOf(field({ type: "user" }), "zoe", SERVER, nobody), /no such user/);
});

Deno.test("lists are read by the names that each edition has for them, and no others", () => {
  const type = { id: "1", name: "Task", subtask: false };
  assert.deepEqual(ISSUE_TYPES.parse({ issueTypes: [type], total: 7 }), { items: [type], total: 7 });
  assert.deepEqual(ISSUE_TYPES.parse({ values: [type], isLast: true, total: 1 }), {
    items: [type],
    total: 1,
    isLast: true,
  });
  assert.deepEqual(PROJECTS.parse([{ key: "OPS", name: "Operations" }]), {
    items: [{ key: "OPS", name: "Operations" }],
    isLast: true,
  });
  for (const reply of [{}, { fields: "none" }, { fields: [{ name: "x" }] }, null]) {
    assert.equal(CREATE_FIELDS.safeParse(reply).success, false);
  }
});
