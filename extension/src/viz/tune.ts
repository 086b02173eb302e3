// The tuning screen: predicted against measured while a search runs, every trial in a table.

import { logAxis, timeText } from "./axis";
import { diffOf } from "./diff";
import { h, s } from "./dom";
import type { Drawing, Host, Selection } from "./drawing";
import { followTheme } from "./theme";
import type { DiffView, TrialView, TuneView } from "./types";

interface Column { name: string; cell(trial: TrialView, k: number): string; value(trial: TrialView, k: number): number | string; right: boolean }
interface Brush { x0: number; x1: number; y0: number; y1: number }

const HEIGHT = 320, LEFT = 64, FOOT = 34, TOP = 30, RIGHT = 10, ROWS = 300;

/** Draw a search. Python is asked to `stop` it, and for the text of a `trial` to `compare`. */
export function renderTune(el: HTMLElement, first: TuneView, host: Host = {}): Drawing<TuneView> {
  let view = first, picked = -1, brush: Brush | null = null, sort = { column: "measured", down: false }, pinned = "";
  let places: ([number, number] | null)[] = [], width = 470;
  const title = h("span", { class: "kw-title" }), summary = h("span", { class: "kw-soft" });
  const stop = h("button", { type: "button", onclick: () => void ask("stop", {}) }, "stop, keep what is known");
  const bar = h("progress", { class: "kw-progress", "aria-label": "Progress" }), pace = h("span", { class: "kw-soft" });
  const run = h("div", { class: "kw-bar kw-bar-facts" }, bar, pace, stop);
  const plot = h("div", { class: "kw-plot", tabindex: "0", role: "group", "aria-label": "Predicted against measured" });
  const clear = h("button", { type: "button", onclick: () => { brush = null; show(); } }, "clear the brush");
  const twin = h("div", { class: "kw-scroll kw-trials", tabindex: "0", role: "region", "aria-label": "Table of trials" });
  const side = h("div", { class: "kw-side" }), below = h("div", { class: "kw-below" }), fault = h("div", { class: "kw-error", role: "alert" });
  const said = h("span", { class: "kw-hidden", "aria-live": "polite" });
  const root = h("div", { class: "kw kw-tune", role: "group", "aria-label": "Tuning" },
    h("div", { class: "kw-bar" }, title, summary), run,
    h("div", { class: "kw-body" }, h("div", { class: "kw-stage" },
      h("h3", {}, "dot = measured · ring = the fastest · cross = failed · diamond = not measured · line = as predicted; drag to brush"), plot, h("div", { class: "kw-row" }, clear)), side),
    twin, fault, below, said);
  el.replaceChildren(root);
  const stopTheme = followTheme(root, () => {});
  const resize = new ResizeObserver(() => { const room = Math.min(640, Math.max(280, plot.clientWidth)); if (room !== width) { width = room; brush = null; show(); } });
  resize.observe(plot);
  root.addEventListener("keydown", onKey);
  listen();

  const columns = (): Column[] => {
    const some = (has: (trial: TrialView) => unknown): boolean => view.trials.some((trial) => has(trial) !== null && has(trial) !== undefined);
    const best = view.trials[view.best]?.median_us ?? null;
    const number = (name: string, of: (trial: TrialView) => number | null, text: (value: number) => string): Column =>
      ({ name, right: true, cell: (trial) => { const value = of(trial); return value === null ? "" : text(value); }, value: (trial) => of(trial) ?? Infinity });
    return [
      ...view.knobs.map((name, k): Column => ({ name, right: false, cell: (trial) => trial.knobs[k]!, value: (trial) => { const n = Number(trial.knobs[k]); return Number.isNaN(n) ? trial.knobs[k]! : n; } })),
      number("measured", (trial) => trial.median_us, timeText),
      number("× best", (trial) => trial.median_us === null || best === null ? null : trial.median_us / best, (value) => value.toFixed(2)),
      number("predicted", (trial) => trial.predicted_us, timeText),
      ...(some((trial) => trial.registers) ? [number("registers", (trial) => trial.registers, String)] : []),
      ...(some((trial) => trial.spill_bytes) ? [number("spills", (trial) => trial.spill_bytes, (value) => `${value} B`)] : []),
      ...(some((trial) => trial.occupancy) ? [number("occupancy", (trial) => trial.occupancy, (value) => `${Math.round(100 * value)} %`)] : []),
      number("build", (trial) => trial.compile_ms || null, (value) => `${value.toFixed(0)} ms`),
      { name: "what became of it", right: false, cell: (trial) => trial.reason ? `${trial.status}: ${trial.reason}` : trial.status === "measured" ? `measured${trial.limiter ? `; predicted limit: ${trial.limiter}` : ""}` : trial.status, value: (trial) => `${trial.status}: ${trial.reason}` },
    ];
  };

  async function ask(type: string, request: Record<string, unknown>): Promise<void> {
    if (!host.ask) return;
    root.classList.add("kw-busy");
    const reply = await host.ask(type, request);
    if (reply.late) return;
    root.classList.remove("kw-busy");
    fault.replaceChildren(...(reply.problem ? [reply.problem.message, h("span", { class: "kw-soft" }, reply.problem.hint)] : []));
    const diff = reply.answer["diff"] as DiffView | undefined;
    below.replaceChildren(...(diff ? [h("div", { class: "kw-row kw-close" }, h("button", { type: "button", onclick: () => { below.replaceChildren(); plot.focus(); } }, "close")), diffOf(diff)] : []));
  }

  const inBrush = (k: number): boolean => {
    const at = places[k];
    return !brush || (!!at && at[0] >= brush.x0 && at[0] <= brush.x1 && at[1] >= brush.y0 && at[1] <= brush.y1);
  };

  /** Numbers of the trials that the table shows, in its order. */
  function order(): number[] {
    const by = columns().find((column) => column.name === sort.column) ?? columns().find((column) => column.name === "measured")!;
    const keep = view.trials.map((_, k) => k).filter(inBrush);
    const sign = sort.down ? -1 : 1;
    return keep.sort((a, b) => {
      const x = by.value(view.trials[a]!, a), y = by.value(view.trials[b]!, b);
      // what is not known stands last in either direction
      if (x === Infinity || y === Infinity) return x === y ? a - b : x === Infinity ? 1 : -1;
      return x === y ? a - b : (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true })) * sign;
    });
  }

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key], within = plot.contains(event.target as Node) || twin.contains(event.target as Node);
    if (by && within) {
      const all = order(), at = all.indexOf(picked);
      const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
      if (next !== undefined) pick(next, true);
    } else if (event.key === "Escape") { brush = null; pick(-1); show(); } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const nameOf = (trial: TrialView | undefined): string => trial ? view.knobs.map((name, k) => [name, trial.knobs[k]]).filter(([, value]) => value).map(([name, value]) => `${name} ${value}`).join(", ") : "";

  function pick(k: number, follow = false): void {
    picked = k;
    pinned = nameOf(view.trials[k]);
    host.selected?.({ trial: k });
    mark();
    if (follow) twin.querySelector(".kw-chosen")?.scrollIntoView({ block: "nearest" });
    const trial = view.trials[k];
    said.textContent = trial ? `${pinned}: ${trial.median_us === null ? trial.status : timeText(trial.median_us)}` : "";
  }

  function mark(): void {
    for (const node of plot.querySelectorAll<SVGElement>("[data-trial]")) {
      const own = Number(node.dataset["trial"]) === picked;
      node.classList.toggle("kw-chosen", own);
      if (own && node.nextSibling) node.parentNode!.append(node);
      node.classList.toggle("kw-off", !inBrush(Number(node.dataset["trial"])));
    }
    for (const row of twin.querySelectorAll<HTMLElement>("tr[data-trial]")) {
      const own = Number(row.dataset["trial"]) === picked;
      row.classList.toggle("kw-chosen", own);
      row.setAttribute("aria-selected", String(own));
    }
    root.dataset["trial"] = String(picked);
    side.replaceChildren(...sideOf());
  }

  function sideOf(): HTMLElement[] {
    const trial = view.trials[picked], parts: HTMLElement[] = [];
    if (trial) {
      const rows: [string, string | Node][] = view.knobs.map((name, k): [string, string] => [name, trial.knobs[k]!]).filter(([, value]) => value);
      if (trial.median_us !== null) rows.push(["measured", h("span", {}, h("b", {}, timeText(trial.median_us)), ` middle half ${timeText(trial.low_us!)} to ${timeText(trial.high_us!)}`)]);
      if (trial.predicted_us !== null) rows.push(["predicted", `${timeText(trial.predicted_us)}${trial.limiter ? `, limited by ${trial.limiter}` : ""}`]);
      if (trial.registers !== null) rows.push(["registers", `${trial.registers}${trial.spill_bytes ? `, ${trial.spill_bytes} B spilled` : ", no spills"}`]);
      if (trial.occupancy !== null) rows.push(["occupancy", `${Math.round(100 * trial.occupancy)} %`]);
      if (trial.reason) rows.push([trial.status, h("span", { class: "kw-warn" }, trial.reason)]);
      const off = view.state === "running" ? "once the search has ended" : !host.ask ? host.reason ?? "needs a running kernel: call explore()" : picked === view.best ? "this is the fastest" : trial.status === "refused" ? "a refused candidate is never built" : "";
      parts.push(h("section", {}, h("h3", {}, h("b", {}, picked === view.best ? "the fastest" : `trial ${picked + 1}`), ` of ${view.trials.length}`), list(rows),
        h("div", { class: "kw-row" }, h("button", { type: "button", disabled: !!off, title: off, onclick: () => void ask("compare", { trial: picked }) }, "compare its code with the fastest"), off ? h("small", { class: "kw-soft" }, off) : null)));
    } else parts.push(h("section", { class: "kw-soft" }, "Pick a trial: click it, or ", h("kbd", {}, "↓"), h("kbd", {}, "↑")));
    if (view.reasons.length) parts.push(h("section", {}, h("h3", {}, h("b", {}, "Why not measured?")), h("div", { class: "kw-reasons" },
      ...view.reasons.slice(0, 12).flatMap((each) => [h("div", { class: "kw-dt" }, `${each.count} ×`), h("div", { class: "kw-dd" }, h("span", { class: "kw-soft" }, `${each.status} `), each.reason)]))));
    return parts;
  }

  function draw(): void {
    const xs = logAxis(view.trials.map((trial) => trial.predicted_us ?? 0), 1.05, Math.max(2, Math.floor(width / 84))), ys = logAxis(view.trials.map((trial) => trial.median_us ?? 0), 1.05);
    const px = (value: number) => LEFT + (width - LEFT - RIGHT) * xs.at(value), py = (value: number) => TOP + (HEIGHT - TOP - FOOT) * (1 - ys.at(value));
    const svg = s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `${view.trials.length} trials; the table has them all` });
    svg.append(s("rect", { class: "kw-frame", x: LEFT, y: TOP, width: width - LEFT - RIGHT, height: HEIGHT - TOP - FOOT }),
      ...xs.ticks.map((tick) => s("text", { class: "kw-tick", x: px(tick), y: HEIGHT - FOOT + 14 }, timeText(tick))),
      ...ys.ticks.flatMap((tick) => [s("line", { class: "kw-rule", x1: LEFT, x2: width - RIGHT, y1: py(tick), y2: py(tick) }), s("text", { class: "kw-tick kw-end", x: LEFT - 6, y: py(tick) + 4 }, timeText(tick))]),
      s("text", { class: "kw-tick", x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 4 }, "predicted"), s("text", { class: "kw-tick kw-end", x: LEFT - 6, y: TOP - 8 }, "measured"),
      s("text", { class: "kw-tick kw-begin", x: LEFT + 4, y: TOP - 8 }, view.trials.some((trial) => trial.median_us === null) ? "not measured:" : ""));
    const low = Math.max(xs.low, ys.low), high = Math.min(xs.high, ys.high);
    if (low < high) svg.append(s("line", { class: "kw-even", x1: px(low), y1: py(low), x2: px(high), y2: py(high) }));
    places = view.trials.map((trial) => {
      if (trial.predicted_us === null) return null;
      return [px(trial.predicted_us), trial.median_us === null ? TOP - 10 : py(trial.median_us)];
    });
    // failures and what was not measured have no height: they stand above the plot
    view.trials.forEach((trial, k) => {
      const at = places[k];
      if (!at) return;
      const [x, y] = at;
      const shape = trial.median_us !== null ? s("circle", { cx: x, cy: y, r: 4 }) : trial.status === "failed" ? s("path", { d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` }) : s("path", { d: `M${x} ${y - 4}l4 4l-4 4l-4 -4z` });
      shape.classList.add(`kw-${trial.status}`);
      shape.dataset["trial"] = String(k);
      shape.append(s("title", {}, `${nameOf(trial)}: ${trial.median_us === null ? `${trial.status}, ${trial.reason}` : timeText(trial.median_us)}`));
      svg.append(shape);
      if (k === view.best) svg.append(s("circle", { class: "kw-best", cx: x, cy: y, r: 8 }));
    });
    if (brush) svg.append(s("rect", { class: "kw-brush", x: brush.x0, y: brush.y0, width: brush.x1 - brush.x0, height: brush.y1 - brush.y0 }));
    plot.replaceChildren(svg);
  }

  function rows(): void {
    const all = columns(), shown = order();
    const head = all.map((column) => {
      const own = column.name === sort.column;
      return h("th", { scope: "col", class: column.right ? "kw-right" : "", "aria-sort": own ? (sort.down ? "descending" : "ascending") : "none" },
        h("button", { type: "button", class: "kw-head", onclick: () => { sort = { column: column.name, down: own && !sort.down }; rows(); mark(); (twin.querySelectorAll(".kw-head")[all.indexOf(column)] as HTMLElement).focus(); } }, column.name, own ? (sort.down ? " ↓" : " ↑") : ""));
    });
    twin.replaceChildren(h("table", { role: "grid", "aria-label": "Trials" }, h("thead", {}, h("tr", {}, ...head)),
      h("tbody", {}, ...shown.slice(0, ROWS).map((k) => h("tr", { "data-trial": k, "aria-selected": "false", onclick: () => pick(k) },
        ...all.map((column) => h("td", { class: column.right ? "kw-right" : "" }, column.cell(view.trials[k]!, k))))))),
    ...(shown.length > ROWS ? [h("p", { class: "kw-soft" }, `The first ${ROWS} of ${shown.length}; a brush narrows them.`)] : []));
  }

  function show(): void {
    clear.hidden = !brush;
    draw();
    rows();
    mark();
  }

  function listen(): void {
    let from: [number, number] | null = null;
    const at = (event: PointerEvent): [number, number] => {
      const box = plot.querySelector("svg")!.getBoundingClientRect();
      return [(event.clientX - box.x) / box.width * width, (event.clientY - box.y) / box.height * HEIGHT];
    };
    plot.addEventListener("pointerdown", (event) => { from = at(event); });
    plot.addEventListener("pointermove", (event) => {
      if (!from || !(event.buttons & 1)) return;
      const to = at(event);
      if (Math.abs(to[0] - from[0]) + Math.abs(to[1] - from[1]) < 6) return;
      brush = { x0: Math.min(from[0], to[0]), x1: Math.max(from[0], to[0]), y0: Math.min(from[1], to[1]), y1: Math.max(from[1], to[1]) };
      draw();
      mark();
    });
    plot.addEventListener("pointerup", (event) => {
      const moved = from && Math.hypot(at(event)[0] - from[0], at(event)[1] - from[1]) >= 6;
      from = null;
      if (moved) return show();
      const own = (event.target as Element).closest<SVGElement>("[data-trial]")?.dataset["trial"];
      if (own !== undefined) pick(Number(own), true);
      else if (brush) { brush = null; show(); }
    });
  }

  function update(next: TuneView): void {
    view = next;
    // a trial is the same by what it chose: the order changes when the search ends
    picked = pinned ? view.trials.findIndex((trial) => nameOf(trial) === pinned) : -1;
    if (brush && view.state === "running") brush = null;
    title.textContent = view.name;
    const best = view.trials[view.best];
    summary.textContent = [`${view.target} on ${view.device}`, `${view.done} tried in ${view.seconds.toFixed(1)} s`, best ? `fastest ${timeText(best.median_us!)}` : "", view.stopped, view.note].filter(Boolean).join("  ·  ");
    run.hidden = view.state !== "running";
    bar.max = Math.max(1, view.planned);
    bar.value = view.done;
    pace.textContent = `${view.done} of ${view.planned}${view.left_s === null ? "" : `, about ${view.left_s.toFixed(0)} s left`}`;
    stop.disabled = !host.ask;
    show();
  }

  update(first);
  return {
    update,
    select: (selection: Selection) => { const k = selection.trial ?? -1; if (k !== picked) { picked = k; pinned = nameOf(view.trials[k]); mark(); } },
    dispose: () => { stopTheme(); resize.disconnect(); root.remove(); },
  };
}

function list(rows: [string, string | Node][]): HTMLElement {
  return h("div", { class: "kw-ops" }, ...rows.flatMap(([name, value]) => [h("div", { class: "kw-dt" }, name), h("div", { class: "kw-dd" }, value)]));
}
