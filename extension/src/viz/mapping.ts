// The mapping screen: expression box, grid, one worker's tasks, the loops with numbers filled in, time.

import { h, table } from "./dom";
import { Grid } from "./mapping-grid";
import { cellsOf, filled, loopsAt, stepsOf, taskText, tasksOf, type Cells, type Task } from "./nest";
import type { Drawing, Host, Problem, Selection } from "./drawing";
import type { MappingView } from "./types";

interface Place { worker: number; step: number | null }

const PRESETS: [string, string][] = [
  ["copy of 64 × 8 by 128 threads", "repeat(4, 1) * spatial(16, 8)"],
  ["mma m16n8, C fragment", "repeat(2, 1) * spatial(8, 4) * repeat(1, 2)"],
  ["matmul block of 128 × 128", "spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4)"],
  ["blocked", "spatial(4) * repeat(4)"],
  ["cyclic", "repeat(4) * spatial(4)"],
  ["any extent, with predicates", "predicated_auto_map(10, 13, workers=32)"],
];
const SHOWN_TASKS = 128, SHOWN_WORKERS = 256, FRAME_MS = 650, CALM_MS = 1200, WINDOW: [number, number] = [1024, 1024];

export function renderMapping(el: HTMLElement, first: MappingView, host: Host = {}): Drawing<MappingView> {
  let view = first, pinned: Place = { worker: 0, step: null }, hovered: number | null = null;
  let slice = 0, playing = 0, asTable = false, cells: Cells | null = null;

  const box = h("input", {
    class: "kw-expression", type: "text", spellcheck: "false", autocomplete: "off", "aria-label": "Mapping expression",
    value: view.text, oninput: () => compose(box.value),
  });
  box.readOnly = !host.ask;
  const preset = h("select", { "aria-label": "Presets", onchange: () => { if (preset.value) { box.value = preset.value; compose(preset.value); preset.value = ""; } } },
    h("option", { value: "" }, "presets"), ...PRESETS.map(([name, text]) => h("option", { value: text }, name)));
  const facts = h("div", { class: "kw-facts", role: "status" });
  const problem = h("div", { class: "kw-error", role: "alert" });
  const stage = h("div", { class: "kw-stage-box", tabindex: "0", role: "group", "aria-label": "Grid of workers" });
  const legend = h("span", { class: "kw-soft" });
  const notes = h("div", { class: "kw-note" });
  const sliceBox = h("select", { "aria-label": "Slice", onchange: () => { slice = Number(sliceBox.value); recount(); } });
  const twin = h("div", { class: "kw-twin" });
  const side = h("div", { class: "kw-side" });
  const play = h("button", { type: "button", "aria-pressed": "false", onclick: () => toggle() }, "▶ play");
  const back = h("button", { type: "button", "aria-label": "Step back", onclick: () => move(-1) }, "◀");
  const on = h("button", { type: "button", "aria-label": "Step forward", onclick: () => move(1) }, "▶");
  const scrub = h("input", { type: "range", min: "-1", max: "0", "aria-label": "Step", oninput: () => choose({ step: Number(scrub.value) < 0 ? null : Number(scrub.value) }) });
  const where = h("span", { class: "kw-where" });
  const flip = h("button", { type: "button", "aria-pressed": "false", onclick: () => toggleTable() }, key("t"), " table");
  const said = h("span", { class: "kw-hidden", "aria-live": "polite" });
  const root = h("div", { class: "kw kw-mapping", role: "group", "aria-label": "Task mapping" },
    h("div", { class: "kw-bar" }, h("div", { class: "kw-grow" }, box), preset),
    h("div", { class: "kw-bar kw-bar-facts" }, facts, problem),
    h("div", { class: "kw-body" },
      h("div", { class: "kw-stage" }, h("h3", {}, h("b", {}, "Who does what"), " ", legend, sliceBox), stage, twin, notes),
      side),
    h("div", { class: "kw-bar kw-time" }, play, back, on, where, scrub,
      h("span", { class: "kw-keys" }, key("←"), key("→"), " worker ", key("↑"), key("↓"), " step ", key("space"), " play ", key("esc"), " all"), flip, said));
  el.replaceChildren(root);
  const grid = new Grid(root, stage, (labelled, ordered) => {
    const many = view.workers > 32;
    legend.textContent = !labelled ? (many ? "hue = warp, shade = 8 lanes, outlined = the selected worker" : "one shade = one worker, outlined = the selected one")
      : `label and colour = worker${ordered ? ", small number = its order" : ""}${many ? ", hatched = odd warp" : ""}`;
  });

  stage.addEventListener("pointermove", (event) => hover(grid.workerAt(event.clientX, event.clientY)));
  stage.addEventListener("pointerleave", () => hover(null));
  stage.addEventListener("click", (event) => {
    const worker = grid.workerAt(event.clientX, event.clientY);
    if (worker !== null) choose({ worker });
  });
  root.addEventListener("keydown", onKey);

  function onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // JupyterLab listens for keys on the notebook: none that means something here may reach it.
    if (target === box || target.tagName === "SELECT" || target.tagName === "INPUT") { event.stopPropagation(); return; }
    const onButton = target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
    const act = onButton ? undefined : ({
      ArrowLeft: () => choose({ worker: (pinned.worker + view.workers - 1) % view.workers }),
      ArrowRight: () => choose({ worker: (pinned.worker + 1) % view.workers }),
      Home: () => choose({ worker: 0 }),
      End: () => choose({ worker: view.workers - 1 }),
      ArrowUp: () => move(-1), ArrowDown: () => move(1),
      " ": () => toggle(), Escape: () => { stop(); choose({ step: null }); }, t: () => toggleTable(),
    } as Record<string, () => void>)[event.key];
    if (act) { event.preventDefault(); act(); }
    if (act || onButton) event.stopPropagation();
  }

  function choose(change: Partial<Place>): void {
    pinned = { ...pinned, ...change };
    hovered = null;
    repaint();
    host.selected?.(selection());
    said.textContent = `worker ${pinned.worker}${pinned.step === null ? "" : `, step ${pinned.step}`}: ${tasksText(pinned)}`;
  }

  function tasksText(selection: Place): string {
    if (!view.nest) return "";
    const { tasks } = tasksOf(view.nest, selection.worker, SHOWN_TASKS);
    const shown = selection.step === null ? tasks.slice(0, 8) : tasks.slice(selection.step, selection.step + 1);
    return shown.map((task) => taskText(task.place)).join(" ") || "idle";
  }

  function hover(worker: number | null): void {
    if (worker !== hovered) { hovered = worker; repaint(); }
  }

  function move(by: number): void {
    stop();
    const last = view.most_tasks - 1, now = pinned.step ?? (by > 0 ? -1 : last + 1);
    choose({ step: Math.min(last, Math.max(0, now + by)) });
  }

  function toggle(): void {
    if (playing) return stop();
    const last = view.most_tasks - 1;
    // Steps do not slide or fade; who asked for less motion gets them one a second at most.
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    play.textContent = "❚❚ pause";
    play.setAttribute("aria-pressed", "true");
    choose({ step: pinned.step === null || pinned.step >= last ? 0 : pinned.step });
    playing = window.setInterval(() => {
      if ((pinned.step ?? last) >= last) stop();
      else choose({ step: pinned.step! + 1 });
    }, calm ? CALM_MS : Math.max(60, FRAME_MS / Math.max(1, view.most_tasks / 8)));
  }

  function stop(): void {
    clearInterval(playing);
    playing = 0;
    play.textContent = "▶ play";
    play.setAttribute("aria-pressed", "false");
  }

  function toggleTable(): void {
    asTable = !asTable;
    flip.setAttribute("aria-pressed", String(asTable));
    repaint();
    (asTable ? twin.querySelector<HTMLElement>("[tabindex]") ?? flip : stage).focus();
  }

  function leadOf(index: number): number[] {
    const lead = view.shape.slice(0, -2);
    for (let dim = lead.length - 1; dim >= 0; dim--) {
      const extent = lead[dim]!;
      lead[dim] = index % extent;
      index = Math.floor(index / extent);
    }
    return lead;
  }

  function recount(): void {
    cells = view.nest && cellsOf(view.nest, view.shape, view.workers, leadOf(slice), WINDOW);
    repaint();
  }

  function repaint(): void {
    const shown: Place = { worker: hovered ?? pinned.worker, step: pinned.step };
    const { tasks, more } = view.nest ? tasksOf(view.nest, shown.worker, SHOWN_TASKS) : { tasks: [], more: false };
    const path = tasks.map((task) => (task.place.length > 1 ? task.place.slice(-2) : [0, ...task.place]) as [number, number]);
    const inSlice = tasks.every((task) => leadOf(slice).every((at, dim) => task.place[dim] === at));
    stage.hidden = asTable;
    twin.hidden = !asTable;
    if (asTable) showTable(shown.worker);
    else grid.update({ cells, workers: view.workers, mostTasks: view.most_tasks, ...shown, path: inSlice ? path : [] });
    notes.textContent = view.nest ? (cells?.leftOut ?? []).map((what) => `Shown: ${what}.`).join(" ") : "Not drawn: this function needs a large table of constants.";
    side.replaceChildren(...sideOf(view, shown, tasks, more));
    root.dataset["worker"] = String(shown.worker);
    root.dataset["step"] = shown.step === null ? "" : String(shown.step);
    scrub.max = String(view.most_tasks - 1);
    scrub.value = String(shown.step ?? -1);
    scrub.setAttribute("aria-valuetext", shown.step === null ? "all steps" : `step ${shown.step}`);
    where.replaceChildren(...(shown.step === null ? ["all ", h("b", {}, String(view.most_tasks)), view.most_tasks === 1 ? " step" : " steps"] : ["step ", h("b", {}, String(shown.step)), ` of 0…${view.most_tasks - 1}`]));
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
    stop();
    if (document.activeElement !== box && box.value !== view.text) box.value = view.text;
    pinned = { worker: Math.min(pinned.worker, view.workers - 1), step: pinned.step === null ? null : Math.min(pinned.step, view.most_tasks - 1) };
    hovered = null;
    facts.replaceChildren(...view.facts.flatMap((fact, k) => [
      ...(k ? [h("span", { class: "kw-dot" }, " · ")] : []), fact.value ? h("b", {}, fact.value) : "", fact.value ? " " : "", fact.words]));
    const slices = view.shape.slice(0, -2).reduce((n, extent) => n * extent, 1);
    slice = Math.min(slice, slices - 1);
    sliceBox.hidden = slices === 1;
    sliceBox.replaceChildren(...Array.from({ length: Math.min(slices, 256) }, (_, k) => {
      const at = view.shape.slice(0, -2).reduceRight<[number, number[]]>(([rest, at], extent) => [Math.floor(rest / extent), [rest % extent, ...at]], [k, []])[1];
      return h("option", { value: k, selected: k === slice }, `slice (${[...at, "·", "·"].join(", ")})`);
    }));
    recount();
  }

  /** The text goes to Python, which answers with a view or with what is wrong; the view stays. */
  async function compose(text: string): Promise<void> {
    const reply = await host.ask?.("compose", { text });
    if (reply && !reply.late) fail(reply.problem);
  }

  function fail(error: Problem | null): void {
    problem.replaceChildren(...(error ? errorOf(box.value, error) : []));
    facts.classList.toggle("kw-hidden", error !== null);
    box.classList.toggle("kw-wrong", error !== null);
    box.setAttribute("aria-invalid", String(error !== null));
    root.classList.toggle("kw-stale", error !== null);
  }

  function selection(): Selection {
    const task = view.nest && pinned.step !== null ? tasksOf(view.nest, pinned.worker, pinned.step + 1).tasks[pinned.step] : undefined;
    return { ...pinned, task: task?.place ?? [], mapping: view.canonical || view.text };
  }

  update(first);
  return {
    update,
    select: ({ worker = 0, step = null }) => {
      pinned = { worker: Math.min(Math.max(0, worker), view.workers - 1), step: step === null ? null : Math.min(step, view.most_tasks - 1) };
      repaint();
    },
    dispose: () => { stop(); grid.dispose(); root.remove(); },
  };
}

const key = (name: string): HTMLElement => h("kbd", {}, name);

/** Message, the place in the text, and what to do. */
function errorOf(text: string, error: Problem): HTMLElement[] {
  const place = error.end > error.start && error.start < text.length
    ? h("code", { class: "kw-place" }, cut(text.slice(0, error.start), -60), h("mark", {}, text.slice(error.start, error.end)), cut(text.slice(error.end), 40))
    : null;
  return [h("span", {}, error.message), ...(place ? [place] : []), ...(error.hint ? [h("span", { class: "kw-soft" }, error.hint)] : [])];
}

function sideOf(view: MappingView, at: Place, tasks: Task[], more: boolean): HTMLElement[] {
  const parts: HTMLElement[] = [];
  const rows = tasks.map((task, k) => [k, taskText(task.place), `${task.place.reduce((sum, x, dim) => sum + x * view.strides[dim]!, 0) * view.item_bytes} B`]);
  if (more) rows.push(["…", "…", ""]);
  const list = table(`Tasks of worker ${at.worker} in order`, ["order", "task", `address (${view.layout})`], rows);
  list.tBodies[0]!.rows[at.step ?? -1]?.classList.add("kw-now");
  if (view.nest) parts.push(h("section", {},
    h("h3", {}, h("b", {}, `Worker ${at.worker}`), ` lane ${at.worker % 32} of warp ${Math.floor(at.worker / 32)}`),
    tasks.length ? h("div", { class: "kw-scroll", tabindex: "0", role: "region", "aria-label": "Tasks" }, list) : h("p", { class: "kw-soft" }, "idle: no task")));
  if (view.lines.length) parts.push(h("section", {},
    h("h3", {}, h("b", {}, "The loops it lowers to"), " w = worker"), loopsOf(view, at, tasks)));
  if (view.canonical) parts.push(h("section", {}, h("h3", {}, "The same, written otherwise"), h("code", {}, view.canonical)));
  return parts;
}

/** The nest, line by line; behind each loop and index its value for the worker at the step. */
function loopsOf(view: MappingView, at: Place, tasks: Task[]): HTMLElement {
  const task = tasks[at.step ?? 0], nest = view.nest;
  const loops = nest ? task?.loops ?? loopsAt(nest, Math.min(at.step ?? 0, stepsOf(nest) - 1)) : [];
  let loop = 0, dim = 0;
  return h("div", { class: "kw-loops" }, ...view.lines.map((line) => {
    const bare = line.trimStart(), lead = line.slice(0, line.length - bare.length);
    const word = /^(for|if) /.exec(bare)?.[1] ?? "";
    let now = "";
    if (nest && word === "for") now = String(loops[loop++]);
    else if (nest && !word) {
      const terms = nest.index[dim]!, value = task?.place[dim];
      const sum = filled(terms, at.worker, loops);
      now = value === undefined ? "" : sum === String(value) ? `= ${value}` : `${sum} = ${value}`;
      dim++;
    }
    return h("div", { class: "kw-loop" },
      h("code", { style: `padding-left:${lead.length + 4}ch;text-indent:-4ch` }, word && h("span", { class: "kw-keyword" }, word), bare.slice(word.length)),
      h("code", { class: "kw-filled" }, now && `# ${now}`));
  }));
}

function wholeTable(view: MappingView, worker: number): HTMLElement {
  if (!view.nest) return h("p", {}, "no table");
  const from = Math.max(0, Math.min(worker - 8, view.workers - SHOWN_WORKERS));
  const rows = Array.from({ length: Math.min(SHOWN_WORKERS, view.workers - from) }, (_, k) => {
    const { tasks, more } = tasksOf(view.nest!, from + k, 16);
    return [from + k, (tasks.map((task) => taskText(task.place)).join(" ") || "idle") + (more ? " …" : "")];
  });
  const made = table("Tasks of every worker in order", ["worker", "tasks in order"], rows);
  made.tBodies[0]!.rows[worker - from]?.classList.add("kw-now");
  return h("div", { class: "kw-scroll kw-tall", tabindex: "0", role: "region", "aria-label": "Table of all workers" }, made);
}

/** The text, or its first (last, where `room` is negative) characters and an ellipsis. */
function cut(text: string, room: number): string {
  if (text.length <= Math.abs(room)) return text;
  return room < 0 ? `…${text.slice(room)}` : `${text.slice(0, room)}…`;
}
