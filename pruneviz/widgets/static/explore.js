// WeightExplorer: slider, mask, histogram, layers, accuracy, scorecard and history.
import { byteEstimate, bytesText, crossing, cutPosition, estimate, finishedCode, grouped, mergeBins, millions, parsePercent, percent, same, sparsityText, splitBins, wilson } from "./pure.js";
import { countOf, drawCurve, drawHistogram } from "./draw.js";
import { button, choice, el, fold, setText, shareSlider, table } from "./controls.js";
import { Frame } from "./view.js";
import { Weights } from "./weights.js";
import { maskPart } from "./mask.js";

const BARS = 64;
const PATIENCE = 3000; // milliseconds; a kernel that is gone or busy must not leave a listener without an answer

function sliderPart(frame, weights) {
  const slider = shareSlider("Sparsity", {
    input: (sparsity) => frame.set({ sparsity }, { moving: true }),
    release: (sparsity) => { frame.set({ sparsity }); frame.speak = true; },
  });
  const kept = el("p", { class: "pv-count", "data-png": true });
  frame.paint(() => {
    const sparsity = frame.get("sparsity");
    const at = weights.at(sparsity, frame.get("by_hand"));
    frame.write(() => {
      setText(kept, countOf(at.kept, weights.total).replace("kept", "weights kept"));
      slider.show(sparsity, `${sparsityText(sparsity)} pruned, ${grouped(at.kept)} of ${grouped(weights.total)} weights kept`);
    });
  });
  return el("div", { class: "pv-top" }, slider.node, kept);
}

function selectors(frame) {
  const scope = choice("scope", [["global", "global"], ["layer", "each layer"]], (value) => frame.set({ scope: value }));
  const by = choice("by", frame.get("criteria").map((name) => [name, name]), (value) => frame.set({ criterion: value }));
  const waiting = el("span", { class: "pv-hint", role: "status" });
  frame.paint(() => frame.write(() => {
    scope.select.value = frame.get("scope");
    by.select.value = frame.get("criterion");
    for (const { select } of [scope, by]) select.disabled = Boolean(frame.model.offline);
    const stale = !same(frame.get("ranking"), [frame.get("scope"), frame.get("criterion")]);
    setText(waiting, frame.model.offline ? "fixed in this file" : stale ? "ranking…" : "");
  }));
  return el("div", { class: "pv-selectors" }, scope.node, by.node, waiting);
}

function histogramPart(frame, weights) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", { class: "pv-caption", "data-png": true });
  const facts = () => {
    const layer = weights.layer(frame.get("layer"));
    const { low, high, beyond, counts } = frame.get("histograms")[layer.name];
    const pruned = weights.at(frame.get("sparsity"), {}).rule[weights.layers.indexOf(layer)];
    const exact = sameState(frame) ? frame.get("exact").threshold[layer.name] : undefined;
    const cut = cutPosition(counts, pruned);
    const value = exact ?? low + ((high - low) * cut) / counts.length;
    return { layer, low, high, beyond, counts, pruned, cut, value, about: exact === undefined || exact === null ? "≈ " : "" };
  };
  const twin = fold("Histogram in numbers", () => {
    const { low, high, beyond, counts, pruned } = facts();
    const bins = mergeBins(counts, counts.length / 8);
    const gone = splitBins(bins, pruned);
    const edge = (i) => (low + ((high - low) * i) / 8).toPrecision(3);
    return [table(["score", "weights", "pruned"], bins.map((n, i) => [beyond && i === 7 ? `${edge(i)} and above` : `${edge(i)} to ${edge(i + 1)}`, grouped(n), grouped(gone[i])]))];
  });
  frame.paint((colours) => {
    const f = facts();
    const bins = mergeBins(f.counts, f.counts.length / BARS);
    const score = { magnitude: "|w|", taylor: "|w · slope|", gradient: "|slope|" }[frame.get("ranking")[1]] ?? "score";
    const words = `${score} of ${f.layer.name}: ${grouped(f.pruned)} below the threshold`;
    const view = { counts: bins, pruned: splitBins(bins, f.pruned), low: f.low, high: f.high, beyond: f.beyond, cut: (f.cut * BARS) / f.counts.length, label: `threshold ${f.about}${+f.value.toPrecision(3)}` };
    drawHistogram(canvas, frame.widthOf(canvas), 190, view, colours);
    frame.write(() => {
      setText(caption, words);
      if (frame.get("moving")) return;
      canvas.setAttribute("aria-label", `Histogram. ${words}, which is ${f.about}${+f.value.toPrecision(3)}; scores go from ${f.low.toPrecision(3)} to ${f.high.toPrecision(3)}${f.beyond ? ", and a few above" : ""}.`);
      twin.refresh();
    });
  });
  return el("figure", { class: "pv-panel" }, caption, canvas, twin.node);
}

function layersPart(frame, weights) {
  const rows = weights.layers.map((layer) => {
    const [bar, words] = [el("i"), el("span", { class: "pv-row-words", "data-png": true })];
    const node = el("li", {}, el("span", { class: "pv-row-name", "data-png": true }, layer.name), el("span", { class: "pv-meter", "aria-hidden": "true" }, bar), words);
    return { bar, words, node };
  });
  frame.paint(() => frame.write(() => {
    const at = weights.at(frame.get("sparsity"), frame.get("by_hand"));
    rows.forEach(({ bar, words }, i) => {
      const { size } = weights.layers[i];
      const share = (size - at.pruned[i]) / size;
      bar.style.width = `${100 * share}%`;
      setText(words, `${grouped(size - at.pruned[i])} of ${grouped(size)} kept, ${percent(at.pruned[i] / size)} pruned`);
    });
  }));
  return el("section", { class: "pv-panel" }, el("h4", { class: "pv-caption", "data-png": true }, "Pruned in each layer"), el("ul", { class: "pv-rows" }, ...rows.map((row) => row.node)));
}

const sameState = (frame) => same(frame.get("exact").state ?? null, frame.state());
const hidden = (frame) => frame.get("predict") && frame.get("guess") === null && frame.get("show").includes("accuracy");

/** How many images are right at present: measured, or between measured points. */
function accuracyNow(frame) {
  const n = frame.get("n");
  if (sameState(frame)) return { ...frame.get("exact"), measured: true, n };
  const byHand = Object.keys(frame.get("by_hand")).length > 0;
  const current = same(frame.get("ranking"), [frame.get("scope"), frame.get("criterion")]);
  const found = current ? estimate(frame.get("curve"), frame.get("sparsity")) : null;
  if (!found) return null;
  const [low, high] = wilson(found.correct, n);
  return { ...found, measured: found.measured && !byHand, low, high, n };
}

function accuracyPart(frame) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", { class: "pv-caption", "data-png": true }, "Accuracy against sparsity");
  frame.progressNode.classList.add("pv-inline");
  const verdict = el("p", { class: "pv-verdict" });
  const twin = fold("Curve in numbers", () => [table(["sparsity", "right", "accuracy"],
    hidden(frame) ? [] : frame.get("curve").map(([s, c]) => [sparsityText(s), grouped(c), percent(c / frame.get("n"))]))]);
  frame.paint((colours) => {
    const n = frame.get("n");
    const covered = hidden(frame);
    const points = frame.get("curve").map(([sparsity, correct]) => {
      const [low, high] = wilson(correct, n);
      return { sparsity, share: correct / n, low, high };
    });
    const now = accuracyNow(frame);
    const target = frame.get("target");
    const truth = target ? crossing(frame.get("curve"), target * n) : null;
    const guess = frame.get("guess");
    drawCurve(canvas, frame.widthOf(canvas), 210, {
      points, dense: frame.get("dense") < 0 ? null : frame.get("dense") / n, target: frame.get("predict") ? target : null,
      present: now && { sparsity: frame.get("sparsity"), share: now.correct / n, measured: now.measured },
      guess: guess !== null && guess >= 0 ? guess : null, truth: frame.get("predict") ? truth : null, hidden: covered,
    }, colours);
    frame.write(() => {
      setText(verdict, covered || !frame.get("predict") ? "" : verdictOf(guess, truth, target));
      const drawn = covered ? "The curve is shown once you have set your guess." : `${points.length} measured points. ${verdict.textContent}`;
      canvas.setAttribute("aria-label", `Accuracy against sparsity. ${drawn}`);
      twin.node.hidden = covered;
      if (!frame.get("moving")) twin.refresh();
    });
  });
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
    node.hidden = !hidden(frame);
    const target = frame.get("target");
    setText(question, target ? `Predict: at which sparsity does accuracy fall below ${percent(target, 0)}?` : "Predict: at which sparsity does accuracy begin to fall?");
  }));
  return node;
}

function scorecardPart(frame, weights) {
  const rows = Object.fromEntries(["accuracy", "answers", "kept", "file", "MACs"].map((name) => [name, el("dd", { "data-png": true })]));
  const badge = el("span", { class: "pv-badge" });
  const list = el("dl", { class: "pv-card" }, ...Object.entries(rows).flatMap(([name, cell]) => [el("dt", { "data-png": true }, name), cell]));
  frame.paint(() => frame.write(() => {
    const at = weights.at(frame.get("sparsity"), frame.get("by_hand"));
    const now = hidden(frame) ? null : accuracyNow(frame);
    const exact = sameState(frame) ? frame.get("exact") : null;
    const { run, useful } = weights.macs(at);
    setText(badge, now ? (now.measured ? "exact" : "estimate") : "");
    badge.toggleAttribute("data-estimate", Boolean(now && !now.measured));
    setText(rows.accuracy, hidden(frame) ? "set your guess first" : now ? `${now.measured ? "" : "≈ "}${accuracyWords(now)}` : "not measured yet");
    setText(rows.answers, now && exact ? `${grouped(exact.lost)} lost, ${grouped(exact.won)} won against the whole model` : frame.model.offline ? "not measured here" : "after release");
    setText(rows.kept, countOf(at.kept, weights.total));
    const rest = frame.get("rest");
    const last = frame.get("exact");
    // What the last file showed about this network's survivors corrects the estimate for the next.
    const ratio = last.nonzero ? last.compact_bytes / byteEstimate(last.nonzero - rest, weights.total, rest) : 1;
    const guess = Math.min(4 * (weights.total + rest), ratio * byteEstimate(at.kept, weights.total, rest));
    setText(rows.file, exact ? `${bytesText(exact.compact_bytes)} compact, ${bytesText(exact.raw_bytes)} plain` : `≈ ${bytesText(guess)} compact, ${bytesText(4 * (weights.total + rest))} plain`);
    setText(rows.MACs, `${millions(run)} executed, ${millions(exact ? exact.nonzero_macs : useful)} by nonzero weights`);
  }));
  return el("section", { class: "pv-panel" }, el("h4", { class: "pv-caption", "data-png": true }, "Scorecard ", badge), list);
}

const accuracyWords = (now) =>
  `${grouped(now.correct)} of ${grouped(now.n)} right, ${percent(now.correct / now.n)} (${percent(now.low)} to ${percent(now.high)})`;

const ruleOf = (entry) =>
  `${sparsityText(entry.sparsity)}${entry.scope === "layer" ? " of each layer" : ""}${entry.criterion === "magnitude" ? "" : ` ${entry.criterion}`}${Object.keys(entry.by_hand).length ? " + hand" : ""}`;

function historyPart(frame) {
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
  const bytes = frame.get("pictures");
  const [height, width, channels] = found.shape;
  const size = height * width * channels;
  const cards = found.images.map((image, i) => {
    const label = `${image.before} → ${image.after}`;
    const kind = image.before === image.truth ? "lost" : image.after === image.truth ? "won" : "still wrong";
    const canvas = el("canvas", { width: width ?? 1, height: height ?? 1, role: "img", "aria-label": `Image ${image.index}, a ${image.truth}: was taken for ${image.before}, now for ${image.after}` });
    if (size && bytes?.byteLength >= (i + 1) * size) thumbnail(canvas, new Uint8Array(bytes.buffer, bytes.byteOffset + i * size, size), channels);
    return el("li", { "data-kind": kind }, canvas, el("span", {}, label), el("small", {}, kind));
  });
  return [
    el("p", {}, `From ${ruleOf(found.with)} to ${ruleOf(found.state)}: ${grouped(found.lost)} images lost, ${grouped(found.won)} won, ${grouped(found.other)} wrong in a new way.${cards.length < found.lost + found.won + found.other ? ` ${cards.length} of them:` : ""}`),
    el("ul", { class: "pv-images" }, ...cards),
    el("div", { class: "pv-scroll" }, table(["class", "images", "lost", "won", "new way"], found.by_class.map((row) => [row.name, grouped(row.n), grouped(row.lost), grouped(row.won), grouped(row.other)]))),
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

/** After release, once: what the scorecard says. */
function speakAfterRelease(frame, weights) {
  frame.sentence = () => {
    const at = weights.at(frame.get("sparsity"), frame.get("by_hand"));
    const now = hidden(frame) || !frame.get("show").includes("scorecard") ? null : accuracyNow(frame);
    const right = now ? `, ${now.measured ? "" : "about "}${accuracyWords(now)}` : "";
    return `${sparsityText(frame.get("sparsity"))} pruned, ${countOf(at.kept, weights.total)}${right}.`;
  };
  const measured = ["accuracy", "scorecard"].some((part) => frame.get("show").includes(part)) && !frame.model.offline;
  let [late, waiting] = [false, null];
  frame.paint(() => {
    if (!frame.speak || frame.get("moving")) return;
    if (measured && !sameState(frame) && !frame.get("problem") && !late) {
      waiting ??= setTimeout(() => { late = true; frame.repaint(); }, PATIENCE);
      return;
    }
    clearTimeout(waiting);
    [frame.speak, late, waiting] = [false, false, null];
    frame.say(frame.sentence());
  });
}

function render({ model, el: parent }) {
  const frame = new Frame(model, parent, { tools: ["undo", "reset", ...(model.get("show").includes("history") ? ["keep"] : []), "code", "save"] });
  const weights = new Weights(model);
  const shown = (part) => model.get("show").includes(part);
  frame.code = () => finishedCode(model.get("code"), weights.cuts(model.get("sparsity")), model.get("sparsity"), model.get("by_hand"));
  frame.summary = () => (sameState(frame) ? { correct: frame.get("exact").correct } : {});
  frame.on("ranking", () => weights.load());
  for (const name of ["code", "criterion", "scope", "sparsity", "by_hand"]) frame.on(name, () => frame.refreshTools());
  for (const name of ["curve", "exact", "guess", "target", "dense"]) frame.on(name, () => {});
  const parts = { slider: sliderPart, selectors, mask: maskPart, histogram: histogramPart, layers: layersPart, scorecard: scorecardPart, accuracy: accuracyPart, history: historyPart };
  const made = (names) => names.filter(shown).map((name) => parts[name](frame, weights));
  const stack = el("div", { class: "pv-stack" }, ...made(["scorecard", "layers"]));
  const side = stack.childElementCount ? [stack] : [];
  frame.body.append(
    el("div", { class: "pv-controls" }, ...made(["slider", "selectors"])),
    el("div", { class: "pv-grid" }, ...made(["mask", "histogram", "accuracy"]), ...side, ...made(["history"])),
  );
  speakAfterRelease(frame, weights);
  if (!["accuracy", "scorecard", "history"].some(shown) || model.offline) frame.progressNode.hidden = true;
  return () => frame.dispose();
}

export default { render };
