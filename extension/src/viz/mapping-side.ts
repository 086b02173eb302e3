// Beside the grid: one worker's tasks, the loops with numbers filled in; and the table twin of it all.

import { h, perFrame, table } from "./dom";
import type { Addresses } from "./mapping-memory";
import { filled, loopsAt, stepsOf, taskText, tasksOf, type Tasks } from "./nest";
import type { MappingView } from "./types";

export interface Place { worker: number; step: number | null }

const SHOWN_WORKERS = 256, SHOWN_OF_EACH = 16;

/**
 * One worker's tasks and the loops. The list stays and only what is in it changes, so that it keeps
 * its focus and its place without being measured: that would lay the page out at each keystroke.
 */
export class Side {
  private readonly who = h("h3", {});
  private readonly list = h("div", { class: "kw-scroll", tabindex: "0", role: "region", "aria-label": "Tasks" });
  private readonly idle = h("p", { class: "kw-soft" });
  private readonly mine = h("section", {}, this.who, this.list, this.idle);
  private readonly rest = h("div", {});
  readonly el = h("div", {}, this.mine, this.rest);
  private readonly reveal = perFrame(() => reveal(this.list));

  update(view: MappingView, at: Place, found: Tasks, addresses: Addresses): void {
    const { tasks, more } = found;
    this.mine.hidden = !view.nest;
    this.list.hidden = !tasks.length;
    this.idle.hidden = tasks.length > 0;
    this.who.replaceChildren(h("b", {}, `Worker ${at.worker}`), ` lane ${at.worker % 32} of warp ${Math.floor(at.worker / 32)}`);
    this.idle.textContent = more ? "no task among the steps looked at" : "idle: no task";
    this.list.replaceChildren(tasksTable(at, found, addresses));
    const parts: HTMLElement[] = [];
    if (view.lines.length) parts.push(h("section", {},
      h("h3", {}, h("b", {}, "The loops it lowers to"), " w = worker"), loopsOf(view, at, found)));
    if (view.canonical) parts.push(h("section", {}, h("h3", {}, "The same, written otherwise"), h("code", {}, view.canonical)));
    this.rest.replaceChildren(...parts);
    if (at.step !== null) this.reveal();
  }

  dispose(): void { this.reveal.cancel(); }
}

function tasksTable(at: Place, { tasks, more }: Tasks, addresses: Addresses): HTMLElement {
  const rows = tasks.map((task) => [task.order, taskText(task.place), `${addresses.of(task.place)} B`]);
  if (tasks[0] && tasks[0].order > 0) rows.unshift(["…", "…", ""]);
  if (more) rows.push(["…", "…", ""]);
  const made = table(`Tasks of worker ${at.worker} in order`, ["order", "task", `address (${addresses.words})`], rows);
  const now = at.step === null ? -1 : rows.findIndex(([order]) => order === at.step);
  made.tBodies[0]!.rows[now]?.classList.add("kw-now");
  return made;
}

/** A list scrolled to what is current in it, where that is out of sight; the page itself stays where it is. */
function reveal(list: HTMLElement): void {
  const now = list.querySelector<HTMLElement>(".kw-now");
  if (!now) return;
  const top = now.getBoundingClientRect().top - list.getBoundingClientRect().top + list.scrollTop;
  if (top < list.scrollTop + now.offsetHeight || top + now.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 2;
}

/** The nest, line by line; behind each loop and index its value for the worker at the step. */
function loopsOf(view: MappingView, at: Place, { tasks }: Tasks): HTMLElement {
  const task = tasks.find((each) => each.order === (at.step ?? 0)), nest = view.nest;
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

/** Every worker's tasks; of many workers those around the selected one. */
export function wholeTable(view: MappingView, worker: number): HTMLElement {
  if (!view.nest) return h("p", {}, "no table: this function needs a large table of constants");
  const from = Math.max(0, Math.min(worker - 8, view.workers - SHOWN_WORKERS));
  const rows = Array.from({ length: Math.min(SHOWN_WORKERS, view.workers - from) }, (_, k) => {
    const { tasks, more } = tasksOf(view.nest!, from + k, SHOWN_OF_EACH);
    return [from + k, (tasks.map((task) => taskText(task.place)).join(" ") || (more ? "" : "idle")) + (more ? " …" : "")];
  });
  const made = table("Tasks of every worker in order", ["worker", "tasks in order"], rows);
  made.tBodies[0]!.rows[worker - from]?.classList.add("kw-now");
  const cut = view.workers > SHOWN_WORKERS && h("p", { class: "kw-soft" }, `workers ${from} to ${from + rows.length - 1} of ${view.workers}`);
  return h("div", { class: "kw-scroll kw-tall", tabindex: "0", role: "region", "aria-label": "Table of all workers" }, made, cut);
}
