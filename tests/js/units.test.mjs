// The arithmetic of whole units: who is gone, what is left, where neurons stand.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as units from "../../pruneviz/widgets/explorer/unit_counts.js";
import { errorCell, worstPairs } from "../../pruneviz/widgets/explorer/units.js";
import * as wiring from "../../pruneviz/widgets/explorer/wiring.js";

const layers = [
  { name: "one", id: [0, 1, 2] },
  { name: "two", id: [3, 1, -1, 4] }, // unit 1 is tied to layer one; output 2 must stay
];

test("what is changed by hand has one form, tied outputs together", () => {
  const fates = units.fatesOf({ two: { cut: [1], kept: [3] } }, layers, 5);
  assert.deepEqual([...fates], [0, 1, 0, 0, 2]);
  assert.equal(
    JSON.stringify(units.handOf(fates, layers)),
    JSON.stringify({ one: { cut: [1], kept: [] }, two: { cut: [1], kept: [3] } }),
  );
  assert.deepEqual(units.handOf(new Uint8Array(5), layers), {});
  assert.deepEqual([...units.fatesOf(units.handOf(fates, layers), layers, 5)], [...fates]);
});

test("best first; of equal scores the higher index, which goes later", () => {
  assert.deepEqual(units.bestFirst(Float64Array.from([2, 5, 2, 7])), [3, 1, 2, 0]);
});

test("the step of a cut leaves exactly as many as asked, where the rule can", () => {
  const places = Uint16Array.from([40, 10001, 7, 300, 9000]); // one never goes
  for (let wanted = 0; wanted <= 4; wanted++) {
    const step = units.stepFor(places, wanted);
    assert.equal(places.filter((place) => place <= step).length, wanted);
  }
  assert.equal(units.stepFor(places, 5), 9000);
  assert.equal(units.stepFor(Uint16Array.from([10001]), 0), 10000);
});

test("equal places go at one step", () => {
  const places = Uint16Array.from([5, 5, 8]);
  assert.equal(units.stepFor(places, 1), 5);
  assert.equal(places.filter((place) => place <= 5).length, 2);
});

test("what is left is kept rows times kept columns", () => {
  const wires = [
    { rows: [0, 1, 2], columns: [-1, -1], area: 9, each: 1, uses: 100 }, // three filters on two channels
    { rows: [0, 1, 2], columns: [], area: 0, each: 2, uses: 0 }, // their norm
    { rows: [-1, -1], columns: [0, 0, 1, 1, 2, 2], area: 1, each: 0, uses: 1 }, // flattened, two places a filter
  ];
  assert.deepEqual(units.costWithout(wires, 5, [0, 0, 0]), { parameters: 5 + 57 + 6 + 12, macs: 100 * 54 + 12 });
  assert.deepEqual(units.costWithout(wires, 5, [0, 1, 0]), { parameters: 5 + 38 + 4 + 8, macs: 100 * 36 + 8 });
});

test("the most frequent errors", () => {
  assert.deepEqual(worstPairs([[9, 2, 0], [0, 5, 7], [1, 0, 3]], 2), [[1, 2, 7], [0, 1, 2]]);
  assert.deepEqual(worstPairs([[9, 0], [0, 5]]), []);
});

test("neurons stand in blocks that fit, each at its own cell", () => {
  for (const width of [280, 500, 760, 1200]) {
    const { cell, rows, blocks, end } = wiring.layOutBlocks(width, [300, 100], [48, width > 360 ? 84 : 26]);
    assert.ok(end + (width > 360 ? 84 : 26) <= width + 1, `${end} of ${width}`);
    assert.ok(rows * cell <= wiring.TALL);
    blocks.forEach(({ across }, l) => assert.ok(across * rows >= [300, 100][l]));
    assert.ok(blocks[0].x >= 48 && blocks[1].x > blocks[0].x + blocks[0].across * cell);
  }
});

test("arrow keys walk the rows, and from block to block at the sides", () => {
  const [sizes, blocks] = [[7, 4], [{ across: 3 }, { across: 2 }]];
  const walk = (layer, place, ...keys) => {
    const end = keys.reduce((spot, key) => wiring.nextSpot(key, spot, sizes, blocks), { layer, place });
    return [end.layer, end.place];
  };
  assert.deepEqual(walk(0, 0, "ArrowRight"), [0, 1]);
  assert.deepEqual(walk(0, 0, "ArrowLeft"), [0, 0]);
  assert.deepEqual(walk(0, 2, "ArrowRight"), [1, 0]);
  assert.deepEqual(walk(1, 2, "ArrowLeft"), [0, 5]);
  assert.deepEqual(walk(0, 6, "ArrowRight"), [1, 3]);
  assert.deepEqual(walk(0, 4, "ArrowDown"), [0, 4]);
  assert.deepEqual(walk(0, 3, "ArrowDown"), [0, 6]);
  assert.deepEqual(walk(0, 3, "ArrowUp", "ArrowUp"), [0, 0]);
  assert.deepEqual(walk(0, 3, "End"), [0, 6]);
  assert.deepEqual(walk(1, 3, "ArrowRight"), [1, 3]);
});

test("the strongest connections, by size and not by sign", () => {
  assert.deepEqual(wiring.strongest([0.1, -0.9, 0.5, 0.9], 3), [1, 3, 2]);
  assert.deepEqual(wiring.strongest([0.1, -0.9, 0.5], 3, (j) => j !== 1), [2, 0]);
});

test("on dark paper an error is seen as a cell, and its number can be read", () => {
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => sum + weight * linear(colour[i]), 0.05);
  const contrast = (one, other) => Math.max(light(one), light(other)) / Math.min(light(one), light(other));
  const [pruned, inks] = [[253, 208, 162].map((c) => c / 255), { "#fff": [1, 1, 1], "#000": [0, 0, 0] }];
  for (const paper of [[17, 17, 17], [20, 23, 27]].map((colour) => colour.map((c) => c / 255))) {
    for (let count = 1; count <= 300; count++) {
      const { strength, ink } = errorCell(count, 300, true);
      const cell = paper.map((c, i) => c + strength * (pruned[i] - c));
      assert.ok(contrast(cell, paper) >= 3);
      assert.ok(contrast(cell, inks[ink]) >= 4.5, `${count}: ${contrast(cell, inks[ink])}`);
    }
  }
  assert.equal(errorCell(0, 300, true).strength, 0);
});
