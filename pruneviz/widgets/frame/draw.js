// Pictures on canvases, in the colours of the theme.
import { grouped, percent } from "./pure.js";

/** Colours of the view, as CSS gives them now. */
export function palette(root) {
  const css = getComputedStyle(root);
  const read = (name) => css.getPropertyValue(`--pv-${name}`).trim();
  const names = ["kept", "pruned", "edge", "ink", "quiet", "line", "paper", "guess", "mark"];
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** A small canvas out of sight, and the pen for it. */
export function tileOf(width, height = width) {
  const tile = new OffscreenCanvas(width, height);
  return { tile, pen: /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d")) };
}

/** A colour as the number that one pixel of a little-endian ImageData is. */
export function pixelColour(colour) {
  const { pen } = tileOf(1);
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** A picture of its own that others copy from; its width in CSS pixels is kept as `pvWidth`. */
export function sheetOf(width, height, draw) {
  const sheet = document.createElement("canvas");
  draw(sharp(sheet, width, height));
  return Object.assign(sheet, { pvWidth: width });
}

/** Put a part of a sheet where it belongs, in place of what is there; whole device pixels leave no seam. */
export function copyPart(context, sheet, x, y, wide, tall) {
  const ratio = sheet.width / sheet.pvWidth;
  const [left, top, right, bottom] = [x, y, x + wide, y + tall].map((at) => Math.round(at * ratio));
  if (right <= left || bottom <= top) return;
  const place = [left / ratio, top / ratio, (right - left) / ratio, (bottom - top) / ratio];
  context.clearRect(...place);
  context.drawImage(sheet, left, top, right - left, bottom - top, ...place);
}

/** Fit a canvas to its place on the page, sharp at any zoom; gives a context in CSS pixels. */
export function sharp(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 4);
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  const context = (canvas.pvContext ??= canvas.getContext("2d"));
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
  const { tile, pen } = tileOf(8);
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

/** Write an element's words, and what its boxes and menus say, where the page has them. */
export function writeText(context, node, { left, top }) {
  const put = (words, element, box) => {
    const css = getComputedStyle(element);
    context.fillStyle = css.color;
    context.font = `${css.fontWeight} ${css.fontSize} system-ui, sans-serif`;
    const right = css.textAlign === "right" ? box.width - context.measureText(words).width : 0;
    context.fillText(words, box.left - left + right, box.top - top + 0.77 * box.height);
    if (element.closest("s")) context.fillRect(box.left - left, box.top - top + 0.52 * box.height, box.width, 1);
  };
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const words = /** @type {Text} */ (walker.currentNode);
    const range = document.createRange();
    for (const { 0: word, index } of words.data.matchAll(/\S+/g)) {
      range.setStart(words, index);
      range.setEnd(words, index + word.length);
      const [box, ...broken] = range.getClientRects();
      const element = words.parentElement;
      if (box?.width && !broken.length && !element?.closest(".pv-ear, .pv-tip, select")) put(word, element, box);
    }
  }
  for (const input of node.querySelectorAll("input, select")) {
    const box = input.getBoundingClientRect();
    const words = input.selectedOptions ? input.selectedOptions[0]?.text : input.value;
    const inside = { left: box.left + 12, top: box.top + 5, width: box.width - 24, height: box.height - 10 };
    if (box.width) put(words ?? "", input, inside);
  }
}

export function stroke(context, path, colour, width, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.stroke(path);
  context.setLineDash([]);
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

/**
 * The histogram of a layer, drawn twice, so that a move of the slider only copies: with all bars kept, and all pruned.
 * Gives draw(canvas, pruned of each bin, where the cut lies in bins).
 */
export function histogramOf(width, height, { counts, ends, scale }, colours) {
  const [margin, top, base] = [2, 8, height - 22];
  const across = (width - 2 * margin) / counts.length;
  const [first, second] = [...counts].sort((a, b) => b - a);
  const dwarfs = first > 3 * second; // a bar that is cut off, with its number beside it
  const most = dwarfs ? 1.5 * second : first;
  const tall = (count) => ((base - top) * Math.min(count, most)) / Math.max(1, most);
  const wide = Math.max(across - (across > 4 ? 1 : 0), 0.5);
  const fills = [() => colours.kept, (context) => hatch(context, colours)];
  const [kept, gone] = fills.map((fill) => sheetOf(width, height, (context) => {
    context.fillStyle = fill(context);
    counts.forEach((count, i) => context.fillRect(margin + i * across, base - tall(count), wide, tall(count)));
    line(context, [[0, base + 0.5], [width, base + 0.5]], colours.quiet);
    const beside = margin + (counts.indexOf(first) + 1) * across + 3;
    if (dwarfs) text(context, `↑ ${grouped(first)}`, beside, top + 10, { colour: colours.quiet });
    text(context, ends[0], margin, height - 6, { colour: colours.quiet });
    text(context, scale, width / 2, height - 6, { colour: colours.quiet, align: "center" });
    text(context, ends[1], width - margin, height - 6, { colour: colours.quiet, align: "right" });
  }));
  return (canvas, pruned, cut) => {
    const context = sharp(canvas, width, height);
    context.drawImage(kept, 0, 0, width, height);
    const split = pruned.findIndex((count, i) => count < counts[i]);
    const bins = split < 0 ? counts.length : split;
    copyPart(context, gone, 0, 0, margin + bins * across, base);
    const part = split < 0 ? 0 : tall(pruned[split]);
    copyPart(context, gone, margin + split * across, base - part, across, part);
    const x = margin + cut * across;
    line(context, [[x, 2], [x, base]], colours.ink, 1.5, [5, 3]);
  };
}

const nice = (low) => [0.5, 0.8, 0.9, 0.95].findLast((floor) => low >= floor) ?? 0;

/** Where a sparsity and a share stand in the picture of a curve. */
function curveScale(width, height, floor) {
  const [left, right, top, bottom] = [44, 12, 12, 34];
  const x = (sparsity) => left + sparsity * (width - left - right);
  const y = (share) => height - bottom - ((share - floor) / (1 - floor)) * (height - top - bottom);
  return { left, right, top, bottom, x, y };
}

/** The lowest accuracy that a picture of a curve has to show. */
export const floorOf = (points, present) => nice(Math.min(present?.share ?? 1, ...points.map((p) => p.share)));

/** Draw the present point on the still picture of a curve, the only thing that moves with the slider. */
export function drawCurve(canvas, width, height, { sheet, floor, present }, colours) {
  const context = sharp(canvas, width, height);
  context.drawImage(sheet, 0, 0, width, height);
  if (!present) return;
  const { x, y, bottom } = curveScale(width, height, floor);
  line(context, [[x(present.sparsity), y(1)], [x(present.sparsity), height - bottom]], colours.ink, 1, [4, 3]);
  context.fillStyle = present.measured ? colours.ink : colours.paper;
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  dot(context, x(present.sparsity), y(present.share), 5, true);
}

/** The curve with its interval as a band; what is hidden stays out. */
export function drawStillCurve(
  context, width, height, { floor, points, dense, target, guess, truth, hidden }, colours,
) {
  const { left, right, top, bottom, x, y } = curveScale(width, height, floor);
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    const share = floor + tick * (1 - floor);
    line(context, [[left, y(share)], [width - right, y(share)]], colours.line);
    const words = percent(share, share * 100 === Math.round(share * 100) ? 0 : 1);
    text(context, words, left - 6, y(share) + 4, { colour: colours.quiet, align: "right" });
    if (width <= 300 && tick % 0.5) continue;
    const align = tick === 1 ? "right" : tick ? "center" : "left";
    text(context, percent(tick, 0), x(tick), height - bottom + 15, { colour: colours.quiet, align });
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

/** A ramp of 256 colours through some stops, each pixel a number as in ImageData. */
export function ramp(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (parts.length - 1);
    const low = Math.min(Math.floor(at), parts.length - 2);
    const [r, g, b] = parts[low].map((from, c) => Math.round(from + (at - low) * (parts[low + 1][c] - from)));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

// as in the plots: the larger a weight, the lighter; the more active, the darker
export const WEIGHT = ramp(["#06183a", "#3c5f94", "#a3a6a9", "#ccd9a4", "#fcfff0"]);
export const ACTIVITY = ramp(["#f4f6f8", "#5b8db8", "#062448"]);

/** The bytes of an image, grey or in colours, as a picture. */
export function photoOf(bytes, [height, width, channels]) {
  const { tile, pen } = tileOf(width, height);
  const image = pen.createImageData(width, height);
  for (let p = 0; p < width * height; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = bytes[p * channels + (channels === 3 ? c : 0)];
    image.data[4 * p + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
  return tile;
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
