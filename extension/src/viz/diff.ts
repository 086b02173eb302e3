// Two texts compared line by line: a sign and a shade say which is which.

import { paint } from "./code";
import { h } from "./dom";
import type { DiffView } from "./types";

export function diffOf(view: DiffView): HTMLElement {
  const kinds: Record<string, string> = { "-": "kw-minus", "+": "kw-plus", "…": "kw-skip" };
  return h("div", { class: "kw-diff" },
    h("div", { class: "kw-ops" }, h("div", { class: "kw-dt kw-gone" }, "− the fastest"), h("div", { class: "kw-dd" }, view.before), h("div", { class: "kw-dt kw-good" }, "+ this one"), h("div", { class: "kw-dd" }, view.after)),
    view.note && h("div", { class: "kw-note" }, `Note: ${view.note}.`),
    h("div", { class: "kw-code", tabindex: "0", role: "region", "aria-label": "Difference" }, ...view.lines.map((line) =>
      h("div", { class: `kw-line ${kinds[line.sign] ?? ""}` }, h("s", {}, line.sign === "=" ? " " : line.sign === "-" ? "−" : line.sign), ...(line.sign === "…" ? [line.text] : paint(line.text, view.language))))));
}
