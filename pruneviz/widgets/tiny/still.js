// The pictures of TinyNetwork.
import { line, sharp, text, tileOf } from "../frame/draw.js";
import { border, plain, plane } from "./models.js";

const ON_ORANGE = "#22272e"; // pale orange stays pale in the dark theme
const WIDEST = 11;
const DASH = [9, 6];
const TYPE = "system-ui, sans-serif";
const SMALL_TYPE = `11px ${TYPE}`;

/** @type {number[]} */
const SOLID = [];

/** Thick is large, dashed and hollow is cut. */
function drawWire(context, wire, place, kept, largest, colours) {
  const ends = [[place.x0, place.y0], [place.x1, place.y1]];
  if (kept) line(context, ends, colours.kept, Math.max((WIDEST * Math.abs(wire.value)) / largest, 1));
  else {
    line(context, ends, colours.mark, 4.5, DASH);
    line(context, ends, colours.pruned, 2.5, [DASH[0] - 2, DASH[1] + 2]);
  }
}

function roundBox(context, { x, y, width, height, radius = 6 }, { fill, edge, wide = 1.5, dash = SOLID }) {
  context.beginPath();
  context.roundRect(x - width / 2, y - height / 2, width, height, radius);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = edge;
  context.lineWidth = wide;
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

/** Words side by side around a place, each in its own font: [words, font, colour]. */
function row(context, place, pieces) {
  const widths = pieces.map(([words, font]) => {
    context.font = font;
    return context.measureText(words).width;
  });
  let x = place.x - (widths.reduce((a, b) => a + b, 0) + 5 * (pieces.length - 1)) / 2;
  pieces.forEach(([words, font, colour], i) => {
    context.font = font;
    text(context, words, x, place.y, { colour });
    x += widths[i] + 5;
  });
}

function drawNumber(context, place, label, { chip, kept }, colours) {
  roundBox(context, { ...place, ...chip, radius: 12 }, kept
    ? { fill: colours.paper, edge: colours.kept }
    : { fill: colours.pruned, edge: colours.mark, dash: [3, 2] });
  const [ink, quiet] = kept ? [colours.ink, colours.quiet] : [ON_ORANGE, ON_ORANGE];
  const name = label.name && [label.name, SMALL_TYPE, quiet];
  const number = [label.number, `600 13px ${TYPE}`, ink];
  const rows = !name ? [[number]] : chip.stacked ? [[name], [number]] : [[name, number]];
  if (label.change) rows.push([[label.change, SMALL_TYPE, ink]]);
  const first = place.y + 4.5 - 7 * (rows.length - 1);
  rows.forEach((pieces, i) => row(context, { x: place.x, y: first + 14 * i }, pieces));
}

/** A neuron or an input as a circle: up to two rows inside, its label and bias outside, away from the wires. */
function drawNeuron(context, node, { cut, rows, label, bias, above }, colours) {
  const round = { x: node.x, y: node.y, width: 2 * node.radius, height: 2 * node.radius, radius: node.radius };
  const whole = { fill: colours.paper, edge: colours.ink, wide: 2 };
  roundBox(context, round, cut ? { fill: colours.pruned, edge: colours.mark, wide: 2, dash: [4, 3] } : whole);
  const ink = cut ? ON_ORANGE : colours.ink;
  const first = node.y + 4 - 6.5 * (rows.length - 1);
  const typeOf = (i) => (i || node.radius < 20 ? SMALL_TYPE : `600 12px ${TYPE}`);
  rows.forEach((words, i) => row(context, { x: node.x, y: first + 13 * i }, [[words, typeOf(i), ink]]));
  const outside = [
    ...(label ? [[label, `12px ${TYPE}`, colours.ink]] : []), ...(bias ? [[bias, SMALL_TYPE, colours.quiet]] : []),
  ];
  outside.forEach(([words, font, colour], i) => {
    context.font = font;
    const down = above ? -node.radius - 7 : node.radius + 15 + 14 * i;
    text(context, words, node.x, node.y + down, { colour, align: "center", halo: colours.paper });
  });
}

/** A box with a name and a number, for the inputs and the output of a sum. */
function drawBox(context, node, name, lines, colours, wide = 1.5) {
  roundBox(context, node, { fill: colours.paper, edge: colours.ink, wide });
  const top = node.y - 8.5 * lines.length + 4;
  context.font = "600 13px system-ui, sans-serif";
  text(context, name, node.x, top, { colour: colours.ink, align: "center" });
  lines.forEach((words, i) => {
    context.font = `${i ? "" : "600 "}12px system-ui, sans-serif`;
    text(context, words, node.x, top + 17 * (i + 1), { colour: i ? colours.quiet : colours.ink, align: "center" });
  });
}

/** The whole model. `state`: kept flags, cut neurons, rows of words of each node, labels of the wires. */
export function drawWiring(canvas, layout, spec, state, colours) {
  const context = sharp(canvas, layout.width, layout.height);
  const largest = Math.max(...spec.wires.map((wire) => Math.abs(wire.value)), 1e-300);
  const order = spec.wires.map((_, i) => i).sort((a, b) => state.kept[b] - state.kept[a]);
  for (const i of order) drawWire(context, spec.wires[i], layout.wires[i], state.kept[i], largest, colours);
  for (const [name, node] of Object.entries(layout.nodes)) {
    const label = name === "output" ? state.output : name;
    const inner = name in spec.neurons;
    if (node.width) drawBox(context, node, label, state.rows[name], colours, name === "output" ? 2 : 1.5);
    else drawNeuron(context, node, {
      cut: state.cutNeurons.includes(name),
      rows: inner ? [name, ...(node.radius < 20 ? [] : state.rows[name])] : state.rows[name].slice(0, 1),
      label: inner ? "" : label,
      bias: name in spec.biases ? `${layout.narrow ? "b" : "bias"} ${plain(spec.biases[name], spec.decimals)}` : "",
      above: inner && node.y < layout.height / 2 - 1,
    }, colours);
  }
  layout.wires.forEach((place, i) =>
    drawNumber(context, place, state.labels[i], { chip: layout.chip, kept: state.kept[i] }, colours));
}

const GRID = 181;
const STRIDE = 2; // the border is straight between its bends: every other point of the grid is enough

/** The plane of the two inputs: where the network says yes, and the examples. */
export function drawDecision(canvas, size, spec, { kept, x, y, wrong, chosen }, colours) {
  const box = { left: 40, top: 8, side: Math.min(size - 52, 330) };
  const context = sharp(canvas, size, box.side + 48);
  const [[left, right], [bottom, top]] = spec.extent;
  const across = (a) => box.left + ((a - left) / (right - left)) * box.side;
  const down = (b) => box.top + ((top - b) / (top - bottom)) * box.side;
  const values = plane(spec, kept, GRID, GRID);
  shade(context, values, box, colours);
  drawBorder(context, values, box, colours);
  frameOf(context, spec, box, across, down, colours);
  const places = x.map(([a, b]) => [across(a), down(b)]);
  drawExamples(context, places, y, wrong, colours);
  ring(context, ...places[chosen], 8, colours.paper, 5);
  ring(context, ...places[chosen], 8, colours.ink, 2);
  return {
    toPlane: (px, py) => [
      left + ((px - box.left) / box.side) * (right - left), top - ((py - box.top) / box.side) * (top - bottom),
    ],
  };
}

/** Dots, crosses and rings; one path for all of a kind, because a stroke each takes several times as long. */
function drawExamples(context, places, y, wrong, colours) {
  const path = (chosen, add) => {
    context.beginPath();
    places.forEach(([u, v], i) => chosen(i) && add(u, v));
  };
  path((i) => wrong[i], (u, v) => { context.moveTo(u + 6.5, v); context.arc(u, v, 6.5, 0, 7); });
  Object.assign(context, { strokeStyle: colours.mark, lineWidth: 2.5 });
  context.stroke();
  path((i) => !y[i], (u, v) => {
    for (const s of [-2.3, 2.3]) {
      context.moveTo(u - 2.3, v - s);
      context.lineTo(u + 2.3, v + s);
    }
  });
  Object.assign(context, { strokeStyle: colours.quiet, lineWidth: 1.2 });
  context.stroke();
  path((i) => y[i], (u, v) => { context.moveTo(u + 2.6, v); context.arc(u, v, 2.6, 0, 7); });
  context.fillStyle = colours.ink;
  context.fill();
}

function ring(context, x, y, radius, colour, width) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

function shade(context, values, { left, top, side }, colours) {
  const { tile, pen } = tileOf(GRID);
  pen.fillStyle = colours.kept;
  for (let down = 0; down < GRID; down++) {
    let from = -1;
    for (let column = 0; column <= GRID; column++) {
      const yes = column < GRID && values[down * GRID + column] > 0;
      if (yes && from < 0) from = column;
      if (!yes && from >= 0) {
        pen.fillRect(from, down, column - from, 1);
        from = -1;
      }
    }
  }
  context.globalAlpha = 0.24;
  const half = side / (GRID - 1) / 2; // grid points are the middles of the small picture's pixels
  context.save();
  context.beginPath();
  context.rect(left, top, side, side);
  context.clip();
  context.drawImage(tile, left - half, top - half, side + 2 * half, side + 2 * half);
  context.restore();
  context.globalAlpha = 1;
}

function drawBorder(context, values, { left, top, side }, colours) {
  const points = (GRID - 1) / STRIDE + 1;
  const at = (i) => STRIDE * (Math.floor(i / points) * GRID + (i % points));
  const coarse = Float64Array.from({ length: points * points }, (_, i) => values[at(i)]);
  context.beginPath();
  for (const [x0, y0, x1, y1] of border(coarse, points, points)) {
    context.moveTo(left + x0 * side, top + y0 * side);
    context.lineTo(left + x1 * side, top + y1 * side);
  }
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  context.lineCap = "round";
  context.stroke();
  context.lineCap = "butt";
}

function frameOf(context, spec, { left, top, side }, across, down, colours) {
  context.strokeStyle = colours.quiet;
  context.lineWidth = 1;
  context.strokeRect(left, top, side, side);
  context.font = "12px system-ui, sans-serif";
  const middle = ([a, b]) => [a, (a + b) / 2, b];
  const write = (value, x, y, align) => text(context, plain(value, 2), x, y, { colour: colours.quiet, align });
  for (const a of middle(spec.extent[0])) write(a, across(a), top + side + 15, "center");
  for (const b of middle(spec.extent[1])) write(b, left - 6, down(b) + 4, "right");
  text(context, spec.names[0], left + side / 2, top + side + 32, { colour: colours.ink, align: "center" });
  context.save();
  context.translate(12, top + side / 2);
  context.rotate(-Math.PI / 2);
  text(context, spec.names[1], 0, 0, { colour: colours.ink, align: "center" });
  context.restore();
}
