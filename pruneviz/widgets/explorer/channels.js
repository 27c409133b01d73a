// ChannelExplorer: the chain of layers, one channel followed through it, and a slider for each group of tied layers.
import { grouped, percent, remembered } from "../frame/pure.js";
import {
  button, CAPTION, choice, el, facts, fold, numberBox, scrolled, setText, shareSlider, swatch, table, under,
} from "../frame/controls.js";
import { explorer } from "./explorer.js";
import { sortChoice, unitDrawings } from "./units.js";
import { Channels } from "./channel_counts.js";
import { ChainPicture } from "./chain_picture.js";

const HOW = "A row is what a layer writes, a column what it reads. Point at a row, or click it, to follow its channel "
  + "through the network; click again to cut it. With the keyboard: arrows, then Enter.";
const WHY = {
  added: "Their outputs are added: a sum has this channel as long as one part of it has.",
  multiplied: "Their outputs are multiplied, entry by entry.",
  depthwise: "A depthwise convolution makes each output of one input.",
  grouped: "A grouped convolution keeps the same number of channels in each group.",
};

/** The channel that is followed: what goes with it, and why. */
function followedPart(frame, chain) {
  const title = el("h4", CAPTION);
  const why = el("p", { class: "pv-hint", "data-png": true });
  const [own, tied] = [["score", "goes at", "cost"], ["outputs", "BatchNorm", "inputs"]]
    .map((names) => facts(names, frame.get("glossary")));
  const cells = { ...own.cells, ...tied.cells };
  const lists = el("div", { class: "pv-slices" }, own.node, tied.node);
  const cut = button("", () => chain.toggle());
  const stop = button("Stop following", () => chain.follow(null));
  const bar = el("div", { class: "pv-bar" }, title, el("div", { class: "pv-buttons" }, cut, stop));
  const how = el("p", { class: "pv-hint pv-how" }, HOW);
  const label = { class: "pv-follow", "aria-label": "The channel that is followed" };
  const node = el("section", label, how, bar, lists, why);
  frame.paint(() => frame.write(() => {
    const spot = chain.shown;
    node.toggleAttribute("data-empty", !spot);
    how.hidden = Boolean(spot);
    if (!spot) return;
    const unit = chain.units.unit(spot.name, spot.i);
    setText(title, `Channel ${spot.i} of ${spot.name}: ${chain.fateOf(unit)}`);
    if (frame.get("moving")) return;
    for (const [name, words] of Object.entries(chain.factsOf(spot))) setText(cells[name], words);
    setText(why, (chain.units.group(unit)?.how ?? []).map((word) => WHY[word]).join(" "));
    const change = chain.at.gone[unit] ? "Keep it by hand" : "Cut it by hand";
    setText(cut, chain.at.fates[unit] ? "Let the rule decide" : change);
    cut.disabled = !chain.units.counted.has(unit);
  }));
  return node;
}

function chainPart(frame, units) {
  const chain = new ChainPicture(frame, units);
  frame.chain = chain; // for tests
  const caption = el("figcaption", CAPTION,
    "The chain of layers: each block is a layer's weights, outputs down, inputs across");
  const twin = fold("Chain in words", () => inWords(chain));
  frame.paint((colours) => {
    chain.draw(frame.widthOf(chain.stage), colours);
    frame.write(() => {
      chain.write();
      if (!frame.get("moving")) twin.refresh();
    });
  });
  const key = [
    swatch("kept"), "kept", swatch("pruned"), "pruned", swatch("mark"), "by hand",
    ...(units.blocks.some(({ norms }) => norms.length) ? [el("span", {}, "narrow strip: BatchNorm")] : []),
    ...(units.flows.some(({ added }) => added) ? [el("span", {}, "⊕ outputs are added")] : []),
  ];
  return el("figure", { class: "pv-panel pv-wide pv-channels" },
    el("div", { class: "pv-bar" }, caption, el("span", { class: "pv-selectors" }, sortChoice(frame))),
    chain.stage, followedPart(frame, chain), under(key, twin));
}

/** The text twin: each layer in a row, and one channel looked up. */
function inWords(chain) {
  const { units, left } = chain;
  const lines = units.blocks.map(({ name, rows, columns, norms }, b) => {
    const group = units.groups.find(({ layers }) => layers.includes(name));
    const tied = (group?.layers ?? []).filter((other) => other !== name).join(", ");
    const [outputs, inputs] = [rows, columns].map((ids, axis) => `${grouped(left[b][axis])} of ${grouped(ids.length)}`);
    return [name, outputs, inputs, norms.join(", ") || "none", tied || "nothing"];
  });
  const heads = ["layer", "outputs left", "inputs left", "BatchNorm", "tied to"];
  return [scrolled("Chain in words", table(heads, lines)), lookUpChannel(chain)];
}

function lookUpChannel(chain) {
  const blocks = chain.units.blocks.filter(({ free }) => free);
  const answer = el("output", { class: "pv-answer" });
  const which = choice("layer", blocks.map(({ name }) => [name, name]), () => find());
  const box = numberBox("channel", { value: 0, oninput: () => find() });
  const find = () => {
    const [name, i] = [which.select.value, Number(box.value)];
    setText(answer, chain.units.unit(name, i) >= 0 ? `${chain.describe({ name, i })}.` : "No such channel.");
  };
  find();
  return el("p", { class: "pv-look" }, "Look up one channel: ", which.node, " ", box, " ", answer);
}

/** A slider for each group of tied layers; it has its own share until it is told to do as all. */
function groupsPart(frame, units) {
  const rows = units.groups.map((group) => groupRow(frame, units, group));
  const list = el("ul", { class: "pv-groups" }, ...rows.map((row) => row.node));
  frame.paint(() => {
    const at = units.at(frame.get("sparsity"), frame.get("by_hand"));
    frame.write(() => { for (const row of rows) row(at); });
  }, list);
  const heading = el("h4", CAPTION, "A share for each group of tied layers");
  return el("section", { class: "pv-panel pv-wide" }, heading, list);
}

function groupRow(frame, units, group) {
  const others = group.layers.slice(1);
  const with_ = (share) => {
    const shares = { ...frame.get("sparsities"), [group.name]: share };
    const named = units.groups.map(({ name }) => [name, shares[name]]);
    return Object.fromEntries(named.filter(([, own]) => own !== undefined));
  };
  const slider = shareSlider(others.length ? `${group.name} + ${others.length} tied` : group.name, {
    input: (share) => frame.set({ sparsities: with_(share) }, { moving: true }),
    release: (share) => { frame.set({ sparsities: with_(share) }); frame.speak = true; },
    step: 0.01,
  });
  const free = button("as all", () => { frame.set({ sparsities: with_(undefined) }); frame.speak = true; },
    { class: "pv-button pv-small", "aria-label": `${group.name}: as all groups` });
  const words = el("span", { class: "pv-row-words", "data-png": true });
  const write = remembered((pruned, own, moving) => {
    const kept = `${grouped(group.size - pruned)} of ${grouped(group.size)} kept`;
    const share = Math.round((1e4 * pruned) / group.size) / 1e4;
    const whose = own === undefined ? "" : ", a share of its own";
    slider.show(own ?? share, moving ? "" : `${percent(pruned / group.size)} pruned, ${kept}${whose}`);
    setText(words, `${kept}${others.length ? `, tied to ${others.join(", ")}` : ""}`);
    free.hidden = own === undefined;
  });
  const show = (at) => {
    const pruned = group.units.reduce((sum, id) => sum + at.gone[id], 0);
    write(pruned, frame.get("sparsities")[group.name], frame.get("moving"));
  };
  return Object.assign(show, { node: el("li", {}, slider.node, el("div", { class: "pv-foot" }, words, free)) });
}

export default explorer(Channels, { ...unitDrawings, chain: chainPart, groups: groupsPart });
