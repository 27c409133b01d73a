// What a view computes, without a page: `node --test` checks these functions against NumPy.

export const STEPS = 10000; // sparsities come in hundredths of a per cent
const SUPERSCRIPT = { "-": "⁻", ...["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"] };

export const stepOf = (sparsity) => Math.round(sparsity * STEPS);

/** A score; where scores are small, all of them as 3.1 × 10⁻⁷. */
export function scoreText(value, small) {
  const short = +value.toPrecision(3);
  if (!small || !short) return String(short);
  const [digits, power] = short.toExponential().split("e");
  const raised = [...power.replace("+", "")].map((sign) => SUPERSCRIPT[sign]).join("");
  return `${digits} × 10${raised}`;
}

/** How many of `total` are pruned at a step, rounded half up. */
export const cutAt = (step, total) => Math.floor((2 * step * total + STEPS) / (2 * STEPS));

/** How many of these places (the step at which each weight goes first) are pruned at each step. */
export function prunedByStep(places) {
  const counts = new Uint32Array(STEPS + 1);
  for (let i = 0; i < places.length; i++) counts[places[i]]++;
  for (let step = 1; step <= STEPS; step++) counts[step] += counts[step - 1];
  return counts;
}

/** Scores grow with rank, so the pruned ones fill the bins from the left. */
export function splitBins(counts, pruned) {
  let left = pruned;
  return counts.map((count) => {
    const here = Math.min(count, left);
    left -= here;
    return here;
  });
}

export function mergeBins(counts, by) {
  const merged = [];
  for (let i = 0; i < counts.length; i += by) {
    let sum = 0;
    for (let j = i; j < Math.min(i + by, counts.length); j++) sum += counts[j];
    merged.push(sum);
  }
  return merged;
}

/** Where the cut lies, in bins from the left. */
export function cutPosition(counts, pruned) {
  let before = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    if (counts[bin] && before + counts[bin] > pruned) return bin + (pruned - before) / counts[bin];
    before += counts[bin];
  }
  return counts.length;
}

/** The score at a place of a histogram, from 0 (left) to 1. */
export const scoreAt = ({ low, high, log }, along) => (log ? low * (high / low) ** along : low + (high - low) * along);

export const grouped = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** A share as a percentage; 0 and 100% are written only for exactly none and all. */
export function percent(share, digits = 1) {
  const smallest = 10 ** -digits;
  const value = +(100 * share).toFixed(9); // 100 * 0.3 is 30.000000000000004
  if (value > 0 && value < smallest) return `under ${smallest}%`;
  if (value < 100 && value > 100 - smallest) return `over ${100 - smallest}%`;
  return `${value.toFixed(value === Math.round(value) ? 0 : digits)}%`;
}

/** When a unit goes by rule, if it is the last of its layer. */
export const STAYS = "no sparsity: the last of its layer stays";

export const sparsityText = (sparsity) => `${+(100 * sparsity).toFixed(2)}%`;

export function bytesText(bytes) {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  const [size, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${size < 100 ? +size.toPrecision(3) : grouped(size)} ${unit}`;
}

export function millions(n) {
  if (n >= 1e6) return `${+(n / 1e6).toPrecision(3)} M`;
  return n >= 1e3 ? `${+(n / 1e3).toPrecision(3)} k` : grouped(n);
}

/** A number as people write it: "90", "90.5", "90,5%"; NaN if it is none. */
export function parsePercent(text) {
  const plain = text.trim().replace(/\s*%$/, "").replace(",", ".");
  return /^\d*\.?\d+$|^\d+\.$/.test(plain) ? Number(plain) / 100 : NaN;
}

/** 95% interval of a share (Wilson 1927). */
export function wilson(correct, n) {
  const z = 1.959963984540054;
  const share = correct / n;
  const spread = (z * z) / n;
  const centre = (share + spread / 2) / (1 + spread);
  const half = Math.sqrt((spread * share * (1 - share) + (spread * spread) / 4)) / (1 + spread);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Right answers at a sparsity, between measured points on a straight line; null outside them. */
export function estimate(curve, sparsity) {
  for (let i = 0; i < curve.length; i++) {
    if (curve[i][0] === sparsity) return { correct: curve[i][1], measured: true };
    if (i && curve[i - 1][0] < sparsity && sparsity < curve[i][0]) {
      const along = (sparsity - curve[i - 1][0]) / (curve[i][0] - curve[i - 1][0]);
      return { correct: curve[i - 1][1] + along * (curve[i][1] - curve[i - 1][1]), measured: false };
    }
  }
  return null;
}

/** The first pair of measured sparsities between which right answers fall below `wanted`. */
export function crossing(curve, wanted) {
  for (let i = 1; i < curve.length; i++) {
    if (curve[i - 1][1] >= wanted && curve[i][1] < wanted) return [curve[i - 1][0], curve[i][0]];
  }
  return null;
}

/** Survivors at four bytes, and the entropy of an unordered mask: a reference, not a measurement. */
export function byteEstimate(kept, weights, rest) {
  const p = kept / weights;
  const entropy = p > 0 && p < 1 ? -(p * Math.log2(p) + (1 - p) * Math.log2(1 - p)) : 0;
  return 4 * (kept + rest) + (entropy * weights) / 8;
}

/** Lay a layer out flat: a matrix of outputs × inputs, or kernels with filters to the right. */
export function layOut(shape) {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length < 3) {
    const [height, width] = shape.length === 2 ? shape : [1, size];
    return width > 16 * height ? folded(width, height) : { width, height, pixelOf: null };
  }
  const [filters, channels] = shape;
  const kernelWidth = shape[shape.length - 1];
  const kernelSize = size / (filters * channels);
  const kernelHeight = kernelSize / kernelWidth;
  const gap = kernelSize > 1 ? 1 : 0;
  const width = filters * (kernelWidth + gap) - gap;
  const height = channels * (kernelHeight + gap) - gap;
  const pixelOf = new Uint32Array(size);
  for (let i = 0; i < size; i++) {
    const inside = i % kernelSize;
    const channel = Math.floor(i / kernelSize) % channels;
    const filter = Math.floor(i / (kernelSize * channels));
    const row = channel * (kernelHeight + gap) + Math.floor(inside / kernelWidth);
    pixelOf[i] = row * width + filter * (kernelWidth + gap) + (inside % kernelWidth);
  }
  return { width, height, pixelOf };
}

/** A long, low matrix in bands, one below the other. */
function folded(columns, rows) {
  const width = Math.ceil(Math.sqrt(2.5 * columns * rows));
  const bands = Math.ceil(columns / width);
  const pixelOf = new Uint32Array(columns * rows);
  for (let i = 0; i < pixelOf.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    pixelOf[i] = (Math.floor(column / width) * (rows + 1) + row) * width + (column % width);
  }
  return { width, height: bands * (rows + 1) - 1, pixelOf };
}

/** The pixels of a layer in the order in which their weights go; `counts` is prunedByStep of their places. */
export function orderOf(places, counts, pixelOf) {
  const next = new Uint32Array(counts.length);
  for (let step = 1; step < counts.length; step++) next[step] = counts[step - 1];
  const order = new Uint32Array(places.length);
  for (let i = 0; i < places.length; i++) order[next[places[i]]++] = pixelOf ? pixelOf[i] : i;
  return order;
}

/** Recolour only the pixels of the weights that a move of the slider cuts or gives back. */
export function moveMask(pixels, order, from, to, kept, pruned) {
  const colour = (to > from ? pruned : kept) | 0; // a number beyond 31 bits would be converted for every pixel
  const end = Math.max(from, to);
  let at = Math.min(from, to);
  for (; at + 3 < end; at += 4) { // four a round: going round costs more than a pixel
    pixels[order[at]] = colour;
    pixels[order[at + 1]] = colour;
    pixels[order[at + 2]] = colour;
    pixels[order[at + 3]] = colour;
  }
  for (; at < end; at++) pixels[order[at]] = colour;
}

/** Share pruned in each block at a step, between two of the measured levels on a straight line. */
export function shareAt(shares, step) {
  const [levels, rows, columns] = shares.shape;
  const blocks = rows * columns;
  const at = (step / STEPS) * (levels - 1);
  const level = Math.min(Math.floor(at), levels - 2);
  const [along, low] = [at - level, level * blocks];
  const found = new Float32Array(blocks);
  for (let i = 0; i < blocks; i++) found[i] = (shares[low + i] * (1 - along) + shares[low + blocks + i] * along) / 255;
  return found;
}

/** How edits by hand change the number pruned in a layer at a step. */
export function handChange(edits, places, step) {
  let change = 0;
  for (const i of edits?.cut ?? []) if (places[i] > step) change++;
  for (const i of edits?.kept ?? []) if (places[i] <= step) change--;
  return change;
}

/** Force one weight to be cut or kept; a second time on the same weight lets go of it. */
export function toggled(edits, index, prunedNow) {
  const lists = { cut: [...(edits?.cut ?? [])], kept: [...(edits?.kept ?? [])] };
  for (const name of ["cut", "kept"]) {
    if (lists[name].includes(index)) return { ...lists, [name]: lists[name].filter((i) => i !== index) };
  }
  lists[prunedNow ? "kept" : "cut"].push(index);
  return lists;
}

/** A name as a string of Python, as `code.quoted` writes it; one with braces is no place to fill. */
export const quoted = (name) => JSON.stringify(name).replaceAll("{", "\\u007b").replaceAll("}", "\\u007d");

/** Names as a list of Python. */
export const listed = (names) => `[${names.map(quoted).join(", ")}]`;

/** A text with all its places that have a word filled in, as `code.filled` does; its other braces stay. */
export const filled = (text, words) => text.replace(/\{(\w+)\}/g, (place, word) => words[word] ?? place);

/** The snippet of Show code with what the slider decides filled in, as `code.finished` does. */
export function finishedCode(text, cuts, sparsity, byHand, removed = false) {
  const lines = [];
  for (const [name, lists] of Object.entries(byHand)) {
    for (const [value, places] of [["False", lists.cut], ["True", lists.kept]]) {
      if (places?.length) lines.push(`\n    keep[${quoted(name)}][[${places.join(", ")}]] = ${value}`);
    }
  }
  const byLayer = Object.entries(cuts).filter(([name]) => name).map(([name, cut]) => `${quoted(name)}: ${cut}`);
  const chosen = text.replace(/^\{removed\}(.*\n)/gm, removed ? "$1" : "");
  return filled(chosen, {
    cut: String(cuts[""]),
    cuts: `{${byLayer.join(", ")}}`,
    share: `${+(100 * sparsity).toFixed(2)}%`,
    sparsity: Number.isInteger(sparsity) ? sparsity.toFixed(1) : String(sparsity),
    by_hand: lines.length ? `\n    # by hand${lines.join("")}` : "",
  });
}

/** Whether two values of a trait say the same; most that differ do so at once. */
export function same(one, other) {
  if (one === other) return true;
  if (!one || !other || typeof one !== "object" || typeof other !== "object") return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length
    && names.every((name) => name in other && same(one[name], other[name]));
}

/** A function that works only when it is given something else than the last time. */
export function remembered(make) {
  /** @type {any[]} */
  let last = [];
  let value;
  return (...given) => {
    const known = last.length === given.length && given.every((one, i) => one === last[i]);
    if (!known) [last, value] = [given, make(...given)];
    return value;
  };
}
