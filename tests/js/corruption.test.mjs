// corruption/state.js against pruneviz: `node --test tests/js`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { rightOf, sentenceOf, strengthsOf, wayOf } from "../../pruneviz/widgets/corruption/state.js";

const fixtures = new URL("./corruption_fixtures.json", import.meta.url);
const { kinds, counts, total, states } = JSON.parse(readFileSync(fixtures));

test("counts, strengths and sentences are the kernel's", () => {
  for (const { kind, strength, sparsity, way, right, strengths, sentence } of states) {
    assert.equal(wayOf(kinds, kind, strength), way);
    const place = counts.findIndex((one) => one.sparsity === sparsity);
    assert.deepEqual(rightOf(counts, kinds, kind)[place], right);
    assert.deepEqual(strengthsOf(kinds, kind), strengths);
    assert.equal(sentenceOf({ kinds, counts, total, kind, strength, sparsity }), sentence);
  }
});
