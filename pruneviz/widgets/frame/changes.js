// What changed between two models, as pictures.
import { grouped } from "./pure.js";
import { photoOf } from "./draw.js";
import { el } from "./controls.js";

/** The images whose answer changed; `found` is a comparison of history.py, `pictures` are those of its images. */
export function changedImages(found, pictures, words) {
  const [, height = 1, width = 1, channels = 0] = pictures?.shape ?? [];
  const size = height * width * channels;
  const photo = (i) => photoOf(pictures.subarray(i * size, (i + 1) * size), [height, width, channels]);
  const cards = found.images.map((image, i) => {
    const label = `${image.before} → ${image.after}`;
    const kind = image.before === image.truth ? "lost" : image.after === image.truth ? "won" : "still wrong";
    const story = `Image ${image.index}, a ${image.truth}: was taken for ${image.before}, now for ${image.after}`;
    const canvas = el("canvas", { width, height, role: "img", "aria-label": story });
    if (pictures) canvas.getContext("2d").drawImage(photo(i), 0, 0);
    const written = [el("span", { "data-png": true }, label), el("small", { "data-png": true }, kind)];
    return el("li", { "data-kind": kind }, canvas, ...written);
  });
  const all = found.lost + found.won + found.other;
  const parts = [
    `${grouped(found.lost)} images lost`, `${grouped(found.won)} won`, `${grouped(found.other)} wrong in a new way.`,
  ];
  const some = cards.length < all ? ` ${cards.length} of them:` : "";
  return [
    el("p", { "data-png": true }, `${words}${parts.join(", ")}${some}`),
    el("ul", { class: "pv-images" }, ...cards),
  ];
}
