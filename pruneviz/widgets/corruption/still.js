// Pictures of CorruptionView: the right answers, from clean digits to the strongest corruption.
import { grouped } from "../frame/pure.js";
import { dot, line, sharp, text } from "../frame/draw.js";

const EDGES = { left: 48, right: 16, top: 12, bottom: 40 };

/** How each of the two networks that are compared is drawn. */
export const looksOf = (colours) => ({
  dense: { colour: colours.kept, dash: [], square: false },
  pruned: { colour: colours.mark, dash: [6, 3], square: true },
});

/** A network's mark, round or square, so that the two differ without colour too. */
export function marked(context, [x, y], { colour, square }) {
  context.fillStyle = colour;
  if (square) context.fillRect(x - 4, y - 4, 8, 8);
  else dot(context, x, y, 4.5);
}

/** One line a network: those compared in colour, the others faint; a dotted line at the strength on view. */
export function drawCounts(canvas, width, height, { lines, dense, pruned, strengths, strength, kind, total }, colours) {
  const context = sharp(canvas, width, height);
  const { left, right, top, bottom } = EDGES;
  const inset = 0.06 * width;
  const x = (at) => left + inset + (at / (strengths.length - 1)) * (width - left - right - 2 * inset);
  const y = (count) => height - bottom - (count / total) * (height - top - bottom);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    line(context, [[left, y(share * total)], [width - right, y(share * total)]], colours.line);
    text(context, grouped(share * total), left - 6, y(share * total) + 4, { colour: colours.quiet, align: "right" });
  }
  strengths.forEach((words, at) =>
    text(context, words, x(at), height - bottom + 16, { colour: colours.quiet, align: "center" }));
  text(context, kind, (left + width - right) / 2, height - 5, { colour: colours.ink, align: "center" });
  line(context, [[x(strength), y(total)], [x(strength), y(0)]], colours.ink, 1, [2, 3]);
  const path = (counts) => counts.map((count, at) => [x(at), y(count)]);
  context.globalAlpha = 0.5;
  for (const counts of lines) line(context, path(counts), colours.quiet);
  context.globalAlpha = 1;
  const looks = looksOf(colours);
  for (const [counts, look] of [[dense, looks.dense], [pruned, looks.pruned]]) {
    line(context, path(counts), look.colour, 2, look.dash);
    for (const point of path(counts)) marked(context, point, look);
  }
}

/** A piece of a line with its mark, for the key. */
export function drawKey(canvas, look) {
  const context = sharp(canvas, 32, 14);
  line(context, [[1, 7], [31, 7]], look.colour, 2, look.dash);
  marked(context, [16, 7], look);
}
