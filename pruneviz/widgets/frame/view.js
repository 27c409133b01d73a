// The foundation of every view: heading, buttons, live region, progress, history, theme.
//
//   const frame = new Frame(model, el);       // a card with a heading and buttons
//   frame.body.append(...)                     // what the view shows
//   frame.set({ count: 3 }, { moving: true }); // while dragging; without `moving` when it is let go
//   frame.paint(() => ...);                    // called at most once a frame, and on theme and size changes
//   frame.paint(() => ..., canvas);            // not while dragging, if this element is out of sight
//   frame.on("count", () => ...);              // a trait changed, here or in Python; repaints by itself
//   frame.say("…");                            // to screen readers; after release only
//   frame.sentence = () => "…";                // what a screen reader hears, and Save writes under the picture
//   frame.footnote = () => "…";                // what Save writes there instead
//   frame.code = () => "…";                    // what Show code shows
//   frame.strip(parts)                         // the strip of kept states
//   return () => frame.dispose();              // at the end of render
//
// Undo, Reset and Keep go back to the traits that the Python class lists in `state_names`.
import { same } from "./pure.js";
import { palette } from "./draw.js";
import { button, choice, el, newId, setText } from "./controls.js";
import { pictureOf } from "./picture.js";

// What a kernel says when no message of before will ever be answered, however well it is later.
const LAST_WORDS = ["restarting", "autorestarting", "terminating", "dead"];

export class Frame {
  undoButton = /** @type {HTMLButtonElement | null} */ (null);
  resetButton = /** @type {HTMLButtonElement | null} */ (null);
  codeButton = /** @type {HTMLButtonElement | null} */ (null);
  moreButton = /** @type {HTMLButtonElement | null} */ (null);
  /** What Keep adds to a state, so that the strip can tell of it. */
  summary = () => ({});
  /** What the network says to the image on view, if there is one. */
  answer = () => "";
  painters = [];
  writes = [];
  widths = new WeakMap();
  outOfSight = new Set();
  sight = new IntersectionObserver((entries) => this.noteSight(entries));
  /** @type {any} */
  colours = null;
  cleanups = [];
  past = [];
  branch = -1;
  work = 0;
  frameRequest = 0;
  committing = false;
  gone = false;
  sentence = () => "";
  footnote = () => this.sentence();
  code = () => this.model.get("code");

  constructor(model, parent, { tools = ["undo", "reset", "keep", "code", "save"] } = {}) {
    this.model = model;
    this.gone = model.get("layout")?.comm_live === false; // in a notebook that was opened anew
    if (this.offline) model.set("moving", false); // it may have been saved while the hand moved
    this.names = model.get("states");
    this.initial = this.state();
    this.last = this.initial;
    const heading = newId();
    this.root = el("section", { class: "pv", "aria-labelledby": heading });
    this.root.pruneviz = this; // for tests and benchmarks
    this.live = el("div", { class: "pv-live", role: "status", "aria-live": "polite" });
    this.problem = el("p", { class: "pv-problem", role: "alert", hidden: true });
    this.lost = el("p", { class: "pv-problem", role: "alert", hidden: true });
    this.body = el("div", { class: "pv-body" });
    this.buttons = el("div", { class: "pv-buttons", role: "group", "aria-label": "History and export" });
    const title = el(model.heading ?? "h3", { id: heading, class: "pv-title", "data-png": true }, model.get("title"));
    this.root.append(
      el("header", { class: "pv-head" }, title, this.progressBar(), this.buttons),
      this.lost, this.problem, this.body, this.codePanel(), this.live,
    );
    const all = {
      undo: ["Undo", () => this.undo()], reset: ["Reset", () => this.reset()], keep: ["Keep", () => this.keep()],
      code: ["Show code", () => this.toggleCode()], save: ["Save PNG", () => this.savePNG()],
      more: ["More", () => this.set({ more: !this.get("more") })],
    };
    for (const tool of tools) this.buttons.append((this[`${tool}Button`] = button(...all[tool])));
    this.codeButton?.setAttribute("aria-expanded", "false");
    this.on("more", () => this.refreshTools());
    for (const name of [...this.names, "moving"]) this.on(name, () => this.commit());
    for (const name of ["progress", "running", "problem"]) this.on(name, () => this.showProgress());
    this.watchTheme();
    this.watchKernel();
    this.showProgress();
    this.refreshTools();
    parent.append(this.root);
  }

  /** Whether no kernel answers: in a page of its own, in a notebook that was opened anew, and once it is gone. */
  get offline() { return this.gone || Boolean(this.model.offline); }

  get(name) { return this.model.get(name); }
  /** @returns {any} */
  state() { return Object.fromEntries(this.names.map((name) => [name, this.model.get(name)])); }

  /** Change traits; one message takes them to the kernel. */
  set(values, { moving = false } = {}) {
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.set("moving", moving);
    if (!this.offline) this.model.save_changes();
    this.repaint();
  }

  on(name, react) {
    const listener = () => { react(); this.repaint(); };
    this.model.on(`change:${name}`, listener);
    this.cleanups.push(() => this.model.off(`change:${name}`, listener));
  }

  paint(painter, node = null) {
    this.painters.push([painter, node]);
    if (node) this.sight.observe(node);
    this.repaint();
  }

  /** Change the page after all pictures are drawn: text on a canvas asks for the styles of a page that has changed. */
  write(change) { this.writes.push(change); }

  repaint() {
    if (this.frameRequest) return;
    this.frameRequest = requestAnimationFrame(() => {
      this.frameRequest = 0;
      this.paintNow();
    });
  }

  /** Width of an element, measured once a resize: asking in every frame would lay the page out anew. */
  widthOf(node) {
    if (!this.widths.has(node)) this.widths.set(node, node.clientWidth);
    return this.widths.get(node);
  }

  paintNow() {
    if (!this.root.isConnected || !this.widthOf(this.root)) return;
    const start = performance.now();
    if (!this.colours) this.applyTheme();
    const moving = this.get("moving");
    for (const [painter, node] of this.painters) {
      if (node?.isConnected !== false && !(moving && this.outOfSight.has(node))) painter(this.colours);
    }
    for (const write of this.writes.splice(0)) write();
    this.work = performance.now() - start;
  }

  say(words) { if (this.live.textContent !== words) this.live.textContent = words; }

  /** A step of history ends when the hand lets go. */
  commit() {
    if (this.committing) return;
    this.committing = true;
    queueMicrotask(() => {
      this.committing = false;
      if (this.model.get("moving")) return;
      const now = this.state();
      if (!same(now, this.last)) {
        this.past.push(this.last);
        this.last = now;
      }
      this.refreshTools();
    });
  }

  refreshTools() {
    this.undoButton?.toggleAttribute("disabled", !this.past.length);
    this.resetButton?.toggleAttribute("disabled", same(this.last, this.initial));
    this.moreButton?.setAttribute("aria-expanded", String(this.get("more")));
    if (this.moreButton) setText(this.moreButton, this.get("more") ? "Less" : "More");
    if (this.codePanelNode && !this.codePanelNode.hidden) this.codeText.textContent = this.code();
  }

  undo() {
    const state = this.past.pop();
    if (!state) return;
    this.last = state;
    this.set(state);
    if (!this.past.length) this.resetButton?.focus();
    this.refreshTools();
  }

  reset() { this.set(this.initial); }

  // -- kept states -------------------------------------------------------------------------------------

  keep(more = this.summary()) {
    const [before, now] = [this.get("kept"), this.state()];
    const known = before.findIndex((entry) => this.names.every((name) => same(entry[name], now[name])));
    if (known >= 0) {
      this.branch = known;
      this.say(`This is kept already, as state ${known + 1}.`);
      return;
    }
    const kept = [...before, { ...now, ...more, from: this.branch }];
    this.branch = kept.length - 1;
    this.set({ kept });
    this.say(`Kept as state ${kept.length}.`);
  }

  goTo(place) {
    this.branch = place;
    this.set(Object.fromEntries(this.names.map((name) => [name, this.get("kept")[place][name]])));
  }

  /** The strip of kept states; describe(entry) -> words. */
  strip(describe) {
    const list = el("ol", { class: "pv-strip", "aria-label": "Kept states" });
    const hint = el(
      "p", { class: "pv-hint" },
      "Keep puts the present state here, to go back to, to branch from, or to compare with.",
    );
    const against = choice("compare with", [], (value) => this.set({ compare: Number(value) }), { told: false });
    const from = (number) => el("span", { class: "pv-from", "aria-label": `from state ${number}` }, `from ${number}`);
    const refresh = () => {
      const kept = this.get("kept");
      list.replaceChildren(...kept.map((entry, i) => el("li", {},
        button(describe(entry), () => this.goTo(i), {
          title: entry.from >= 0 ? `Branched from state ${entry.from + 1}; go back to it` : "Go back to this state",
          "aria-label": `Go back to state ${i + 1}: ${describe(entry)}`,
        }),
        entry.from >= 0 ? from(entry.from + 1) : "")));
      against.fill([["-1", "none"], ...kept.map((entry, i) => [String(i), `${i + 1}: ${describe(entry)}`])]);
      against.select.value = String(Math.min(this.get("compare"), kept.length - 1));
      hint.hidden = kept.length > 0;
      against.node.hidden = !kept.length;
    };
    this.refreshStrip = refresh;
    this.on("kept", refresh);
    this.on("compare", refresh);
    refresh();
    return el("div", { class: "pv-history" }, hint, list, against.node);
  }

  // -- progress ----------------------------------------------------------------------------------------

  progressBar() {
    this.bar = el("progress", { max: 1, "aria-label": "Measuring" });
    const cancel = button("Cancel", () => this.cancel(), { "aria-label": "Cancel measuring" });
    return (this.progressNode = el("div", { class: "pv-progress" }, this.bar, cancel));
  }

  cancel() {
    this.model.set("running", false);
    this.model.save_changes();
    this.say("Measuring cancelled.");
  }

  showProgress() {
    const running = this.get("running") && !this.offline;
    this.progressNode.toggleAttribute("data-idle", !running);
    this.progressNode.lastChild.disabled = !running;
    this.bar.value = running ? this.get("progress") : 0;
    this.lost.hidden = !this.gone;
    if (this.gone) setText(this.lost, "The kernel is gone: nothing is measured any more. Run this cell again.");
    this.problem.hidden = !this.get("problem");
    this.problem.textContent = this.get("problem");
  }

  // -- code and picture --------------------------------------------------------------------------------

  codePanel() {
    this.codeText = el("code");
    const copy = button("Copy", async () => {
      await navigator.clipboard?.writeText(this.codeText.textContent);
      this.say("Code copied.");
    });
    const listing = el("pre", { tabindex: 0, "aria-label": "Code that gives this mask" }, this.codeText);
    this.codePanelNode = el("div", { class: "pv-code", hidden: true }, copy, listing);
    return this.codePanelNode;
  }

  toggleCode() {
    const open = this.codePanelNode.hidden;
    this.codePanelNode.hidden = !open;
    this.codeButton?.setAttribute("aria-expanded", String(open));
    this.refreshTools();
  }

  picture() { return pictureOf(this); }

  savePNG() {
    this.picture().toBlob((blob) => {
      const url = URL.createObjectURL(blob);
      el("a", { href: url, download: `${this.get("title").replace(/[^\w-]+/g, "-")}.png` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
      this.say("Picture saved.");
    });
  }

  // -- the kernel --------------------------------------------------------------------------------------

  /**
   * Hear that the kernel is gone for good. ipywidgets tells its models (comm_live) of a restart that somebody asked
   * for, but not of a kernel that died and was started anew by the server, nor of one that was shut down; the kernel
   * of its manager does, in JupyterLab and Notebook. A silent kernel is none of these: it may be busy with a cell.
   */
  watchKernel() {
    const lose = () => {
      this.gone = true;
      this.showProgress();
      this.refreshTools();
      this.repaint();
    };
    const hear = (_, status) => LAST_WORDS.includes(status) && lose();
    const update = () => this.model.get("layout")?.comm_live === false && lose();
    const kernel = this.model.widget_manager?.kernel;
    kernel?.statusChanged?.connect(hear);
    kernel?.disposed?.connect(lose);
    this.model.on("comm_live_update", update);
    this.model.get("layout")?.on?.("comm_live_update", update);
    this.cleanups.push(() => {
      kernel?.statusChanged?.disconnect(hear);
      kernel?.disposed?.disconnect(lose);
      this.model.off("comm_live_update", update);
      this.model.get("layout")?.off?.("comm_live_update", update);
    });
  }

  // -- theme and size ----------------------------------------------------------------------------------

  watchTheme() {
    const refresh = () => { this.applyTheme(); this.resized(); };
    const later = () => { refresh(); setTimeout(refresh, 400); }; // JupyterLab loads the theme's CSS after naming it
    const watcher = new MutationObserver(later);
    watcher.observe(document.body, { attributes: true });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", later);
    const sizes = new ResizeObserver(() => { this.widths = new WeakMap(); this.paintNow(); });
    sizes.observe(this.root);
    this.cleanups.push(() => {
      for (const one of [watcher, sizes, this.sight]) one.disconnect();
      system.removeEventListener("change", later);
    });
  }

  /** Measure all widths anew. */
  resized() {
    this.widths = new WeakMap();
    this.repaint();
  }

  /** While the hand moves, it does not wait for what is out of sight. */
  noteSight(entries) {
    for (const { target, isIntersecting } of entries) this.outOfSight[isIntersecting ? "delete" : "add"](target);
    if (this.get("moving")) this.repaint();
  }

  applyTheme() {
    const [r, g, b] = (getComputedStyle(this.root).backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
    this.root.toggleAttribute("data-dark", 0.2126 * r + 0.7152 * g + 0.0722 * b < 110);
    this.colours = palette(this.root);
  }

  dispose() {
    cancelAnimationFrame(this.frameRequest);
    for (const cleanup of this.cleanups) cleanup();
  }
}
