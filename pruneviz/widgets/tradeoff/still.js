// Pictures of TradeoffExplorer: the lines of the map, and models as points over two quantities.
import { dot, line, sharp, text } from "../frame/draw.js";
import { axisOf, namesPlaced, textOf } from "./compare.js";

const EDGES = { left: 58, right: 16, top: 26, bottom: 42 };
export const INDENT = 18;
export const GUTTER = 20;

/** A model's dot: full where nothing beats it, else hollow; ringed if it is the one on view or the one compared. */
function marker(context, place, { full, selected, against }, colours) {
  const [x, y] = place;
  const ring = selected ? colours.ink : against ? colours.mark : null;
  if (ring) {
    context.setLineDash(selected ? [] : [3, 2]);
    Object.assign(context, { fillStyle: colours.paper, strokeStyle: ring, lineWidth: 2 });
    dot(context, x, y, 9, true);
    context.setLineDash([]);
  }
  Object.assign(context, { fillStyle: full ? colours.kept : colours.paper, strokeStyle: colours.kept, lineWidth: 2 });
  dot(context, x, y, 5, true);
}

/** The lines from parents to what was made of them; `rows` are { depth, top, height, parent } with looks. */
export function drawMap(canvas, width, height, rows, colours) {
  const context = sharp(canvas, width, height);
  const at = ({ depth, top, tall }) => [GUTTER / 2 + depth * INDENT, top + tall / 2];
  const chosen = rows.find(({ selected }) => selected);
  context.globalAlpha = 0.12;
  context.fillStyle = colours.ink;
  context.fillRect(0, chosen.top, width, chosen.tall);
  context.globalAlpha = 1;
  for (const row of rows.filter(({ parent }) => parent >= 0)) {
    const [x, y] = at(row);
    const [left, above] = at(rows[row.parent]);
    line(context, [[left, above], [left, y], [x, y]], colours.quiet);
  }
  for (const row of rows) marker(context, at(row), row, colours);
}

/** Where models stand: [x, y] of each, null for what was not measured; their bars; and the ticks. */
export function scatterOf(width, height, rows, axes) {
  const { left, right, top, bottom } = EDGES;
  const known = rows.filter(({ values }) => axes.every(({ name }) => values[name]));
  const scales = axes.map((axis) => axisOf(known.flatMap(({ values }) => values[axis.name]), axis));
  const x = (value) => left + scales[0].place(value) * (width - left - right);
  const y = (value) => height - bottom - scales[1].place(value) * (height - top - bottom);
  const [across, up] = [axes[0].name, axes[1].name];
  const at = ({ values }) => [x(values[across][0]), y(values[up][0])];
  const points = rows.map((row) => (known.includes(row) ? at(row) : null));
  const bars = known.map(({ values }) => ({
    across: values[across].slice(1).map((value) => [x(value), y(values[up][0])]),
    up: values[up].slice(1).map((value) => [x(values[across][0]), y(value)]),
  }));
  const ticks = { x: scales[0].ticks.map(([v, w]) => [x(v), w]), y: scales[1].ticks.map(([v, w]) => [y(v), w]) };
  const note = (i) => (axes[i].rises && scales[i].log ? ", log scale of errors" : "");
  const words = axes.map((axis, i) => `${axis.words}${note(i)}`);
  return { width, height, axes, points, bars, ticks, words };
}

/** Models as points with bars for what is known of them, and the line of those that nothing beats. */
export function drawScatter(canvas, { width, height, axes, points, bars, ticks, words }, { rows, front }, colours) {
  const context = sharp(canvas, width, height);
  const { left, right, bottom } = EDGES;
  const base = height - bottom;
  for (const [y, tick] of ticks.y) {
    line(context, [[left, y], [width - right, y]], colours.line);
    text(context, tick, left - 6, y + 4, { colour: colours.quiet, align: "right" });
  }
  line(context, [[left, base], [width - right, base]], colours.quiet);
  let free = 0;
  for (const [x, tick] of ticks.x) {
    const half = context.measureText(tick).width / 2;
    line(context, [[x, base], [x, base + 4]], colours.quiet);
    if (x - half < free || x + half > width) continue;
    free = x + half + 8;
    text(context, tick, x, base + 17, { colour: colours.quiet, align: "center" });
  }
  text(context, words[1], 2, 12, { colour: colours.ink });
  text(context, words[0], (left + width - right) / 2, height - 5, { colour: colours.ink, align: "center" });
  line(context, stairs(front.map((i) => points[i]), axes[0].rises), colours.kept, 1.5);
  for (const { across, up } of bars) for (const bar of [across, up]) line(context, bar, colours.quiet, 1.5);
  const order = [...rows.keys()].filter((i) => points[i]).sort((i, j) => worth(rows[j]) - worth(rows[i]));
  const wide = (i) => context.measureText(rows[i].name).width;
  const written = [0, 0, context.measureText(words[1]).width + 4, 16];
  const places = namesPlaced(order.map((i) => [...points[i], wide(i)]), [left, 4, width, base], written);
  places.forEach((place, k) => place
    && text(context, rows[order[k]].name, ...place, { colour: colours.ink, halo: colours.paper }));
  for (const i of order.reverse()) marker(context, points[i], rows[i], colours);
}

/** What is best at each place along: the one before until the next is reached, or the next where more is better. */
const stairs = (points, rises) => points.flatMap(([x, y], i) => {
  const [before] = i ? [points[i - 1]] : [[x, y]];
  return [rises ? [before[0], y] : [x, before[1]], [x, y]];
});

const worth = ({ selected, against, full }) => 4 * selected + 2 * against + full;

/** What a screen reader hears of a point. */
export const pointWords = ({ name, values }, axes) =>
  `${name}: ${axes.map((axis) => `${axis.words} ${textOf(axis, values[axis.name][0])}`).join(", ")}`;
