// The picture of a view as a file: what the page shows, at its place.
import { dot, hatch, writeText } from "./draw.js";
import { el } from "./controls.js";

const DRAWN = "canvas, .pv-meter, .pv-range";
const PARTS = `${DRAWN}, [data-png]:not(:empty)`;

/** All canvases, bars, sliders and texts marked data-png, as they stand where nothing else takes room. */
export function pictureOf(frame) {
  frame.paintNow();
  const others = closed(frame.root);
  frame.root.append(others);
  try {
    return drawParts(frame);
  } finally {
    others.remove();
  }
}

/** The rules that take away what is not in the picture, and headings of nothing; the page stays as long as it is. */
const closed = (root) => el("style", {}, `
  .pv:has(> style) { min-height: ${root.offsetHeight}px; }
  .pv:has(> style) :is([data-empty], :not(${PARTS}, :is(${PARTS}) *, :has(${PARTS}))),
  .pv:has(> style) .pv-panel:not(:has(${DRAWN}, [data-png]:not(.pv-caption, :empty))) { display: none !important; }
`);

function drawParts(frame) {
  const ratio = 2;
  const box = frame.root.getBoundingClientRect();
  const parts = [...frame.root.querySelectorAll(PARTS)]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }) && node.getBoundingClientRect().width);
  const foot = Math.max(...parts.map((node) => node.getBoundingClientRect().bottom)) - box.top + 12;
  const canvas = el("canvas", { width: Math.round(box.width * ratio), height: Math.round((foot + 28) * ratio) });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = frame.colours.paper;
  context.fillRect(0, 0, box.width, foot + 28);
  for (const node of parts) copy(context, node, box, frame.colours);
  context.fillStyle = frame.colours.quiet;
  context.font = "12px system-ui, sans-serif";
  context.fillText(frame.footnote(), 16, foot + 10, box.width - 32);
  return canvas;
}

/** Copy one part of the page, cut off where it is scrolled out of sight. */
function copy(context, node, frame, colours) {
  const box = node.getBoundingClientRect();
  const window = (node.closest(".pv-stage, .pv-scroll") ?? node).getBoundingClientRect();
  const [x, y] = [box.left - frame.left, box.top - frame.top];
  context.save();
  context.beginPath();
  context.rect(window.left - frame.left, window.top - frame.top, window.width, window.height);
  context.clip();
  context.imageSmoothingEnabled = getComputedStyle(node).imageRendering !== "pixelated";
  if (node.tagName === "CANVAS") context.drawImage(node, x, y, box.width, box.height);
  else if (node.matches(".pv-range")) copySlider(context, node, x, y, box, colours);
  else if (node.matches(".pv-meter")) {
    const kept = node.firstElementChild.getBoundingClientRect();
    context.fillStyle = hatch(context, colours);
    context.fillRect(x, y, box.width, box.height);
    context.fillStyle = colours.kept;
    context.fillRect(kept.left - frame.left, kept.top - frame.top, kept.width, kept.height);
  } else {
    for (const plate of [node, ...node.querySelectorAll("*")]) {
      if (!plate.matches(".pv-badge:not(:empty), .pv-cut")) continue;
      const { left, top, width, height } = plate.getBoundingClientRect();
      context.fillStyle = getComputedStyle(plate).backgroundColor;
      context.fillRect(left - frame.left, top - frame.top, width, height);
    }
    writeText(context, node, frame);
  }
  context.restore();
}

/** A slider as it stands: the main one in the colours of what is pruned and kept. */
function copySlider(context, node, x, y, { width, height }, colours) {
  const [value, least, most] = [node.value, node.min, node.max].map(Number);
  const share = (value - least) / (most - least);
  const middle = y + height / 2;
  const main = node.style.getPropertyValue("--pv-share");
  context.fillStyle = main ? colours.kept : colours.line;
  context.fillRect(x, middle - 4, width, 8);
  if (main) context.fillStyle = colours.pruned;
  context.fillRect(x, middle - 4, share * width, 8);
  context.fillStyle = colours.ink;
  dot(context, x + 11 + share * (width - 22), middle, 8);
}
