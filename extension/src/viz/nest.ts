// The tasks of a mapping, computed from its loop nest; and the nest as text, numbers filled in.

import type { NestView, TermView } from "./types";

export const NOBODY = -1;
const WORKER = -1;

/** Most tasks that are enumerated for one picture. */
export const TASK_LIMIT = 2 ** 21;

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

export interface Task { place: number[]; loops: number[]; step: number }

/** The tasks of a worker in order, at most `most`; `more` says whether there are others. */
export function tasksOf(nest: NestView, worker: number, most: number): { tasks: Task[]; more: boolean } {
  const tasks: Task[] = [];
  const steps = stepsOf(nest);
  for (let step = 0; step < Math.min(steps, TASK_LIMIT); step++) {
    const loops = loopsAt(nest, step);
    if (!nest.guards.every((g) => total(g.terms, worker, loops) < total(g.bound, worker, loops))) continue;
    if (tasks.length === most) return { tasks, more: true };
    tasks.push({ place: nest.index.map((terms) => total(terms, worker, loops)), loops, step });
  }
  return { tasks, more: steps > TASK_LIMIT };
}

export interface Cells {
  rows: number; columns: number;
  /** Per cell, row by row: the first worker that does it, which of its tasks it is, how often done. */
  owner: Int32Array; order: Int32Array; times: Int32Array;
  leftOut: string[];
}

/** Who does what in a window of the slice at `lead`. */
export function cellsOf(
  nest: NestView, shape: number[], workers: number, lead: number[], most: [number, number]
): Cells {
  const [allRows, allColumns] = shape.length > 1 ? shape.slice(-2) as [number, number] : [1, shape[0]!];
  const rows = Math.min(allRows, most[0]), columns = Math.min(allColumns, most[1]);
  const cells: Cells = {
    rows, columns, leftOut: [],
    owner: new Int32Array(rows * columns).fill(NOBODY),
    order: new Int32Array(rows * columns).fill(NOBODY),
    times: new Int32Array(rows * columns),
  };
  const steps = stepsOf(nest);
  if (steps > TASK_LIMIT) {
    cells.leftOut.push(`one worker alone has up to ${steps} tasks`);
    return cells;
  }
  const drawn = Math.min(workers, Math.max(1, Math.floor(TASK_LIMIT / steps)));
  if (rows < allRows || columns < allColumns) cells.leftOut.push(`the first ${rows} × ${columns} of ${allRows} × ${allColumns} cells`);
  if (drawn < workers) cells.leftOut.push(`the first ${drawn} of ${workers} workers`);
  fill(cells, nest, shape.length, lead, drawn);
  return cells;
}

function fill(cells: Cells, nest: NestView, rank: number, lead: number[], workers: number): void {
  const steps = stepsOf(nest);
  const rounds = Array.from({ length: steps }, (_, step) => loopsAt(nest, step));
  const row = rank > 1 ? split(nest.index[rank - 2]!, rounds, workers) : () => 0;
  const column = split(nest.index[rank - 1]!, rounds, workers);
  const leads = lead.map((at, dim) => ({ at, value: split(nest.index[dim]!, rounds, workers) }));
  for (let worker = 0; worker < workers; worker++) {
    let order = -1;
    for (let step = 0; step < steps; step++) {
      const loops = rounds[step]!;
      if (nest.guards.length && !nest.guards.every((g) => total(g.terms, worker, loops) < total(g.bound, worker, loops))) continue;
      order++;
      const r = row(worker, step), c = column(worker, step);
      if (r >= cells.rows || c >= cells.columns) continue;
      if (!leads.every((l) => l.value(worker, step) === l.at)) continue;
      const cell = r * cells.columns + c;
      if (cells.times[cell]!++ === 0) { cells.owner[cell] = worker; cells.order[cell] = order; }
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
