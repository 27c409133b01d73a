// What TinyNetwork computes, without a page: `node --test` checks these functions against NumPy.
//
// `spec` is what tiny_models.spec gives, `kept` one flag a weight, in its order.
import { filled, listed } from "../frame/pure.js";

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
  const biases = Object.keys(spec.neurons).map((name) => spec.biases[name]);
  const [hidden, last] = [biases.length, spec.biases.output];
  return (a, b) => {
    let z = last;
    for (let h = 0; h < hidden; h++) {
      z += weights[2 * hidden + h] * Math.max(weights[2 * h] * a + weights[2 * h + 1] * b + biases[h], 0);
    }
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

/** The terms that a neuron adds up: { name, start, kept, product, minus, words }; the words leave out the sign. */
export function terms(spec, kept, neuron, passed) {
  return spec.wires.flatMap((wire, i) => {
    if (wire.end !== neuron) return [];
    const input = passed[wire.start];
    const [factor, number] = [plain(Math.abs(wire.value), spec.decimals), plain(input, 3)];
    const words = `${factor} × ${input < 0 ? `(${number})` : number}`;
    const { name, start, value } = wire;
    return [{ name, start, kept: kept[i], product: value * input, minus: value < 0, words }];
  });
}

/** In words: what is cut, the loss, and how many are right. */
export function sentenceOf({ title, spec, cut, x, noun }, now, whole) {
  const words = cut.length ? `without ${cut.join(", ")}` : "with all weights";
  const before = cut.length ? ` instead of ${exactly(whole.loss, spec.digits)}` : "";
  const right = now.right === null ? "" : `, ${now.right} of them right`;
  const loss = `the ${spec.lossName} is ${exactly(now.loss, spec.digits)}${before}`;
  return `${title}: ${words}, ${loss} on ${x.length} ${noun}${x.length === 1 ? "" : "s"}${right}.`;
}

/** The snippet of Show code, as Python's `TinyNetwork.snippet`. */
export const finishedSnippet = (code, cut) => filled(code, { cut: listed(cut) });

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

const NARROW = 420; // pixels

/** What stands on each wire: { name, number, change }; `ifToggled` is null where it is not asked for. */
export const labelsOf = (spec, ifToggled) => spec.wires.map((wire, i) => ({
  name: spec.kind === "linear" ? "" : wire.name,
  number: plain(wire.value, spec.decimals),
  change: ifToggled ? signed(ifToggled[i], spec.digits) : "",
}));

/** Where everything is drawn, in pixels: nodes by name, wires with the place of their number, and its size. */
export function wiring(spec, width, labels) {
  const narrow = width < NARROW;
  const stacked = narrow && spec.kind !== "linear";
  const longest = (pick) => Math.max(...labels.map((label) => pick(label).length));
  const lines = 1 + Number(stacked) + Number(labels[0].change !== "");
  const number = 7.5 * longest((label) => label.number) + (stacked ? 0 : 7 * longest((label) => label.name));
  const wide = Math.max(number, 6.2 * longest((label) => label.change)) + (stacked ? 14 : 22);
  const chip = { stacked, width: wide, height: 10 + 14 * lines };
  const placed = (spec.kind === "linear" ? linearPlaces : networkPlaces)(spec, width, narrow, chip);
  const wires = spec.wires.map((wire) => {
    const [start, end] = [placed.nodes[wire.start], placed.nodes[wire.end]];
    const along = spec.kind === "network" && wire.end === "output" ? 0.5 : placed.along;
    const [x0, x1] = spec.kind === "linear" ? [start.x + start.width / 2, end.x - end.width / 2] : [start.x, end.x];
    return { x0, y0: start.y, x1, y1: end.y, x: x0 + along * (x1 - x0), y: start.y + along * (end.y - start.y) };
  });
  return { width, narrow, chip, wires, ...placed };
}

// `along` is how far from their start, as a share of their length, wires carry their numbers.

function linearPlaces(spec, width, narrow, chip) {
  const [wide, along] = narrow ? [68, 0.45] : [104, 0.3];
  const step = Math.max(58, (chip.height + 6) / (1 - along));
  const height = spec.names.length * step + 8;
  const place = (i) => ({ x: wide / 2 + 1, y: 4 + (i + 0.5) * step, width: wide, height: 44 });
  const nodes = Object.fromEntries(spec.names.map((name, i) => [name, place(i)]));
  nodes.output = { x: width - wide / 2 - 1, y: height / 2, width: wide, height: 62 };
  return { along, height, nodes };
}

function networkPlaces(spec, width, narrow, chip) {
  const hidden = Object.keys(spec.neurons);
  const [radius, inset] = narrow ? [18, 24] : [23, 44];
  const along = 0.66;
  const apart = Math.min(0.5, along / (1 - along) / 2 / hidden.length); // inputs, so that the numbers are evenly spaced
  const height = Math.round(Math.max(112 * hidden.length, 230, (chip.height + 5) / ((1 - along) * apart)));
  const place = (i) => ({ x: inset, y: height * (0.5 + apart * (i - 0.5)), radius });
  const nodes = Object.fromEntries(spec.names.map((name, i) => [name, place(i)]));
  hidden.forEach((name, h) => {
    nodes[name] = { x: inset + 0.6 * (width - 2 * inset), y: (height * (h + 0.5)) / hidden.length, radius };
  });
  nodes.output = { x: width - inset, y: height / 2, radius };
  return { along, height, nodes };
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
