// The factors of a mapping as a row of chips: dragged, split, merged, turned, by pointer or keyboard.
// Each change is the text of a whole expression, handed on; the chips follow the view that comes back.

import { h } from "./dom";
import {
  divisors, expression, extentsOf, factorOf, isGrid, merged, moved, orderOf, plain, reordered, replaced, resized, split, swapped, textOf, without,
  type Factor,
} from "./factors";
import type { MappingView } from "./types";

/** Stands for the factor that is not there yet. */
const NEW = Number.MAX_SAFE_INTEGER;

/** Hand an expression on, until it is answered; null where nobody can read it. */
export type Compose = ((text: string) => Promise<void>) | null;

export class Chips {
  readonly el = h("div", { class: "kw-chips", role: "toolbar", "aria-label": "Factors" });
  readonly editor = h("div", { class: "kw-bar kw-editor", role: "group" });
  private factors: Factor[] = [];
  private editable = false;
  private current = 0;
  /** The chip whose editor is open; NEW for one to add; -1 for none. */
  private open = -1;
  private rank = 1;
  /** Changes that Python has not answered; the chips show them already, so that the next adds to them. */
  private waiting = 0;
  private latest: MappingView | null = null;

  constructor(private readonly compose: Compose) {
    this.editor.hidden = true;
    this.el.addEventListener("keydown", (event) => this.onKey(event));
    this.editor.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.show(-1);
    });
  }

  update(view: MappingView): void {
    this.latest = view;
    if (!this.waiting) this.accept(view);
  }

  private accept(view: MappingView): void {
    const next = view.factors.map(factorOf), editable = view.editable && this.compose !== null;
    const same = expression(next) === expression(this.factors) && editable === this.editable;
    this.factors = next;
    this.rank = view.shape.length;
    this.editable = editable;
    // What is being typed into the editor stays, where nothing else came.
    if (!same) this.draw();
  }

  private draw(): void {
    if ((this.open !== NEW && this.open >= this.factors.length) || !this.editable) this.open = -1;
    this.current = Math.max(0, Math.min(this.current, this.factors.length - 1));
    const inRow = this.el.contains(document.activeElement), named = this.focusedName();
    const onAdd = inRow && document.activeElement!.classList.contains("kw-add");
    const chips = this.factors.flatMap((factor, k) => [k ? h("span", { class: "kw-times", "aria-hidden": true }, "*") : null, this.chip(factor, k)]);
    const add = this.editable && h("button", {
      type: "button", class: "kw-add", tabindex: "-1", "aria-expanded": String(this.open === NEW), onclick: () => this.show(NEW),
    }, "+ factor");
    this.el.replaceChildren(...chips.filter((chip) => chip !== null), add || "");
    if (this.open >= 0) this.edit();
    else this.editor.replaceChildren();
    this.editor.hidden = this.open < 0;
    if (inRow) this.button(onAdd ? this.factors.length : this.current)?.focus();
    else if (named) (this.editor.querySelector<HTMLElement>(`[data-do="${named}"]`) ?? this.button(this.current))?.focus();
  }

  private focusedName(): string {
    const focused = document.activeElement as HTMLElement | null;
    return focused && this.editor.contains(focused) ? focused.dataset["do"] ?? "" : "";
  }

  private chip(factor: Factor, k: number): HTMLElement {
    const grid = isGrid(factor), order = grid ? orderOf(factor) : "row";
    const words = grid
      ? [h("b", { class: `kw-kind kw-${factor.name}` }, factor.name), ` ${factor.shape.join(" × ")}`, order !== "row" && h("small", {}, order === "column" ? " column" : " ranks"), factor.attrs.some((a) => a) && h("small", {}, " attrs")]
      : [factor.text.length > 44 ? `${factor.text.slice(0, 43)}…` : factor.text];
    if (!this.editable) return h("span", { class: "kw-chip" }, ...words);
    return h("button", {
      type: "button", class: "kw-chip", "data-chip": k, tabindex: k === this.current ? "0" : "-1", title: factor.text,
      "aria-label": `Factor ${k + 1} of ${this.factors.length}: ${factor.text}`, "aria-expanded": String(this.open === k),
      "aria-keyshortcuts": "Enter Delete Alt+ArrowLeft Alt+ArrowRight",
      onclick: () => { this.current = k; this.show(this.open === k ? -1 : k); },
      onpointerdown: (event: PointerEvent) => this.drag(event, k),
    }, h("span", { class: "kw-grip", "aria-hidden": true }), ...words);
  }

  private button(k: number): HTMLElement | null {
    return this.el.querySelectorAll<HTMLElement>("button")[k] ?? null;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || !this.editable) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const row = [...this.el.querySelectorAll<HTMLElement>("button")], at = row.indexOf(event.target as HTMLElement);
    if (at < 0) return;
    const onChip = at < this.factors.length;
    if (by && (event.altKey || event.shiftKey)) { if (onChip) this.move(at, at + by); }
    else if (event.altKey) return;
    else if (by) this.focus(Math.min(row.length - 1, Math.max(0, at + by)));
    else if (event.key === "Home") this.focus(0);
    else if (event.key === "End") this.focus(row.length - 1);
    else if (event.key === "Delete" || event.key === "Backspace") { if (onChip) this.remove(at); }
    else if (event.key === "Escape" && this.open >= 0) this.show(-1);
    else if (event.key === "Enter" || event.key === " ") { event.stopPropagation(); return; }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private focus(k: number): void {
    this.current = Math.min(k, this.factors.length - 1);
    this.el.querySelectorAll<HTMLElement>("button").forEach((button, n) => { button.tabIndex = n === k ? 0 : -1; });
    this.button(k)?.focus();
  }

  private show(k: number): void {
    const before = this.open;
    this.open = k;
    this.draw();
    if (k >= 0) this.editor.querySelector<HTMLElement>("[data-do]")?.focus();
    else if (before >= 0) this.focus(Math.min(before, this.factors.length));
  }

  private change(factors: Factor[]): void {
    if (!factors.length || !this.compose) return;
    this.factors = factors;
    this.waiting++;
    this.draw();
    void this.compose(expression(factors)).then(() => {
      this.waiting--;
      // A change that was refused is taken back.
      if (!this.waiting && this.latest) this.accept(this.latest);
    });
  }

  private move(from: number, to: number): void {
    if (to < 0 || to >= this.factors.length) return;
    this.current = to;
    if (this.open === from) this.open = to;
    this.change(moved(this.factors, from, to > from ? to + 1 : to));
  }

  private remove(k: number): void {
    if (this.factors.length < 2) return;
    this.current = Math.max(0, k - 1);
    if (this.open === k) { this.open = -1; this.draw(); this.focus(this.current); }
    else if (this.open > k && this.open !== NEW) this.open--;
    this.change(without(this.factors, k));
  }

  /** Drag a chip along the row; a bar shows where it would go. */
  private drag(event: PointerEvent, from: number): void {
    if (event.button !== 0) return;
    const chip = event.currentTarget as HTMLElement, x0 = event.clientX, y0 = event.clientY;
    let to = -1;
    const targets = [...this.el.querySelectorAll<HTMLElement>("[data-chip]")];
    const onMove = (at: PointerEvent): void => {
      if (to < 0 && Math.hypot(at.clientX - x0, at.clientY - y0) < 5) return;
      chip.classList.add("kw-dragged");
      to = targets.findIndex((target) => {
        const box = target.getBoundingClientRect();
        return at.clientY < box.top ? true : at.clientY <= box.bottom && at.clientX < box.left + box.width / 2;
      });
      if (to < 0) to = targets.length;
      targets.forEach((target, k) => {
        target.classList.toggle("kw-before", k === to);
        target.classList.toggle("kw-after", to === targets.length && k === targets.length - 1);
      });
    };
    const end = (drop: boolean): void => {
      removeEventListener("pointermove", onMove);
      removeEventListener("pointerup", onUp);
      removeEventListener("pointercancel", onCancel);
      removeEventListener("keydown", onEscape, true);
      targets.forEach((target) => target.classList.remove("kw-before", "kw-after", "kw-dragged"));
      if (to < 0) return;
      // A click follows the drop, and would open the editor.
      chip.addEventListener("click", (click) => click.stopImmediatePropagation(), { capture: true, once: true });
      setTimeout(() => this.draw(), 0);
      if (drop && to !== from && to !== from + 1) { this.current = to > from ? to - 1 : to; this.change(moved(this.factors, from, to)); }
    };
    const onUp = (): void => end(true), onCancel = (): void => end(false);
    const onEscape = (key: KeyboardEvent): void => { if (key.key === "Escape") { key.stopPropagation(); end(false); } };
    addEventListener("pointermove", onMove);
    addEventListener("pointerup", onUp);
    addEventListener("pointercancel", onCancel);
    addEventListener("keydown", onEscape, true);
  }

  private edit(): void {
    const k = this.open, factor = this.factors[k];
    this.editor.setAttribute("aria-label", factor ? `Change factor ${k + 1}` : "New factor");
    this.editor.replaceChildren(...(factor ? this.editing(factor, k) : this.adding()),
      h("button", { type: "button", class: "kw-quiet", "data-do": "close", "aria-label": "Close", onclick: () => this.show(-1) }, "✕"));
  }

  private editing(factor: Factor, k: number): (Node | string)[] {
    const put = (...by: Factor[]) => this.change(replaced(this.factors, k, 1, ...by));
    const parts: (Node | string)[] = [];
    if (isGrid(factor)) {
      parts.push(
        select("kind", "Kind", [["repeat", "repeat"], ["spatial", "spatial"]], factor.name, () => put(swapped(factor))),
        field("extents", "Extents", factor.shape.join(" × "), 4 + 4 * this.rank, (text) => {
          const shape = extentsOf(text, this.rank);
          if (shape) put(resized(factor, shape));
          return shape ? "" : `${this.rank} whole ${this.rank === 1 ? "number" : "numbers"} of 1 or more`;
        }));
      if (this.rank > 1) {
        const order = orderOf(factor);
        const ways: [string, string][] = [["row", "row-major"], ["column", "column-major"]];
        if (order === "other") ways.push(["other", textOf(factor).match(/ranks=\[[^\]]*\]/)?.[0] ?? "other"]);
        parts.push(select("order", "Order", ways, order, (chosen) => put(chosen === "other" ? factor : reordered(straighten(factor, chosen)))));
      }
      parts.push(this.splitting(factor, k));
    } else parts.push(h("code", {}, factor.text));
    const next = this.factors[k + 1], both = next ? merged(factor, next) : "there is no factor after it";
    parts.push(
      button("merge", "merge with next", typeof both === "string" ? both : `= ${both.text}`, typeof both === "string", () => {
        if (typeof both !== "string") this.change(replaced(this.factors, k, 2, both));
      }),
      button("left", "◀", "Move left", k === 0, () => this.move(k, k - 1)),
      button("right", "▶", "Move right", k === this.factors.length - 1, () => this.move(k, k + 1)),
      button("remove", "remove", this.factors.length < 2 ? "a mapping has at least one factor" : "Remove", this.factors.length < 2, () => this.remove(k)));
    return parts;
  }

  /** `64 → 16 × 4 along i`: the dim, and the part that goes to the first of the two. */
  private splitting(factor: Factor, k: number): Node {
    const ways = factor.shape.flatMap((extent, dim) => divisors(extent).map((outer): [string, string] =>
      [`${dim} ${outer}`, `${this.rank > 1 ? `dim ${dim}: ` : ""}${extent} → ${outer} × ${extent / outer}`]));
    const box = select("split", "Split", [["", "split …"], ...ways], "", (chosen) => {
      const [dim, outer] = chosen.split(" ").map(Number);
      if (chosen) this.change(replaced(this.factors, k, 1, ...split(factor, dim!, outer!)));
    });
    const list = box.querySelector("select")!;
    list.disabled = !ways.length;
    if (!ways.length) list.title = "no extent is a product";
    return box;
  }

  private adding(): Node[] {
    const ones = Array.from({ length: this.rank }, (_, dim) => (dim ? 1 : 2)).join(" × ");
    const kind = select("kind", "Kind", [["repeat", "repeat"], ["spatial", "spatial"]], "repeat", () => {});
    const add = (text: string): string => {
      const shape = extentsOf(text, this.rank);
      if (!shape) return `${this.rank} whole ${this.rank === 1 ? "number" : "numbers"} of 1 or more`;
      this.show(-1);
      this.change([...this.factors, plain(kind.querySelector("select")!.value, shape)]);
      return "";
    };
    const extents = field("extents", "Extents", ones, 4 + 4 * this.rank, add, false);
    return [kind, extents, button("add", "add at the end", "Add", false, () => extents.querySelector("input")!.dispatchEvent(new Event("kw-commit")))];
  }
}

/** The factor so that turning it round gives the chosen order. */
function straighten(factor: Factor, chosen: string): Factor {
  const order = factor.shape.map((_, dim) => dim);
  return { ...factor, order: chosen === "row" ? order.reverse() : order };
}

function select(name: string, label: string, ways: [string, string][], value: string, chosen: (value: string) => void): HTMLElement {
  const box = h("select", { "aria-label": label, "data-do": name, onchange: () => chosen(box.value) },
    ...ways.map(([key, words]) => h("option", { value: key, selected: key === value }, words)));
  return h("span", {}, box);
}

/** A text box that hands on at Enter or when it is left; what comes back is said as its fault. */
function field(name: string, label: string, value: string, width: number, commit: (text: string) => string, onLeave = true): HTMLElement {
  const fault = h("span", { class: "kw-bad", role: "alert" });
  let last = value;
  const hand = (): void => {
    if (onLeave && box.value === last) return;
    last = box.value;
    fault.textContent = commit(box.value);
    box.setAttribute("aria-invalid", String(fault.textContent !== ""));
  };
  const box: HTMLInputElement = h("input", {
    type: "text", "aria-label": label, "data-do": name, value, style: `width:${width}ch`, spellcheck: "false",
    onkeydown: (event: KeyboardEvent) => { if (event.key === "Enter") { event.preventDefault(); hand(); } },
    onchange: () => { if (onLeave) hand(); },
  });
  box.addEventListener("kw-commit", hand);
  return h("span", { class: "kw-field" }, box, fault);
}

function button(name: string, words: string, title: string, disabled: boolean, act: () => void): HTMLElement {
  // Disabled ones stay reachable, so that their reason can be read.
  return h("button", {
    type: "button", "data-do": name, title, "aria-disabled": disabled && "true", "aria-label": words.length < 2 ? title : disabled ? `${words}: ${title}` : false,
    onclick: () => { if (!disabled) act(); },
  }, words);
}
