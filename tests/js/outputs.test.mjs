// What the network says to one image, between what was measured, and where its answer flips.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answersOf, outputsNow, outputsWords, sharesAt } from "../../pruneviz/widgets/explorer/outputs.js";

const along = [[0, [0.9, 0.1]], [0.5, [0.6, 0.4]], [1, [0.2, 0.8]]];

test("shares lie between the two that were measured around a sparsity", () => {
  assert.deepEqual(sharesAt(along, 0), [0.9, 0.1]);
  assert.deepEqual(sharesAt(along, 0.5), [0.6, 0.4]);
  assert.deepEqual(sharesAt(along, 1), [0.2, 0.8]);
  const [first, second] = sharesAt(along, 0.75);
  assert.ok(Math.abs(first - 0.4) < 1e-12 && Math.abs(second - 0.6) < 1e-12);
  assert.equal(sharesAt([], 0.5), null);
});

test("the answers as more and more goes", () => {
  assert.deepEqual(answersOf(along), [[0, 0, 0.5], [1, 1, 1]]);
  assert.deepEqual(answersOf([]), []);
});

/** A frame of these traits. */
function frame(traits) {
  const state = { sparsity: 0.75, scope: "global", criterion: "magnitude", by_hand: {} };
  const values = {
    ...state, predict: false, guess: null, show: ["accuracy"], exact: {}, moving: false,
    pictured: { index: 3, truth: 0 }, ...traits,
    along: { image: 3, scope: "global", criterion: "magnitude", shares: along },
  };
  return { names: Object.keys(state), get: (name) => values[name] };
}

test("what was measured goes before what lies between, and another image or rule says nothing", () => {
  assert.equal(outputsNow(frame({})).answer, 1);
  assert.equal(outputsWords(frame({})), "Image 3, a 0, is taken for 1 (≈ 60%): wrong.");
  const state = { sparsity: 0.75, scope: "global", criterion: "magnitude", by_hand: {} };
  const exact = { state, outputs: { image: 3, shares: [0.7, 0.3] } };
  assert.equal(outputsWords(frame({ exact })), "Image 3, a 0, is taken for 0 (70%): right.");
  assert.equal(outputsWords(frame({ exact, moving: true })), "Image 3, a 0, is taken for 0: right.");
  assert.equal(outputsNow(frame({ pictured: { index: 4, truth: 0 } })), null);
  assert.equal(outputsNow(frame({ scope: "layer" })), null);
  assert.equal(outputsNow(frame({ pictured: { index: -1 } })), null);
  assert.equal(outputsWords(frame({ predict: true })), ""); // waits for the guess
});
