// "equal to …?": Python says whether two mappings are the same, or where they differ first.

import { h } from "./dom";
import type { Host, Problem } from "./drawing";
import { taskText } from "./nest";

interface Verdict { same: boolean; words: string; worker: number | null; position: number | null; left: number[] | null; right: number[] | null }

export class EqualBox {
  readonly el: HTMLElement;
  readonly button: HTMLButtonElement;
  private readonly box: HTMLInputElement;
  private readonly said = h("div", { class: "kw-verdict", role: "status" });

  constructor(private readonly host: Host, private readonly go: (worker: number, step: number) => void) {
    this.box = h("input", {
      type: "text", class: "kw-expression kw-small", spellcheck: "false", autocomplete: "off", "aria-label": "Equal to which mapping",
      placeholder: "another expression, such as spatial(4, 2) * repeat(2, 2)", oninput: () => this.ask(),
    });
    this.button = h("button", { type: "button", class: "kw-quiet", "aria-expanded": "false", onclick: () => this.toggle() }, "equal to …?");
    this.el = h("div", { class: "kw-bar kw-equal", role: "group", "aria-label": "Compare" }, h("div", { class: "kw-grow" }, this.box), this.said);
    this.el.hidden = true;
    this.el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.toggle();
    });
  }

  private toggle(): void {
    this.el.hidden = !this.el.hidden;
    this.button.setAttribute("aria-expanded", String(!this.el.hidden));
    (this.el.hidden ? this.button : this.box).focus();
    this.ask();
  }

  /** Ask anew, since the text or the mapping is another. */
  async ask(): Promise<void> {
    const text = this.box.value;
    if (this.el.hidden || !this.host.ask) return;
    if (!text.trim()) { this.said.replaceChildren(); return; }
    const reply = await this.host.ask("equal", { text });
    if (!reply.late) this.show(text, reply.problem, reply.answer as unknown as Verdict);
  }

  private show(text: string, problem: Problem | null, verdict: Verdict): void {
    this.box.classList.toggle("kw-wrong", problem !== null);
    this.box.setAttribute("aria-invalid", String(problem !== null));
    if (problem) { this.said.replaceChildren(h("div", { class: "kw-error" }, ...errorOf(text, problem))); return; }
    const { same, words, worker, position, left, right } = verdict;
    const task = (place: number[] | null) => (place ? taskText(place) : "no further task");
    const word = h("b", { class: same ? "kw-good" : "kw-warn" }, same ? "equal" : "different");
    if (worker === null || position === null) {
      this.said.replaceChildren(word, h("span", {}, words));
      return;
    }
    this.said.replaceChildren(word,
      h("span", {}, "first at worker ", h("b", {}, String(worker)), ", step ", h("b", {}, String(position)), ": ", h("code", {}, task(left)), " here, ", h("code", {}, task(right)), " there"),
      h("button", { type: "button", onclick: () => this.go(worker, position) }, "show"));
  }
}

/** Message, the place in the text, and what to do. */
export function errorOf(text: string, error: Problem): HTMLElement[] {
  const place = error.end > error.start && error.start < text.length
    ? h("code", { class: "kw-place" }, cut(text.slice(0, error.start), -60), h("mark", {}, text.slice(error.start, error.end)), cut(text.slice(error.end), 40))
    : null;
  return [h("span", {}, error.message), ...(place ? [place] : []), ...(error.hint ? [h("span", { class: "kw-soft" }, error.hint)] : [])];
}

/** The text, or its first (last, where `room` is negative) characters and an ellipsis. */
function cut(text: string, room: number): string {
  if (text.length <= Math.abs(room)) return text;
  return room < 0 ? `…${text.slice(room)}` : `${text.slice(0, room)}…`;
}
