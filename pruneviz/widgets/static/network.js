// A network of dense layers with all its neurons, and a cut line in each layer.
import { grouped, percent, sparsityText, typed } from "./pure.js";
import { dot, hatch, line, sharp, text } from "./draw.js";
import { button, el, setText } from "./controls.js";
import { hidden, sameState } from "./parts.js";

const TALL = 384; // pixels for the neurons of a layer
const TITLE = 24;
const SMALLEST = 8;
const LARGEST_CELL = 18;
const STRONGEST = 12;

/**
 * Where the neurons of each layer stand: blocks of cells, filled row by row. `sides` are the widths of the input picture
 * and of the output column. Gives { cell, rows, blocks: [{ x, across }], gap }.
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
  return [...values.keys()].filter(alive).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b).slice(0, many);
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
class Wiring {
  constructor(frame, units) {
    const bytes = typed(frame.get("weights"), Int8Array);
    let from = 0;
    this.layers = frame.get("dense_layers").map(({ name, shape, scale }) => {
      const values = bytes.subarray(from, (from += shape[0] * shape[1]));
      const wire = units.wires.find((other) => other.name === name);
      return { name, shape, scale, values, columns: wire.columns };
    });
    if (from !== bytes.length) this.layers = [];
    this.units = units;
  }

  of(layer) { return this.layers.find(({ name }) => name === layer.name) ?? null; }

  /** The dense layer that reads this one's neurons, column by column. */
  after(layer) {
    return this.layers.find(({ columns, name }) => name !== layer.name && columns.length === layer.size && layer.id.every((id, i) => id < 0 || columns[i] === id)) ?? null;
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

export class NetworkPicture {
  constructor(frame, units) {
    Object.assign(this, { frame, units, wiring: new Wiring(frame, units), focus: { layer: 0, i: units.layers[0].order[0] }, hover: null });
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.cursor = button("", () => this.toggle(), { class: "pv-cursor", "aria-roledescription": "neuron" });
    this.handles = units.layers.map((layer, l) => this.handle(layer, l));
    this.stage = el("div", { class: "pv-network", role: "group", "aria-label": "Network: arrow keys move from neuron to neuron, Enter silences one" }, this.canvas, this.cursor, ...this.handles.map(({ node }) => node));
    this.canvas.addEventListener("click", (event) => this.press(event));
    this.stage.addEventListener("pointermove", (event) => this.look(this.spotAt(event)));
    this.stage.addEventListener("pointerleave", () => this.look(null));
    this.cursor.addEventListener("keydown", (event) => this.key(event));
    this.cursor.addEventListener("focus", () => frame.repaint());
    this.cursor.addEventListener("blur", () => frame.repaint());
    this.loadActivity();
    for (const name of ["activity", "pictured"]) frame.on(name, () => this.loadActivity());
    for (const name of ["ranking", "sort"]) frame.on(name, () => { this.sheetKey = ""; });
  }

  loadActivity() {
    const all = typed(this.frame.get("activity"), Float32Array);
    for (const layer of this.units.layers) layer.activity = all.subarray(layer.first, layer.first + layer.size);
    this.sheetKey = "";
  }

  get sorted() { return this.frame.get("sort") === "score"; }
  get shown() { return this.hover ?? this.focus; }

  /** Neuron at a place of a block, and the other way round. */
  neuron(l, place) { return this.sorted ? this.units.layers[l].order[place] : place; }
  place(l, i) { return this.sorted ? this.units.layers[l].rank[i] : i; }

  spot(l, place) {
    const { cell, blocks } = this.layout;
    return [blocks[l].x + (place % blocks[l].across) * cell, TITLE + Math.floor(place / blocks[l].across) * cell];
  }

  centre(l, i) {
    const [x, y] = this.spot(l, this.place(l, i));
    return [x + this.layout.cell / 2, y + this.layout.cell / 2];
  }

  // -- drawing -----------------------------------------------------------------------------------------------

  draw(width, colours) {
    const classes = this.wiring.layers.at(-1)?.shape[0] ?? 0;
    this.outputs = classes > 0 && classes <= 20 && this.wiring.after(this.units.layers.at(-1)) ? classes : 0;
    const side = this.frame.get("pixels")?.byteLength ? Math.round(Math.min(104, Math.max(48, width * 0.13))) : 0;
    const sizes = this.units.layers.map(({ size }) => size);
    this.sides = [side, this.outputs ? 84 : 0];
    this.layout = layOutBlocks(width, sizes, this.sides);
    this.height = TITLE + TALL + 4;
    const at = this.units.at(this.frame.get("sparsity"), this.frame.get("by_hand"));
    this.refreshSheet(width, colours);
    const context = sharp(this.canvas, width, this.height);
    context.drawImage(this.sheet, 0, 0, width, this.height);
    this.drawPruned(context, at, colours);
    this.drawTitles(context, at, colours);
    this.drawConnections(context, at, colours);
    if (this.outputs) this.drawOutputs(context, colours);
    if (this.sorted) this.units.layers.forEach((layer, l) => this.drawCut(context, l, layer.size - at.rule[l], colours));
    this.at = at;
  }

  /** What no slider changes: the input, the fans between layers, and every neuron as if it were kept. */
  refreshSheet(width, colours) {
    const key = `${width}/${colours.kept}/${colours.paper}/${this.sorted}`;
    if (this.sheetKey === key) return;
    this.sheetKey = key;
    this.sheet = document.createElement("canvas");
    const context = sharp(this.sheet, width, this.height);
    this.drawFans(context, colours);
    if (this.sides[0]) this.drawInput(context, colours);
    const radius = this.layout.cell * 0.42;
    this.units.layers.forEach((layer, l) => {
      const most = Math.max(...layer.activity, 1e-12);
      for (let i = 0; i < layer.size; i++) {
        const [x, y] = this.centre(l, i);
        context.fillStyle = colours.paper;
        dot(context, x, y, radius);
        context.fillStyle = context.strokeStyle = colours.kept;
        context.globalAlpha = Math.sqrt(Math.max(0, layer.activity[i]) / most);
        dot(context, x, y, radius);
        context.globalAlpha = 1;
        context.lineWidth = 1.2;
        context.stroke();
      }
    });
  }

  /** A few of the connections, to say that there are more than can be drawn. */
  drawFans(context, colours) {
    const { cell, blocks } = this.layout;
    const edges = this.units.layers.map((_, l) => [blocks[l].x - 3, blocks[l].x + blocks[l].across * cell + 3]);
    const starts = [...(this.sides[0] ? [[this.sides[0] + 3, this.inputTop, this.inputTop + this.sides[0]]] : []), ...edges.map(([, right]) => [right, TITLE, TITLE + TALL])];
    const ends = [...edges.slice(this.sides[0] ? 0 : 1).map(([left]) => [left, TITLE, TITLE + TALL]), ...(this.outputs ? [[this.outputX - 10, TITLE, TITLE + TALL]] : [])];
    context.globalAlpha = 0.6;
    ends.forEach(([right, above, below], k) => {
      const [left, top, bottom] = starts[k];
      for (let a = 0; a < 9; a++) for (let b = 0; b < 9; b++) line(context, [[left, top + ((bottom - top) * (a + 0.5)) / 9], [right, above + ((below - above) * (b + 0.5)) / 9]], colours.line, 0.5);
    });
    context.globalAlpha = 1;
  }

  get inputTop() { return TITLE + (TALL - this.sides[0]) / 2; }
  get outputX() { return this.layout.end - (this.units.layers.length ? 0 : this.layout.gap) + 10; }

  drawInput(context, colours) {
    const { shape } = this.frame.get("pictured");
    const [height, width, channels] = shape;
    const view = this.frame.get("pixels");
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const small = new OffscreenCanvas(width, height);
    const pen = small.getContext("2d");
    const image = pen.createImageData(width, height);
    for (let p = 0; p < width * height; p++) for (let c = 0; c < 4; c++) image.data[4 * p + c] = c === 3 ? 255 : bytes[p * channels + (channels === 3 ? c : 0)];
    pen.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, this.inputTop, this.sides[0], this.sides[0]);
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.strokeRect(0.5, this.inputTop + 0.5, this.sides[0] - 1, this.sides[0] - 1);
    const { index, truth } = this.frame.get("pictured");
    text(context, index < 0 ? "mean of all" : `image ${index}, a ${truth}`, 0, this.inputTop - 7, { colour: colours.quiet });
  }

  /** All pruned neurons in one path: a fill each would cost more than all of them together. */
  drawPruned(context, at, colours) {
    const radius = this.layout.cell * 0.42;
    const [gone, hand] = [new Path2D(), new Path2D()];
    this.kept = this.units.layers.map((layer, l) => {
      let kept = 0;
      for (let i = 0; i < layer.size; i++) {
        const id = layer.id[i];
        if (id < 0 || !at.gone[id]) kept++;
        else ring(gone, this.centre(l, i), radius + 0.6);
        if (id >= 0 && at.fates[id]) ring(hand, this.centre(l, i), radius + 0.4);
      }
      return kept;
    });
    context.fillStyle = colours.pruned;
    context.fill(gone);
    context.fillStyle = hatch(context, colours);
    context.fill(gone);
    for (const [colour, width] of [[colours.paper, 5], [colours.guess, 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke(hand);
    }
  }

  drawTitles(context, at, colours) {
    this.units.layers.forEach((layer, l) => {
      text(context, `${layer.name}: ${grouped(this.kept[l])} of ${grouped(layer.size)}`, this.layout.blocks[l].x, 14, { colour: colours.ink });
    });
  }

  drawConnections(context, at, colours) {
    const { layer: l, i } = this.shown;
    const layer = this.units.layers[l];
    const own = this.centre(l, i);
    const dead = at.gone[layer.id[i]];
    const alive = (other) => (j) => { const id = other.id[j]; return id < 0 || !at.gone[id]; };
    const before = this.wiring.before(layer);
    const [into, out] = [this.wiring.incoming(layer, i), this.wiring.outgoing(layer, i)];
    const next = this.wiring.after(layer);
    const following = this.units.layers.findIndex(({ name }) => name === next?.name);
    const wires = [
      ...(before ? strongest(into, STRONGEST, alive(before)).map((j) => [into[j], into, this.centre(this.units.layers.indexOf(before), j)]) : []),
      ...(following >= 0 ? strongest(out, STRONGEST, alive(this.units.layers[following])).map((j) => [out[j], out, this.centre(following, j)]) : []),
      ...(next && following < 0 && this.outputs ? strongest(out, STRONGEST).map((j) => [out[j], out, this.output(j)]) : []),
    ];
    context.globalAlpha = dead ? 0.35 : 0.9;
    for (const [value, all, end] of wires) {
      const most = Math.max(...all.map(Math.abs), 1e-12);
      line(context, [own, end], value > 0 ? colours.kept : colours.mark, 0.6 + (2.2 * Math.abs(value)) / most, value > 0 ? [] : [5, 3]);
    }
    context.globalAlpha = 1;
    context.strokeStyle = colours.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(...own, this.layout.cell * 0.5 + 1, 0, 7);
    context.stroke();
  }

  output(j) { return [this.outputX, TITLE + (TALL * (j + 0.5)) / this.outputs]; }

  /** The classes, and the share of each that is right. */
  drawOutputs(context, colours) {
    const rows = hidden(this.frame) || !sameState(this.frame) ? null : this.frame.get("exact").confusion;
    for (let j = 0; j < this.outputs; j++) {
      const [x, y] = this.output(j);
      context.fillStyle = colours.paper;
      context.strokeStyle = colours.kept;
      context.lineWidth = 1.5;
      dot(context, x, y, 9, true);
      text(context, String(j), x, y + 4, { colour: colours.ink, align: "center" });
      const total = rows?.[j]?.reduce((a, b) => a + b, 0);
      if (total) text(context, percent(rows[j][j] / total, 0), x + 16, y + 4, { colour: colours.quiet });
    }
  }

  /** The line between what the rule keeps and what it cuts: a step, where the row is not full. */
  drawCut(context, l, kept, colours) {
    const { cell, blocks } = this.layout;
    const [x, wide] = [blocks[l].x, blocks[l].across * cell];
    const [row, rest] = [Math.floor(kept / blocks[l].across), kept % blocks[l].across];
    const y = TITLE + row * cell;
    const path = rest ? [[x - 6, y + cell], [x + rest * cell, y + cell], [x + rest * cell, y], [x + wide + 6, y]] : [[x - 6, y], [x + wide + 6, y]];
    line(context, path, colours.paper, 4);
    line(context, path, colours.ink, 2);
    this.handles[l].to(x + wide + 4, y);
  }

  // -- the hand ----------------------------------------------------------------------------------------------

  spotAt(event) {
    if (!this.layout) return null;
    const box = this.canvas.getBoundingClientRect();
    const { cell, blocks } = this.layout;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top - TITLE];
    for (const [l, layer] of this.units.layers.entries()) {
      const column = Math.floor((x - blocks[l].x) / cell);
      const place = Math.floor(y / cell) * blocks[l].across + column;
      if (column >= 0 && column < blocks[l].across && y >= 0 && place < layer.size) return { layer: l, i: this.neuron(l, place) };
    }
    return null;
  }

  look(spot) {
    if (spot?.layer === this.hover?.layer && spot?.i === this.hover?.i) return;
    this.hover = spot;
    this.frame.repaint();
  }

  press(event) {
    const spot = this.spotAt(event);
    if (!spot) return;
    this.focus = spot;
    this.toggle();
    this.cursor.focus({ preventScroll: true });
  }

  toggle() {
    const { layer, i } = this.focus;
    this.units.toggle(this.frame, this.units.layers[layer], i);
  }

  key(event) {
    if (!["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const { layer, i } = this.focus;
    const next = nextSpot(event.key, { layer, place: this.place(layer, i) }, this.units.layers.map(({ size }) => size), this.layout.blocks);
    this.focus = { layer: next.layer, i: this.neuron(next.layer, next.place) };
    this.hover = null;
    this.frame.say(this.describe(this.focus));
    this.frame.repaint();
  }

  /** A handle of the cut line: drag it, or use the arrow keys, one neuron a step. */
  handle(layer, l) {
    const node = el("div", { class: "pv-cut", role: "slider", tabindex: 0, "aria-label": `Cut of ${layer.name}`, "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": layer.size, "data-lm-suppress-shortcuts": "true" });
    const set = (kept, moving) => {
      this.frame.set({ sparsity: this.units.sparsityFor(layer, Math.max(0, Math.min(layer.size, kept))) }, { moving });
      if (!moving) this.frame.speak = true;
    };
    const kept = () => layer.size - this.at.rule[l];
    const from = (event) => {
      const { cell, blocks } = this.layout;
      return Math.round((event.clientY - this.canvas.getBoundingClientRect().top - TITLE) / cell) * blocks[l].across;
    };
    node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); event.preventDefault(); node.focus(); });
    node.addEventListener("pointermove", (event) => node.hasPointerCapture(event.pointerId) && set(from(event), true));
    node.addEventListener("pointerup", (event) => { node.releasePointerCapture(event.pointerId); this.frame.set({}); this.frame.speak = true; });
    node.addEventListener("keydown", (event) => {
      const to = { ArrowUp: kept() - 1, ArrowRight: kept() + 1, ArrowDown: kept() + 1, ArrowLeft: kept() - 1, PageUp: kept() - 10, PageDown: kept() + 10, Home: 1, End: layer.size }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      set(to, false);
    });
    return { node, to: (x, y) => { node.style.transform = `translate(${x}px, ${y - 12}px)`; } };
  }

  /** What follows on the page, after the picture is drawn. */
  write() {
    const { frame, units, at } = this;
    this.canvas.dataset.kept = this.kept.join(" ");
    const [x, y] = this.centre(this.focus.layer, this.focus.i);
    this.cursor.style.transform = `translate(${x - 12}px, ${y - 12}px)`;
    units.layers.forEach((layer, l) => {
      const { node } = this.handles[l];
      node.hidden = !this.sorted;
      setText(node, grouped(layer.size - at.rule[l]));
      node.setAttribute("aria-valuenow", layer.size - at.rule[l]);
    });
    if (frame.get("moving")) return;
    units.layers.forEach((layer, l) => this.handles[l].node.setAttribute("aria-valuetext", `${layer.size - at.rule[l]} of ${layer.size} kept by rule`));
    this.cursor.setAttribute("aria-label", this.describe(this.focus));
    this.cursor.setAttribute("aria-pressed", String(Boolean(at.gone[units.layers[this.focus.layer].id[this.focus.i]])));
  }

  fateOf({ layer: l, i }) {
    const id = this.units.layers[l].id[i];
    if (id < 0) return "must stay";
    const word = this.at.gone[id] ? "silenced" : "kept";
    return this.at.fates[id] ? `${word} by hand` : word;
  }

  describe(spot) {
    const layer = this.units.layers[spot.layer];
    const facts = this.factsOf(spot);
    return `Neuron ${spot.i} of ${layer.name}: ${this.fateOf(spot)}; ${facts.map(([name, words]) => `${name} ${words}`).join(", ")}`;
  }

  factsOf({ layer: l, i }) {
    const layer = this.units.layers[l];
    const { index } = this.frame.get("pictured");
    const active = layer.activity[i];
    const never = active === 0 ? (index < 0 ? "0, never active" : "0, silent on this image") : active.toPrecision(3);
    const goes = layer.place[i] <= 10000 ? sparsityText(layer.place[i] / 10000) : "never";
    return [
      ["score", `${layer.score[i].toPrecision(3)} by ${this.frame.get("ranking")[1]}`],
      ["rank", `${layer.rank[i] + 1} of ${layer.size}`],
      ["activity", never],
      ["goes at", goes],
    ];
  }
}

function ring(path, [x, y], radius) {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 7);
}

