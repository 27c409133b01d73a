// The parts that all explorers share. `counts` says how many entries are kept at a step of the slider:
// { noun, total, layers: [{ name, size }], at(sparsity, byHand) -> { rule, pruned, all, kept }, cuts(sparsity),
// load() }, and code() if Show code is more than the trait.
import { crossing, estimate, grouped, percent, remembered, same, sparsityText, wilson } from "../frame/pure.js";
import { countOf, drawCurve, drawStillCurve, floorOf, sheetOf } from "../frame/draw.js";
import { changedImages } from "../frame/changes.js";
import {
  button, choice, el, facts, figure, fold, scrolled, section, setText, shareSlider, table,
} from "../frame/controls.js";
import { decode } from "../frame/wire.js";

const HEIGHT = 210; // of the accuracy curve
const SWEEP = 8000; // milliseconds

export function sliderPart(frame, counts) {
  const slider = shareSlider("Sparsity", {
    input: (sparsity) => frame.set({ sparsity }, { moving: true }),
    release: (sparsity) => { frame.set({ sparsity }); frame.speak = true; },
  });
  const words = (count) => countOf(count, counts.total).replace("kept", `${counts.noun} kept`);
  const kept = el("p", { class: "pv-count", "data-png": true });
  // As wide whatever it says, lest what stands beside it jumps; a letter takes a little less than a digit.
  kept.style.minWidth = `min(100%, ${0.9 * words(counts.total).length}ch)`;
  const { node, show } = verdictPart(frame);
  frame.paint(() => {
    const sparsity = frame.get("sparsity");
    show();
    const at = counts.at(sparsity, frame.get("by_hand"));
    frame.write(() => {
      setText(kept, words(at.kept));
      const counted = `${grouped(at.kept)} of ${grouped(counts.total)} ${counts.noun} kept`;
      slider.show(sparsity, frame.get("moving") ? "" : `${sparsityText(sparsity)} pruned, ${counted}`);
    });
  });
  slider.node.append(playButton(frame));
  const under = el("div", { class: "pv-under" }, kept);
  return el("div", { class: "pv-rule" }, el("div", {}, slider.node, under), node);
}

/** How well it does at present, in large type beside the slider. */
function verdictPart(frame) {
  const big = el("strong", { class: "pv-big", "data-png": true });
  const badge = el("span", { class: "pv-badge", "data-png": true });
  const words = el("p", { class: "pv-right", "data-png": true });
  const node = el("div", { class: "pv-now" }, el("p", {}, big, badge), words);
  node.hidden = !["accuracy", "scorecard"].some((part) => frame.get("show").includes(part));
  const show = () => frame.write(() => {
    const now = hidden(frame) ? null : accuracyNow(frame);
    setText(big, now ? `${now.measured ? "" : "≈ "}${percent(now.correct / now.n)}` : "?");
    setBadge(frame, badge, now);
    const wait = hidden(frame) ? "set your guess first" : "accuracy: not measured yet";
    setText(words, now ? `${grouped(now.correct)} of ${grouped(now.n)} images right` : wait);
  });
  return { node, show };
}

function setBadge(frame, badge, now) {
  setText(badge, now ? (now.measured ? (frame.gone ? "measured before" : "exact") : "estimate") : "");
  badge.toggleAttribute("data-estimate", Boolean(now && !now.measured));
}

/** Sweep the sparsity from none to all: smoothly, or in ten steps for those who want no motion. */
function playButton(frame) {
  let start = 0;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const stop = () => {
    start = 0;
    setText(node, "Play");
    frame.set({ sparsity: frame.get("sparsity") });
    frame.speak = true;
  };
  const step = (now) => {
    if (!start || !node.isConnected) return;
    const along = Math.min(1, (now - start) / SWEEP);
    const sparsity = calm.matches ? Math.floor(10 * along) / 10 : Math.round(1000 * along) / 1000;
    if (sparsity !== frame.get("sparsity")) frame.set({ sparsity }, { moving: true });
    if (along < 1) requestAnimationFrame(step);
    else stop();
  };
  const play = () => {
    if (start) return stop();
    setText(node, "Stop");
    start = performance.now();
    requestAnimationFrame(step);
    return undefined;
  };
  const node = button("Play", play, { title: "From nothing pruned to everything, in eight seconds" });
  frame.root.addEventListener("input", () => { start = 0; setText(node, "Play"); }); // a hand takes over
  return node;
}

export function selectors(frame) {
  const scopes = [["global", "global"], ["layer", "each layer"]];
  const scope = choice("scope", scopes, (value) => frame.set({ scope: value }));
  const criteria = frame.get("criteria").map((name) => [name, name]);
  const by = choice("by", criteria, (value) => frame.set({ criterion: value }));
  const waiting = el("span", { class: "pv-hint", role: "status" });
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    scope.select.value = frame.get("scope");
    by.select.value = frame.get("criterion");
    for (const { select } of [scope, by]) select.disabled = frame.offline;
    setText(waiting, frame.offline ? "needs a kernel" : isRanked(frame) ? "" : "ranking…");
  }));
  return el("div", { class: "pv-selectors" }, scope.node, by.node, waiting);
}

export function layersPart(frame, counts) {
  const rows = counts.layers.map((layer) => {
    const [bar, words] = [el("i"), el("span", { class: "pv-row-words", "data-png": true })];
    const name = el("span", { class: "pv-row-name", "data-png": true }, layer.name);
    const node = el("li", {}, name, el("span", { class: "pv-meter", "aria-hidden": "true" }, bar), words);
    return { bar, words, node };
  });
  const list = el("ul", { class: "pv-rows" }, ...rows.map((row) => row.node));
  frame.paint(() => frame.write(() => {
    const at = counts.at(frame.get("sparsity"), frame.get("by_hand"));
    rows.forEach(({ bar, words }, i) => {
      const { size } = counts.layers[i];
      const left = size - at.pruned[i];
      const share = percent(at.pruned[i] / size);
      const changed = setText(words, `${grouped(left)} of ${grouped(size)} kept, ${share} pruned`);
      if (changed) bar.style.width = `${(100 * left) / size}%`;
    });
  }), list);
  return section("Pruned in each layer", list);
}

/** Whether the ranking is that of the present scope and criterion. */
const isRanked = (frame) =>
  ["scope", "criterion"].every((word) => frame.get("ranking")[word] === frame.get(word));

export const sameState = (frame) => {
  const { state } = frame.get("exact");
  return Boolean(state) && frame.names.every((name) => same(state[name], frame.get(name)));
};
export const hidden = (frame) =>
  frame.get("predict") && frame.get("guess") === null && frame.get("show").includes("accuracy");

/** How many images are right at present: measured, or between measured points. */
export function accuracyNow(frame) {
  const n = frame.get("n");
  if (sameState(frame)) return { ...frame.get("exact"), measured: true, n };
  const byHand = Object.keys(frame.get("by_hand")).length > 0;
  const known = isRanked(frame) && !ownShares(frame.state());
  const found = known ? estimate(frame.get("curve"), frame.get("sparsity")) : null;
  if (!found) return null;
  const [low, high] = wilson(found.correct, n);
  return { ...found, measured: found.measured && !byHand, low, high, n };
}

export function accuracyPart(frame) {
  const canvas = el("canvas", { role: "img" });
  const verdict = el("p", { class: "pv-verdict" });
  const twin = fold("Curve in numbers", () => {
    const curve = hidden(frame) ? [] : frame.get("curve");
    const rows = curve.map(([s, c]) => [sparsityText(s), grouped(c), percent(c / frame.get("n"))]);
    return [scrolled("Curve in numbers", table(["sparsity", "right", "accuracy"], rows))];
  });
  const pointsOf = remembered((curve, n) => curve.map(([sparsity, correct]) => {
    const [low, high] = wilson(correct, n);
    return { sparsity, share: correct / n, low, high };
  }));
  const truthOf = remembered((curve, target, n) => (target ? crossing(curve, target * n) : null));
  const still = remembered((width, floor, points, dense, target, guess, truth, covered, colours) => {
    const drawn = {
      floor, points, target, truth, hidden: covered,
      dense: dense < 0 ? null : dense / frame.get("n"), guess: guess !== null && guess >= 0 ? guess : null,
    };
    return sheetOf(width, HEIGHT, (context) => drawStillCurve(context, width, HEIGHT, drawn, colours));
  });
  frame.paint((colours) => {
    const n = frame.get("n");
    const covered = hidden(frame);
    const [points, now] = [pointsOf(frame.get("curve"), n), covered ? null : accuracyNow(frame)];
    const target = frame.get("predict") ? frame.get("target") : null;
    const truth = truthOf(frame.get("curve"), target, n);
    const [guess, dense, width] = [frame.get("guess"), frame.get("dense"), frame.widthOf(canvas)];
    const present = now && { sparsity: frame.get("sparsity"), share: now.correct / n, measured: now.measured };
    const floor = covered || !points.length ? 0 : floorOf(points, present);
    const sheet = still(width, floor, points, dense, target, guess, truth, covered, colours, devicePixelRatio);
    drawCurve(canvas, width, HEIGHT, { sheet, floor, present }, colours);
    frame.write(() => {
      if (frame.get("moving")) return;
      setText(verdict, covered || !frame.get("predict") ? "" : verdictOf(guess, truth, target));
      const drawn = covered
        ? "The curve is shown once you have set your guess."
        : `${points.length} measured points. ${verdict.textContent}`;
      canvas.setAttribute("aria-label", `Accuracy against sparsity. ${drawn}`);
      twin.node.hidden = covered;
      twin.refresh();
    });
  }, canvas);
  return figure("Accuracy against sparsity", guessPart(frame), canvas, verdict, twin.node);
}

function verdictOf(guess, truth, target) {
  const goal = percent(target, 0);
  const between = truth
    ? `Accuracy first falls below ${goal} between ${sparsityText(truth[0])} and ${sparsityText(truth[1])}.`
    : `No measured point is below ${goal} yet.`;
  return guess >= 0 ? `Your guess: ${sparsityText(guess)}. ${between}` : between;
}

function guessPart(frame) {
  let chosen = 0.5;
  const show = (share) => { chosen = share; slider.show(share, `${sparsityText(share)} pruned`); };
  const slider = shareSlider("Your guess", { input: show, release: show, step: 0.01 });
  show(chosen);
  const set = () => { frame.set({ guess: chosen }); frame.speak = true; };
  const question = el("p", {});
  const node = el("div", { class: "pv-guess" }, question, slider.node,
    el("div", { class: "pv-buttons" },
      button("Set my guess", set, { class: "pv-button pv-primary" }),
      button("Skip", () => frame.set({ guess: -1 }))));
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    node.hidden = !hidden(frame);
    const target = frame.get("target");
    const end = target ? `fall below ${percent(target, 0)}` : "begin to fall";
    setText(question, `Predict: at which sparsity does accuracy ${end}?`);
  }));
  return node;
}

/**
 * What the present state costs and how well it does. `rows` adds to accuracy, answers and kept:
 * row name -> ({ at, exact }) => words, where exact is null until the kernel has measured.
 */
export function scorecardPart(frame, counts, rows) {
  const { node, cells } = facts(["accuracy", "answers", "kept", ...Object.keys(rows)], frame.get("glossary"));
  const badge = el("span", { class: "pv-badge" });
  frame.paint(() => frame.write(() => {
    const at = counts.at(frame.get("sparsity"), frame.get("by_hand"));
    const now = hidden(frame) ? null : accuracyNow(frame);
    const exact = sameState(frame) ? frame.get("exact") : null;
    setBadge(frame, badge, now);
    const guessed = now ? `${now.measured ? "" : "≈ "}${accuracyWords(now)}` : "not measured yet";
    setText(cells.accuracy, hidden(frame) ? "set your guess first" : guessed);
    const changed = exact && `${grouped(exact.lost)} lost, ${grouped(exact.won)} won against the whole model`;
    setText(cells.answers, now && changed ? changed : frame.offline ? "not measured here" : "after release");
    setText(cells.kept, countOf(at.kept, counts.total));
    for (const [name, words] of Object.entries(rows)) setText(cells[name], words({ at, exact }));
  }), node);
  return section(["Scorecard ", badge], node);
}

export const accuracyWords = ({ correct, n, low, high }) =>
  `${grouped(correct)} of ${grouped(n)} right, ${percent(correct / n)} (${percent(low)} to ${percent(high)})`;

/** Whether groups have a share of their own, of which the curve knows nothing. */
const ownShares = (entry) => Object.keys(entry.sparsities ?? {}).length > 0;

export const ruleOf = (entry) => [
  `${sparsityText(entry.sparsity)} ${entry.scope === "layer" ? "of each layer" : entry.scope}`,
  ` by ${entry.criterion}`,
  ownShares(entry) ? " + groups" : "",
  Object.keys(entry.by_hand).length ? " + hand" : "",
].join("");

export function historyPart(frame) {
  const describe = (entry) => {
    const n = frame.get("n");
    const right = entry.correct === undefined || hidden(frame) ? "" : ` · ${percent(entry.correct / n)}`;
    return `${ruleOf(entry)}${right}`;
  };
  const panel = el("div", { class: "pv-compare" });
  const refresh = () => panel.replaceChildren(...comparison(frame));
  for (const name of ["comparison", "compare", "guess"]) frame.on(name, refresh);
  refresh();
  frame.on("guess", () => frame.refreshStrip());
  const heading = el("h4", { class: "pv-caption" }, "Kept states");
  return el("section", { class: "pv-panel pv-wide" }, heading, frame.strip(describe), panel);
}

function comparison(frame) {
  const found = frame.get("comparison");
  if (frame.get("compare") < 0 || !found.images || hidden(frame)) return [];
  const words = `From ${ruleOf(found.with)} to ${ruleOf(found.state)}: `;
  const heads = ["class", "images", "lost", "won", "new way"];
  const rows = found.by_class.map(({ name, n, lost, won, other }) => [name, ...[n, lost, won, other].map(grouped)]);
  return [
    ...changedImages(found, decode(found.pictures), words),
    scrolled("Changes by class", table(heads, rows)),
  ];
}
