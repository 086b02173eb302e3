// A place where views are drawn one after the other: the kind may change, the selection stays.

import { h } from "../viz/dom";
import { draw, refusal } from "../viz/draw";
import type { Drawing, Host, Problem, Reply, Selection } from "../viz/drawing";
import type { View } from "../viz/types";
import type { Link } from "./link";
import type { Refused } from "./protocol";

export class Stage {
  readonly node = h("div", { class: "kw-place-of-view" });
  private drawn: Drawing<View> | null = null;
  private shown = "";
  picked: Selection = {};

  constructor(private readonly host: Host = {}) {}

  /** Draw a view; `anew` where it is no later state of the one before. */
  show(view: View, text: string, anew = false, twins: Host["twins"] = undefined): void {
    const kind = refusal(view) || view.kind;
    if (this.drawn && !anew && kind === this.shown && kind === view.kind) this.drawn.update(view);
    else {
      this.drawn?.dispose();
      this.drawn = draw(this.node, view, { ...this.host, ...(twins ? { twins } : {}), selected: (change) => this.onPick(change) }, text);
      this.shown = kind;
    }
    this.drawn.select(this.picked);
  }

  /** A view that a question has changed. */
  update(view: View): void { this.drawn?.update(view); }

  /** Show what was selected elsewhere. */
  select(change: Selection): void {
    this.picked = { ...this.picked, ...change };
    this.drawn?.select(this.picked);
  }

  dispose(): void { this.drawn?.dispose(); this.drawn = null; }

  private onPick(change: Selection): void {
    this.picked = { ...this.picked, ...change };
    this.host.selected?.(change);
    this.drawn?.select(this.picked);
  }
}

/** Questions of a drawing to the kernel, about what the request `of()` has shown; what is exported holds the selection. */
export function asker(link: Link, of: () => number, stage: () => Stage): NonNullable<Host["ask"]> {
  const last = new Map<string, number>();
  return async (type, request = {}): Promise<Reply> => {
    const number = (last.get(type) ?? 0) + 1;
    last.set(type, number);
    const { picked } = stage(), whole = type === "export" ? { ...request, selection: picked } : request;
    const found = await link.ask({ type: "ask", of: of(), what: type, request: whole });
    const late = last.get(type) !== number;
    if (found.type === "replied") {
      if (found.view && !late) stage().update(found.view);
      return { answer: found.answer, problem: null, late };
    }
    const said: Problem = { type, message: "the kernel gave no answer", hint: "", start: 0, end: 0 };
    return { answer: {}, problem: found.type === "refused" ? { ...found, type } : said, late };
  };
}

/** What is shown as one HTML file. */
export async function pageOf(link: Link, of: number, stage: Stage): Promise<string> {
  const { answer, problem } = await asker(link, () => of, () => stage)("export", { form: "page" });
  if (problem) throw new Error(problem.message);
  return String(answer["text"]);
}

/** An error as a screen: what is wrong, each fact on a line of its own, and what to do next. */
export function trouble(error: Refused, again: (() => void) | null): HTMLElement {
  return h("div", { class: "kw kw-trouble", role: "alert" },
    h("h2", {}, error.message),
    error.notes.length > 0 && h("ul", {}, ...error.notes.map((note) => h("li", {}, note))),
    error.hint !== "" && h("p", { class: "kw-next" }, error.hint),
    again && h("button", { type: "button", onclick: () => again() }, "Try again"));
}
