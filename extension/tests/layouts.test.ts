// Layouts and requests are evaluated here as Python evaluates them: it wrote down what is right.

import { describe, expect, test } from "vitest";
import { FORMS, addressOf, layoutOf, type Form, type Layout } from "../src/viz/layouts";
import { requestOf, warpOf } from "../src/viz/requests";
import python from "../../tests/view/golden/layouts.json";
import { VIEWS } from "./mappings";

const found = (form: Form, shape: number[], bytes: number): Layout => {
  const layout = layoutOf(form, shape, bytes);
  if (typeof layout === "string") throw new Error(layout);
  return layout;
};

describe("Python's own numbers", () => {
  test.each(python)("$text of $bytes B", ({ of, form, bytes, text, addresses, asked }) => {
    const view = VIEWS[of]!, layout = found(form as Form, view.shape, bytes);
    expect(layout.text).toBe(text);
    const size = view.shape.reduce((a, b) => a * b), every = size <= 256 ? 1 : 101;
    const places = Array.from({ length: Math.ceil(size / every) }, (_, k) => placeOf(k * every, view.shape));
    expect(places.map((place) => addressOf(layout, place))).toEqual(addresses);
    for (const [worker, step, sectors, used, passes] of asked) {
      const request = requestOf(warpOf(view, worker!, step!)!, layout, bytes);
      expect([request.sectors.length, request.used, request.passes], `worker ${worker}, step ${step}`).toEqual([sectors, used, passes]);
    }
  });
});

test("every form is there", () => {
  expect(new Set(python.map(({ form }) => form))).toEqual(new Set(FORMS));
});

test("shapes that a layout is not for are told why", () => {
  expect(layoutOf("XOR-swizzled", [5, 7], 4)).toBe("rows of 7 elements are no power of two");
  expect(layoutOf("XOR-swizzled", [5, 4], 1)).toBe("rows of 4 × 1 B are one word or less");
  expect(layoutOf("XOR-swizzled", [2, 2 ** 31], 4)).toBe("rows are too long");
  expect(layoutOf("padded by one", [5], 4)).toBe("one dim has no rows");
});

test("an address beyond 32 bits keeps all its bits", () => {
  const layout = found("XOR-swizzled", [2 ** 30, 2 ** 10], 4);
  expect(layout.text).toBe("row_major(1073741824, 1024).swizzle(5, 0, 10)");
  expect(addressOf(layout, [2 ** 29 + 3, 5])).toBe((2 ** 29 + 3) * 1024 + (5 ^ 3));
});

test("hits of a column: each bank's words wait for one another", () => {
  const view = VIEWS["matmul"]!, warp = { warp: 0, places: Array.from({ length: 32 }, (_, row) => [row, 0]) };
  const plain = requestOf(warp, found("row-major", view.shape, 4), 4), cured = requestOf(warp, found("XOR-swizzled", view.shape, 4), 4);
  expect(plain.hits.map(({ bank, turn }) => [bank, turn])).toEqual(Array.from({ length: 32 }, (_, k) => [0, k]));
  expect(cured.hits.map(({ turn }) => turn)).toEqual(new Array(32).fill(0));
  expect(new Set(cured.hits.map(({ bank }) => bank)).size).toBe(32);
});

function placeOf(flat: number, shape: number[]): number[] {
  return shape.map((extent, dim) => Math.floor(flat / shape.slice(dim + 1).reduce((a, b) => a * b, 1)) % extent);
}
