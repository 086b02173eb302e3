// The passes screen: the pipeline as a list, one pass at a time, what it changed word by word; its
// options are controls that run the pipeline again.

import { h } from "./dom";
import { followTheme } from "./theme";
import { paint } from "./code";
import { whyLine } from "./passes-why";
import { figureOf } from "./program";
import type { Drawing, Host, Problem } from "./drawing";
import type { DiffRow, OptionView, PassesView, StepView } from "./types";

const SIGNS = { same: " ", gone: "−", new: "+", skip: " " };
const NO_KERNEL = "Options and passes can be changed in a live screen: wb.explore(kernel, \"passes\")";
const PAUSE_MS = 300;
let screens = 0;

export function renderPasses(el: HTMLElement, first: PassesView, host: Host = {}): Drawing<PassesView> {
  let view = first, at = -1, link = 0, timer: ReturnType<typeof setTimeout> | undefined;
  const id = `kw-passes-${++screens}`, asking = new Set<number>();
  const title = h("span", { class: "kw-title" }), signature = h("span", { class: "kw-soft kw-signature" }), total = h("span", { class: "kw-total" });
  const list = h("div", { class: "kw-steps", role: "listbox", tabindex: "0", "aria-label": "Passes", onkeydown: (event: KeyboardEvent) => keys(event) });
  const head = h("div", { class: "kw-step-head" }), options = h("div", { class: "kw-options" }), wrong = h("div", { class: "kw-error", role: "alert" });
  const diff = h("div", { class: "kw-diff", role: "region", tabindex: "0", "aria-label": "What the pass changed", onkeydown: (event: KeyboardEvent) => walk(event) });
  const why = whyLine();
  const note = h("div", { class: "kw-passes-note", role: "status" }), foot = h("div", { class: "kw-foot" });
  const root = h("div", { class: "kw kw-passes", role: "group", "aria-label": "Passes of a kernel" },
    h("div", { class: "kw-bar" }, title, signature, total),
    h("div", { class: "kw-passes-body" }, h("div", { class: "kw-passes-list" }, list, note), h("div", { class: "kw-step" }, head, options, wrong, diff, why.node)), foot);
  el.replaceChildren(root);
  const stopTheme = followTheme(root, () => {});

  const isPass = (step: StepView): boolean => step.state !== "begin" && step.state !== "end" && step.name !== "code";

  function keys(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: view.steps.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    pick(Math.min(view.steps.length - 1, Math.max(0, to)), true);
  }

  function pick(number: number, tell: boolean): void {
    at = number;
    [...list.children].forEach((row, k) => row.setAttribute("aria-selected", String(k === at)));
    list.setAttribute("aria-activedescendant", `${id}-${at}`);
    if (tell) (list.children[at] as HTMLElement | undefined)?.scrollIntoView({ block: "nearest" });
    if (tell) host.selected?.({ stage: at });
    show();
  }

  function rowOf(step: StepView, k: number, most: number): HTMLElement {
    const waits = step.state === "off" || step.state === "waits";
    const outcome = step.state === "failed" ? "failed" : step.state === "off" ? "left out" : step.state === "waits" ? "not reached"
      : isPass(step) ? (step.changes ? `${step.changes} changed` : "no change") : step.state === "begin" ? "as written" : "";
    return h("div", { class: `kw-step-row kw-is-${step.state}${isPass(step) && !step.changes ? " kw-unchanged" : ""}`, role: "option", id: `${id}-${k}`, "aria-selected": String(k === at), onclick: () => pick(k, true) },
      h("span", { class: "kw-step-name" }, step.spec || step.name), h("span", { class: "kw-step-out" }, outcome),
      h("span", { class: "kw-step-ms" }, waits || !step.ms ? "" : `${step.ms < 10 ? step.ms.toFixed(2) : step.ms.toFixed(0)} ms`),
      h("i", { class: "kw-step-bar", "aria-hidden": "true", style: `width:${Math.max(step.ms ? 1 : 0, 100 * step.ms / most).toFixed(1)}%` }));
  }

  /** The pipeline again, one pass of it as `change` says. */
  function again(number: number, change: { spec?: string; on?: boolean }): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const passes = view.steps.flatMap((step, k) => !isPass(step) ? [] : [{
        spec: k === number && change.spec !== undefined ? change.spec : step.spec,
        on: k === number && change.on !== undefined ? change.on : step.state !== "off",
      }]);
      root.classList.add("kw-busy");
      void host.ask?.("passes", { passes }).then(({ problem, late }) => {
        if (late) return;
        root.classList.remove("kw-busy");
        fail(problem);
      });
    }, PAUSE_MS);
  }

  function fail(problem: Problem | null): void {
    wrong.replaceChildren(...(problem ? [problem.message, problem.hint && h("span", { class: "kw-soft" }, problem.hint)] : []).filter((part): part is string | HTMLElement => !!part));
  }

  function controlsOf(step: StepView, number: number): HTMLElement[] {
    if (!isPass(step)) return [];
    const own = view.steps.some((each) => each.fixed);
    if (!host.ask || own) return [h("span", { class: "kw-soft" }, own ? "This pipeline has a pass that is not registered: it is set in Python, by compile_module(…, passes=…)." : host.reason ?? NO_KERNEL)];
    const values = new Map(step.options.map((option) => [option.name, option.value]));
    const spec = () => step.options.length ? `${step.name}{${step.options.map((o) => `${o.name}=${o.kind === "bool" ? Boolean(values.get(o.name)) : values.get(o.name)}`).join(", ")}}` : step.name;
    const control = (option: OptionView) => h("label", {}, option.name, option.kind === "bool"
      ? h("input", { type: "checkbox", checked: option.value === 1, onchange: (event: Event) => { values.set(option.name, Number((event.target as HTMLInputElement).checked)); again(number, { spec: spec() }); } })
      : h("input", { type: "number", value: String(option.value), step: "1", oninput: (event: Event) => {
        const value = (event.target as HTMLInputElement).valueAsNumber;
        if (Number.isInteger(value)) { values.set(option.name, value); again(number, { spec: spec() }); }
      } }), option.value !== option.default && h("span", { class: "kw-soft" }, `default ${option.kind === "bool" ? Boolean(option.default) : option.default}`));
    return [
      h("label", {}, h("input", { type: "checkbox", checked: step.state !== "off", onchange: (event: Event) => again(number, { on: (event.target as HTMLInputElement).checked }) }), "do this pass"),
      ...step.options.map(control),
    ];
  }

  function lineOf(row: DiffRow): HTMLElement {
    if (row.kind === "skip") return h("div", { class: "kw-row kw-skip" }, h("s", {}), h("s", {}), `${row.before} equal lines`);
    const parts = row.kind === "same" ? paint(row.parts.map((part) => part.text).join(""), view.steps[at]?.state === "end" ? view.steps[at]!.name : "ir")
      : row.parts.map((part) => part.changed ? h(row.kind === "gone" ? "del" : "ins", {}, part.text) : part.text);
    const node = h("div", { class: `kw-row kw-${row.kind}${row.link && row.link === link ? " kw-lit" : ""}`, "data-link": row.link || null },
      h("s", { "aria-hidden": "true" }, String(row.before || "")), h("s", { "aria-hidden": "true" }, String(row.after || "")),
      h("b", { "aria-hidden": "true" }, SIGNS[row.kind]), ...parts);
    if (row.kind === "gone" || row.kind === "new") node.addEventListener("pointerover", (event) => {
      const word = (event.target as Element).closest("ins, del");
      why.say(view.steps[at]!, row, word?.textContent?.trim() ?? "");
    });
    if (row.link) node.addEventListener("click", () => { host.selected?.({ link: row.link === link ? 0 : row.link }); mark(row.link === link ? 0 : row.link); });
    return node;
  }

  /** Up and down through the lines that changed, left and right through their words. */
  function walk(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = event.key === "ArrowDown" || event.key === "ArrowUp";
    const stops = [...diff.querySelectorAll<HTMLElement>(rows ? ".kw-row.kw-gone, .kw-row.kw-new" : "ins, del")];
    if (!stops.length) return;
    event.preventDefault();
    event.stopPropagation();
    const caret = diff.querySelector<HTMLElement>(".kw-caret");
    // From a word to the next row, and from a row to its first word.
    const from = !caret ? -1 : rows ? stops.indexOf(caret.closest<HTMLElement>(".kw-row")!)
      : stops.includes(caret) ? stops.indexOf(caret) : stops.findIndex((stop) => caret.contains(stop)) - (by > 0 ? 1 : 0);
    const next = stops[Math.min(stops.length - 1, Math.max(0, from < 0 && by < 0 ? stops.length - 1 : from + by))]!;
    caret?.classList.remove("kw-caret");
    next.classList.add("kw-caret");
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    const row = next.closest<HTMLElement>(".kw-row")!, step = view.steps[at]!;
    why.say(step, step.rows[[...row.parentElement!.children].indexOf(row)]!, rows ? "" : next.textContent!.trim());
  }

  function mark(to: number): void {
    link = to;
    diff.querySelectorAll<HTMLElement>(".kw-row").forEach((row) => row.classList.toggle("kw-lit", !!link && row.dataset["link"] === String(link)));
  }

  function show(): void {
    const step = view.steps[at];
    if (!step) return;
    head.replaceChildren(h("b", {}, step.spec || step.name), h("span", { class: "kw-soft" }, step.title));
    // A control that has the focus stays: whoever types a number goes on typing.
    const focused = options.contains(document.activeElement) && options.dataset["step"] === String(at);
    if (!focused) options.replaceChildren(...controlsOf(step, at));
    options.dataset["step"] = String(at);
    const body: (HTMLElement | string)[] = [];
    if (step.problem) body.push(h("div", { class: "kw-problem" }, h("b", {}, "It fails: "), step.problem, step.hint && h("div", { class: "kw-soft" }, step.hint)));
    if (step.asked && !host.ask) body.push(h("div", { class: "kw-none" }, "This difference is large and was not kept. It is made in a live screen."));
    else if (step.asked) { body.push(h("div", { class: "kw-none kw-wait", role: "status" }, "comparing …")); ask(at); }
    else if (step.state === "off") body.push(h("div", { class: "kw-none" }, "Left out: the module goes on as it was."));
    else if (step.state === "waits") body.push(h("div", { class: "kw-none" }, "Not reached: a step before it failed."));
    else if (step.state === "done" && !step.rows.some((row) => row.kind === "gone" || row.kind === "new")) body.push(h("div", { class: "kw-none" }, "It found nothing to change in this kernel."));
    else body.push(h("div", { class: "kw-rows" }, ...step.rows.map(lineOf)));
    if (step.cut) body.push(h("div", { class: "kw-none kw-warn" }, `… ${step.cut} more lines are not shown`));
    const top = diff.dataset["step"] === String(at) ? diff.scrollTop : 0;
    diff.dataset["step"] = String(at);
    diff.replaceChildren(...body);
    why.rest(!!diff.querySelector("ins, del"));
    diff.scrollTop = top;
  }

  function ask(number: number): void {
    if (asking.has(number)) return;
    asking.add(number);
    void host.ask?.("step", { number }).then(({ problem }) => { asking.delete(number); fail(problem); });
  }

  function update(next: PassesView): void {
    const before = view.steps[at]?.name;
    view = next;
    const most = Math.max(1e-6, ...view.steps.map((step) => step.ms));
    title.textContent = view.name;
    signature.textContent = [view.signature, view.target].filter(Boolean).join("  ·  ");
    const failed = view.steps.findIndex((step) => step.state === "failed"), bad = view.steps[failed];
    total.textContent = bad ? `${bad.name} fails` : `${view.steps.filter(isPass).length} passes, ${view.ms.toFixed(1)} ms with the target's compiler`;
    note.textContent = bad ? `${bad.name} fails: ${bad.problem}` : view.note;
    note.classList.toggle("kw-bad", !!bad);
    list.replaceChildren(...view.steps.map((step, k) => rowOf(step, k, most)));
    foot.hidden = !view.figures.length;
    foot.replaceChildren(...view.figures.map(figureOf));
    const same = view.steps.findIndex((step) => step.name === before);
    const telling = view.steps.reduce((best, step, k) => (isPass(step) && step.changes > (view.steps[best]?.changes ?? 0) ? k : best), Math.min(1, view.steps.length - 1));
    pick(same >= 0 ? same : failed >= 0 ? failed : telling, false);
  }

  update(first);
  return {
    update,
    select: (selection) => {
      const moved = (selection.link ?? 0) !== link;
      mark(selection.link ?? 0);
      if (selection.stage !== undefined && selection.stage !== at && selection.stage < view.steps.length && selection.stage >= 0) pick(selection.stage, false);
      const lit = moved ? diff.querySelector<HTMLElement>(".kw-lit") : null;
      if (lit) diff.scrollTop = Math.max(0, lit.offsetTop - diff.offsetTop - diff.clientHeight / 3);
    },
    dispose: () => { clearTimeout(timer); stopTheme(); root.remove(); },
  };
}
