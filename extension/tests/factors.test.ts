import { describe, expect, test } from "vitest";
import {
  divisors, expression, extentsOf, made, merged, moved, plain, reordered, replaced, split, swapped, textOf, without, type Factor,
} from "../src/viz/factors";
import { dice, factorsOf, meaning, VIEWS } from "./mappings";

function random(roll: (below: number) => number, rank: number): Factor {
  const order = Array.from({ length: rank }, (_, dim) => dim);
  for (let k = rank - 1; k > 0; k--) { const j = roll(k + 1); [order[k], order[j]] = [order[j]!, order[k]!]; }
  const shape = Array.from({ length: rank }, () => [1, 2, 3, 4, 6][roll(5)]!);
  return made({ name: roll(2) ? "repeat" : "spatial", shape, order, attrs: shape.map(() => "") });
}

describe("text", () => {
  test.each(["fragment", "matmul", "rank3", "strip"])("of the factors of %s is what Python wrote", (name) => {
    const view = VIEWS[name]!;
    expect(expression(factorsOf(view))).toBe(view.text);
    expect(factorsOf(view).map(textOf)).toEqual(view.factors.map((f) => f.text));
  });

  test("of order and attributes", () => {
    const base = { name: "repeat", shape: [2, 3, 4], attrs: ["", "", ""] };
    expect(textOf({ ...base, order: [2, 1, 0] })).toBe("column_repeat(2, 3, 4)");
    expect(textOf({ ...base, order: [1, 2, 0] })).toBe("repeat(2, 3, 4, ranks=[2, 0, 1])");
    expect(textOf({ ...base, order: [0, 1, 2], attrs: ['"unroll"', "", "4"] })).toBe('repeat(2, 3, 4, attrs=["unroll", None, 4])');
    expect(textOf({ ...base, order: [0, 1, 2], attrs: ["4", "4", "4"] })).toBe("repeat(2, 3, 4, attrs=4)");
    expect(textOf({ name: "spatial", shape: [8], order: [0], attrs: [""] })).toBe("spatial(8)");
  });

  test("of what is no grid is kept", () => {
    const view = VIEWS["projection"]!;
    expect(expression(moved(factorsOf(view), 0, 1))).toBe(view.text);
  });
});

test("to split a factor keeps the mapping", () => {
  const roll = dice(1);
  let splits = 0;
  for (let round = 0; round < 120; round++) {
    const factor = random(roll, 1 + roll(3)), before = meaning([factor]);
    factor.shape.forEach((extent, dim) => divisors(extent).forEach((outer) => {
      const parts = split(factor, dim, outer);
      expect(meaning(parts), `${factor.text} dim ${dim} by ${outer}`).toBe(before);
      splits++;
    }));
  }
  expect(splits).toBeGreaterThan(80);
});

test("to merge two factors keeps the mapping, and is refused only where no single factor is the same", () => {
  const roll = dice(2);
  let merges = 0, refusals = 0;
  for (let round = 0; round < 400; round++) {
    const rank = 1 + roll(2), outer = random(roll, rank), inner = random(roll, rank), both = merged(outer, inner);
    const before = meaning([outer, inner]);
    if (typeof both !== "string") {
      expect(meaning([both]), `${outer.text} * ${inner.text}`).toBe(before);
      merges++;
      continue;
    }
    refusals++;
    const shape = outer.shape.map((x, dim) => x * inner.shape[dim]!);
    const orders = rank === 1 ? [[0]] : [[0, 1], [1, 0]];
    const all = ["repeat", "spatial"].flatMap((name) => orders.map((order) => made({ name, shape, order, attrs: shape.map(() => "") })));
    // A factor of one task is a repeat as well as a spatial; the word on the chip is what counts there.
    const trivial = [outer, inner].some((f) => f.shape.every((x) => x === 1));
    if (!trivial) expect(all.map((one) => meaning([one])), `${outer.text} * ${inner.text}`).not.toContain(before);
  }
  expect(merges).toBeGreaterThan(50);
  expect(refusals).toBeGreaterThan(50);
});

test("what cannot be merged says why", () => {
  expect(merged(plain("spatial", [2, 2]), plain("spatial", [2, 2]))).toBe("no single spatial goes through dim 0 in this order");
  expect(merged(plain("repeat", [2]), plain("spatial", [2]))).toBe("a repeat and a spatial cannot be one factor");
  expect(merged(factorsOf(VIEWS["predicates"]!)[0]!, plain("spatial", [1, 1]))).toBe("only repeat and spatial can be merged");
  const unrolled = made({ name: "repeat", shape: [4], order: [0], attrs: ['"unroll"'] });
  expect(merged(unrolled, plain("repeat", [2]))).toBe("their loops have different attributes");
  expect(merged(unrolled, unrolled)).toMatchObject({ text: 'repeat(16, attrs="unroll")' });
});

test("split, then merged, is the factor again", () => {
  const factor = plain("spatial", [16, 8]);
  for (const [dim, outer] of [[0, 4], [1, 2]] as const) expect(merged(...split(factor, dim, outer))).toMatchObject({ text: factor.text });
});

test("factors are moved, replaced, taken out, turned", () => {
  const [a, b, c] = [plain("repeat", [2, 1]), plain("spatial", [8, 4]), plain("repeat", [1, 2])];
  expect(expression(moved([a, b, c], 0, 3))).toBe("spatial(8, 4) * repeat(1, 2) * repeat(2, 1)");
  expect(expression(moved([a, b, c], 2, 0))).toBe("repeat(1, 2) * repeat(2, 1) * spatial(8, 4)");
  expect(expression(moved([a, b, c], 1, 2))).toBe(expression([a, b, c]));
  expect(expression(without([a, b, c], 1))).toBe("repeat(2, 1) * repeat(1, 2)");
  expect(expression(replaced([a, b, c], 0, 2, c))).toBe("repeat(1, 2) * repeat(1, 2)");
  expect(swapped(b).text).toBe("repeat(8, 4)");
  expect(reordered(b).text).toBe("column_spatial(8, 4)");
  expect(swapped(made({ ...a, attrs: ["4", ""] })).text).toBe("spatial(2, 1)");
});

test("extents are read as a person writes them", () => {
  expect(extentsOf("16 × 8", 2)).toEqual([16, 8]);
  expect(extentsOf(" 16,8 ", 2)).toEqual([16, 8]);
  expect(extentsOf("16x8*2", 3)).toEqual([16, 8, 2]);
  for (const wrong of ["", "16", "0 × 8", "2.5, 8", "a, 8", "-1 × 8", "16 × 8 × 2"]) expect(extentsOf(wrong, 2), wrong).toBeNull();
});

test("divisors", () => {
  expect(divisors(12)).toEqual([2, 3, 4, 6]);
  expect(divisors(64)).toEqual([2, 4, 8, 16, 32]);
  expect(divisors(7)).toEqual([]);
  expect(divisors(1)).toEqual([]);
});
