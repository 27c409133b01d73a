// tradeoff/compare.js against pruneviz: `node --test tests/js`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import {
  axisOf, comparisonOf, frontOf, namesPlaced, nextPoint, nextRow, textOf,
} from "../../pruneviz/widgets/tradeoff/compare.js";

const told = JSON.parse(readFileSync(new URL("./tradeoff_fixtures.json", import.meta.url)));
const labels = Uint8Array.from(told.labels);

test("what changed is what the kernel counts, and the same images are shown", () => {
  const all = Int32Array.from(labels.keys());
  for (const { before, after, found } of told.comparisons) {
    const { images, ...counts } = comparisonOf(Uint8Array.from(before), Uint8Array.from(after), labels, all);
    const { images: shown, ...counted } = found;
    assert.deepEqual(counts, counted);
    assert.deepEqual(images.map(({ picture, ...image }) => (assert.equal(picture, image.index), image)), shown);
  }
});

test("only images with a picture are shown", () => {
  const { before, after } = told.comparisons.at(-1);
  const some = Int32Array.from([3, 50, 51, 52]);
  const { images } = comparisonOf(before, after, labels, some);
  assert.ok(images.length > 0);
  for (const { picture, index } of images) assert.equal(some[picture], index);
});

test("fronts are the kernel's; what was not measured is on none", () => {
  for (const { rises, front } of told.fronts) {
    assert.deepEqual(frontOf(told.points, rises), front);
    assert.deepEqual(frontOf([...told.points, null], rises), front);
  }
});

test("values are written as in the kernel", () => {
  for (const [unit, value, words] of told.texts) assert.equal(textOf({ unit }, value), words);
});

test("ticks lie on the axis, apart and in order, whatever the range", () => {
  const ranges = [
    [0.9, 0.95], [0.1, 1], [0.97, 0.9702], [0.5, 0.5], [0.001, 0.9], [1, 1], [0.97, 0.97001], [0.19, 0.9885],
    [0.5, 0.99999],
  ];
  for (const unit of ["share", "B", "", "ms"]) {
    for (const [least, most] of ranges) {
      const scaled = unit === "share" ? [least, most] : [1e5 * least, 1e5 * most];
      const { place, ticks } = axisOf(scaled, { unit });
      for (const value of scaled) assert.ok(place(value) > 0 && place(value) < 1, `${unit} ${scaled}`);
      const places = ticks.map(([value]) => place(value));
      assert.ok(places.length >= 1 && places.length <= 7, `${unit} ${scaled}: ${ticks}`);
      assert.deepEqual(places, [...places].sort((a, b) => a - b));
      assert.ok(places.every((at) => at >= 0 && at <= 1));
      assert.equal(new Set(ticks.map(([, words]) => words)).size, ticks.length, `${ticks}`);
      if (unit === "share") assert.ok(ticks.every(([value]) => value <= 1));
    }
  }
});

test("arrow keys go to the next model to a side, and stay at the end", () => {
  const points = [[0, 5], [2, 1], null, [1, 3]];
  const walk = (from, ...keys) => keys.reduce((at, key) => nextPoint(points, at, key), from);
  assert.deepEqual(["ArrowRight", "ArrowRight", "ArrowRight"].map((_, i, keys) => walk(0, ...keys.slice(0, i + 1))),
    [3, 1, 1]);
  assert.equal(walk(1, "ArrowUp"), 3);
  assert.equal(walk(0, "ArrowUp"), 0);
  assert.equal(walk(3, "Home"), 0);
  assert.equal(walk(3, "End"), 1);
  assert.equal(nextPoint(points, 0, "a"), null);
});

test("in the map they go up and down, to the parent and to the first child", () => {
  const rows = [["a", null], ["b", "a"], ["c", "b"], ["d", "a"]].map(([name, parent]) => ({ name, parent }));
  const to = (at, key) => nextRow(rows, at, key);
  assert.deepEqual([0, 3].map((at) => to(at, "ArrowUp")), [0, 2]);
  assert.deepEqual([0, 3].map((at) => to(at, "ArrowDown")), [1, 3]);
  assert.deepEqual([0, 2, 3].map((at) => to(at, "ArrowLeft")), [0, 1, 0]);
  assert.deepEqual([0, 1, 2].map((at) => to(at, "ArrowRight")), [1, 2, 2]);
  assert.deepEqual(["Home", "End", "x"].map((key) => to(1, key)), [0, 3, null]);
});

test("names lie on no point, on no other name and within the picture", () => {
  const box = [50, 4, 400, 220];
  const written = [0, 0, 170, 16];
  const point = (_, i) => [60 + ((i * 97) % 330), 20 + ((i * 61) % 180), 30 + (i % 5) * 20];
  const points = Array.from({ length: 30 }, point);
  const places = namesPlaced(points, box, written);
  assert.ok(places.filter(Boolean).length > 8);
  const around = ([x, y], wide) => [x, y - 11, x + wide, y + 3];
  const boxes = places.flatMap((place, i) => (place ? [around(place, points[i][2])] : []));
  const apart = (a, b) => a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
  boxes.forEach((a, i) => {
    assert.ok(a[0] >= box[0] && a[1] >= box[1] && a[2] <= box[2] && a[3] <= box[3]);
    for (const b of [written, ...boxes.slice(i + 1)]) assert.ok(apart(a, b));
    for (const [x, y] of points) assert.ok(apart(a, [x - 5, y - 5, x + 5, y + 5]));
  });
});
