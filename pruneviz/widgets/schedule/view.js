// ScheduleExplorer: draw how sparse a network is to be in each round, then train it for real.
import { grouped, millions, parsePercent, percent, remembered, same, sparsityText } from "../frame/pure.js";
import { KEYS, choice, el, facts, figure, fold, newId, scrolled, section, setText, table } from "../frame/controls.js";
import { curvePlaces, drawSchedule, runLooks, scheduleSheet } from "./still.js";
import {
  KIND_NAMES, changed, firstRound, handlesOf, hasEnd, hasInitial, hasPower, nameOfRun, planOf, pruningRounds,
  snippetOf, warningOf,
} from "./state.js";
import { goPart, listPart, runsPart, speakOfRuns, verdictPart } from "./training.js";
import { Frame } from "../frame/view.js";

const SNAP = 200; // a hand on the curve moves in half per cents, sliders and boxes move finer

/** The present state and its plan, worked out once for each state. */
class Planned {
  constructor(frame) {
    this.frame = frame;
    this.total = frame.get("pools").reduce((sum, size) => sum + size, 0);
    this.noun = frame.get("noun");
    this.known = null;
    /** @type {ReturnType<typeof planOf>} */
    this.found = [];
  }

  get state() { return this.frame.state(); }

  get plan() {
    const state = this.state;
    if (!same(state, this.known)) Object.assign(this, { known: state, found: planOf(state, this.frame.get("pools")) });
    return this.found;
  }

  /** Change the state as a hand does: what a value passes goes along. */
  change(values, moving = false) {
    this.frame.set(changed(this.state, values), { moving });
    if (!moving) this.frame.say(this.words());
  }

  words() {
    const last = this.plan.at(-1);
    const left = `${grouped(last.left)} of ${grouped(this.total)} ${this.noun} left`;
    return `${percent(last.sparsity)} pruned at the end, ${left}; it prunes ${pruningRounds(this.plan)}.`;
  }
}

// -- the curve ---------------------------------------------------------------------------------------------

function curvePart(frame, planned) {
  const canvas = el("canvas", { role: "img" });
  const stage = el("div", { class: "pv-drawn" }, canvas);
  const handles = ["begin", "exponent", "end", "prune"].map((name) => handle(planned, canvas, name));
  stage.append(...handles.map(({ node }) => node));
  const twin = fold("Rounds in numbers", () => [scrolled("Rounds in numbers", table(
    ["round", "sparsity", `${planned.noun} cut`, "left"],
    planned.plan.map((one) => [one.round, percent(one.sparsity, 2), grouped(one.leave), grouped(one.left)]),
  ))]);
  const still = remembered(scheduleSheet);
  frame.paint((colours) => {
    const { state, plan } = planned;
    const looks = runLooks(frame.root, colours);
    const runs = frame.get("show").includes("runs") ? frame.get("runs") : [];
    const marks = runs.map((run) => ({ look: looks[(run.id - 1) % looks.length], plan: run.rounds }));
    const width = Math.max(frame.widthOf(stage), 200);
    const height = Math.min(420, Math.max(330, Math.round(0.96 * width)));
    const sheet = still(width, height, state.budget, colours, devicePixelRatio);
    drawSchedule(canvas, width, height, { sheet, state, plan, marks }, colours);
    const places = curvePlaces(width, height, state.budget);
    frame.write(() => {
      const found = handlesOf(state);
      for (const { name, show } of handles) show(found.find((one) => one.name === name), places, state);
      if (frame.get("moving")) return;
      const diamond = found.some((one) => one.name === "exponent") ? ", and the diamond for α" : "";
      const small = marks.length ? " Small marks: the runs." : "";
      setText(how, `Drag the ring${found.length > 1 ? "s" : ""}${diamond}.${small}`);
      canvas.setAttribute("aria-label", `Sparsity over ${state.budget} rounds. ${planned.words()}`);
      twin.refresh();
    });
  });
  const how = el("span");
  const entry = (mark, words) => el("span", {}, el("i", { class: mark }), words);
  const [kept, pruned] = ["kept", "pruned"].map((fate) => entry(`pv-swatch pv-swatch-${fate}`, fate));
  const key = el("p", { class: "pv-hint pv-keys" }, kept, pruned, entry("pv-dotted", "the formula"), how);
  return figure("Sparsity in each round", stage, key, twin.node);
}

const HANDLES = { begin: "Begin", end: "End", prune: "Prune" };

/** A ring on the curve, for mouse, finger and arrow keys. */
function handle(planned, canvas, name) {
  const node = el("button", { type: "button", class: "pv-handle", "data-name": name, ...KEYS });
  const current = () => handlesOf(planned.state).find((one) => one.name === name);
  const drag = (event) => {
    const one = current();
    if (!one) return;
    const box = canvas.getBoundingClientRect();
    const places = curvePlaces(box.width, box.height, planned.state.budget);
    const share = Math.round(SNAP * places.shareAtHeight(event.clientY - box.top)) / SNAP;
    const step = Math.round(places.stepAt(event.clientX - box.left));
    planned.change(one.change(step, Math.min(1, Math.max(0, share))), true);
  };
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    node.focus({ preventScroll: true });
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => node.hasPointerCapture(event.pointerId) && drag(event));
  node.addEventListener("lostpointercapture", () => planned.change({}));
  node.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    planned.change(nudged(planned.state, current(), move, event.shiftKey ? 0.1 : 0.01));
  });
  const put = remembered((left, top, label) => {
    Object.assign(node.style, { left, top });
    node.setAttribute("aria-label", label);
  });
  const show = (one, places, state) => {
    node.hidden = !one;
    if (!one) return;
    const where = `round ${one.step}, ${sparsityText(one.share)}`;
    const what = HANDLES[name] ? `${HANDLES[name]}: ${where}` : `Exponent ${state.power}`;
    put(`${places.x(one.step)}px`, `${places.y(one.share)}px`, `${what}. Arrow keys move it.`);
  };
  return { node, name, show };
}

function nudged(state, one, [across, up], by) {
  const steeper = state.kind === "article" ? -1 : 1;
  if (one.name === "exponent") return { power: state.power + steeper * (across + up) * 10 * by };
  return one.change(one.step + across, one.share + up * by);
}

// -- the dials ---------------------------------------------------------------------------------------------

const FINAL = { name: "final", label: "final Sₑ", unit: "%", scale: 100, max: 1, step: 0.005, when: () => true };
// At its `usual` value a dial waits behind More.
const DIALS = [
  { name: "initial", label: "initial S₀", unit: "%", scale: 100, max: 1, step: 0.005, when: hasInitial, usual: 0 },
  {
    name: "begin", label: "begin", unit: "round", max: "budget", when: () => true,
    value: (state) => (hasEnd(state) ? state.begin : firstRound(state)),
  },
  { name: "end", label: "end", unit: "round", max: "budget", when: hasEnd },
  { name: "power", label: "exponent α", unit: "", min: 0.25, max: 8, step: 0.05, when: hasPower },
  { name: "frequency", label: "every", unit: "rounds", min: 1, max: "budget", when: hasEnd, usual: 1 },
  { name: "budget", label: "train for", unit: "rounds", min: 1, max: 20, when: () => true },
];

const P = "p goes from 0 at begin to 1 at end.";
const FORMULAS = {
  one_shot: "All at once; the other rounds only train.",
  constant: "The same share each time: after the first there is nothing more to cut.",
  linear: `S₀ + (Sₑ − S₀) p: the same number each time. ${P}`,
  exponential: `1 − (1 − S₀)^{1 − p} (1 − Sₑ)^{p}: the same share of what is left each time. ${P}`,
  cosine: `Sₑ + (S₀ − Sₑ) (1 + cos πp) / 2: gently at both ends. ${P}`,
  polynomial: `Sₑ + (S₀ − Sₑ) (1 − p)^{α}: with α above 1 fast at first, while much can go. ${P}`,
  article: `(Sₑ − S₀) p^{α}, as an article prints it: with α above 1 slow at first, fast at the end. ${P}`,
};

function dialsPart(frame, planned) {
  const formula = el("p", { class: "pv-hint pv-formula", "data-png": true });
  let written = "";
  const dials = DIALS.map((about) => dial(planned, about));
  frame.on("more", () => {});
  const warning = el("p", { class: "pv-warning" });
  frame.paint(() => frame.write(() => {
    const state = planned.state;
    if (written !== state.kind) formula.replaceChildren(...inSymbols(FORMULAS[(written = state.kind)]));
    for (const { show } of dials) show(state);
    const words = warningOf(state, planned.plan);
    setText(warning, words);
    warning.hidden = !words;
  }));
  const all = el("div", { class: "pv-dials" }, ...dials.map(({ node }) => node));
  return el("section", { class: "pv-panel" }, formula, all, warning);
}

/** Write ^{…} as a superscript. */
const inSymbols = (words) => words.split(/\^\{(.*?)\}/).map((part, i) => (i % 2 ? el("sup", {}, part) : part));

/** A slider and a number box for one trait; the box takes what the slider is too coarse or too short for. */
function dial(planned, about) {
  const { name, label, unit, scale = 1, min = 0, max, step = 1, when, value = (state) => state[name] } = about;
  const id = newId();
  const said = unit === "%" ? "per cent" : unit;
  const range = el("input", { type: "range", id, min, step, class: "pv-range", ...KEYS });
  const box = el("input", {
    type: "text", inputmode: "decimal", size: 5, class: "pv-box", autocomplete: "off",
    "aria-label": said ? `${label} in ${said}` : label, ...KEYS,
  });
  const typedIn = el("span", { class: "pv-unit", "data-png": true }, box, el("span", {}, unit));
  const limits = unit === "%" ? "from 0 to 100" : "from 0";
  const wrong = el("span", { class: "pv-wrong-number", role: "alert", hidden: true }, `Write a number ${limits}.`);
  const node = el("div", { class: "pv-dial" },
    el("label", { for: id, "data-png": true }, label), range, typedIn, wrong);
  let touched = 0; // what a hand has moved or typed is set right even where the trait stays
  for (const control of [range, box]) control.addEventListener("input", () => { touched += 1; });
  range.addEventListener("input", () => planned.change({ [name]: Number(range.value) }, true));
  range.addEventListener("change", () => planned.change({ [name]: Number(range.value) }));
  let editing = false;
  const commit = () => {
    if (!editing) return;
    editing = false;
    touched += 1;
    const typed = (100 * parsePercent(box.value)) / scale;
    const good = typed >= 0 && (unit !== "%" || typed <= 1);
    box.setAttribute("aria-invalid", String(!good));
    wrong.hidden = good;
    if (good) planned.change({ [name]: +typed.toFixed(6) });
  };
  box.addEventListener("input", () => { editing = true; });
  box.addEventListener("change", commit);
  box.addEventListener("keydown", (event) => event.key === "Enter" && commit());
  const write = remembered((now, most) => {
    if (Number(range.max) !== most) range.max = most;
    if (Number(range.value) !== now) range.value = now;
    const written = String(+(scale * now).toFixed(2));
    range.setAttribute("aria-valuetext", `${written} ${said}`.trim());
    if (!editing) box.value = written;
    if (!editing && box.getAttribute("aria-invalid") !== "true") wrong.hidden = true;
  });
  const show = (state) => {
    node.hidden = !when(state) || (state[name] === about.usual && !planned.frame.get("more"));
    const now = value(state);
    write(now, Math.max(max === "budget" ? state.budget : max, now), touched);
  };
  return { node, show };
}

// -- what it will do ---------------------------------------------------------------------------------------

function planCard(frame, planned) {
  const { node, cells } = facts(["reaches", "left", "prunes", "largest cut", "then trains"], frame.get("glossary"));
  frame.paint(() => frame.write(() => {
    const { plan, noun } = planned;
    const last = plan.at(-1);
    const largest = plan.reduce((most, one) => (one.leave > most.leave ? one : most));
    const after = plan.length - (plan.findLast((one) => one.leave)?.round ?? 0);
    setText(cells.reaches, `${percent(last.sparsity, 2)} pruned`);
    setText(cells.left, leftOf(planned).replace(" left", ""));
    setText(cells.prunes, pruningRounds(plan));
    const cut = largest.leave ? `${millions(largest.leave)} ${noun} in round ${largest.round}` : "none";
    setText(cells["largest cut"], cut);
    const rounds = after === 1 ? "1 round" : `${after} rounds`;
    setText(cells["then trains"], after ? `${rounds} more, cutting nothing` : "no more");
  }), node);
  return section("What it will do", node);
}

/** Where it ends, by which schedule, and what the last run reached: always in sight. */
function topPart(frame, planned) {
  const final = dial(planned, FINAL);
  const kind = choice("schedule", KIND_NAMES, (value) => planned.change({ kind: value }));
  const left = el("p", { class: "pv-count", "data-png": true });
  frame.paint(() => frame.write(() => {
    final.show(planned.state);
    setText(left, leftOf(planned));
    if (!frame.get("moving")) kind.select.value = planned.state.kind;
  }));
  const under = el("div", { class: "pv-under" }, left, kind.node);
  const run = [verdictPart(frame), goPart(frame, planned)];
  const rule = el("div", { class: "pv-rule" }, el("div", {}, final.node, under), run[0]);
  return { node: el("div", { class: "pv-top" }, rule, run[1]), run };
}

function leftOf({ plan, total, noun }) {
  const { left } = plan.at(-1);
  const oneIn = left ? `, 1 in ${+(total / left).toFixed(1)}` : "";
  return `${grouped(left)} of ${grouped(total)} ${noun} left${oneIn}`;
}

/** Which entries go by which criterion: what a saved picture would not tell otherwise. */
function ruleOf(frame) {
  const words = frame.get("words");
  const [criterion, scope] = [words.criterion ?? "magnitude", words.scope ?? "global"];
  return `${frame.get("noun")} by ${criterion}, scope ${scope}`.replaceAll('"', "");
}

function render({ model, el: parent }) {
  const frame = new Frame(model, parent, { tools: ["undo", "reset", "code", "save", "more"] });
  const planned = new Planned(frame);
  frame.code = () => snippetOf(frame.state(), model.get("words"));
  frame.sentence = () => `${nameOfRun(frame.state())}: ${planned.words()}`;
  frame.footnote = () => `${ruleOf(frame)}; ${frame.sentence()}`;
  frame.progressNode.remove();
  for (const name of ["runs", "against", "training", "paused", "dense", "name"]) frame.on(name, () => {});
  for (const name of frame.names) frame.on(name, () => frame.refreshTools());
  const top = topPart(frame, planned);
  const parts = {
    curve: [curvePart(frame, planned)], dials: [dialsPart(frame, planned)], card: [planCard(frame, planned)],
    run: top.run, runs: [runsPart(frame, planned), listPart(frame)],
  };
  const refresh = () => {
    const shown = frame.get("show");
    const folded = shown.includes("dials") && !frame.get("more") ? "card" : ""; // behind More, where there are dials
    const inSight = (name) => shown.includes(name) && name !== folded;
    for (const [name, nodes] of Object.entries(parts)) for (const node of nodes) node.hidden = !inSight(name);
    column.hidden = [...column.children].every((node) => node.hidden);
    frame.resized();
  };
  const column = el("div", { class: "pv-stack" }, ...parts.dials, ...parts.card, ...parts.runs);
  frame.body.append(top.node, el("div", { class: "pv-grid" }, ...parts.curve, column));
  for (const name of ["more", "show"]) frame.on(name, refresh);
  refresh();
  speakOfRuns(frame);
  return () => frame.dispose();
}

export default { render };
