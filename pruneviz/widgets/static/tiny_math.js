// What TinyNetwork computes, without a page: `node --test` checks these functions against NumPy.
//
// `spec` is what tiny_models.spec gives, `kept` one flag a weight, in its order.

export const keptFlags = (spec, cut) => spec.wires.map((wire) => !cut.includes(wire.name));

/** Cut these weights, or put them back if all of them are cut; in the model's order. */
export function cutOrRestored(spec, cut, names) {
  const gone = names.every((name) => cut.includes(name));
  return spec.wires.map((wire) => wire.name).filter((name) => (names.includes(name) ? !gone : cut.includes(name)));
}

export const neuronCut = (spec, cut, neuron) => spec.neurons[neuron].every((name) => cut.includes(name));

/** The output for one example, and what each neuron receives and passes on. */
export function forward(spec, kept, point) {
  const inputs = Object.fromEntries(spec.names.map((name, i) => [name, point[i]]));
  const received = { output: 0 };
  for (const neuron of Object.keys(spec.neurons)) received[neuron] = 0;
  for (const neuron of Object.keys(spec.biases)) received[neuron] = spec.biases[neuron];
  const passed = { ...inputs };
  spec.wires.forEach((wire, i) => { // wires into hidden neurons come before those out of them
    if (!(wire.start in passed)) passed[wire.start] = Math.max(received[wire.start], 0);
    if (kept[i]) received[wire.end] += wire.value * passed[wire.start];
  });
  return { received, passed, z: received.output };
}

/** What one example costs: its squared error, or minus the logarithm of its probability. */
export function cost(spec, z, truth) {
  if (spec.kind === "linear") return (z - truth) ** 2;
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - truth * z; // finite when sure and wrong
}

/** Mean cost over the examples, and how many are right. */
export function lossOf(spec, kept, x, y) {
  const output = compiled(spec, kept);
  let [sum, right] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    const z = output(x[i][0], x[i][1], x[i]);
    sum += cost(spec, z, y[i]);
    if (z > 0 === (y[i] === 1)) right++;
  }
  return { loss: sum / x.length, right: spec.kind === "linear" ? null : right };
}

/** The model as a quick function of its inputs: (a, b, all inputs) -> output. */
export function compiled(spec, kept) {
  const weights = spec.wires.map((wire, i) => (kept[i] ? wire.value : 0));
  if (spec.kind === "linear") return (_a, _b, point) => weights.reduce((sum, weight, i) => sum + weight * point[i], 0);
  const hidden = Object.keys(spec.neurons).map((name, h) =>
    [weights[2 * h], weights[2 * h + 1], spec.biases[name], weights[2 * Object.keys(spec.neurons).length + h]]);
  return (a, b) => {
    let z = spec.biases.output;
    for (const [left, right, bias, out] of hidden) z += out * Math.max(left * a + right * b + bias, 0);
    return z;
  };
}

/** By how much the loss changes if each weight, on its own, is cut next, or put back. */
export function changes(spec, cut, x, y) {
  const kept = keptFlags(spec, cut);
  const now = lossOf(spec, kept, x, y).loss;
  return kept.map((flag, i) => lossOf(spec, kept.with(i, !flag), x, y).loss - now);
}

/** The output on a grid over the plane, row by row from the top. */
export function plane(spec, kept, columns, rows) {
  const [[left, right], [bottom, top]] = spec.extent;
  const output = compiled(spec, kept);
  const values = new Float64Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const b = top + (row / (rows - 1)) * (bottom - top);
    for (let column = 0; column < columns; column++) {
      values[row * columns + column] = output(left + (column / (columns - 1)) * (right - left), b);
    }
  }
  return values;
}

/** Where the values cross 0: segments [x0, y0, x1, y1], both from 0 to 1. */
export function border(values, columns, rows) {
  const segments = [];
  const crossing = (from, to) => from / (from - to);
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const [a, b, c, d] = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
      const ends = [];
      if (a > 0 !== b > 0) ends.push([column + crossing(a, b), row]);
      if (b > 0 !== c > 0) ends.push([column + 1, row + crossing(b, c)]);
      if (d > 0 !== c > 0) ends.push([column + crossing(d, c), row + 1]);
      if (a > 0 !== d > 0) ends.push([column, row + crossing(a, d)]);
      for (let i = 0; i + 1 < ends.length; i += 2) {
        segments.push([...ends[i], ...ends[i + 1]].map((place, k) => place / ((k % 2 ? rows : columns) - 1)));
      }
    }
  }
  return segments;
}

/** How many of each truth get each answer: { yesYes, yesNo, noYes, noNo }, truth first. */
export function answers(spec, kept, x, y) {
  const output = compiled(spec, kept);
  const counts = { yesYes: 0, yesNo: 0, noYes: 0, noNo: 0 };
  x.forEach((point, i) => counts[(y[i] ? "yes" : "no") + (output(...point) > 0 ? "Yes" : "No")]++);
  return counts;
}

const MINUS = "\u2212";

/** A number as it is written by hand: at most so many decimals, and a real minus. */
export function plain(value, decimals) {
  const written = String(+value.toFixed(decimals));
  return written === "-0" ? "0" : written.replace("-", MINUS);
}

export const exactly = (value, decimals) => plainZero(value.toFixed(decimals)).replace("-", MINUS);
const plainZero = (written) => (/^-0\.?0*$/.test(written) ? written.slice(1) : written);

/** A change with its sign; a change that rounds to nothing has none. */
export function signed(value, decimals) {
  const written = exactly(value, decimals);
  return value > 0 && Number(written) !== 0 ? `+${written}` : written;
}

/** "up 0.1250", "down 0.1250" or "unchanged", for the ear. */
export function spokenChange(value, decimals) {
  const written = exactly(Math.abs(value), decimals);
  if (Number(written) === 0) return "unchanged";
  return `${value > 0 ? "up" : "down"} ${written}`;
}

/** The terms that a neuron adds up: { weight, input, product, kept, words }. */
export function terms(spec, kept, neuron, passed) {
  return spec.wires.flatMap((wire, i) => {
    if (wire.end !== neuron) return [];
    const input = passed[wire.start];
    const [factor, number] = [plain(wire.value, spec.decimals), plain(input, 3)];
    const words = `${factor} × ${input < 0 ? `(${number})` : number}`;
    return [{ name: wire.name, start: wire.start, kept: kept[i], product: wire.value * input, words }];
  });
}

/** In words: what is cut, the loss, and how many are right. */
export function sentenceOf({ title, spec, cut, x, noun }, now, whole) {
  const words = cut.length ? `without ${cut.join(", ")}` : "with all weights";
  const before = cut.length ? ` instead of ${exactly(whole.loss, spec.digits)}` : "";
  const right = now.right === null ? "" : `, ${now.right} of them right`;
  return `${title}: ${words}, the ${spec.lossName} is ${exactly(now.loss, spec.digits)}${before} on ${x.length} ${noun}${x.length === 1 ? "" : "s"}${right}.`;
}

/** What a step from one set of cuts to another did, in words: "garden cut", "all put back". */
export function stepWords(before, after) {
  const gone = after.filter((name) => !before.includes(name));
  const back = before.filter((name) => !after.includes(name));
  if (!after.length && back.length > 1) return "all put back";
  const parts = [];
  if (gone.length) parts.push(`${gone.join(", ")} cut`);
  if (back.length) parts.push(`${back.join(", ")} put back`);
  return parts.join("; ");
}

/** Where everything is drawn, in pixels: nodes by name, and wires with the place of their number. */
export function wiring(spec, width) {
  const narrow = width < 420;
  const hidden = Object.keys(spec.neurons);
  const rows = Math.max(spec.names.length, hidden.length);
  const height = spec.kind === "linear" ? rows * 58 + 8 : Math.max(rows * 112, 220) + 16;
  const nodes = {};
  const spread = (names, x, from, to, more) => names.forEach((name, i) => {
    nodes[name] = { x, y: from + ((i + 0.5) / names.length) * (to - from), ...more };
  });
  if (spec.kind === "linear") {
    const wide = narrow ? 76 : 104;
    spread(spec.names, wide / 2 + 1, 0, height, { width: wide, height: 44 });
    nodes.output = { x: width - wide / 2 - 1, y: height / 2, width: wide, height: 62 };
  } else {
    const radius = narrow ? 15 : 21;
    const inset = narrow ? 24 : 44;
    spread(spec.names, inset, height * 0.04, height * 0.92, { radius });
    spread(hidden, inset + 0.56 * (width - 2 * inset), 0, height - 10, { radius });
    nodes.output = { x: width - inset, y: (height - 10) / 2, radius };
  }
  const wires = spec.wires.map((wire) => {
    const [start, end] = [nodes[wire.start], nodes[wire.end]];
    const along = spec.kind === "linear" ? 0.46 : wire.end === "output" ? 0.48 : 0.7;
    const [x0, x1] = spec.kind === "linear" ? [start.x + start.width / 2, end.x - end.width / 2] : [start.x, end.x];
    return { x0, y0: start.y, x1, y1: end.y, x: x0 + along * (x1 - x0), y: start.y + along * (end.y - start.y) };
  });
  return { width, height, nodes, wires };
}

/** The wire within reach of a point, or -1. */
export function wireAt(wires, x, y, reach = 9) {
  const distances = wires.map(({ x0, y0, x1, y1 }) => {
    const [dx, dy] = [x1 - x0, y1 - y0];
    const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)));
    return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
  });
  const nearest = distances.indexOf(Math.min(...distances));
  return distances[nearest] <= reach ? nearest : -1;
}
