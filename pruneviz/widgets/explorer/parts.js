// The parts that all explorers share. `counts` says how many entries are kept at a step of the slider:
// { noun, total, layers: [{ name, size }], at(sparsity, byHand) -> { rule, pruned, all, kept }, cuts(sparsity), load() },
// and code() if Show code is more than the trait.
import { crossing, estimate, grouped, percent, remembered, same, sparsityText, wilson } from "../frame/pure.js";
import { countOf, drawCurve, drawStillCurve, floorOf, sheetOf } from "../frame/draw.js";
import { button, choice, el, fold, setText, shareSlider, table } from "../frame/controls.js";

const HEIGHT = 210; // of the accuracy curve

export function sliderPart(frame, counts) {
  const slider = shareSlider("Sparsity", {
    input: (sparsity) => frame.set({ sparsity }, { moving: true }),
    release: (sparsity) => { frame.set({ sparsity }); frame.speak = true; },
  });
  const kept = el("p", { class: "pv-count", "data-png": true });
  frame.paint(() => {
    const sparsity = frame.get("sparsity");
    const at = counts.at(sparsity, frame.get("by_hand"));
    frame.write(() => {
      setText(kept, countOf(at.kept, counts.total).replace("kept", `${counts.noun} kept`));
      slider.show(sparsity, frame.get("moving") ? "" : `${sparsityText(sparsity)} pruned, ${grouped(at.kept)} of ${grouped(counts.total)} ${counts.noun} kept`);
    });
  });
  return el("div", { class: "pv-top" }, slider.node, kept);
}

export function selectors(frame) {
  const scope = choice("scope", [["global", "global"], ["layer", "each layer"]], (value) => frame.set({ scope: value }));
  const by = choice("by", frame.get("criteria").map((name) => [name, name]), (value) => frame.set({ criterion: value }));
  const waiting = el("span", { class: "pv-hint", role: "status" });
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    scope.select.value = frame.get("scope");
    by.select.value = frame.get("criterion");
    for (const { select } of [scope, by]) select.disabled = frame.offline;
    const stale = !same(frame.get("ranking"), [frame.get("scope"), frame.get("criterion")]);
    setText(waiting, frame.offline ? "fixed in this file" : stale ? "ranking…" : "");
  }));
  return el("div", { class: "pv-selectors" }, scope.node, by.node, waiting);
}

export function layersPart(frame, counts) {
  const rows = counts.layers.map((layer) => {
    const [bar, words] = [el("i"), el("span", { class: "pv-row-words", "data-png": true })];
    const node = el("li", {}, el("span", { class: "pv-row-name", "data-png": true }, layer.name), el("span", { class: "pv-meter", "aria-hidden": "true" }, bar), words);
    return { bar, words, node };
  });
  const list = el("ul", { class: "pv-rows" }, ...rows.map((row) => row.node));
  frame.paint(() => frame.write(() => {
    const at = counts.at(frame.get("sparsity"), frame.get("by_hand"));
    rows.forEach(({ bar, words }, i) => {
      const { size } = counts.layers[i];
      const changed = setText(words, `${grouped(size - at.pruned[i])} of ${grouped(size)} kept, ${percent(at.pruned[i] / size)} pruned`);
      if (changed) bar.style.width = `${(100 * (size - at.pruned[i])) / size}%`;
    });
  }), list);
  return el("section", { class: "pv-panel" }, el("h4", { class: "pv-caption", "data-png": true }, "Pruned in each layer"), list);
}

export const sameState = (frame) => {
  const { state } = frame.get("exact");
  return Boolean(state) && frame.names.every((name) => same(state[name], frame.get(name)));
};
export const hidden = (frame) => frame.get("predict") && frame.get("guess") === null && frame.get("show").includes("accuracy");

/** How many images are right at present: measured, or between measured points. */
export function accuracyNow(frame) {
  const n = frame.get("n");
  if (sameState(frame)) return { ...frame.get("exact"), measured: true, n };
  const byHand = Object.keys(frame.get("by_hand")).length > 0;
  const current = same(frame.get("ranking"), [frame.get("scope"), frame.get("criterion")]);
  const found = current && !ownShares(frame.state()) ? estimate(frame.get("curve"), frame.get("sparsity")) : null;
  if (!found) return null;
  const [low, high] = wilson(found.correct, n);
  return { ...found, measured: found.measured && !byHand, low, high, n };
}

export function accuracyPart(frame) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", { class: "pv-caption", "data-png": true }, "Accuracy against sparsity");
  frame.progressNode.classList.add("pv-inline");
  const verdict = el("p", { class: "pv-verdict" });
  const twin = fold("Curve in numbers", () => [table(["sparsity", "right", "accuracy"],
    hidden(frame) ? [] : frame.get("curve").map(([s, c]) => [sparsityText(s), grouped(c), percent(c / frame.get("n"))]))]);
  const pointsOf = remembered((curve, n) => curve.map(([sparsity, correct]) => {
    const [low, high] = wilson(correct, n);
    return { sparsity, share: correct / n, low, high };
  }));
  const truthOf = remembered((curve, target, n) => (target ? crossing(curve, target * n) : null));
  const still = remembered((width, floor, points, dense, target, guess, truth, covered, colours) => sheetOf(width, HEIGHT, (context) => drawStillCurve(context, width, HEIGHT, {
    floor, points, target, truth, hidden: covered, dense: dense < 0 ? null : dense / frame.get("n"), guess: guess !== null && guess >= 0 ? guess : null,
  }, colours)));
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
      const drawn = covered ? "The curve is shown once you have set your guess." : `${points.length} measured points. ${verdict.textContent}`;
      canvas.setAttribute("aria-label", `Accuracy against sparsity. ${drawn}`);
      twin.node.hidden = covered;
      twin.refresh();
    });
  }, canvas);
  return el("figure", { class: "pv-panel" }, el("div", { class: "pv-bar pv-titled" }, caption, frame.progressNode), guessPart(frame), canvas, verdict, twin.node);
}

function verdictOf(guess, truth, target) {
  const goal = percent(target, 0);
  const between = truth ? `Accuracy first falls below ${goal} between ${sparsityText(truth[0])} and ${sparsityText(truth[1])}.` : `No measured point is below ${goal} yet.`;
  return guess >= 0 ? `Your guess: ${sparsityText(guess)}. ${between}` : between;
}

function guessPart(frame) {
  const slider = shareSlider("Your guess", { input: (share) => show(share), release: (share) => show(share), step: 0.01 });
  let chosen = 0.5;
  const show = (share) => { chosen = share; slider.show(share, `${sparsityText(share)} pruned`); };
  show(chosen);
  const question = el("p", {});
  const node = el("div", { class: "pv-guess" }, question, slider.node,
    el("div", { class: "pv-buttons" },
      button("Set my guess", () => { frame.set({ guess: chosen }); frame.speak = true; }, { class: "pv-button pv-primary" }),
      button("Skip", () => frame.set({ guess: -1 }))));
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    node.hidden = !hidden(frame);
    const target = frame.get("target");
    setText(question, target ? `Predict: at which sparsity does accuracy fall below ${percent(target, 0)}?` : "Predict: at which sparsity does accuracy begin to fall?");
  }));
  return node;
}

/**
 * What the present state costs and how well it does. `rows` adds to accuracy, answers and kept:
 * row name -> ({ at, exact }) => words, where exact is null until the kernel has measured.
 */
export function scorecardPart(frame, counts, rows) {
  const cells = Object.fromEntries(["accuracy", "answers", "kept", ...Object.keys(rows)].map((name) => [name, el("dd", { "data-png": true })]));
  const badge = el("span", { class: "pv-badge" });
  const list = el("dl", { class: "pv-card" }, ...Object.entries(cells).flatMap(([name, cell]) => [el("dt", { "data-png": true }, name), cell]));
  frame.paint(() => frame.write(() => {
    const at = counts.at(frame.get("sparsity"), frame.get("by_hand"));
    const now = hidden(frame) ? null : accuracyNow(frame);
    const exact = sameState(frame) ? frame.get("exact") : null;
    setText(badge, now ? (now.measured ? (frame.gone ? "measured before" : "exact") : "estimate") : "");
    badge.toggleAttribute("data-estimate", Boolean(now && !now.measured));
    setText(cells.accuracy, hidden(frame) ? "set your guess first" : now ? `${now.measured ? "" : "≈ "}${accuracyWords(now)}` : "not measured yet");
    setText(cells.answers, now && exact ? `${grouped(exact.lost)} lost, ${grouped(exact.won)} won against the whole model` : frame.offline ? "not measured here" : "after release");
    setText(cells.kept, countOf(at.kept, counts.total));
    for (const [name, words] of Object.entries(rows)) setText(cells[name], words({ at, exact }));
  }), list);
  return el("section", { class: "pv-panel" }, el("h4", { class: "pv-caption", "data-png": true }, "Scorecard ", badge), list);
}

export const accuracyWords = (now) =>
  `${grouped(now.correct)} of ${grouped(now.n)} right, ${percent(now.correct / now.n)} (${percent(now.low)} to ${percent(now.high)})`;

/** Whether groups have a share of their own, of which the curve knows nothing. */
const ownShares = (entry) => Object.keys(entry.sparsities ?? {}).length > 0;

export const ruleOf = (entry) =>
  `${sparsityText(entry.sparsity)}${entry.scope === "layer" ? " of each layer" : ""}${entry.criterion === "magnitude" ? "" : ` ${entry.criterion}`}${ownShares(entry) ? " + groups" : ""}${Object.keys(entry.by_hand).length ? " + hand" : ""}`;

export function historyPart(frame) {
  const describe = (entry) => {
    const n = frame.get("n");
    const right = entry.correct === undefined || hidden(frame) ? "" : ` · ${percent(entry.correct / n)}`;
    return `${ruleOf(entry)}${right}`;
  };
  const panel = el("div", { class: "pv-compare" });
  const refresh = () => panel.replaceChildren(...comparison(frame));
  for (const name of ["comparison", "pictures", "compare", "guess"]) frame.on(name, refresh);
  refresh();
  frame.on("guess", () => frame.refreshStrip());
  return el("section", { class: "pv-panel pv-wide" }, el("h4", { class: "pv-caption" }, "Kept states"), frame.strip(describe), panel);
}

function comparison(frame) {
  const found = frame.get("comparison");
  if (frame.get("compare") < 0 || !found.images || hidden(frame)) return [];
  const words = `From ${ruleOf(found.with)} to ${ruleOf(found.state)}: `;
  return [
    ...changedImages(found, frame.get("pictures"), words),
    el("div", { class: "pv-scroll" }, table(["class", "images", "lost", "won", "new way"], found.by_class.map((row) => [row.name, grouped(row.n), grouped(row.lost), grouped(row.won), grouped(row.other)]))),
  ];
}

/** What changed between two states, as pictures; `found` and `bytes` are those of history.py. */
export function changedImages(found, bytes, words) {
  const [height, width, channels] = found.shape;
  const size = height * width * channels;
  const cards = found.images.map((image, i) => {
    const label = `${image.before} → ${image.after}`;
    const kind = image.before === image.truth ? "lost" : image.after === image.truth ? "won" : "still wrong";
    const canvas = el("canvas", { width: width ?? 1, height: height ?? 1, role: "img", "aria-label": `Image ${image.index}, a ${image.truth}: was taken for ${image.before}, now for ${image.after}` });
    if (size && bytes?.byteLength >= (i + 1) * size) thumbnail(canvas, new Uint8Array(bytes.buffer, bytes.byteOffset + i * size, size), channels);
    return el("li", { "data-kind": kind }, canvas, el("span", { "data-png": true }, label), el("small", { "data-png": true }, kind));
  });
  return [
    el("p", { "data-png": true }, `${words}${grouped(found.lost)} images lost, ${grouped(found.won)} won, ${grouped(found.other)} wrong in a new way.${cards.length < found.lost + found.won + found.other ? ` ${cards.length} of them:` : ""}`),
    el("ul", { class: "pv-images" }, ...cards),
  ];
}

function thumbnail(canvas, pixels, channels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[i * channels + (channels === 3 ? c : 0)];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
