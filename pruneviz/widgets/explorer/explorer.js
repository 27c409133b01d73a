// An explorer: the parts that the Python class lists, each drawn under its name, around one state.
//
//   export default explorer(Weights, { mask: maskPart }); // the end of a view's own module
//
// A drawing is make(frame, counts) -> element; `counts` is an instance of the class, and parts.js says what it offers.
import { finishedCode, same, sparsityText } from "../frame/pure.js";
import { countOf } from "../frame/draw.js";
import { el } from "../frame/controls.js";
import { Frame } from "../frame/view.js";
import {
  accuracyNow, accuracyPart, accuracyWords, hidden, historyPart, layersPart, sameState, selectors, sliderPart,
} from "./parts.js";

const PATIENCE = 3000; // milliseconds; a kernel that is gone or busy must not leave a listener without an answer

const SHARED = { slider: sliderPart, selectors, layers: layersPart, accuracy: accuracyPart, history: historyPart };

/** The module of a view that counts with `Counts` and has these drawings besides the shared ones. */
export function explorer(Counts, drawings) {
  return {
    render(context) {
      const frame = open(context, new Counts(context.model), { ...SHARED, ...drawings });
      return () => frame.dispose();
    },
  };
}

function open({ model, el: parent }, counts, drawings) {
  const shown = (part) => model.get("show").includes(part);
  const tools = ["undo", "reset", ...(shown("history") ? ["keep"] : []), "code", "save"];
  const frame = new Frame(model, parent, { tools });
  frame.code = () => {
    const sparsity = model.get("sparsity");
    const [text, byHand, removal] = [counts.code?.() ?? model.get("code"), model.get("by_hand"), model.get("removal")];
    const removed = Boolean(removal) && !removal.problem && same(removal.state, frame.state());
    return finishedCode(text, counts.cuts(sparsity), sparsity, byHand, removed);
  };
  frame.summary = () => (sameState(frame) ? { correct: frame.get("exact").correct } : {});
  frame.on("ranking", () => counts.load());
  const written = ["code", "criterion", "scope", "sparsity", "sparsities", "by_hand", "removal"];
  for (const name of written) frame.on(name, () => frame.refreshTools());
  for (const name of ["curve", "exact", "guess", "target", "dense"]) frame.on(name, () => {});
  const panels = model.get("panels").filter(([name]) => shown(name));
  const at = (place) => panels.filter(([, where]) => where === place).map(([name]) => drawings[name](frame, counts));
  const stack = el("div", { class: "pv-stack" }, ...at("stack"));
  frame.body.append(
    el("div", { class: "pv-controls" }, ...at("controls")),
    el("div", { class: "pv-grid" }, ...at("grid"), ...(stack.childElementCount ? [stack] : []), ...at("end")),
  );
  speakAfterRelease(frame, counts);
  if (!["accuracy", "scorecard", "history"].some(shown) || frame.offline) frame.progressNode.hidden = true;
  return frame;
}

/** After release, once: what the scorecard says. */
function speakAfterRelease(frame, counts) {
  frame.sentence = () => {
    const at = counts.at(frame.get("sparsity"), frame.get("by_hand"));
    const now = hidden(frame) || !frame.get("show").includes("scorecard") ? null : accuracyNow(frame);
    const right = now ? `, ${now.measured ? "" : "about "}${accuracyWords(now)}` : "";
    return `${sparsityText(frame.get("sparsity"))} pruned, ${countOf(at.kept, counts.total)}${right}.`;
  };
  const measured = ["accuracy", "scorecard"].some((part) => frame.get("show").includes(part)) && !frame.offline;
  let late = false;
  let waiting = 0;
  frame.paint(() => {
    if (!frame.speak || frame.get("moving")) return;
    if (measured && !sameState(frame) && !frame.get("problem") && !late) {
      waiting ||= setTimeout(() => { late = true; frame.repaint(); }, PATIENCE);
      return;
    }
    clearTimeout(waiting);
    [frame.speak, late, waiting] = [false, false, 0];
    frame.say(frame.sentence());
  });
}
