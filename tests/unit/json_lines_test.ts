import assert from "node:assert/strict";
import fc from "fast-check";
import { errorLine, LineBuffer, readRequest, resultLine } from "../../src/agent/json_lines.ts";
import { ERRORS } from "../../src/desk/protocol.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function refusalOf(line: string | Uint8Array): [id: unknown, code: number] {
  const request = readRequest(typeof line === "string" ? bytesOf(line) : line);
  assert.ok("error" in request, `not refused: ${JSON.stringify(request)}`);
  assert.notEqual(request.error.message, "");
  return [request.id, request.error.code];
}

Deno.test("LineBuffer cuts bytes into the same lines, whatever pieces they come in", () => {
  const byte = fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 255 }));
  const pieces = fc.array(fc.array(byte, { maxLength: 6000 }), { maxLength: 12 });
  fc.assert(fc.property(pieces, fc.boolean(), (pieces, takesAtOnce) => {
    const buffer = new LineBuffer();
    const lines: number[][] = [];
    const takeAll = () => {
      for (let line = buffer.take(); line; line = buffer.take()) lines.push([...line]);
    };
    for (const piece of pieces) {
      buffer.append(Uint8Array.from(piece));
      if (takesAtOnce) takeAll();
    }
    takeAll();
    const wanted: number[][] = [[]];
    for (const byte of pieces.flat()) {
      if (byte === 10) wanted.push([]);
      else wanted.at(-1)?.push(byte);
    }
    const rest = wanted.pop();
    assert.deepEqual(lines, wanted);
    assert.equal(buffer.size, rest?.length);
    assert.equal(buffer.hasLine, false);
  }));
});

Deno.test("LineBuffer forgets all when it is cleared", () => {
  const buffer = new LineBuffer();
  buffer.append(bytesOf("a\nb"));
  buffer.clear();
  assert.deepEqual([buffer.size, buffer.hasLine, buffer.take()], [0, false, undefined]);
  buffer.append(bytesOf("c\n"));
  assert.deepEqual(buffer.take(), bytesOf("c"));
});

Deno.test("readRequest() takes a request, with or without params, and blanks around it", () => {
  assert.deepEqual(readRequest(bytesOf(' {"jsonrpc":"2.0","id":7,"method":"a.b","params":{"c":[1]}}\r')), {
    id: 7,
    method: "a.b",
    params: { c: [1] },
  });
  assert.deepEqual(readRequest(bytesOf('{"jsonrpc":"2.0","id":"x","method":""}')), {
    id: "x",
    method: "",
    params: {},
  });
});

Deno.test("readRequest() takes a request without id for a notification, and id null for a request", () => {
  assert.deepEqual(readRequest(bytesOf('{"jsonrpc":"2.0","method":"m"}')), {
    id: undefined,
    method: "m",
    params: {},
  });
  assert.deepEqual(readRequest(bytesOf('{"jsonrpc":"2.0","id":null,"method":"m"}')), {
    id: null,
    method: "m",
    params: {},
  });
});

Deno.test("readRequest() refuses what is no JSON, or no UTF-8, as a parse error of nobody's", () => {
  const lines = [
    "",
    " ",
    "{",
    '{"id":1',
    "{'id':1}",
    '{"id":1}{"id":2}',
    "\u{feff}{}",
    "NaN",
    "[".repeat(200_000),
  ];
  for (const line of lines) assert.deepEqual(refusalOf(line), [null, ERRORS.parse], line.slice(0, 20));
  assert.deepEqual(refusalOf(Uint8Array.of(0x22, 0xff, 0x22)), [null, ERRORS.parse]);
  assert.deepEqual(refusalOf(Uint8Array.of(0x22, 0x00, 0x22)), [null, ERRORS.parse]);
});

Deno.test("readRequest() refuses batches and all that is no object", () => {
  for (const line of ["[]", '[{"jsonrpc":"2.0","id":1,"method":"m"}]', "1", "null", "true", '"text"']) {
    assert.deepEqual(refusalOf(line), [null, ERRORS.invalid], line);
  }
});

Deno.test("readRequest() refuses an object that is no request, by its id if it has one", () => {
  const wrong: [line: string, id: unknown, code: number][] = [
    ["{}", null, ERRORS.invalid],
    ['{"id":3,"method":"m"}', 3, ERRORS.invalid],
    ['{"jsonrpc":"1.0","id":3,"method":"m"}', 3, ERRORS.invalid],
    ['{"jsonrpc":2.0,"id":3,"method":"m"}', 3, ERRORS.invalid],
    ['{"jsonrpc":"2.0","id":3}', 3, ERRORS.invalid],
    ['{"jsonrpc":"2.0","id":3,"method":1}', 3, ERRORS.invalid],
    ['{"jsonrpc":"2.0","method":1}', null, ERRORS.invalid],
    ['{"jsonrpc":"2.0","id":3,"method":"m","params":[1]}', 3, ERRORS.params],
    ['{"jsonrpc":"2.0","id":3,"method":"m","params":"a"}', 3, ERRORS.params],
    ['{"jsonrpc":"2.0","id":3,"method":"m","params":null}', 3, ERRORS.params],
    ['{"jsonrpc":"2.0","id":true,"method":"m"}', null, ERRORS.invalid],
    ['{"jsonrpc":"2.0","id":{},"method":"m"}', null, ERRORS.invalid],
    ['{"jsonrpc":"2.0","id":1.5,"method":"m"}', null, ERRORS.invalid],
    ['{"jsonrpc":"2.0","id":1e400,"method":"m"}', null, ERRORS.invalid],
    // A reply could not name it exactly.
    ['{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}', null, ERRORS.invalid],
    [`{"jsonrpc":"2.0","id":"${"x".repeat(129)}","method":"m"}`, null, ERRORS.invalid],
  ];
  for (const [line, id, code] of wrong) assert.deepEqual(refusalOf(line), [id, code], line);
});

Deno.test("a reply is one line, whatever is in it, and says null for nothing", () => {
  assert.equal(textOf(resultLine(1, undefined)), '{"jsonrpc":"2.0","id":1,"result":null}\n');
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.jsonValue(), (id, result) => {
    for (const line of [resultLine(id, result), errorLine(id, 1, id)]) {
      assert.equal(line.indexOf(10), line.length - 1);
      assert.equal(JSON.parse(textOf(line)).id, id);
    }
  }));
});
