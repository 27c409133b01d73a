// The filters of a layer as cards on a canvas, best first, with the cut between them; the hand and the keyboard on it.
import { grouped, sparsityText, STAYS } from "../frame/pure.js";
import { copyPart, hatch, line, sharp, sheetOf, stroke, text } from "../frame/draw.js";
import { button, el, setText } from "../frame/controls.js";
import { cutHandle } from "./cut_handle.js";
import { cardAt, cutNear, fit, layOutCards, Pictures, placeAt } from "./gallery.js";
import { decode } from "../frame/wire.js";

const [GONE, BY_HAND, RIVAL] = [1, 2, 4]; // what may hold of a card

export class GalleryPicture {
  constructor(frame, units) {
    this.frame = frame;
    this.units = units;
    this.pictures = new Pictures(frame);
    this.focus = /** @type {number | null} */ (null);
    this.sheetKey = "";
    this.line = /** @type {{ left: number, y: number } | null} */ (null); // where the cut is drawn
    this.layout = layOutCards(0, 0, false);
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.cursor = button("", () => this.toggle(), { class: "pv-card-cursor", "aria-roledescription": "filter" });
    this.handle = this.makeHandle();
    const label = "Filters: arrow keys move from one to the next, Enter cuts or keeps it";
    this.stage = el("div", { class: "pv-gallery", role: "group", "aria-label": label },
      this.canvas, this.cursor, this.handle);
    this.canvas.addEventListener("click", (event) => this.press(event));
    this.cursor.addEventListener("keydown", (event) => this.key(event));
    this.cursor.addEventListener("focus", () => frame.repaint());
    for (const name of ["pictured", "ranking", "sort", "layer"]) frame.on(name, () => { this.sheetKey = ""; });
    frame.on("rivals", () => this.loadRivals());
    frame.on("layer", () => { this.focus = null; });
    this.loadRivals();
  }

  /** Places under the second criterion, layer by layer, if there is one. */
  loadRivals() { this.rivals = decode(this.frame.get("rivals")).places; }

  get layer() { return this.units.layer(this.frame.get("layer")); }
  get sorted() { return this.frame.get("sort") === "score"; }
  get shown() { return this.focus ?? this.layer.order[0]; }
  filter(place) { return this.sorted ? this.layer.order[place] : place; }
  place(i) { return this.sorted ? this.layer.rank[i] : i; }
  corner(i) { return cardAt(this.layout, this.place(i)); }
  rivalsOf(layer) { return this.rivals[layer.name] ?? null; }

  // -- drawing -----------------------------------------------------------------------------------------------

  draw(width, colours) {
    const { frame, units } = this;
    this.at = units.at(frame.get("sparsity"), frame.get("by_hand"));
    const key = `${width}/${devicePixelRatio}/${colours.kept}/${colours.paper}`;
    if (this.sheetKey !== key) this.prepare(key, width, colours);
    const fates = this.fates();
    /** @type {number} */
    this.kept = fates.reduce((sum, fate) => sum + (fate & GONE ? 0 : 1), 0);
    const context = this.wipe(width, fates);
    this.drawFates(context, [...fates.keys()].filter((i) => fates[i] !== this.drawn[i]), fates, colours);
    if (this.sorted) this.drawCut(context, colours);
    this.drawn = fates;
  }

  /** Draw what no slider changes: the pictures and words of every card. */
  prepare(key, width, colours) {
    this.sheetKey = key;
    this.layout = layOutCards(width, this.layer.size, this.layer.kernels.length > 0);
    /** @type {ReturnType<typeof sheetOf>} */
    this.sheet = sheetOf(width, this.layout.height, (context) => this.drawCards(context, colours));
    /** @type {ArrayLike<number>} what each card says on the canvas */
    this.drawn = [];
  }

  /** Put back as on the sheet the cards that change, each with the room for its ring; of many, all. */
  wipe(width, fates) {
    const { layout: { wide, tall, height }, sheet } = this;
    const changed = [...fates.keys()].filter((i) => fates[i] !== this.drawn[i]);
    if (changed.length <= fates.length / 4) {
      const context = this.canvas.getContext("2d");
      for (const [x, y] of changed.map((i) => this.corner(i))) {
        copyPart(context, sheet, x - 4, y - 4, wide + 8, tall + 8);
      }
      return context;
    }
    [this.drawn, this.line] = [[], null];
    const context = sharp(this.canvas, width, height);
    context.drawImage(sheet, 0, 0, width, height);
    return context;
  }

  /** What to draw on each card: whether it is gone, by whom, and whether the other criterion cuts it. */
  fates() {
    const { layer, at } = this;
    const rivals = this.rivalsOf(layer);
    const rival = (i) => (rivals && rivals[i] <= at.step ? RIVAL : 0);
    return Uint8Array.from(layer.id, (id, i) =>
      (id < 0 ? 0 : (at.gone[id] && GONE) | (at.fates[id] && BY_HAND) | rival(i)));
  }

  drawCards(context, colours) {
    const { layer, layout } = this;
    for (let i = 0; i < layer.size; i++) {
      const [x, y] = this.corner(i);
      const two = layer.kernels.length > 0;
      if (two) fit(context, this.pictures.kernel(layer, i), x + 4, y + 4, layout.side);
      const map = this.pictures.map(layer, i);
      if (map) fit(context, map, x + 4 + (two ? layout.side + 4 : 0), y + 4, layout.side);
      const foot = y + layout.tall - 5;
      text(context, String(i), x + 5, foot, { colour: colours.ink });
      const score = +layer.score[i].toPrecision(3);
      text(context, score, x + layout.wide - 5, foot, { colour: colours.quiet, align: "right" });
      context.strokeStyle = colours.line;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, layout.wide - 1, layout.tall - 1);
    }
  }

  /** Pruned cards pale, hatched and framed by dashes; rings for the hand; a cross where the other criterion cuts. */
  drawFates(context, changed, fates, colours) {
    if (!changed.length) return;
    const { layout } = this;
    const [gone, pale, kept, hand, rival] = Array.from({ length: 5 }, () => new Path2D());
    for (const i of changed) {
      const [x, y] = this.corner(i);
      if (fates[i] & GONE) pale.rect(x + 1, y + 1, layout.wide - 2, layout.side + 6);
      (fates[i] & GONE ? gone : kept).rect(x + 1, y + 1, layout.wide - 2, layout.tall - 2);
      if (fates[i] & BY_HAND) hand.rect(x - 2, y - 2, layout.wide + 4, layout.tall + 4);
      if (fates[i] & RIVAL) cross(rival, x + layout.wide / 2, y + layout.tall - 9);
    }
    context.globalAlpha = 0.7;
    context.fillStyle = hatch(context, colours);
    context.fill(pale);
    context.globalAlpha = 1;
    stroke(context, kept, colours.kept, 2);
    stroke(context, gone, colours.edge, 1.5, [4, 3]);
    stroke(context, hand, colours.guess, 2.5);
    stroke(context, rival, colours.ink, 1.8);
  }

  /** The line between what the rule keeps and what it cuts. */
  drawCut(context, colours) {
    const { layer, layout, line: old } = this;
    const kept = this.byRule;
    const after = Number(kept === layer.size); // behind the last card
    const [x, y] = cardAt(layout, kept - after);
    const left = after ? x + layout.wide + 7 : x - 7;
    if (old && old.left === left && old.y === y) return;
    if (old) copyPart(context, this.sheet, old.left - 2, old.y - 7, 4, layout.tall + 12);
    line(context, [[left, y - 6], [left, y + layout.tall + 4]], colours.ink, 3);
    this.line = { left, y };
  }

  get byRule() { return this.layer.size - this.at.rule[this.units.layers.indexOf(this.layer)]; }

  /** What follows on the page, after the picture is drawn. */
  write() {
    const { layer, layout, frame } = this;
    if (this.sorted && this.line) {
      const { left, y } = this.line;
      this.handle.style.transform = `translate(${left}px, ${y - 24}px) translateX(-50%)`;
    }
    setText(this.handle, grouped(this.byRule));
    if (frame.get("moving")) return;
    this.canvas.dataset.kept = this.kept;
    const [x, y] = this.corner(this.shown);
    const [wide, tall] = [`${layout.wide + 8}px`, `${layout.tall + 8}px`];
    const transform = `translate(${x - 4}px, ${y - 4}px)`;
    Object.assign(this.cursor.style, { transform, width: wide, height: tall });
    this.handle.hidden = !this.sorted;
    this.handle.setAttribute("aria-label", `Cut of ${layer.name}`);
    this.handle.setAttribute("aria-valuemax", layer.size);
    this.handle.setAttribute("aria-valuenow", this.byRule);
    this.handle.setAttribute("aria-valuetext", `${this.byRule} of ${layer.size} kept by rule`);
    this.cursor.setAttribute("aria-label", this.describe(this.shown));
    this.cursor.setAttribute("aria-pressed", String(Boolean(this.at.gone[layer.id[this.shown]])));
  }

  // -- the hand ----------------------------------------------------------------------------------------------

  press(event) {
    const box = this.canvas.getBoundingClientRect();
    const place = placeAt(this.layout, this.layer.size, event.clientX - box.left, event.clientY - box.top);
    if (place < 0) return;
    this.focus = this.filter(place);
    this.toggle();
    this.cursor.focus({ preventScroll: true });
  }

  toggle() {
    this.units.toggle(this.frame, this.layer, this.shown);
    this.frame.repaint();
  }

  key(event) {
    const { across } = this.layout;
    const many = this.layer.size;
    const place = this.place(this.shown);
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    const to = by ? place + by : { Home: 0, End: many - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= 0 && to < many) this.focus = this.filter(to);
    this.frame.say(this.describe(this.shown));
    this.frame.repaint();
  }

  makeHandle() {
    const under = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return cutNear(this.layout, this.layer.size, event.clientX - box.left, event.clientY - box.top + 12);
    };
    return cutHandle(this.frame, this.units, { layer: () => this.layer, kept: () => this.byRule, under, page: 5 },
      { "aria-orientation": "horizontal" });
  }

  fateOf(i) {
    const id = this.layer.id[i];
    if (id < 0) return "must stay";
    const word = this.at.gone[id] ? "pruned" : "kept";
    return this.at.fates[id] ? `${word} by hand` : word;
  }

  factsOf(i) {
    const { frame, layer } = this;
    const goes = (place) => (place <= 10000 ? sparsityText(place / 10000) : STAYS);
    const mean = this.pictures.mean(layer, i);
    const shown = `${mean?.toPrecision(3)} on this image, mean`;
    const rivals = this.rivalsOf(layer);
    return [
      ["score", `${layer.score[i].toPrecision(3)} by ${frame.get("ranking").criterion}`],
      ["rank", `${layer.rank[i] + 1} of ${layer.size}`],
      ["goes at", goes(layer.place[i]) + (rivals ? `; by ${frame.get("rivals").criterion} ${goes(rivals[i])}` : "")],
      ["activity", mean === null ? "not measured yet" : mean === 0 ? "0, silent on this image" : shown],
    ];
  }

  describe(i) {
    const facts = this.factsOf(i).map(([name, words]) => `${name} ${words}`).join(", ");
    return `Filter ${i} of ${this.layer.name}: ${this.fateOf(i)}; ${facts}`;
  }
}

function cross(path, x, y) {
  for (const side of [-4, 4]) {
    path.moveTo(x - side, y - 4);
    path.lineTo(x + side, y + 4);
  }
}
