// NeuronExplorer: the network with all its neurons, and one neuron under the glass.
import { grouped } from "../frame/pure.js";
import { WEIGHT } from "../frame/draw.js";
import { CAPTION, choice, el, facts, fold, numberBox, setText, swatch, under } from "../frame/controls.js";
import { explorer } from "./explorer.js";
import { sortChoice, unitDrawings } from "./units.js";
import { Units } from "./unit_counts.js";
import { NetworkPicture } from "./network_picture.js";
import { outputsLine } from "./outputs.js";
import { strongest } from "./wiring.js";

/** Whose activity fades the neurons. */
function imageChoice(frame) {
  const max = frame.get("n") - 1;
  const box = numberBox(`image, 0 to ${max}`, { max, onchange: () => pick(Number(box.value)) });
  const pick = (image) => Number.isInteger(image) && image >= 0 && image <= max && frame.set({ image });
  const which = choice("activity on", [["all", "all images, mean"], ["one", "one image:"]], (value) =>
    (value === "all" ? frame.set({ image: -1 }) : pick(Number(box.value || 0))));
  frame.on("image", () => {});
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    const image = frame.get("image");
    which.select.value = image < 0 ? "all" : "one";
    box.hidden = image < 0;
    if (image >= 0 && document.activeElement !== box) box.value = image;
    for (const control of [which.select, box]) control.disabled = frame.offline;
  }));
  return el("span", { class: "pv-choice" }, which.node, box);
}

/** One neuron under the glass: facts, what it looks at, its strongest connections. */
function glass(frame, picture) {
  const title = el("h4", CAPTION);
  const { node: list, cells } = facts(["score", "rank", "activity", "goes at"], frame.get("glossary"));
  const canvas = el("canvas", { role: "img", class: "pv-mask", "data-crisp": true });
  const caption = el("p", { class: "pv-hint" });
  const links = el("p", { class: "pv-links" });
  let drawn = "";
  const refresh = (colours) => {
    const spot = picture.shown;
    const layer = picture.units.layers[spot.layer];
    frame.write(() => {
      setText(title, `Neuron ${spot.i} of ${layer.name}: ${picture.fateOf(spot)}`);
      for (const [name, words] of picture.factsOf(spot)) setText(cells[name], words);
      const key = `${spot.layer}/${spot.i}/${colours.kept}/${colours.paper}`;
      if (frame.get("moving") || key === drawn) return;
      drawn = key;
      const shape = frame.get("looks_at");
      const into = picture.wiring.incoming(layer, spot.i);
      const first = layer.name === picture.wiring.layers[0]?.name
        && shape.length && into.length === shape[0] * shape[1];
      canvas.hidden = !first;
      if (first) drawWeights(canvas, into, shape);
      const shown = `Weights of neuron ${spot.i} of ${layer.name}, one pixel an input`;
      if (first) canvas.setAttribute("aria-label", `${shown}: ${looks(into, shape)}`);
      setText(caption, first
        ? "What it looks at: its incoming weights, one for each pixel. Light ones raise its sum, dark ones lower it."
        : "");
      setText(links, linksOf(picture, layer, spot.i, into, first));
    });
  };
  frame.paint(refresh);
  return el("section", { class: "pv-glass", "aria-label": "The neuron in focus" },
    title, list, el("div", {}, canvas, caption), links);
}

function linksOf(picture, layer, i, into, first) {
  const signed = (values) => (j) => `${j} (${values[j] < 0 ? "−" : "+"}${Math.abs(values[j]).toFixed(2)})`;
  const { wiring } = picture;
  const [before, next, out] = [wiring.before(layer), wiring.after(layer), wiring.outgoing(layer, i)];
  const five = (values) => strongest(values, 5).map(signed(values)).join(", ");
  const words = [];
  if (!first && before) words.push(`Strongest from ${before.name}: ${five(into)}.`);
  if (next) words.push(`Strongest to ${next.name}: ${five(out)}.`);
  return words.join(" ");
}

/** Where in the picture most of the weight lies, in words. */
function looks(into, [height, width]) {
  const thirds = new Float64Array(9);
  const third = (at, size) => Math.min(2, Math.floor((3 * at) / size));
  into.forEach((value, p) => {
    thirds[3 * third(Math.floor(p / width), height) + third(p % width, width)] += Math.abs(value);
  });
  const names = [
    "top left", "top", "top right", "left", "the middle", "right", "bottom left", "bottom", "bottom right",
  ];
  return `most of it lies at ${names[thirds.indexOf(Math.max(...thirds))]}`;
}

function drawWeights(canvas, into, [height, width]) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const most = Math.max(...into.map(Math.abs), 1e-12);
  into.forEach((value, p) => { pixels[p] = WEIGHT[Math.round(127.5 * (1 + value / most))]; });
  context.putImageData(image, 0, 0);
}

function networkPart(frame, units) {
  const picture = new NetworkPicture(frame, units);
  frame.network = picture; // for tests
  const caption = el("figcaption", CAPTION, "The network: the fuller the colour, the more active a neuron");
  const hint = el("p", { class: "pv-hint" }, "Click a neuron to silence it, again to let go; with the keyboard: "
    + "arrows, then Enter. Drag a line to move the cut.");
  const twin = fold("Network in words", () => inWords(frame, units, picture));
  frame.paint((colours) => {
    picture.draw(frame.widthOf(picture.stage), colours);
    frame.write(() => {
      picture.write();
      if (!frame.get("moving")) twin.refresh();
    });
  });
  const lines = "Lines: the strongest connections of one neuron, solid raises, dashed lowers.";
  const key = [swatch("kept"), "kept", swatch("pruned"), "silenced", swatch("hand"), "by hand", el("span", {}, lines)];
  const selectors = el("span", { class: "pv-selectors" }, sortChoice(frame), imageChoice(frame));
  return el("figure", { class: "pv-panel pv-wide pv-neurons" },
    el("div", { class: "pv-bar" }, caption, selectors),
    el("div", { class: "pv-scene" }, el("div", {}, picture.stage, outputsLine(frame), hint), glass(frame, picture)),
    under(key, twin));
}

/** The text twin: each layer in a sentence, and one neuron looked up. */
function inWords(frame, units, picture) {
  const at = units.at(frame.get("sparsity"), frame.get("by_hand"));
  const sentences = units.layers.map((layer, l) => {
    const dead = layer.activity.reduce((sum, value) => sum + (value === 0 ? 1 : 0), 0);
    const byHand = frame.get("by_hand")[layer.name];
    const list = (name) => byHand[name].join(", ") || "none";
    const hand = byHand ? ` By hand: cut ${list("cut")}; kept ${list("kept")}.` : "";
    const quiet = frame.get("pictured").index < 0 ? "never active" : "silent on this image";
    const left = `${grouped(layer.size - at.pruned[l])} of ${grouped(layer.size)} neurons kept`;
    const best = layer.order.slice(0, 5).join(", ");
    const worst = layer.order.slice(-5).reverse().join(", ");
    const ends = `Best: ${best}; first to go: ${worst}.`;
    return el("p", {}, `${layer.name}: ${left}, ${grouped(dead)} ${quiet}. ${ends}${hand}`);
  });
  return [...sentences, lookUpNeuron(units, picture)];
}

function lookUpNeuron(units, picture) {
  const answer = el("output", { class: "pv-answer" });
  const which = choice("layer", units.layers.map(({ name }, l) => [String(l), name]), () => find());
  const box = numberBox("neuron", { value: 0, oninput: () => find() });
  const find = () => {
    const [l, i] = [Number(which.select.value), Number(box.value)];
    const good = Number.isInteger(i) && i >= 0 && i < units.layers[l].size;
    setText(answer, good ? `${picture.describe({ layer: l, i })}.` : "No such neuron.");
  };
  find();
  return el("p", { class: "pv-look" }, "Look up one neuron: ", which.node, " ", box, " ", answer);
}

export default explorer(Units, { ...unitDrawings, network: networkPart });
