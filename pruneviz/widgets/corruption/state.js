// What CorruptionView says of the digits that were spoiled, as view.py says it.
import { grouped, percent } from "../frame/pure.js";

/** Where counts, pictures and answers have a corruption: clean ones first, then kind by kind. */
export function wayOf(kinds, kind, strength) {
  if (!strength) return 0;
  const names = Object.keys(kinds);
  return names.slice(0, names.indexOf(kind)).reduce((before, one) => before + kinds[one].length, strength);
}

/** The right answers of each network, from clean digits to the strongest corruption of a kind. */
export const rightOf = (counts, kinds, kind) => counts.map(({ right }) =>
  [0, ...kinds[kind].keys()].map((_, strength) => right[wayOf(kinds, kind, strength)]));

/** The names of the strengths of a kind, from clean digits on. */
export const strengthsOf = (kinds, kind) => ["clean", ...kinds[kind].map(String)];

export const howOf = ({ kinds, kind, strength }) =>
  (strength ? `${kind} ${strengthsOf(kinds, kind)[strength]}` : "clean digits");

export const prunedOf = (sparsity) => (sparsity ? `${percent(sparsity, 0)} pruned` : "nothing pruned");

/** What a screen reader hears. */
export function sentenceOf(state) {
  const { kinds, counts, total, kind, strength, sparsity } = state;
  const way = wayOf(kinds, kind, strength);
  const [pruned, dense] = [sparsity, 0].map((share) => counts.find((one) => one.sparsity === share).right[way]);
  return `${howOf(state)}, ${percent(sparsity, 0)} pruned: ${grouped(pruned)} of ${grouped(total)} right; `
    + `nothing pruned: ${grouped(dense)}.`;
}
