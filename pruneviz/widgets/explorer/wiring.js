// Where the neurons of dense layers stand, and who reads whom.
import { decode } from "../frame/wire.js";

export const TALL = 384; // pixels for the neurons of a layer
const SMALLEST = 8;
const LARGEST_CELL = 18;

/**
 * Where the neurons of each layer stand: blocks of cells, filled row by row. `sides` are the widths of the input
 * picture and of the output column. Gives { cell, rows, blocks: [{ x, across }], gap, end }.
 */
export function layOutBlocks(width, sizes, sides) {
  const gaps = sizes.length + (sides[0] ? 1 : 0);
  const wanted = (cell) => sizes.reduce((sum, size) => sum + cell * Math.ceil(size / Math.floor(TALL / cell)), 0);
  let cell = LARGEST_CELL;
  while (cell > SMALLEST && sides[0] + sides[1] + wanted(cell) + 48 * gaps > width) cell -= 1;
  const rows = Math.floor(TALL / cell);
  const gap = Math.max(24, (width - sides[0] - sides[1] - wanted(cell)) / gaps);
  let x = sides[0] ? sides[0] + gap : 0;
  const blocks = sizes.map((size) => {
    const block = { x, across: Math.ceil(size / rows) };
    x += block.across * cell + gap;
    return block;
  });
  return { cell, rows, blocks, gap, end: x };
}

/** The places of the strongest `many` of some weights, among those that `alive` names. */
export function strongest(values, many, alive = () => true) {
  const bySize = (a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b;
  return [...values.keys()].filter(alive).sort(bySize).slice(0, many);
}

/** The next neuron for a key: row by row in a block, from one block to the next at its sides. */
export function nextSpot(key, { layer, place }, sizes, blocks) {
  const [size, across] = [sizes[layer], blocks[layer].across];
  const row = Math.floor(place / across);
  if (key === "Home") return { layer, place: 0 };
  if (key === "End") return { layer, place: size - 1 };
  if (key === "ArrowUp") return { layer, place: place - across >= 0 ? place - across : place };
  if (key === "ArrowDown") return { layer, place: place + across < size ? place + across : place };
  const side = key === "ArrowRight" ? 1 : -1;
  const inside = place + side >= row * across && place + side < Math.min(size, (row + 1) * across);
  if (inside) return { layer, place: place + side };
  const other = layer + side;
  if (other < 0 || other >= sizes.length) return { layer, place };
  const start = row * blocks[other].across;
  return { layer: other, place: Math.min(sizes[other] - 1, side > 0 ? start : start + blocks[other].across - 1) };
}

/** Weights of the dense layers, eight bits each, and who reads whom. */
export class Wiring {
  constructor(frame, units) {
    this.layers = decode(frame.get("dense_layers")).map(({ name, scale, weight }) => {
      const { columns } = units.wires.find((other) => other.name === name);
      return { name, scale, shape: weight.shape, values: weight, columns };
    });
    this.units = units;
  }

  of(layer) { return this.layers.find(({ name }) => name === layer.name) ?? null; }

  /** The dense layer that reads this one's neurons, column by column. */
  after(layer) {
    const reads = ({ columns }) => layer.id.every((id, i) => id < 0 || columns[i] === id);
    const found = this.layers.find((other) =>
      other.name !== layer.name && other.columns.length === layer.size && reads(other));
    return found ?? null;
  }

  before(layer) {
    const own = this.of(layer);
    return own && (this.units.layers.find((other) => this.after(other) === own) ?? null);
  }

  incoming(layer, i) {
    const own = this.of(layer);
    if (!own) return new Float32Array(0);
    const width = own.shape[1];
    return Float32Array.from(own.values.subarray(i * width, (i + 1) * width), (v) => v * own.scale);
  }

  outgoing(layer, i) {
    const next = this.after(layer);
    if (!next) return new Float32Array(0);
    return Float32Array.from({ length: next.shape[0] }, (_, row) => next.values[row * next.shape[1] + i] * next.scale);
  }
}
