// The grid of workers on a canvas. One way to draw for four cells and for a million: nothing in the
// page grows with the mapping, so a keystroke repaints at once; the table twin is for screen readers.

import { followTheme, inksOf, type Inks } from "./theme";
import { h, perFrame } from "./dom";
import { NOBODY, type Cells } from "./nest";

export interface GridState { cells: Cells | null; workers: number; mostTasks: number; worker: number; step: number | null; /** The worker's tasks in order, with their cell where it is shown. */ path: { order: number; at: [number, number] | null }[] }

const AXIS_Y = 22, LABELLED = 4096, MAX_HEIGHT = 640, ARROWS = 256;

interface Sizes { w: number; h: number; labelled: boolean; ordered: boolean }

export class Grid {
  readonly canvas = h("canvas", { "aria-hidden": true });
  private state: GridState = { cells: null, workers: 0, mostTasks: 0, worker: 0, step: null, path: [] };
  /** Room for the numbers of rows [px]. */
  private left = 44;
  private image: { cells: Cells; look: string; canvas: OffscreenCanvas } | null = null;
  private sizes: Sizes = { w: 1, h: 1, labelled: false, ordered: false };
  private readonly paint = perFrame(() => this.draw());
  private readonly stopTheme: () => void;
  private readonly resize = new ResizeObserver(() => this.paint());

  constructor(
    private readonly root: HTMLElement, private readonly box: HTMLElement,
    private readonly mode: (labelled: boolean, ordered: boolean) => void,
  ) {
    box.append(this.canvas);
    this.stopTheme = followTheme(root, () => this.paint());
    this.resize.observe(box);
  }

  update(state: GridState): void { this.state = state; this.paint(); }

  dispose(): void { this.stopTheme(); this.resize.disconnect(); this.paint.cancel(); }

  /** The worker under a point of the page, or null. */
  workerAt(x: number, y: number): number | null {
    const { cells } = this.state, box = this.canvas.getBoundingClientRect();
    if (!cells) return null;
    const c = Math.floor((x - box.left - this.left) / this.sizes.w), r = Math.floor((y - box.top - AXIS_Y) / this.sizes.h);
    if (r < 0 || c < 0 || r >= cells.rows || c >= cells.columns) return null;
    const owner = cells.owner[r * cells.columns + c]!;
    return owner === NOBODY ? null : owner;
  }

  private measure(cells: Cells): Sizes {
    const room = Math.max(160, this.box.clientWidth - this.left - 4);
    let w = Math.min(80, room / cells.columns);
    const tall = Math.min(26, Math.max(15, MAX_HEIGHT / cells.rows));
    const label = 6.7 * String(this.state.workers).length + 16;
    if (w >= label && cells.rows * cells.columns <= LABELLED && tall * cells.rows <= 1100) {
      const order = 5.6 * String(this.state.mostTasks).length + 4;
      return { w, h: tall, labelled: true, ordered: this.state.mostTasks > 1 && w >= label + order };
    }
    w = Math.min(26, room / cells.columns, MAX_HEIGHT / cells.rows);
    w = w >= 4 ? Math.floor(w) : w;
    return { w, h: w, labelled: false, ordered: false };
  }

  private draw(): void {
    const { cells } = this.state;
    if (!cells || !this.box.clientWidth) return;
    this.left = Math.max(44, 18 + 6.7 * String(cells.origin[0] + cells.rows - 1).length);
    this.sizes = this.measure(cells);
    const inks = inksOf(this.root);
    this.mode(this.sizes.labelled, this.sizes.ordered);
    const { w, h: tall } = this.sizes;
    const width = Math.ceil(this.left + cells.columns * w + 4), height = Math.ceil(AXIS_Y + cells.rows * tall + 4);
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.axes(pen, inks, cells);
    if (this.sizes.labelled) this.boxes(pen, inks, cells);
    else this.raster(pen, inks, cells);
    this.own(pen, inks, cells);
    this.canvas.dataset["painted"] = String(Number(this.canvas.dataset["painted"] ?? 0) + 1);
  }

  private tone(inks: Inks, worker: number): string {
    const { workers } = this.state;
    return inks.tones[workers <= 8 ? worker * 4 + 1 : worker % 32]!;
  }

  private axes(pen: CanvasRenderingContext2D, inks: Inks, cells: Cells): void {
    const { w, h: tall } = this.sizes;
    pen.fillStyle = inks.faint;
    pen.font = "11px var(--kw-mono)".replace("var(--kw-mono)", mono(this.root));
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    for (let c = 0, every = nice(26 / w); c < cells.columns; c += every) pen.fillText(String(c + cells.origin[1]), this.left + (c + 0.5) * w, AXIS_Y - 8);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let r = 0, every = nice(14 / tall); r < cells.rows; r += every) pen.fillText(String(r + cells.origin[0]), this.left - 9, AXIS_Y + (r + 0.5) * tall + 1);
  }

  private boxes(pen: CanvasRenderingContext2D, inks: Inks, cells: Cells): void {
    const { w, h: tall, ordered } = this.sizes, { step, worker } = this.state, font = mono(this.root);
    pen.textBaseline = "middle";
    for (let r = 0; r < cells.rows; r++) for (let c = 0; c < cells.columns; c++) {
      const at = r * cells.columns + c, owner = cells.owner[at]!;
      const x = this.left + c * w, y = AXIS_Y + r * tall, mine = owner === worker;
      const bright = step === null || cells.order[at] === step;
      pen.beginPath();
      pen.roundRect(x + 1, y + 1, w - 2, tall - 2, 3);
      if (owner === NOBODY) {
        pen.strokeStyle = inks.line; pen.lineWidth = 1; pen.setLineDash([2, 3]); pen.stroke(); pen.setLineDash([]);
        continue;
      }
      pen.globalAlpha = bright ? 1 : 0.42;
      pen.fillStyle = this.tone(inks, owner);
      pen.fill();
      if (Math.floor(owner / 32) % 2) hatch(pen, inks, x + 1, y + 1, w - 2, tall - 2);
      pen.globalAlpha = bright || mine ? 1 : 0.7;
      pen.fillStyle = inks.ink;
      pen.font = `${mine ? "700 " : ""}${tall < 18 ? 10 : 12}px ${font}`;
      pen.textAlign = "left";
      pen.fillText(`w${owner}`, x + 7, y + tall / 2 + 1);
      if (ordered) {
        pen.globalAlpha *= 0.75;
        pen.font = `${tall < 18 ? 9 : 10}px ${font}`;
        pen.textAlign = "right";
        pen.fillText(String(cells.order[at]), x + w - 7, y + tall / 2 + 1);
      }
      pen.globalAlpha = 1;
    }
  }

  private raster(pen: CanvasRenderingContext2D, inks: Inks, cells: Cells): void {
    const { step, workers } = this.state, { w } = this.sizes;
    const look = `${step} ${inks.tones[0]}`;
    // Who is selected is drawn over it, so that walking through workers paints no cell anew.
    if (this.image?.cells !== cells || this.image.look !== look) this.image = { cells, look, canvas: picture(cells, workers, step, inks.tones) };
    pen.imageSmoothingEnabled = w < 1;
    pen.drawImage(this.image.canvas, this.left, AXIS_Y, cells.columns * w, cells.rows * w);
    pen.strokeStyle = inks.line;
    pen.strokeRect(this.left - 0.5, AXIS_Y - 0.5, cells.columns * w + 1, cells.rows * w + 1);
    if (workers > 32) this.warps(pen, inks, cells);
  }

  /** The name of each warp in its first cell, where it is wide and high enough. */
  private warps(pen: CanvasRenderingContext2D, inks: Inks, cells: Cells): void {
    const { w } = this.sizes, seen = new Set<number>(), warp = (at: number) => Math.floor(cells.owner[at]! / 32);
    pen.fillStyle = inks.ink;
    pen.font = `11px ${mono(this.root)}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let at = 0; at < cells.owner.length && seen.size < 64; at++) {
      const own = warp(at);
      if (own < 0 || seen.has(own)) continue;
      seen.add(own);
      const r = Math.floor(at / cells.columns), c = at % cells.columns;
      let across = 1, down = 1;
      while (c + across < cells.columns && warp(at + across) === own) across++;
      while (r + down < cells.rows && warp(at + down * cells.columns) === own) down++;
      if (across * w < 60 || down * w < 16) continue;
      pen.fillText(`warp ${own}`, this.left + (c + across / 2) * w, AXIS_Y + r * w + Math.min(down * w, 44) / 2);
    }
  }

  /** Outline the selected worker's cells, and draw the way from task to task. */
  private own(pen: CanvasRenderingContext2D, inks: Inks, cells: Cells): void {
    const { w, h: tall } = this.sizes, { worker, step, path } = this.state;
    pen.strokeStyle = inks.accent;
    pen.lineWidth = 1.75;
    pen.beginPath();
    const { rows, columns, owner } = cells;
    const mine = (r: number, c: number) => r >= 0 && c >= 0 && r < rows && c < columns && owner[r * columns + c] === worker;
    for (let at = owner.indexOf(worker); at >= 0; at = owner.indexOf(worker, at + 1)) {
      const r = Math.floor(at / columns), c = at % columns;
      const x = this.left + c * w, y = AXIS_Y + r * tall;
      if (!mine(r - 1, c)) { pen.moveTo(x, y); pen.lineTo(x + w, y); }
      if (!mine(r + 1, c)) { pen.moveTo(x, y + tall); pen.lineTo(x + w, y + tall); }
      if (!mine(r, c - 1)) { pen.moveTo(x, y); pen.lineTo(x, y + tall); }
      if (!mine(r, c + 1)) { pen.moveTo(x + w, y); pen.lineTo(x + w, y + tall); }
    }
    pen.stroke();
    const centre = ([r, c]: [number, number]): [number, number] => [this.left + (c + 0.5) * w, AXIS_Y + (r + 0.5) * tall];
    const now = step === null ? null : path.find((task) => task.order === step)?.at;
    if (step !== null) {
      pen.globalAlpha = 0.75;
      pen.lineWidth = 1.25;
      const way = path.filter((task) => task.order <= step && task.order > step - ARROWS);
      for (let k = 0; k + 1 < way.length; k++) {
        const from = way[k]!.at, to = way[k + 1]!.at;
        if (from && to) arrow(pen, inks.accent, centre(from), centre(to), tall);
      }
      pen.globalAlpha = 1;
    }
    if (now) {
      pen.lineWidth = 3;
      pen.strokeRect(this.left + now[1] * w + 1, AXIS_Y + now[0] * tall + 1, w - 2, tall - 2);
    }
  }
}

function arrow(pen: CanvasRenderingContext2D, colour: string, from: [number, number], to: [number, number], size: number): void {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length < 6) return;
  const ux = (to[0] - from[0]) / length, uy = (to[1] - from[1]) / length, stop = Math.min(size / 2.6, length / 3);
  const x = to[0] - ux * stop, y = to[1] - uy * stop;
  pen.beginPath();
  pen.moveTo(from[0] + ux * stop, from[1] + uy * stop);
  pen.lineTo(x, y);
  pen.stroke();
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x + ux * 3, y + uy * 3);
  pen.lineTo(x - ux * 4 - uy * 3.2, y - uy * 4 + ux * 3.2);
  pen.lineTo(x - ux * 4 + uy * 3.2, y - uy * 4 - ux * 3.2);
  pen.fill();
}

function hatch(pen: CanvasRenderingContext2D, inks: Inks, x: number, y: number, w: number, tall: number): void {
  pen.save();
  pen.clip();
  pen.globalAlpha *= 0.5;
  pen.strokeStyle = inks.ground;
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (let k = -tall; k < w; k += 7) { pen.moveTo(x + k, y + tall); pen.lineTo(x + k + tall, y); }
  pen.stroke();
  pen.restore();
}

const mono = (el: HTMLElement): string => getComputedStyle(el).getPropertyValue("--kw-mono-family").trim() || "monospace";

/** The step between numbers of an axis: 1, 2, 5, 10 … or a power of two, at least `least`. */
function nice(least: number): number {
  let step = 1;
  while (step < least) step *= 2;
  return step;
}

/** One pixel a cell: hue and shade by eights of a warp, or one tone a worker where there are few. */
function picture(cells: Cells, workers: number, step: number | null, tones: string[]): OffscreenCanvas {
  const image = new ImageData(cells.columns, cells.rows), pixels = new Uint32Array(image.data.buffer);
  const { owner, order } = cells;
  const bright = Uint32Array.from(tones, (tone) => packed(tone, 255)), pale = Uint32Array.from(tones, (tone) => packed(tone, 90));
  const eights = workers > 32, few = workers <= 8;
  for (let at = 0; at < pixels.length; at++) {
    const worker = owner[at]!;
    if (worker < 0) continue;
    const tone = (few ? worker * 4 + 1 : eights ? Math.floor(worker / 8) : worker) % 32;
    pixels[at] = step === null || order[at] === step ? bright[tone]! : pale[tone]!;
  }
  const canvas = new OffscreenCanvas(cells.columns, cells.rows);
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

/** A colour as a pixel of an ImageData, whose bytes are red, green, blue, alpha. */
function packed(hex: string, alpha: number): number {
  const n = parseInt(hex.slice(1), 16);
  return new Uint32Array(Uint8Array.of(n >> 16, n >> 8 & 255, n & 255, alpha).buffer)[0]!;
}
