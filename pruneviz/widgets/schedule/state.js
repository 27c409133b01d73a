// What ScheduleExplorer computes: the same numbers as state.py and pv.schedules, which `node --test` checks.
import { percent, sparsityText } from "../frame/pure.js";

export const KIND_NAMES = [
  ["one_shot", "one-shot"], ["constant", "constant"], ["linear", "linear"], ["exponential", "exponential"],
  ["cosine", "cosine"], ["polynomial", "polynomial (Zhu & Gupta)"], ["article", "an article's formula"],
];
const CURVES = {
  one_shot: (progress, { final }) => (progress === 1 ? final : 0),
  constant: (_, { final }) => final,
  linear: (progress, { initial, final }) => final + (initial - final) * (1 - progress),
  exponential: (progress, { initial, final }) => 1 - (1 - initial) ** (1 - progress) * (1 - final) ** progress,
  cosine: (progress, { initial, final }) => final + ((initial - final) * (1 + Math.cos(Math.PI * progress))) / 2,
  polynomial: (progress, { initial, final, power }) => final + (initial - final) * (1 - progress) ** power,
  article: (progress, { initial, final, power }) => (final - initial) * progress ** power,
};

export const hasInitial = ({ kind }) => !["one_shot", "constant"].includes(kind);
export const hasPower = ({ kind }) => ["polynomial", "article"].includes(kind);
export const hasEnd = ({ kind }) => kind !== "one_shot";
export const firstRound = ({ begin }) => Math.max(1, begin); // there is no round 0 to prune in

const ends = (state) => (state.kind === "one_shot" ? [firstRound(state), firstRound(state)] : [state.begin, state.end]);

/** The sparsity that the schedule's formula gives at a step. */
export function sparsityAt(state, step) {
  const [begin, end] = ends(state);
  const progress = end <= begin ? Number(step >= begin) : Math.min(1, Math.max(0, (step - begin) / (end - begin)));
  return Number(CURVES[state.kind](progress, state).toFixed(12));
}

export function prunesIn(state, round) {
  const [begin, end] = ends(state);
  const frequency = state.kind === "one_shot" ? 1 : state.frequency;
  return round >= begin && round <= end && (round - begin) % frequency === 0;
}

/** How many of `total` a share is, half up on the decimal as written: exact, for a float would err at large totals. */
export function countAt(share, total) {
  const [whole, part = ""] = share.toFixed(12).split(".");
  const scale = 10n ** BigInt(part.length);
  return Number((2n * BigInt(whole + part) * BigInt(total) + scale) / (2n * scale));
}

/** For each round whether it prunes, how sparse it leaves the network, how many go and how many are left. */
export function planOf(state, pools) {
  const total = pools.reduce((sum, size) => sum + size, 0);
  const plan = [];
  let [share, pruned] = [0, 0];
  for (let round = 1; round <= state.budget; round++) {
    const [before, prunes] = [pruned, prunesIn(state, round)];
    const asked = sparsityAt(state, round);
    if (prunes && asked > share) { // what is pruned stays pruned
      share = asked;
      pruned = pools.reduce((sum, size) => sum + countAt(share, size), 0);
    }
    plan.push({ round, prunes, sparsity: share, leave: pruned - before, left: total - pruned });
  }
  return plan;
}

// -- the hand ----------------------------------------------------------------------------------------------

const round4 = (share) => Math.round(share * 1e4) / 1e4;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A state in which one value was changed, with all that it passes carried along: the traits that change. */
export function changed(state, values) {
  const now = { ...state, ...values };
  const moved = (name) => name in values;
  now.budget = clamp(Math.round(now.budget), 1, 100);
  for (const name of ["begin", "end"]) now[name] = clamp(Math.round(now[name]), 0, now.budget);
  for (const name of ["initial", "final"]) now[name] = round4(clamp(now[name], 0, 1));
  if (now.kind === "exponential") now.final = Math.min(now.final, 0.9999);
  now.power = clamp(Math.round(100 * now.power) / 100, 0.01, 100);
  now.frequency = clamp(Math.round(now.frequency), 1, 100);
  for (const [low, high] of [["initial", "final"], ["begin", "end"]]) {
    if (now[low] <= now[high]) continue;
    if (moved(low)) now[high] = now[low];
    else now[low] = now[high];
  }
  if (now.kind === "exponential" && now.initial > 0.9999) now.initial = now.final = 0.9999;
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => state[name] !== value));
}

/** Where the handles of the curve are: name, step, share, and what a hand that moves them changes. */
export function handlesOf(state) {
  const { kind, initial, final } = state;
  const [begin, end] = ends(state);
  if (kind === "one_shot") {
    const change = (step, share) => ({ begin: Math.max(1, step), final: share });
    return [{ name: "prune", step: begin, share: final, change }];
  }
  const last = {
    name: "end", step: end, share: kind === "article" ? sparsityAt(state, end) : final,
    change: (step, share) => ({ end: step, final: kind === "article" ? initial + share : share }),
  };
  if (kind === "constant") return [
    { name: "begin", step: begin, share: final, change: (step, share) => ({ begin: step, final: share }) },
    { ...last, change: (step, share) => ({ end: step, final: share }) },
  ];
  const first = {
    name: "begin", step: begin, share: kind === "article" ? 0 : initial,
    change: (step, share) => (kind === "article" ? { begin: step } : { begin: step, initial: share }),
  };
  if (!hasPower(state) || end - begin < 1 || final === initial) return [first, last];
  const change = (_, share) => ({ power: powerThrough(state, share) });
  return [first, { name: "exponent", step: (begin + end) / 2, share: middle(state), change }, last];
}

const middle = (state) => CURVES[state.kind](0.5, state);

/** The exponent with which the curve passes a share half-way. */
export function powerThrough({ kind, initial, final, power }, share) {
  const rest = (kind === "article" ? share : final - share) / (final - initial);
  if (!(rest > 0)) return 10;
  if (rest >= 1) return 0.1;
  const found = Math.log(rest) / Math.log(0.5);
  return Number.isFinite(found) ? clamp(Math.round(20 * found) / 20, 0.1, 10) : power;
}

// -- in words ----------------------------------------------------------------------------------------------

/** A schedule in a few words, as the kernel names a run of it. */
export function nameOfRun({ kind, initial, final }) {
  const word = { one_shot: "one-shot", article: "article's formula" }[kind] ?? kind;
  return `${word} to ${+(100 * (kind === "article" ? final - initial : final)).toFixed(2)}%`;
}

/** The rounds that prune, as "1 to 4", "1, 3, 5" or "2". */
export function pruningRounds(plan) {
  const rounds = plan.filter((one) => one.prunes && one.leave).map((one) => one.round);
  if (!rounds.length) return "never";
  const [first, last] = [rounds[0], rounds.at(-1)];
  if (rounds.length === 1) return `in round ${first}`;
  if (last - first === rounds.length - 1) return `in rounds ${first} to ${last}`;
  return rounds.length > 8 ? `${rounds.length} times, in rounds ${first} to ${last}` : `in rounds ${rounds.join(", ")}`;
}

/** What a plan does not do although its sliders suggest it; empty if it does. */
export function warningOf(state, plan) {
  const reached = plan.at(-1).sparsity;
  if (state.kind === "article" && state.initial > 0) {
    const height = sparsityText(round4(state.final - state.initial));
    return `This formula begins at 0% whatever S₀ says, and ends at Sₑ − S₀ = ${height}.`;
  }
  if (reached >= state.final - 1e-9) return "";
  const asked = `asks for ${percent(reached)}, not ${sparsityText(state.final)}`;
  return `The last round that prunes ${asked}: the frequency steps over round ${state.end}.`;
}

/** The snippet's lines that make the schedule, as state._schedule_code writes them. */
export function scheduleCode(state) {
  const { kind, initial, final, begin, end, power, frequency } = state;
  const when = `begin=${begin}, end=${end}, frequency=${frequency}`;
  const steps = `begin_step=${begin}, end_step=${end}, frequency=${frequency}`;
  if (kind === "one_shot") return `schedule = pv.schedules.one_shot(${final}, begin=${firstRound(state)})`;
  if (kind === "article") {
    return `schedule = pv.schedules.custom(lambda progress: (${final} - ${initial}) * progress**${power}, ${when})`;
  }
  const pair = kind === "constant" ? final : `${initial}, ${final}`;
  const more = kind === "polynomial" ? `, power=${power}` : "";
  const line = `schedule = pv.schedules.${kind}(${pair}, ${when}${more})`;
  if (final === 1 || (kind !== "constant" && begin === end)) return line;
  if (kind === "constant") return `${line}\n# tfmot: ConstantSparsity(${final}, ${steps})`;
  if (kind !== "linear" && kind !== "polynomial") return line;
  return `${line}\n# tfmot: PolynomialDecay(${pair}, ${steps}, power=${kind === "polynomial" ? power : 1})`;
}

/** The whole snippet, as state.code_of writes it. */
export function snippetOf(state, words) {
  const { model, fine_tune: fineTune, data, ...others } = words;
  const given = Object.entries(others).map(([name, value]) => `, ${name}=${value}`).join("");
  return `import pruneviz as pv


def shown_run(model, fine_tune, data):
    # a step of the schedule is a round
    ${scheduleCode(state).replace("\n", "\n    ")}
    for done in pv.iterate(model, schedule, fine_tune, data, rounds=${state.budget}${given}):
        print(done)
        yield done


shown_rounds = list(shown_run(${model}, ${fineTune}, ${data}))
`;
}
