// Pictures on canvases, in the colours of the theme.
import { grouped, percent } from "./pure.js";

/** Colours of the view, as CSS gives them now. */
export function palette(root) {
  const css = getComputedStyle(root);
  const read = (name) => css.getPropertyValue(`--pv-${name}`).trim();
  return { ...Object.fromEntries(["kept", "pruned", "edge", "ink", "quiet", "line", "paper", "guess", "mark"].map((n) => [n, read(n)])) };
}

/** A colour as the number that one pixel of a little-endian ImageData is. */
export function pixelColour(colour) {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** Fit a canvas to its place on the page, sharp at any zoom; gives a context in CSS pixels. */
export function sharp(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 4);
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  const context = canvas.getContext("2d");
  const size = `${w}/${h}/${width}/${height}`;
  if (canvas.pvSize !== size) {
    canvas.pvSize = size;
    Object.assign(canvas, { width: w, height: h }); // also forgets font and transform
    canvas.style.height = `${height}px`;
    context.setTransform(w / width, 0, 0, h / height, 0, 0);
    context.font = "12px system-ui, sans-serif"; // asks for a style of the page: costly in every frame
  }
  context.clearRect(0, 0, width, height);
  return context;
}

const patterns = new Map();

/** Diagonal lines on the colour of what is pruned. */
export function hatch(context, colours) {
  const key = `${colours.pruned}${colours.edge}`;
  if (!patterns.has(key)) patterns.set(key, context.createPattern(hatchTile(colours), "repeat"));
  return patterns.get(key);
}

function hatchTile(colours) {
  const tile = new OffscreenCanvas(8, 8);
  const pen = tile.getContext("2d");
  pen.fillStyle = colours.pruned;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = colours.edge;
  pen.lineWidth = 1;
  for (const shift of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(shift - 1, 9);
    pen.lineTo(shift + 9, -1);
    pen.stroke();
  }
  return tile;
}

export function text(context, words, x, y, { colour, align = "left", halo = null }) {
  context.textAlign = align;
  if (halo) {
    const width = context.measureText(words).width;
    context.fillStyle = halo;
    context.fillRect(x - { left: 0, center: width / 2, right: width }[align] - 2, y - 11, width + 4, 14);
  }
  context.fillStyle = colour;
  context.fillText(words, x, y);
}

/** Write an element's words, and the numbers in its boxes, where the page has them. */
export function writeText(context, node, { left, top }) {
  const put = (words, element, box) => {
    const css = getComputedStyle(element);
    context.fillStyle = css.color;
    context.font = `${css.fontWeight} ${css.fontSize} system-ui, sans-serif`;
    context.fillText(words, box.left - left, box.top - top + 0.77 * box.height);
    if (element.closest("s")) context.fillRect(box.left - left, box.top - top + 0.52 * box.height, box.width, 1);
  };
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const range = document.createRange();
    for (const { 0: word, index } of walker.currentNode.data.matchAll(/\S+/g)) {
      range.setStart(walker.currentNode, index);
      range.setEnd(walker.currentNode, index + word.length);
      const [box, ...broken] = range.getClientRects();
      if (box?.width && !broken.length && !walker.currentNode.parentElement.closest(".pv-ear")) put(word, walker.currentNode.parentElement, box);
    }
  }
  for (const input of node.querySelectorAll("input")) {
    const box = input.getBoundingClientRect();
    put(input.value, input, { left: box.left + 12, top: box.top + 5, width: box.width, height: box.height - 10 });
  }
}

export function line(context, points, colour, width = 1, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

/** Bars of kept on pruned, and the threshold. */
export function drawHistogram(canvas, width, height, { counts, pruned, low, high, beyond, cut, label }, colours) {
  const context = sharp(canvas, width, height);
  const [left, right, top, bottom] = [2, 2, 20, 22];
  const base = height - bottom;
  const across = (width - left - right) / counts.length;
  const scale = (base - top) / Math.max(1, ...counts);
  const wide = Math.max(across - (across > 4 ? 1 : 0), 0.5);
  const bars = (fill, from, to) => {
    context.fillStyle = fill;
    context.beginPath(); // one path for all bars: a fill each costs more than all of them together
    counts.forEach((_, i) => to(i) > from(i) && context.rect(left + i * across, base - scale * to(i), wide, scale * (to(i) - from(i))));
    context.fill();
  };
  bars(colours.kept, (i) => pruned[i], (i) => counts[i]);
  bars(hatch(context, colours), () => 0, (i) => pruned[i]);
  line(context, [[0, base + 0.5], [width, base + 0.5]], colours.quiet);
  const short = (value) => String(+value.toPrecision(3));
  text(context, short(low), left, height - 6, { colour: colours.quiet });
  text(context, `${short(high)}${beyond ? " and above" : ""}`, width - right, height - 6, { colour: colours.quiet, align: "right" });
  const x = left + cut * across;
  line(context, [[x, top - 4], [x, base]], colours.ink, 1.5, [5, 3]);
  const align = x < 70 ? "left" : x > width - 70 ? "right" : "center";
  text(context, label, x, 12, { colour: colours.ink, align });
}

const nice = (low) => [0.5, 0.8, 0.9, 0.95].findLast((floor) => low >= floor) ?? 0;

/** Where a sparsity and a share stand in the picture of a curve. */
function curveScale(width, height, floor) {
  const [left, right, top, bottom] = [44, 12, 12, 34];
  const x = (sparsity) => left + sparsity * (width - left - right);
  const y = (share) => height - bottom - ((share - floor) / (1 - floor)) * (height - top - bottom);
  return { left, right, top, bottom, x, y };
}

const sheets = new WeakMap();

/** Accuracy against sparsity; while the slider moves only the present point is drawn anew. */
export function drawCurve(canvas, width, height, { present, ...rest }, colours) {
  const floor = rest.hidden || !rest.points.length ? 0 : nice(Math.min(...rest.points.map((p) => p.share), present?.share ?? 1));
  const key = JSON.stringify([width, height, floor, rest, colours]);
  if (sheets.get(canvas)?.key !== key) {
    const sheet = document.createElement("canvas");
    drawStillCurve(sheet, width, height, { floor, ...rest }, colours);
    sheets.set(canvas, { key, sheet });
  }
  const context = sharp(canvas, width, height);
  context.drawImage(sheets.get(canvas).sheet, 0, 0, width, height);
  if (rest.hidden || !present) return;
  const { x, y, bottom } = curveScale(width, height, floor);
  line(context, [[x(present.sparsity), y(1)], [x(present.sparsity), height - bottom]], colours.ink, 1, [4, 3]);
  context.fillStyle = present.measured ? colours.ink : colours.paper;
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  dot(context, x(present.sparsity), y(present.share), 5, true);
}

/** The curve with its interval as a band; what is hidden stays out. */
function drawStillCurve(canvas, width, height, { floor, points, dense, target, guess, truth, hidden }, colours) {
  const context = sharp(canvas, width, height);
  const { left, right, top, bottom, x, y } = curveScale(width, height, floor);
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    const share = floor + tick * (1 - floor);
    line(context, [[left, y(share)], [width - right, y(share)]], colours.line);
    text(context, percent(share, share * 100 === Math.round(share * 100) ? 0 : 1), left - 6, y(share) + 4, { colour: colours.quiet, align: "right" });
    if (width > 300 || tick % 0.5 === 0) text(context, percent(tick, 0), x(tick), height - bottom + 15, { colour: colours.quiet, align: tick === 1 ? "right" : tick ? "center" : "left" });
  }
  text(context, "sparsity", (left + width - right) / 2, height - 4, { colour: colours.quiet, align: "center" });
  if (target) line(context, [[left, y(target)], [width - right, y(target)]], colours.mark, 1.5, [2, 3]);
  if (!hidden) {
    band(context, points, x, y, colours);
    if (dense !== null) line(context, [[left, y(dense)], [width - right, y(dense)]], colours.quiet, 1, [1, 3]);
    line(context, points.map((p) => [x(p.sparsity), y(p.share)]), colours.kept, 2);
    context.fillStyle = colours.kept;
    for (const p of points) dot(context, x(p.sparsity), y(p.share), 2.5);
  }
  if (!hidden && truth) {
    const [from, to] = truth.map(x);
    context.fillStyle = colours.mark;
    context.globalAlpha = 0.5;
    context.fillRect(from, top, Math.max(to - from, 2), height - top - bottom);
    context.globalAlpha = 1;
  }
  if (guess !== null) mark(context, x(guess), top, height - bottom, "your guess", colours.guess, width, colours);
}

function band(context, points, x, y, colours) {
  if (points.length < 2) return;
  context.beginPath();
  points.forEach((p) => context.lineTo(x(p.sparsity), y(p.high)));
  [...points].reverse().forEach((p) => context.lineTo(x(p.sparsity), y(p.low)));
  context.closePath();
  context.globalAlpha = 0.22;
  context.fillStyle = colours.kept;
  context.fill();
  context.globalAlpha = 1;
}

export function dot(context, x, y, radius, ring = false) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
  if (ring) context.stroke();
}

function mark(context, x, top, bottom, words, colour, width, colours) {
  line(context, [[x, top], [x, bottom]], colour, 2);
  const align = x > width - 80 ? "right" : "left";
  text(context, words, x + (align === "right" ? -6 : 6), bottom - 8, { colour, align, halo: colours.paper });
}

/** Blue to orange by the share pruned of each block. */
export function blend(kept, pruned, share) {
  const mix = (shift) => {
    const [a, b] = [(kept >>> shift) & 255, (pruned >>> shift) & 255];
    return Math.round(a + share * (b - a)) << shift;
  };
  return ((255 << 24) | mix(16) | mix(8) | mix(0)) >>> 0;
}

export const countOf = (kept, total) => `${grouped(kept)} of ${grouped(total)} kept (${percent(kept / total)})`;
