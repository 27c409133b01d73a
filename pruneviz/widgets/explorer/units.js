// Whole units (neurons, filters): what is pruned of them at a step of the slider, and the parts that show it.
//
// A view of its own kind adds its picture: explorer(Units, { ...unitDrawings, network: networkPart }). `units` has for each layer its `order` (best first) and `score`, `place`, `id` of each output, and
// units.at(sparsity, byHand).gone[id] says whether a unit is pruned; units.toggle(frame, layer, i) cuts it by hand.
import { bytesText, cutAt, grouped, millions, percent, remembered, same, sparsityText, stepOf, typed } from "../frame/pure.js";
import { hatch, line, sharp, text } from "../frame/draw.js";
import { button, choice, el, fold, setText, table, tabs } from "../frame/controls.js";
import { explorer } from "./explorer.js";
import { changedImages, hidden, ruleOf, sameState, scorecardPart } from "./parts.js";

const CUT = 1;
const KEPT = 2;

/** What was changed by hand, unit by unit: 0, CUT or KEPT. */
export function fatesOf(byHand, layers, many) {
  const fates = new Uint8Array(many);
  for (const { name, id } of layers) {
    for (const i of byHand[name]?.cut ?? []) fates[id[i]] = CUT;
    for (const i of byHand[name]?.kept ?? []) fates[id[i]] = KEPT;
  }
  return fates;
}

/** The trait `by_hand` in the one form that Python gives it too: layers in order, indices in order, tied ones together. */
export function handOf(fates, layers) {
  const hand = {};
  for (const { name, id } of layers) {
    const lists = { cut: [], kept: [] };
    id.forEach((unit, i) => { if (unit >= 0 && fates[unit]) lists[fates[unit] === CUT ? "cut" : "kept"].push(i); });
    if (lists.cut.length + lists.kept.length) hand[name] = lists;
  }
  return hand;
}

/** Outputs of a layer, best first; of equal scores the higher index, which goes later. */
export const bestFirst = (score) => [...score.keys()].sort((a, b) => score[b] - score[a] || b - a);

/** The step at which the rule prunes `wanted` of these places. */
export function stepFor(places, wanted) {
  const sorted = [...places].sort((a, b) => a - b);
  const most = sorted.findLastIndex((place) => place <= 10000) + 1;
  if (wanted > 0) return sorted[Math.min(wanted, most) - 1] ?? 0;
  return sorted.length ? Math.min(sorted[0] - 1, 10000) : 0;
}

/** Parameters and multiplications of the network that is left when units are gone. */
export function costWithout(wires, rest, gone) {
  const left = (ids) => {
    let many = ids.length;
    for (let i = 0; i < ids.length; i++) if (ids[i] >= 0 && gone[ids[i]]) many--;
    return many;
  };
  let [parameters, macs] = [rest, 0];
  for (const { rows, columns, area, each, uses } of wires) {
    const [outputs, inputs] = [left(rows), left(columns)];
    parameters += outputs * (each + inputs * area);
    macs += uses * outputs * inputs * area;
  }
  return { parameters, macs };
}

export class Units {
  constructor(model) {
    this.model = model;
    this.noun = model.get("noun");
    let first = 0;
    this.layers = model.get("layers").map((layer) => {
      first += layer.shape[0];
      return { ...layer, size: layer.shape[0], first: first - layer.shape[0] };
    });
    let from = 0;
    const wired = typed(model.get("wired"), Int32Array);
    const take = (many) => wired.subarray(from, (from += many));
    this.wires = model.get("wires").map((wire) => ({ ...wire, rows: take(wire.rows), columns: take(wire.columns) }));
    this.load();
    this.whole = costWithout(this.wires, model.get("rest"), this.unitPlaces.map(() => 0));
  }

  load() {
    const [places, scores, ids] = [["places", Uint16Array], ["scored", Float64Array], ["ids", Int32Array]].map(([name, Type]) => typed(this.model.get(name), Type));
    const highest = (arrays) => arrays.reduce((most, ids) => ids.reduce((a, b) => Math.max(a, b), most), -1);
    this.unitPlaces = new Uint16Array(highest([ids, ...this.wires.flatMap(({ rows, columns }) => [rows, columns])]) + 1).fill(65535);
    this.counted = new Set(ids.filter((id) => id >= 0));
    this.total = this.counted.size;
    ids.forEach((id, entry) => { if (id >= 0) this.unitPlaces[id] = places[entry]; });
    for (const layer of this.layers) {
      const part = (array) => array.subarray(layer.first, layer.first + layer.size);
      Object.assign(layer, { place: part(places), score: part(scores), id: part(ids) });
      layer.order = bestFirst(layer.score);
      layer.rank = new Uint32Array(layer.size);
      layer.order.forEach((i, rank) => { layer.rank[i] = rank; });
      layer.most = Math.max(...layer.score, 1e-12);
    }
    this.last = null;
  }

  /** The layers to choose from, and the one that stands for another. */
  get tabs() { return this.layers.map(({ name }) => name); }
  tabOf(name) { return name; }

  layer(name) { return this.layers.find((layer) => layer.name === name) ?? this.layers[0]; }

  /** Which units the rule prunes at a step. */
  ruled(step) {
    const gone = new Uint8Array(this.unitPlaces.length);
    for (let id = 0; id < gone.length; id++) gone[id] = Number(this.unitPlaces[id] <= step); // never, of what is not counted
    return gone;
  }

  /** Which units are gone, and how many of each layer and in all; several parts ask in one frame. */
  at(sparsity, byHand) {
    const step = stepOf(sparsity);
    const [shares, last] = [this.model.get("sparsities"), this.last];
    if (last?.step === step && last.byHand === byHand && last.shares === shares) return last;
    const ruled = this.ruled(step);
    // Many a move of the slider cuts no unit more; what is drawn of the same object is not drawn anew.
    if (last?.byHand === byHand && ruled.every((cut, id) => cut === last.ruled[id])) return Object.assign(last, { step, shares });
    const fates = fatesOf(byHand, this.layers, this.unitPlaces.length);
    const changed = Object.keys(byHand).length > 0;
    const gone = changed ? ruled.map((cut, id) => (fates[id] ? Number(fates[id] === CUT) : cut)) : ruled;
    const all = gone.reduce((sum, cut) => sum + cut, 0);
    const inLayers = (which) => this.layers.map((layer) => layer.id.reduce((sum, id) => sum + (id < 0 ? 0 : which[id]), 0));
    const rule = inLayers(ruled);
    const pruned = changed ? inLayers(gone) : rule;
    const small = costWithout(this.wires, this.model.get("rest"), gone);
    this.last = { step, byHand, shares, ruled, gone, fates, rule, pruned, all, kept: this.total - all, small };
    return this.last;
  }

  cuts(sparsity) {
    const step = stepOf(sparsity);
    return { "": cutAt(step, this.total), ...Object.fromEntries(this.layers.map((l) => [l.name, cutAt(step, l.size)])) };
  }

  /** Cut a unit by hand, or keep it; a second time lets the rule decide again. */
  toggle(frame, layer, i) {
    const at = this.at(frame.get("sparsity"), frame.get("by_hand"));
    const id = layer.id[i];
    if (id < 0) return;
    const fates = at.fates.slice();
    fates[id] = fates[id] ? 0 : at.gone[id] ? KEPT : CUT;
    frame.set({ by_hand: handOf(fates, this.layers), layer: layer.name });
    frame.speak = true;
  }

  /** The sparsity at which the rule leaves so many of a layer. */
  sparsityFor(layer, kept) { return stepFor(layer.place, layer.size - kept) / 10000; }
}

// -- parts -------------------------------------------------------------------------------------------------

export function sortChoice(frame) {
  const order = choice("order", [["score", "by score"], ["place", "by place"]], (value) => frame.set({ sort: value }));
  frame.on("sort", () => {});
  frame.paint(() => frame.write(() => { if (!frame.get("moving")) order.select.value = frame.get("sort"); }));
  return order.node;
}

/** The scores of one layer as bars, sorted, and where the rule cuts. */
export function scoresPart(frame, units) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", { class: "pv-caption", "data-png": true });
  const layerTabs = tabs("Layer of the scores", units.tabs, (name) => frame.set({ layer: name }));
  const ordered = (layer) => (frame.get("sort") === "score" ? layer.order : [...layer.score.keys()]);
  const twin = fold("Scores in numbers", () => {
    const layer = units.layer(frame.get("layer"));
    const at = units.at(frame.get("sparsity"), frame.get("by_hand"));
    return [el("div", { class: "pv-scroll" }, table([units.noun.slice(0, -1), "score", "rank", ""], ordered(layer).map((i) => [String(i), layer.score[i].toPrecision(4), String(layer.rank[i] + 1), at.gone[layer.id[i]] ? "pruned" : "kept"])))];
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
      setText(caption, `Scores of ${layer.name} by ${frame.get("ranking")[1]}: ${grouped(layer.size - at.pruned[index])} of ${grouped(layer.size)} kept`);
      if (frame.get("moving")) return;
      layerTabs.show(units.tabOf(layer.name));
      const best = layer.order[0];
      canvas.setAttribute("aria-label", `Bars, ${sorted ? "best first" : "by place"}. ${caption.textContent}. Highest ${layer.score[best].toPrecision(3)}, lowest ${layer.score[layer.order.at(-1)].toPrecision(3)}.`);
      twin.refresh();
    });
  }, canvas);
  return el("figure", { class: "pv-panel" }, caption, el("div", { class: "pv-bar" }, layerTabs.node, sortChoice(frame)), canvas, twin.node);
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
  const caption = el("figcaption", { class: "pv-caption", "data-png": true });
  const counts = () => (hidden(frame) ? null : frame.get("exact").confusion);
  const twin = fold("Confusion in numbers", () => {
    const rows = counts() ?? [];
    return [el("div", { class: "pv-scroll" }, table(["truth \\ answer", ...rows.keys()], rows.map((row, truth) => [String(truth), ...row.map(grouped)])))];
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
      setText(caption, !rows ? "Answers by class: not measured yet" : `Answers by class${stale ? ", before the last change" : ""}: rows are the truth, columns the answer`);
      canvas.setAttribute("aria-label", rows ? `Confusion matrix. Most frequent errors: ${worst.map(([truth, answer, many]) => `${truth} taken for ${answer}, ${many} times`).join("; ") || "none"}.` : "Confusion matrix, not measured yet");
      twin.refresh();
    });
  }, canvas);
  return el("figure", { class: "pv-panel" }, caption, canvas, twin.node);
}

/** The most frequent errors: [truth, answer, how often]. */
export function worstPairs(rows, many = 3) {
  const pairs = rows.flatMap((row, truth) => row.map((count, answer) => [truth, answer, count]));
  return pairs.filter(([truth, answer, count]) => truth !== answer && count > 0).sort((a, b) => b[2] - a[2]).slice(0, many);
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
  const errors = Math.max(1, ...rows.map((row, truth) => Math.max(0, ...row.filter((_, answer) => answer !== truth))));
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
      if (count) text(context, String(count), x + side / 2, y + tall / 2 + 4, { colour: ink ?? colours.ink, align: "center" });
    });
  });
  context.globalAlpha = 1;
}

/** The images whose answer differs from the whole model's, or from that of the state before. */
export function changesPart(frame) {
  const body = el("div", { class: "pv-compare" });
  const against = choice("against", [["whole", "the whole model"], ["before", "the state before"]], (value) => frame.set({ against: value }));
  const refresh = () => {
    const found = frame.get("changes");
    const ready = found.images && !hidden(frame);
    const start = found.with?.scope ? `The last change, from ${ruleOf(found.with)}` : "From the whole model";
    body.replaceChildren(...(ready ? changedImages(found, frame.get("changed"), `${start} to ${ruleOf(found.state)}: `) : [el("p", { class: "pv-hint" }, "Shown once measured.")]));
  };
  for (const name of ["changes", "changed", "guess"]) frame.on(name, refresh);
  frame.on("against", () => {});
  refresh();
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    against.select.value = frame.get("against");
    against.select.disabled = frame.offline;
  }));
  return el("section", { class: "pv-panel" }, el("div", { class: "pv-bar" }, el("h4", { class: "pv-caption", "data-png": true }, "Answers that changed"), against.node), body);
}

/** Removing for real: a button, and what became smaller. */
export function removalPart(frame, units) {
  const go = button(`Remove the pruned ${units.noun}`, () => frame.set({ wanted: frame.state() }), { class: "pv-button pv-primary" });
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
    setText(note, frame.offline ? "fixed in this file" : done ? "" : asked ? "removing…" : problem ? `They cannot go: ${problem}` : `A masked model keeps its shapes. Removing takes the ${units.noun} out, and compares the outputs.`);
    body.toggleAttribute("data-stale", Boolean(found.state) && !done);
  }));
  return el("section", { class: "pv-panel" }, el("h4", { class: "pv-caption", "data-png": true }, "Smaller for real"), el("div", { class: "pv-bar pv-remove" }, go, note), body);
}

function removed(found) {
  if (!found.state) return [];
  const at = el("p", {}, `At ${ruleOf(found.state)}:`);
  if (found.problem) return [at, el("p", {}, found.problem)];
  const pair = (name, [before, after], write) => [name, write(before), write(after), percent(after / before)];
  const shape = (sizes) => sizes.join(" × ");
  return [
    at,
    el("div", { class: "pv-scroll" }, table(["", "masked", "removed", "left"], [
      ...found.layers.map(({ name, before, after }) => [name, shape(before), shape(after), percent(after.reduce((a, b) => a * b, 1) / before.reduce((a, b) => a * b, 1))]),
      pair("parameters", found.parameters, grouped),
      pair("MACs", found.macs, grouped),
      pair("plain file", found.raw_bytes, bytesText),
      pair("compact file", found.compact_bytes, bytesText),
    ])),
    el("p", {}, `The proof: on ${grouped(found.images)} images the outputs of the two models differ by at most ${found.difference === 0 ? "0" : found.difference.toExponential(1)} of the largest output; ${grouped(found.other)} answers differ.`),
  ];
}

function unitCard(frame, units) {
  const cost = ({ parameters, macs }) => `${grouped(parameters)} parameters, ${millions(macs)} MACs`;
  const masked = cost(units.whole);
  return scorecardPart(frame, units, {
    masked: () => masked,
    removed: ({ at, exact }) => (exact?.smaller?.problem ? "not possible here" : cost(exact?.smaller ?? at.small)),
    file: ({ at }) => `≈ ${bytesText(4 * at.small.parameters)} removed, ${bytesText(4 * units.whole.parameters)} masked`,
  });
}

export const unitDrawings = {
  scores: scoresPart, scorecard: unitCard, confusion: confusionPart, removal: removalPart, changes: changesPart,
};

export default explorer(Units, unitDrawings);
