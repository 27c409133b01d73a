// What the kernel sent about a ranking, and what follows from it at a step of the slider.
import { cutAt, handChange, prunedByStep, stepOf, typed } from "../frame/pure.js";

export class Weights {
  noun = "weights";

  constructor(model) {
    this.model = model;
    let first = 0;
    this.layers = model.get("layers").map((layer) => {
      const size = layer.shape.reduce((a, b) => a * b, 1);
      first += size;
      return { ...layer, size, first: first - size };
    });
    this.total = first;
    this.load();
  }

  load() {
    const { model } = this;
    this.places = typed(model.get("places"), Uint16Array);
    this.exact = this.places.length === this.total;
    this.shares = typed(model.get("shares"), Uint8Array);
    const counts = typed(model.get("counts"), Uint32Array);
    let block = 0;
    this.layers.forEach((layer, i) => {
      layer.counts = this.exact
        ? prunedByStep(this.places.subarray(layer.first, layer.first + layer.size))
        : counts.subarray((i * counts.length) / this.layers.length, ((i + 1) * counts.length) / this.layers.length);
      const grid = model.get("grids")[layer.name];
      if (grid) Object.assign(layer, { grid, block });
      if (grid) block += 51 * grid[0] * grid[1];
    });
    this.last = null;
  }

  layer(name) { return this.layers.find((layer) => layer.name === name) ?? this.layers[0]; }

  /** The slider's step, and what is pruned of each layer there by rule and in all; several parts ask at once. */
  at(sparsity, byHand) {
    const step = stepOf(sparsity);
    if (this.last?.step === step && this.last.byHand === byHand) return this.last;
    const rule = this.layers.map((layer) => layer.counts[step]);
    const byHandIn = ({ name, first }) =>
      (this.exact && byHand[name] ? handChange(byHand[name], this.places, first, step) : 0);
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
