// WeightExplorer: slider, mask, histogram, layers, accuracy, scorecard and history.
import {
  byteEstimate, bytesText, cutPosition, grouped, mergeBins, millions, remembered, scoreAt, scoreText, splitBins,
} from "../frame/pure.js";
import { histogramOf } from "../frame/draw.js";
import { CAPTION, el, fold, scrolled, setText, table } from "../frame/controls.js";
import { Weights } from "./weight_counts.js";
import { maskPart } from "./mask.js";
import { explorer } from "./explorer.js";
import { sameState, scorecardPart } from "./parts.js";

const BARS = 64;
const FORMULAS = { magnitude: "|w|", taylor: "|w · slope|", gradient: "|slope|", wanda: "|w| · rms(x)" };

function histogramPart(frame, weights) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", CAPTION);
  const layer = () => weights.layer(frame.get("layer"));
  const found = () => layer().histogram;
  const barsOf = remembered(({ counts }) => mergeBins(counts, counts.length / BARS));
  const still = remembered((width, histogram, colours) => {
    const scale = histogram.log ? "log scale" : "";
    return histogramOf(width, 190, { counts: barsOf(histogram), ends: endsOf(histogram), scale }, colours);
  });
  const pruned = () => {
    const { rule } = weights.at(frame.get("sparsity"), frame.get("by_hand"));
    return rule[weights.layers.indexOf(layer())];
  };
  const twin = fold("Histogram in numbers", () => {
    const bins = mergeBins(found().counts, found().counts.length / 8);
    const gone = splitBins(bins, pruned());
    const [first, last] = endsOf(found());
    const inner = (i) => scoreText(scoreAt(found(), i / 8), isSmall(found()));
    const edge = (i) => (i === 0 ? first : i === 8 ? last : inner(i));
    const rows = bins.map((n, i) => [`${edge(i)} to ${edge(i + 1)}`, grouped(n), grouped(gone[i])]);
    return [scrolled("Histogram in numbers", table(["score", "weights", "pruned"], rows))];
  });
  frame.paint((colours) => {
    const histogram = found();
    const [bars, cut] = [barsOf(histogram), cutPosition(histogram.counts, pruned())];
    const draw = still(frame.widthOf(canvas), histogram, colours, devicePixelRatio);
    draw(canvas, splitBins(bars, pruned()), (cut * BARS) / histogram.counts.length);
    frame.write(() => {
      const { criterion } = frame.get("ranking");
      const score = FORMULAS[criterion] ?? "score";
      const exact = sameState(frame) ? frame.get("exact").threshold[layer().name] : null;
      const value = exact ?? scoreAt(histogram, cut / histogram.counts.length);
      const threshold = `${exact === null ? "≈ " : ""}${scoreText(value, isSmall(histogram))}`;
      setText(caption, `${score} of ${layer().name}: ${grouped(pruned())} below the threshold, ${threshold}`);
      if (frame.get("moving")) return;
      const scale = histogram.log ? ", on a logarithmic scale" : "";
      const range = `scores go from ${endsOf(histogram).join(" to ")}${scale}`;
      canvas.setAttribute("aria-label", `Histogram. ${caption.textContent}; ${range}.`);
      twin.refresh();
    });
  });
  return el("figure", { class: "pv-panel" }, caption, canvas, twin.node);
}

/** Whether the scores of a layer are written with powers of ten. */
const isSmall = ({ log, high }) => log || high < 1e-3;

/** What stands at the ends of a histogram, whose outer bins may hold all that is beyond. */
const endsOf = (histogram) => [
  `${scoreText(histogram.low, isSmall(histogram))}${histogram.below ? " and below" : ""}`,
  `${scoreText(histogram.high, isSmall(histogram))}${histogram.beyond ? " and above" : ""}`,
];

function weightCard(frame, weights) {
  return scorecardPart(frame, weights, {
    file: ({ at, exact }) => {
      const rest = frame.get("rest");
      const last = frame.get("exact");
      // What the last file showed about this network's survivors corrects the estimate for the next.
      const ratio = last.nonzero ? last.compact_bytes / byteEstimate(last.nonzero - rest, weights.total, rest) : 1;
      const guess = Math.min(4 * (weights.total + rest), ratio * byteEstimate(at.kept, weights.total, rest));
      if (exact) return `${bytesText(exact.compact_bytes)} compact, ${bytesText(exact.raw_bytes)} plain`;
      return `≈ ${bytesText(guess)} compact, ${bytesText(4 * (weights.total + rest))} plain`;
    },
    MACs: ({ at, exact }) => {
      const { run, useful } = weights.macs(at);
      return `${millions(run)} executed, ${millions(exact ? exact.nonzero_macs : useful)} by nonzero weights`;
    },
  });
}

export const weightDrawings = { mask: maskPart, histogram: histogramPart, scorecard: weightCard };

export default explorer(Weights, weightDrawings);
