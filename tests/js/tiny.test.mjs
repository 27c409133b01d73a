// tiny/models.js against NumPy: `node --test tests/js`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import * as tiny from "../../pruneviz/widgets/tiny/models.js";

const fixtures = JSON.parse(readFileSync(new URL("./tiny_fixtures.json", import.meta.url)));
const near = (one, other) => assert.ok(
  Math.abs(one - other) <= 1e-12 * Math.max(1, Math.abs(other)), `${one} is not ${other}`,
);
const allNear = (ones, others) => {
  assert.equal(ones.length, others.length);
  others.forEach((other, i) => near(ones[i], other));
};

for (const [name, { spec, x, y, title, noun, code, states }] of Object.entries(fixtures)) {
  const whole = tiny.lossOf(spec, spec.wires.map(() => true), x, y);

  test(`${name}: outputs, loss and its changes equal NumPy's`, () => {
    for (const state of states) {
      const kept = tiny.keptFlags(spec, state.cut);
      const now = tiny.lossOf(spec, kept, x, y);
      near(now.loss, state.loss);
      assert.equal(now.right, state.right);
      allNear(tiny.changes(spec, state.cut, x, y), state.changes);
      allNear(x.map((point) => tiny.forward(spec, kept, point).z), state.outputs);
      allNear(x.map((point) => tiny.compiled(spec, kept)(point[0], point[1], point)), state.outputs);
      near(x.reduce((sum, point, i) => sum + tiny.cost(spec, state.outputs[i], y[i]), 0) / x.length, state.loss);
    }
  });

  test(`${name}: the arithmetic adds up to the output`, () => {
    const neurons = [...Object.keys(spec.neurons), "output"];
    for (const state of states) {
      const kept = tiny.keptFlags(spec, state.cut);
      for (const point of x) {
        const { received, passed } = tiny.forward(spec, kept, point);
        for (const neuron of neurons) {
          const terms = tiny.terms(spec, kept, neuron, passed);
          assert.deepEqual(
            terms.map((term) => term.kept), spec.wires.flatMap((wire, i) => (wire.end === neuron ? [kept[i]] : [])),
          );
          near(
            terms.reduce((sum, term) => sum + (term.kept ? term.product : 0), spec.biases[neuron] ?? 0),
            received[neuron],
          );
        }
      }
    }
  });

  test(`${name}: sentence and snippet are those of Python`, () => {
    for (const state of states) {
      const now = tiny.lossOf(spec, tiny.keptFlags(spec, state.cut), x, y);
      assert.equal(tiny.sentenceOf({ title, spec, cut: state.cut, x, noun }, now, whole), state.sentence);
      assert.equal(tiny.finishedSnippet(code, state.cut), state.snippet);
    }
  });

  test(`${name}: cutting twice restores, in the model's order`, () => {
    const names = spec.wires.map((wire) => wire.name);
    for (const wire of names) {
      const cut = tiny.cutOrRestored(spec, [names[0]], [wire]);
      assert.deepEqual(cut, wire === names[0] ? [] : names.filter((one) => one === names[0] || one === wire));
      if (wire !== names[0]) assert.deepEqual(tiny.cutOrRestored(spec, cut, [wire]), [names[0]]);
    }
    for (const [neuron, wires] of Object.entries(spec.neurons)) {
      const cut = tiny.cutOrRestored(spec, [wires[0]], wires);
      assert.deepEqual(cut, wires);
      assert.ok(tiny.neuronCut(spec, cut, neuron));
      assert.ok(!tiny.neuronCut(spec, [wires[0]], neuron));
      assert.deepEqual(tiny.cutOrRestored(spec, cut, wires), []);
    }
  });

  for (const width of [240, 286, 419, 420, 500, 900]) {
    test(`${name}: at ${width} px no number hides another or leaves the picture`, () => {
      for (const asked of [null, spec.wires.map(() => 1.2345)]) {
        const { chip, height, nodes, wires } = tiny.wiring(spec, width, tiny.labelsOf(spec, asked));
        wires.forEach((one, i) => {
          assert.ok(one.x - chip.width / 2 >= 0 && one.x + chip.width / 2 <= width);
          assert.ok(one.y - chip.height / 2 >= 0 && one.y + chip.height / 2 <= height);
          for (const other of wires.slice(i + 1)) {
            assert.ok(Math.abs(one.x - other.x) >= chip.width || Math.abs(one.y - other.y) >= chip.height + 2, `${i}`);
          }
        });
        for (const [which, node] of Object.entries(nodes)) {
          assert.ok(node.y > 0 && node.y < height);
          const [across, down] = [node.width ?? 2 * node.radius, node.height ?? 2 * node.radius];
          const clear = (one) => Math.abs(one.x - node.x) >= (chip.width + across) / 2 - 1
            || Math.abs(one.y - node.y) >= (chip.height + down) / 2 - 1;
          if (width >= 280) wires.forEach((one, i) => assert.ok(clear(one), `weight ${i} hides ${which}`));
        }
      }
    });
  }
}

for (const name of ["plants", "one"]) {
  test(`${name}: the plane, its border and the answers equal NumPy's`, () => {
    const { spec, x, y, states } = fixtures[name];
    const size = Math.sqrt(states[0].plane.length);
    for (const state of states) {
      const kept = tiny.keptFlags(spec, state.cut);
      const values = tiny.plane(spec, kept, size, size);
      allNear(values, state.plane);
      assert.deepEqual(tiny.answers(spec, kept, x, y), state.answers);
      const segments = tiny.border(values, size, size);
      const signs = new Set([...values].map((value) => value > 0));
      assert.equal(segments.length > 0, signs.size === 2);
      assert.ok(segments.flat().every((place) => place >= 0 && place <= 1));
    }
  });
}

test("the border of a straight line is that line", () => {
  const values = Float64Array.from({ length: 25 }, (_, i) => (i % 5) - 1.5);
  const segments = tiny.border(values, 5, 5);
  assert.equal(segments.length, 4);
  for (const [x0, , x1] of segments) assert.deepEqual([x0, x1], [0.375, 0.375]);
});

test("numbers are written as by hand", () => {
  assert.deepEqual(
    [0.02, -0.3, -6.0024, -0.001, 5.045].map((value) => tiny.plain(value, 2)), ["0.02", "−0.3", "−6", "0", "5.04"],
  );
  assert.deepEqual(
    [0, -0, 4.14, -0.00001].map((value) => tiny.exactly(value, 4)), ["0.0000", "0.0000", "4.1400", "0.0000"],
  );
  assert.deepEqual(
    [0.125, -0.125, 0, 1e-9, -1e-9].map((value) => tiny.signed(value, 3)),
    ["+0.125", "−0.125", "0.000", "0.000", "0.000"],
  );
  assert.deepEqual(
    [0.125, -0.125, 1e-9].map((value) => tiny.spokenChange(value, 3)), ["up 0.125", "down 0.125", "unchanged"],
  );
});

test("a step is told in words", () => {
  assert.equal(tiny.stepWords([], ["garden"]), "garden cut");
  assert.equal(tiny.stepWords(["w0", "w2"], ["w2", "w3"]), "w3 cut; w0 put back");
  assert.equal(tiny.stepWords(["w0", "w2"], []), "all put back");
});

test("a click finds the wire under it", () => {
  const { spec } = fixtures.flats;
  const { wires } = tiny.wiring(spec, 500, tiny.labelsOf(spec, null));
  wires.forEach(({ x0, y0, x1, y1 }, i) => assert.equal(
    tiny.wireAt(wires, 0.8 * x0 + 0.2 * x1, 0.8 * y0 + 0.2 * y1), i,
  ));
  assert.equal(tiny.wireAt(wires, 250, 1), -1);
});
