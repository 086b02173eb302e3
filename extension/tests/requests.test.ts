import { expect, test } from "vitest";
import { requestOf, wordsOf } from "../src/viz/requests";
import type { MappingView } from "../src/viz/types";
import { VIEWS } from "./mappings";

test("the C fragment moves eight sectors a step and uses half", () => {
  const request = requestOf(VIEWS["fragment"]!, 5, 2)!;
  expect(request.warp).toBe(0);
  expect(request.lanes[5]).toBe(296);  // (9, 2) of rows of 8 floats
  expect(request.sectors).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  expect(wordsOf(request)).toMatchObject({ global: "8 sectors: moves 256 B, uses 128 B", shared: "2 passes: 2 different words of one bank" });
});

test("a row of lanes uses all of what it moves", () => {
  const row: MappingView = { ...VIEWS["strip"]!, workers: 8 };
  const request = requestOf(row, 0, 1)!;
  expect(request.lanes).toEqual([32, 36, 40, 44, 48, 52, 56, 60]);
  expect(request.sectors).toEqual([1]);
  expect(wordsOf(request)).toMatchObject({ advice: "Every byte that is moved is used.", shared: "1 pass: no two lanes want different words of one bank" });
});

test("a column of lanes meets in one bank", () => {
  const matmul = VIEWS["matmul"]!, request = requestOf(matmul, 0, 0)!;
  const words = request.lanes.map((at) => at! / 4);
  const most = Math.max(...Array.from({ length: 32 }, (_, bank) => new Set(words.filter((word) => word % 32 === bank)).size));
  expect(request.ways).toBe(most);
  expect(request.sectors.length).toBe(new Set(words.map((word) => Math.floor(word / 8))).size);
});

test("lanes without a task ask for nothing", () => {
  const request = requestOf(VIEWS["predicates"]!, 7, 0)!;
  expect(request.lanes[7]).toBeNull();
  expect(requestOf({ ...VIEWS["predicates"]!, nest: null }, 0, 0)).toBeNull();
  expect(wordsOf({ ...request, lanes: [null], sectors: [], used: 0, ways: 0 }).advice).toBe("No lane has a task at this step.");
});
