// Any view, by its kind: for who has a view and does not know which (the notebook renderer, a page
// that was exported). Widgets import their own drawing only, to stay small.

import type { Drawing, Host, Render } from "./drawing";
import { h } from "./dom";
import { renderGraph } from "./graph";
import { renderMapping } from "./mapping";
import { renderPasses } from "./passes";
import { renderProgram } from "./program";
import { renderTiming } from "./timing";
import { renderTune } from "./tune";
import { withTools } from "./tools";
import { VERSIONS, type View } from "./types";

const DRAWINGS: Record<string, Render<any>> = {
  graph: renderGraph, mapping: renderMapping, passes: renderPasses, program: renderProgram, timing: renderTiming, tune: renderTune,
};

/** What is said in place of a view that this screen cannot draw; empty where it can. */
export function refusal(view: unknown, drawings: Record<string, unknown> = DRAWINGS): string {
  const { kind, version } = (view ?? {}) as { kind?: unknown; version?: unknown };
  if (typeof kind !== "string" || typeof version !== "number") return "This is not a view of kernel-workbench.";
  if (!Object.hasOwn(drawings, kind)) return `This screen has no drawing for a ${kind} view.`;
  if (version > (VERSIONS[kind] ?? 0)) return `This ${kind} view has version ${version}, which this screen does not know. Update kernel-workbench.`;
  return version < (VERSIONS[kind] ?? 0) ? `This ${kind} view was saved by an older version (${version}). Run its cell again.` : "";
}

/** Draw a view, with the row of tools under it; one that cannot be drawn is said so, with its text twin where there is one. */
export function draw(el: HTMLElement, view: View, host: Host = {}, twin = ""): Drawing<View> {
  const why = refusal(view);
  if (!why) return guarded(el, () => withTools(DRAWINGS[view.kind]!, el, view, host) as Drawing<View>, `This ${view.kind} view is damaged and cannot be drawn.`, twin);
  el.replaceChildren(refused(why, twin));
  return { update: () => {}, select: () => {}, dispose: () => el.replaceChildren() };
}

/** A view may come from anywhere: one that no drawing can be made of must not take the notebook around it along. */
function guarded(el: HTMLElement, make: () => Drawing<View>, why: string, twin: string): Drawing<View> {
  let drawn: Drawing<View> | null = null;
  const tried = (act: () => void): void => {
    try { act(); } catch (error) {
      console.error(error);
      el.replaceChildren(refused(why, twin));
    }
  };
  tried(() => { drawn = make(); });
  return { update: (next) => tried(() => drawn?.update(next)), select: (chosen) => tried(() => drawn?.select(chosen)), dispose: () => { tried(() => drawn?.dispose()); el.replaceChildren(); } };
}

export function refused(why: string, twin = ""): HTMLElement {
  return h("div", { class: "kw kw-refused", role: "group", "aria-label": "View" },
    h("div", { class: "kw-problem", role: "note" }, why), twin && h("pre", { class: "kw-twin-text" }, twin));
}
