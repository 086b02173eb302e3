// The program screen: texts side by side; a line under the pointer or the cursor lights all that
// come from the same place.

import { h } from "./dom";
import { followTheme } from "./theme";
import { paint } from "./code";
import type { Drawing, Host } from "./drawing";
import type { PaneView, ProgramView } from "./types";

const ROOM_FOR_ALL = 1240;

export function renderProgram(el: HTMLElement, first: ProgramView, host: Host = {}): Drawing<ProgramView> {
  let view = first, pinned = 0, lines = new Map<number, HTMLElement[]>(), lit: HTMLElement[] = [];
  let open: boolean[] = [];
  const title = h("span", { class: "kw-title" }), signature = h("span", { class: "kw-soft" });
  const tabs = h("div", { class: "kw-tabs", role: "group", "aria-label": "Texts" });
  const panes = h("div", { class: "kw-panes" }), problem = h("div", { class: "kw-problem" });
  const foot = h("div", { class: "kw-foot" }), said = h("span", { class: "kw-hidden", "aria-live": "polite" });
  const root = h("div", { class: "kw kw-program", role: "group", "aria-label": "Program" },
    h("div", { class: "kw-bar" }, title, signature, tabs), panes, problem, foot, said);
  el.replaceChildren(root);
  const stopTheme = followTheme(root, () => {});
  // Where there is no room for all texts, the script and the target's; until a person chooses.
  let chosen = false;
  const resize = new ResizeObserver(() => {
    const wide = root.clientWidth >= ROOM_FOR_ALL;
    const fitting = view.panes.map((_, k) => wide || k === 0 || k === view.panes.length - 1);
    if (chosen || !root.clientWidth || fitting.every((is, k) => is === open[k])) return;
    open = fitting;
    show();
  });
  resize.observe(root);

  function light(link: number, follow: HTMLElement | null): void {
    for (const line of lit) line.classList.remove("kw-lit");
    lit = lines.get(link) ?? [];
    for (const line of lit) line.classList.add("kw-lit");
    root.dataset["link"] = String(link);
    if (!follow) return;
    const done = new Set([follow]);
    for (const line of lit) {
      const code = line.parentElement!;
      if (done.has(code)) continue;
      done.add(code);
      const top = line.offsetTop - code.offsetTop;
      if (top < code.scrollTop || top > code.scrollTop + code.clientHeight - 24) code.scrollTop = Math.max(0, top - code.clientHeight / 3);
    }
  }

  function pin(link: number, code: HTMLElement | null): void {
    pinned = link;
    light(link, code);
    host.selected?.({ link });
    said.textContent = link ? `line linked in ${new Set(lit.map((line) => line.parentElement!.getAttribute("aria-label"))).size} texts: ${lit[0]?.textContent?.trim() ?? ""}` : "";
  }

  /** Up and down walk through the lines that are linked; the others have nothing to say. */
  function walk(event: KeyboardEvent, code: HTMLElement): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); return pin(0, null); }
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const own = [...code.children].filter((line): line is HTMLElement => line instanceof HTMLElement && !!line.dataset["link"]);
    const now = own.findIndex((line) => line.classList.contains("kw-at"));
    const next = own[now < 0 ? (by > 0 ? 0 : own.length - 1) : Math.min(own.length - 1, Math.max(0, now + by))];
    if (!next) return;
    root.querySelectorAll(".kw-at").forEach((line) => line.classList.remove("kw-at"));
    next.classList.add("kw-at");
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    pin(Number(next.dataset["link"]), code);
  }

  function paneOf(pane: PaneView): HTMLElement {
    const code = h("div", { class: "kw-code", tabindex: "0", role: "region", "aria-label": `${pane.name} code` });
    pane.lines.forEach((line, k) => {
      const node = h("span", { class: `kw-line${line.group ? ` kw-g${(line.group - 1) % 4 + 1}` : ""}`, "data-link": line.link || null },
        h("s", { "aria-hidden": "true" }, String(pane.first + k)), ...paint(line.text, pane.language));
      if (line.link) {
        const same = lines.get(line.link) ?? [];
        same.push(node);
        lines.set(line.link, same);
        node.addEventListener("pointerenter", () => light(line.link, null));
        node.addEventListener("pointerleave", () => light(pinned, null));
        node.addEventListener("click", () => pin(line.link === pinned ? 0 : line.link, code));
      }
      code.append(node);
    });
    code.addEventListener("keydown", (event) => walk(event, code));
    return h("div", { class: "kw-pane" }, h("header", {}, h("b", {}, pane.name), h("span", {}, pane.aside)), code);
  }

  function show(): void {
    lines = new Map();
    lit = [];
    const shown = view.panes.filter((_, k) => open[k]);
    panes.style.gridTemplateColumns = shown.map((pane) => `minmax(0, ${8 + Math.min(80, Math.max(36, ...pane.lines.map((line) => line.text.length)))}fr)`).join(" ");
    panes.replaceChildren(...shown.map(paneOf));
    tabs.replaceChildren(...view.panes.map((pane, k) => h("button", {
      type: "button", "aria-pressed": String(open[k]),
      onclick: () => { chosen = true; if (!open[k] || open.filter(Boolean).length > 1) { open[k] = !open[k]; show(); (tabs.children[k] as HTMLElement).focus(); } },
    }, pane.name)));
    light(pinned, null);
  }

  function update(next: ProgramView): void {
    view = next;
    open = view.panes.map(() => true);
    pinned = 0;
    title.textContent = view.name;
    signature.textContent = [view.signature, view.launch].filter(Boolean).join("  ·  ");
    problem.hidden = !view.problem;
    problem.textContent = view.problem;
    foot.hidden = !view.figures.length;
    foot.replaceChildren(...view.figures.map((figure) => h("div", { class: "kw-cell" },
      h("div", { class: "kw-dt" }, figure.label), h("div", { class: "kw-dd" }, h("b", { class: figure.warn ? "kw-warn" : "" }, figure.value), figure.note))));
    show();
  }

  update(first);
  return {
    update,
    select: (selection) => { pinned = selection.link ?? 0; light(pinned, null); },
    dispose: () => { stopTheme(); resize.disconnect(); root.remove(); },
  };
}
