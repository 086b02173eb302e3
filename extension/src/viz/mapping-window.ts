// Which part of a domain the grid shows: the slice of leading dims, the first row and column.

import { h } from "./dom";
import { gridOf, type Window } from "./nest";
import type { MappingView } from "./types";

/** Rows and columns that still have a pixel each. */
const MOST: [number, number] = [512, 512];

export class WindowBox {
  readonly el = h("span", { class: "kw-window" });
  private window: Window = { lead: [], origin: [0, 0], most: MOST };
  private view: MappingView | null = null;

  constructor(private readonly changed: () => void) {}

  get shown(): Window { return this.window; }

  /** The same part of another view, as far as it has one. */
  update(view: MappingView): void {
    this.view = view;
    const extents = view.shape.slice(0, -2), grid = gridOf(view.shape);
    this.window = {
      lead: extents.map((extent, dim) => Math.min(this.window.lead[dim] ?? 0, extent - 1)),
      origin: [0, 1].map((k) => first(grid[k]!, this.window.origin[k]!, MOST[k]!)) as [number, number], most: MOST,
    };
    this.draw();
  }

  /** Row and column of a task inside the window; null where it lies outside. */
  cell(place: number[]): [number, number] | null {
    const { lead, origin } = this.window;
    const [r, c] = (place.length > 1 ? place.slice(-2) : [0, ...place]) as [number, number];
    const at: [number, number] = [r - origin[0], c - origin[1]];
    const inside = lead.every((x, dim) => place[dim] === x) && at.every((x, k) => x >= 0 && x < MOST[k]!);
    return inside ? at : null;
  }

  /** Go where a task lies; false where that is shown already. */
  follow(place: number[]): boolean {
    if (!this.view || this.cell(place)) return false;
    const grid = gridOf(this.view.shape), rest = place.length > 1 ? place.slice(-2) : [0, ...place];
    this.window = {
      lead: place.slice(0, Math.max(0, place.length - 2)),
      origin: [0, 1].map((k) => first(grid[k]!, rest[k]! - MOST[k]! / 2, MOST[k]!)) as [number, number], most: MOST,
    };
    this.draw();
    return true;
  }

  private draw(): void {
    const view = this.view!, grid = gridOf(view.shape), { lead, origin } = this.window;
    const names = view.nest?.dims ?? view.shape.map((_, dim) => `dim ${dim}`);
    const box = (label: string, value: number, last: number, step: number, set: (value: number) => number): HTMLElement => {
      const input = h("input", {
        type: "number", min: 0, max: last, step, value, "aria-label": `${label}, 0 to ${last}`,
        onchange: () => { input.value = String(set(Math.min(last, Math.max(0, Math.floor(Number(input.value)) || 0)))); this.changed(); },
      });
      return h("label", {}, `${label} `, input, h("span", { class: "kw-soft" }, ` of 0…${last}`));
    };
    const parts = lead.flatMap((at, dim) => (view.shape[dim] === 1 ? [] : [box(`slice ${names[dim]} =`, at, view.shape[dim]! - 1, 1, (value) => (lead[dim] = value))]));
    (["rows from", "columns from"] as const).forEach((label, k) => {
      if (grid[k]! > MOST[k]!) parts.push(box(label, origin[k]!, grid[k]! - 1, MOST[k]!, (value) => (origin[k] = first(grid[k]!, value, MOST[k]!))));
    });
    const focused = [...this.el.querySelectorAll("input")].indexOf(document.activeElement as HTMLInputElement);
    this.el.replaceChildren(...parts);
    this.el.querySelectorAll("input")[focused]?.focus();
  }

  /** In words what of the grid is left out. */
  leftOut(): string[] {
    const [rows, columns] = gridOf(this.view!.shape), { origin } = this.window;
    if (rows <= MOST[0] && columns <= MOST[1]) return [];
    const span = (from: number, all: number, most: number) => `${from} to ${Math.min(all, from + most) - 1}`;
    return [`rows ${span(origin[0], rows, MOST[0])} of ${rows}, columns ${span(origin[1], columns, MOST[1])} of ${columns}`];
  }
}

/** A start from which a window is full. */
const first = (all: number, wanted: number, most: number): number => Math.max(0, Math.min(Math.floor(wanted), all - most));
