// Channels: units of tied layers, whose groups may have a share of their own.
import { filled, listed, quoted, stepOf } from "../frame/pure.js";
import { costWithout, Units } from "./unit_counts.js";
import { blocksOf, coupledOf, flowsOf } from "./chain.js";

export class Channels extends Units {
  constructor(model) {
    super(model);
    this.groups = model.get("groups").map((group) => {
      const ids = group.layers.flatMap((name) => [...this.layer(name).id]);
      return { ...group, units: [...new Set(ids)].filter((id) => id >= 0) };
    });
    this.blocks = blocksOf(model.get("chain"), this.wires);
    const added = (flow) => Boolean(this.group(flow.units[0])?.how.includes("added"));
    this.flows = flowsOf(this.blocks).map((flow) => ({ ...flow, added: added(flow) }));
  }

  load() {
    super.load();
    /** @type {Uint16Array} */
    this.ownPlaces = this.unitPlaces.slice();
    /** @type {Uint32Array} */
    this.ranks = new Uint32Array(this.unitPlaces.length);
    const seen = new Set();
    for (const layer of this.layers) {
      layer.id.forEach((id, i) => {
        if (id < 0) return;
        this.ownPlaces[id] = layer.own[i];
        if (!seen.has(id)) this.ranks[id] = layer.first + layer.rank[i];
        seen.add(id);
      });
    }
  }

  ruled(step) {
    const gone = super.ruled(step);
    const shares = this.model.get("sparsities");
    for (const { name, units } of this.groups) {
      if (!(name in shares)) continue;
      const own = stepOf(shares[name]);
      for (const id of units) gone[id] = Number(this.ownPlaces[id] <= own);
    }
    return gone;
  }

  /** Show code with the groups that have a share of their own, as ChannelExplorer.snippet. */
  code() {
    const shares = this.model.get("sparsities");
    const named = this.groups.filter(({ name }) => name in shares);
    const number = (share) => (Number.isInteger(share) ? share.toFixed(1) : String(share));
    const written = named.map(({ name }) => `${quoted(name)}: ${number(shares[name])}`).join(", ");
    const names = listed(named.flatMap(({ layers }) => layers));
    const cut = `own = pv.prune(model, scope={${written}}, **options).to_dict()  # groups with a share of their own`;
    const own = `\n    ${cut}\n    keep.update({name: own[name] for name in ${names}})`;
    return filled(this.model.get("code"), { own: named.length ? own : "" });
  }

  /** Tied layers have the same scores: one tab for each group. */
  get tabs() { return this.groups.map(({ name }) => name); }
  tabOf(name) { return this.groups.find(({ layers }) => layers.includes(name)).name; }

  unit(name, i) { return this.blocks.find((block) => block.name === name)?.rows[i] ?? -1; }
  coupled(unit) { return coupledOf(this.blocks, this.wires, unit); }
  group(unit) { return this.groups.find(({ units }) => units.includes(unit)); }

  /** What the whole network would lose with this unit alone. */
  worth(unit) {
    const left = costWithout(this.wires, this.model.get("rest"), { [unit]: 1 });
    return { parameters: this.whole.parameters - left.parameters, macs: this.whole.macs - left.macs };
  }
}
