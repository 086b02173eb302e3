// Who does what, computed from the loop nest of a mapping.

import type { NestView, TermView } from "./types";

export const NOBODY = -1;
const WORKER = -1;

/** Most tasks that are enumerated for one picture. */
export const TASK_LIMIT = 2 ** 21;

/** Most steps that are looked at for the tasks of one worker, where some are left out by guards. */
export const STEP_LIMIT = 2 ** 16;

export const stepsOf = (nest: NestView): number => nest.loops.reduce((n, loop) => n * loop.extent, 1);

/** Values of the loop variables at a step. */
export function loopsAt(nest: NestView, step: number): number[] {
  const values = new Array<number>(nest.loops.length).fill(0);
  for (let k = nest.loops.length - 1; k >= 0; k--) {
    const extent = nest.loops[k]!.extent;
    values[k] = step % extent;
    step = Math.floor(step / extent);
  }
  return values;
}

export function valueOf(term: TermView, worker: number, loops: number[]): number {
  if (term.constant) return term.coef;
  if (term.table.length) return term.coef * (term.table[total(term.position, worker, loops)] ?? 0);
  const digit = Math.floor((term.source === WORKER ? worker : loops[term.source]!) / term.div);
  return term.coef * (term.mod === null ? digit : digit % term.mod);
}

export function total(terms: TermView[], worker: number, loops: number[]): number {
  let sum = 0;
  for (const term of terms) sum += valueOf(term, worker, loops);
  return sum;
}

export interface Task { place: number[]; loops: number[]; order: number }
export interface Tasks { tasks: Task[]; more: boolean }

/** The tasks of a worker in order, at most `most`, from its task number `from` on. */
export function tasksOf(nest: NestView, worker: number, most: number, from = 0): Tasks {
  const tasks: Task[] = [], steps = stepsOf(nest), guarded = nest.guards.length > 0;
  const end = guarded ? Math.min(steps, STEP_LIMIT) : steps;
  let order = guarded ? 0 : from;
  for (let step = order; step < end; step++) {
    const loops = loopsAt(nest, step);
    if (!passes(nest, worker, loops)) continue;
    if (tasks.length === most) return { tasks, more: true };
    if (order >= from) tasks.push({ place: nest.index.map((terms) => total(terms, worker, loops)), loops, order });
    order++;
  }
  return { tasks, more: steps > end };
}

const passes = (nest: NestView, worker: number, loops: number[]): boolean =>
  nest.guards.every((g) => total(g.terms, worker, loops) < total(g.bound, worker, loops));

/** A part of a slice of the domain: which slice, its first row and column, the most rows and columns. */
export interface Window { lead: number[]; origin: [number, number]; most: [number, number] }

export type Numbers = Int32Array | Float64Array;

export interface Cells {
  rows: number; columns: number; origin: [number, number];
  /** Per cell, row by row: the first worker that does it, which of its tasks it is. */
  owner: Numbers; order: Numbers;
  leftOut: string[];
}

/** Rows and columns of a slice; a domain of one dim is one row. */
export const gridOf = (shape: number[]): [number, number] => (shape.length > 1 ? shape.slice(-2) as [number, number] : [1, shape[0]!]);

/** Who does what in a window. */
export function cellsOf(nest: NestView, shape: number[], workers: number, { lead, origin, most }: Window): Cells {
  const [allRows, allColumns] = gridOf(shape);
  const rows = Math.min(allRows - origin[0], most[0]), columns = Math.min(allColumns - origin[1], most[1]);
  const steps = stepsOf(nest), largest = Math.max(workers, steps);
  const numbers = (): Numbers => (largest < 2 ** 31 ? new Int32Array(rows * columns) : new Float64Array(rows * columns));
  const cells: Cells = { rows, columns, origin, leftOut: [], owner: numbers(), order: numbers() };
  const inverse = inverseOf(nest, workers);
  if (inverse && largest <= Number.MAX_SAFE_INTEGER) {
    invert(cells, inverse, lead);
    return cells;
  }
  cells.owner.fill(NOBODY);
  cells.order.fill(NOBODY);
  if (steps > TASK_LIMIT) {
    cells.leftOut.push(`one worker alone has up to ${steps} tasks`);
    return cells;
  }
  const drawn = Math.min(workers, Math.max(1, Math.floor(TASK_LIMIT / steps)));
  if (drawn < workers) cells.leftOut.push(`the first ${drawn} of ${workers} workers`);
  fill(cells, nest, shape.length, lead, drawn);
  return cells;
}

/** A digit of a coordinate: `coef` apart, `extent` many; from which source, and what one of it adds there. */
interface Digit { coef: number; extent: number; source: number; div: number; worker: number; step: number }

/**
 * Per dim the digits from which worker and step follow, where every cell is done once; else null.
 * A cell then costs two additions, however many tasks there are.
 */
function inverseOf(nest: NestView, workers: number): Digit[][] | null {
  if (nest.guards.length) return null;
  const dims: Digit[][] = [];
  for (const terms of nest.index) {
    const digits: Digit[] = [];
    for (const term of terms) {
      if (term.constant && term.coef === 0) continue;
      if (term.constant || term.table.length) return null;
      digits.push(digitOf(term, nest, workers));
    }
    if (reach(digits, (digit) => digit.coef) === null) return null;
    dims.push(digits);
  }
  // Worker and loops must be made of the digits, each part once.
  const all = dims.flat();
  const whole = [workers, ...nest.loops.map((loop) => loop.extent)];
  return whole.every((extent, k) => reach(all.filter((digit) => digit.source === k - 1), (digit) => digit.div) === extent) ? dims : null;
}

function digitOf({ coef, source, div, mod }: TermView, nest: NestView, workers: number): Digit {
  const extent = mod ?? Math.ceil((source === WORKER ? workers : nest.loops[source]!.extent) / div);
  if (source === WORKER) return { coef, extent, source, div, worker: div, step: 0 };
  return { coef, extent, source, div, worker: 0, step: div * nest.loops.slice(source + 1).reduce((n, loop) => n * loop.extent, 1) };
}

/** How far digits count together; null where they leave a gap or overlap. */
function reach(digits: Digit[], weight: (digit: Digit) => number): number | null {
  let reached = 1;
  for (const digit of [...digits].sort((a, b) => weight(a) - weight(b) || a.extent - b.extent)) {
    if (weight(digit) !== reached) return null;
    reached *= digit.extent;
  }
  return reached;
}

function invert(cells: Cells, dims: Digit[][], lead: number[]): void {
  const { rows, columns, origin } = cells, rank = dims.length;
  const fixed: [number, number] = [0, 0];
  lead.forEach((at, dim) => { const [worker, step] = parts(dims[dim]!, at); fixed[0] += worker; fixed[1] += step; });
  const axis = (dim: number, from: number, many: number): [Float64Array, Float64Array] => {
    const worker = new Float64Array(many), step = new Float64Array(many);
    for (let k = 0; k < many; k++) [worker[k], step[k]] = parts(dims[dim] ?? [], from + k) as [number, number];
    return [worker, step];
  };
  const [rowWorker, rowStep] = axis(rank - 2, origin[0], rows), [columnWorker, columnStep] = axis(rank - 1, origin[1], columns);
  for (let r = 0, at = 0; r < rows; r++) {
    const worker = fixed[0] + rowWorker[r]!, step = fixed[1] + rowStep[r]!;
    for (let c = 0; c < columns; c++, at++) {
      cells.owner[at] = worker + columnWorker[c]!;
      cells.order[at] = step + columnStep[c]!;
    }
  }
}

/** What a coordinate adds to the worker and to the step. */
function parts(digits: Digit[], at: number): [number, number] {
  let worker = 0, step = 0;
  for (const digit of digits) {
    const value = Math.floor(at / digit.coef) % digit.extent;
    worker += value * digit.worker;
    step += value * digit.step;
  }
  return [worker, step];
}

function fill(cells: Cells, nest: NestView, rank: number, lead: number[], workers: number): void {
  const steps = stepsOf(nest), [top, left] = cells.origin;
  const rounds = Array.from({ length: steps }, (_, step) => loopsAt(nest, step));
  const row = rank > 1 ? split(nest.index[rank - 2]!, rounds, workers) : () => 0;
  const column = split(nest.index[rank - 1]!, rounds, workers);
  const leads = lead.map((at, dim) => ({ at, value: split(nest.index[dim]!, rounds, workers) }));
  const guards = nest.guards.map((g) => ({ value: split(g.terms, rounds, workers), bound: split(g.bound, rounds, workers) }));
  for (let worker = 0; worker < workers; worker++) {
    let order = -1;
    for (let step = 0; step < steps; step++) {
      if (!guards.every((g) => g.value(worker, step) < g.bound(worker, step))) continue;
      order++;
      const r = row(worker, step) - top, c = column(worker, step) - left;
      if (r < 0 || c < 0 || r >= cells.rows || c >= cells.columns) continue;
      if (!leads.every((l) => l.value(worker, step) === l.at)) continue;
      const cell = r * cells.columns + c;
      if (cells.owner[cell] === NOBODY) { cells.owner[cell] = worker; cells.order[cell] = order; }
    }
  }
}

/** A coordinate as a function of worker and step: digits are summed beforehand, per source. */
function split(terms: TermView[], rounds: number[][], workers: number): (worker: number, step: number) => number {
  const ofWorker = new Float64Array(workers), ofStep = new Float64Array(rounds.length);
  const tables = terms.filter((term) => term.table.length);
  for (const term of terms) {
    if (term.table.length) continue;
    if (term.constant || term.source === WORKER) for (let w = 0; w < workers; w++) ofWorker[w]! += valueOf(term, w, []);
    else rounds.forEach((loops, step) => { ofStep[step]! += valueOf(term, 0, loops); });
  }
  if (!tables.length) return (worker, step) => ofWorker[worker]! + ofStep[step]!;
  return (worker, step) => ofWorker[worker]! + ofStep[step]! + total(tables, worker, rounds[step]!);
}

/** A sum as text with its numbers in place of the names: `1*8 + 5//4`. */
export function filled(terms: TermView[], worker: number, loops: number[]): string {
  const text = (term: TermView): string => {
    if (term.constant) return String(term.coef);
    let said: string;
    if (term.table.length) said = `table[${filled(term.position, worker, loops)}]`;
    else {
      said = String(term.source === WORKER ? worker : loops[term.source]);
      if (term.div > 1) said += `//${term.div}`;
      if (term.mod !== null) said += `%${term.mod}`;
    }
    if (term.coef === 1) return said;
    return `${/[/%]/.test(said) ? `(${said})` : said}*${term.coef}`;
  };
  return terms.map(text).join(" + ") || "0";
}

export const taskText = (place: number[]): string => `(${place.join(", ")}${place.length === 1 ? "," : ""})`;
