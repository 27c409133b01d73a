// Pictures of ScheduleExplorer: rounds as columns under the curve, and what the runs reached.
import { grouped, millions, percent } from "../frame/pure.js";
import { hatch, line, sharp, sheetOf, text } from "../frame/draw.js";
import { sparsityAt } from "./state.js";

const EDGES = { left: 48, right: 14, top: 12, bottom: 78 };
const SHAPES = ["circle", "square", "triangle", "diamond", "down", "plus"];
const DASHES = [[], [7, 3], [9, 3, 2, 3], [2, 2], [12, 4], [4, 2, 1, 2]];
const palettes = new WeakMap();

/** Colour, marker and dashes of each run, told apart without colour too; read once for each theme. */
export function runLooks(root, colours) {
  if (!palettes.has(colours)) {
    const css = getComputedStyle(root);
    const colourOf = (i) => css.getPropertyValue(`--pv-run-${i + 1}`).trim();
    palettes.set(colours, SHAPES.map((shape, i) => ({ colour: colourOf(i), shape, dash: DASHES[i] })));
  }
  return palettes.get(colours);
}

/** Where a step and a share stand in the picture of the curve, and back. */
export function curvePlaces(width, height, budget) {
  const { left, right, top, bottom } = EDGES;
  const across = (width - left - right) / (budget + 1);
  const tall = height - top - bottom;
  return {
    across, base: height - bottom,
    x: (step) => left + (step + 0.5) * across,
    y: (share) => height - bottom - share * tall,
    stepAt: (x) => (x - left) / across - 0.5,
    shareAtHeight: (y) => (height - bottom - y) / tall,
  };
}

/** What no hand on the curve changes: shares at the left, rounds and names of the rows of numbers below. */
export function scheduleSheet(width, height, budget, colours) {
  return sheetOf(width, height, (context) => {
    const places = curvePlaces(width, height, budget);
    shareTicks(context, places, width, colours);
    const { x, base, across } = places;
    const every = Math.ceil(26 / across);
    const first = across > 44 ? "given" : "0";
    for (let round = 0; round <= budget; round += every) {
      text(context, round ? String(round) : first, x(round), base + 21, { colour: colours.ink, align: "center" });
    }
    const rows = [["round", colours.quiet], ["cut", colours.mark], ["left", colours.quiet]];
    rows.forEach(([words, colour], i) =>
      text(context, words, EDGES.left - 6, base + 21 + 18 * i, { colour, align: "right" }));
  });
}

/** One column a round, pruned below and kept above; the formula as a dotted line; what other runs had as marks. */
export function drawSchedule(canvas, width, height, { sheet, state, plan, marks }, colours) {
  const context = sharp(canvas, width, height);
  const places = curvePlaces(width, height, state.budget);
  context.drawImage(sheet, 0, 0, width, height);
  columns(context, places, plan, colours);
  const each = Math.ceil(120 / state.budget); // a whole number of points a round, so that a bend at a round is sharp
  const steps = Array.from({ length: state.budget * each + 1 }, (_, i) => i / each);
  const curve = steps.map((step) => [places.x(step), places.y(sparsityAt(state, step))]);
  line(context, curve, colours.paper, 4);
  line(context, curve, colours.ink, 2, [2, 3]);
  marks.forEach(({ look, plan: theirs }, run) => {
    const aside = 0.6 * places.across * ((run + 1) / (marks.length + 1) - 0.5); // side by side in the round's column
    for (const { round, sparsity } of theirs.filter((one) => one.round <= state.budget)) {
      marker(context, places.x(round) + aside, places.y(sparsity), look, colours, 3.5);
    }
  });
  numbersBelow(context, places, plan, colours);
}

function shareTicks(context, { y }, width, colours) {
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    line(context, [[EDGES.left, y(share)], [width - EDGES.right, y(share)]], colours.line);
    text(context, percent(share, 0), EDGES.left - 6, y(share) + 4, { colour: colours.quiet, align: "right" });
  }
}

function columns(context, { x, y, across }, plan, colours) {
  const wide = Math.max(Math.min(0.72 * across, 60), 1.5);
  const all = [{ round: 0, sparsity: 0 }, ...plan];
  context.fillStyle = colours.kept;
  for (const { round, sparsity } of all) context.fillRect(x(round) - wide / 2, y(1), wide, y(sparsity) - y(1));
  context.fillStyle = hatch(context, colours);
  for (const { round, sparsity } of all) context.fillRect(x(round) - wide / 2, y(sparsity), wide, y(0) - y(sparsity));
}

/** How many go and how many are left, where there is room for them. */
function numbersBelow(context, { x, base, across }, plan, colours) {
  const words = (value, at, row, colour) => text(context, value, at, base + 21 + 18 * row, { colour, align: "center" });
  const some = Math.ceil(41 / across);
  for (const { round, leave, left } of plan) {
    if (round % some && round !== plan.length) continue;
    if (round !== plan.length && plan.length - round < some) continue;
    words(leave ? millions(leave) : "–", x(round), 1, colours.mark);
    words(millions(left), x(round), 2, colours.ink);
  }
}

const SHARES_OF_RUNS = { left: 52, right: 18, top: 14, bottom: 36 };

/** Accuracy of all runs over sparsity, or over rounds; the band is the interval of each point. */
export function drawRuns(canvas, width, height, { runs, against, dense, n, budget, total }, colours) {
  const context = sharp(canvas, width, height);
  const paths = runs.map((run) => ({ ...run, points: pathOf(run, AXES[against], dense / n, total) }));
  const shares = paths.flatMap(({ points }) => points.map((p) => p.low));
  const below = [0.5, 0.8, 0.9, 0.95, 0.98].filter((low) => shares.length && Math.min(...shares) >= low);
  const floor = Math.max(0, ...below);
  const { left, right, top, bottom } = SHARES_OF_RUNS;
  const most = AXES[against].most(Math.max(budget, ...runs.map((run) => run.budget)), paths);
  const x = (value) => left + (value / most) * (width - left - right);
  const y = (share) => height - bottom - ((share - floor) / (1 - floor)) * (height - top - bottom);
  runTicks(context, { x, y, floor, most, against, width, height }, colours);
  if (dense >= 0) line(context, [[left, y(dense / n)], [width - right, y(dense / n)]], colours.quiet, 1, [1, 3]);
  for (const { points, look } of paths) {
    for (const p of points.slice(1)) line(context, [[x(p.at), y(p.low)], [x(p.at), y(p.high)]], look.colour, 1.2);
    line(context, points.map((p) => [x(p.at), y(p.share)]), look.colour, 2, look.dash);
    for (const p of points.slice(1)) marker(context, x(p.at), y(p.share), look, colours, 4.5);
  }
}

const COMPRESSIONS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

/** What the runs may be drawn over: the place of a round, how far the axis goes, and its ticks as [place, words]. */
const AXES = {
  sparsity: {
    of: (one) => one.sparsity, most: () => 1,
    ticks: () => [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share, 0)]),
  },
  compression: {
    of: (one, total) => Math.log(total / Math.max(one.left, 1)),
    most: (_, paths) => Math.max(Math.log(10), ...paths.flatMap(({ points }) => points.map((p) => 1.02 * p.at))),
    ticks: (most) => COMPRESSIONS.filter((times) => Math.log(times) <= most)
      .map((times) => [Math.log(times), `${grouped(times)}×`]),
  },
  round: {
    of: (one) => one.round, most: (budget) => budget,
    ticks: (most) => Array.from({ length: most + 1 }, (_, i) => i)
      .filter((i) => i % Math.ceil(most / 12) === 0).map((i) => [i, String(i)]),
  },
};

function pathOf({ rounds }, { of }, dense, total) {
  const start = dense < 0 ? [] : [{ at: 0, share: dense, low: dense, high: dense }];
  return [
    ...start,
    ...rounds.map((one) => ({ at: of(one, total), share: one.correct / one.n, low: one.low, high: one.high })),
  ];
}

function runTicks(context, { x, y, floor, most, against, width, height }, colours) {
  const { left, right, bottom } = SHARES_OF_RUNS;
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    const share = floor + tick * (1 - floor);
    line(context, [[left, y(share)], [width - right, y(share)]], colours.line);
    const words = percent(share, Number.isInteger(+(100 * share).toFixed(6)) ? 0 : 1);
    text(context, words, left - 6, y(share) + 4, { colour: colours.quiet, align: "right" });
  }
  for (const [place, words] of AXES[against].ticks(most)) {
    text(context, words, x(place), height - bottom + 16, { colour: colours.quiet, align: "center" });
  }
  text(context, against, (left + width - right) / 2, height - 4, { colour: colours.quiet, align: "center" });
}

/** A run's mark, with a rim of paper so that it is seen on columns and lines. */
export function marker(context, x, y, { colour, shape }, colours, r) {
  const path = {
    circle: () => context.arc(x, y, r, 0, 7),
    square: () => context.rect(x - r, y - r, 2 * r, 2 * r),
    triangle: () => corners(context, [[x, y - 1.3 * r], [x + 1.2 * r, y + r], [x - 1.2 * r, y + r]]),
    down: () => corners(context, [[x, y + 1.3 * r], [x + 1.2 * r, y - r], [x - 1.2 * r, y - r]]),
    diamond: () => corners(context, [[x, y - 1.4 * r], [x + 1.4 * r, y], [x, y + 1.4 * r], [x - 1.4 * r, y]]),
    plus: () => [context.rect(x - 1.3 * r, y - r / 2, 2.6 * r, r), context.rect(x - r / 2, y - 1.3 * r, r, 2.6 * r)],
  }[shape];
  context.beginPath();
  path();
  context.strokeStyle = colours.paper;
  context.lineWidth = 2.5;
  context.stroke();
  context.fillStyle = colour;
  context.fill();
}

function corners(context, points) {
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

/** A piece of a run's line, for the list of runs. */
export function drawSwatch(canvas, look, colours) {
  const context = sharp(canvas, 36, 16);
  line(context, [[1, 8], [35, 8]], look.colour, 2, look.dash);
  marker(context, 18, 8, look, colours, 4.5);
}
