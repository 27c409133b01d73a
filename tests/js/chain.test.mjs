// The chain of layers: which streams join them, where they stand, which slices go together.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as chain from "../../pruneviz/widgets/explorer/chain.js";
import { Channels } from "../../pruneviz/widgets/explorer/channel_counts.js";

const ids = (...values) => Int32Array.from(values);
// conv1 (3 units) -> conv2 (2) -> conv3, added to conv1 -> fc behind a flatten of two places a channel
const wires = [
  { name: "conv1", rows: ids(0, 1, 2), columns: ids(-1), area: 9, each: 0, uses: 4 },
  { name: "conv2", rows: ids(3, 4), columns: ids(0, 1, 2), area: 9, each: 0, uses: 4 },
  { name: "conv3", rows: ids(0, 1, 2), columns: ids(3, 4), area: 9, each: 0, uses: 4 },
  { name: "fc", rows: ids(-1, -1), columns: ids(0, 0, 1, 1, 2, 2), area: 1, each: 1, uses: 1 },
  { name: "bn1", rows: ids(0, 1, 2), columns: ids(), area: 0, each: 2, uses: 0 },
  { name: "bn3", rows: ids(0, 1, 2), columns: ids(), area: 0, each: 2, uses: 0 },
];
const norms = { conv1: ["bn1"], conv2: [], conv3: ["bn3"], fc: [] };
const entries = Object.entries(norms).map(([name, own]) => ({ name, norms: own }));
const blocks = chain.blocksOf(entries, wires);
const flows = chain.flowsOf(blocks);

test("a stream has all its writers and readers", () => {
  assert.deepEqual(flows, [
    { writers: [0, 2], readers: [1, 3], units: [0, 1, 2] },
    { writers: [1], readers: [2], units: [3, 4] },
  ]);
});

test("a long stage of tied layers stays on one line, with the layers that lead to it", () => {
  const stages = [[0, 2, 3], [4], [5, 7, 9, 11], [12, 13]].map((writers) => ({ writers, readers: [] }));
  assert.deepEqual(chain.linesOf(stages, 15, 12), [[0, 1, 2, 3], [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]]);
  const pairs = [[0, 1], [2, 3]].map((writers) => ({ writers, readers: [] }));
  assert.deepEqual(chain.linesOf(pairs, 4, 9), [[0, 1, 2, 3]]);
  assert.deepEqual(chain.linesOf([], 5, 9), [[0, 1, 2, 3, 4]]);
  assert.deepEqual(chain.linesOf([], 5, 2), [[0, 1], [2], [3, 4]]); // a narrow page
});

test("streams that overlap have lanes of their own, and nothing leaves the page", () => {
  for (const width of [1200, 700, 300]) {
    const { boxes, lines, height } = chain.layOutChain(width, blocks, flows);
    for (const { x, y, wide, tall } of boxes) assert.ok(x >= 0 && x + wide + 18 <= width && y > 0 && y + tall < height);
    for (const { lanes } of lines) for (const one of lanes) for (const other of lanes) {
      const across = one.to < other.from || other.to < one.from;
      const down = one.y + one.wide <= other.y || other.y + other.wide <= one.y;
      assert.ok(one === other || across || down);
    }
  }
  const [{ lanes }] = chain.layOutChain(1200, blocks, flows).lines;
  assert.equal(lanes.find(({ bus }) => bus).flow, flows[0]);
});

test("a layer's name says no more than there is room for", () => {
  const wide = (words) => words.length;
  assert.equal(chain.labelOf("block4.shortcut", "block4.conv2", 15, wide), "block4.shortcut");
  assert.equal(chain.labelOf("block4.shortcut", "block4.conv2", 14, wide), ".shortcut");
  assert.equal(chain.labelOf("block4.shortcut", "block3.conv2", 14, wide), "…ock4.shortcut");
  assert.equal(chain.labelOf("fc", "", 10, wide), "fc");
  assert.equal(chain.labelOf("conv1", "conv", 3, wide), "…v1");
});

test("gone places along an axis come in stretches", () => {
  const gone = { 1: 1, 2: 1 };
  const order = chain.orderAlong(blocks[3].columns, null);
  assert.deepEqual(chain.stretches(order, blocks[3].columns, gone), [2, 6]);
  const best = chain.orderAlong(blocks[0].rows, Uint32Array.from([2, 0, 1]));
  assert.deepEqual([...best], [1, 2, 0]);
  assert.deepEqual(chain.stretches(best, blocks[0].rows, gone), [0, 2]);
  assert.deepEqual(chain.stretches(chain.orderAlong(blocks[3].rows, null), blocks[3].rows, gone), []);
});

test("the slices that go together", () => {
  assert.deepEqual(chain.coupledOf(blocks, wires, 1), {
    outputs: [["conv1", [1]], ["conv3", [1]]],
    norms: [["bn1", [1]], ["bn3", [1]]],
    inputs: [["conv2", [1]], ["fc", [2, 3]]],
  });
  assert.equal(chain.sliceWords([["conv1", [1]], ["fc", [2, 3]], ["conv3", [1]]]), "1 of conv1, conv3; 2 to 3 of fc");
  assert.equal(chain.indexWords([0, 4, 8, 12, 16]), "0, 4 and 3 more");
});

test("a group with a share of its own is cut by its own places", () => {
  const sent = (array) => ({
    view: new DataView(array.buffer), dtype: array.constructor.name.toLowerCase().replace("array", ""),
    shape: [array.length],
  });
  const places = (...values) => sent(Uint16Array.from(values));
  const scores = (...values) => sent(Float64Array.from(values));
  const tied = { place: places(9000, 5000, 10001), own: places(6667, 3333, 10001), score: scores(2, 1, 3) };
  const alone = { place: places(1000, 10001), own: places(2500, 10001), score: scores(1, 2) };
  const layer = (name, ...units) => ({ name, shape: [units.length], id: sent(ids(...units)) });
  const state = {
    noun: "channels", rest: 2,
    wires: wires.map((wire) => ({ ...wire, rows: sent(wire.rows), columns: sent(wire.columns) })),
    layers: [layer("conv1", 0, 1, 2), layer("conv2", 3, 4), layer("conv3", 0, 1, 2)],
    ranking: { scope: "global", criterion: "magnitude", layers: { conv1: tied, conv2: alone, conv3: tied } },
    chain: entries, code: "mask{own}", sparsities: {},
    groups: [
      { name: "conv1", layers: ["conv1", "conv3"], size: 3, how: ["added"] },
      { name: "conv2", layers: ["conv2"], size: 2, how: [] },
    ],
  };
  const channels = new Channels({ get: (name) => state[name] });
  assert.deepEqual([...channels.at(0.5, {}).gone], [0, 1, 0, 1, 0]);
  assert.equal(channels.code(), "mask");
  state.sparsities = { conv1: 0.7 };
  assert.deepEqual([...channels.at(0.5, {}).gone], [1, 1, 0, 1, 0]);
  assert.deepEqual([...channels.at(0.5, { conv3: { cut: [], kept: [0] } }).gone], [0, 1, 0, 1, 0]);
  assert.match(channels.code(), /scope=\{"conv1": 0\.7\}.*\n {4}keep\.update.*\["conv1", "conv3"\]/);
  assert.deepEqual(channels.worth(3), { parameters: 3 * 9 + 3 * 9, macs: 4 * 54 });
});
