// Whole units (neurons, filters): the parts that show what is pruned of them; unit_counts.js says what `units` offers.
//
// A view of its own kind adds its picture: explorer(Units, { ...unitDrawings, network: networkPart }).
import { bytesText, grouped, millions, percent, remembered, same } from "../frame/pure.js";
import { hatch, line, sharp, text } from "../frame/draw.js";
import { button, CAPTION, choice, el, fold, scrolled, section, setText, table, tabs } from "../frame/controls.js";
import { explorer } from "./explorer.js";
import { changedImages } from "../frame/changes.js";
import { decode } from "../frame/wire.js";
import { hidden, ruleOf, sameState, scorecardPart } from "./parts.js";
import { Units } from "./unit_counts.js";

export function sortChoice(frame) {
  const orders = [["score", "by score"], ["place", "by place"]];
  const order = choice("order", orders, (value) => frame.set({ sort: value }), { told: false });
  frame.on("sort", () => {});
  frame.paint(() => frame.write(() => { if (!frame.get("moving")) order.select.value = frame.get("sort"); }));
  return order.node;
}

/** The scores of one layer as bars, sorted, and where the rule cuts. */
export function scoresPart(frame, units) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", CAPTION);
  const layerTabs = tabs("Layer of the scores", units.tabs, (name) => frame.set({ layer: name }));
  const ordered = (layer) => (frame.get("sort") === "score" ? layer.order : [...layer.score.keys()]);
  const twin = fold("Scores in numbers", () => {
    const layer = units.layer(frame.get("layer"));
    const at = units.at(frame.get("sparsity"), frame.get("by_hand"));
    const fate = (i) => (at.gone[layer.id[i]] ? "pruned" : "kept");
    const row = (i) => [String(i), layer.score[i].toPrecision(4), String(layer.rank[i] + 1), fate(i)];
    const heads = [units.noun.slice(0, -1), "score", "rank", "fate"];
    return [scrolled("Scores in numbers", table(heads, ordered(layer).map(row)))];
  });
  frame.on("layer", () => twin.refresh());
  const bars = remembered((width, layer, at, sorted, colours) => {
    const cut = sorted ? layer.size - at.rule[units.layers.indexOf(layer)] : null;
    drawBars(canvas, width, 190, { layer, order: ordered(layer), gone: at.gone, cut }, colours);
  });
  frame.paint((colours) => {
    const layer = units.layer(frame.get("layer"));
    const at = units.at(frame.get("sparsity"), frame.get("by_hand"));
    const index = units.layers.indexOf(layer);
    const sorted = frame.get("sort") === "score";
    bars(frame.widthOf(canvas), layer, at, sorted, colours, devicePixelRatio);
    frame.write(() => {
      const left = `${grouped(layer.size - at.pruned[index])} of ${grouped(layer.size)} kept`;
      setText(caption, `Scores of ${layer.name} by ${frame.get("ranking").criterion}: ${left}`);
      if (frame.get("moving")) return;
      layerTabs.show(units.tabOf(layer.name));
      const [highest, lowest] = [layer.order[0], layer.order.at(-1)].map((i) => layer.score[i].toPrecision(3));
      const bare = `Bars, ${sorted ? "best first" : "by place"}`;
      canvas.setAttribute("aria-label", `${bare}. ${caption.textContent}. Highest ${highest}, lowest ${lowest}.`);
      twin.refresh();
    });
  }, canvas);
  const bar = el("div", { class: "pv-bar" }, layerTabs.node, sortChoice(frame));
  return el("figure", { class: "pv-panel" }, caption, bar, canvas, twin.node);
}

function drawBars(canvas, width, height, { layer, order, gone, cut }, colours) {
  const context = sharp(canvas, width, height);
  const [base, top] = [height - 6, 10];
  const across = width / order.length;
  const wide = Math.max(across - (across > 4 ? 1 : 0), 0.6);
  for (const [fill, pruned] of [[colours.kept, 0], [hatch(context, colours), 1]]) {
    context.fillStyle = fill;
    context.beginPath(); // one path for all bars: a fill each costs more than all of them together
    order.forEach((i, at) => {
      if ((layer.id[i] >= 0 && gone[layer.id[i]] ? 1 : 0) !== pruned) return;
      const tall = Math.max(1.5, ((base - top) * Math.max(0, layer.score[i])) / layer.most);
      context.rect(at * across, base - tall, wide, tall);
    });
    context.fill();
  }
  line(context, [[0, base + 0.5], [width, base + 0.5]], colours.quiet);
  if (cut !== null) line(context, [[cut * across, 6], [cut * across, base]], colours.ink, 1.5, [5, 3]);
}

/** Which class was taken for which. */
export function confusionPart(frame) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", CAPTION);
  const counts = () => (hidden(frame) ? null : frame.get("exact").confusion);
  const twin = fold("Confusion in numbers", () => {
    const rows = (counts() ?? []).map((row, truth) => [String(truth), ...row.map(grouped)]);
    return [scrolled("Confusion in numbers", table(["truth \\ answer", ...rows.keys()], rows))];
  });
  let drawn = "";
  frame.paint((colours) => {
    const rows = counts();
    const stale = !sameState(frame);
    const width = Math.min(frame.widthOf(canvas.parentElement), 420);
    const key = `${width}/${colours.paper}/${colours.kept}/${stale}/${JSON.stringify(rows)}`;
    if (key === drawn) return;
    drawn = key;
    canvas.style.width = `${width}px`;
    drawConfusion(canvas, width, rows, { stale, dark: frame.root.hasAttribute("data-dark") }, colours);
    const worst = worstPairs(rows ?? []);
    frame.write(() => {
      const before = stale ? ", before the last change" : "";
      const read = `${before}: rows are the truth, columns the answer`;
      setText(caption, `Answers by class${rows ? read : ": not measured yet"}`);
      const pairs = worst.map(([truth, answer, many]) => `${truth} taken for ${answer}, ${many} times`).join("; ");
      const said = rows ? `. Most frequent errors: ${pairs || "none"}.` : ", not measured yet";
      canvas.setAttribute("aria-label", `Confusion matrix${said}`);
      twin.refresh();
    });
  }, canvas);
  return el("figure", { class: "pv-panel" }, caption, canvas, twin.node);
}

/** The most frequent errors: [truth, answer, how often]. */
export function worstPairs(rows, many = 3) {
  const pairs = rows.flatMap((row, truth) => row.map((count, answer) => [truth, answer, count]));
  const errors = pairs.filter(([truth, answer, count]) => truth !== answer && count > 0);
  return errors.sort((a, b) => b[2] - a[2]).slice(0, many);
}

/** How strongly the cell of an error is filled, and the colour of its number; the test holds both to their contrast. */
export function errorCell(count, most, dark) {
  const least = dark ? 0.42 : 0.2;
  const strength = count ? least + ((1 - least) * count) / most : 0;
  return { strength, ink: !dark ? null : strength < 0.498 ? "#fff" : "#000" };
}

function drawConfusion(canvas, width, rows, { stale, dark }, colours) {
  const many = rows?.length || 10;
  const side = Math.floor((width - 22) / many);
  const tall = Math.min(side, 30);
  const context = sharp(canvas, width, tall * many + 20);
  if (!rows) return;
  const wrong = rows.map((row, truth) => Math.max(0, ...row.filter((_, answer) => answer !== truth)));
  const errors = Math.max(1, ...wrong);
  context.globalAlpha = stale ? 0.45 : 1;
  rows.forEach((row, truth) => {
    text(context, String(truth), 12, 20 + (truth + 0.5) * tall + 4, { colour: colours.quiet, align: "center" });
    text(context, String(truth), 22 + (truth + 0.5) * side, 13, { colour: colours.quiet, align: "center" });
    row.forEach((count, answer) => {
      const [x, y] = [22 + answer * side, 20 + truth * tall];
      const right = answer === truth;
      const { strength, ink } = right ? { strength: 1, ink: "#fff" } : errorCell(count, errors, dark);
      context.fillStyle = right ? colours.kept : colours.pruned;
      const alpha = context.globalAlpha;
      context.globalAlpha = alpha * strength;
      context.fillRect(x, y, side - 1, tall - 1);
      context.globalAlpha = alpha;
      const middle = [x + side / 2, y + tall / 2 + 4];
      if (count) text(context, String(count), ...middle, { colour: ink ?? colours.ink, align: "center" });
    });
  });
  context.globalAlpha = 1;
}

/** The images whose answer differs from the whole model's, or from that of the state before. */
export function changesPart(frame) {
  const body = el("div", { class: "pv-compare" });
  const others = [["whole", "the whole model"], ["before", "the state before"]];
  const against = choice("against", others, (value) => frame.set({ against: value }), { told: false });
  const refresh = () => {
    const found = frame.get("changes");
    if (!found.images || hidden(frame)) {
      body.replaceChildren(el("p", { class: "pv-hint" }, "Shown once measured."));
      return;
    }
    const start = found.with?.scope ? `The last change, from ${ruleOf(found.with)}` : "From the whole model";
    body.replaceChildren(...changedImages(found, decode(found.pictures), `${start} to ${ruleOf(found.state)}: `));
  };
  for (const name of ["changes", "guess"]) frame.on(name, refresh);
  frame.on("against", () => {});
  refresh();
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    against.select.value = frame.get("against");
    against.select.disabled = frame.offline;
  }));
  const bar = el("div", { class: "pv-bar" }, el("h4", CAPTION, "Answers that changed"), against.node);
  return el("section", { class: "pv-panel pv-wide" }, bar, body);
}

/** Removing for real: a button, and what became smaller. */
export function removalPart(frame, units) {
  const remove = () => frame.set({ wanted: frame.state() });
  const go = button(`Remove the pruned ${units.noun}`, remove, { class: "pv-button pv-primary" });
  const note = el("p", { class: "pv-hint", role: "status" });
  const body = el("div", { class: "pv-removed", "data-png": true });
  const refresh = () => body.replaceChildren(...removed(frame.get("removal")));
  frame.on("removal", refresh);
  frame.on("wanted", () => {});
  refresh();
  frame.paint(() => frame.write(() => {
    const [state, found] = [frame.get("moving") ? null : frame.state(), frame.get("removal")];
    const done = same(found.state, state);
    const asked = same(frame.get("wanted"), state);
    go.disabled = frame.offline || done;
    const problem = sameState(frame) ? frame.get("exact").smaller?.problem : null;
    const plain = `A masked model keeps its shapes. Removing takes the ${units.noun} out, and compares the outputs.`;
    const open = asked ? "removing…" : problem ? `They cannot go: ${problem}` : plain;
    setText(note, frame.offline ? "needs a kernel" : done ? "" : open);
    body.toggleAttribute("data-stale", Boolean(found.state) && !done);
  }));
  return section("Smaller for real", el("div", { class: "pv-bar pv-remove" }, go, note), body);
}

function removed(found) {
  if (!found.state) return [];
  const at = el("p", {}, `At ${ruleOf(found.state)}:`);
  if (found.problem) return [at, el("p", {}, found.problem)];
  const pair = (name, [before, after], write) => [name, write(before), write(after), percent(after / before)];
  const product = (sizes) => sizes.reduce((a, b) => a * b, 1);
  const layer = ({ name, before, after }) =>
    [name, before.join(" × "), after.join(" × "), percent(product(after) / product(before))];
  const rows = [
    ...found.layers.map(layer),
    pair("parameters", found.parameters, grouped),
    pair("MACs", found.macs, grouped),
    pair("plain file", found.raw_bytes, bytesText),
    pair("compact file", found.compact_bytes, bytesText),
  ];
  const most = found.difference === 0 ? "0" : found.difference.toExponential(1);
  const proof = `on ${grouped(found.images)} images the outputs of the two models differ by at most ${most}`;
  return [
    at,
    scrolled("Smaller for real", table(["what", "masked", "removed", "left"], rows)),
    el("p", {}, `The proof: ${proof} of the largest output; ${grouped(found.other)} answers differ.`),
  ];
}

function unitCard(frame, units) {
  const cost = ({ parameters, macs }) => `${grouped(parameters)} parameters, ${millions(macs)} MACs`;
  const file = ({ parameters }) => bytesText(4 * parameters);
  const masked = cost(units.whole);
  return scorecardPart(frame, units, {
    masked: () => masked,
    removed: ({ at, exact }) => (exact?.smaller?.problem ? "not possible here" : cost(exact?.smaller ?? at.small)),
    file: ({ at }) => `≈ ${file(at.small)} removed, ${file(units.whole)} masked`,
  });
}

export const unitDrawings = {
  scores: scoresPart, scorecard: unitCard, confusion: confusionPart, removal: removalPart, changes: changesPart,
};

export default explorer(Units, unitDrawings);
