// Whole units (neurons, filters): what is pruned of them at a step of the slider.
//
// `Units` has for each layer its `order` (best first) and `score`, `place`, `id` of each output, and
// at(sparsity, byHand).gone[id] says whether a unit is pruned; toggle(frame, layer, i) cuts it by hand.
import { cutAt, stepOf } from "../frame/pure.js";
import { decode } from "../frame/wire.js";

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

/** The trait `by_hand` in the one form of Python too: layers in order, indices in order, tied ones together. */
export function handOf(fates, layers) {
  const hand = {};
  for (const { name, id } of layers) {
    /** @type {Record<string, number[]>} */
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
    this.layers = decode(model.get("layers")).map((layer) => {
      first += layer.shape[0];
      return { ...layer, size: layer.shape[0], first: first - layer.shape[0] };
    });
    this.wires = decode(model.get("wires"));
    const own = this.layers.map(({ id }) => id);
    const all = [...own, ...this.wires.flatMap(({ rows, columns }) => [rows, columns])];
    this.many = all.reduce((most, ids) => ids.reduce((a, b) => Math.max(a, b), most), -1) + 1;
    this.counted = new Set(own.flatMap((ids) => [...ids].filter((id) => id >= 0)));
    this.total = this.counted.size;
    this.load();
    this.whole = costWithout(this.wires, model.get("rest"), this.unitPlaces.map(() => 0));
  }

  load() {
    const { layers } = decode(this.model.get("ranking"));
    /** @type {Uint16Array} */
    this.unitPlaces = new Uint16Array(this.many).fill(65535);
    for (const layer of this.layers) {
      Object.assign(layer, layers[layer.name]);
      layer.id.forEach((id, i) => { if (id >= 0) this.unitPlaces[id] = layer.place[i]; });
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
    // What is not counted has a place beyond all steps.
    for (let id = 0; id < gone.length; id++) gone[id] = Number(this.unitPlaces[id] <= step);
    return gone;
  }

  /** Which units are gone, and how many of each layer and in all; several parts ask in one frame. */
  at(sparsity, byHand) {
    const step = stepOf(sparsity);
    const [shares, last] = [this.model.get("sparsities"), this.last];
    if (last?.step === step && last.byHand === byHand && last.shares === shares) return last;
    const ruled = this.ruled(step);
    // Many a move of the slider cuts no unit more; what is drawn of the same object is not drawn anew.
    const stays = last?.byHand === byHand && ruled.every((cut, id) => cut === last.ruled[id]);
    if (stays) return Object.assign(last, { step, shares });
    const fates = fatesOf(byHand, this.layers, this.unitPlaces.length);
    const changed = Object.keys(byHand).length > 0;
    const gone = changed ? ruled.map((cut, id) => (fates[id] ? Number(fates[id] === CUT) : cut)) : ruled;
    const all = gone.reduce((sum, cut) => sum + cut, 0);
    const inLayer = (which, { id: ids }) => ids.reduce((sum, id) => sum + (id < 0 ? 0 : which[id]), 0);
    const inLayers = (which) => this.layers.map((layer) => inLayer(which, layer));
    const rule = inLayers(ruled);
    const pruned = changed ? inLayers(gone) : rule;
    const small = costWithout(this.wires, this.model.get("rest"), gone);
    this.last = { step, byHand, shares, ruled, gone, fates, rule, pruned, all, kept: this.total - all, small };
    return this.last;
  }

  cuts(sparsity) {
    const step = stepOf(sparsity);
    const inLayers = this.layers.map(({ name, size }) => [name, cutAt(step, size)]);
    return { "": cutAt(step, this.total), ...Object.fromEntries(inLayers) };
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
