// FilterExplorer: the filters of a layer, best first, with the cut between them, and one filter under the glass.
import { grouped, percent, stepOf } from "../frame/pure.js";
import { sharp } from "../frame/draw.js";
import {
  button, CAPTION, choice, el, facts, fold, numberBox, scrolled, setText, swatch, table, tabs, under,
} from "../frame/controls.js";
import { fit } from "./gallery.js";
import { GalleryPicture } from "./gallery_picture.js";
import { explorer } from "./explorer.js";
import { outputsFigure, outputsLine } from "./outputs.js";
import { sortChoice, unitDrawings } from "./units.js";
import { Units } from "./unit_counts.js";
import { decode } from "../frame/wire.js";

/** What both criteria cut of a layer, and what only one does. */
export function overlapOf(layer, rivals, step) {
  const found = { both: 0, only: 0, rival: 0 };
  layer.id.forEach((id, i) => {
    if (id < 0) return;
    const [own, other] = [layer.place[i] <= step, rivals[i] <= step];
    if (own && other) found.both++;
    else if (own) found.only++;
    else if (other) found.rival++;
  });
  return found;
}

/** Which image: a number, the one before or after it, of one class or of all. */
function imageChoice(frame) {
  const truths = decode(frame.get("truths"));
  const last = truths.length - 1;
  const box = numberBox(`image, 0 to ${last}`, { max: last, onchange: () => pick(Number(box.value)) });
  const pick = (image) => Number.isInteger(image) && image >= 0 && image <= last && frame.set({ image });
  const wanted = (image) => kind.select.value === "" || truths[image] === Number(kind.select.value);
  const go = (by) => {
    let image = frame.get("image") + by;
    while (image >= 0 && image <= last && !wanted(image)) image += by;
    pick(image);
  };
  const classes = [...new Set(truths)].sort((a, b) => a - b);
  const kind = choice("of class", [["", "any"], ...classes.map((c) => [String(c), String(c)])], () => {
    if (!wanted(frame.get("image"))) pick(truths.findIndex((_, image) => wanted(image)));
  }, { told: false });
  const previous = button("‹", () => go(-1), { class: "pv-button pv-small", "aria-label": "Previous image" });
  const next = button("›", () => go(1), { class: "pv-button pv-small", "aria-label": "Next image" });
  frame.on("image", () => {});
  frame.paint(() => frame.write(() => {
    if (frame.get("moving")) return;
    if (document.activeElement !== box) box.value = frame.get("image");
    for (const control of [box, kind.select, previous, next]) control.disabled = frame.offline;
  }));
  return el("span", { class: "pv-choice" }, "image ", previous, box, next, kind.node);
}

/** A second criterion, and how far it agrees. */
function rivalChoice(frame, gallery) {
  const names = () => {
    const others = frame.get("criteria").filter((name) => name !== frame.get("criterion"));
    return [["", "none"], ...others.map((name) => [name, name])];
  };
  const second = choice("second criterion", names(), (value) => frame.set({ rival: value }), { told: false });
  const words = el("span", { class: "pv-hint", "data-png": true });
  frame.on("rival", () => {});
  frame.on("criterion", () => second.fill(names()));
  frame.paint(() => frame.write(() => {
    const rivals = gallery.rivalsOf(gallery.layer);
    const step = stepOf(frame.get("sparsity"));
    const { both, only, rival } = rivals ? overlapOf(gallery.layer, rivals, step) : {};
    const [own, other] = [frame.get("ranking").criterion, frame.get("rivals").criterion];
    const shares = `both cut ${both}, only ${own} ${only}, only ${other} ${rival}`;
    setText(words, rivals ? `${gallery.layer.name}: ${shares}` : "");
    if (frame.get("moving")) return;
    second.select.value = frame.get("rival");
    second.select.disabled = frame.offline;
    node.hidden = !frame.get("rival") && frame.get("basic").length > 0 && !frame.get("more");
  }));
  const node = el("div", { class: "pv-rival" }, second.node, words);
  return node;
}

/** A kernel in words: all of it, or of many inputs their mean. */
function kernelText({ kernels, shape: [, inputs] }) {
  const [, slices, height, width] = kernels.shape;
  if (inputs > slices) return `kernel, mean |w| of ${inputs} inputs`;
  return slices === 1 ? `kernel, ${height} × ${width}` : `kernel, ${slices} × ${height} × ${width}`;
}

/** The image and one filter, large, with its facts. */
function glass(frame, gallery) {
  const [input, kernel, map] = Array.from({ length: 3 }, () => el("canvas", { role: "img" }));
  const words = () => el("figcaption", { class: "pv-hint", "data-png": true });
  const [inputWords, kernelWords, mapWords] = Array.from({ length: 3 }, words);
  const title = el("h4", CAPTION);
  const { node, cells } = facts(["score", "rank", "goes at", "activity"], frame.get("glossary"));
  const pairs = [[input, inputWords], [kernel, kernelWords], [map, mapWords]];
  let drawn = "";
  const show = (canvas, picture) => {
    canvas.parentElement.hidden = !picture;
    if (picture) fit(sharp(canvas, 112, 112), picture, 0, 0, 112);
  };
  frame.paint((colours) => frame.write(() => {
    const { layer, pictures, shown: i } = gallery;
    setText(title, `Filter ${i} of ${layer.name}: ${gallery.fateOf(i)}`);
    for (const [name, fact] of gallery.factsOf(i)) setText(cells[name], fact);
    const { index, truth } = frame.get("pictured");
    const key = `${layer.name}/${i}/${index}/${pictures.has(layer)}/${colours.paper}`;
    if (frame.get("moving") || key === drawn) return;
    drawn = key;
    show(input, pictures.image());
    show(kernel, pictures.kernel(layer, i));
    show(map, pictures.map(layer, i));
    setText(inputWords, `image ${index}, a ${truth}`);
    setText(kernelWords, kernelText(layer));
    setText(mapWords, `feature map, ${pictures.shown.maps.shape.slice(1).join(" × ")}`);
    for (const [canvas, said] of pairs) canvas.setAttribute("aria-label", said.textContent);
  }));
  return el("section", { class: "pv-lens", "aria-label": "The filter in focus" },
    el("div", { class: "pv-pictures" }, ...pairs.map((pair) => el("figure", {}, ...pair))),
    outputsFigure(frame), el("div", { class: "pv-facts" }, title, node));
}

function filtersPart(frame, units) {
  const gallery = new GalleryPicture(frame, units);
  frame.gallery = gallery; // for tests
  const caption = el("figcaption", CAPTION);
  const names = units.layers.map(({ name }) => name);
  const layerTabs = tabs("Layer", names, (name) => frame.set({ layer: name }));
  const hint = el("p", { class: "pv-hint" }, "Drag the line to move the cut. Click a card to cut or keep it by hand, "
    + "again to let go; with the keyboard: arrows, then Enter.");
  const twin = fold("Filters in words", () => inWords(gallery));
  const rivalKey = el("span", {}, "✕ the other criterion cuts it too, or instead");
  frame.paint((colours) => {
    gallery.draw(frame.widthOf(gallery.stage), colours);
    frame.write(() => {
      gallery.write();
      const { layer } = gallery;
      const left = `${grouped(gallery.kept)} of ${grouped(layer.size)} kept (${percent(gallery.kept / layer.size)})`;
      setText(caption, `Filters of ${layer.name}, ${layer.shape.join(" × ")}: ${left}`);
      if (frame.get("moving")) return;
      layerTabs.show(layer.name);
      rivalKey.hidden = !gallery.rivalsOf(layer);
      twin.refresh();
    });
  });
  const selectors = el("span", { class: "pv-selectors" }, sortChoice(frame), imageChoice(frame));
  const key = [swatch("kept"), "kept", swatch("pruned"), "pruned", swatch("hand"), "by hand", rivalKey];
  return el("figure", { class: "pv-panel pv-wide pv-filters" }, caption,
    el("div", { class: "pv-bar" }, layerTabs.node, selectors),
    rivalChoice(frame, gallery), glass(frame, gallery), outputsLine(frame), gallery.stage, hint, under(key, twin));
}

/** The text twin: every filter of the layer in a row. */
function inWords(gallery) {
  const { layer } = gallery;
  const order = gallery.sorted ? layer.order : [...layer.score.keys()];
  const rows = order.map((i) => [String(i), gallery.fateOf(i), ...gallery.factsOf(i).map(([, words]) => words)]);
  const heads = ["filter", "fate", ...gallery.factsOf(0).map(([name]) => name)];
  return [scrolled("Filters in words", table(heads, rows))];
}

export default explorer(Units, { ...unitDrawings, filters: filtersPart });
