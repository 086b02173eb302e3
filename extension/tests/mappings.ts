// A second meaning of factors and nests, by the definition and one task at a time, to test against.

import { factorOf, type Factor } from "../src/viz/factors";
import type { FactorView, MappingView } from "../src/viz/types";
import fragment from "../../tests/view/golden/mapping-fragment.json";
import matmul from "../../tests/view/golden/mapping-matmul.json";
import predicates from "../../tests/view/golden/mapping-predicates.json";
import projection from "../../tests/view/golden/mapping-projection.json";
import rank3 from "../../tests/view/golden/mapping-rank3.json";
import strip from "../../tests/view/golden/mapping-strip.json";
import byFunction from "../../tests/view/golden/mapping-function.json";

/** Views as Python wrote them down; its own tests hold them against the mappings. */
export const VIEWS = { fragment, matmul, predicates, projection, rank3, strip, function: byFunction } as unknown as Record<string, MappingView>;

/** Tasks of a worker: the definition of `repeat`, `spatial` and `*`. */
export function tasks(factors: Factor[], worker: number): number[][] {
  const [outer, ...inner] = factors;
  if (!outer) return [[]];
  const workers = inner.reduce((n, f) => n * workersOf(f), 1);
  const shape = shapeOf(inner, outer.shape.length);
  const rest = inner.length ? tasks(inner, worker % workers) : [outer.shape.map(() => 0)];
  return own(outer, Math.floor(worker / workers)).flatMap((first) => rest.map((second) => first.map((x, dim) => x * shape[dim]! + second[dim]!)));
}

function own(factor: Factor, worker: number): number[][] {
  const count = factor.shape.reduce((a, b) => a * b, 1);
  const numbers = factor.name === "spatial" ? [worker] : Array.from({ length: count }, (_, k) => k);
  return numbers.map((n) => {
    const place = factor.shape.map(() => 0);
    for (const dim of [...factor.order].reverse()) {
      place[dim] = n % factor.shape[dim]!;
      n = Math.floor(n / factor.shape[dim]!);
    }
    return place;
  });
}

export const workersOf = (factor: Factor): number => (factor.name === "spatial" ? factor.shape.reduce((a, b) => a * b, 1) : 1);
export const shapeOf = (factors: Factor[], rank: number): number[] =>
  Array.from({ length: rank }, (_, dim) => factors.reduce((n, f) => n * f.shape[dim]!, 1));

/** All tasks of all workers, in order, as one text. */
export function meaning(factors: Factor[]): string {
  const workers = factors.reduce((n, f) => n * workersOf(f), 1);
  return JSON.stringify(Array.from({ length: workers }, (_, worker) => tasks(factors, worker)));
}

export const factorsOf = (view: MappingView): Factor[] => view.factors.map((f: FactorView) => factorOf(f));

/** The same random numbers every time. */
export function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
