// pure.js against NumPy: `node --test tests/js`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import * as pure from "../../pruneviz/widgets/frame/pure.js";

const fixtures = JSON.parse(readFileSync(new URL("./fixtures.json", import.meta.url)));
const near = (one, other, within = 1e-12) => assert.ok(Math.abs(one - other) <= within, `${one} is not ${other}`);

test("a step prunes as many as number_to_prune", () => {
  for (const [step, total, cut] of fixtures.cuts) assert.equal(pure.cutAt(step, total), cut);
});

for (const [scope, ranking] of Object.entries(fixtures.rankings)) {
  test(`masks, counts and histograms equal NumPy's, scope ${scope}`, () => {
    for (const [name, shape] of Object.entries(fixtures.shapes)) {
      const places = Uint16Array.from(ranking.places[name]);
      const counts = pure.prunedByStep(places);
      const { pixelOf, width, height } = pure.layOut(shape);
      const order = pure.orderOf(places, counts, pixelOf);
      const pixels = new Uint32Array(width * height);
      pure.moveMask(pixels, order, places.length, 0, 7, 0xff000009);
      let before = 0;
      for (const [step, masks] of Object.entries(ranking.masks)) {
        const kept = masks[name];
        const pruned = kept.filter((k) => !k).length;
        assert.equal(counts[step], pruned);
        pure.moveMask(pixels, order, before, pruned, 7, 0xff000009);
        before = pruned;
        kept.forEach((k, i) => assert.equal(pixels[pixelOf ? pixelOf[i] : i], k ? 7 : 0xff000009));
        const view = ranking.histograms[name];
        assert.deepEqual(pure.splitBins(view.counts, pruned), ranking.pruned_bins[step][name]);
        const cut = pure.cutPosition(view.counts, pruned);
        assert.ok(cut >= 0 && cut <= view.counts.length);
      }
    }
  });
}

test("Wilson's interval", () => {
  for (const [correct, n, low, high] of fixtures.wilson) {
    const found = pure.wilson(correct, n);
    near(found[0], low);
    near(found[1], high);
  }
});

test("estimates lie on straight lines, and measured points are told apart", () => {
  const { points, asked, found } = fixtures.curve;
  asked.forEach((sparsity, i) => near(pure.estimate(points, sparsity).correct, found[i]));
  assert.equal(pure.estimate(points, 0.25).measured, true);
  assert.equal(pure.estimate(points, 0.3).measured, false);
  assert.equal(pure.estimate([], 0.3), null);
  assert.deepEqual(pure.crossing(points, 95), [0.25, 0.5]);
  assert.equal(pure.crossing(points, 5), null);
});

test("blocks of a large layer", () => {
  const { shape, shares, level, row } = fixtures.blocks;
  const sent = Object.assign(Uint8Array.from(shares), { shape });
  pure.shareAt(sent, level * 200).forEach((share, i) => near(share, row[i] / 255, 1e-6));
});

test("Show code is filled in as in Python", () => {
  const { template, arguments: given, texts } = fixtures.code;
  assert.deepEqual([false, true].map((removed) => pure.finishedCode(template, ...given, removed)), texts);
});

test("kernels are laid out with gaps, each weight at its own pixel", () => {
  const { width, height, pixelOf } = pure.layOut([4, 3, 2, 2]);
  assert.deepEqual([width, height], [11, 8]);
  assert.equal(new Set(pixelOf).size, 48);
  assert.equal(pixelOf[0], 0);
  assert.equal(pixelOf[4], 3 * width);
});

test("long, low layers are folded into bands", () => {
  const { width, height, pixelOf } = pure.layOut([2, 1000]);
  assert.ok(width < 16 * height);
  assert.equal(new Set(pixelOf).size, 2000);
  assert.ok(Math.max(...pixelOf) < width * height);
  assert.equal(pixelOf[1000], width);
});

test("numbers as people write them", () => {
  for (const [text, share] of [
    ["90", 0.9], [" 90,5 %", 0.905], ["0.1", 0.001], ["100", 1], [".5", 0.005], ["5.", 0.05],
  ]) near(pure.parsePercent(text), share);
  for (const text of ["", "a", "1e2", "-3", "1.2.3"]) assert.ok(Number.isNaN(pure.parsePercent(text)));
  assert.equal(pure.grouped(1234567), "1,234,567");
  assert.equal(pure.percent(0.00001), "under 0.1%");
  assert.equal(pure.percent(0.9999), "over 99.9%");
  assert.equal(pure.percent(0.5), "50%");
  assert.equal(pure.percent(0.3), "30%"); // 100 * 0.3 is 30.000000000000004
  assert.equal(pure.bytesText(121_500), "122 kB");
  assert.equal(pure.scoreText(0.03141, false), "0.0314");
  assert.equal(pure.scoreText(3.14159e-7, true), "3.14 × 10⁻⁷");
  assert.equal(pure.scoreText(0, true), "0");
});

test("cuts by hand change the count once, and let go the second time", () => {
  const places = Uint16Array.from([1, 5000, 10000]);
  const cut = pure.toggled(undefined, 2, false);
  assert.deepEqual(cut, { cut: [2], kept: [] });
  assert.equal(pure.handChange(cut, places, 5000), 1);
  assert.equal(pure.handChange(cut, places, 10000), 0);
  assert.deepEqual(pure.toggled(cut, 2, true), { cut: [], kept: [] });
  assert.equal(pure.handChange(pure.toggled(undefined, 0, true), places, 5000), -1);
});

test("places of a histogram, on either scale", () => {
  near(pure.scoreAt({ low: 0, high: 2, log: false }, 0.25), 0.5);
  near(pure.scoreAt({ low: 1e-8, high: 1e-4, log: true }, 0.5), 1e-6, 1e-18);
});

test("values of traits are compared through and through", () => {
  const state = { sparsity: 0.5, by_hand: { fc1: { cut: [1, 2] } } };
  assert.ok(pure.same(state, structuredClone(state)));
  for (const other of [
    { ...state, sparsity: 0.4 }, { ...state, by_hand: { fc1: { cut: [1] } } }, { sparsity: 0.5 },
    { sparsity: 0.5, hand: 1 }, null,
  ]) assert.ok(!pure.same(state, other));
});

test("what is remembered is made anew only for something else", () => {
  let made = 0;
  const sum = pure.remembered((a, b) => { made++; return a + b; });
  assert.deepEqual([sum(1, 2), sum(1, 2), sum(1, 3), made], [3, 3, 4, 2]);
});
