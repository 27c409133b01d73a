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
  accuracyNow, accuracyPart, accuracyWords, hidden, historyPart, layersPart, ruleOf, sameState, selectors, sliderPart,
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
  const folds = model.get("basic").length > 0;
  const tools = ["undo", "reset", ...(shown("history") ? ["keep"] : []), "code", "save", ...(folds ? ["more"] : [])];
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
  arrange(frame, (name) => drawings[name](frame, counts));
  speakAfterRelease(frame, counts);
  if (!["accuracy", "scorecard", "history"].some(shown) || frame.offline) frame.progressNode.hidden = true;
  return frame;
}

/** Put the parts on view in their places: the basic ones, and the others once More is pressed. */
function arrange(frame, draw) {
  const places = ["grid", "stack", "controls", "top"];
  const [grid, stack, controls, top] = places.map((name) => el("div", { class: `pv-${name}` }));
  const made = new Map();
  const node = (name) => made.get(name) ?? made.set(name, draw(name)).get(name);
  const seen = (name) => frame.get("show").includes(name) && (frame.get("more") || !frame.get("basic").length
    || frame.get("basic").includes(name) || (name === "history" && frame.get("kept").length));
  let last = "";
  const place = () => {
    const panels = frame.get("panels").filter(([name]) => seen(name));
    if (last === (last = String(panels))) return;
    const at = (where) => panels.filter((panel) => panel[1] === where).map(([name]) => node(name));
    stack.replaceChildren(...at("stack"));
    grid.replaceChildren(...at("grid"), ...(stack.childElementCount ? [stack] : []), ...at("end"));
    top.replaceChildren(...at("top"));
    (top.querySelector(".pv-under") ?? controls).append(...at("controls"));
    frame.body.replaceChildren(...[top, controls, grid].filter((part) => part.childElementCount));
    frame.resized();
  };
  for (const name of ["more", "kept"]) frame.on(name, place);
  place();
}

/** After release, once: what the scorecard says. */
function speakAfterRelease(frame, counts) {
  frame.sentence = () => {
    const at = counts.at(frame.get("sparsity"), frame.get("by_hand"));
    const now = hidden(frame) || !frame.get("show").includes("scorecard") ? null : accuracyNow(frame);
    const right = now ? `, ${now.measured ? "" : "about "}${accuracyWords(now)}` : "";
    const said = `${sparsityText(frame.get("sparsity"))} pruned, ${countOf(at.kept, counts.total)}${right}.`;
    return `${said} ${frame.answer()}`.trim();
  };
  frame.footnote = () => `${ruleOf(frame.state())}: ${frame.sentence()}`;
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
