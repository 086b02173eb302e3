import { describe, expect, test } from "vitest";
import { cellsOf, filled, NOBODY, stepsOf, tasksOf } from "../src/viz/nest";
import type { MappingView, NestView, TermView } from "../src/viz/types";
import { factorsOf, tasks, VIEWS } from "./mappings";

const term = (coef: number, source: number, div = 1, mod: number | null = null): TermView =>
  ({ coef, source, div, mod, table: [], position: [], constant: false });

/** First worker and order of each cell, from the tasks alone. */
function byTasks(view: MappingView, lead: number[]): Map<string, [number, number]> {
  const first = new Map<string, [number, number]>();
  for (let worker = 0; worker < view.workers; worker++)
    for (const { place, order } of tasksOf(view.nest!, worker, 1e6).tasks) {
      const at = (place.length > 1 ? place.slice(-2) : [0, ...place]).join();
      if (lead.every((x, dim) => place[dim] === x) && !first.has(at)) first.set(at, [worker, order]);
    }
  return first;
}

describe.each(Object.keys(VIEWS))("%s", (name) => {
  const view = VIEWS[name]!;

  test("cells name the worker that does them, whole or in part", () => {
    const lead = view.shape.slice(0, -2).map((extent) => extent - 1), first = byTasks(view, lead);
    const [rows, columns] = view.shape.length > 1 ? view.shape.slice(-2) as [number, number] : [1, view.shape[0]!];
    for (const origin of [[0, 0], [Math.min(3, rows - 1), Math.min(5, columns - 1)]] as [number, number][]) {
      const cells = cellsOf(view.nest!, view.shape, view.workers, { lead, origin, most: [1024, 1024] });
      expect([cells.rows, cells.columns]).toEqual([rows - origin[0], columns - origin[1]]);
      for (let r = 0; r < cells.rows; r++) for (let c = 0; c < cells.columns; c++) {
        const at = r * cells.columns + c;
        expect([cells.owner[at], cells.order[at]], `${r}, ${c}`).toEqual(first.get(`${r + origin[0]},${c + origin[1]}`) ?? [NOBODY, NOBODY]);
      }
    }
  });

  test("tasks from the middle are those of the whole list", () => {
    for (const worker of [0, view.workers - 1]) {
      const all = tasksOf(view.nest!, worker, 1e6).tasks;
      for (const from of [0, 1, all.length - 1]) {
        const found = tasksOf(view.nest!, worker, 3, Math.max(0, from));
        expect(found.tasks).toEqual(all.slice(Math.max(0, from), Math.max(0, from) + 3));
      }
    }
  });
});

test.each(["fragment", "matmul", "rank3", "strip"])("tasks of %s are those of its factors", (name) => {
  const view = VIEWS[name]!;
  for (let worker = 0; worker < view.workers; worker += 7)
    expect(tasksOf(view.nest!, worker, 1e6).tasks.map((task) => task.place)).toEqual(tasks(factorsOf(view), worker));
});

test("ten million tasks: any window at once, nothing left out", () => {
  // repeat(64, 64) * spatial(64, 40)
  const nest: NestView = {
    loops: [{ name: "r0", extent: 64, attr: "" }, { name: "r1", extent: 64, attr: "" }], dims: ["i", "j"],
    index: [[term(64, 0), term(1, -1, 40)], [term(40, 1), term(1, -1, 1, 40)]], guards: [],
  };
  const before = performance.now();
  const cells = cellsOf(nest, [4096, 2560], 2560, { lead: [], origin: [3000, 1500], most: [1024, 1024] });
  expect(performance.now() - before).toBeLessThan(1000);
  expect(cells.leftOut).toEqual([]);
  for (const [r, c] of [[0, 0], [100, 7], [1023, 1023]] as const) {
    const i = 3000 + r, j = 1500 + c, at = r * cells.columns + c;
    expect(cells.owner[at]).toBe(i % 64 * 40 + j % 40);
    expect(cells.order[at]).toBe(Math.floor(i / 64) * 64 + Math.floor(j / 40));
  }
  expect(tasksOf(nest, 41, 2, 4000).tasks.map((task) => task.place)).toEqual([[62 * 64 + 1, 32 * 40 + 1], [62 * 64 + 1, 33 * 40 + 1]]);
});

test("digits that overlap or leave a gap are not turned round", () => {
  const one = (index: TermView[][]): NestView => ({ loops: [], dims: ["i", "j"], index, guards: [] });
  // i = w % 4, j = w // 2 % 4 of 16 workers: as many digits as workers, yet no cell is done by all.
  const overlapping = one([[term(1, -1, 1, 4)], [term(1, -1, 2, 4)]]);
  const cells = cellsOf(overlapping, [4, 4], 16, { lead: [], origin: [0, 0], most: [9, 9] });
  expect([...cells.owner].filter((worker) => worker === NOBODY)).toHaveLength(8);
  // Of 4 workers 2 have tasks of their own: the first of those that share one is named.
  const idle = one([[term(1, -1, 2)], []]);
  expect([...cellsOf(idle, [2, 1], 4, { lead: [], origin: [0, 0], most: [9, 9] }).owner]).toEqual([0, 2]);
});

test("what would take too long is said and not begun", () => {
  const loops = [{ name: "r", extent: 2 ** 22, attr: "" }];
  const guarded: NestView = { loops, dims: ["i"], index: [[term(1, 0)]], guards: [{ terms: [term(1, 0)], bound: [{ ...term(0, -1), constant: true }] }] };
  expect(cellsOf(guarded, [2 ** 22], 1, { lead: [], origin: [0, 0], most: [1, 64] }).leftOut).toEqual(["one worker alone has up to 4194304 tasks"]);
  const found = tasksOf(guarded, 0, 8);
  expect(found).toEqual({ tasks: [], more: true });
  expect(stepsOf(guarded)).toBe(2 ** 22);
});

test("numbers stand in place of names", () => {
  const view = VIEWS["fragment"]!;
  expect(filled(view.nest!.index[0]!, 5, [1, 0])).toBe("1*8 + 5//4");
  expect(filled(view.nest!.index[1]!, 5, [1, 0])).toBe("0 + (5%4)*2");
});
