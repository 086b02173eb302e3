// A place where views are drawn one after the other: the kind may change, the selection stays.

import { h } from "../viz/dom";
import { draw, type Drawn, type Host, type Selection } from "./draw";
import type { AnyView, Refused } from "./protocol";

export class Stage {
  readonly node = h("div", { class: "kw-place-of-view" });
  private drawn: Drawn | null = null;
  private shown = "";
  private selection: Selection = {};

  constructor(private readonly host: Host = {}) {}

  show(view: AnyView, text: string): void {
    const kind = `${view.kind} ${view.version}`;
    if (this.drawn && kind === this.shown) this.drawn.update(view, text);
    else {
      this.drawn?.dispose();
      this.drawn = draw(this.node, view, text, { ...this.host, selected: (selection) => this.keep(selection) });
      this.shown = kind;
    }
    if (Object.keys(this.selection).length) this.drawn.select(this.selection);
  }

  /** Show what was selected elsewhere. */
  select(selection: Selection): void {
    this.selection = { ...this.selection, ...selection };
    this.drawn?.select(this.selection);
  }

  /** An error that concerns a part of what is drawn, such as the text of a mapping. */
  fail(error: { message: string; hint: string; start: number; end: number } | null): void {
    const drawing = this.drawn as (Drawn & { fail?(error: unknown): void }) | null;
    drawing?.fail?.(error);
  }

  dispose(): void { this.drawn?.dispose(); this.drawn = null; }

  private keep(selection: Selection): void {
    this.selection = { ...this.selection, ...selection };
    this.host.selected?.(this.selection);
  }
}

/** An error as a screen: what is wrong, each fact on a line of its own, and what to do next. */
export function trouble(error: Refused, again: (() => void) | null): HTMLElement {
  return h("div", { class: "kw kw-trouble", role: "alert" },
    h("h2", {}, error.message),
    error.notes.length > 0 && h("ul", {}, ...error.notes.map((note) => h("li", {}, note))),
    error.hint !== "" && h("p", { class: "kw-next" }, error.hint),
    again && h("button", { type: "button", onclick: () => again() }, "Try again"));
}
