// What TradeoffExplorer works out of its models: whose answers differ, which are on the front, where axes go.
import { bytesText, millions, percent } from "../frame/pure.js";

const PICTURES = 24; // as in history.py
const WIDE_RANGE = 4; // as in still.py

/** What the later answers lost and won, in all and by class, as history.comparison; images are those pictured. */
export function comparisonOf(before, after, labels, pictured) {
  const kinds = ["lost", "won", "other"];
  const kindAt = (i) => {
    if (before[i] === after[i]) return "";
    return before[i] === labels[i] ? "lost" : after[i] === labels[i] ? "won" : "other";
  };
  const counts = { lost: 0, won: 0, other: 0 };
  const classes = {};
  labels.forEach((label, i) => {
    const [row, kind] = [(classes[label] ??= { n: 0, ...counts }), kindAt(i)];
    row.n += 1;
    if (kind) row[kind] += 1;
  });
  const names = Object.keys(classes).sort((a, b) => Number(a) - Number(b));
  const rows = names.map((name) => ({ name, ...classes[name] }));
  for (const row of rows) for (const kind of kinds) counts[kind] += row[kind];
  const found = kinds.map((kind) => [...pictured.keys()].filter((picture) => kindAt(pictured[picture]) === kind));
  const some = PICTURES / kinds.length; // a few of every kind first, then what is left, lost ones first
  const chosen = [...found.flatMap((f) => f.slice(0, some)), ...found.flatMap((f) => f.slice(some))];
  const few = new Set(chosen.slice(0, PICTURES));
  const images = found.flat().filter((picture) => few.has(picture)).map((picture) => {
    const index = pictured[picture];
    return { picture, index, truth: labels[index], before: before[index], after: after[index] };
  });
  return { ...counts, by_class: rows, images };
}

/** The points than which no other is better in one way and as good in the other, as models.front; null is none. */
export function frontOf(points, rises) {
  const good = points.map((point) => point && point.map((value, i) => (rises[i] ? value : -value)));
  const beaten = ([x, y]) => good.some((one) => one && one[0] >= x && one[1] >= y && (one[0] !== x || one[1] !== y));
  return [...points.keys()].filter((i) => points[i] && !beaten(good[i]))
    .sort((i, j) => points[i][0] - points[j][0] || points[i][1] - points[j][1]);
}

/** A value with its unit, as models.Axis.text. */
export function textOf({ unit }, value) {
  if (unit === "share") return percent(value);
  if (unit === "B") return bytesText(value);
  return unit ? `${+value.toPrecision(3)} ${unit}` : millions(value);
}

/**
 * Where values stand along an axis, from 0 to 1, its ticks as [value, words], and whether it is logarithmic, as it is
 * for costs of a wide range; the cost of accuracy is its errors.
 */
export function axisOf(values, axis) {
  const share = axis.unit === "share";
  const cost = (value) => (share ? 1 - value : value); // its own inverse
  const costs = values.map(cost);
  const [least, most] = [Math.min(...costs), Math.max(...costs)];
  const log = least > 0 && most / least > WIDE_RANGE;
  const of = log ? (value) => (share ? -1 : 1) * Math.log(cost(value)) : (value) => value;
  const [from, to] = [of(Math.min(...values)), of(Math.max(...values))];
  const fine = log ? 0 : share ? 0.002 : 0.02 * least; // below that ticks would read the same
  const pad = Math.max(0.08 * (to - from), fine) || 1;
  const [low, high] = [from - pad, to + pad];
  const step = stepOf((high - low) / 4);
  const all = log ? powers(least, most).map((one) => +cost(one).toPrecision(12)) : multiples(low, high, step);
  const ticks = all.filter((value) => value >= 0 && of(value) >= low && of(value) <= high && !(share && value > 1));
  const digits = (value) => (log ? (value > 0.9985 ? 2 : 1) : step >= 0.01 ? 0 : step >= 0.001 ? 1 : 2);
  const words = (value) => (share ? percent(value, digits(value)) : textOf(axis, value));
  const place = (value) => (of(value) - low) / (high - low);
  return { place, ticks: ticks.sort((a, b) => a - b).map((value) => [value, words(value)]), log };
}

/** The smallest of 1, 2 or 5 times a power of ten that is not below a length. */
function stepOf(length) {
  const power = 10 ** Math.floor(Math.log10(length));
  return power * ([1, 2, 5].find((times) => times * power >= length * (1 - 1e-9)) ?? 10);
}

function multiples(low, high, step) {
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => +((first + i) * step).toPrecision(12));
}

function powers(least, most) {
  const [first, last] = [Math.floor(Math.log10(least)) - 1, Math.ceil(Math.log10(most))];
  const some = most / least < 100 ? [1, 2, 5] : [1];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .flatMap((power) => some.map((times) => +(times * 10 ** power).toPrecision(3)));
}

/** The next point on the way of an arrow key, or the same at the end; points that are null are nowhere. */
export function nextPoint(points, at, key) {
  const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 1], ArrowDown: [1, -1], Home: [0], End: [0] }[key];
  if (!way) return null;
  const [along, step] = way;
  const order = [...points.keys()].filter((i) => points[i])
    .sort((i, j) => points[i][along] - points[j][along] || points[i][1 - along] - points[j][1 - along] || i - j);
  if (step === undefined) return order.at(key === "Home" ? 0 : -1) ?? null;
  return order[order.indexOf(at) + step] ?? at;
}

/** The next row of the map on the way of an arrow key: up and down in it, left to the parent, right to a child. */
export function nextRow(rows, at, key) {
  const to = {
    ArrowDown: Math.min(at + 1, rows.length - 1), ArrowUp: Math.max(at - 1, 0), Home: 0, End: rows.length - 1,
    ArrowLeft: rows.findIndex(({ name }) => name === rows[at].parent),
    ArrowRight: rows.findIndex(({ parent }) => parent === rows[at].name),
  }[key];
  return to === undefined ? null : to < 0 ? at : to;
}

/**
 * Places for names beside their points, `[[x, y, width], …]` in the order of their worth, within `[left, top, right,
 * bottom]` but not on what is `written`; null where there is no room. A place is [x, y] of the left end of the line
 * that letters stand on.
 */
export function namesPlaced(points, [left, top, right, bottom], written) {
  const taken = [written, ...points.map(([x, y]) => [x - 7, y - 7, x + 7, y + 7])];
  return points.map(([x, y, width]) => {
    /** @param {number[]} place */
    const free = ([a, b]) => a >= left && a + width <= right && b - 11 >= top && b + 3 <= bottom
      && !taken.some(([l, t, r, d]) => a < r && a + width > l && b - 11 < d && b + 3 > t);
    const beside = [x + 13, x - 13 - width].flatMap((a) => [4, -7, 15].map((down) => [a, y + down]));
    const middle = Math.max(left, Math.min(x - width / 2, right - width));
    const place = [...beside, [middle, y - 14], [middle, y + 22]].find(free) ?? null;
    if (place) taken.push([place[0] - 2, place[1] - 11, place[0] + width + 2, place[1] + 3]);
    return place;
  });
}
