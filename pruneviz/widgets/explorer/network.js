// A network of dense layers with all its neurons, and a cut line in each layer.
import { grouped, percent, sparsityText, typed } from "../frame/pure.js";
import { dot, hatch, line, sharp, text } from "../frame/draw.js";
import { button, el, setText } from "../frame/controls.js";
import { hidden, sameState } from "./parts.js";
import { layOutBlocks, nextSpot, strongest, TALL, Wiring } from "./wiring.js";

const TITLE = 24;
const STRONGEST = 12;

export class NetworkPicture {
  constructor(frame, units) {
    Object.assign(this, { frame, units, wiring: new Wiring(frame, units), focus: { layer: 0, i: units.layers[0].order[0] }, hover: null });
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.cursor = button("", () => this.toggle(), { class: "pv-cursor", "aria-roledescription": "neuron" });
    this.titles = units.layers.map(() => el("span", { class: "pv-title-of", "data-png": true }));
    this.handles = units.layers.map((layer, l) => this.handle(layer, l));
    this.stage = el("div", { class: "pv-network", role: "group", "aria-label": "Network: arrow keys move from neuron to neuron, Enter silences one" }, this.canvas, ...this.titles, this.cursor, ...this.handles.map(({ node }) => node));
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
    this.sides = [side, this.outputs ? (width > 360 ? 84 : 26) : 0];
    this.layout = layOutBlocks(width, sizes, this.sides);
    this.height = TITLE + TALL + 4;
    const at = (this.at = this.units.at(this.frame.get("sparsity"), this.frame.get("by_hand")));
    this.refreshSheets(width, colours);
    const context = sharp(this.canvas, width, this.height);
    context.drawImage(this.sheets[0], 0, 0, width, this.height);
    this.drawPruned(context, width, at, colours);
    this.drawConnections(context, at, colours);
    if (this.sorted) this.units.layers.forEach((layer, l) => this.drawCut(context, l, layer.size - at.rule[l], colours));
  }

  /** What no slider changes, drawn twice: with every neuron as if it were kept, and as if it were pruned. */
  refreshSheets(width, colours) {
    const right = this.rightByClass();
    const key = `${width}/${colours.kept}/${colours.paper}/${this.sorted}/${right}`;
    if (this.sheetKey === key) return;
    this.sheetKey = key;
    this.sheets = [this.drawKept, this.drawGone].map((paintNeuron) => {
      const sheet = document.createElement("canvas");
      const context = sharp(sheet, width, this.height);
      this.drawFans(context, colours);
      if (this.sides[0]) this.drawInput(context, colours);
      if (this.outputs) this.drawOutputs(context, right, colours);
      this.units.layers.forEach((layer, l) => {
        const most = Math.max(...layer.activity, 1e-12);
        for (let i = 0; i < layer.size; i++) paintNeuron.call(this, context, this.centre(l, i), Math.max(0, layer.activity[i]) / most, colours);
      });
      return sheet;
    });
  }

  drawKept(context, [x, y], activity, colours) {
    context.fillStyle = colours.paper;
    dot(context, x, y, this.layout.cell * 0.42);
    context.fillStyle = context.strokeStyle = colours.kept;
    context.globalAlpha = Math.sqrt(activity);
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.2;
    context.stroke();
  }

  drawGone(context, [x, y], _, colours) {
    context.fillStyle = colours.pruned;
    dot(context, x, y, this.layout.cell * 0.42 + 0.6);
    context.fillStyle = hatch(context, colours);
    context.fill();
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

  /** The cells of pruned neurons are cut out of the second sheet at once: a fill each would cost far more. */
  drawPruned(context, width, at, colours) {
    context.save();
    context.beginPath();
    this.kept = this.units.layers.map((layer, l) => layer.size - this.cutOut(context, layer, l, at));
    context.clip();
    context.clearRect(0, 0, width, this.height);
    context.drawImage(this.sheets[1], 0, 0, width, this.height);
    context.restore();
    if (Object.keys(this.frame.get("by_hand")).length) this.drawHand(context, at, colours);
  }

  /** Rings around what was changed by hand. */
  drawHand(context, at, colours) {
    const hand = new Path2D();
    this.units.layers.forEach((layer, l) => layer.id.forEach((id, i) => {
      if (id >= 0 && at.fates[id]) ring(hand, this.centre(l, i), this.layout.cell * 0.42 + 0.4);
    }));
    for (const [colour, wide] of [[colours.paper, 5], [colours.guess, 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = wide;
      context.stroke(hand);
    }
  }

  /** Add the cells of a layer's pruned neurons to the path, a rectangle for each run in a row; gives how many. */
  cutOut(context, layer, l, at) {
    const { cell, blocks: { [l]: { x, across } } } = this.layout;
    let [run, many] = [0, 0];
    for (let place = 0; place < layer.size; place++) {
      const i = this.neuron(l, place);
      const id = layer.id[i];
      if (id >= 0 && at.gone[id]) run++;
      const next = place + 1 < layer.size && (place + 1) % across ? layer.id[this.neuron(l, place + 1)] : -1;
      if (run && !(next >= 0 && at.gone[next])) {
        context.rect(x + ((place % across) + 1 - run) * cell, TITLE + Math.floor(place / across) * cell, run * cell, cell);
        many += run;
        run = 0;
      }
    }
    return many;
  }

  /** Connections of the neuron under the glass, strongest first: [weight, share of the strongest, layer or -1, place]. */
  connections() {
    const { layer: l, i } = this.shown;
    if (this.wired?.l === l && this.wired.i === i) return this.wired.ends;
    const { layers } = this.units;
    const [before, next] = [this.wiring.before(layers[l]), this.wiring.after(layers[l])];
    const into = before ? this.wiring.incoming(layers[l], i) : [];
    const out = next ? this.wiring.outgoing(layers[l], i) : [];
    const sorted = (values, other) => strongest(values, values.length).map((j, _, [first]) => [values[j], Math.abs(values[j] / values[first]) || 0, other, j]);
    this.wired = { l, i, ends: [sorted(into, layers.indexOf(before)), sorted(out, layers.findIndex(({ name }) => name === next?.name))] };
    return this.wired.ends;
  }

  drawConnections(context, at, colours) {
    const { layer: l, i } = this.shown;
    const own = this.centre(l, i);
    context.globalAlpha = at.gone[this.units.layers[l].id[i]] ? 0.35 : 0.9;
    for (const ends of this.connections()) {
      let many = 0;
      for (const [value, share, other, j] of ends) {
        if (many === STRONGEST || (other < 0 && !this.outputs)) break;
        if (other >= 0 && at.gone[this.units.layers[other].id[j]]) continue; // what is silenced sends and hears nothing
        many++;
        const [x, y] = other >= 0 ? this.centre(other, j) : this.output(j);
        line(context, [own, [other >= 0 ? x : x - 10, y]], value > 0 ? colours.kept : colours.mark, 0.6 + 2.2 * share, value > 0 ? [] : [5, 3]);
      }
    }
    context.globalAlpha = 1;
    context.strokeStyle = colours.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(...own, this.layout.cell * 0.5 + 1, 0, 7);
    context.stroke();
  }

  output(j) { return [this.outputX, TITLE + (TALL * (j + 0.5)) / this.outputs]; }

  /** The share of each class that is right, where that is measured and may be seen. */
  rightByClass() {
    if (!this.outputs || hidden(this.frame) || !sameState(this.frame)) return [];
    return this.frame.get("exact").confusion.map((row, j) => percent(row[j] / Math.max(1, row.reduce((a, b) => a + b, 0)), 0));
  }

  drawOutputs(context, right, colours) {
    for (let j = 0; j < this.outputs; j++) {
      const [x, y] = this.output(j);
      context.fillStyle = colours.paper;
      context.strokeStyle = colours.kept;
      context.lineWidth = 1.5;
      dot(context, x, y, 9, true);
      text(context, String(j), x, y + 4, { colour: colours.ink, align: "center" });
      if (right[j] && this.sides[1] > 26) text(context, right[j], x + 16, y + 4, { colour: colours.quiet });
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
    this.handles[l].at = [x + wide + 4, y - 12];
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
    const node = el("div", { class: "pv-cut", "data-png": true, role: "slider", tabindex: 0, "aria-label": `Cut of ${layer.name}`, "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": layer.size, "data-lm-suppress-shortcuts": "true" });
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
    return { node, at: [0, 0] };
  }

  /** What follows on the page, after the picture is drawn. */
  write() {
    const { frame, units, at } = this;
    const { blocks, cell, gap } = this.layout;
    units.layers.forEach((layer, l) => {
      const { node, at: [left, top] } = this.handles[l];
      const room = blocks[l].across * cell + gap;
      const of = room > 80 + 8 * layer.name.length ? ` of ${grouped(layer.size)}` : ""; // where there is room
      setText(this.titles[l], `${layer.name}: ${grouped(this.kept[l])}${of}`);
      node.style.transform = `translate(${left}px, ${top}px)`;
      setText(node, grouped(layer.size - at.rule[l]));
    });
    if (frame.get("moving")) return;
    this.canvas.dataset.kept = this.kept.join(" ");
    units.layers.forEach((layer, l) => {
      const { node } = this.handles[l];
      node.hidden = !this.sorted;
      this.titles[l].style.left = `${blocks[l].x}px`;
      node.setAttribute("aria-valuenow", layer.size - at.rule[l]);
      node.setAttribute("aria-valuetext", `${layer.size - at.rule[l]} of ${layer.size} kept by rule`);
    });
    const [x, y] = this.centre(this.focus.layer, this.focus.i);
    this.cursor.style.transform = `translate(${x - 12}px, ${y - 12}px)`;
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

