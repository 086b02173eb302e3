// A large drawing in a small window: only what is seen is in the page; far away it is a canvas.

import { h, perFrame, s } from "./dom";
import type { Box } from "./types";

/** A box of the map; `hue` 1 … 4 is its shade, 0 none. */
export interface Item { box: Box; hue: number; make(): SVGElement }
/** A curve of the map, in front of it what `make` gives. */
export interface Link { route: number[]; make(d: string): SVGElement }
export interface Spot { box: number; edge: number }

const COLUMN = 320, LONG = 40, NEAR = 0.42, MOST = 900, PAD = 14;
const CLOSEST = 2.5;

export class GraphMap {
  readonly el: HTMLElement;
  readonly strip = h("canvas", { class: "kw-strip", "aria-hidden": "true" });
  private readonly canvas = h("canvas", { class: "kw-far", "aria-hidden": "true" });
  private readonly svg = s("svg", { role: "img" });
  private readonly edgeLayer = s("g"); private readonly boxLayer = s("g");
  private items: Item[] = []; private links: Link[] = [];
  private size = { width: 1, height: 1 };
  private x = 0; private y = 0; private scale = 1;
  private boxes = new Map<number, SVGElement>(); private edges = new Map<number, SVGElement>();
  private columns: { boxes: number[]; edges: number[] }[] = []; private far: number[] = [];
  private whole: HTMLCanvasElement | null = null;
  private readonly paintSoon = perFrame(() => this.paint());
  private readonly resize = new ResizeObserver(() => this.resized());
  private extent = { width: 0, height: 0 };
  private untouched = true; private big = false;

  constructor(label: string, defs: SVGElement, private readonly picked: (spot: Spot) => void,
    private readonly dress: (kind: "box" | "edge", index: number, node: SVGElement) => void) {
    this.svg.append(defs, this.boxLayer, this.edgeLayer);
    this.el = h("div", { class: "kw-map", tabindex: "0", role: "group", "aria-label": label }, this.canvas, this.svg);
    this.resize.observe(this.el);
    this.listen();
  }

  /** Another drawing; `keep` leaves the place in it as it is. */
  show(items: Item[], links: Link[], size: { width: number; height: number }, label: string, keep = false): void {
    this.items = items;
    this.links = links;
    this.size = size;
    this.svg.setAttribute("aria-label", label);
    for (const mounted of [this.boxes, this.edges]) { mounted.forEach((node) => node.remove()); mounted.clear(); }
    this.index();
    this.whole = null;
    if (!keep) { this.untouched = true; this.resized(true); } else this.resized();
  }

  /** How boxes and edges look has changed. */
  redress(): void {
    this.boxes.forEach((node, k) => this.dress("box", k, node));
    this.edges.forEach((node, k) => this.dress("edge", k, node));
    this.paintSoon();
  }

  /** Move so that a part is seen, if it is not. */
  reveal(box: Box): void {
    const { width, height } = this.seen(), room = 40 / this.scale;
    const inside = box.x - room >= this.x && box.x + box.width + room <= this.x + width && box.y >= this.y && box.y + box.height <= this.y + height;
    if (this.scale < NEAR) this.scale = 1;
    else if (inside) return;
    this.untouched = false;
    const now = this.seen();
    this.x = box.x + box.width / 2 - now.width / 2;
    this.y = box.y + box.height / 2 - now.height / 2;
    this.bound();
  }

  zoom(by: number, at?: [number, number]): void {
    const { width, height } = this.seen(), [px, py] = at ?? [this.x + width / 2, this.y + height / 2];
    const next = Math.min(CLOSEST, Math.max(this.least(), this.scale * by)), factor = this.scale / next;
    this.x = px - (px - this.x) * factor;
    this.y = py - (py - this.y) * factor;
    this.scale = next;
    this.untouched = false;
    this.bound();
  }

  /** The whole, however small. */
  fit(): void { this.scale = Math.min(1.25, this.least()); this.x = -PAD; this.y = -PAD; this.untouched = false; this.bound(); }

  /** What is shown, in words. */
  get said(): string { return `${Math.round(this.scale * 100)} %`; }
  get mounted(): number { return this.boxes.size + this.edges.size; }

  dispose(): void { this.resize.disconnect(); this.paintSoon.cancel(); }

  private least(): number {
    return Math.min(1, this.extent.width / (this.size.width + 2 * PAD), this.extent.height / (this.size.height + 2 * PAD)) || 1;
  }
  private seen(): { width: number; height: number } { return { width: this.extent.width / this.scale, height: this.extent.height / this.scale }; }

  /** A graph that nearly fits is shown whole; of a longer one the begin, at a size that can be read. */
  private resized(force = false): void {
    const width = this.el.clientWidth;
    if (!width || (!force && width === this.extent.width && !this.untouched)) return this.paintSoon();
    if (this.untouched) {
      const fits = width / (this.size.width + 2 * PAD);
      this.scale = fits > 0.62 ? Math.min(1.25, fits) : 1;
      const tall = Math.min(480, Math.max(170, (this.size.height + 2 * PAD) * this.scale));
      this.el.style.height = `${Math.ceil(tall)}px`;
      this.extent = { width, height: Math.ceil(tall) };
      const { height } = this.seen();
      this.x = -PAD;
      this.y = this.items[0] ? this.items[0].box.y + this.items[0].box.height / 2 - height / 2 : 0;
      if (this.size.height + 2 * PAD <= height) this.y = (this.size.height - height) / 2;
    } else this.extent = { width, height: this.el.clientHeight };
    this.bound();
  }

  private bound(): void {
    const { width, height } = this.seen();
    const hold = (at: number, room: number, all: number) => room >= all + 2 * PAD ? (all - room) / 2 : Math.min(Math.max(at, -PAD), all + PAD - room);
    this.x = width >= this.size.width + 2 * PAD && this.untouched ? -PAD : hold(this.x, width, this.size.width);
    this.y = hold(this.y, height, this.size.height);
    this.paintSoon();
  }

  private index(): void {
    this.columns = Array.from({ length: Math.ceil(this.size.width / COLUMN) + 1 }, () => ({ boxes: [], edges: [] }));
    this.far = [];
    const span = (from: number, to: number): [number, number] => [Math.max(0, Math.floor(from / COLUMN)), Math.min(this.columns.length - 1, Math.floor(to / COLUMN))];
    this.items.forEach(({ box }, k) => { const [a, b] = span(box.x, box.x + box.width); for (let c = a; c <= b; c++) this.columns[c]!.boxes.push(k); });
    this.links.forEach(({ route }, k) => {
      if (route.length < 8) return;
      const [a, b] = span(Math.min(route[0]!, route.at(-2)!), Math.max(route[0]!, route.at(-2)!));
      if (b - a > LONG) this.far.push(k);
      else for (let c = a; c <= b; c++) this.columns[c]!.edges.push(k);
    });
  }

  /** What stands in the window, and a little around it. */
  private found(): { boxes: Set<number>; edges: Set<number> } {
    const { width, height } = this.seen(), boxes = new Set<number>(), edges = new Set<number>(this.far);
    const a = Math.max(0, Math.floor((this.x - 60) / COLUMN)), b = Math.min(this.columns.length - 1, Math.floor((this.x + width + 60) / COLUMN));
    for (let c = a; c <= b; c++) {
      for (const k of this.columns[c]!.boxes) {
        const { box } = this.items[k]!;
        if (box.y < this.y + height + 40 && box.y + box.height > this.y - 40) boxes.add(k);
      }
      for (const k of this.columns[c]!.edges) edges.add(k);
    }
    return { boxes, edges };
  }

  private paint(): void {
    const { width, height } = this.seen();
    if (!this.extent.width) return;
    const near = this.scale >= NEAR ? this.found() : null;
    const drawn = near && near.boxes.size + near.edges.size <= MOST ? near : { boxes: new Set<number>(), edges: new Set<number>() };
    const away = drawn !== near;
    this.svg.style.visibility = away ? "hidden" : "";
    this.canvas.hidden = !away;
    this.svg.setAttribute("viewBox", `${this.x} ${this.y} ${width} ${height}`);
    this.mount("box", this.boxes, drawn.boxes, this.boxLayer, (k) => this.items[k]!.make());
    this.mount("edge", this.edges, drawn.edges, this.edgeLayer, (k) => this.links[k]!.make(path(this.links[k]!.route)));
    if (away) this.sketch(this.canvas, this.extent.width, this.extent.height, this.scale, this.scale, this.x, this.y, 1);
    this.el.dataset["scale"] = this.scale.toFixed(2);
    this.map();
  }

  private mount(kind: "box" | "edge", mounted: Map<number, SVGElement>, wanted: Set<number>, layer: SVGElement, make: (k: number) => SVGElement): void {
    for (const [k, node] of mounted) if (!wanted.has(k)) { node.remove(); mounted.delete(k); }
    for (const k of wanted) {
      if (mounted.has(k)) continue;
      const node = make(k);
      node.dataset[kind] = String(k);
      this.dress(kind, k, node);
      layer.append(node);
      mounted.set(k, node);
    }
  }

  /** All of it as boxes and lines without words. */
  private sketch(canvas: HTMLCanvasElement, width: number, height: number, sx: number, sy: number, x: number, y: number, line: number): void {
    const ratio = devicePixelRatio || 1, style = getComputedStyle(this.el), brush = canvas.getContext("2d")!;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    brush.setTransform(ratio * sx, 0, 0, ratio * sy, -x * sx * ratio, -y * sy * ratio);
    const right = x + width / sx, low = y + height / sy;
    brush.beginPath();
    if (line) for (const { route } of this.links) {
      if (route.length < 8 || Math.max(route[0]!, route.at(-2)!) < x || Math.min(route[0]!, route.at(-2)!) > right) continue;
      brush.moveTo(route[0]!, route[1]!);
      for (let k = 2; k + 5 < route.length; k += 6) brush.bezierCurveTo(route[k]!, route[k + 1]!, route[k + 2]!, route[k + 3]!, route[k + 4]!, route[k + 5]!);
    }
    brush.lineWidth = 1.2 / Math.sqrt(sx * sy);
    brush.strokeStyle = style.getPropertyValue("--kw-faint");
    brush.globalAlpha = 0.6;
    brush.stroke();
    brush.globalAlpha = 1;
    const inks = ["--kw-faint", "--kw-hue1", "--kw-hue2", "--kw-hue3", "--kw-hue4"].map((name) => style.getPropertyValue(name));
    const wide = 1.5 / sx, tall = 1.5 / sy;
    for (const { box, hue } of this.items) {
      if (box.x > right || box.x + box.width < x || box.y > low || box.y + box.height < y) continue;
      brush.fillStyle = inks[hue]!;
      brush.fillRect(box.x, box.y, Math.max(box.width, wide), Math.max(box.height, tall));
    }
  }

  /** The strip below: all of it, and where the window is. */
  private map(): void {
    const { width, height } = this.seen();
    // decided once for a drawing: what is below must not jump when one zooms
    if (this.untouched) this.big = this.size.width > width * 1.05 || this.size.height > height * 1.05;
    this.strip.hidden = !this.big;
    if (!this.big) return;
    const w = this.extent.width, tall = 30, sx = w / this.size.width, sy = tall / this.size.height, ratio = devicePixelRatio || 1;
    if (!this.whole || this.whole.width !== Math.round(w * ratio)) {
      this.whole = document.createElement("canvas");
      this.sketch(this.whole, w, tall, sx, sy, 0, 0, 0);
    }
    this.strip.width = this.whole.width;
    this.strip.height = this.whole.height;
    const brush = this.strip.getContext("2d")!, style = getComputedStyle(this.el);
    brush.drawImage(this.whole, 0, 0);
    brush.scale(ratio, ratio);
    brush.strokeStyle = brush.fillStyle = style.getPropertyValue("--kw-accent");
    const at = [this.x * sx, this.y * sy, Math.max(6, width * sx), Math.max(6, height * sy)] as const;
    const clip = [Math.max(1, at[0]), Math.max(1, at[1]), Math.min(at[2], w - Math.max(1, at[0]) - 1), Math.min(at[3], tall - Math.max(1, at[1]) - 1)] as const;
    brush.globalAlpha = 0.16;
    brush.fillRect(...clip);
    brush.globalAlpha = 1;
    brush.lineWidth = 1.5;
    brush.strokeRect(...clip);
  }

  private listen(): void {
    const { el, strip } = this;
    let from: { x: number; y: number; left: number; top: number; moved: boolean } | null = null;
    el.addEventListener("pointerdown", (event) => { if (event.button === 0) from = { x: event.clientX, y: event.clientY, left: this.x, top: this.y, moved: false }; });
    el.addEventListener("pointermove", (event) => {
      if (!from || !(event.buttons & 1)) return;
      const dx = event.clientX - from.x, dy = event.clientY - from.y;
      if (!from.moved && Math.abs(dx) + Math.abs(dy) < 4) return;
      if (!from.moved) el.setPointerCapture(event.pointerId);
      from.moved = true;
      this.untouched = false;
      this.x = from.left - dx / this.scale;
      this.y = from.top - dy / this.scale;
      this.bound();
    });
    el.addEventListener("pointerup", (event) => {
      const still = from && !from.moved;
      from = null;
      if (still) this.picked(this.spot(event));
    });
    el.addEventListener("wheel", (event) => {
      const box = el.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY / 240), [this.x + (event.clientX - box.x) / this.scale, this.y + (event.clientY - box.y) / this.scale]);
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) { this.untouched = false; this.x += (event.deltaX || event.deltaY) / this.scale; this.bound(); }
      else return;
      event.preventDefault();
    }, { passive: false });
    const jump = (event: PointerEvent) => {
      if (!(event.buttons & 1)) return;
      const box = strip.getBoundingClientRect(), { width, height } = this.seen();
      this.untouched = false;
      this.x = (event.clientX - box.x) / box.width * this.size.width - width / 2;
      this.y = (event.clientY - box.y) / box.height * this.size.height - height / 2;
      this.bound();
    };
    strip.addEventListener("pointerdown", (event) => { strip.setPointerCapture(event.pointerId); jump(event); });
    strip.addEventListener("pointermove", jump);
  }

  private spot(event: PointerEvent): Spot {
    const over = (event.target as Element).closest<SVGElement>("[data-edge]")?.dataset["edge"];
    const area = this.el.getBoundingClientRect();
    const x = this.x + (event.clientX - area.x) / this.scale, y = this.y + (event.clientY - area.y) / this.scale;
    const column = this.columns[Math.floor(x / COLUMN)];
    const box = column?.boxes.find((k) => { const b = this.items[k]!.box; return x >= b.x && x <= b.x + b.width && y >= b.y && y <= b.y + b.height; }) ?? -1;
    return { box, edge: box < 0 && over !== undefined ? Number(over) : -1 };
  }
}

function path(route: number[]): string {
  return `M${route[0]} ${route[1]}C${route.slice(2).join(" ")}`;
}
