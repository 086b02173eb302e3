// The program screen: texts side by side; a line under the pointer or the cursor lights all that
// come from the same place. Texts that cost a compilation are asked for when they are opened.

import { h } from "./dom";
import { followTheme } from "./theme";
import { copyText, paint, saveText } from "./code";
import { forkPanel } from "./fork";
import { taskText, tasksOf } from "./nest";
import type { Drawing, Host, Selection } from "./drawing";
import type { Figure, PaneView, ProgramView } from "./types";

const ROOM_FOR_ALL = 1240, ROOM_OF_ONE = 350, TASKS_SAID = 6, PIECE = 300;
const NO_KERNEL = "needs a running kernel: wb.explore(kernel)";

export function renderProgram(el: HTMLElement, first: ProgramView, host: Host = {}): Drawing<ProgramView> {
  let view = first, pinned = 0, lines = new Map<number, HTMLElement[]>(), lit: HTMLElement[] = [];
  let open = new Set<string>(), picked: Selection = {}, columns = 0;
  const asked = new Set<string>();
  const title = h("span", { class: "kw-title" }), signature = h("span", { class: "kw-soft kw-signature" });
  const tabs = h("div", { class: "kw-tabs", role: "group", "aria-label": "Texts" });
  const mine = h("div", { class: "kw-mine-said", role: "status" });
  const panes = h("div", { class: "kw-panes" }), problem = h("div", { class: "kw-problem" });
  const foot = h("div", { class: "kw-foot" }), said = h("span", { class: "kw-hidden", "aria-live": "polite" });
  const extents = extentsForm(host);
  const fork = forkPanel(host, () => view, () => root.querySelector<HTMLElement>(".kw-edit")?.focus());
  const root = h("div", { class: "kw kw-program", role: "group", "aria-label": "Program" },
    h("div", { class: "kw-bar" }, title, signature, tabs), mine, panes, fork.node, problem, extents.node, foot, said);
  el.replaceChildren(root);
  const stopTheme = followTheme(root, () => {});
  // Where there is no room for all texts, the script and the target's; until a person chooses.
  let chosen = false;
  const resize = new ResizeObserver(() => {
    if (!root.clientWidth) return;
    const fitting = chosen ? open : fit();
    if (columns === columnsOf(fitting.size) && [...fitting].every((name) => open.has(name)) && fitting.size === open.size) return;
    open = fitting;
    show();
  });
  resize.observe(root);

  const columnsOf = (count: number): number => Math.max(1, Math.min(count, Math.floor((root.clientWidth || ROOM_FOR_ALL) / ROOM_OF_ONE)));

  function fit(): Set<string> {
    const made = view.panes.filter((pane) => !pane.asked), last = made.at(-1);
    return new Set(made.filter((pane, k) => root.clientWidth >= ROOM_FOR_ALL || k === 0 || pane === last).map((pane) => pane.name));
  }

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

  /** The lines of task loops that the picked worker takes part in, and its tasks in words. */
  function own(): void {
    root.querySelectorAll(".kw-mine").forEach((line) => line.classList.remove("kw-mine"));
    const use = view.mappings.find((each) => each.mapping === picked.mapping), worker = picked.worker;
    mine.hidden = !use || worker === undefined;
    if (!use || worker === undefined) return;
    const { tasks, more } = use.nest && worker < use.workers ? tasksOf(use.nest, worker, TASKS_SAID) : { tasks: [], more: false };
    const does = use.nest === null && worker < use.workers ? "too many constants to say its tasks"
      : tasks.length ? `${tasks.map((task) => taskText(task.place)).join(" ")}${more ? " …" : ""}` : "no task";
    mine.replaceChildren(h("b", {}, `worker ${worker}`), ` of ${use.text}: ${does}`);
    if (!tasks.length && use.nest) return;
    for (const link of use.links) for (const line of lines.get(link) ?? []) line.classList.add("kw-mine");
  }

  function codeOf(pane: PaneView): HTMLElement {
    const code = h("div", { class: "kw-code", tabindex: "0", role: "region", "aria-label": `${pane.name} code` });
    const lineOf = (k: number): HTMLElement => {
      const line = pane.lines[k]!;
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
      return node;
    };
    // A long text comes in pieces, so that the page stays alive meanwhile.
    const add = (from: number): void => {
      const to = Math.min(pane.lines.length, from + PIECE);
      code.append(...Array.from({ length: to - from }, (_, k) => lineOf(from + k)));
      if (to < pane.lines.length) setTimeout(() => { if (code.isConnected) { add(to); light(pinned, null); own(); } });
      else if (pane.cut) code.append(h("span", { class: "kw-line kw-warn" }, h("s", {}), `… ${pane.cut} more lines`));
    };
    add(0);
    code.addEventListener("keydown", (event) => walk(event, code));
    return code;
  }

  function paneOf(pane: PaneView): HTMLElement {
    const text = () => pane.lines.map((line) => line.text).join("\n") + "\n";
    const tell = (what: string) => { said.textContent = what; };
    const button = (name: string, label: string, onclick: (event: Event) => void, kind = "") =>
      h("button", { type: "button", class: `kw-small ${kind}`, "aria-label": label, title: label, onclick }, name);
    const copy = button("copy", `Copy the ${pane.name} text`, () => {
      void copyText(text()).then((done) => {
        copy.textContent = done ? "copied" : "not allowed here";
        tell(copy.textContent);
        setTimeout(() => { copy.textContent = "copy"; }, 1600);
      });
    });
    const own = pane.name === "CUDA" && pane.lines.length > 0;
    const actions = h("span", { class: "kw-actions" },
      pane.lines.length > 0 && copy,
      own && button("save .cu", `Save as ${view.name}.cu`, () => saveText(`${view.name}.cu`, text())),
      own && !!host.ask && button("edit", "Edit a copy of the CUDA and compile it", () => fork.open(text()), "kw-edit"));
    return h("section", { class: "kw-pane", "aria-label": pane.name },
      h("header", {}, h("b", {}, pane.name), h("span", {}, pane.aside), actions),
      pane.problem ? h("div", { class: "kw-none", role: "note" }, pane.problem)
        : pane.asked ? h("div", { class: "kw-none kw-wait", role: "status" }, `making ${pane.name} …`) : codeOf(pane));
  }

  function toggle(pane: PaneView): void {
    chosen = true;
    if (!open.has(pane.name)) {
      open.add(pane.name);
      if (pane.asked && !asked.has(pane.name)) ask(pane);
    } else if (open.size > 1) open.delete(pane.name);
    host.selected?.({ panes: shownNames() });
    show();
    [...tabs.children].find((tab): tab is HTMLElement => tab.textContent === pane.name)?.focus();
  }

  const shownNames = (): string[] => view.panes.map((pane) => pane.name).filter((name) => open.has(name));

  /** The texts that a selection names, as far as they can be had here. */
  function openThese(names: string[]): void {
    const wanted = view.panes.filter((pane) => names.includes(pane.name) && (!pane.asked || !!host.ask || !!pane.problem));
    if (!wanted.length || wanted.map((pane) => pane.name).join() === shownNames().join()) return;
    chosen = true;
    open = new Set(wanted.map((pane) => pane.name));
    for (const pane of wanted) if (pane.asked && !asked.has(pane.name)) ask(pane);
    show();
  }

  function ask(pane: PaneView): void {
    asked.add(pane.name);
    void host.ask?.("pane", { name: pane.name }).then((reply) => {
      if (!reply.problem) return;
      const failed = { ...pane, problem: [reply.problem.message, reply.problem.hint].filter(Boolean).join("\n") };
      view = { ...view, panes: view.panes.map((each) => (each.name === pane.name ? failed : each)) };
      show();
    });
  }

  function tabOf(pane: PaneView): HTMLElement {
    const shut = pane.asked && !host.ask;
    return h("button", {
      type: "button", "aria-pressed": String(open.has(pane.name)), disabled: shut, class: pane.asked ? "kw-later" : "",
      title: shut ? `${pane.name} ${host.reason ?? NO_KERNEL}` : pane.asked ? `${pane.name}: made when you open it` : false,
      onclick: () => toggle(pane),
    }, pane.name);
  }

  function show(): void {
    lines = new Map();
    lit = [];
    const scrolled = new Map([...panes.querySelectorAll(".kw-code")].map((code) => [code.getAttribute("aria-label"), code.scrollTop]));
    const shown = view.panes.filter((pane) => open.has(pane.name));
    columns = columnsOf(shown.length);
    const wide = (pane: PaneView) => 8 + Math.min(80, Math.max(36, ...pane.lines.slice(0, 400).map((line) => line.text.length)));
    panes.style.gridTemplateColumns = shown.slice(0, columns).map((pane) => `minmax(0, ${wide(pane)}fr)`).join(" ");
    panes.replaceChildren(...shown.map(paneOf));
    panes.querySelectorAll(".kw-code").forEach((code) => { code.scrollTop = scrolled.get(code.getAttribute("aria-label")) ?? 0; });
    tabs.replaceChildren(...view.panes.map(tabOf));
    light(pinned, null);
    own();
  }

  function update(next: ProgramView): void {
    const same = next.name === view.name && next.target === view.target && open.size > 0;
    for (const pane of next.panes) if (pane.lines.length || pane.problem) asked.delete(pane.name);
    view = next;
    if (!same) { open = fit(); pinned = 0; chosen = false; asked.clear(); }
    title.textContent = view.name;
    signature.textContent = [view.signature, view.launch].filter(Boolean).join("  ·  ");
    problem.hidden = !view.problem;
    problem.textContent = view.problem;
    extents.update(view.extents ?? []);
    foot.hidden = !view.figures.length;
    foot.replaceChildren(...view.figures.map(figureOf));
    fork.update(view.fork);
    show();
    // the page may say which texts a person wants to see first
    if (!same) openThese((document.body.dataset["kwTexts"] ?? "").split(",").filter(Boolean));
  }

  update(first);
  return {
    update,
    select: (selection) => {
      const moved = (selection.link ?? 0) !== pinned;
      picked = selection;
      pinned = selection.link ?? 0;
      if (Array.isArray(selection.panes)) openThese(selection.panes);
      light(pinned, moved ? root : null);
      own();
    },
    dispose: () => { stopTheme(); resize.disconnect(); root.remove(); },
  };
}

/** Numbers for the extents that are open; with them the program can be compiled. */
function extentsForm(host: Host): { node: HTMLElement; update(names: string[]): void } {
  let known = "";
  const wrong = h("span", { class: "kw-bad", role: "alert" });
  const node = h("form", { class: "kw-bar kw-extents", "aria-label": "Open extents", hidden: true });
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = [...node.querySelectorAll("input")];
    wrong.textContent = "compiling …";
    const extents = Object.fromEntries(fields.map((field) => [field.name, field.valueAsNumber]));
    void host.ask?.("extents", { extents }).then(({ problem }) => {
      wrong.textContent = problem ? [problem.message, problem.hint].filter(Boolean).join(" — ") : "";
    });
  });
  return {
    node,
    update: (names) => {
      node.hidden = !names.length || !host.ask;
      if (known === names.join()) return;
      known = names.join();
      node.replaceChildren(...names.map((name) => h("label", {}, `${name} `, h("input", { type: "number", name, min: "1", step: "1", required: true }))),
        h("button", { type: "submit", class: "kw-go" }, "Compile"), wrong);
    },
  };
}

/** A number; unfolded, who counted or predicted it, and how it comes about. */
export function figureOf(figure: Figure): HTMLElement {
  const face = [
    h("div", { class: "kw-dt" }, figure.label, figure.basis && h("span", { class: "kw-basis" }, figure.basis.split(" ")[0]!)),
    h("div", { class: "kw-dd" }, h("b", { class: figure.warn ? "kw-warn" : "" }, figure.value), figure.note),
  ];
  if (!figure.formula) return h("div", { class: "kw-cell" }, ...face);
  return h("details", { class: "kw-cell", title: `${figure.basis}: ${figure.formula}` },
    h("summary", {}, ...face), h("div", { class: "kw-formula" }, `${figure.basis}: ${figure.formula}`));
}
