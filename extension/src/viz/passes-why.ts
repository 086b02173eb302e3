// "Which rule made this?": what is said of a changed word under the pointer or the caret.

import { h } from "./dom";
import type { DiffRow, RuleUse, StepView } from "./types";

const HINT = "Point at a changed word, or walk with the arrow keys: which rule made it";
const MOST = 6;

export interface Why {
  node: HTMLElement;
  /** Nothing is pointed at; `changed` says whether there is anything to point at. */
  rest(changed: boolean): void;
  /** Say which rules made a row, and of these the ones that made the word. */
  say(step: StepView, row: DiffRow, word: string): void;
}

export function whyLine(): Why {
  const node = h("div", { class: "kw-why-said", role: "status" });
  const arrow = (use: RuleUse): HTMLElement => h("div", { class: "kw-why-use" },
    h("b", {}, use.rule), " ", h("code", {}, use.before), " → ", h("code", {}, use.after), " ", h("span", { class: "kw-soft" }, use.said));
  return {
    node,
    rest: (changed) => { node.hidden = !changed; node.replaceChildren(h("span", { class: "kw-soft" }, HINT)); },
    say: (step, row, word) => {
      const all = row.rules.map((k) => step.rules[k]).filter((use): use is RuleUse => use !== undefined);
      const uses = word ? madeBy(all, word, row.kind === "gone") : all;
      const name = step.name, lone = step.rules.length ? "which of its rules cannot be told from outside" : step.title;
      node.replaceChildren(
        h("div", {}, h("span", { class: "kw-soft" }, row.kind === "gone" ? "taken away by " : "made by "), h("b", {}, name), " ", word && h("code", {}, word), !uses.length && h("span", { class: "kw-soft" }, ` ${lone}`)),
        ...uses.slice(0, MOST).map(arrow),
        ...(uses.length > MOST ? [h("div", { class: "kw-soft" }, `… ${uses.length - MOST} more rules`)] : []));
    },
  };
}

/** The rules that brought a word in, or took it away; where none did by itself, those that have it; else all. */
export function madeBy(uses: RuleUse[], word: string, gone: boolean): RuleUse[] {
  const words = word.match(/\w+|[^\w\s]+/g) ?? [];
  const has = (text: string): boolean => { const own = new Set(text.match(/\w+|[^\w\s]+/g)); return words.some((each) => own.has(each)); };
  const here = (use: RuleUse): boolean => has(gone ? use.before : use.after), there = (use: RuleUse): boolean => has(gone ? use.after : use.before);
  const made = uses.filter((use) => here(use) && !there(use)), having = uses.filter(here);
  return made.length ? made : having.length ? having : uses;
}
