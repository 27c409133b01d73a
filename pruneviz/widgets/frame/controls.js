// Real HTML controls: keyboards, screen readers and fingers know them.
import { parsePercent } from "./pure.js";

/** Make an element: el("div", { class: "pv-x", onclick }, "text", child). */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Write text where it differs, and tell whether it does: an equal text, too, would have the page laid out anew. */
export function setText(node, words) {
  if (node.pvText === words) return false;
  node.pvText = words;
  if (node.firstChild?.nodeType === Node.TEXT_NODE && !node.firstChild.nextSibling) node.firstChild.data = words;
  else node.textContent = words;
  return true;
}

const [COARSE, FINE] = [0.01, 0.001]; // by an arrow key, and with Shift

const percentOf = (share) => String(+(100 * share).toFixed(2));

let count = 0;
export const newId = () => `pv-${++count}-${Math.random().toString(36).slice(2, 7)}`;

// JupyterLab in command mode takes arrow keys and letters away from inputs that do not say this.
export const KEYS = { "data-lm-suppress-shortcuts": "true" };

/**
 * A slider for a share, and a number box in per cent beside it. `input(share)` comes while it moves,
 * `release(share)` when it is let go; show(share, words) moves both, words saying what a share means.
 */
export function shareSlider(label, { input, release, step = 0.001 }) {
  const id = newId();
  const range = el("input", { type: "range", id, min: 0, max: 1, step, class: "pv-range", ...KEYS });
  const box = el("input", {
    type: "text", inputmode: "decimal", size: 5, class: "pv-box", autocomplete: "off",
    "aria-label": `${label} in per cent`, ...KEYS,
  });
  range.addEventListener("input", () => input(Number(range.value)));
  range.addEventListener("change", () => release(Number(range.value)));
  range.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const share = Number(range.value) + way * (event.shiftKey ? Math.min(step, FINE) : COARSE);
    range.value = Math.min(1, Math.max(0, share)); // at once: the next press may come before the next frame
    release(Math.round(1e4 * Number(range.value)) / 1e4);
  });
  const wrong = el("span", { class: "pv-wrong-number", role: "alert", hidden: true }, "Write a number from 0 to 100.");
  let editing = false;
  const commit = () => {
    editing = false;
    const share = parsePercent(box.value);
    const good = share >= 0 && share <= 1;
    box.setAttribute("aria-invalid", String(!good));
    wrong.hidden = good;
    if (good) release(Math.round(share * 1e4) / 1e4);
  };
  box.addEventListener("input", () => { editing = true; });
  box.addEventListener("change", commit);
  box.addEventListener("keydown", (event) => event.key === "Enter" && commit());
  const unit = el("span", { class: "pv-unit", "data-png": true }, box, "%");
  const node = el("div", { class: "pv-slider" }, el("label", { for: id, "data-png": true }, label), range, unit, wrong);
  let shown = null;
  const show = (share, words) => {
    if (Number(range.value) !== share) range.value = share;
    if (words) range.setAttribute("aria-valuetext", words);
    if (shown !== share) range.style.setProperty("--pv-share", `${100 * share}%`);
    else if (box.value === percentOf(share)) return;
    shown = share;
    if (editing) return; // never overwrite what is being typed
    box.value = percentOf(share);
    if (box.getAttribute("aria-invalid") === "true") box.setAttribute("aria-invalid", "false");
    wrong.hidden = true;
  };
  return { node, show, range, box };
}

/** A row of tabs; arrow keys move between them. */
export function tabs(label, names, pick) {
  const tab = { type: "button", role: "tab", class: "pv-tab", ...KEYS };
  const buttons = names.map((name) => el("button", { ...tab, onclick: () => pick(name) }, name));
  const node = el("div", { role: "tablist", "aria-label": label, class: "pv-tabs" }, ...buttons);
  node.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const next = (buttons.indexOf(event.target) + move + buttons.length) % buttons.length;
    buttons[next].focus();
    pick(names[next]);
  });
  const show = (name) => buttons.forEach((button, i) => {
    button.setAttribute("aria-selected", String(names[i] === name));
    button.tabIndex = names[i] === name ? 0 : -1;
  });
  return { node, show };
}

/** A labelled choice, which a saved picture tells unless other words of it do. */
export function choice(label, options, pick, { told = true } = {}) {
  const id = newId();
  const select = el("select", { id, class: "pv-select", onchange: () => pick(select.value), ...KEYS });
  const fill = (entries) => select.replaceChildren(...entries.map(([value, words]) => el("option", { value }, words)));
  fill(options);
  const node = el("span", { class: "pv-choice", "data-png": told }, el("label", { for: id }, label), select);
  return { node, select, fill };
}

export const button = (label, action, more = {}) =>
  el("button", { type: "button", class: "pv-button", onclick: action, ...KEYS, ...more }, label);

const inARow = (key, at, many) => {
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1 }[key];
  return to === undefined ? null : (to + many) % many;
};

/** Buttons of which one is in the tab order; `move(key, at)` says to which one a key goes, null for nowhere. */
export function roving(label, buttons, { css, move = inARow }) {
  const group = el("div", { role: "group", "aria-label": label, class: css }, ...buttons);
  const enter = (target) => buttons.forEach((one) => { one.tabIndex = one === target ? 0 : -1; });
  enter(buttons[0]);
  group.addEventListener("focusin", (event) => enter(event.target));
  group.addEventListener("keydown", (event) => {
    const to = move(event.key, buttons.indexOf(event.target), buttons.length);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[to].focus();
  });
  return group;
}

export const CAPTION = { class: "pv-caption", "data-png": true };

/** A box for a whole number from 0. */
export const numberBox = (label, more) =>
  el("input", { type: "number", min: 0, class: "pv-box", "aria-label": label, ...KEYS, ...more });

/** A square in the colour of a fate, for a picture's key. */
export const swatch = (fate) => el("i", { class: `pv-swatch pv-swatch-${fate}` });

/** Under a picture: its key, and its text twin. */
export const under = (key, twin) =>
  el("div", { class: "pv-below" }, el("p", { class: "pv-key" }, ...key), twin.node);

/** A picture with its caption: words, or a list of words and nodes. */
export const figure = (caption, ...children) =>
  el("figure", { class: "pv-panel" }, el("figcaption", CAPTION, ...[caption].flat()), ...children);

/** A panel with its heading: words, or a list of words and nodes. */
export const section = (heading, ...children) =>
  el("section", { class: "pv-panel" }, el("h4", CAPTION, ...[heading].flat()), ...children);

/** A word that explains itself where it is pointed at or focused; Escape puts the explanation away. */
function term(word, meaning) {
  if (!meaning) return word;
  const id = newId();
  const tip = el("span", { class: "pv-tip", role: "tooltip", id }, meaning);
  const said = button(word, () => {}, { class: "pv-button pv-term", "aria-describedby": id });
  const holder = el("span", { class: "pv-word" }, said, tip);
  const show = (away) => () => {
    holder.toggleAttribute("data-away", away);
    tip.style.left = "0";
    const out = tip.getBoundingClientRect().right - holder.closest(".pv").getBoundingClientRect().right + 8;
    if (out > 0) tip.style.left = `${-out}px`;
  };
  for (const way of ["pointerenter", "focusin"]) holder.addEventListener(way, show(false));
  holder.addEventListener("keydown", (event) => event.key === "Escape" && show(true)());
  return holder;
}

/** Names with a value each; the values are `cells`. The names are explained where the `glossary` has them. */
export function facts(names, glossary) {
  const cells = Object.fromEntries(names.map((name) => [name, el("dd", { "data-png": true })]));
  const rows = names.map((name) =>
    el("div", {}, el("dt", { "data-png": true }, term(name, glossary[name])), cells[name]));
  return { node: el("dl", { class: "pv-card" }, ...rows), cells };
}

/** What may be too wide or too long for its place: the keyboard scrolls it too. */
export const scrolled = (label, ...children) =>
  el("div", { class: "pv-scroll", role: "region", tabindex: 0, "aria-label": label }, ...children);

/** Details that open on demand: the text twin of a picture. Filled when they are opened. */
export function fold(summary, fill) {
  const body = el("div", { class: "pv-fold" });
  const node = el("details", { ontoggle: () => refresh() }, el("summary", {}, summary), body);
  const refresh = () => node.open && body.replaceChildren(...fill());
  return { node, refresh };
}

export function table(heads, rows) {
  return el("table", { class: "pv-table" },
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...rows.map(([first, ...others]) =>
      el("tr", {}, el("th", { scope: "row" }, first), ...others.map((cell) => el("td", {}, String(cell)))))));
}
