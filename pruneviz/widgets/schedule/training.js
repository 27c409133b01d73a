// The runs of ScheduleExplorer: how far the training is, what was reached, and over what it is drawn.
import { grouped, percent, remembered, same } from "../frame/pure.js";
import { button, CAPTION, choice, el, fold, KEYS, scrolled, setText, table } from "../frame/controls.js";
import { drawRuns, drawSwatch, runLooks } from "./still.js";
import { nameOfRun } from "./state.js";

const SILENCE = 3000; // milliseconds after which a kernel that does not answer is mentioned

const lookOf = (frame, run, colours) => {
  const looks = runLooks(frame.root, colours);
  return looks[(run.id - 1) % looks.length];
};

/** What the last round of a run reached. */
function reached(run) {
  const last = run.rounds.at(-1);
  if (!last) return "no round finished";
  const right = `${percent(last.correct / last.n, 2)} right at ${percent(last.sparsity)} pruned`;
  return `${right}, ${grouped(last.correct)} of ${grouped(last.n)}`;
}

// -- training ----------------------------------------------------------------------------------------------

/** Whether a run is on, and how far it is. */
function progressOf(frame) {
  const on = frame.get("running") && !frame.offline;
  const run = frame.get("runs").at(-1);
  const [done, budget, training] = [run?.rounds.length ?? 0, run?.schedule.budget ?? 1, frame.get("training")];
  const answered = on && run?.status === "running";
  return { on, answered, done, budget, training, paused: on && frame.get("paused") };
}

function wordsOf(frame) {
  if (frame.offline) return "Training needs a kernel: this shows what was trained before.";
  const { on, answered, done, budget, training, paused } = progressOf(frame);
  if (on && !answered && !frame.silent) return "Asking the kernel…";
  if (on && !answered) return "The kernel has not answered yet: it is busy with a cell.";
  if (paused && training) return `Pauses when round ${training} of ${budget} is done.`;
  if (paused) return `Paused after round ${done} of ${budget}.`;
  if (on) return `Round ${done + 1} of ${budget} trains.`;
  const last = frame.get("runs").at(-1);
  if (!last) return `Run calls fine_tune once in each of the ${frame.get("budget")} rounds.`;
  return `${last.name} ${last.status}: ${reached(last)}.`;
}

/** What the last run reached, in large type. */
export function verdictPart(frame) {
  const big = el("strong", { class: "pv-big", "data-png": true });
  const words = el("p", { class: "pv-right", "data-png": true });
  frame.paint(() => frame.write(() => {
    const last = frame.get("runs").findLast((run) => run.rounds.length)?.rounds.at(-1);
    setText(big, last ? percent(last.correct / last.n) : "?");
    setText(words, last ? `right at ${percent(last.sparsity)} pruned` : "not trained yet: press Run");
  }));
  return el("div", { class: "pv-now" }, el("p", {}, big), words);
}

export function goPart(frame, planned) {
  const run = button("Run", () => start(frame), { class: "pv-button pv-primary" });
  const pause = button("Pause", () => frame.set({ paused: !frame.get("paused") }));
  const cancel = button("Cancel", () => frame.set({ running: false, paused: false }));
  const name = nameBox("Name of the next run", (words) => frame.set({ name: words }));
  const bar = el("progress", { max: 1, "aria-label": "Training" });
  const says = el("p", { class: "pv-says", "data-png": true });
  frame.on("more", () => {});
  const refresh = () => {
    if (frame.get("moving")) return;
    const now = progressOf(frame);
    run.disabled = now.on || frame.offline;
    run.title = frame.offline ? "Training needs a kernel" : "";
    pause.disabled = !now.answered;
    cancel.disabled = !now.on;
    setText(pause, now.paused ? "Resume" : "Pause");
    setText(says, wordsOf(frame));
    name.placeholder = nameOfRun(planned.state);
    name.disabled = frame.offline;
    name.hidden = !frame.get("more") && !frame.get("name");
    if (document.activeElement !== name) name.value = frame.get("name");
  };
  frame.paint(() => frame.write(refresh));
  follow(frame, bar);
  return el("div", { class: "pv-go" }, run, pause, cancel, name, says, bar);
}

function nameBox(label, take) {
  const commit = () => take(box.value.trim());
  const box = el("input", {
    type: "text", class: "pv-box pv-name", maxlength: 40, "aria-label": label, ...KEYS,
    onchange: commit, onkeydown: (event) => event.key === "Enter" && commit(),
  });
  return box;
}

function start(frame) {
  frame.silent = false;
  frame.set({ running: true, paused: false });
  setTimeout(() => { frame.silent = true; frame.repaint(); }, SILENCE);
}

/** Move the bar: by rounds, and within a round by what the one before took. */
function follow(frame, bar) {
  let [seen, since, took] = ["", 0, 0];
  const move = () => {
    const now = progressOf(frame);
    const key = `${now.on} ${now.done} ${now.training}`;
    if (key !== seen) {
      if (since && now.on && now.done) took = performance.now() - since;
      [seen, since] = [key, now.training ? performance.now() : 0];
      if (!now.on) took = 0;
    }
    const within = since && took ? Math.min(0.95, (performance.now() - since) / took) : 0;
    bar.value = now.answered ? (now.done + within) / now.budget : 0;
    bar.style.visibility = now.on ? "" : "hidden"; // its place stays, so that nothing jumps
  };
  const often = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2000 : 200;
  const timer = setInterval(() => frame.get("running") && move(), often);
  frame.cleanups.push(() => clearInterval(timer));
  frame.paint(() => frame.write(() => frame.get("moving") || move()));
}

// -- the runs ----------------------------------------------------------------------------------------------

export function runsPart(frame, planned) {
  const canvas = el("canvas", { role: "img" });
  const stage = el("div", { class: "pv-drawn" }, canvas);
  const axes = ["sparsity", "compression", "round"].map((word) => [word, word]);
  const against = choice("over", axes, (value) => frame.set({ against: value }));
  const twin = fold("Runs in numbers", () => [scrolled("Runs in numbers", table(
    ["run", "round", "sparsity", "right", "accuracy", "95% interval"],
    frame.get("runs").flatMap((run) => run.rounds.map((one) => [
      run.name, one.round, percent(one.sparsity, 2), grouped(one.correct), percent(one.correct / one.n, 2),
      `${percent(one.low)} to ${percent(one.high)}`,
    ])),
  ))]);
  const refresh = remembered((width, trained, over, dense, budget, colours) => {
    const runs = trained.map((run) => ({ ...run, budget: run.schedule.budget, look: lookOf(frame, run, colours) }));
    const data = { runs, against: over, dense, n: frame.get("n"), budget, total: planned.total };
    drawRuns(canvas, width, 210, data, colours);
    frame.write(() => {
      against.select.value = over;
      const found = runs.map((run) => `${run.name}: ${reached(run)}.`).join(" ") || "Nothing is trained yet.";
      canvas.setAttribute("aria-label", `Accuracy over ${over}. ${found}`);
      twin.refresh();
    });
  });
  frame.paint((colours) => {
    const traits = ["runs", "against", "dense", "budget"].map((name) => frame.get(name));
    refresh(Math.max(frame.widthOf(stage), 200), ...traits, colours, devicePixelRatio);
  });
  const caption = el("figcaption", CAPTION, "Accuracy of the runs");
  const head = el("div", { class: "pv-bar" }, caption, against.node);
  return el("figure", { class: "pv-panel" }, head, stage, twin.node);
}

export function listPart(frame) {
  const list = el("ul", { class: "pv-runs", "aria-label": "Runs" });
  const words = "Run one schedule, then another with as many rounds: both are drawn. Runs can be renamed and removed.";
  const hint = el("p", { class: "pv-hint" }, words);
  const rows = new Map();
  const refresh = remembered((runs, _paused, colours) => frame.write(() => {
    for (const run of runs) if (!rows.has(run.id)) rows.set(run.id, row(frame, run.id));
    for (const [id, { node }] of rows) if (!runs.some((run) => run.id === id)) { node.remove(); rows.delete(id); }
    for (const run of runs) rows.get(run.id).show(run, colours, list);
    hint.hidden = runs.length > 1;
  }));
  frame.paint((colours) => refresh(frame.get("runs"), frame.get("paused"), colours, devicePixelRatio));
  return el("section", { class: "pv-panel" }, el("h4", CAPTION, "Runs"), list, hint);
}

function row(frame, id) {
  const others = (change) => frame.set({ runs: frame.get("runs").flatMap(change) });
  const name = nameBox("Name of the run", (words) =>
    others((run) => (run.id === id ? { ...run, name: words || run.name } : run)));
  const remove = button("Remove", () => { others((run) => (run.id === id ? [] : run)); frame.say("Run removed."); });
  const swatch = el("canvas", { "aria-hidden": "true" });
  const words = el("span", { class: "pv-row-words", "data-png": true });
  const node = el("li", {}, swatch, el("span", { "data-png": true }, name), remove, words);
  const show = (run, colours, list) => {
    if (!node.isConnected) list.append(node);
    if (document.activeElement !== name && name.value !== run.name) name.value = run.name;
    remove.disabled = run.status === "running" && !frame.offline;
    remove.setAttribute("aria-label", `Remove ${run.name}`);
    const now = frame.offline ? "unfinished" : frame.get("paused") ? "paused" : "running";
    const status = run.status === "running" ? now : run.status;
    const state = status === "finished" ? "" : `${status}, `;
    setText(words, `${state}${run.rounds.length} of ${run.schedule.budget} rounds: ${reached(run)}`);
    drawSwatch(swatch, lookOf(frame, run, colours), colours);
  };
  return { node, show };
}

/** Say what a round reached when it is done, and how a run ended. */
export function speakOfRuns(frame) {
  const about = () => frame.get("runs").map((run) => [run.id, run.rounds.length, run.status]);
  let last = about();
  frame.on("runs", () => {
    const now = about();
    const run = frame.get("runs").at(-1);
    if (run && now.length >= last.length && !same(now, last)) frame.say(newsOf(run));
    last = now;
  });
}

function newsOf(run) {
  const done = run.rounds.length;
  if (run.status !== "running") return `${run.name} ${run.status}: ${reached(run)}.`;
  return done ? `Round ${done} of ${run.schedule.budget}: ${reached(run)}.` : `${run.name} begins.`;
}
