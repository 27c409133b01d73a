// What the network says to one image: its outputs, filled as bars while the weights go, and where its answer flips.
import { percent, sparsityText } from "../frame/pure.js";
import { line, sharp, text } from "../frame/draw.js";
import { el, setText } from "../frame/controls.js";
import { hidden, sameState } from "./parts.js";

const best = (shares) => shares.indexOf(Math.max(...shares));

/** Shares at a sparsity, between the two that were measured around it. */
export function sharesAt(along, sparsity) {
  const next = along.findIndex(([at]) => at >= sparsity);
  if (next < 1) return along.at(next)?.[1] ?? null;
  const [[from, before], [to, after]] = [along[next - 1], along[next]];
  const way = (sparsity - from) / (to - from);
  return before.map((share, j) => share + way * (after[j] - share));
}

/** The answers as more and more goes: [answer, first measured sparsity, last]. */
export function answersOf(along) {
  const found = [];
  for (const [sparsity, shares] of along) {
    const answer = best(shares);
    if (found.at(-1)?.[0] === answer) found.at(-1)[2] = sparsity;
    else found.push([answer, sparsity, sparsity]);
  }
  return found;
}

/** { shares, answer, truth, measured } of the image on view, or null where that is unknown, or waits for a guess. */
export function outputsNow(frame) {
  if (hidden(frame)) return null;
  const { index, truth } = frame.get("pictured");
  const measured = sameState(frame) && frame.get("exact").outputs?.image === index;
  const shares = measured ? frame.get("exact").outputs.shares : sharesAt(alongOf(frame), frame.get("sparsity"));
  return shares && { shares, answer: best(shares), truth, measured };
}

/** What was measured for the image by the present rule. */
function alongOf(frame) {
  const { shares, ...about } = frame.get("along");
  const now = { image: frame.get("pictured").index, scope: frame.get("scope"), criterion: frame.get("criterion") };
  return shares && Object.entries(now).every(([name, value]) => about[name] === value) ? shares : [];
}

export function outputsWords(frame) {
  const now = outputsNow(frame);
  if (!now) return "";
  const { index } = frame.get("pictured");
  const share = frame.get("moving") ? "" : ` (${now.measured ? "" : "≈ "}${percent(now.shares[now.answer], 0)})`;
  const verdict = now.answer === now.truth ? "right" : "wrong";
  return `Image ${index}, a ${now.truth}, is taken for ${now.answer}${share}: ${verdict}.`;
}

function flipWords(frame) {
  const answers = answersOf(alongOf(frame));
  if (answers.length < 2) return answers.length ? " As weights go, the answer stays." : "";
  const parts = answers.slice(0, 5).map(([answer, from], i) =>
    (i ? `${answer} from ${sparsityText(from)}` : `${answer} until ${sparsityText(answers[0][2])}`));
  return ` By the rule alone: ${parts.join(", ")}.`;
}

/** A line of words about the answer; what it says is said after release, too. */
export function outputsLine(frame) {
  const node = el("p", { class: "pv-hint pv-outputs", "data-png": true });
  frame.answer = () => outputsWords(frame);
  frame.on("along", () => {});
  frame.paint(() => frame.write(() => {
    const words = outputsWords(frame);
    node.hidden = !words;
    if (words) setText(node, words + flipWords(frame));
  }));
  return node;
}

/** Beside the outputs of a network's picture: bars that fill, where there is room, and which of them is the answer. */
export function drawAnswer(context, picture, colours) {
  const now = outputsNow(picture.frame);
  if (!now) return;
  const room = picture.sides[1] - 36;
  now.shares.forEach((share, j) => {
    const [x, y] = [picture.outputX, picture.outputY(j)];
    context.fillStyle = j === now.answer ? colours.kept : colours.quiet;
    if (room > 0) context.fillRect(x + 16, y - 5, Math.max(1, share * room), 10);
    drawDigit(context, j, x, y, now, colours);
  });
}

/** A digit in its place: white on dark for the answer, in a ring for the truth. */
export function drawDigit(context, j, x, y, { answer, truth }, colours) {
  if (j === answer) {
    context.fillStyle = colours.kept;
    context.beginPath();
    context.arc(x, y, 8, 0, 7);
    context.fill();
  }
  if (j === truth) {
    context.strokeStyle = colours.mark;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, 10, 0, 7);
    context.stroke();
  }
  text(context, String(j), x, y + 4, { colour: j === answer ? "#fff" : colours.ink, align: "center" });
}

/** The outputs as columns, for a picture of its own. */
export function outputsFigure(frame) {
  const canvas = el("canvas", { role: "img" });
  const caption = el("figcaption", { class: "pv-hint" }, "answer filled, truth ringed");
  const node = el("figure", { class: "pv-answers" }, canvas, caption);
  frame.paint((colours) => {
    const now = outputsNow(frame);
    if (node.hidden !== !now) frame.write(() => { node.hidden = !now; frame.resized(); });
    if (!now || node.hidden) return;
    const [width, height] = [Math.max(frame.widthOf(canvas), 60), 112];
    const context = sharp(canvas, width, height);
    const [each, base] = [width / now.shares.length, height - 24];
    line(context, [[0, base + 0.5], [width, base + 0.5]], colours.quiet);
    now.shares.forEach((share, j) => {
      context.fillStyle = j === now.answer ? colours.kept : colours.quiet;
      context.fillRect(j * each + 2, base - share * (base - 2), each - 4, share * (base - 2));
      drawDigit(context, j, (j + 0.5) * each, base + 13, now, colours);
    });
    frame.write(() => frame.get("moving") || canvas.setAttribute("aria-label", outputsWords(frame)));
  }, canvas);
  return node;
}
