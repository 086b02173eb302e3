// A copy of a kernel's CUDA that can be edited and compiled. What is typed stays, whatever comes of it.

import { h } from "./dom";
import { copyText } from "./code";
import type { Host } from "./drawing";
import type { Complaint, ForkView, ProgramView } from "./types";

export interface ForkPanel { node: HTMLElement; open(text: string): void; update(fork: ForkView | null): void }

/** `left` is called when the panel closes, to put the focus back. */
export function forkPanel(host: Host, view: () => ProgramView, left: () => void): ForkPanel {
  let original = "", number = 0, waits = false;
  const numbers = h("div", { class: "kw-numbers", "aria-hidden": "true" });
  const area = h("textarea", {
    class: "kw-area", "aria-label": "CUDA to edit", spellcheck: "false", autocapitalize: "off", wrap: "off", rows: "18",
    oninput: () => { count([]); undo.disabled = area.value === original; },
    onscroll: () => { numbers.scrollTop = area.scrollTop; },
    onkeydown: (event: KeyboardEvent) => {
      event.stopPropagation();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); compile(); }
    },
  });
  const go = h("button", { type: "button", class: "kw-go", onclick: () => compile() }, "Compile and compare");
  const undo = h("button", { type: "button", onclick: () => { area.value = original; undo.disabled = true; count([]); area.focus(); } }, "Back to the original");
  const cell = h("button", { type: "button", title: "Copy as a cell that %load_ext workbench can run", onclick: () => {
    const { name, target } = view();
    void copyText(`%%cuda --arch ${target.replace(/^cuda:/, "")} ${name}\n${area.value}`).then((done) => {
      cell.textContent = done ? "Copied" : "Not allowed here";
      setTimeout(() => { cell.textContent = "Copy as %%cuda cell"; }, 1600);
    });
  } }, "Copy as %%cuda cell");
  const shut = h("button", { type: "button", onclick: () => { node.hidden = true; left(); } }, "Close");
  const result = h("div", { class: "kw-result", role: "status" });
  const node = h("section", { class: "kw-fork", "aria-label": "Edit the CUDA", hidden: true },
    h("div", { class: "kw-fork-bar" }, h("b", {}, "A copy of the CUDA"), h("span", { class: "kw-soft" }, "the kernel itself stays as it is"),
      h("span", { class: "kw-actions" }, h("span", { class: "kw-keys" }, h("kbd", {}, "Ctrl"), h("kbd", {}, "Enter")), go, undo, cell, shut)),
    h("div", { class: "kw-edit-box" }, numbers, area), result);

  function count(wrong: Complaint[]): void {
    const bad = new Set(wrong.filter((each) => each.kind === "error").map((each) => each.line));
    const rows = area.value.split("\n").length;
    numbers.replaceChildren(...Array.from({ length: rows }, (_, k) => h("div", { class: bad.has(k + 1) ? "kw-bad" : "" }, bad.has(k + 1) ? `✕ ${k + 1}` : String(k + 1))));
    numbers.scrollTop = area.scrollTop;
  }

  function compile(): void {
    if (waits || !host.ask) return;
    wait(true);
    result.replaceChildren(h("div", { class: "kw-soft" }, "compiling …"));
    void host.ask("fork", { text: area.value }).then(({ problem }) => {
      if (!problem) return;
      wait(false);
      result.replaceChildren(h("div", { class: "kw-bad" }, [problem.message, problem.hint].filter(Boolean).join(" — ")));
    });
  }

  function wait(is: boolean): void {
    waits = is;
    go.disabled = is;
  }

  /** The place of a complaint, selected in the text. */
  function jump(to: Complaint): void {
    const before = area.value.split("\n").slice(0, to.line - 1).reduce((n, row) => n + row.length + 1, 0);
    const start = before + Math.max(0, to.column - 1), word = /^\w*/.exec(area.value.slice(start))![0].length;
    area.focus();
    area.setSelectionRange(start, start + Math.max(1, word));
    area.scrollTop = Math.max(0, (to.line - 5) * parseFloat(getComputedStyle(area).lineHeight));
  }

  function complaintOf(each: Complaint): HTMLElement {
    const caret = each.code.slice(0, Math.max(0, each.column - 1)).replace(/[^\t]/g, " ") + "^";
    return h("li", {}, h("button", { type: "button", class: each.kind === "error" ? "kw-bad" : "kw-warn", onclick: () => jump(each) },
      `${each.kind}, line ${each.line}: ${each.message}`), each.code && h("pre", { tabindex: "0", "aria-label": `line ${each.line}` }, each.column ? `${each.code}\n${caret}` : each.code));
  }

  function update(fork: ForkView | null): void {
    if (!fork || fork.number === number) return;
    number = fork.number;
    wait(false);
    count(fork.complaints);
    const head = fork.problem && !fork.complaints.some((each) => each.kind === "error") ? [fork.problem, fork.hint].filter(Boolean).join(" — ") : "";
    result.replaceChildren(
      ...(head ? [h("div", { class: "kw-bad" }, head)] : []),
      ...(fork.problem && !head ? [h("div", { class: "kw-bad" }, "It does not compile.")] : []),
      ...(fork.rows.length ? [h("table", { "aria-label": "Original and fork" },
        h("thead", {}, h("tr", {}, ...["", "original", "fork", ""].map((cell) => h("th", { scope: "col" }, cell)))),
        h("tbody", {}, ...fork.rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.label), h("td", {}, row.original),
          h("td", { class: row.warn ? "kw-warn" : row.original === row.fork ? "" : "kw-differs" }, row.fork), h("td", { class: "kw-soft" }, row.note)))))] : []),
      ...(fork.said ? [h("div", { class: "kw-soft" }, fork.said)] : []),
      ...(fork.complaints.length ? [h("ul", { class: "kw-complaints" }, ...fork.complaints.map(complaintOf))] : []));
  }

  return {
    node, update,
    open: (text) => {
      node.hidden = false;
      if (!original) { original = area.value = text; undo.disabled = true; }
      count([]);
      area.focus();
      area.setSelectionRange(0, 0);
      area.scrollTop = 0;
    },
  };
}
