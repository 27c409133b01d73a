// TinyNetwork: a model whose every number can be read; click a connection to cut it.
import { button, el, fold, newId, table } from "../frame/controls.js";
import { answers, changes, compiled, cost, cutOrRestored, exactly, finishedSnippet, forward, keptFlags, labelsOf, lossOf, neuronCut, plain, sentenceOf, signed, spokenChange, stepWords, terms, wireAt, wiring } from "./math.js";
import { drawDecision, drawWiring } from "./draw.js";
import { Frame } from "../frame/view.js";

/** What follows from the state, computed once for each set of cuts. */
class Present {
  constructor(frame) {
    this.frame = frame;
    [this.spec, this.x, this.y] = ["spec", "x", "y"].map((name) => frame.get(name));
    this.whole = lossOf(this.spec, this.spec.wires.map(() => true), this.x, this.y);
    this.last = null;
    this.refresh();
    frame.on("cut", () => this.refresh());
  }

  refresh() {
    const { spec, x, y } = this;
    const before = this.cut;
    this.cut = this.frame.get("cut");
    this.kept = keptFlags(spec, this.cut);
    const now = lossOf(spec, this.kept, x, y);
    if (before) {
      this.last = { words: stepWords(before, this.cut), change: now.loss - this.now.loss };
      this.frame.say(this.spoken(now));
    }
    this.now = now;
    this.changes = null;
    this.count = (this.count ?? 0) + 1;
  }

  /** Loss changes cost a pass over the examples for each weight: only where they are looked at. */
  get ifToggled() { return (this.changes ??= changes(this.spec, this.cut, this.x, this.y)); }
  get many() { return `${this.x.length} ${this.frame.get("noun")}${this.x.length === 1 ? "" : "s"}`; }
  get output() { return this.frame.get("output"); }

  toggle(names) { this.frame.set({ cut: cutOrRestored(this.spec, this.cut, names) }); }

  spoken(now) {
    const right = now.right === null ? "" : ` ${now.right} of ${this.many} right.`;
    return `${this.last.words}. Loss ${exactly(now.loss, this.spec.digits)}, ${spokenChange(this.last.change, this.spec.digits)}.${right}`;
  }

  sentence() {
    const words = { title: this.frame.get("title"), spec: this.spec, cut: this.cut, x: this.x, noun: this.frame.get("noun") };
    return sentenceOf(words, this.now, this.whole);
  }
}

// -- the model, with a button over every number ------------------------------------------------------------

function nameOf(present, wire, i) {
  const { spec } = present;
  const end = wire.end === "output" ? present.output : wire.end;
  const where = spec.kind === "linear" ? `Weight of ${wire.name}` : `Weight ${wire.name}, from ${wire.start} to ${end}`;
  return `${where}: ${plain(wire.value, spec.decimals)}, ${present.kept[i] ? "kept" : "cut"}`;
}

/** Buttons in reading order; one is in the tab order, arrow keys move between them. */
function roving(label, buttons) {
  const group = el("div", { role: "group", "aria-label": label, class: "pv-wires" }, ...buttons);
  const enter = (target) => buttons.forEach((one) => { one.tabIndex = one === target ? 0 : -1; });
  enter(buttons[0]);
  group.addEventListener("focusin", (event) => enter(event.target));
  group.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    buttons.at(to % buttons.length).focus();
  });
  return group;
}

function modelPart(frame, present) {
  const { spec } = present;
  const canvas = el("canvas", { "aria-hidden": "true" });
  const overlay = (names) => button("", () => present.toggle(names), { class: "pv-wire" });
  const wires = spec.wires.map((wire) => ({ wire, node: overlay([wire.name]) }));
  const neurons = Object.entries(spec.neurons).map(([name, names]) => ({ name, node: overlay(names) }));
  const inOrder = neurons.length
    ? [...neurons.flatMap(({ name, node }) => [...wires.filter(({ wire }) => wire.end === name).map((w) => w.node), node]),
      ...wires.filter(({ wire }) => wire.end === "output").map((w) => w.node)]
    : wires.map((w) => w.node);
  const group = roving("Weights: Enter cuts one, or puts it back", inOrder);
  const stage = el("div", { class: "pv-tiny" }, canvas, group);
  let layout = null;
  const under = (event) => layout && wireAt(layout.wires, event.offsetX, event.offsetY);
  canvas.addEventListener("click", (event) => under(event) >= 0 && wires[under(event)].node.click());
  canvas.addEventListener("mousemove", (event) => { canvas.style.cursor = under(event) >= 0 ? "pointer" : ""; });
  frame.paint((colours) => {
    const state = drawn(frame, present);
    layout = wiring(spec, Math.max(frame.widthOf(stage), 240), state.labels);
    drawWiring(canvas, layout, spec, state, colours);
    frame.write(() => put(layout, wires, neurons));
    wires.forEach(({ wire, node }, i) => name(node, nameOf(present, wire, i)));
    for (const { name: neuron, node } of neurons) {
      name(node, `Hidden neuron ${neuron}, bias ${plain(spec.biases[neuron], spec.decimals)}, with all its weights: ${neuronCut(spec, present.cut, neuron) ? "cut" : "kept"}`);
    }
  });
  return el("figure", { class: "pv-panel" }, el("figcaption", { class: "pv-caption", "data-png": true }, "The weights: click one to cut it"), stage, changesPart(frame, present));
}

const name = (node, words) => node.getAttribute("aria-label") !== words && node.setAttribute("aria-label", words);

/** Put the buttons where the canvas has the numbers. */
function put(layout, wires, neurons) {
  const move = (node, { x, y }, { width, height }) => Object.assign(node.style, {
    left: `${x - width / 2}px`, top: `${y - height / 2}px`, width: `${width}px`, height: `${height}px`,
  });
  wires.forEach(({ node }, i) => move(node, layout.wires[i], layout.chip));
  for (const { name: neuron, node } of neurons) {
    const place = layout.nodes[neuron];
    move(node, place, { width: 2 * place.radius, height: 2 * place.radius });
    node.style.borderRadius = "50%";
  }
}

function drawn(frame, present) {
  const { spec, kept, cut, x, y } = present;
  const chosen = frame.get("example");
  const { passed, z } = forward(spec, kept, x[chosen]);
  const rows = Object.fromEntries(Object.entries(passed).map(([name, value]) => [name, [plain(value, 2)]]));
  rows.output = [spec.kind === "linear" ? exactly(z, spec.decimals) : plain(z, 1), `true ${plain(y[chosen], spec.decimals)}`];
  return {
    kept, rows, output: present.output,
    labels: labelsOf(spec, frame.get("changes") ? present.ifToggled : null),
    cutNeurons: Object.keys(spec.neurons).filter((neuron) => neuronCut(spec, cut, neuron)),
  };
}

function changesPart(frame, present) {
  const { spec } = present;
  const id = newId();
  const box = el("input", { type: "checkbox", id, "data-lm-suppress-shortcuts": "true", onchange: () => frame.set({ changes: box.checked }) });
  const twin = fold("Weights in numbers", () => [el("div", { class: "pv-scroll" }, table(
    ["weight", "from", "to", "value", "state", ...(frame.get("changes") ? ["change of the loss"] : [])],
    spec.wires.map((wire, i) => [wire.name, wire.start, wire.end === "output" ? present.output : wire.end, plain(wire.value, 5), present.kept[i] ? "kept" : "cut",
      ...(frame.get("changes") ? [signed(present.ifToggled[i], spec.digits)] : [])])))]);
  const refresh = () => { box.checked = frame.get("changes"); twin.refresh(); };
  frame.on("changes", refresh);
  frame.on("cut", () => twin.refresh());
  refresh();
  return el("div", {}, el("div", { class: "pv-check" }, box, el("label", { for: id }, "Show what each next cut would do to the loss")), twin.node);
}

// -- one example, written out ------------------------------------------------------------------------------

const struck = (term, words) => (term.kept ? el("span", {}, words) : el("s", {}, el("span", { class: "pv-ear" }, "cut: "), words));

/** The terms of a sum on one line, with their signs between them. */
function inLine(list, bias, decimals) {
  const sign = (minus, first) => (first ? (minus ? "−" : "") : minus ? " − " : " + ");
  return [...list.flatMap((term, i) => [i ? sign(term.minus) : "", struck(term, (i ? "" : sign(term.minus, true)) + term.words)]), sign(bias < 0) + plain(Math.abs(bias), decimals)];
}

function linearSum(present, chosen) {
  const { spec, kept, x, y } = present;
  const { passed, z } = forward(spec, kept, x[chosen]);
  const number = (value) => exactly(value, spec.decimals);
  const rows = terms(spec, kept, "output", passed).map((term) => el("tr", {}, el("th", { scope: "row" }, term.start),
    el("td", {}, struck(term, (term.minus ? "−" : "") + term.words)), el("td", {}, term.kept ? number(term.product) : "cut")));
  const last = (words, value, strong) => el("tr", { class: strong ? "pv-total" : "" }, el("th", { scope: "row", colspan: 2 }, words), el("td", {}, value));
  const error = z - y[chosen];
  return el("table", { class: "pv-table pv-sum", "data-png": true }, el("tbody", {}, ...rows,
    last(`predicted ${present.output}`, number(z), true), last(`true ${present.output}`, number(y[chosen])),
    last("error", number(error)), last("error, squared", exactly(error ** 2, spec.digits))));
}

function networkSum(present, chosen) {
  const { spec, kept, x, y } = present;
  const { received, passed, z } = forward(spec, kept, x[chosen]);
  const value = (number) => el("strong", {}, plain(number, 3));
  const lines = Object.keys(spec.neurons).map((neuron) => el("li", {}, `${neuron}: `,
    ...inLine(terms(spec, kept, neuron, passed), spec.biases[neuron], spec.decimals), ` = ${plain(received[neuron], 3)}, passes on `, value(passed[neuron])));
  const says = (yes) => (yes ? "yes" : "no");
  const verdict = z > 0 === (y[chosen] === 1) ? "right" : "wrong";
  return el("ul", { class: "pv-lines", "data-png": true }, ...lines,
    el("li", {}, "output: ", ...inLine(terms(spec, kept, "output", passed), spec.biases.output, spec.decimals), " = ", value(z)),
    el("li", {}, `${z > 0 ? "above" : "not above"} 0, so “${present.output}”: ${says(z > 0)}; the truth is ${says(y[chosen] === 1)}: `, el("strong", {}, verdict)),
    el("li", {}, `probability of yes ${plain(1 / (1 + Math.exp(-z)), 3)}, cost ${exactly(cost(spec, z, y[chosen]), spec.digits)}`));
}

function sumPart(frame, present) {
  const [id, noun, total] = [newId(), frame.get("noun"), present.x.length];
  const choose = () => {
    const place = Math.round(Number(box.value)) - 1;
    if (place >= 0 && place < total) frame.set({ example: place });
    else box.value = frame.get("example") + 1;
  };
  const box = el("input", { type: "number", id, min: 1, max: total, class: "pv-box", "data-lm-suppress-shortcuts": "true", onchange: choose, onkeydown: (event) => event.key === "Enter" && choose() });
  const holder = el("div", { class: "pv-scroll" });
  const shown = watch(present, frame, () => {
    const chosen = frame.get("example");
    if (document.activeElement !== box || Number(box.value) - 1 !== chosen) box.value = chosen + 1;
    holder.replaceChildren((present.spec.kind === "linear" ? linearSum : networkSum)(present, chosen));
  });
  frame.paint(shown);
  return el("section", { class: "pv-panel" },
    el("h4", { class: "pv-caption", "data-png": true }, el("label", { for: id }, `The arithmetic of ${noun} `), box, ` of ${total}`), holder);
}

/** Change the page only when the cuts or the chosen example have changed. */
function watch(present, frame, change) {
  let seen = "";
  return () => {
    const key = `${present.count} ${frame.get("example")}`;
    if (key === seen) return;
    seen = key;
    frame.write(change);
  };
}

// -- all examples ------------------------------------------------------------------------------------------

function lossesPart(frame, present) {
  const { spec, x, y } = present;
  const holder = el("div", { class: "pv-scroll" });
  const noun = frame.get("noun");
  frame.paint(watch(present, frame, () => {
    const rows = x.map((point, i) => {
      const z = forward(spec, present.kept, point).z;
      return [`${noun} ${i + 1}`, ...[y[i], z, z - y[i]].map((value) => exactly(value, spec.decimals)), exactly((z - y[i]) ** 2, spec.digits)];
    });
    const made = table(["", "true", "predicted", "error", "squared"], rows);
    made.dataset.png = "";
    made.tBodies[0].rows[frame.get("example")].dataset.chosen = "";
    made.append(el("tfoot", {}, el("tr", {}, el("th", { scope: "row", colspan: 4 }, "mean of the squares: the loss"), el("td", {}, exactly(present.now.loss, spec.digits)))));
    holder.replaceChildren(made);
  }));
  return el("section", { class: "pv-panel" }, el("h4", { class: "pv-caption", "data-png": true }, `The loss over ${present.many}`), holder);
}

function decisionPart(frame, present) {
  const { spec, x, y } = present;
  const canvas = el("canvas", { role: "img" });
  const stage = el("div", {}, canvas);
  let picture = null;
  canvas.addEventListener("click", (event) => {
    if (!picture) return;
    const [a, b] = picture.toPlane(event.offsetX, event.offsetY);
    const far = x.map((point) => Math.hypot(point[0] - a, point[1] - b));
    frame.set({ example: far.indexOf(Math.min(...far)) });
  });
  const counts = () => answers(spec, present.kept, x, y);
  const twin = fold("Picture in numbers", () => {
    const n = counts();
    return [table(["", "network says yes", "network says no"], [["truth yes", n.yesYes, n.yesNo], ["truth no", n.noYes, n.noNo]])];
  });
  const words = watch(present, frame, () => {
    const n = counts();
    canvas.setAttribute("aria-label", `Decision picture over ${spec.names.join(" and ")}. Of ${n.yesYes + n.yesNo} that are yes, the network finds ${n.yesYes}; of ${n.noYes + n.noNo} that are no, it takes ${n.noYes} for yes.`);
    twin.refresh();
  });
  frame.paint((colours) => {
    const output = compiled(spec, present.kept);
    const wrong = x.map((point, i) => output(...point) > 0 !== (y[i] === 1));
    picture = drawDecision(canvas, frame.widthOf(stage), spec, { kept: present.kept, x, y, wrong, chosen: frame.get("example") }, colours);
    words();
  });
  const entry = (mark, words) => el("span", {}, el("i", { class: mark }), words);
  const key = el("p", { class: "pv-hint pv-legend" }, entry("pv-yes", present.output), entry("pv-no", "not"),
    entry("pv-shaded", `the network says “${present.output}”`), entry("pv-wrong", "wrong"), el("span", {}, `Click near a ${frame.get("noun")} to see its arithmetic.`));
  return el("figure", { class: "pv-panel" }, el("figcaption", { class: "pv-caption", "data-png": true }, `Where the network says “${present.output}”`), stage, key, twin.node);
}

function tinyCard(frame, present) {
  const { spec, whole } = present;
  const names = ["loss", "whole model", "change", "last step", ...(whole.right === null ? [] : ["right"]), "weights"];
  const rows = Object.fromEntries(names.map((one) => [one, el("dd", { "data-png": true })]));
  const list = el("dl", { class: "pv-card" }, ...Object.entries(rows).flatMap(([one, cell]) => [el("dt", { "data-png": true }, one), cell]));
  frame.paint(watch(present, frame, () => {
    const { now, last, kept } = present;
    rows.loss.replaceChildren(el("strong", { class: "pv-big" }, exactly(now.loss, spec.digits)), ` ${spec.lossName}`);
    rows["whole model"].textContent = exactly(whole.loss, spec.digits);
    rows.change.textContent = signed(now.loss - whole.loss, spec.digits);
    rows["last step"].textContent = last ? `${last.words}: ${signed(last.change, spec.digits)}` : "nothing yet";
    if (rows.right) rows.right.textContent = `${now.right} of ${present.many}, ${whole.right} by the whole model`;
    rows.weights.textContent = `${kept.filter(Boolean).length} of ${kept.length} kept`;
  }));
  return el("section", { class: "pv-panel" }, el("h4", { class: "pv-caption", "data-png": true }, "Scorecard"), list);
}

function render({ model, el: parent }) {
  const frame = new Frame(model, parent, { tools: ["undo", "reset", "code", "save"] });
  const present = new Present(frame);
  frame.code = () => finishedSnippet(model.get("code"), present.cut);
  frame.sentence = () => present.sentence();
  frame.progressNode.hidden = true;
  for (const trait of ["example", "changes"]) frame.on(trait, () => {});
  const parts = present.spec.kind === "linear" ? [modelPart, sumPart, lossesPart, tinyCard] : [modelPart, decisionPart, sumPart, tinyCard];
  frame.body.append(el("div", { class: "pv-grid" }, ...parts.map((part) => part(frame, present))));
  return () => frame.dispose();
}

export default { render };
