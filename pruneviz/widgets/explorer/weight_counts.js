// What the kernel sent about a ranking, and what follows from it at a step of the slider.
import { cutAt, handChange, prunedByStep, stepOf } from "../frame/pure.js";
import { decode } from "../frame/wire.js";

export class Weights {
  noun = "weights";

  constructor(model) {
    this.model = model;
    this.layers = model.get("layers").map((layer) => ({ ...layer, size: layer.shape.reduce((a, b) => a * b, 1) }));
    this.total = this.layers.reduce((sum, { size }) => sum + size, 0);
    this.load();
  }

  load() {
    const { layers } = decode(this.model.get("ranking"));
    for (const layer of this.layers) {
      const { place, counts = prunedByStep(place), ...more } = layers[layer.name];
      Object.assign(layer, { place, counts, ...more });
    }
    this.exact = this.layers.every(({ place }) => place); // of large models there are shares of blocks instead
    this.last = null;
  }

  layer(name) { return this.layers.find((layer) => layer.name === name) ?? this.layers[0]; }

  /** The slider's step, and what is pruned of each layer there by rule and in all; several parts ask at once. */
  at(sparsity, byHand) {
    const step = stepOf(sparsity);
    if (this.last?.step === step && this.last.byHand === byHand) return this.last;
    const rule = this.layers.map((layer) => layer.counts[step]);
    const byHandIn = ({ name, place }) => (place && byHand[name] ? handChange(byHand[name], place, step) : 0);
    const pruned = this.layers.map((layer, i) => rule[i] + byHandIn(layer));
    const all = pruned.reduce((a, b) => a + b, 0);
    this.last = { step, byHand, rule, pruned, all, kept: this.total - all };
    return this.last;
  }

  /** The counts that Show code needs. */
  cuts(sparsity) {
    const step = stepOf(sparsity);
    const inLayers = this.layers.map(({ name, size }) => [name, cutAt(step, size)]);
    return { "": cutAt(step, this.total), ...Object.fromEntries(inLayers) };
  }

  macs(at) {
    return {
      run: this.layers.reduce((sum, layer) => sum + layer.uses * layer.size, 0),
      useful: this.layers.reduce((sum, layer, i) => sum + layer.uses * (layer.size - at.pruned[i]), 0),
    };
  }
}
