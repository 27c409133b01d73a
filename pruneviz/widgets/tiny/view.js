// TinyNetwork: a model whose every number can be read; click a connection to cut it.
import { KEYS, button, el, facts, figure, fold, newId, roving, scrolled, section, table } from "../frame/controls.js";
import {
  answers, changes, compiled, cost, cutOrRestored, exactly, finishedSnippet, forward, keptFlags, labelsOf, lossOf,
  neuronCut, plain, sentenceOf, signed, spokenChange, stepWords, terms, wireAt, wiring,
} from "./models.js";
import { drawDecision, drawWiring } from "./still.js";
import { Frame } from "../frame/view.js";

/** What follows from the state, computed once for each set of cuts. */
class Present {
  constructor(frame) {
    this.frame = frame;
    this.spec = frame.get("spec");
    this.x = frame.get("x");
    this.y = frame.get("y");
    this.whole = this.now = lossOf(this.spec, this.spec.wires.map(() => true), this.x, this.y);
    this.last = { words: "", change: 0 };
    this.count = 0;
    this.refresh();
    frame.on("cut", () => this.refresh());
  }

  refresh() {
    const { spec, x, y } = this;
    const before = this.cut;
    this.cut = this.frame.get("cut");
    this.kept = keptFlags(spec, this.cut);
    const now = lossOf(spec, this.kept, x, y);
    if (this.count) {
      this.last = { words: stepWords(before, this.cut), change: now.loss - this.now.loss };
      this.frame.say(this.spoken(now));
    }
    this.now = now;
    this.changes = null;
    this.count += 1;
  }

  /** Loss changes cost a pass over the examples for each weight: only where they are looked at. */
  get ifToggled() { return (this.changes ??= changes(this.spec, this.cut, this.x, this.y)); }
  get many() { return `${this.x.length} ${this.frame.get("noun")}${this.x.length === 1 ? "" : "s"}`; }
  get output() { return this.frame.get("output"); }

  toggle(names) { this.frame.set({ cut: cutOrRestored(this.spec, this.cut, names) }); }

  spoken(now) {
    const right = now.right === null ? "" : ` ${now.right} of ${this.many} right.`;
    const change = spokenChange(this.last.change, this.spec.digits);
    return `${this.last.words}. Loss ${exactly(now.loss, this.spec.digits)}, ${change}.${right}`;
  }

  sentence() {
    const [title, noun] = ["title", "noun"].map((name) => this.frame.get(name));
    return sentenceOf({ title, noun, spec: this.spec, cut: this.cut, x: this.x }, this.now, this.whole);
  }
}

// -- the model, with a button over every number ------------------------------------------------------------

function nameOf(present, wire, i) {
  const { spec } = present;
  const end = wire.end === "output" ? present.output : wire.end;
  const where = spec.kind === "linear" ? `Weight of ${wire.name}` : `Weight ${wire.name}, from ${wire.start} to ${end}`;
  return `${where}: ${plain(wire.value, spec.decimals)}, ${present.kept[i] ? "kept" : "cut"}`;
}

function modelPart(frame, present) {
  const { spec } = present;
  const canvas = el("canvas", { "aria-hidden": "true" });
  const overlay = (names) => button("", () => present.toggle(names), { class: "pv-wire" });
  const wires = spec.wires.map((wire) => ({ wire, node: overlay([wire.name]) }));
  const neurons = Object.entries(spec.neurons).map(([name, names]) => ({ name, node: overlay(names) }));
  const into = (end) => wires.filter(({ wire }) => wire.end === end).map((one) => one.node);
  const inOrder = [...neurons.flatMap((one) => [...into(one.name), one.node]), ...into("output")];
  const group = roving("Weights: Enter cuts one, or puts it back", inOrder, { css: "pv-wires" });
  const stage = el("div", { class: "pv-tiny" }, canvas, group);
  /** @type {ReturnType<typeof wiring> | null} */
  let layout = null;
  const under = (event) => (layout ? wireAt(layout.wires, event.offsetX, event.offsetY) : -1);
  canvas.addEventListener("click", (event) => under(event) >= 0 && wires[under(event)].node.click());
  canvas.addEventListener("mousemove", (event) => { canvas.style.cursor = under(event) >= 0 ? "pointer" : ""; });
  frame.paint((colours) => {
    const state = drawn(frame, present);
    layout = wiring(spec, Math.max(frame.widthOf(stage), 240), state.labels);
    drawWiring(canvas, layout, spec, state, colours);
    frame.write(() => put(layout, wires, neurons));
    wires.forEach(({ wire, node }, i) => label(node, nameOf(present, wire, i)));
    for (const { name: neuron, node } of neurons) {
      const fate = neuronCut(spec, present.cut, neuron) ? "cut" : "kept";
      const bias = plain(spec.biases[neuron], spec.decimals);
      label(node, `Hidden neuron ${neuron}, bias ${bias}, with all its weights: ${fate}`);
    }
  });
  return figure("The weights: click one to cut it", stage, changesPart(frame, present));
}

const label = (node, words) => node.getAttribute("aria-label") !== words && node.setAttribute("aria-label", words);

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
  const output = spec.kind === "linear" ? exactly(z, spec.decimals) : plain(z, 1);
  rows.output = [output, `true ${plain(y[chosen], spec.decimals)}`];
  return {
    kept, rows, output: present.output,
    labels: labelsOf(spec, frame.get("changes") ? present.ifToggled : null),
    cutNeurons: Object.keys(spec.neurons).filter((neuron) => neuronCut(spec, cut, neuron)),
  };
}

function changesPart(frame, present) {
  const { spec } = present;
  const id = newId();
  const toggle = () => frame.set({ changes: box.checked });
  const box = el("input", { type: "checkbox", id, ...KEYS, onchange: toggle });
  const twin = fold("Weights in numbers", () => {
    const rows = spec.wires.map(({ name, start, end, value }, i) => [
      name, start, end === "output" ? present.output : end, plain(value, 5), present.kept[i] ? "kept" : "cut",
      ...(frame.get("changes") ? [signed(present.ifToggled[i], spec.digits)] : []),
    ]);
    const last = frame.get("changes") ? ["change of the loss"] : [];
    return [scrolled("Weights in numbers", table(["weight", "from", "to", "value", "state", ...last], rows))];
  });
  const refresh = () => { box.checked = frame.get("changes"); twin.refresh(); };
  frame.on("changes", refresh);
  frame.on("cut", () => twin.refresh());
  refresh();
  const words = el("label", { for: id }, "Show what each next cut would do to the loss");
  return el("div", {}, el("div", { class: "pv-check" }, box, words), twin.node);
}

// -- one example, written out ------------------------------------------------------------------------------

const struck = (term, words) =>
  (term.kept ? el("span", {}, words) : el("s", {}, el("span", { class: "pv-ear" }, "cut: "), words));

/** The terms of a sum on one line, with their signs between them. */
function inLine(list, bias, decimals) {
  const sign = (minus) => (minus ? " − " : " + ");
  const written = list.flatMap((term, i) => {
    if (i) return [sign(term.minus), struck(term, term.words)];
    return [struck(term, (term.minus ? "−" : "") + term.words)];
  });
  return [...written, sign(bias < 0) + plain(Math.abs(bias), decimals)];
}

function linearSum(present, chosen) {
  const { spec, kept, x, y } = present;
  const { passed, z } = forward(spec, kept, x[chosen]);
  const number = (value) => exactly(value, spec.decimals);
  const rows = terms(spec, kept, "output", passed).map((term) => el("tr", {},
    el("th", { scope: "row" }, term.start),
    el("td", {}, struck(term, (term.minus ? "−" : "") + term.words)),
    el("td", {}, term.kept ? number(term.product) : "cut"),
  ));
  const last = (words, value) => el("tr", {}, el("th", { scope: "row", colspan: 2 }, words), el("td", {}, value));
  const total = last(`predicted ${present.output}`, number(z));
  total.className = "pv-total";
  const error = z - y[chosen];
  return el("table", { class: "pv-table pv-sum", "data-png": true }, el("tbody", {},
    ...rows, total, last(`true ${present.output}`, number(y[chosen])),
    last("error", number(error)), last("error, squared", exactly(error ** 2, spec.digits)),
  ));
}

function networkSum(present, chosen) {
  const { spec, kept, x, y } = present;
  const { received, passed, z } = forward(spec, kept, x[chosen]);
  const value = (number) => el("strong", {}, plain(number, 3));
  const sum = (neuron) => inLine(terms(spec, kept, neuron, passed), spec.biases[neuron], spec.decimals);
  const lines = Object.keys(spec.neurons).map((neuron) => {
    const last = ` = ${plain(received[neuron], 3)}, passes on `;
    return el("li", {}, `${neuron}: `, ...sum(neuron), last, value(passed[neuron]));
  });
  const says = (yes) => (yes ? "yes" : "no");
  const [yes, truth] = [z > 0, y[chosen] === 1];
  const answer = `${yes ? "above" : "not above"} 0, so “${present.output}”: ${says(yes)}`;
  const probability = plain(1 / (1 + Math.exp(-z)), 3);
  return el("ul", { class: "pv-lines", "data-png": true }, ...lines,
    el("li", {}, "output: ", ...sum("output"), " = ", value(z)),
    el("li", {}, `${answer}; the truth is ${says(truth)}: `, el("strong", {}, yes === truth ? "right" : "wrong")),
    el("li", {}, `probability of yes ${probability}, cost ${exactly(cost(spec, z, y[chosen]), spec.digits)}`),
  );
}

function sumPart(frame, present) {
  const [id, noun, total] = [newId(), frame.get("noun"), present.x.length];
  const choose = () => {
    const place = Math.round(Number(box.value)) - 1;
    if (place >= 0 && place < total) frame.set({ example: place });
    else box.value = frame.get("example") + 1;
  };
  const box = el("input", {
    type: "number", id, min: 1, max: total, class: "pv-box", ...KEYS,
    onchange: choose, onkeydown: (event) => event.key === "Enter" && choose(),
  });
  const holder = scrolled(`The arithmetic of ${noun}`);
  const shown = watch(present, frame, () => {
    const chosen = frame.get("example");
    if (document.activeElement !== box || Number(box.value) - 1 !== chosen) box.value = chosen + 1;
    holder.replaceChildren((present.spec.kind === "linear" ? linearSum : networkSum)(present, chosen));
  });
  frame.paint(shown);
  const words = el("label", { for: id }, `The arithmetic of ${noun} `);
  return section([words, box, ` of ${total}`], holder);
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
  const holder = scrolled(`The loss over ${present.many}`);
  const noun = frame.get("noun");
  frame.paint(watch(present, frame, () => {
    const rows = x.map((point, i) => {
      const z = forward(spec, present.kept, point).z;
      const numbers = [y[i], z, z - y[i]].map((value) => exactly(value, spec.decimals));
      return [`${noun} ${i + 1}`, ...numbers, exactly((z - y[i]) ** 2, spec.digits)];
    });
    const made = table([noun, "true", "predicted", "error", "squared"], rows);
    made.dataset.png = "";
    made.tBodies[0].rows[frame.get("example")].dataset.chosen = "";
    const words = el("th", { scope: "row", colspan: 4 }, "mean of the squares: the loss");
    made.append(el("tfoot", {}, el("tr", {}, words, el("td", {}, exactly(present.now.loss, spec.digits)))));
    holder.replaceChildren(made);
  }));
  return section(`The loss over ${present.many}`, holder);
}

function decisionPart(frame, present) {
  const { spec, x, y } = present;
  const canvas = el("canvas", { role: "img" });
  const stage = el("div", {}, canvas);
  /** @type {ReturnType<typeof drawDecision> | null} */
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
    const rows = [["yes", n.yesYes, n.yesNo], ["no", n.noYes, n.noNo]];
    return [scrolled("Picture in numbers", table(["truth", "network says yes", "network says no"], rows))];
  });
  const describe = watch(present, frame, () => {
    const n = counts();
    const yes = `Of ${n.yesYes + n.yesNo} that are yes, the network finds ${n.yesYes}`;
    const no = `of ${n.noYes + n.noNo} that are no, it takes ${n.noYes} for yes`;
    canvas.setAttribute("aria-label", `Decision picture over ${spec.names.join(" and ")}. ${yes}; ${no}.`);
    twin.refresh();
  });
  frame.paint((colours) => {
    const output = compiled(spec, present.kept);
    const wrong = x.map((point, i) => output(...point) > 0 !== (y[i] === 1));
    const state = { kept: present.kept, x, y, wrong, chosen: frame.get("example") };
    picture = drawDecision(canvas, frame.widthOf(stage), spec, state, colours);
    describe();
  });
  const entry = (mark, words) => el("span", {}, el("i", { class: mark }), words);
  const says = `the network says “${present.output}”`;
  const key = el("p", { class: "pv-hint pv-legend" },
    entry("pv-yes", present.output), entry("pv-no", "not"), entry("pv-shaded", says), entry("pv-wrong", "wrong"),
    el("span", {}, `Click near a ${frame.get("noun")} to see its arithmetic.`),
  );
  return figure(`Where ${says}`, stage, key, twin.node);
}

/** The loss, large, and what it was: always in sight. */
function verdictPart(frame, present) {
  const { spec, whole } = present;
  const names = ["loss", "whole model", "change", "last step", ...(whole.right === null ? [] : ["right"]), "weights"];
  const { node, cells } = facts(names, frame.get("glossary"));
  frame.paint(watch(present, frame, () => {
    const { now, last, kept } = present;
    cells.loss.replaceChildren(el("strong", { class: "pv-big" }, exactly(now.loss, spec.digits)), ` ${spec.lossName}`);
    const all = whole.right === null ? "" : `, ${whole.right} right`;
    cells["whole model"].textContent = exactly(whole.loss, spec.digits) + all;
    cells.change.textContent = signed(now.loss - whole.loss, spec.digits);
    cells["last step"].textContent = last.words ? `${last.words}: ${signed(last.change, spec.digits)}` : "nothing yet";
    if (cells.right) cells.right.textContent = `${now.right} of ${present.many}`;
    cells.weights.textContent = `${kept.filter(Boolean).length} of ${kept.length} kept`;
  }));
  return el("div", { class: "pv-top" }, node);
}

function render({ model, el: parent }) {
  const frame = new Frame(model, parent, { tools: ["undo", "reset", "code", "save"] });
  const present = new Present(frame);
  frame.code = () => finishedSnippet(model.get("code"), present.cut);
  frame.sentence = () => present.sentence();
  frame.progressNode.remove();
  for (const trait of ["example", "changes"]) frame.on(trait, () => {});
  const linear = present.spec.kind === "linear";
  const columns = linear ? [[modelPart], [sumPart, lossesPart]] : [[modelPart, sumPart], [decisionPart]];
  const stacks = columns.map((parts) => el("div", { class: "pv-stack" }, ...parts.map((part) => part(frame, present))));
  frame.body.append(verdictPart(frame, present), el("div", { class: "pv-grid" }, ...stacks));
  return () => frame.dispose();
}

export default { render };
