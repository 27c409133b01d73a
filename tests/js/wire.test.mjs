// wire.js against wire.py: `node --test tests/js`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { decode } from "../../pruneviz/widgets/frame/wire.js";

const { wire } = JSON.parse(readFileSync(new URL("./fixtures.json", import.meta.url)), (_, value) => {
  if (typeof value?.base64 !== "string") return value;
  const bytes = Buffer.from(value.base64, "base64");
  const message = Buffer.concat([Buffer.from([9]), bytes, Buffer.from([9])]); // as in a message, not aligned
  return new DataView(message.buffer, message.byteOffset + 1, bytes.length);
});

test("arrays of every type arrive with their shape", () => {
  for (const { sent, values, shape } of wire.arrays) {
    const array = decode(sent);
    assert.equal(array.constructor.name.toLowerCase(), `${sent.dtype}array`);
    assert.deepEqual([...array], values);
    assert.deepEqual(array.shape, shape);
  }
});

test("arrays arrive wherever they are, and what is none stays", () => {
  const { layers, words, none } = decode(wire.nested);
  assert.deepEqual(layers.map(({ name, place }) => [name, [...place]]), [["a", [1, 2]], ["b", []]]);
  assert.deepEqual([words, none], [["global", 0.5, true], null]);
});
