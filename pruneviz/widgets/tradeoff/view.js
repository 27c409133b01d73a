// TradeoffExplorer: which model came from which, what each costs, and whose answers differ.
import { grouped, percent, remembered } from "../frame/pure.js";
import {
  button, choice, el, figure, fold, roving, scrolled, section, setText, table,
} from "../frame/controls.js";
import { changedImages } from "../frame/changes.js";
import { decode } from "../frame/wire.js";
import { Frame } from "../frame/view.js";
import { comparisonOf, frontOf, nextPoint, nextRow, textOf } from "./compare.js";
import { GUTTER, INDENT, drawMap, drawScatter, pointWords, scatterOf } from "./still.js";

const HEIGHT = 250; // of the scatter
const NEAR = 30; // pixels from a point that still mean it

/** The models, and what follows from which of them are chosen. */
class Models {
  constructor(frame) {
    this.frame = frame;
    this.rows = frame.get("models");
    this.axes = Object.fromEntries(frame.get("axes").map((axis) => [axis.name, axis]));
    const { labels, predictions, pictures, pictured } = decode(frame.get("answers"));
    this.pictures = pictures;
    this.n = labels.length;
    const of = (at) => predictions.subarray(at * this.n, (at + 1) * this.n);
    this.comparison = remembered((before, after) => comparisonOf(of(before), of(after), labels, pictured));
    this.frontOn = remembered((...pair) => frontOf(
      this.rows.map(({ values }) => {
        const found = pair.map(({ name }) => values[name]);
        return found.every(Boolean) ? found.map(([value]) => value) : null;
      }), pair.map(({ rises }) => rises),
    ));
  }

  at(name) { return this.rows.findIndex((row) => row.name === name); }
  get selected() { return this.at(this.frame.get("selected")); }
  get one() { return this.rows[this.selected]; }

  /** Place of the model to compare with, -1 for none. */
  get against() {
    const compared = this.frame.get("compared");
    return this.at(compared && compared !== this.one.name ? compared : this.one.parent);
  }

  get change() { return this.against < 0 ? null : this.comparison(this.against, this.selected); }
  get pair() { return [this.axes[this.frame.get("x")], this.axes[this.frame.get("y")]]; }

  /** Places of the models that nothing beats, across and up. */
  get front() { return this.frontOn(...this.pair); }

  /** The models, and how each is drawn. */
  get looks() {
    const [selected, against, front] = [this.selected, this.against, this.front];
    return this.rows.map((row, i) => ({
      ...row, selected: i === selected, against: i === against, full: front.includes(i), parent: this.at(row.parent),
    }));
  }

  set(values) {
    this.frame.set(values);
    this.frame.say(this.sentence());
  }

  /** Choose a model, or with Shift the one to compare with. */
  choose(at, event) { this.set({ [event?.shiftKey ? "compared" : "selected"]: this.rows[at].name }); }

  costs(axes, row = this.one) {
    return axes.filter(({ name }) => name !== "accuracy" && row.values[name])
      .map((axis) => `${axis.words} ${textOf(axis, row.values[axis.name][0])}`);
  }

  sentence() {
    const { one, n, change } = this;
    const right = `${one.name}: ${percent(one.correct / n)} right, ${grouped(one.correct)} of ${grouped(n)}`;
    const costs = this.costs(this.pair.toReversed()).map((words) => `, ${words}`).join("");
    return `${right}${costs}${change ? `; against ${this.rows[this.against].name}: ${waysOf(change)}` : ""}.`;
  }
}

const waysOf = ({ lost, won, other }) =>
  `${grouped(lost)} images lost, ${grouped(won)} won, ${grouped(other)} wrong in a new way`;

// -- which is on view --------------------------------------------------------------------------------------

function topPart(frame, models) {
  const names = models.rows.map(({ name }) => [name, name]);
  const model = choice("model", names, (value) => models.set({ selected: value }));
  const against = choice("compare with", [["", "what it was made from"], ...names],
    (value) => models.set({ compared: value }));
  const made = el("p", { class: "pv-count", "data-png": true });
  const big = el("strong", { class: "pv-big", "data-png": true });
  const words = el("p", { class: "pv-right", "data-png": true });
  frame.paint(() => frame.write(() => {
    const { one, n } = models;
    model.select.value = one.name;
    against.select.value = frame.get("compared");
    setText(big, percent(one.correct / n));
    setText(words, `${grouped(one.correct)} of ${grouped(n)} right`);
    const from = one.parent ? [`from ${one.parent}${one.step ? `: ${one.step}` : ""}`] : [];
    setText(made, [...from, ...models.costs(models.pair)].join(" · "));
  }));
  const chosen = el("div", { class: "pv-selectors", "data-png": true }, model.node, against.node);
  const rule = el("div", { class: "pv-rule" },
    el("div", {}, chosen, made), el("div", { class: "pv-now" }, el("p", {}, big), words));
  return el("div", { class: "pv-top" }, rule);
}

// -- the map -----------------------------------------------------------------------------------------------

function mapPart(frame, models) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const rows = models.rows.map(({ name, step, depth }, i) => {
    const value = el("span", { class: "pv-row-words", "data-png": true });
    const node = button("", (event) => models.choose(i, event), { class: "pv-model" });
    node.style.paddingLeft = `${GUTTER + depth * INDENT + 4}px`;
    node.append(el("span", { "data-png": true }, `${name} `, el("small", {}, step)), value);
    return { node, value };
  });
  const nodes = rows.map(({ node }) => node);
  const group = roving("Models: arrow keys go up, down, to the parent and to a child", nodes, {
    css: "pv-models",
    move: (key, at) => went(models, nextRow(models.rows, at, key)),
  });
  group.prepend(canvas);
  // Asked of the page only where its width has changed: in every frame it would be laid out anew.
  const places = remembered(() => nodes.map((node) => ({ top: node.offsetTop, tall: node.offsetHeight })));
  const stage = el("div", { class: "pv-stage pv-map" }, group);
  const follow = remembered(({ top, tall }) => {
    const hidden = top < stage.scrollTop || top + tall > stage.scrollTop + stage.clientHeight;
    if (hidden) stage.scrollTop = top - stage.clientHeight / 2;
  });
  frame.paint((colours) => {
    const { looks } = models;
    const width = frame.widthOf(group);
    const at = places(width, devicePixelRatio);
    const drawn = looks.map((look, i) => ({ ...look, ...at[i] }));
    drawMap(canvas, width, at.at(-1).top + at.at(-1).tall, drawn, colours);
    frame.write(() => {
      const axis = models.pair[1];
      looks.forEach(({ values, selected }, i) => {
        setText(rows[i].value, values[axis.name] ? textOf(axis, values[axis.name][0]) : "");
        nodes[i].tabIndex = selected ? 0 : -1;
        nodes[i].setAttribute("aria-pressed", String(selected));
      });
      follow(at[models.selected]);
    });
  });
  return figure("Which came from which", stage);
}

/** Choose where an arrow key goes. */
function went(models, to) {
  if (to !== null) models.choose(to, null);
  return to;
}

// -- the scatter -------------------------------------------------------------------------------------------

function scatterPart(frame, models) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const points = models.rows.map((_, i) => button("", (event) => models.choose(i, event), { class: "pv-point" }));
  /** @type {any[]} */
  let places = [];
  const seen = () => places.map((place) => place && [place[0], -place[1]]); // on the page, up is less
  const group = roving("Models: arrow keys go to the next to each side", points, {
    css: "pv-points",
    move: (key, at) => went(models, nextPoint(seen(), at, key)),
  });
  const stage = el("div", { class: "pv-plot" }, canvas, group);
  const under = (event) => {
    const far = (point) => (point ? Math.hypot(point[0] - event.offsetX, point[1] - event.offsetY) : Infinity);
    const all = places.map(far);
    const nearest = Math.min(...all);
    return nearest <= NEAR ? all.indexOf(nearest) : -1;
  };
  canvas.addEventListener("click", (event) => under(event) >= 0 && models.choose(under(event), event));
  canvas.addEventListener("mousemove", (event) => {
    canvas.style.cursor = under(event) >= 0 ? "pointer" : "";
    canvas.title = models.rows[under(event)]?.name ?? "";
  });
  const names = frame.get("axes").map(({ name, words }) => [name, words]);
  const [y, x] = [["up", "y"], ["across", "x"]].map(([label, name]) => ({
    name, ...choice(label, names, (value) => models.set({ [name]: value })),
  }));
  const twin = fold("Models in numbers", () => [scrolled("Models in numbers", numbers(models))]);
  const key = el("p", { class: "pv-hint" });
  const scatter = remembered((width, across, up) => scatterOf(width, HEIGHT, models.rows, [across, up]));
  frame.paint((colours) => {
    const drawn = scatter(frame.widthOf(stage), ...models.pair);
    const { looks, front } = models;
    drawScatter(canvas, drawn, { rows: looks, front }, colours);
    places = drawn.points;
    frame.write(() => {
      for (const { name, select } of [x, y]) select.value = frame.get(name);
      points.forEach((node, i) => pointAt(node, places[i], looks[i], models.pair));
      const stop = places[models.selected] ? models.selected : places.findIndex(Boolean);
      points.forEach((node, i) => { node.tabIndex = i === stop ? 0 : -1; });
      const unknown = looks.filter((_, i) => !places[i]).map(({ name }) => name);
      const bars = models.pair.map((axis) => axis.bars).filter(Boolean);
      setText(key, [
        "Full dots: no other model beats them.", ...(bars.length ? [`Bars: ${bars.join("; ")}.`] : []),
        ...(unknown.length ? [`Not measured: ${unknown.join(", ")}.`] : []), "Shift and a click compare.",
      ].join(" "));
      twin.refresh();
    });
  });
  const axes = el("div", { class: "pv-selectors pv-axes" }, y.node, x.node);
  return figure("What they cost", axes, stage, key, twin.node);
}

function pointAt(node, place, look, axes) {
  node.hidden = !place;
  node.setAttribute("aria-pressed", String(look.selected));
  if (!place) return;
  Object.assign(node.style, { left: `${place[0]}px`, top: `${place[1]}px` });
  node.setAttribute("aria-label", pointWords(look, axes));
}

function numbers({ rows, axes, n }) {
  const all = Object.values(axes).slice(1);
  const range = (axis, values) => {
    if (!values) return "–";
    const [value, low, high] = values;
    const [middle, ...ends] = [value, low, high].map((one) => textOf(axis, one));
    return low === high ? middle : `${middle} (${ends.join(" to ")})`;
  };
  return table(["model", "made from", "by", "right", "accuracy (95%)", ...all.map(({ words }) => words)],
    rows.map(({ name, parent, step, correct, values }) => [
      name, parent ?? "–", step || "–", `${grouped(correct)} of ${grouped(n)}`, range(axes.accuracy, values.accuracy),
      ...all.map((axis) => range(axis, values[axis.name])),
    ]));
}

// -- the difference ----------------------------------------------------------------------------------------

/** Fill a panel anew where the two models are others; it stays empty where there is only one. */
function differencePart(frame, models, heading, fill) {
  const body = el("div", { class: "pv-difference" });
  const refresh = remembered((_selected, against) => body.replaceChildren(...(against < 0 ? [] : fill())));
  frame.paint(() => frame.write(() => refresh(models.selected, models.against)));
  return section(heading, body);
}

function changesPart(frame, models) {
  const none = el("p", { class: "pv-hint" }, "This model was made from no other: choose one to compare it with.");
  frame.paint(() => frame.write(() => { none.hidden = models.against >= 0; }));
  const node = differencePart(frame, models, "Images whose answer changed", () => {
    const { change, pictures } = models;
    const words = `From ${models.rows[models.against].name} to ${models.one.name}: `;
    return changedImages(change, pictures && picked(pictures, change.images), words);
  });
  node.append(none);
  node.classList.add("pv-wide");
  return node;
}

/** The pictures of some images, one after the other. */
function picked(pictures, images) {
  const [, ...shape] = pictures.shape;
  const size = shape.reduce((a, b) => a * b, 1);
  const some = new Uint8Array(images.length * size);
  images.forEach(({ picture }, i) => some.set(pictures.subarray(picture * size, (picture + 1) * size), i * size));
  return Object.assign(some, { shape: [images.length, ...shape] });
}

const classesPart = (frame, models) => differencePart(frame, models, "Changes by class", () => [
  scrolled("Changes by class", table(["class", "images", "lost", "won", "new way"], models.change.by_class.map(
    ({ name, n, lost, won, other }) => [String(name), ...[n, lost, won, other].map(grouped)],
  ))),
]);

const layersPart = (frame, models) => differencePart(frame, models, "Weights left in each layer", () => {
  const [before, after] = [models.rows[models.against], models.one];
  const names = Object.keys({ ...before.layers, ...after.layers });
  const having = (layer) => [before, after].filter((row) => layer in row.layers);
  return [el("ul", { class: "pv-rows" }, ...names.flatMap((layer) => having(layer).map((row, i) => {
    const [count, whole] = row.layers[layer];
    const bar = el("i");
    bar.style.width = `${(100 * count) / whole}%`;
    const words = `${row.name}: ${grouped(count)} of ${grouped(whole)} left, ${percent(count / whole)}`;
    const name = i ? [] : [el("span", { class: "pv-row-name", "data-png": true }, layer)];
    return el("li", {}, ...name, el("span", { class: "pv-meter", "aria-hidden": "true" }, bar),
      el("span", { class: "pv-row-words", "data-png": true }, words));
  })))];
});

const PARTS = { map: mapPart, scatter: scatterPart, changes: changesPart, classes: classesPart, layers: layersPart };
const BEHIND_MORE = ["classes", "layers"];

function render({ model, el: parent }) {
  const frame = new Frame(model, parent, { tools: ["undo", "reset", "save", "more"] });
  const models = new Models(frame);
  frame.sentence = () => models.sentence();
  for (const node of [frame.progressNode, frame.lost]) node.remove(); // all is here: nothing needs a kernel
  for (const name of frame.names) frame.on(name, () => {});
  const show = frame.get("show");
  const parts = show.map((name) => ({ name, node: PARTS[name](frame, models) }));
  const basic = parts.some(({ name }) => !BEHIND_MORE.includes(name));
  const refresh = () => {
    for (const { name, node } of parts) node.hidden = basic && BEHIND_MORE.includes(name) && !frame.get("more");
  };
  frame.on("more", refresh);
  refresh();
  frame.body.append(topPart(frame, models), el("div", { class: "pv-grid" }, ...parts.map(({ node }) => node)));
  return () => frame.dispose();
}

export default { render };
