// What all screens share: history, refusals, questions to Python, colours.

import { describe, expect, test } from "vitest";
import tones from "../src/viz/tones.json";
import { refusal } from "../src/viz/draw";
import { History } from "../src/viz/history";
import { VERSIONS } from "../src/viz/types";
import { questions } from "../src/widgets/mount";
import type { Model } from "../src/widgets/model";

describe("history", () => {
  test("goes back and forth, and forgets what was undone before a new text", () => {
    const history = new History("a");
    for (const text of ["b", "b", "c"]) history.push(text, false, 0);
    expect([history.undo(), history.undo(), history.undo()]).toEqual(["b", "a", null]);
    expect(history.redo()).toBe("b");
    history.push("b", false, 0);
    expect(history.canRedo).toBe(true);
    history.push("d", false, 0);
    expect([history.canRedo, history.redo(), history.undo()]).toEqual([false, null, "b"]);
  });

  test("what is typed within a second is one step", () => {
    const history = new History("a");
    history.push("ab", true, 0);
    history.push("abc", true, 500);
    history.push("x", true, 2000);
    expect([history.undo(), history.undo()]).toEqual(["abc", "a"]);
  });

  test("an undone text that is typed on is a step of its own", () => {
    const history = new History("a");
    history.push("ab", true, 0);
    expect(history.undo()).toBe("a");
    history.push("ac", true, 10);
    expect(history.undo()).toBe("a");
  });
});

describe("refusal", () => {
  test("of views that are unknown, newer or older", () => {
    expect(refusal({ kind: "mapping", version: VERSIONS["mapping"] })).toBe("");
    expect(refusal({ kind: "mapping", version: 99 })).toContain("version 99, which this screen does not know");
    expect(refusal({ kind: "mapping", version: 0 })).toContain("older version (0)");
    expect(refusal({ kind: "constructor", version: 1 })).toContain("no drawing for a constructor view");
    for (const wrong of [null, 3, {}, { kind: 1, version: 1 }, { kind: "mapping" }]) expect(refusal(wrong)).toBe("This is not a view of kernel-workbench.");
  });
});

function fakeModel(): Model & { sent: Record<string, unknown>[]; answer(id: number, answer?: object): void } {
  const state: Record<string, unknown> = { answered: 0 };
  const sent: Record<string, unknown>[] = [];
  return {
    sent, get: (name) => state[name], on: () => {}, off: () => {}, save_changes: () => {},
    set: (name, value) => { state[name] = value; if (name === "ask") sent.push(value as Record<string, unknown>); },
    answer: (id, answer = {}) => Object.assign(state, { answered: id, answer, error: null }),
  };
}

describe("questions", () => {
  test("one at a time, the last of each type, and each gets its own answer", async () => {
    const model = fakeModel(), { ask, answered } = questions(model);
    const replies = [ask("compose", { text: "a" }), ask("compose", { text: "b" }), ask("equal", { text: "e" }), ask("compose", { text: "c" })];
    expect(model.sent.map((one) => one["text"])).toEqual(["a"]);
    expect((await replies[1]!).late).toBe(true);
    for (const word of ["one", "two", "three"]) {
      model.answer(model.sent.at(-1)!["id"] as number, { word });
      answered();
    }
    expect(model.sent.map((one) => one["text"])).toEqual(["a", "e", "c"]);
    const got = await Promise.all(replies);
    expect(got.map((reply) => reply.answer["word"])).toEqual(["one", undefined, "two", "three"]);
    expect(got.map((reply) => reply.late)).toEqual([true, true, false, false]);
  });

  test("what another view pushed aside is asked again", async () => {
    const model = fakeModel(), { ask, answered } = questions(model);
    const reply = ask("compose", { text: "mine" });
    model.answer(-1);
    answered();
    expect(model.sent).toHaveLength(2);
    expect(model.sent[1]).toEqual(model.sent[0]);
    model.answer(model.sent[0]!["id"] as number);
    answered();
    expect((await reply).late).toBe(false);
  });

  test("when the kernel is gone who waits hears it, and nothing more is sent until it is back", async () => {
    const model = fakeModel(), { ask, end } = questions(model);
    const waiting = [ask("compose", { text: "a" }), ask("equal", { text: "b" })];
    end(true);
    for (const reply of [...waiting, ask("compose", { text: "c" })]) expect((await reply).problem).toMatchObject({ hint: "run the cell again" });
    expect(model.sent).toHaveLength(1);
    end(false);
    void ask("compose", { text: "d" });
    expect(model.sent.map((one) => one["text"])).toEqual(["a", "d"]);
  });
});

test("tones are apart and of one form in both themes", () => {
  for (const theme of [tones.light, tones.dark]) {
    expect(theme).toHaveLength(32);
    expect(new Set(theme).size).toBe(32);
    for (const tone of theme) expect(tone).toMatch(/^#[0-9a-f]{6}$/);
  }
});
