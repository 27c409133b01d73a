// The chain of layers with its coupled channels: who is tied to whom, and where everything stands. No page needed.
//
// A block is a layer: `rows` and `columns` are the units of its outputs and inputs, -1 where one must stay. A flow is
// the stream of channels from the layers that write it (several, if their outputs are added) to those that read it.

const POWER = 0.3; // of a number of channels, for the side of a block: 64 look larger than 16, not four times as large
const SMALLEST = 26;
const LANE = { bus: 7, wire: 5, gap: 4, words: 14 }; // thickness of a stream that several write, and of one
const WORDS = 35; // below a block
const NARROW = 88; // the least room for a block

/** The layers in the order of the chain, with their units and those of their norms. */
export function blocksOf(chain, wires) {
  return chain.map(({ name, norms }) => {
    const { rows, columns } = wires.find((wire) => wire.name === name);
    return { name, norms, rows, columns, free: rows.some((id) => id >= 0) };
  });
}

/** Streams of channels: { writers, readers, units }, writers and readers as numbers of blocks. */
export function flowsOf(blocks) {
  const of = new Map();
  /** @type {{ writers: number[], readers: number[], units: number[] }[]} */
  const flows = [];
  blocks.forEach(({ rows }, b) => {
    const units = [...new Set(rows)].filter((id) => id >= 0);
    if (!units.length) return;
    const known = units.find((id) => of.has(id));
    const flow = known === undefined ? { writers: [], readers: [], units: [] } : of.get(known);
    if (known === undefined) flows.push(flow);
    flow.writers.push(b);
    for (const id of units.filter((other) => !of.has(other))) {
      of.set(id, flow);
      flow.units.push(id);
    }
  });
  blocks.forEach(({ columns }, b) => {
    for (const flow of new Set([...new Set(columns)].map((id) => of.get(id)))) flow?.readers.push(b);
  });
  return flows;
}

const isLong = ([from, to]) => to - from >= 3;

/** Lines of the picture: a long stage of tied layers stays together, and the layers that lead to it stand before it. */
export function linesOf(flows, many, most) {
  const shared = flows.filter(({ writers }) => writers.length > 1).map(({ writers }) => writers);
  const until = (b) => Math.max(...shared.filter((writers) => writers.includes(b)).map((writers) => writers.at(-1)), b);
  const stages = [];
  for (let b = 0; b < many; ) {
    let end = until(b);
    for (let inside = b; inside <= end; inside++) end = Math.max(end, until(inside));
    stages.push([b, end]);
    b = end + 1;
  }
  let line = /** @type {number[]} */ ([]);
  const lines = [line];
  stages.forEach(([from, to], s) => {
    for (let b = from; b <= to; b++) line.push(b);
    if (isLong([from, to]) && stages.slice(s + 1).some(isLong)) lines.push(line = []);
  });
  return lines.flatMap((blocks) => {
    const parts = Math.ceil(blocks.length / most);
    const start = (p) => Math.round((p * blocks.length) / parts);
    return Array.from({ length: parts }, (_, p) => blocks.slice(start(p), start(p + 1)));
  });
}

/** Lanes of one line of blocks: { flow, from, to, level, wide }, so that no two of a level overlap. */
export function lanesOf(flows, line, boxes, width) {
  const [first, last] = [line[0], line.at(-1)];
  const lanes = flows.flatMap((flow) => {
    const ends = [...flow.writers, ...flow.readers];
    const here = ends.filter((b) => b >= first && b <= last);
    const [before, after] = [flow.writers.some((b) => b < first), ends.some((b) => b > last)];
    if (!flow.readers.length || (!here.length && !(before && after))) return [];
    const spots = here.flatMap((b) => {
      const { x, wide, riser } = boxes[b];
      return [...(flow.writers.includes(b) ? [riser] : []), ...(flow.readers.includes(b) ? [x, x + wide] : [])];
    });
    const [from, to] = [before ? 0 : Math.min(...spots), after ? width : Math.max(...spots)];
    const bus = flow.writers.length > 1;
    return [{ flow, bus, before, after, from, to, wide: bus ? LANE.bus : LANE.wire }];
  });
  const taken = [];
  for (const lane of lanes.sort((a, b) => a.bus - b.bus || a.from - b.from)) {
    lane.level = taken.findIndex((others) => others.every((o) => o.to + 4 < lane.from || lane.to + 4 < o.from));
    if (lane.level < 0) lane.level = taken.push([]) - 1;
    taken[lane.level].push(lane);
  }
  let above = 0;
  for (const others of taken) {
    above += Math.max(...others.map(({ wide }) => wide)) + LANE.gap;
    for (const lane of others) lane.above = above; // from the top of the blocks to the top of the lane
    if (others.some(({ bus }) => bus)) above += LANE.words;
  }
  return { lanes, tall: above };
}

/** Where everything stands: { width, height, pitch, boxes, lines: [{ blocks, lanes, top }] }. */
export function layOutChain(width, blocks, flows) {
  const numbers = linesOf(flows, blocks.length, Math.max(2, Math.floor(width / NARROW)));
  const pitch = Math.min(250, width / Math.max(...numbers.map((line) => line.length)));
  const widest = Math.min(190, pitch - 38);
  const highest = Math.min(numbers.length > 2 ? 64 : 165, Math.max(64, widest)); // many lines fit a screen
  const [outs, ins] = ["rows", "columns"].map((axis) => Math.max(...blocks.map((block) => block[axis].length)));
  const side = (n, of, most) => Math.round(Math.max(SMALLEST, most * (n / of) ** POWER));
  const boxes = blocks.map(({ rows, columns }) =>
    ({ wide: side(columns.length, ins, widest), tall: side(rows.length, outs, highest) }));
  let top = 4;
  const lines = numbers.map((line) => {
    line.forEach((b, place) => {
      boxes[b].x = Math.round(place * pitch + (pitch - boxes[b].wide - 22) / 2);
      boxes[b].riser = boxes[b].x + boxes[b].wide + 18;
    });
    const { lanes, tall } = lanesOf(flows, line, boxes, width);
    const floor = top + tall + 6;
    for (const lane of lanes) lane.y = floor - 6 - lane.above;
    for (const b of line) boxes[b].y = floor;
    top = floor + Math.max(...line.map((b) => boxes[b].tall)) + WORDS;
    return { blocks: line, lanes };
  });
  return { width, height: top, pitch, boxes, lines };
}

/**
 * A layer's name where there is `room`: all of it; without what the layer before it has in common, which is written
 * there; or its end. `wide` says how wide words are.
 */
export function labelOf(name, before, room, wide) {
  const block = name.slice(0, name.lastIndexOf(".") + 1);
  const end = block && before.startsWith(block) ? name.slice(block.length - 1) : "";
  let shown = [name, end].find((words) => words && wide(words) <= room) ?? name;
  while (shown.length > 3 && wide(shown) > room) shown = `…${shown.slice(2)}`;
  return shown;
}

/** Indices along an axis as they are drawn; `ranks` says how good each unit is, null keeps the order. */
export function orderAlong(ids, ranks) {
  const order = Uint32Array.from(ids.keys());
  const rank = (i) => (ids[i] < 0 ? -1 : ranks[ids[i]]);
  return ranks ? order.sort((a, b) => rank(a) - rank(b) || a - b) : order;
}

/** Stretches of gone units along an axis, as [from, to) pairs of places. */
export function stretches(order, ids, gone) {
  const found = [];
  for (let place = 0; place < order.length; place++) {
    const id = ids[order[place]];
    if (id < 0 || !gone[id]) continue;
    const last = found.length - 1;
    if (last > 0 && found[last] === place) found[last] = place + 1;
    else found.push(place, place + 1);
  }
  return found;
}

/** The slices that go with a unit: outputs, norms and inputs, each a list of [layer, indices]. */
export function coupledOf(blocks, wires, unit) {
  const indices = (ids) => [...ids.keys()].filter((i) => ids[i] === unit);
  const slices = (list, axis) => list.map((entry) => [entry.name, indices(entry[axis])]);
  const found = (list, axis) => slices(list, axis).filter(([, here]) => here.length);
  const norms = wires.filter(({ name }) => !blocks.some((block) => block.name === name));
  return { outputs: found(blocks, "rows"), norms: found(norms, "rows"), inputs: found(blocks, "columns") };
}

/** Indices in words: "5", "240 to 288", "3, 19 and 40 more". */
export function indexWords(indices) {
  const run = indices.every((i, k) => k === 0 || i === indices[k - 1] + 1);
  if (run) return indices.length > 1 ? `${indices[0]} to ${indices.at(-1)}` : String(indices[0]);
  return indices.length > 4 ? `${indices.slice(0, 2).join(", ")} and ${indices.length - 2} more` : indices.join(", ");
}

/** Slices in words, layers with the same indices together: "5 of conv1, conv3; 240 to 288 of fc1". */
export function sliceWords(slices) {
  const together = new Map();
  for (const [name, indices] of slices) {
    const words = indexWords(indices);
    together.set(words, [...(together.get(words) ?? []), name]);
  }
  return [...together].map(([words, names]) => `${words} of ${names.join(", ")}`).join("; ");
}
