// The handle of a cut line: drag it, or use the arrow keys, one unit a step.
import { el, KEYS } from "../frame/controls.js";

/**
 * `layer()` is whose cut it is, `kept()` how many of it the rule keeps, `under(event)` how many a pointer would keep;
 * PageUp and PageDown move by `page`. `more` adds attributes.
 */
export function cutHandle(frame, units, { layer, kept, under, page }, more) {
  const slider = { class: "pv-cut", "data-png": true, role: "slider", tabindex: 0, "aria-valuemin": 0 };
  const node = el("div", { ...slider, ...KEYS, ...more });
  const set = (many, moving) => {
    const sparsity = units.sparsityFor(layer(), Math.max(0, Math.min(layer().size, many)));
    frame.set({ sparsity }, { moving });
    if (!moving) frame.speak = true;
  };
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
    node.focus();
  });
  node.addEventListener("pointermove", (event) => node.hasPointerCapture(event.pointerId) && set(under(event), true));
  node.addEventListener("pointerup", (event) => {
    node.releasePointerCapture(event.pointerId);
    frame.set({});
    frame.speak = true;
  });
  node.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -page, PageDown: page }[event.key];
    const to = by ? kept() + by : { Home: 1, End: layer().size }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(to, false);
  });
  return node;
}
