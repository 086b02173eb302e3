// The mapping screen: expression, factors, grid, one worker's tasks, the loops with numbers filled in, time.

import { h } from "./dom";
import type { Drawing, Host, Problem } from "./drawing";
import { History } from "./history";
import { Chips } from "./mapping-chips";
import { EqualBox, errorOf } from "./mapping-equal";
import { Grid } from "./mapping-grid";
import { MemoryBox } from "./mapping-memory";
import { Side, wholeTable, type Place } from "./mapping-side";
import { WindowBox } from "./mapping-window";
import { cellsOf, taskText, tasksOf, type Cells, type Task } from "./nest";
import { LANES } from "./requests";
import { tonesOf } from "./theme";
import { TimeBar } from "./time";
import type { MappingView } from "./types";

export const PRESETS: [string, string][] = [
  ["copy of 64 × 8 by 128 threads", "repeat(4, 1) * spatial(16, 8)"],
  ["mma m16n8, C fragment", "repeat(2, 1) * spatial(8, 4) * repeat(1, 2)"],
  ["matmul block of 128 × 128", "spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4)"],
  ["matmul warps, 4 × 2 of 32", "spatial(4, 2) * spatial(4, 8)"],
  ["zigzag of 16 workers", "spatial(2, 1) * spatial(1, 8) * spatial(2, 1)"],
  ["blocked", "spatial(4) * repeat(4)"],
  ["cyclic", "repeat(4) * spatial(4)"],
  ["column-major", "column_repeat(2, 3) * column_spatial(4, 4)"],
  ["three dims", "repeat(8, 4, 3) * spatial(1, 4, 8)"],
  ["any extent, with predicates", "predicated_auto_map(10, 13, workers=32)"],
  ["every column by one worker", "(spatial(8, 2) * repeat(1, 4)).projection({1: 0})"],
];
const SHOWN_TASKS = 128;

export function renderMapping(el: HTMLElement, first: MappingView, host: Host = {}): Drawing<MappingView> {
  let view = first, pinned: Place = { worker: 0, step: null }, hovered: number | null = null;
  let asTable = false, cells: Cells | null = null;
  // What is typed is not written over by the answer to it.
  let typing = 0, typed = false, walking = false, told = false, underWay = Promise.resolve();
  const history = new History(first.text), live = host.ask !== undefined;

  const box = h("input", {
    class: "kw-expression", type: "text", spellcheck: "false", autocomplete: "off", "aria-label": "Mapping expression",
    value: view.text, oninput: () => void compose(box.value, true), onblur: () => { if (!root.classList.contains("kw-stale")) box.value = view.text; },
  });
  box.readOnly = !live;
  if (!live) box.title = host.reason ?? "no kernel: the expression cannot be changed here";
  const undo = icon("Undo", "↶", () => step(() => history.undo())), redo = icon("Redo", "↷", () => step(() => history.redo()));
  const preset = h("select", { class: "kw-preset", "aria-label": "Presets", onchange: () => { if (preset.value) void compose(preset.value); } },
    h("option", { value: "" }, "presets"), ...PRESETS.map(([name, text]) => h("option", { value: text }, name)));
  const facts = h("div", { class: "kw-facts", role: "status" });
  const problem = h("div", { class: "kw-error", role: "alert" });
  const chips = new Chips(live ? (text) => compose(text) : null);
  const equal = new EqualBox(host, (worker, at) => choose({ worker, step: Math.min(at, view.most_tasks - 1) }));
  const stage = h("div", { class: "kw-stage-box", tabindex: "0", role: "group", "aria-label": "Grid of workers" });
  const legend = h("span", { class: "kw-soft" }), notes = h("div", { class: "kw-note" });
  const window = new WindowBox(() => recount());
  const twin = h("div", { class: "kw-twin" }), mine = new Side();
  const memory = new MemoryBox(first.item_bytes, () => repaint(), (lane) => choose({ worker: pinned.worker - pinned.worker % LANES + lane }));
  const side = h("div", { class: "kw-side" }, mine.el, memory.el);
  const time = new TimeBar((at) => choose({ step: at }));
  const flip = h("button", { type: "button", "aria-pressed": "false", onclick: () => toggleTable() }, key("t"), " table");
  const said = h("span", { class: "kw-hidden", "aria-live": "polite" });
  const root = h("div", { class: "kw kw-mapping", role: "group", "aria-label": "Task mapping" },
    h("div", { class: "kw-bar" }, h("div", { class: "kw-grow" }, box), live && undo, live && redo, live && preset),
    h("div", { class: "kw-bar kw-bar-facts" }, facts, problem),
    h("div", { class: "kw-bar kw-bar-chips" }, chips.el, live && equal.button), chips.editor, equal.el,
    h("div", { class: "kw-body" },
      h("div", { class: "kw-stage" }, h("h3", {}, h("b", {}, "Who does what"), legend, window.el), stage, twin, notes), side),
    h("div", { class: "kw-bar kw-time" }, ...time.parts,
      h("span", { class: "kw-keys" }, key("←"), key("→"), " worker ", key("↑"), key("↓"), " step ", key("space"), " play ", key("esc"), " all"), flip, said));
  el.replaceChildren(root);
  const grid = new Grid(root, stage, (labelled, ordered) => { legend.textContent = legendOf(view.workers, labelled, ordered); });

  stage.addEventListener("pointermove", (event) => hover(grid.workerAt(event.clientX, event.clientY)));
  stage.addEventListener("pointerleave", () => hover(null));
  stage.addEventListener("click", (event) => {
    const worker = grid.workerAt(event.clientX, event.clientY);
    if (worker !== null) choose({ worker });
  });
  root.addEventListener("keydown", onKey);

  function onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement, letter = event.key.toLowerCase();
    if (live && (event.ctrlKey || event.metaKey) && !event.altKey && (letter === "z" || letter === "y")) {
      event.preventDefault();
      event.stopPropagation();
      const forward = letter === "y" || event.shiftKey;
      return step(() => (forward ? history.redo() : history.undo()));
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // JupyterLab listens for keys on the notebook: none that means something here may reach it.
    if (target.tagName === "SELECT" || target.tagName === "INPUT") { event.stopPropagation(); return; }
    const onButton = target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
    const act = onButton ? undefined : ({
      ArrowLeft: () => choose({ worker: (pinned.worker + view.workers - 1) % view.workers }),
      ArrowRight: () => choose({ worker: (pinned.worker + 1) % view.workers }),
      Home: () => choose({ worker: 0 }),
      End: () => choose({ worker: view.workers - 1 }),
      ArrowUp: () => time.move(-1), ArrowDown: () => time.move(1),
      " ": () => time.toggle(), Escape: () => { time.stop(); choose({ step: null }); }, t: () => toggleTable(),
    } as Record<string, () => void>)[event.key];
    if (act) { event.preventDefault(); act(); }
    if (act || onButton) event.stopPropagation();
  }

  function compose(text: string, byHand = false): Promise<void> {
    const asked = ask(text, byHand);
    underWay = underWay.then(() => asked);
    return asked;
  }

  /** The text goes to Python, which answers with a view or with what is wrong; the view stays. */
  async function ask(text: string, byHand: boolean): Promise<void> {
    if (!byHand) box.value = text;
    typed = byHand;
    typing += byHand ? 1 : 0;
    const reply = await host.ask?.("compose", { text });
    typing -= byHand ? 1 : 0;
    if (!reply || reply.late) return;
    fail(reply.problem);
    // What was picked is now a worker of this mapping, and linked screens must not show that of the last.
    if (!reply.problem && told) tell();
  }

  /** Go through the history, after what is under way: its answer belongs to the history too. */
  function step(text: () => string | null): void {
    underWay = underWay.then(async () => {
      const to = text();
      walking = to !== null;
      if (to !== null) await ask(to, false);
      walking = false;
    });
  }

  function fail(error: Problem | null): void {
    problem.replaceChildren(...(error ? errorOf(box.value, error) : []));
    facts.classList.toggle("kw-hidden", error !== null);
    box.classList.toggle("kw-wrong", error !== null);
    box.setAttribute("aria-invalid", String(error !== null));
    root.classList.toggle("kw-stale", error !== null);
  }

  function choose(change: Partial<Place>): void {
    pinned = { ...pinned, ...change };
    hovered = null;
    const task = taskAt(pinned);
    if (task && window.follow(task.place)) recount();
    else repaint();
    tell();
    said.textContent = `worker ${pinned.worker}${pinned.step === null ? "" : `, step ${pinned.step}`}: ${tasksText(pinned)}`;
  }

  function tell(): void {
    told = true;
    host.selected?.({ ...pinned, task: taskAt(pinned)?.place ?? [], mapping: view.canonical || view.text });
  }

  /** The task at a step; null where all are meant or the worker has none there. */
  function taskAt({ worker, step: at }: Place): Task | null {
    return (view.nest && at !== null && tasksOf(view.nest, worker, 1, at).tasks[0]) || null;
  }

  function tasksText(at: Place): string {
    const task = taskAt(at);
    if (at.step !== null) return task ? taskText(task.place) : "idle";
    return view.nest ? tasksOf(view.nest, at.worker, 8).tasks.map((each) => taskText(each.place)).join(" ") || "idle" : "";
  }

  function hover(worker: number | null): void {
    if (worker !== hovered) { hovered = worker; repaint(); }
  }

  function toggleTable(): void {
    asTable = !asTable;
    flip.setAttribute("aria-pressed", String(asTable));
    repaint();
    (asTable ? twin.querySelector<HTMLElement>("[tabindex]") ?? flip : stage).focus();
  }

  function recount(): void {
    cells = view.nest && cellsOf(view.nest, view.shape, view.workers, window.shown);
    repaint();
  }

  function repaint(): void {
    const shown: Place = { worker: hovered ?? pinned.worker, step: pinned.step };
    const from = shown.step === null || shown.step < SHOWN_TASKS ? 0 : shown.step - SHOWN_TASKS / 2;
    const found = view.nest ? tasksOf(view.nest, shown.worker, SHOWN_TASKS, from) : { tasks: [], more: false };
    stage.hidden = asTable;
    twin.hidden = !asTable;
    if (asTable) showTable(shown.worker);
    else {
      const path = found.tasks.map((task) => ({ order: task.order, at: window.cell(task.place) }));
      grid.update({ cells, workers: view.workers, mostTasks: view.most_tasks, ...shown, path });
    }
    notes.textContent = view.nest ? [...window.leftOut(), ...(cells?.leftOut ?? [])].map((what) => `Shown: ${what}.`).join(" ") : "Not drawn: this function needs a large table of constants.";
    mine.update(view, shown, found, memory.addresses(view));
    memory.show(view, shown.worker, shown.step ?? 0, tonesOf(root));
    root.dataset["worker"] = String(shown.worker);
    root.dataset["step"] = shown.step === null ? "" : String(shown.step);
    time.show(shown.step, view.most_tasks);
  }

  /** The table in place of the one before it, which may have the focus. */
  function showTable(worker: number): void {
    const focused = twin.contains(document.activeElement);
    const top = twin.firstElementChild?.scrollTop ?? 0;
    twin.replaceChildren(wholeTable(view, worker));
    const made = twin.firstElementChild as HTMLElement;
    made.scrollTop = top;
    if (focused) made.focus();
    twin.querySelector(".kw-now")?.scrollIntoView({ block: "nearest" });
  }

  function update(next: MappingView): void {
    view = next;
    time.stop();
    if (!walking) history.push(view.text, typed, performance.now());
    undo.disabled = !history.canUndo;
    redo.disabled = !history.canRedo;
    if (!typing) { box.value = view.text; fail(null); }
    typed = false;
    preset.value = PRESETS.some(([, text]) => text === view.text) ? view.text : "";
    pinned = within(pinned);
    hovered = null;
    facts.replaceChildren(...view.facts.flatMap((fact, k) => [
      ...(k ? [h("span", { class: "kw-dot" }, " · ")] : []), fact.value ? h("b", {}, fact.value) : "", fact.value ? " " : "", fact.words]));
    chips.update(view);
    window.update(view);
    void equal.ask();
    recount();
  }

  const within = ({ worker, step: at }: Place): Place => ({
    worker: Math.min(Math.max(0, worker), view.workers - 1), step: at === null ? null : Math.min(at, view.most_tasks - 1),
  });

  update(first);
  return {
    update,
    select: ({ worker = 0, step: at = null }) => { pinned = within({ worker, step: at }); repaint(); },
    dispose: () => { time.stop(); grid.dispose(); mine.dispose(); root.remove(); },
  };
}

const key = (name: string): HTMLElement => h("kbd", {}, name);

const icon = (label: string, sign: string, act: () => void): HTMLButtonElement =>
  h("button", { type: "button", class: "kw-icon", "aria-label": label, title: label, onclick: act }, sign);

function legendOf(workers: number, labelled: boolean, ordered: boolean): string {
  const many = workers > 32;
  if (!labelled) return many ? "hue = warp, shade = 8 lanes, outlined = the selected worker" : "one shade = one worker, outlined = the selected one";
  return `label and colour = worker${ordered ? ", small number = its order" : ""}${many ? ", hatched = odd warp" : ""}`;
}
