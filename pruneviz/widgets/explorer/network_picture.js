// A network of dense layers with all its neurons, and a cut line in each layer.
import { grouped, percent, sparsityText, STAYS } from "../frame/pure.js";
import { dot, hatch, line, photoOf, sharp, sheetOf, stroke, text } from "../frame/draw.js";
import { button, el, setText } from "../frame/controls.js";
import { cutHandle } from "./cut_handle.js";
import { drawAnswer } from "./outputs.js";
import { hidden, sameState } from "./parts.js";
import { layOutBlocks, nextSpot, strongest, TALL, Wiring } from "./wiring.js";
import { decode } from "../frame/wire.js";

const TITLE = 24;
const STRONGEST = 12;

export class NetworkPicture {
  constructor(frame, units) {
    this.frame = frame;
    this.units = units;
    this.wiring = new Wiring(frame, units);
    this.focus = { layer: 0, i: units.layers[0].order[0] };
    this.hover = /** @type {{ layer: number, i: number } | null} */ (null);
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.cursor = button("", () => this.toggle(), { class: "pv-cursor", "aria-roledescription": "neuron" });
    this.titles = units.layers.map(() => el("span", { class: "pv-title-of", "data-png": true }));
    this.handles = units.layers.map((layer, l) => this.handle(layer, l));
    const label = "Network: arrow keys move from neuron to neuron, Enter silences one";
    this.stage = el("div", { class: "pv-network", role: "group", "aria-label": label },
      this.canvas, ...this.titles, this.cursor, ...this.handles.map(({ node }) => node));
    this.canvas.addEventListener("click", (event) => this.press(event));
    this.stage.addEventListener("pointermove", (event) => this.look(this.spotAt(event)));
    this.stage.addEventListener("pointerleave", () => this.look(null));
    this.cursor.addEventListener("keydown", (event) => this.key(event));
    this.cursor.addEventListener("focus", () => frame.repaint());
    this.cursor.addEventListener("blur", () => frame.repaint());
    this.load();
    frame.on("pictured", () => this.load());
    for (const name of ["ranking", "sort"]) frame.on(name, () => { this.sheetKey = ""; });
  }

  load() {
    const { activity, picture } = decode(this.frame.get("pictured"));
    for (const layer of this.units.layers) layer.activity = activity[layer.name];
    this.photo = picture && photoOf(picture, picture.shape.slice(1));
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
    const side = this.photo ? Math.round(Math.min(104, Math.max(48, width * 0.13))) : 0;
    const sizes = this.units.layers.map(({ size }) => size);
    /** @type {number[]} */
    this.sides = [side, this.outputs ? (width > 360 ? 84 : 26) : 0];
    /** @type {ReturnType<typeof layOutBlocks>} */
    this.layout = layOutBlocks(width, sizes, this.sides);
    this.height = TITLE + TALL + 4;
    const at = (this.at = this.units.at(this.frame.get("sparsity"), this.frame.get("by_hand")));
    this.refreshSheets(width, colours);
    const context = sharp(this.canvas, width, this.height);
    context.drawImage(this.sheets[0], 0, 0, width, this.height);
    this.drawPruned(context, width, at, colours);
    this.drawConnections(context, at, colours);
    if (this.outputs) drawAnswer(context, this, colours);
    if (!this.sorted) return;
    this.units.layers.forEach((layer, l) => this.drawCut(context, l, layer.size - at.rule[l], colours));
  }

  /** What no slider changes, drawn twice: with every neuron as if it were kept, and as if it were pruned. */
  refreshSheets(width, colours) {
    const right = this.rightByClass();
    const key = `${width}/${colours.kept}/${colours.paper}/${this.sorted}/${right}`;
    if (this.sheetKey === key) return;
    this.sheetKey = key;
    /** @type {HTMLCanvasElement[]} */
    this.sheets = ["drawKept", "drawGone"].map((drawNeuron) => sheetOf(width, this.height, (context) => {
      this.drawFans(context, colours);
      if (this.sides[0]) this.drawInput(context, colours);
      if (this.outputs) this.drawOutputs(context, right, colours);
      this.units.layers.forEach((layer, l) => {
        const most = Math.max(...layer.activity, 1e-12);
        for (let i = 0; i < layer.size; i++) {
          this[drawNeuron](context, this.centre(l, i), Math.max(0, layer.activity[i]) / most, colours);
        }
      });
    }));
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
    const stands = (x) => [x, TITLE, TITLE + TALL];
    const [side] = this.sides;
    const starts = edges.map(([, right]) => stands(right));
    if (side) starts.unshift([side + 3, this.inputTop, this.inputTop + side]);
    const ends = edges.slice(side ? 0 : 1).map(([left]) => stands(left));
    if (this.outputs) ends.push(stands(this.outputX - 10));
    const ninth = (from, to, k) => from + ((to - from) * (k + 0.5)) / 9;
    context.globalAlpha = 0.6;
    ends.forEach(([right, above, below], stage) => {
      const [left, top, bottom] = starts[stage];
      for (let k = 0; k < 81; k++) {
        const [a, b] = [ninth(top, bottom, Math.floor(k / 9)), ninth(above, below, k % 9)];
        line(context, [[left, a], [right, b]], colours.line, 0.5);
      }
    });
    context.globalAlpha = 1;
  }

  get inputTop() { return TITLE + (TALL - this.sides[0]) / 2; }
  get outputX() { return this.layout.end + 10; }

  drawInput(context, colours) {
    const { index, truth } = this.frame.get("pictured");
    context.imageSmoothingEnabled = false;
    context.drawImage(this.photo, 0, this.inputTop, this.sides[0], this.sides[0]);
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.strokeRect(0.5, this.inputTop + 0.5, this.sides[0] - 1, this.sides[0] - 1);
    const words = index < 0 ? "mean of all" : `image ${index}, a ${truth}`;
    text(context, words, 0, this.inputTop - 7, { colour: colours.quiet });
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
      if (id < 0 || !at.fates[id]) return;
      const [x, y] = this.centre(l, i);
      ring(hand, x, y, this.layout.cell * 0.42 + 0.4);
    }));
    stroke(context, hand, colours.paper, 5);
    stroke(context, hand, colours.guess, 2.5);
  }

  /** Add the cells of a layer's pruned neurons to the path, a rectangle for each run in a row; gives how many. */
  cutOut(context, layer, l, at) {
    const { cell, blocks: { [l]: { x, across } } } = this.layout;
    let [run, many] = [0, 0];
    for (let place = 0; place < layer.size; place++) {
      const i = this.neuron(l, place);
      const id = layer.id[i];
      if (id >= 0 && at.gone[id]) run++;
      const inRow = place + 1 < layer.size && (place + 1) % across;
      const next = inRow ? layer.id[this.neuron(l, place + 1)] : -1;
      if (run && !(next >= 0 && at.gone[next])) {
        const left = x + ((place % across) + 1 - run) * cell;
        context.rect(left, TITLE + Math.floor(place / across) * cell, run * cell, cell);
        many += run;
        run = 0;
      }
    }
    return many;
  }

  /** Connections of the neuron under the glass, strongest first: [weight, share of the strongest, layer, place]. */
  connections() {
    const { layer: l, i } = this.shown;
    if (this.wired?.l === l && this.wired.i === i) return this.wired.ends;
    const { layers } = this.units;
    const [before, next] = [this.wiring.before(layers[l]), this.wiring.after(layers[l])];
    const into = before ? this.wiring.incoming(layers[l], i) : [];
    const out = next ? this.wiring.outgoing(layers[l], i) : [];
    const sorted = (values, other) => strongest(values, values.length).map((j, _, [first]) =>
      [values[j], Math.abs(values[j] / values[first]) || 0, other, j]);
    const after = layers.findIndex(({ name }) => name === next?.name); // -1: the outputs of the network
    this.wired = { l, i, ends: [sorted(into, layers.indexOf(before)), sorted(out, after)] };
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
        const [x, y] = other >= 0 ? this.centre(other, j) : [this.outputX - 10, this.outputY(j)];
        const [colour, dash] = value > 0 ? [colours.kept, []] : [colours.mark, [5, 3]];
        line(context, [own, [x, y]], colour, 0.6 + 2.2 * share, dash);
      }
    }
    context.globalAlpha = 1;
    context.strokeStyle = colours.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(own[0], own[1], this.layout.cell * 0.5 + 1, 0, 7);
    context.stroke();
  }

  outputY(j) { return TITLE + (TALL * (j + 0.5)) / this.outputs; }

  /** The share of each class that is right, where that is measured and may be seen. */
  rightByClass() {
    const { frame } = this;
    if (!this.outputs || frame.get("pictured").index >= 0 || hidden(frame) || !sameState(frame)) return [];
    const share = (row, j) => row[j] / Math.max(1, row.reduce((a, b) => a + b, 0));
    return frame.get("exact").confusion.map((row, j) => percent(share(row, j), 0));
  }

  drawOutputs(context, right, colours) {
    for (let j = 0; j < this.outputs; j++) {
      const [x, y] = [this.outputX, this.outputY(j)];
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
    const [left, right, step] = [x - 6, x + wide + 6, x + rest * cell];
    const path = rest ? [[left, y + cell], [step, y + cell], [step, y], [right, y]] : [[left, y], [right, y]];
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
      const inside = column >= 0 && column < blocks[l].across && y >= 0 && place < layer.size;
      if (inside) return { layer: l, i: this.neuron(l, place) };
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
    const sizes = this.units.layers.map(({ size }) => size);
    const next = nextSpot(event.key, { layer, place: this.place(layer, i) }, sizes, this.layout.blocks);
    this.focus = { layer: next.layer, i: this.neuron(next.layer, next.place) };
    this.hover = null;
    this.frame.say(this.describe(this.focus));
    this.frame.repaint();
  }

  /** The handle of a cut line, and where it stands. */
  handle(layer, l) {
    const under = (event) => {
      const { cell, blocks } = this.layout;
      const y = event.clientY - this.canvas.getBoundingClientRect().top - TITLE;
      return Math.round(y / cell) * blocks[l].across;
    };
    const kept = () => layer.size - this.at.rule[l];
    const node = cutHandle(this.frame, this.units, { layer: () => layer, kept, under, page: 10 },
      { "aria-label": `Cut of ${layer.name}`, "aria-orientation": "vertical", "aria-valuemax": layer.size });
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
    const { gone } = at;
    const id = units.layers[this.focus.layer].id[this.focus.i];
    this.cursor.setAttribute("aria-pressed", String(Boolean(gone[id])));
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
    const words = facts.map(([name, fact]) => `${name} ${fact}`).join(", ");
    return `Neuron ${spot.i} of ${layer.name}: ${this.fateOf(spot)}; ${words}`;
  }

  factsOf({ layer: l, i }) {
    const layer = this.units.layers[l];
    const { index } = this.frame.get("pictured");
    const active = layer.activity[i];
    const never = active === 0 ? (index < 0 ? "0, never active" : "0, silent on this image") : active.toPrecision(3);
    const goes = layer.place[i] <= 10000 ? sparsityText(layer.place[i] / 10000) : STAYS;
    return [
      ["score", `${layer.score[i].toPrecision(3)} by ${this.frame.get("ranking").criterion}`],
      ["rank", `${layer.rank[i] + 1} of ${layer.size}`],
      ["activity", never],
      ["goes at", goes],
    ];
  }
}

function ring(path, x, y, radius) {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 7);
}

