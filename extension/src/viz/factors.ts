// The factors of a mapping as they are moved, split and merged; what comes out is always the text
// of a whole expression, which Python reads and judges.

import type { FactorView } from "./types";

export interface Factor {
  /** `repeat`, `spatial`; others have their text alone and can only be moved or taken out. */
  name: string; text: string; shape: number[];
  /** Dims from slowest to fastest. */
  order: number[];
  attrs: string[];
}

/** A factor's parts that can be written down anew. */
export type Grid = Pick<Factor, "name" | "shape" | "order" | "attrs">;

export function factorOf(view: FactorView): Factor {
  const order = view.ranks.map((_, place) => view.ranks.indexOf(place));
  return { name: view.name, text: view.text, shape: view.shape, order, attrs: view.attrs };
}

export const isGrid = (factor: Factor): boolean => factor.order.length > 0;

const straight = (order: number[]): boolean => order.every((dim, place) => dim === place);
const turned = (order: number[]): boolean => order.every((dim, place) => dim === order.length - 1 - place);

/** The order of a grid in words. */
export function orderOf({ order }: Grid): "row" | "column" | "other" {
  return straight(order) ? "row" : turned(order) ? "column" : "other";
}

export function textOf({ name, shape, order, attrs }: Grid): string {
  const kind = orderOf({ name, shape, order, attrs });
  const parts = shape.map(String);
  if (kind === "other") parts.push(`ranks=[${order.map((_, dim) => order.indexOf(dim)).join(", ")}]`);
  if (attrs.some((attr) => attr)) {
    const same = attrs.every((attr) => attr === attrs[0]);
    parts.push(`attrs=${same ? attrs[0] : `[${attrs.map((attr) => attr || "None").join(", ")}]`}`);
  }
  return `${kind === "column" ? "column_" : ""}${name}(${parts.join(", ")})`;
}

export function made(grid: Grid): Factor {
  return { ...grid, text: textOf(grid) };
}

/** A grid of these extents in row-major order without attributes. */
export function plain(name: string, shape: number[]): Factor {
  return made({ name, shape, order: shape.map((_, dim) => dim), attrs: shape.map(() => "") });
}

export const expression = (factors: Factor[]): string => factors.map((factor) => factor.text).join(" * ");

/** The factor at `from` put before the one that is at `to` (at the end where there is none). */
export function moved(factors: Factor[], from: number, to: number): Factor[] {
  const rest = factors.filter((_, k) => k !== from);
  rest.splice(to > from ? to - 1 : to, 0, factors[from]!);
  return rest;
}

export const without = (factors: Factor[], at: number): Factor[] => factors.filter((_, k) => k !== at);

export function replaced(factors: Factor[], at: number, count: number, ...by: Factor[]): Factor[] {
  return [...factors.slice(0, at), ...by, ...factors.slice(at + count)];
}

/** The other kind; attributes belong to loops, which a `spatial` has not. */
export function swapped(factor: Factor): Factor {
  const name = factor.name === "repeat" ? "spatial" : "repeat";
  return made({ ...factor, name, attrs: factor.shape.map(() => "") });
}

export function reordered(factor: Factor): Factor {
  return made({ ...factor, order: [...factor.order].reverse() });
}

export function resized(factor: Factor, shape: number[]): Factor {
  return made({ ...factor, shape });
}

/**
 * A grid as two, `outer` of a dim's extent in the first: the same mapping. Dims slower than the one
 * that is split stay in the first, faster ones go to the second.
 */
export function split(factor: Factor, dim: number, outer: number): [Factor, Factor] {
  const place = factor.order.indexOf(dim), inner = factor.shape[dim]! / outer;
  const part = (first: boolean): Factor => made({
    ...factor, shape: factor.shape.map((extent, d) => {
      if (d === dim) return first ? outer : inner;
      return (factor.order.indexOf(d) < place) === first ? extent : 1;
    }),
  });
  return [part(true), part(false)];
}

/** The ways to split an extent in two whole numbers above 1. */
export function divisors(extent: number): number[] {
  const found: number[] = [];
  for (let k = 2; k * k <= extent && found.length < 64; k++)
    if (extent % k === 0) found.push(k, ...(k * k < extent ? [extent / k] : []));
  return found.sort((a, b) => a - b);
}

/** Two neighbours as one grid of the same meaning, or in words why there is none. */
export function merged(outer: Factor, inner: Factor): Factor | string {
  if (!isGrid(outer) || !isGrid(inner)) return "only repeat and spatial can be merged";
  if (outer.name !== inner.name) return "a repeat and a spatial cannot be one factor";
  const dims = [outer, inner].map((f) => f.order.filter((dim) => f.shape[dim]! > 1));
  const order: number[] = [];
  for (const dim of [...dims[0]!, ...dims[1]!]) {
    if (order[order.length - 1] === dim) continue;
    if (order.includes(dim)) return `no single ${outer.name} goes through dim ${dim} in this order`;
    order.push(dim);
  }
  const attrs = outer.attrs.map((attr, dim) => (outer.shape[dim]! > 1 ? attr : inner.attrs[dim]!));
  if (outer.attrs.some((attr, dim) => outer.shape[dim]! > 1 && inner.shape[dim]! > 1 && attr !== inner.attrs[dim]))
    return "their loops have different attributes";
  return made({
    name: outer.name, shape: outer.shape.map((extent, dim) => extent * inner.shape[dim]!), order: complete(order, outer.shape.length), attrs,
  });
}

/** All dims in an order that keeps the given one: row-major or column-major where one of them does. */
function complete(order: number[], rank: number): number[] {
  const rows = Array.from({ length: rank }, (_, dim) => dim);
  const keeps = (whole: number[]) => order.every((dim, k) => !k || whole.indexOf(order[k - 1]!) < whole.indexOf(dim));
  if (keeps(rows)) return rows;
  const columns = [...rows].reverse();
  return keeps(columns) ? columns : [...rows.filter((dim) => !order.includes(dim)), ...order];
}

/** Extents as a person writes them, `16 × 8` or `16, 8`; null where they are none. */
export function extentsOf(text: string, rank: number): number[] | null {
  const parts = text.trim().split(/\s*[×x*,\s]\s*/).map(Number);
  return parts.length === rank && parts.every((n) => Number.isInteger(n) && n >= 1) ? parts : null;
}
