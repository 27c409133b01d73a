// schedule/state.js against pruneviz: `node --test tests/js`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import * as math from "../../pruneviz/widgets/schedule/state.js";

const { pools, words, counts, states } = JSON.parse(readFileSync(new URL("./schedule_fixtures.json", import.meta.url)));
const steps = Array.from({ length: 15 }, (_, i) => i / 2);

test("schedules are those of pv.schedules, number for number", () => {
  for (const { state, shares, prunes } of states) {
    assert.deepEqual(steps.map((step) => math.sparsityAt(state, step)), shares, JSON.stringify(state));
    assert.deepEqual(prunes.map((_, step) => math.prunesIn(state, step)), prunes, JSON.stringify(state));
  }
});

test("counts round half up on the decimal as written", () => {
  for (const [share, total, count] of counts) assert.equal(math.countAt(share, total), count, `${share} of ${total}`);
});

test("plans, snippets and names are the kernel's", () => {
  for (const { state, plan, code, name } of states) {
    assert.deepEqual(math.planOf(state, pools), plan, JSON.stringify(state));
    assert.equal(math.snippetOf(state, words), code);
    assert.equal(math.nameOfRun(state), name);
  }
});

const state = { kind: "polynomial", initial: 0, final: 0.9, begin: 0, end: 6, power: 3, frequency: 1, budget: 6 };

test("what a value passes goes along", () => {
  assert.deepEqual(math.changed(state, { end: 9 }), {});
  assert.deepEqual(math.changed({ ...state, end: 3 }, { begin: 5 }), { begin: 5, end: 5 });
  assert.deepEqual(math.changed({ ...state, begin: 4 }, { end: 1 }), { begin: 1, end: 1 });
  assert.deepEqual(math.changed(state, { initial: 0.95 }), { initial: 0.95, final: 0.95 });
  assert.deepEqual(math.changed({ ...state, initial: 0.5 }, { final: 0.2 }), { initial: 0.2, final: 0.2 });
  assert.deepEqual(math.changed({ ...state, begin: 5 }, { budget: 4 }), { begin: 4, end: 4, budget: 4 });
  assert.deepEqual(
    math.changed({ ...state, final: 1 }, { kind: "exponential" }), { kind: "exponential", final: 0.9999 },
  );
  assert.deepEqual(math.changed(state, { power: 0, frequency: 0, budget: 1000 }), { power: 0.01, budget: 100 });
});

test("a handle put where it is changes nothing; one that is moved moves the curve there", () => {
  for (const { state: one } of states) {
    for (const handle of math.handlesOf(one)) {
      const back = { ...one, ...math.changed(one, handle.change(handle.step, handle.share)) };
      const first = one.kind === "one_shot" ? 1 : 0; // there is no round 0 to prune in
      for (const name of ["initial", "final"]) assert.equal(
        back[name], one[name], `${handle.name} of ${JSON.stringify(one)}`,
      );
      for (const name of ["begin", "end"]) assert.equal(back[name], Math.max(first, one[name]));
    }
  }
  const middle = math.handlesOf(state).find((one) => one.name === "exponent");
  for (const share of [0.5, 0.6, 0.85]) {
    const bent = { ...state, ...math.changed(state, middle.change(3, share)) };
    assert.ok(Math.abs(math.sparsityAt(bent, 3) - share) < 0.01);
  }
  const article = { ...state, kind: "article", initial: 0.3 };
  for (const share of [0.1, 0.3]) {
    const bent = { ...article, power: math.powerThrough(article, share) };
    assert.ok(Math.abs(math.sparsityAt(bent, 3) - share) < 0.01);
  }
  assert.equal(math.powerThrough(state, 0.95), 10);
  assert.equal(math.powerThrough(state, 0), 0.1);
});

test("what prunes is told in words", () => {
  const told = (more) => math.pruningRounds(math.planOf({ ...state, ...more }, pools));
  assert.equal(told({}), "in rounds 1 to 6");
  assert.equal(told({ kind: "one_shot", begin: 2 }), "in round 2");
  assert.equal(told({ frequency: 2 }), "in rounds 2, 4, 6");
  assert.equal(told({ final: 0 }), "never");
  assert.equal(told({ budget: 40, end: 40, frequency: 2 }), "20 times, in rounds 2 to 40");
});

test("a target that is missed is told", () => {
  const told = (more) => { const now = { ...state, ...more }; return math.warningOf(now, math.planOf(now, pools)); };
  assert.equal(told({}), "");
  assert.match(told({ end: 5, frequency: 2 }), /steps over round 5/);
  assert.match(told({ kind: "article", initial: 0.5, final: 0.8 }), /ends at Sₑ − S₀ = 30/);
});
