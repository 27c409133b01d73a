// The mask of one layer: a pixel a weight, cells with hatching where there is room, blocks where there is none.
import {
  grouped, layOut, moveMask, orderOf, percent, shareAt, sparsityText, STEPS, toggled,
} from "../frame/pure.js";
import { blend, countOf, hatch, pixelColour, sharp } from "../frame/draw.js";
import {
  button, CAPTION, el, fold, numberBox, scrolled, setText, swatch, table, tabs, under,
} from "../frame/controls.js";

const SMALL = 4096; // weights: such layers are drawn as cells that can be cut by hand
const CELL = 9;
const STILLS = 8; // pictures of a mask in store, less one

/** How many weights are pruned in the k-th of them. */
const stillAt = (k, { size }) => Math.floor((k * size) / STILLS);

export function maskPart(frame, weights) {
  const canvas = el("canvas", { class: "pv-mask", role: "img" });
  const stage = el("div", { class: "pv-stage", tabindex: 0, role: "group", "aria-label": "Mask, scrollable" }, canvas);
  const caption = el("figcaption", CAPTION);
  const names = weights.layers.map((layer) => layer.name);
  const layerTabs = tabs("Layer", names, (name) => frame.set({ layer: name }));
  let zoom = 1;
  const zoomed = (by) => () => { zoom = Math.min(16, Math.max(1, zoom * by)); frame.repaint(); };
  const out = button("−", zoomed(0.5), { "aria-label": "Zoom out", class: "pv-button pv-small" });
  const into = button("+", zoomed(2), { "aria-label": "Zoom in", class: "pv-button pv-small" });
  const hint = el("p", { class: "pv-hint" },
    "Click a weight to cut or keep it by hand; with the keyboard: arrows, then Enter.");
  const picture = new Picture(frame, weights, canvas);
  const twin = fold("Mask in words and numbers", () => words(weights, picture));
  frame.on("layer", () => { picture.cursor = 0; picture.prepared = null; twin.refresh(); });
  frame.paint((colours) => {
    const layer = weights.layer(frame.get("layer"));
    const at = weights.at(frame.get("sparsity"), frame.get("by_hand"));
    picture.draw(layer, at.step, zoom, frame.widthOf(stage), colours);
    const i = weights.layers.indexOf(layer);
    frame.write(() => {
      const left = countOf(layer.size - at.pruned[i], layer.size);
      setText(caption, `Mask of ${layer.name}, ${layer.shape.join(" × ")}: ${left}`);
      if (frame.get("moving")) return;
      layerTabs.show(layer.name);
      canvas.setAttribute("aria-label", `${caption.textContent}. ${picture.legend}`);
      canvas.setAttribute("role", picture.editable ? "application" : "img");
      canvas.tabIndex = picture.editable ? 0 : -1;
      hint.hidden = !picture.editable;
      out.disabled = zoom <= 1;
      twin.refresh();
    });
  });
  const zooms = el("span", { class: "pv-zoom" }, out, into);
  const key = [swatch("kept"), "kept", swatch("pruned"), "pruned"];
  return el("figure", { class: "pv-panel pv-panel-mask" }, caption,
    el("div", { class: "pv-bar" }, layerTabs.node, zooms), stage, hint, under(key, twin));
}

class Picture {
  cursor = 0;
  legend = "";
  prepared = /** @type {string | null} */ (null);
  ends = [0, 0]; // the colours of what is kept and pruned
  pixels = new Uint32Array(0);
  drawn = 0; // how many weights the pixels show as pruned
  source = /** @type {Uint32Array | null} */ (null); // the counts that they are about
  painting = /** @type {boolean | null} */ (null); // what a hand that is down makes of the weights

  constructor(frame, weights, canvas) {
    this.frame = frame;
    this.weights = weights;
    this.canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", () => this.lift());
    canvas.addEventListener("pointercancel", () => this.lift());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  get editable() { return this.cells && this.weights.exact; }

  draw(layer, step, zoom, width, colours) {
    /** @type {any} one of weights.layers */
    this.layer = layer;
    this.step = step;
    const exact = this.weights.exact;
    const [, rows, columns] = layer.shares?.shape ?? [];
    const flat = { width: columns, height: rows, pixelOf: null };
    /** @type {ReturnType<typeof layOut>} */
    this.layout = exact ? (layer.layout ??= layOut(layer.shape)) : flat;
    /** @type {boolean} */
    this.cells = exact && layer.size <= SMALL;
    if (this.canvas.hasAttribute("data-cells") !== this.cells) this.canvas.toggleAttribute("data-cells");
    if (this.cells) this.drawCells(zoom, width, colours);
    else this.drawPixels(zoom, width, colours);
  }

  drawPixels(zoom, width, colours) {
    const { canvas, layout, layer, weights, step } = this;
    const scale = Math.min(width / layout.width, 8);
    const key = `${layer.name}/${colours.kept}/${colours.pruned}/${zoom}/${width}`;
    if (this.prepared !== key) {
      canvas.pvSize = null;
      Object.assign(canvas, { width: layout.width, height: layout.height });
      canvas.style.width = `${Math.floor(layout.width * scale) * zoom}px`;
      canvas.style.height = "auto";
      canvas.toggleAttribute("data-crisp", scale * zoom >= 1.5);
      this.context = canvas.getContext("2d");
      this.image = this.context.createImageData(layout.width, layout.height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.ends = [pixelColour(colours.kept), pixelColour(colours.pruned)];
      this.prepared = key;
      this.source = null;
    }
    const [kept, pruned] = this.ends;
    if (weights.exact) this.recolour(kept, pruned);
    else {
      shareAt(layer.shares, step).forEach((share, i) => { this.pixels[i] = blend(kept, pruned, share); });
    }
    this.context.putImageData(this.image, 0, 0);
    this.legend = weights.exact
      ? "Dark blue is kept, pale orange is pruned; one pixel a weight."
      : "Each block of weights is coloured by the share that is kept.";
  }

  /** Touch only the weights that a move changes; a jump starts from the nearest of some pictures drawn before. */
  recolour(kept, pruned) {
    const { layer, pixels } = this;
    if (this.source !== layer.counts) this.drawStills(kept, pruned);
    const to = layer.counts[this.step];
    if (Math.abs(to - this.drawn) > layer.size / STILLS) {
      const near = Math.round((STILLS * to) / layer.size);
      pixels.set(this.stills[near]);
      this.drawn = stillAt(near, layer);
    }
    moveMask(pixels, this.order, this.drawn, to, kept, pruned);
    this.drawn = to;
  }

  drawStills(kept, pruned) {
    const { layer, pixels } = this;
    this.source = layer.counts;
    /** @type {Uint32Array} */
    this.order = orderOf(layer.place, layer.counts, this.layout.pixelOf);
    moveMask(pixels, this.order, layer.size, 0, kept, pruned);
    /** @type {Uint32Array[]} */
    this.stills = Array.from({ length: STILLS + 1 }, (_, k) => {
      moveMask(pixels, this.order, stillAt(Math.max(0, k - 1), layer), stillAt(k, layer), kept, pruned);
      return pixels.slice();
    });
    this.drawn = layer.size;
  }

  drawCells(zoom, width, colours) {
    const { canvas, layout, layer, step } = this;
    const cell = Math.max(Math.min(width / layout.width, 26), CELL) * zoom;
    /** @type {number} */
    this.cell = cell;
    this.prepared = null;
    canvas.style.width = `${layout.width * cell}px`;
    const context = sharp(canvas, layout.width * cell, layout.height * cell);
    const pattern = hatch(context, colours);
    const room = cell - Math.max(1, cell / 10);
    const { forced } = this;
    for (let i = 0; i < layer.size; i++) {
      const [x, y] = this.spot(i);
      const pruned = forced.get(i) ?? layer.place[i] <= step;
      context.fillStyle = pruned ? pattern : colours.kept;
      context.fillRect(x, y, room, room);
      if (forced.has(i)) this.ring(context, x, y, room, colours.guess, 2);
    }
    if (document.activeElement === canvas) {
      const [x, y] = this.spot(this.cursor);
      this.ring(context, x, y, room, colours.ink, 3);
    }
    this.legend = "Dark blue is kept, hatched is pruned, a ring marks what was changed by hand.";
  }

  spot(i) {
    const pixel = this.layout.pixelOf ? this.layout.pixelOf[i] : i;
    return [(pixel % this.layout.width) * this.cell, Math.floor(pixel / this.layout.width) * this.cell];
  }

  ring(context, x, y, room, colour, width) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x + width / 2, y + width / 2, room - width, room - width);
  }

  indexAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((at) => Math.floor(at / this.cell));
    if (x < 0 || y < 0 || x >= this.layout.width || y >= this.layout.height) return -1;
    const pixel = y * this.layout.width + x;
    return this.layout.pixelOf ? this.layout.pixelOf.indexOf(pixel) : pixel;
  }

  /** What was changed by hand: weight -> whether it is cut. */
  get forced() {
    const { cut = [], kept = [] } = this.frame.get("by_hand")[this.layer.name] ?? {};
    return new Map([...cut.map((i) => [i, true]), ...kept.map((i) => [i, false])]);
  }

  isPruned(i, forced = this.forced) {
    return forced.get(i) ?? this.layer.place[i] <= this.step;
  }

  change(i, moving) {
    const { name } = this.layer;
    const byHand = { ...this.frame.get("by_hand") };
    const edits = toggled(byHand[name], i, this.isPruned(i));
    delete byHand[name];
    if (edits.cut.length || edits.kept.length) byHand[name] = edits;
    this.frame.set({ by_hand: byHand }, { moving });
  }

  press(event) {
    const i = this.editable ? this.indexAt(event) : -1;
    if (i < 0) return;
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = i;
    this.painting = !this.isPruned(i);
    this.change(i, true);
  }

  drag(event) {
    if (this.painting === null) return;
    const i = this.indexAt(event);
    if (i >= 0 && this.isPruned(i) !== this.painting) this.change(i, true);
  }

  lift() {
    if (this.painting === null) return;
    this.painting = null;
    this.frame.set({});
    this.frame.say(this.describe(this.cursor));
  }

  key(event) {
    if (!this.editable) return;
    const { width, pixelOf } = this.layout;
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[event.key];
    const next = Math.min(this.layer.size - 1, Math.max(0, this.cursor + move));
    if (move) this.cursor = pixelOf ? this.step2d(pixelOf, move) : next;
    else if (event.key === "Enter" || event.key === " ") this.change(this.cursor, false);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.frame.say(this.describe(this.cursor));
    this.frame.repaint();
  }

  /** The next weight in that direction, over the gaps between kernels. */
  step2d(pixelOf, stride) {
    for (let pixel = pixelOf[this.cursor] + stride, tries = 0; tries < 2; pixel += stride, tries++) {
      const next = pixelOf.indexOf(pixel);
      if (next >= 0) return next;
    }
    return this.cursor;
  }

  describe(i) {
    const { shape } = this.layer;
    const stride = (axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const place = shape.map((size, axis) => Math.floor(i / stride(axis)) % size);
    const goes = sparsityText(this.layer.place[i] / STEPS);
    const fate = this.isPruned(i) ? "pruned" : "kept";
    return `Weight ${place.join(", ")} of ${this.layer.name}: ${fate}; by rule it goes at ${goes}.`;
  }
}

/** The text twin: what is left of rows and columns, of blocks, and of one weight. */
function words(weights, picture) {
  const { layer } = picture;
  if (!layer || !weights.exact) return [el("p", {}, "Too many weights to list; the histogram has the counts.")];
  const { forced } = picture;
  const rows = layer.shape[0];
  const columns = layer.size / rows;
  const side = [Math.min(4, rows), Math.min(4, columns)];
  const left = new Float64Array(side[0] * side[1]);
  const [perRow, perColumn] = [new Uint32Array(rows), new Uint32Array(columns)];
  for (let i = 0; i < layer.size; i++) {
    if (picture.isPruned(i, forced)) continue;
    const [row, column] = [Math.floor(i / columns), i % columns];
    perRow[row]++;
    perColumn[column]++;
    left[Math.floor((row * side[0]) / rows) * side[1] + Math.floor((column * side[1]) / columns)]++;
  }
  const empty = (counts) => `${grouped(counts.filter((count) => !count).length)} of ${grouped(counts.length)}`;
  const start = (part, parts, size) => Math.ceil((part * size) / parts);
  const span = (part, parts, size) => `${start(part, parts, size)}–${start(part + 1, parts, size) - 1}`;
  const block = (r, c) => {
    const height = start(r + 1, side[0], rows) - start(r, side[0], rows);
    const width = start(c + 1, side[1], columns) - start(c, side[1], columns);
    return percent(left[r * side[1] + c] / (height * width));
  };
  const range = (n) => [...Array(n).keys()];
  const heads = ["outputs \\ inputs", ...range(side[1]).map((c) => span(c, side[1], columns))];
  const blocks = range(side[0]).map((r) => [span(r, side[0], rows), ...range(side[1]).map((c) => block(r, c))]);
  const empties = `${empty(perRow)} outputs and ${empty(perColumn)} inputs have no weight left`;
  return [
    el("p", {}, `${empties}. Share kept by block:`),
    scrolled("Share kept by block", table(heads, blocks)),
    lookUp(picture),
  ];
}

function lookUp(picture) {
  const { shape } = picture.layer;
  const kernel = ["filter", "channel", "row", "column"].slice(0, shape.length);
  const titles = shape.length === 2 ? ["output", "input"] : kernel;
  const answer = el("output", { class: "pv-answer" });
  const boxes = shape.map((size, axis) => numberBox(`${titles[axis] ?? `axis ${axis}`}, 0 to ${size - 1}`,
    { max: size - 1, value: 0, oninput: () => find() }));
  const find = () => {
    const at = boxes.map((box) => Number(box.value));
    const good = at.every((place, axis) => Number.isInteger(place) && place >= 0 && place < shape[axis]);
    const index = at.reduce((sum, place, axis) => sum * shape[axis] + place, 0);
    setText(answer, good ? picture.describe(index) : "No such weight.");
  };
  find();
  const named = boxes.flatMap((box, axis) => [` ${titles[axis] ?? ""} `, box]);
  return el("p", { class: "pv-look" }, "Look up one weight: ", ...named, " ", answer);
}
