// The chain of layers, drawn: blocks of weights, outputs down and inputs across, joined by the streams of channels
// between them; one channel can be followed through all of it.
import { grouped, millions, remembered, sparsityText, STAYS } from "../frame/pure.js";
import { hatch, line, sharp, sheetOf, stroke, text } from "../frame/draw.js";
import { button, el } from "../frame/controls.js";
import { labelOf, layOutChain, orderAlong, sliceWords, stretches } from "./chain.js";

const STRIP = { gap: 3, wide: 6 }; // the BatchNorm entries beside a block
const KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"];

export class ChainPicture {
  constructor(frame, units) {
    this.frame = frame;
    this.units = units;
    this.hover = /** @type {{ name: string, i: number } | null} */ (null);
    this.key = "";
    this.redraw = remembered((width, sheet, _at, unit, colours) => this.drawAll(width, sheet, unit, colours));
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.cursor = button("", () => this.toggle(), { class: "pv-cursor", "aria-roledescription": "channel" });
    const label = "Chain of layers: up and down go from channel to channel, left and right from layer to layer, "
      + "Enter cuts or keeps, Escape lets go";
    this.stage = el("div", { class: "pv-chain", role: "group", "aria-label": label }, this.canvas, this.cursor);
    this.canvas.addEventListener("pointermove", (event) => this.look(this.spotAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.look(null));
    this.canvas.addEventListener("click", (event) => this.press(event));
    this.cursor.addEventListener("keydown", (event) => this.move(event));
    for (const name of ["ranking", "sort"]) frame.on(name, () => { this.key = ""; });
    for (const name of ["followed", "sparsities", "layer"]) frame.on(name, () => {});
  }

  get ranks() { return this.frame.get("sort") === "score" ? this.units.ranks : null; }
  get followed() {
    const [name, i] = this.frame.get("followed");
    return name === undefined ? null : { name, i };
  }

  /** The channel on view: under the pointer, or followed; { name, i }, or null. */
  get shown() { return this.hover ?? this.followed; }

  // -- drawing -----------------------------------------------------------------------------------------------

  draw(width, colours) {
    const { frame, units } = this;
    this.at = units.at(frame.get("sparsity"), frame.get("by_hand"));
    this.refreshSheet(width, colours);
    const unit = this.shown ? units.unit(this.shown.name, this.shown.i) : -1;
    this.redraw(width, this.sheet, this.at, unit, colours);
  }

  drawAll(width, sheet, unit, colours) {
    const context = sharp(this.canvas, width, this.layout.height);
    context.lineJoin = "round";
    context.drawImage(sheet, 0, 0, width, this.layout.height);
    this.drawPruned(context, colours);
    if (unit >= 0) this.drawFollowed(context, unit, colours);
  }

  /** What no slider changes: streams, blocks as if all were kept, names. */
  refreshSheet(width, colours) {
    const key = `${width}/${colours.kept}/${colours.paper}/${devicePixelRatio}`;
    if (this.key === key) return;
    this.key = key;
    const { blocks, flows } = this.units;
    /** @type {ReturnType<typeof layOutChain>} */
    this.layout = layOutChain(width, blocks, flows);
    /** @type {Uint32Array[][]} */
    this.orders = blocks.map(({ rows, columns }) => [orderAlong(rows, this.ranks), orderAlong(columns, this.ranks)]);
    /** @type {Uint32Array[]} */
    this.spots = flows.map(({ units }) => orderAlong(Int32Array.from(units), this.ranks));
    /** @type {number[][]} */
    this.pluses = [];
    this.sheet = sheetOf(width, this.layout.height, (context) => {
      for (const { blocks: near, lanes } of this.layout.lines) {
        for (const lane of lanes) this.drawLane(context, lane, near, colours);
      }
      for (const [x, y] of this.pluses) plus(context, x, y, colours);
      blocks.forEach((block, b) => this.drawBlock(context, block, this.layout.boxes[b], colours));
      for (const { blocks: near } of this.layout.lines) this.nameBlocks(context, near, width, colours);
    });
    this.outlines = new Path2D();
    for (const { x, y, wide, tall } of this.layout.boxes) this.outlines.rect(x + 0.5, y + 0.5, wide - 1, tall - 1);
    /** @type {ReturnType<ChainPicture["lightUp"]> | null} */
    this.lit = null;
  }

  /** A stream, from and to the blocks that are near: those of its line. */
  drawLane(context, { flow, bus, from, to, y, wide }, near, colours) {
    const { boxes } = this.layout;
    const here = (numbers) => numbers.filter((b) => near.includes(b));
    context.fillStyle = colours.line;
    context.globalAlpha = 0.55;
    const shape = new Path2D();
    shape.rect(from, y, to - from, wide);
    for (const b of here(flow.readers)) {
      shape.rect(boxes[b].x, y + wide, boxes[b].wide, boxes[b].y - y - wide - 2);
    }
    for (const b of here(flow.writers)) {
      const { x, wide: across, tall, riser, y: top } = boxes[b];
      const right = x + across + (this.units.blocks[b].norms.length ? STRIP.gap + STRIP.wide : 0);
      shape.rect(riser - 2, y + wide, 4, top - y - wide);
      shape.rect(right, top, riser + 2 - right, tall);
    }
    context.fill(shape);
    context.globalAlpha = 1;
    if (bus) this.nameStream(context, flow, from, to, y, colours);
    if (!bus || !flow.added) return;
    this.pluses.push(...here(flow.writers.slice(1)).map((b) => [boxes[b].riser, y + wide / 2]));
  }

  /** As many words about a stream that several write as there is room for. */
  nameStream(context, flow, from, to, y, colours) {
    const names = flow.writers.map((b) => this.units.blocks[b].name);
    const [many, sum] = [`${flow.units.length} channels`, names.join(flow.added ? " + " : ", ")];
    const words = [`${many}, one stream: ${sum}`, `${many}: ${sum}`, `${many}: ${names.length} layers`, many];
    const fits = words.find((one) => context.measureText(one).width < to - from);
    if (fits) text(context, fits, from, y - 9, { colour: colours.ink });
  }
  drawBlock(context, block, { x, y, wide, tall }, colours) {
    context.fillStyle = colours.kept;
    context.fillRect(x, y, wide, tall);
    if (block.norms.length) context.fillRect(x + wide + STRIP.gap, y, STRIP.wide, tall);
  }

  /** Names under the blocks of a line, each up to where the next begins. */
  nameBlocks(context, near, width, colours) {
    near.forEach((b, place) => {
      const { x, y, tall } = this.layout.boxes[b];
      const end = this.layout.boxes[near[place + 1]]?.x ?? width;
      const [before, name] = [near[place - 1], b].map((other) => this.units.blocks[other]?.name ?? "");
      const label = labelOf(name, before, end - x - 8, (words) => context.measureText(words).width);
      text(context, label, x, y + tall + 13, { colour: colours.ink });
    });
  }

  /** Rows and columns that are gone, and what is left of each block in numbers. */
  drawPruned(context, colours) {
    const { units, layout, at } = this;
    const gone = new Path2D(); // one path for all: a fill each costs more than all of them together
    /** @type {number[][]} */
    this.left = units.blocks.map((block, b) => {
      const { x, y, wide, tall } = layout.boxes[b];
      const [downwards, sideways] = this.orders[b];
      const [down, across] = [stretches(downwards, block.rows, at.gone), stretches(sideways, block.columns, at.gone)];
      const [high, broad] = [tall / block.rows.length, wide / block.columns.length];
      let [outputs, inputs] = [block.rows.length, block.columns.length];
      for (let k = 0; k < down.length; k += 2) {
        const [top, deep] = [y + down[k] * high, (down[k + 1] - down[k]) * high];
        gone.rect(x, top, wide, deep);
        if (block.norms.length) gone.rect(x + wide + STRIP.gap, top, STRIP.wide, deep);
        outputs -= down[k + 1] - down[k];
      }
      for (let k = 0; k < across.length; k += 2) {
        gone.rect(x + across[k] * broad, y, (across[k + 1] - across[k]) * broad, tall);
        inputs -= across[k + 1] - across[k];
      }
      return [outputs, inputs];
    });
    context.fillStyle = this.ranks ? hatch(context, colours) : colours.pruned; // thin lines have no room for it
    context.fill(gone);
    stroke(context, this.outlines, colours.edge, 1);
    if (Object.keys(this.frame.get("by_hand")).length) this.drawHand(context, colours);
    this.left.forEach(([outputs, inputs], b) => {
      const { x, y, tall } = layout.boxes[b];
      text(context, `${grouped(outputs)} × ${grouped(inputs)}`, x, y + tall + 26, { colour: colours.quiet });
    });
  }

  /** A mark at the rows that were cut or kept by hand. */
  drawHand(context, colours) {
    context.fillStyle = colours.guess;
    this.units.blocks.forEach(({ rows }, b) => {
      const { x, y, tall } = this.layout.boxes[b];
      const each = tall / rows.length;
      this.orders[b][0].forEach((i, place) => {
        const mine = rows[i] >= 0 && this.at.fates[rows[i]];
        if (mine) context.fillRect(x - 6, y + (place + 0.5) * each - 1.5, 5, 3);
      });
    });
  }

  /** One channel through all that writes, carries and reads it. */
  drawFollowed(context, unit, colours) {
    if (!this.lit || this.lit.unit !== unit) this.lit = this.lightUp(unit);
    const { wires, slices, halo } = this.lit;
    stroke(context, wires, colours.paper, 4.5);
    stroke(context, wires, colours.ink, 2, this.at.gone[unit] ? [4, 3] : []);
    for (const [x, y] of this.pluses) plus(context, x, y, colours);
    context.fillStyle = colours.paper;
    context.fill(halo);
    context.fillStyle = colours.ink;
    context.fill(slices);
  }

  /** Where a channel runs: its wires, its slices of the blocks, and a halo around those. */
  lightUp(unit) {
    const { units, layout } = this;
    const [wires, slices, halo] = [new Path2D(), new Path2D(), new Path2D()];
    const number = units.flows.findIndex((flow) => flow.units.includes(unit));
    const flow = units.flows[number];
    const spot = this.spots[number].indexOf(flow.units.indexOf(unit));
    for (const { blocks, lanes } of layout.lines) {
      const lane = lanes.find((other) => other.flow === flow);
      if (!lane) continue;
      const level = lane.y + ((spot + 0.5) / flow.units.length) * lane.wide;
      const ends = blocks.flatMap((b) => this.addWires(wires, b, unit, level));
      wires.moveTo(lane.before ? lane.from : Math.min(...ends), level);
      wires.lineTo(lane.after ? lane.to : Math.max(...ends), level);
    }
    const list = [];
    units.blocks.forEach((block, b) => this.addSlices(list, block, b, unit));
    for (const [x, y, wide, tall] of list) {
      slices.rect(x, y, wide, tall);
      halo.rect(x - 1.5, y - 1.5, wide + 3, tall + 3);
    }
    return { unit, wires, slices, halo };
  }

  addSlices(slices, block, b, unit) {
    const { x, y, wide, tall } = this.layout.boxes[b];
    const only = (order, ids) => stretches(order, ids, { [unit]: 1 });
    const [down, across] = [only(this.orders[b][0], block.rows), only(this.orders[b][1], block.columns)];
    const thick = (from, to, each) => [from * each, Math.max(2, (to - from) * each)];
    for (let k = 0; k < down.length; k += 2) {
      const [top, deep] = thick(down[k], down[k + 1], tall / block.rows.length);
      slices.push([x, y + top, wide, deep]);
      if (block.norms.length) slices.push([x + wide + STRIP.gap, y + top, STRIP.wide, deep]);
    }
    for (let k = 0; k < across.length; k += 2) {
      const [left, broad] = thick(across[k], across[k + 1], wide / block.columns.length);
      slices.push([x + left, y, broad, tall]);
    }
  }

  /** The wires between a block and the stream; gives where they meet it. */
  addWires(wires, b, unit, level) {
    const { x, y, wide, tall, riser } = this.layout.boxes[b];
    const { rows, columns, norms } = this.units.blocks[b];
    const ends = [];
    if (rows.includes(unit)) {
      ends.push(riser);
      const row = y + ((this.orders[b][0].findIndex((i) => rows[i] === unit) + 0.5) * tall) / rows.length;
      wires.moveTo(x + wide + (norms.length ? STRIP.gap + STRIP.wide : 0), row);
      wires.lineTo(riser, row);
      wires.lineTo(riser, level);
    }
    if (columns.includes(unit)) {
      const places = [...this.orders[b][1].keys()].filter((place) => columns[this.orders[b][1][place]] === unit);
      const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
      const middle = x + ((mean + 0.5) * wide) / columns.length;
      ends.push(middle);
      wires.moveTo(middle, level);
      wires.lineTo(middle, y);
    }
    return ends;
  }

  /** What follows on the page, after the picture is drawn: where the cursor is, and what it says. */
  write() {
    if (this.frame.get("moving")) return;
    const spot = this.followed ?? this.first;
    const b = this.units.blocks.findIndex(({ name }) => name === spot.name);
    const { x, y, wide, tall } = this.layout.boxes[b];
    const row = y + ((this.orders[b][0].indexOf(spot.i) + 0.5) * tall) / this.units.blocks[b].rows.length;
    Object.assign(this.cursor.style, { transform: `translate(${x - 5}px, ${row - 12}px)`, width: `${wide + 20}px` });
    this.cursor.setAttribute("aria-label", this.describe(spot));
    this.cursor.setAttribute("aria-pressed", String(Boolean(this.at.gone[this.units.unit(spot.name, spot.i)])));
  }

  // -- the hand ----------------------------------------------------------------------------------------------

  get first() {
    const { name, rows } = this.units.blocks.find(({ free }) => free);
    return { name, i: rows.findIndex((id) => id >= 0) };
  }

  /** The channel under the pointer: the row of a block, or its column above it and where rows must stay. */
  spotAt(event) {
    if (!this.layout) return null;
    const frame = this.canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - frame.left, event.clientY - frame.top];
    const inside = ({ x, y, wide, tall }) => px >= x && px < x + wide + 22 && py >= y - 20 && py < y + tall;
    const b = this.layout.boxes.findIndex(inside);
    if (b < 0) return null;
    const [{ x, y, wide, tall }, block] = [this.layout.boxes[b], this.units.blocks[b]];
    if (block.free && py >= y) {
      const i = this.orders[b][0][Math.floor(((py - y) / tall) * block.rows.length)];
      return block.rows[i] >= 0 ? { name: block.name, i } : null;
    }
    const unit = block.columns[this.orders[b][1][Math.floor(((px - x) / wide) * block.columns.length)]];
    const writer = unit >= 0 ? this.units.blocks.find(({ rows }) => rows.includes(unit)) : null;
    return writer ? { name: writer.name, i: writer.rows.indexOf(unit) } : null;
  }

  look(spot) {
    if (spot?.name === this.hover?.name && spot?.i === this.hover?.i) return;
    this.hover = spot;
    this.frame.repaint();
  }

  /** A click follows a channel, a second one cuts or keeps it; beside the blocks it lets go. */
  press(event) {
    const spot = this.spotAt(event);
    const again = spot && this.units.unit(spot.name, spot.i) === this.units.unit(this.followed?.name, this.followed?.i);
    if (again) this.toggle();
    else this.follow(spot);
    this.hover = null;
    this.cursor.focus({ preventScroll: true });
  }

  follow(spot) {
    const layer = this.units.layers.some(({ name }) => name === spot?.name) ? { layer: spot.name } : {};
    this.frame.set({ followed: spot ? [spot.name, spot.i] : [], ...layer });
    this.frame.say(spot ? this.describe(spot) : "No channel is followed.");
  }

  toggle() {
    if (!this.followed) return this.follow(this.first);
    const { name, i } = this.followed;
    const layer = this.units.layers.find((other) => other.name === name);
    return layer && this.units.toggle(this.frame, layer, i);
  }

  move(event) {
    const blocks = this.units.blocks.filter(({ free }) => free);
    if (event.key === "Escape" && this.followed) this.follow(null);
    else if (KEYS.includes(event.key)) this.follow(this.neighbour(event.key, blocks));
    else return;
    this.hover = null;
    event.preventDefault();
    event.stopPropagation();
  }

  neighbour(key, blocks) {
    const spot = this.followed;
    if (!spot) return this.first;
    const b = blocks.findIndex(({ name }) => name === spot.name);
    const go = { ArrowLeft: b - 1, ArrowRight: b + 1 }[key] ?? b;
    const block = blocks[Math.max(0, Math.min(blocks.length - 1, go))];
    const order = this.orders[this.units.blocks.indexOf(block)][0];
    const place = order.indexOf(block === blocks[b] ? spot.i : Math.min(spot.i, block.rows.length - 1));
    const to = { ArrowUp: place - 1, ArrowDown: place + 1, Home: 0, End: order.length - 1 }[key] ?? place;
    const i = order[Math.max(0, Math.min(order.length - 1, to))];
    return block.rows[i] >= 0 ? { name: block.name, i } : spot;
  }

  // -- in words ----------------------------------------------------------------------------------------------

  fateOf(unit) {
    if (!this.units.counted.has(unit)) return "left alone";
    const word = this.at.gone[unit] ? "pruned" : "kept";
    return this.at.fates[unit] ? `${word} by hand` : word;
  }

  factsOf({ name, i }) {
    const unit = this.units.unit(name, i);
    const layer = this.units.layers.find((other) => other.name === name);
    const own = this.units.group(unit)?.name in this.frame.get("sparsities");
    const place = own ? this.units.ownPlaces[unit] : this.units.unitPlaces[unit];
    const goes = place <= 10000 ? `${sparsityText(place / 10000)}${own ? " of its group" : ""}` : STAYS;
    const worth = this.units.worth(unit);
    const slices = this.units.coupled(unit);
    return {
      score: layer ? this.scoreOf(layer, i) : "left alone",
      "goes at": goes,
      outputs: sliceWords(slices.outputs),
      BatchNorm: sliceWords(slices.norms) || "none",
      inputs: sliceWords(slices.inputs) || "none",
      cost: `${grouped(worth.parameters)} parameters, ${millions(worth.macs)} MACs`,
    };
  }

  scoreOf(layer, i) {
    const { criterion } = this.frame.get("ranking");
    return `${layer.score[i].toPrecision(3)} by ${criterion}, rank ${layer.rank[i] + 1} of ${layer.size}`;
  }

  describe(spot) {
    const { outputs, BatchNorm, inputs } = this.factsOf(spot);
    const slices = `with it go outputs ${outputs}; BatchNorm ${BatchNorm}; inputs ${inputs}`;
    return `Channel ${spot.i} of ${spot.name}: ${this.fateOf(this.units.unit(spot.name, spot.i))}; ${slices}`;
  }
}

/** Where a branch is added to a stream. */
function plus(context, x, y, colours) {
  context.fillStyle = colours.paper;
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, 7, 0, 7);
  context.fill();
  context.stroke();
  line(context, [[x - 4, y], [x + 4, y]], colours.ink, 1.5);
  line(context, [[x, y - 4], [x, y + 4]], colours.ink, 1.5);
}
