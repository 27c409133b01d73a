// The pictures of TinyNetwork.
import { dot, line, sharp, text } from "./draw.js";
import { border, plain, plane, signed } from "./tiny_math.js";

const ON_ORANGE = "#22272e"; // pale orange stays pale in the dark theme
const WIDEST = 11;
const DASH = [9, 6];

/** Thick is large, dashed and hollow is cut. */
function drawWire(context, wire, place, kept, largest, colours) {
  const ends = [[place.x0, place.y0], [place.x1, place.y1]];
  if (kept) line(context, ends, colours.kept, Math.max((WIDEST * Math.abs(wire.value)) / largest, 0.75));
  else {
    line(context, ends, colours.mark, 4.5, DASH);
    line(context, ends, colours.pruned, 2.5, [DASH[0] - 2, DASH[1] + 2]);
  }
}

function roundBox(context, { x, y, width, height, radius = 6 }, { fill, edge, wide = 1.5, dash = [] }) {
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

/** The width of a wire's number: what the pen writes, and a margin. */
export const chipWidth = (words) => Math.max(34, 7.4 * words.length + 14);

function drawNumber(context, place, label, kept, colours) {
  const width = chipWidth(label.words);
  roundBox(context, { ...place, width, height: 24, radius: 12 }, kept
    ? { fill: colours.paper, edge: colours.kept }
    : { fill: colours.pruned, edge: colours.mark, dash: [3, 2] });
  context.font = "600 13px system-ui, sans-serif";
  text(context, label.words, place.x, place.y + 4.5, { colour: kept ? colours.ink : ON_ORANGE, align: "center" });
  if (!kept) {
    const half = context.measureText(label.words).width / 2 + 2;
    line(context, [[place.x - half, place.y], [place.x + half, place.y]], ON_ORANGE, 1.5);
  }
  context.font = "11px system-ui, sans-serif";
  if (label.name) text(context, label.name, place.x, place.y - 16, { colour: colours.quiet, align: "center", halo: colours.paper });
  if (label.change) text(context, label.change, place.x, place.y + 25, { colour: colours.ink, align: "center", halo: colours.paper });
}

function drawNeuron(context, name, node, { cut, bias, inside, label }, colours) {
  const round = { x: node.x, y: node.y, width: 2 * node.radius, height: 2 * node.radius, radius: node.radius };
  roundBox(context, round, cut ? { fill: colours.pruned, edge: colours.mark, wide: 2, dash: [4, 3] } : { fill: colours.paper, edge: colours.ink, wide: 2 });
  context.font = "600 12px system-ui, sans-serif";
  if (inside) text(context, inside, node.x, node.y + 4, { colour: cut ? ON_ORANGE : colours.ink, align: "center" });
  context.font = "12px system-ui, sans-serif";
  if (label) text(context, label, node.x, node.y + node.radius + 15, { colour: colours.ink, align: "center", halo: colours.paper });
  context.font = "11px system-ui, sans-serif";
  if (bias) text(context, bias, node.x, node.y + node.radius + (label ? 29 : 15), { colour: colours.quiet, align: "center", halo: colours.paper });
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

/** The whole model. `state`: kept flags, cut neurons, numbers of the chosen example, loss changes or null. */
export function drawWiring(canvas, layout, spec, state, colours) {
  const context = sharp(canvas, layout.width, layout.height);
  const largest = Math.max(...spec.wires.map((wire) => Math.abs(wire.value)), 1e-300);
  const order = spec.wires.map((_, i) => i).sort((a, b) => state.kept[a] - state.kept[b]);
  for (const i of order) drawWire(context, spec.wires[i], layout.wires[i], state.kept[i], largest, colours);
  for (const [name, node] of Object.entries(layout.nodes)) {
    if (node.width) drawBox(context, node, name === "output" ? state.output : name, state.numbers[name], colours, name === "output" ? 2 : 1.5);
    else {
      const input = spec.names.includes(name);
      drawNeuron(context, name, node, {
        cut: state.cutNeurons.includes(name),
        bias: input ? "" : `bias ${plain(spec.biases[name], spec.decimals)}`,
        inside: input || name === "output" ? "" : name,
        label: input ? name : name === "output" ? state.output : "",
      }, colours);
    }
  }
  spec.wires.forEach((wire, i) => drawNumber(context, layout.wires[i], {
    words: plain(wire.value, spec.decimals),
    name: spec.kind === "linear" ? "" : wire.name,
    change: state.changes ? signed(state.changes[i], spec.digits) : "",
  }, state.kept[i], colours));
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
  x.forEach(([a, b], i) => {
    const [u, v] = [across(a), down(b)];
    if (wrong[i]) ring(context, u, v, 6.5, colours.mark, 2.5);
    if (y[i]) {
      context.fillStyle = colours.ink;
      dot(context, u, v, 2.6);
    } else {
      line(context, [[u - 2.3, v - 2.3], [u + 2.3, v + 2.3]], colours.quiet, 1.2);
      line(context, [[u - 2.3, v + 2.3], [u + 2.3, v - 2.3]], colours.quiet, 1.2);
    }
  });
  const [u, v] = [across(x[chosen][0]), down(x[chosen][1])];
  ring(context, u, v, 8, colours.paper, 5);
  ring(context, u, v, 8, colours.ink, 2);
  return { toPlane: (px, py) => [left + ((px - box.left) / box.side) * (right - left), top - ((py - box.top) / box.side) * (top - bottom)] };
}

function ring(context, x, y, radius, colour, width) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

function shade(context, values, { left, top, side }, colours) {
  const small = new OffscreenCanvas(GRID, GRID);
  const pen = small.getContext("2d");
  pen.fillStyle = colours.kept;
  for (let row = 0; row < GRID; row++) {
    let from = -1;
    for (let column = 0; column <= GRID; column++) {
      const yes = column < GRID && values[row * GRID + column] > 0;
      if (yes && from < 0) from = column;
      if (!yes && from >= 0) {
        pen.fillRect(from, row, column - from, 1);
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
  context.drawImage(small, left - half, top - half, side + 2 * half, side + 2 * half);
  context.restore();
  context.globalAlpha = 1;
}

function drawBorder(context, values, { left, top, side }, colours) {
  const points = (GRID - 1) / STRIDE + 1;
  const coarse = Float64Array.from({ length: points * points }, (_, i) => values[STRIDE * Math.floor(i / points) * GRID + STRIDE * (i % points)]);
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
  for (const a of middle(spec.extent[0])) text(context, plain(a, 2), across(a), top + side + 15, { colour: colours.quiet, align: "center" });
  for (const b of middle(spec.extent[1])) text(context, plain(b, 2), left - 6, down(b) + 4, { colour: colours.quiet, align: "right" });
  text(context, spec.names[0], left + side / 2, top + side + 32, { colour: colours.ink, align: "center" });
  context.save();
  context.translate(12, top + side / 2);
  context.rotate(-Math.PI / 2);
  text(context, spec.names[1], 0, 0, { colour: colours.ink, align: "center" });
  context.restore();
}
