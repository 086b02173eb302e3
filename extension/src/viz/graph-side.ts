// What stands beside the graph: a kernel's parts, a tensor and its reason, and what a cut changes.

import { h } from "./dom";
import type { Change, EdgeView, GraphView, GroupView, KernelChange, WhatIf } from "./types";

/** What the side panel can set off; without a kernel behind the page `ask` is missing. */
export interface SideActions {
  ask?: (type: string, request: Record<string, unknown>) => void;
  reason?: string;
  edge(index: number): void;
  busy: boolean;
}

const NO_KERNEL = "needs a running kernel: call explore()";
const SHOWN = 12;

export const isKernel = (view: GraphView, group: GroupView | undefined): boolean => !!group && view.nodes[group.nodes[0]!]!.group >= 0;

/** Whether a tensor stays inside its kernel. */
export function isInner(view: GraphView, edge: EdgeView): boolean {
  const a = view.nodes[edge.source], b = view.nodes[edge.target];
  return !!a && !!b && a.group >= 0 && a.group === b.group;
}

export function kernelPart(view: GraphView, group: GroupView, actions: SideActions): HTMLElement[] {
  const at = view.groups.indexOf(group), kernels = view.groups.filter((each) => isKernel(view, each));
  const reads = view.stored.filter((edge) => edge.target === at).map((edge) => edge.tensor);
  const gives = [...new Set(view.stored.filter((edge) => edge.source === at).map((edge) => edge.tensor))];
  const inner = view.edges.map((edge, k) => [edge, k] as const).filter(([edge]) => isInner(view, edge) && view.nodes[edge.source]!.group === group.number);
  const origin = [...new Set(group.nodes.flatMap((k) => view.nodes[k]!.origin.split(", ")).filter(Boolean))];
  const rows: [string, string | Node][] = group.nodes.map((k) => {
    const node = view.nodes[k]!;
    return [node.role, h("span", {}, node.name, " ", h("small", {}, node.detail))];
  });
  if (reads.length) rows.push(["reads", listed(reads)]);
  if (gives.length) rows.push(["gives", listed(gives)]);
  rows.push(["moves", group.moved]);
  if (group.saved) rows.push(["saved", h("span", { class: "kw-good" }, group.saved)]);
  if (origin.length) rows.push(["from nodes", listed(origin)]);
  return [h("section", {},
    h("h3", {}, h("b", {}, group.name), ` kernel ${kernels.indexOf(group) + 1} of ${kernels.length}`),
    pairs(rows),
    h("div", { class: "kw-row" }, action("program", "Its texts, schedule and predicted time", actions, () => actions.ask?.("program", { number: group.number, cut: true })))),
  ...(inner.length ? [h("section", {}, h("h3", {}, h("b", {}, "Inside, never stored")),
    h("div", { class: "kw-list" }, ...inner.slice(0, SHOWN).map(([edge, k]) => h("button", { type: "button", class: "kw-link", onclick: () => actions.edge(k) }, edge.tensor)),
      inner.length > SHOWN ? h("span", { class: "kw-soft" }, `and ${inner.length - SHOWN} more, in the operators`) : null))] : [])];
}

export function edgePart(view: GraphView, edge: EdgeView, actions: SideActions): HTMLElement {
  const a = view.nodes[edge.source]!, b = view.nodes[edge.target]!;
  const cut = view.what_if?.values.includes(edge.value) ?? false, inner = isInner(view, edge);
  const reason = edge.reason ? view.reasons[edge.reason - 1]! : a.role === "input" ? "it is an input of the graph" : b.role === "output" ? "it is an output of the graph" : "";
  const state = !view.groups.length ? "kernels are not fused yet: optimize() first" : cut ? "stored, since you cut it here" : inner ? "stays inside its kernel" : `stored: ${reason || "its kernels are apart"}`;
  const why = !view.groups.length ? "nothing is fused" : !cut && !inner ? "a rule keeps these kernels apart; it cannot be overruled" : "";
  const values = view.what_if?.values ?? [];
  const toggle = action(cut ? "fuse it again" : "what if it were stored?", why, actions, () => actions.ask?.("cut", { values: cut ? values.filter((v) => v !== edge.value) : [...values, edge.value] }), !!why);
  return h("section", {}, h("h3", {}, h("b", {}, edge.tensor)),
    pairs([["from", `${a.name}${a.origin ? `, ${a.origin}` : ""}`], ["to", `${b.name}${b.origin ? `, ${b.origin}` : ""}`], ["state", state]]),
    h("div", { class: "kw-row" }, toggle, why ? h("small", { class: "kw-soft" }, why) : null));
}

export function whatIfPart(told: WhatIf, actions: SideActions): HTMLElement {
  return h("section", { class: "kw-what-if" }, h("h3", {}, h("b", {}, "What if"), `${told.values.length === 1 ? "this tensor" : `these ${told.values.length} tensors`} were stored`),
    h("div", { class: "kw-list" }, ...told.tensors.map((tensor, k) => h("div", { class: "kw-row" }, h("code", {}, tensor),
      action("undo", "", actions, () => actions.ask?.("cut", { values: told.values.filter((_, other) => other !== k) }))))),
    figures(told.changes),
    h("div", { class: "kw-list" }, ...told.kernels.slice(0, 2 * SHOWN).map((kernel) => kernelLine(kernel, actions)),
      told.kernels.length > 2 * SHOWN ? h("span", { class: "kw-soft" }, `and ${told.kernels.length - 2 * SHOWN} more`) : null));
}

function kernelLine(kernel: KernelChange, actions: SideActions): HTMLElement {
  const sign = kernel.new ? "+" : "−";
  return h("button", { type: "button", class: `kw-link ${kernel.new ? "kw-good" : "kw-gone"}`, disabled: !actions.ask || actions.busy,
    title: actions.ask ? "Show its program" : actions.reason ?? NO_KERNEL, onclick: () => actions.ask?.("program", { number: kernel.group, cut: kernel.new }) },
    `${sign} ${kernel.name} `, h("small", {}, `${kernel.moved}, ${kernel.new ? "comes" : "goes"}`));
}

function figures(changes: Change[]): HTMLElement {
  return pairs(changes.map((change) => [change.label, h("span", {}, `${change.before} → `, h("b", {}, change.after))]));
}

export function reasonsPart(view: GraphView, near: EdgeView[]): HTMLElement | null {
  const counts = new Map<number, EdgeView[]>();
  for (const edge of near) if (edge.reason) counts.set(edge.reason, [...(counts.get(edge.reason) ?? []), edge]);
  if (!counts.size) return null;
  return h("section", {}, h("h3", {}, h("b", {}, "Why not fewer kernels?")),
    h("div", { class: "kw-reasons" }, ...[...counts].sort((a, b) => a[0] - b[0]).slice(0, 2 * SHOWN).flatMap(([number, edges]) => [
      h("div", { class: "kw-dt" }, String(number)),
      h("div", { class: "kw-dd" }, view.reasons[number - 1]!, h("span", { class: "kw-soft" }, edges.length > 1 ? `  ${edges.length} tensors` : `  ${edges[0]!.tensor}`))])));
}

function pairs(rows: [string, string | Node][]): HTMLElement {
  return h("div", { class: "kw-ops" }, ...rows.flatMap(([name, said]) => [h("div", { class: "kw-dt" }, name), h("div", { class: "kw-dd" }, said)]));
}

function listed(names: string[]): string {
  return names.slice(0, SHOWN).join(", ") + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "");
}

function action(label: string, title: string, actions: SideActions, run: () => void, off = false): HTMLButtonElement {
  return h("button", { type: "button", disabled: off || !actions.ask || actions.busy, title: actions.ask ? title : actions.reason ?? NO_KERNEL, onclick: run }, label);
}
