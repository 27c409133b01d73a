// WeightExplorer: slider, mask, histogram, layers, accuracy, scorecard and history.
import { byteEstimate, bytesText, cutPosition, grouped, mergeBins, millions, splitBins } from "./pure.js";
import { drawHistogram } from "./draw.js";
import { el, fold, setText, table } from "./controls.js";
import { Weights } from "./weights.js";
import { maskPart } from "./mask.js";
import { accuracyPart, historyPart, layersPart, openExplorer, sameState, scorecardPart, selectors, sliderPart } from "./parts.js";

const BARS = 64;

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

function weightCard(frame, weights) {
  return scorecardPart(frame, weights, {
    file: ({ at, exact }) => {
      const rest = frame.get("rest");
      const last = frame.get("exact");
      // What the last file showed about this network's survivors corrects the estimate for the next.
      const ratio = last.nonzero ? last.compact_bytes / byteEstimate(last.nonzero - rest, weights.total, rest) : 1;
      const guess = Math.min(4 * (weights.total + rest), ratio * byteEstimate(at.kept, weights.total, rest));
      return exact ? `${bytesText(exact.compact_bytes)} compact, ${bytesText(exact.raw_bytes)} plain` : `≈ ${bytesText(guess)} compact, ${bytesText(4 * (weights.total + rest))} plain`;
    },
    MACs: ({ at, exact }) => {
      const { run, useful } = weights.macs(at);
      return `${millions(run)} executed, ${millions(exact ? exact.nonzero_macs : useful)} by nonzero weights`;
    },
  });
}

function render(context) {
  const weights = Object.assign(new Weights(context.model), { noun: "weights" });
  const frame = openExplorer(context, weights, [
    ["slider", "controls", sliderPart],
    ["selectors", "controls", selectors],
    ["mask", "grid", maskPart],
    ["histogram", "grid", histogramPart],
    ["accuracy", "grid", accuracyPart],
    ["scorecard", "stack", weightCard],
    ["layers", "stack", layersPart],
    ["history", "end", historyPart],
  ]);
  return () => frame.dispose();
}

export default { render };
