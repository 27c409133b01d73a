// FilterExplorer: the filters of a layer, best first, with the cut between them, and one filter under the glass.
import { grouped, percent, sparsityText, stepOf, typed } from "../frame/pure.js";
import { copyPart, hatch, line, sharp, sheetOf, text } from "../frame/draw.js";
import { button, choice, el, fold, setText, table, tabs } from "../frame/controls.js";
import { cardAt, cutNear, fit, layOutCards, Pictures, placeAt } from "./gallery.js";
import { explorer } from "./explorer.js";
import { sortChoice, unitDrawings, Units } from "./units.js";

const [GONE, BY_HAND, RIVAL] = [1, 2, 4]; // what may hold of a card

/** What both criteria cut of a layer, and what only one does. */
export function overlapOf(layer, rivals, step) {
  const found = { both: 0, only: 0, rival: 0 };
  layer.id.forEach((id, i) => {
    if (id < 0) return;
    const [own, other] = [layer.place[i] <= step, rivals[i] <= step];
    if (own && other) found.both++;
    else if (own) found.only++;
    else if (other) found.rival++;
  });
  return found;
}

class Gallery {
  constructor(frame, units) {
    Object.assign(this, { frame, units, pictures: new Pictures(frame, units), focus: null, sheetKey: "", rivals: null, line: null });
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.cursor = button("", () => this.toggle(), { class: "pv-card-cursor", "aria-roledescription": "filter" });
    this.handle = this.cutHandle();
    this.stage = el("div", { class: "pv-gallery", role: "group", "aria-label": "Filters: arrow keys move from one to the next, Enter cuts or keeps it" }, this.canvas, this.cursor, this.handle);
    this.canvas.addEventListener("click", (event) => this.press(event));
    this.cursor.addEventListener("keydown", (event) => this.key(event));
    this.cursor.addEventListener("focus", () => frame.repaint());
    for (const name of ["maps", "mapped", "pictured", "ranking", "sort", "layer"]) frame.on(name, () => { this.sheetKey = ""; });
    for (const name of ["rivals", "rivalled"]) frame.on(name, () => this.loadRivals());
    frame.on("layer", () => { this.focus = null; });
    this.loadRivals();
  }

  /** Places under the second criterion, once they are about the present scope. */
  loadRivals() {
    const places = typed(this.frame.get("rivals"), Uint16Array);
    this.rivals = places.length ? places : null;
  }

  get layer() { return this.units.layer(this.frame.get("layer")); }
  get sorted() { return this.frame.get("sort") === "score"; }
  get shown() { return this.focus ?? this.layer.order[0]; }
  filter(place) { return this.sorted ? this.layer.order[place] : place; }
  place(i) { return this.sorted ? this.layer.rank[i] : i; }
  corner(i) { return cardAt(this.layout, this.place(i)); }
  rivalsOf(layer) { return this.rivals?.subarray(layer.first, layer.first + layer.size) ?? null; }

  // -- drawing -----------------------------------------------------------------------------------------------

  draw(width, colours) {
    const { frame, units, layer } = this;
    this.at = units.at(frame.get("sparsity"), frame.get("by_hand"));
    const key = `${width}/${devicePixelRatio}/${colours.kept}/${colours.paper}`;
    if (this.sheetKey !== key) this.prepare(key, width, colours);
    const fates = this.fates();
    this.kept = fates.reduce((sum, fate) => sum + (fate & GONE ? 0 : 1), 0);
    const context = this.wipe(width, fates);
    this.drawFates(context, [...fates.keys()].filter((i) => fates[i] !== this.drawn[i]), fates, colours);
    if (this.sorted) this.drawCut(context, colours);
    this.drawn = fates;
  }

  /** Draw what no slider changes: the pictures and words of every card. */
  prepare(key, width, colours) {
    this.sheetKey = key;
    this.layout = layOutCards(width, this.layer.size, this.layer.kernel[0] > 0);
    this.sheet = sheetOf(width, this.layout.height, (context) => this.drawCards(context, colours));
    this.drawn = [];
  }

  /** Put back as on the sheet the cards that change, each with the room for its ring; of many, all. */
  wipe(width, fates) {
    const { layout: { wide, tall, height }, sheet } = this;
    const changed = [...fates.keys()].filter((i) => fates[i] !== this.drawn[i]);
    if (changed.length <= fates.length / 4) {
      const context = this.canvas.getContext("2d");
      for (const [x, y] of changed.map((i) => this.corner(i))) copyPart(context, sheet, x - 4, y - 4, wide + 8, tall + 8);
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
    return Uint8Array.from(layer.id, (id, i) =>
      id < 0 ? 0 : (at.gone[id] && GONE) | (at.fates[id] && BY_HAND) | (rivals && rivals[i] <= at.step && RIVAL));
  }

  drawCards(context, colours) {
    const { layer, layout } = this;
    for (let i = 0; i < layer.size; i++) {
      const [x, y] = this.corner(i);
      const two = layer.kernel[0] > 0;
      if (two) fit(context, this.pictures.kernel(layer, i), x + 4, y + 4, layout.side);
      const map = this.pictures.map(layer, i);
      if (map) fit(context, map, x + 4 + (two ? layout.side + 4 : 0), y + 4, layout.side);
      text(context, String(i), x + 5, y + layout.tall - 5, { colour: colours.ink });
      text(context, +layer.score[i].toPrecision(3), x + layout.wide - 5, y + layout.tall - 5, { colour: colours.quiet, align: "right" });
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
    context.globalAlpha = 0.62;
    context.fillStyle = colours.paper;
    context.fill(pale);
    context.globalAlpha = 0.35;
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
    const after = kept === layer.size; // behind the last card
    const [x, y] = cardAt(layout, kept - after);
    const left = after ? x + layout.wide + 7 : x - 7;
    if (old?.left === left && old.y === y) return;
    if (old) copyPart(context, this.sheet, old.left - 2, old.y - 7, 4, layout.tall + 12);
    line(context, [[left, y - 6], [left, y + layout.tall + 4]], colours.ink, 3);
    this.line = { left, y };
  }

  get byRule() { return this.layer.size - this.at.rule[this.units.layers.indexOf(this.layer)]; }

  /** What follows on the page, after the picture is drawn. */
  write() {
    const { layer, layout, frame } = this;
    if (this.sorted) this.handle.style.transform = `translate(${this.line.left}px, ${this.line.y - 24}px) translateX(-50%)`;
    setText(this.handle, grouped(this.byRule));
    if (frame.get("moving")) return;
    this.canvas.dataset.kept = this.kept;
    const [x, y] = this.corner(this.shown);
    Object.assign(this.cursor.style, { transform: `translate(${x - 4}px, ${y - 4}px)`, width: `${layout.wide + 8}px`, height: `${layout.tall + 8}px` });
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
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, ArrowDown: place + across, ArrowUp: place - across, Home: 0, End: many - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= 0 && to < many) this.focus = this.filter(to);
    this.frame.say(this.describe(this.shown));
    this.frame.repaint();
  }

  /** The handle of the cut: drag it, or use the arrow keys, one filter a step. */
  cutHandle() {
    const node = el("div", { class: "pv-cut", "data-png": true, role: "slider", tabindex: 0, "aria-orientation": "horizontal", "aria-valuemin": 0, "data-lm-suppress-shortcuts": "true" });
    const set = (kept, moving) => {
      this.frame.set({ sparsity: this.units.sparsityFor(this.layer, Math.max(0, Math.min(this.layer.size, kept))) }, { moving });
      if (!moving) this.frame.speak = true;
    };
    const under = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return cutNear(this.layout, this.layer.size, event.clientX - box.left, event.clientY - box.top + 12);
    };
    node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); event.preventDefault(); node.focus(); });
    node.addEventListener("pointermove", (event) => node.hasPointerCapture(event.pointerId) && set(under(event), true));
    node.addEventListener("pointerup", (event) => { node.releasePointerCapture(event.pointerId); this.frame.set({}); this.frame.speak = true; });
    node.addEventListener("keydown", (event) => {
      const kept = this.byRule;
      const to = { ArrowUp: kept - 1, ArrowLeft: kept - 1, ArrowDown: kept + 1, ArrowRight: kept + 1, PageUp: kept - 5, PageDown: kept + 5, Home: 1, End: this.layer.size }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      set(to, false);
    });
    return node;
  }

  // -- in words ----------------------------------------------------------------------------------------------

  fateOf(i) {
    const id = this.layer.id[i];
    if (id < 0) return "must stay";
    const word = this.at.gone[id] ? "pruned" : "kept";
    return this.at.fates[id] ? `${word} by hand` : word;
  }

  factsOf(i) {
    const { frame, layer } = this;
    const goes = (place) => (place <= 10000 ? `at ${sparsityText(place / 10000)}` : "never");
    const mean = this.pictures.mean(layer, i);
    const rivals = this.rivalsOf(layer);
    return [
      ["score", `${layer.score[i].toPrecision(3)} by ${frame.get("ranking")[1]}`],
      ["rank", `${layer.rank[i] + 1} of ${layer.size}`],
      ["goes", goes(layer.place[i]) + (rivals ? `; by ${frame.get("rivalled")[1]} ${goes(rivals[i])}` : "")],
      ["activity", mean === null ? "not measured yet" : mean === 0 ? "0, silent on this image" : `${mean.toPrecision(3)} on this image, mean`],
    ];
  }

  describe(i) {
    return `Filter ${i} of ${this.layer.name}: ${this.fateOf(i)}; ${this.factsOf(i).map(([name, words]) => `${name} ${words}`).join(", ")}`;
  }
}

function stroke(context, path, colour, width, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.stroke(path);
  context.setLineDash([]);
}

function cross(path, x, y) {
  for (const side of [-4, 4]) {
    path.moveTo(x - side, y - 4);
    path.lineTo(x + side, y + 4);
  }
}

// -- parts -------------------------------------------------------------------------------------------------

/** Which image: a number, the one before or after it, of one class or of all. */
function imageChoice(frame) {
  const truths = typed(frame.get("truths"), Int32Array);
  const last = truths.length - 1;
  const box = el("input", { type: "number", min: 0, max: last, class: "pv-box", "aria-label": `image, 0 to ${last}`, "data-lm-suppress-shortcuts": "true", onchange: () => pick(Number(box.value)) });
  const pick = (image) => Number.isInteger(image) && image >= 0 && image <= last && frame.set({ image });
  const wanted = (image) => kind.select.value === "" || truths[image] === Number(kind.select.value);
  const go = (by) => {
    let image = frame.get("image") + by;
    while (image >= 0 && image <= last && !wanted(image)) image += by;
    pick(image);
  };
  const classes = [...new Set(truths)].sort((a, b) => a - b);
  const kind = choice("of class", [["", "any"], ...classes.map((c) => [String(c), String(c)])], () => {
    if (!wanted(frame.get("image"))) pick(truths.findIndex((_, image) => wanted(image)));
  });
  const previous = button("‹", () => go(-1), { class: "pv-button pv-small", "aria-label": "Previous image" });
  const next = button("›", () => go(1), { class: "pv-button pv-small", "aria-label": "Next image" });
  frame.on("image", () => {});
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    if (document.activeElement !== box) box.value = frame.get("image");
    for (const control of [box, kind.select, previous, next]) control.disabled = frame.offline;
  }));
  return el("span", { class: "pv-choice" }, "image ", previous, box, next, kind.node);
}

/** A second criterion, and how far it agrees. */
function rivalChoice(frame, gallery) {
  const names = () => [["", "none"], ...frame.get("criteria").filter((name) => name !== frame.get("criterion")).map((name) => [name, name])];
  const second = choice("second criterion", names(), (value) => frame.set({ rival: value }));
  const words = el("span", { class: "pv-hint", "data-png": true });
  frame.on("rival", () => {});
  frame.on("criterion", () => second.fill(names()));
  frame.paint(() => frame.write(() => {
    const rivals = gallery.rivalsOf(gallery.layer);
    const { both, only, rival } = rivals ? overlapOf(gallery.layer, rivals, stepOf(frame.get("sparsity"))) : {};
    const [own, other] = [frame.get("ranking")[1], frame.get("rivalled")[1]];
    setText(words, rivals ? `${gallery.layer.name}: both cut ${both}, only ${own} ${only}, only ${other} ${rival}` : "");
    if (frame.get("moving")) return;
    second.select.value = frame.get("rival");
    second.select.disabled = frame.offline;
  }));
  return el("div", { class: "pv-rival" }, second.node, words);
}

/** The image and one filter, large, with its facts. */
function glass(frame, gallery) {
  const [input, kernel, map] = ["image", "kernel", "map"].map(() => el("canvas", { role: "img" }));
  const [inputWords, kernelWords, mapWords] = [0, 1, 2].map(() => el("figcaption", { class: "pv-hint", "data-png": true }));
  const title = el("h4", { class: "pv-caption", "data-png": true });
  const cells = Object.fromEntries(["score", "rank", "goes", "activity"].map((name) => [name, el("dd", { "data-png": true })]));
  const list = el("dl", { class: "pv-card" }, ...Object.entries(cells).flatMap(([name, cell]) => [el("dt", { "data-png": true }, name), cell]));
  let drawn = "";
  const show = (canvas, picture) => {
    canvas.parentElement.hidden = !picture;
    if (picture) fit(sharp(canvas, 112, 112), picture, 0, 0, 112);
  };
  frame.paint((colours) => frame.write(() => {
    const { layer, pictures, shown: i } = gallery;
    setText(title, `Filter ${i} of ${layer.name}: ${gallery.fateOf(i)}`);
    for (const [name, words] of gallery.factsOf(i)) setText(cells[name], words);
    const { index, truth } = frame.get("pictured");
    const key = `${layer.name}/${i}/${index}/${pictures.has(layer)}/${colours.paper}`;
    if (frame.get("moving") || key === drawn) return;
    drawn = key;
    show(input, pictures.image());
    show(kernel, pictures.kernel(layer, i));
    show(map, pictures.map(layer, i));
    const [slices, height, width] = layer.kernel;
    const inputs = layer.shape[1];
    setText(inputWords, `image ${index}, a ${truth}`);
    setText(kernelWords, inputs > slices ? `kernel, mean |w| of ${inputs} inputs` : slices === 1 ? `kernel, ${height} × ${width}` : `kernel, ${slices} × ${height} × ${width}`);
    setText(mapWords, `feature map, ${frame.get("mapped").shape.join(" × ")}`);
    for (const [canvas, words] of [[input, inputWords], [kernel, kernelWords], [map, mapWords]]) canvas.setAttribute("aria-label", words.textContent);
  }));
  const figure = (canvas, words) => el("figure", {}, canvas, words);
  return el("section", { class: "pv-lens", "aria-label": "The filter in focus" },
    figure(input, inputWords), figure(kernel, kernelWords), figure(map, mapWords), el("div", { class: "pv-facts" }, title, list));
}

function filtersPart(frame, units) {
  const gallery = new Gallery(frame, units);
  frame.gallery = gallery; // for tests
  const caption = el("figcaption", { class: "pv-caption", "data-png": true });
  const layerTabs = tabs("Layer", units.layers.map(({ name }) => name), (name) => frame.set({ layer: name }));
  const hint = el("p", { class: "pv-hint" }, "Drag the line to move the cut. Click a card to cut or keep it by hand, again to let go; with the keyboard: arrows, then Enter.");
  const twin = fold("Filters in words", () => inWords(frame, gallery));
  const rivalKey = el("span", {}, "✕ the other criterion cuts it too, or instead");
  frame.paint((colours) => {
    gallery.draw(frame.widthOf(gallery.stage), colours);
    frame.write(() => {
      gallery.write();
      const { layer } = gallery;
      setText(caption, `Filters of ${layer.name}, ${layer.shape.join(" × ")}: ${grouped(gallery.kept)} of ${grouped(layer.size)} kept (${percent(gallery.kept / layer.size)})`);
      if (frame.get("moving")) return;
      layerTabs.show(layer.name);
      rivalKey.hidden = !gallery.rivals;
      twin.refresh();
    });
  });
  return el("figure", { class: "pv-panel pv-wide pv-filters" }, caption,
    el("div", { class: "pv-bar" }, layerTabs.node, el("span", { class: "pv-selectors" }, sortChoice(frame), imageChoice(frame))),
    rivalChoice(frame, gallery), glass(frame, gallery), gallery.stage, hint,
    el("p", { class: "pv-key" }, el("i", { class: "pv-swatch pv-swatch-kept" }), "kept", el("i", { class: "pv-swatch pv-swatch-pruned" }), "pruned",
      el("i", { class: "pv-swatch pv-swatch-hand" }), "by hand", rivalKey),
    twin.node);
}

/** The text twin: every filter of the layer in a row. */
function inWords(frame, gallery) {
  const { layer } = gallery;
  const order = gallery.sorted ? layer.order : [...layer.score.keys()];
  const rows = order.map((i) => [String(i), gallery.fateOf(i), ...gallery.factsOf(i).map(([, words]) => words)]);
  return [el("div", { class: "pv-scroll" }, table(["filter", "fate", ...gallery.factsOf(0).map(([name]) => name)], rows))];
}

export default explorer(Units, { ...unitDrawings, filters: filtersPart });
