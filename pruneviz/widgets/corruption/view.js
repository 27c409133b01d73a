// CorruptionView: how strongly digits are spoiled, against how much of a network is pruned.
import { grouped, percent, remembered } from "../frame/pure.js";
import { KEYS, choice, el, figure, fold, newId, scrolled, setText, table, under } from "../frame/controls.js";
import { photoOf } from "../frame/draw.js";
import { decode } from "../frame/wire.js";
import { Frame } from "../frame/view.js";
import { drawCounts, drawKey, looksOf } from "./still.js";
import { howOf, prunedOf, rightOf, sentenceOf, strengthsOf, wayOf } from "./state.js";

const HEIGHT = 260; // of the counts

/** The digits, the counts, and which of them are on view. */
class Spoiled {
  constructor(frame) {
    this.frame = frame;
    this.kinds = frame.get("kinds");
    this.counts = frame.get("counts");
    this.total = frame.get("total");
    this.shares = this.counts.map(({ sparsity }) => sparsity);
    this.digits = decode(frame.get("digits"));
    this.many = this.digits.labels.length;
    this.shape = this.digits.pictures.shape.slice(2);
  }

  get state() { return { kinds: this.kinds, counts: this.counts, total: this.total, ...this.frame.state() }; }
  get place() { return this.shares.indexOf(this.frame.get("sparsity")); }
  get way() { return wayOf(this.kinds, this.frame.get("kind"), this.frame.get("strength")); }
  get right() { return rightOf(this.counts, this.kinds, this.frame.get("kind")); }

  /** The digit at a place, spoiled as it is on view: its picture, what it is taken for, and what it is. */
  digit(at) {
    const { pictures, answers, labels } = this.digits;
    const [ways, size] = [pictures.shape[0], this.shape.reduce((a, b) => a * b, 1)];
    const from = (this.way * this.many + at) * size;
    return {
      photo: photoOf(pictures.subarray(from, from + size), this.shape),
      answer: answers[(this.place * ways + this.way) * this.many + at], label: labels[at],
    };
  }

  set(values, moving = false) {
    this.frame.set(values, { moving });
    if (!moving) this.frame.say(sentenceOf(this.state));
  }
}

// -- the hand ----------------------------------------------------------------------------------------------

/** A slider from one of several values to the next; `show(place, words, said)` moves it. */
function stops(label, many, go, css = "") {
  const id = newId();
  const range = el("input", { type: "range", id, min: 0, max: many - 1, step: 1, class: "pv-range", ...KEYS });
  const beside = el("output", { for: id, class: "pv-count", "data-png": true });
  range.addEventListener("input", () => go(Number(range.value), true));
  range.addEventListener("change", () => go(Number(range.value), false));
  const name = el("label", { for: id, "data-png": true }, label);
  const node = el("div", { class: `pv-stops ${css}` }, name, range, beside);
  const show = (place, words, said = words) => {
    if (Number(range.value) !== place) range.value = place;
    range.setAttribute("aria-valuetext", said);
    setText(beside, words);
  };
  return { node, range, show };
}

function topPart(frame, spoiled) {
  const { kinds, shares, total } = spoiled;
  const kind = choice("corruption", Object.keys(kinds).map((name) => [name, name]), (value) =>
    spoiled.set({ kind: value }), { told: false });
  const stronger = (place, moving) => spoiled.set({ strength: place }, moving);
  const strength = stops("strength", strengthsOf(kinds, frame.get("kind")).length, stronger, "pv-plain");
  const pruned = stops("pruned", shares.length, (place, moving) => spoiled.set({ sparsity: shares[place] }, moving));
  const big = el("strong", { class: "pv-big", "data-png": true });
  const [right, dense] = [0, 1].map(() => el("p", { class: "pv-right", "data-png": true }));
  frame.paint(() => frame.write(() => {
    const { place, way, counts, state } = spoiled;
    const here = counts[place].right[way];
    kind.select.value = state.kind;
    strength.show(state.strength, strengthsOf(kinds, state.kind)[state.strength], howOf(state));
    pruned.show(place, percent(state.sparsity, 0));
    pruned.range.style.setProperty("--pv-share", `${(100 * place) / (shares.length - 1)}%`);
    setText(big, percent(here / total));
    setText(right, `${grouped(here)} of ${grouped(total)} right`);
    setText(dense, `nothing pruned: ${grouped(counts[shares.indexOf(0)].right[way])}`);
  }));
  const rule = el("div", { class: "pv-rule" }, el("div", { class: "pv-spoil" }, kind.node, strength.node, pruned.node),
    el("div", { class: "pv-now" }, el("p", {}, big), right, dense));
  return el("div", { class: "pv-top" }, rule);
}

// -- the digits --------------------------------------------------------------------------------------------

function digitsPart(frame, spoiled) {
  const [height, width] = spoiled.shape;
  const cards = Array.from({ length: spoiled.many }, () => {
    const canvas = el("canvas", { width, height, role: "img" });
    const words = el("span", { "data-png": true });
    return { canvas, words, node: el("li", {}, canvas, words) };
  });
  const heading = el("span");
  const refresh = remembered(() => cards.forEach(({ canvas, words, node }, at) => {
    const { photo, answer, label } = spoiled.digit(at);
    canvas.getContext("2d").drawImage(photo, 0, 0);
    const right = answer === label;
    canvas.setAttribute("aria-label", `A ${label}, ${howOf(spoiled.state)}: taken for ${answer}`);
    node.toggleAttribute("data-wrong", !right);
    setText(words, right ? String(answer) : `${answer}, not ${label}`);
  }));
  frame.paint(() => frame.write(() => {
    setText(heading, `What the network says, ${prunedOf(frame.get("sparsity"))}`);
    refresh(spoiled.way, spoiled.place);
  }));
  return figure([heading], el("ul", { class: "pv-digits" }, ...cards.map(({ node }) => node)));
}

// -- the counts --------------------------------------------------------------------------------------------

function countsPart(frame, spoiled) {
  const canvas = el("canvas", { role: "img" });
  const stage = el("div", { class: "pv-counts" }, canvas);
  const { total, shares, kinds } = spoiled;
  const twin = fold("Counts in numbers", () => [scrolled("Counts in numbers", table(
    ["right", ...strengthsOf(kinds, frame.get("kind"))],
    spoiled.right.map((row, i) => [prunedOf(shares[i]), ...row.map(grouped)]),
  ))]);
  const samples = [0, 1].map(() => el("canvas", { "aria-hidden": "true" }));
  const names = ["nothing pruned", ""].map((words) => el("span", { "data-png": true }, words));
  frame.paint((colours) => {
    const { right, state, place } = spoiled;
    const lines = { lines: right, dense: right[shares.indexOf(0)], pruned: right[place] };
    const shown = { ...lines, ...state, strengths: strengthsOf(kinds, state.kind) };
    drawCounts(canvas, Math.max(frame.widthOf(stage), 200), HEIGHT, shown, colours);
    const looks = looksOf(colours);
    drawKey(samples[0], looks.dense);
    drawKey(samples[1], looks.pruned);
    frame.write(() => {
      setText(names[1], prunedOf(state.sparsity));
      if (frame.get("moving")) return;
      const said = ({ dense, pruned }) => `nothing pruned ${dense.map(grouped).join(", ")}; `
        + `${prunedOf(state.sparsity)} ${pruned.map(grouped).join(", ")}`;
      const words = `Right answers from clean digits to the strongest ${state.kind}`;
      canvas.setAttribute("aria-label", `${words}: ${said(lines)}`);
      twin.refresh();
    });
  });
  const key = names.map((name, i) => el("span", { class: "pv-sampled" }, samples[i], name));
  const below = under([...key, "faint: other shares"], twin);
  return figure(`Right of ${grouped(total)}, the digits more and more spoiled`, stage, below);
}

function render({ model, el: parent }) {
  const frame = new Frame(model, parent, { tools: ["undo", "reset", "save"] });
  const spoiled = new Spoiled(frame);
  frame.sentence = () => sentenceOf(spoiled.state);
  for (const node of [frame.progressNode, frame.lost]) node.remove(); // all is here: nothing needs a kernel
  for (const name of frame.names) frame.on(name, () => {});
  frame.body.append(topPart(frame, spoiled),
    el("div", { class: "pv-grid" }, digitsPart(frame, spoiled), countsPart(frame, spoiled)));
  return () => frame.dispose();
}

export default { render };
