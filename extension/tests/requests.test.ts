import { expect, test } from "vitest";
import { layoutOf, type Layout } from "../src/viz/layouts";
import { requestOf, warpOf, wordsOf, type Request } from "../src/viz/requests";
import type { MappingView } from "../src/viz/types";
import { VIEWS } from "./mappings";

const asked = (view: MappingView, worker: number, step: number, bytes = 4): Request =>
  requestOf(warpOf(view, worker, step)!, layoutOf("row-major", view.shape, bytes) as Layout, bytes);

test("the C fragment moves eight sectors a step and uses half", () => {
  expect(warpOf(VIEWS["fragment"]!, 5, 2)!.warp).toBe(0);
  const request = asked(VIEWS["fragment"]!, 5, 2);
  expect(request.lanes[5]).toBe(296);  // (9, 2) of rows of 8 floats
  expect(request.sectors).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  expect(wordsOf(request)).toMatchObject({ global: "8 sectors: moves 256 B, uses 128 B", shared: "2 passes: 2 different words of one bank" });
});

test("a row of lanes uses all of what it moves", () => {
  const row: MappingView = { ...VIEWS["strip"]!, workers: 8 };
  const request = asked(row, 0, 1);
  expect(request.lanes).toEqual([32, 36, 40, 44, 48, 52, 56, 60]);
  expect(request.sectors).toEqual([1]);
  expect(wordsOf(request)).toMatchObject({ advice: "Every byte that is moved is used.", shared: "1 pass: no two lanes want different words of one bank" });
});

test("half a warp takes all banks where elements have 8 B", () => {
  const request = requestOf({ warp: 0, places: Array.from({ length: 32 }, (_, k) => [k]) }, layoutOf("row-major", [32], 8) as Layout, 8);
  expect([request.ways, request.passes]).toEqual([1, 2]);
  expect(wordsOf(request).shared).toBe("2 passes: half a warp at a time, no two lanes want different words of one bank");
});

test("lanes without a task ask for nothing", () => {
  const request = asked(VIEWS["predicates"]!, 7, 0);
  expect(request.lanes[7]).toBeNull();
  expect(warpOf({ ...VIEWS["predicates"]!, nest: null }, 0, 0)).toBeNull();
  expect(wordsOf({ ...request, lanes: [null], sectors: [], used: 0, ways: 0, passes: 0 }).advice).toBe("No lane has a task at this step.");
});
