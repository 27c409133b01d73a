// The filters of one convolution as cards: kernel, feature map, number and score, with the cut between them.
import { ACTIVITY, photoOf, tileOf, WEIGHT } from "../frame/draw.js";
import { decode } from "../frame/wire.js";

const GAP = 14; // between cards at least: room for the cut
const ROW_GAP = 26; // between rows: room for the cut's handle
const WORDS = 18;
const SIDES = [64, 48]; // of a picture: large where cards are few, and two stand side by side
const FEW = 24;

/** Cards of a gallery: { side, wide, tall, across, pitch, rows, height }; pictures are `side` pixels high and wide. */
export function layOutCards(width, many, two) {
  const wideOf = (side) => (two ? 2 * side + 4 : side) + 8;
  const side = SIDES.find((one) => many <= FEW && 2 * (wideOf(one) + GAP) <= width) ?? SIDES[1];
  const wide = wideOf(side);
  const tall = side + 8 + WORDS;
  const across = Math.max(1, Math.floor(width / (wide + GAP)));
  const rows = Math.ceil(many / across);
  return { side, wide, tall, across, pitch: width / across, rows, height: rows * (tall + ROW_GAP) + 4 };
}

/** Upper left corner of the card at a place. */
export function cardAt({ wide, tall, across, pitch }, place) {
  const row = Math.floor(place / across);
  return [Math.round((place % across) * pitch + (pitch - wide) / 2), ROW_GAP + row * (tall + ROW_GAP)];
}

/** Before which card a point is: how many come first if the cut is let go there. */
export function cutNear({ tall, across, pitch, rows }, many, x, y) {
  const row = Math.min(rows - 1, Math.max(0, Math.floor((y - ROW_GAP / 2) / (tall + ROW_GAP))));
  const column = Math.min(across, Math.max(0, Math.round(x / pitch)));
  return Math.min(many, row * across + column);
}

/** The place of the card at a point, or -1. */
export function placeAt(layout, many, x, y) {
  const { wide, tall, across, pitch } = layout;
  const column = Math.floor(x / pitch);
  const place = Math.floor((y - ROW_GAP) / (tall + ROW_GAP)) * across + column;
  if (column < 0 || column >= across || place < 0 || place >= many) return -1;
  const [left, top] = cardAt(layout, place);
  return x >= left && x < left + wide && y >= top && y < top + tall ? place : -1;
}

/** A picture of numbers from 0 to 255. */
export function painted(width, height, colours, fill) {
  const { tile, pen } = tileOf(width, height);
  const image = pen.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  fill((x, y, value) => { pixels[y * width + x] = colours[value]; });
  pen.putImageData(image, 0, 0);
  return tile;
}

/** How many slices of a kernel stand side by side. */
export const acrossOf = (slices) => Math.ceil(Math.sqrt(slices));

/** What the kernel sent of the filters: a kernel's picture for each, and a feature map for those on view. */
export class Pictures {
  constructor(frame) {
    const load = () => { this.shown = decode(frame.get("pictured")); };
    frame.on("pictured", load);
    load();
  }

  /** The kernel of a filter: its slices side by side; null of a dense layer. */
  kernel(layer, i) {
    const [, slices, height, width] = layer.kernels.shape;
    if (!slices) return null;
    const across = acrossOf(slices);
    const first = i * slices * height * width;
    const size = [across * (width + 1) - 1, Math.ceil(slices / across) * (height + 1) - 1];
    return painted(...size, WEIGHT, (put) => {
      for (let s = 0; s < slices; s++) {
        const [left, top] = [(s % across) * (width + 1), Math.floor(s / across) * (height + 1)];
        const corner = first + s * height * width;
        for (let p = 0; p < height * width; p++) {
          put(left + (p % width), top + Math.floor(p / width), 128 + layer.kernels[corner + p]);
        }
      }
    });
  }

  /** Whether the feature maps are those of this layer. */
  has(layer) { return this.shown.layer === layer.name; }

  map(layer, i) {
    if (!this.has(layer)) return null;
    const { maps, low } = this.shown;
    const [, height, width] = maps.shape;
    const bytes = maps.subarray(i * height * width, (i + 1) * height * width);
    return painted(width, height, low < 0 ? WEIGHT : ACTIVITY, (put) =>
      bytes.forEach((value, p) => put(p % width, Math.floor(p / width), value)));
  }

  /** How active a filter is on the image. */
  mean(layer, i) { return this.has(layer) ? this.shown.means[i] : null; }

  image() {
    const { picture } = this.shown;
    return picture && photoOf(picture, picture.shape.slice(1));
  }
}

/** Draw a small picture into a square, its pixels crisp. */
export function fit(context, picture, x, y, side) {
  const scale = side / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, x + (side - width) / 2, y + (side - height) / 2, width, height);
}
