import { describe, expect, it } from "vitest";
import { madeBy } from "../src/viz/passes-why";

const use = (rule: string, before: string, after: string) => ({ rule, said: "", before, after });
const division = use("division", "t // 16", "t tdiv 16"), sum = use("sum", "r * 4 + t tdiv 16", "t tdiv 16 + r * 4"), guard = use("guard", "if t < 4", "its body");

describe("which rule made a word", () => {
  it("is the one that brought it in", () => expect(madeBy([sum, division, guard], "tdiv", false)).toEqual([division]));
  it("is the one that took it away", () => {
    expect(madeBy([sum, division], "//", true)).toEqual([division]);
    expect(madeBy([division, guard], "if", true)).toEqual([guard]);
  });
  it("else those that have it, else all", () => {
    expect(madeBy([sum, guard], "r", false)).toEqual([sum]);
    expect(madeBy([sum, guard], "zebra", false)).toEqual([sum, guard]);
  });
});
