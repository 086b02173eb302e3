// The graph screen: operators before fusion, kernels after; find, walk, ask what a cut would change.

import { h, s, table } from "./dom";
import { GraphMap, type Item, type Link, type Spot } from "./graph-map";
import { edgePart, isInner, isKernel, kernelPart, reasonsPart, whatIfPart, type SideActions } from "./graph-side";
import { renderProgram } from "./program";
import { followTheme } from "./theme";
import type { Drawing, Host, Problem, Selection } from "./drawing";
import type { Box, EdgeView, GraphView, GroupView, NodeView, ProgramView } from "./types";

const ROW = 24, PAD = 9, TABLE_ROWS = 400;

/**
 * Draw a graph. Python is asked for a `cut` (of tensors, `values`), a `program` (of the kernel
 * `number`, with the cuts or without) and another `window` (of operators from `first`).
 */
export function renderGraph(el: HTMLElement, first: GraphView, host: Host = {}): Drawing<GraphView> {
  let view = first, fused = true, asTable = false, waiting = false;
  let picked: Spot = { box: -1, edge: -1 };
  let matches: number[] = [], match = -1, walk: { from: number; forward: boolean } | null = null;
  let opened: Drawing<ProgramView> | null = null;

  const title = h("span", { class: "kw-title" }), summary = h("span", { class: "kw-soft" });
  const find = h("input", { type: "search", class: "kw-find", placeholder: "find a node or tensor", "aria-label": "Find a node or tensor", oninput: () => search(0), onkeydown: onFind });
  const found = h("span", { class: "kw-soft kw-count", "aria-live": "polite" });
  const before = button("operators", () => { fused = false; picked = { box: -1, edge: -1 }; show(); });
  const after = button("kernels", () => { fused = true; picked = { box: -1, edge: -1 }; show(); });
  const flip = h("button", { type: "button", onclick: () => toggleTable() }, h("kbd", {}, "t"), " table");
  const zooms = h("div", { class: "kw-zooms", role: "group", "aria-label": "Zoom" },
    tool("−", "Smaller (-)", () => map.zoom(1 / 1.4)), tool("+", "Larger (+)", () => map.zoom(1.4)), tool("all", "The whole (0)", () => map.fit()));
  const legend = h("h3", {}), note = h("div", { class: "kw-note" });
  const twin = h("div", { class: "kw-scroll kw-tall", tabindex: "0", role: "region", "aria-label": "Table of kernels" });
  const map = new GraphMap("Graph", arrows(), (spot) => pick(same(spot) ? { box: -1, edge: -1 } : spot), dress);
  const more = h("div", { class: "kw-row" }), fault = h("div", { class: "kw-error", role: "alert" });
  const side = h("div", { class: "kw-side" }), program = h("div", { class: "kw-below" });
  const foot = h("div", { class: "kw-foot" }), said = h("span", { class: "kw-hidden", "aria-live": "polite" });
  const root = h("div", { class: "kw kw-graph", role: "group", "aria-label": "Flow graph" },
    h("div", { class: "kw-bar" }, title, summary, h("div", { class: "kw-tabs" }, find, found, before, after, flip)),
    h("div", { class: "kw-body" }, h("div", { class: "kw-stage" }, h("div", { class: "kw-row kw-top" }, legend, zooms), map.el, map.strip, twin, note, more, fault), side),
    program, foot, said);
  el.replaceChildren(root);
  const stopTheme = followTheme(root, () => { if (map) map.redress(); });
  root.addEventListener("keydown", onKey);

  const actions = (): SideActions => ({ ask: host.ask && ask, reason: host.reason, busy: waiting, edge: (k) => { fused = false; show(); pick({ box: -1, edge: k }, true); } });
  const same = (spot: Spot): boolean => spot.box === picked.box && spot.edge === picked.edge;
  const boxOf = (k: number): Box => (fused ? view.groups[k]! : view.nodes[k]!).box;
  const count = (): number => (fused ? view.groups : view.nodes).length;
  const lines = (): EdgeView[] => (fused ? view.stored : view.edges);

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === find) return;
    const steps: Record<string, () => void> = {
      ArrowRight: () => along(true), ArrowLeft: () => along(false), ArrowDown: () => beside(1), ArrowUp: () => beside(-1),
      Home: () => pick({ box: 0, edge: -1 }, true), End: () => pick({ box: count() - 1, edge: -1 }, true),
      t: toggleTable, "/": () => find.focus(), "+": () => map.zoom(1.4), "=": () => map.zoom(1.4), "-": () => map.zoom(1 / 1.4), "0": () => map.fit(),
      Escape: () => pick({ box: -1, edge: -1 }),
    };
    const arrow = event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End";
    if (!steps[event.key] || (arrow && (asTable || !map.el.contains(event.target as Node)))) return;
    steps[event.key]!();
    event.preventDefault();
    event.stopPropagation();
  }

  /** Along an edge; from nowhere to the first kernel, or the last. */
  function along(forward: boolean): void {
    const from = picked.edge >= 0 ? (forward ? lines()[picked.edge]!.source : lines()[picked.edge]!.target) : picked.box;
    if (from < 0) {
      const all = Array.from({ length: count() }, (_, k) => k).filter((k) => !fused || isKernel(view, view.groups[k]));
      return pick({ box: (forward ? all[0] : all.at(-1)) ?? -1, edge: -1 }, true);
    }
    const next = neighbours(from, forward)[0];
    if (next === undefined) return;
    walk = { from, forward };
    pick({ box: next, edge: -1 }, true);
  }

  /** To another box that the edge before could have led to. */
  function beside(by: number): void {
    if (!walk || picked.box < 0) return;
    const others = neighbours(walk.from, walk.forward), at = others.indexOf(picked.box);
    const next = others[(at + by + others.length) % others.length];
    const kept = walk;
    if (next !== undefined) pick({ box: next, edge: -1 }, true);
    walk = kept;
  }

  function neighbours(box: number, forward: boolean): number[] {
    const near = lines().filter((edge) => (forward ? edge.source : edge.target) === box).map((edge) => (forward ? edge.target : edge.source));
    return [...new Set(near)].sort((a, b) => boxOf(a).y - boxOf(b).y);
  }

  function pick(spot: Spot, follow = false): void {
    if (!walk || walk.from !== picked.box) walk = null;
    picked = spot;
    mark();
    host.selected?.(selection());
    if (follow && spot.box >= 0 && count() > spot.box) map.reveal(boxOf(spot.box));
    const edge = lines()[spot.edge];
    if (follow && edge) map.reveal(middle(edge));
    said.textContent = spot.box >= 0 ? (fused ? `${isKernel(view, view.groups[spot.box]) ? "kernel" : ""} ${view.groups[spot.box]!.name}` : `${view.nodes[spot.box]!.role} ${view.nodes[spot.box]!.name}`) : edge ? `tensor ${edge.tensor}` : "";
  }

  /** The view stays as it is until there is an answer; a new one comes before the reply. */
  async function ask(type: string, request: Record<string, unknown>): Promise<void> {
    busy(true);
    const reply = await host.ask!(type, request);
    if (reply.late) return;
    busy(false);
    fail(reply.problem);
    if (!reply.problem) showProgram((reply.answer["program"] as ProgramView | undefined) ?? null);
  }

  function fail(problem: Problem | null): void {
    fault.replaceChildren(...(problem ? [problem.message, h("span", { class: "kw-soft" }, problem.hint)] : []));
  }

  function selection(): Selection {
    const group = fused ? picked.box : picked.box >= 0 ? view.groups.findIndex((each) => each.nodes.includes(picked.box)) : -1;
    return { group, node: fused ? -1 : picked.box, edge: fused ? whichEdge(view.stored[picked.edge]) : picked.edge };
  }

  /** The operators' edge that a kernels' edge stands for. */
  function whichEdge(stored: EdgeView | undefined): number {
    if (!stored) return -1;
    const [a, b] = [view.groups[stored.source]!.nodes, view.groups[stored.target]!.nodes];
    return view.edges.findIndex((edge) => edge.value === stored.value && edge.tensor === stored.tensor && a.includes(edge.source) && b.includes(edge.target));
  }

  function mark(): void {
    map.redress();
    const group = fused ? picked.box : -1;
    root.dataset["group"] = String(group);
    side.replaceChildren(...sideOf());
  }

  function dress(kind: "box" | "edge", index: number, node: SVGElement): void {
    if (kind === "box") {
      node.classList.toggle("kw-on", index === picked.box);
      node.classList.toggle("kw-hit", hits(index));
      return;
    }
    const edge = lines()[index]!, near = edge.source === picked.box || edge.target === picked.box;
    node.classList.toggle("kw-on", index === picked.edge);
    node.classList.toggle("kw-off", picked.box >= 0 && !near);
  }

  const hits = (index: number): boolean => matches.length > 0 && (fused ? view.groups[index]!.nodes : [index]).some((k) => matchSet.has(k));
  let matchSet = new Set<number>();

  function search(step: number): void {
    const words = find.value.trim().toLowerCase();
    const has = (text: string): boolean => text.toLowerCase().includes(words);
    if (!step || !words) {
      const hit = new Set<number>();
      if (words) {
        view.nodes.forEach((node, k) => { if (has(node.name) || has(node.origin) || has(node.detail)) hit.add(k); });
        view.edges.forEach((edge) => { if (has(edge.tensor)) hit.add(edge.source); });
        view.groups.forEach((group) => { if (has(group.name)) hit.add(group.nodes[0]!); });
      }
      matches = [...hit].sort((a, b) => a - b);
      matchSet = hit;
      match = matches.length ? 0 : -1;
    } else if (matches.length) match = (match + step + matches.length) % matches.length;
    found.textContent = words ? (matches.length ? `${match + 1} of ${matches.length}` : "nothing") : "";
    if (match < 0) { map.redress(); if (asTable) show(true); return; }
    const node = matches[match]!, box = fused ? view.groups.findIndex((group) => group.nodes.includes(node)) : node;
    pick({ box, edge: -1 }, true);
    if (asTable) show(true);
  }

  function onFind(event: KeyboardEvent): void {
    if (event.key === "Enter") search(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") { find.value = ""; search(0); map.el.focus(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function toggleTable(): void { asTable = !asTable; show(true); (asTable ? twin : map.el).focus(); }

  function sideOf(): HTMLElement[] {
    const act = actions(), parts: (HTMLElement | null)[] = [];
    const edge = lines()[picked.edge], group = fused ? view.groups[picked.box] : undefined, node = fused ? undefined : view.nodes[picked.box];
    const stored = edge && fused ? view.edges[whichEdge(edge)] ?? null : edge;
    if (stored) parts.push(edgePart(view, stored, act));
    else if (isKernel(view, group)) parts.push(...kernelPart(view, group!, act));
    else if (group || node) parts.push(...nodePart(node ?? view.nodes[group!.nodes[0]!]!, act));
    else parts.push(h("section", { class: "kw-soft" }, view.groups.length ? "Pick a kernel or a tensor: click it, or " : "Pick an operator: click it, or ", h("kbd", {}, "→"), " along its edges, ", h("kbd", {}, "/"), " to find it by name."));
    if (view.what_if) parts.push(whatIfPart(view.what_if, act));
    if (fused) parts.push(reasonsPart(view, picked.box < 0 ? view.stored : view.stored.filter((each) => each.source === picked.box || each.target === picked.box)));
    return parts.filter((part): part is HTMLElement => part !== null);
  }

  function nodePart(node: NodeView, act: SideActions): HTMLElement[] {
    const at = view.nodes.indexOf(node), group = view.groups.find((each) => each.number >= 0 && each.number === node.group);
    const near = view.edges.map((edge, k) => [edge, k] as const).filter(([edge]) => edge.source === at || edge.target === at).slice(0, 16);
    return [h("section", {}, h("h3", {}, h("b", {}, node.name), ` ${node.role}`), h("div", { class: "kw-ops" },
      ...[["gives", node.detail], ["from node", node.origin], ["in kernel", group?.name ?? ""]].filter(([, text]) => text).flatMap(([name, text]) => [h("div", { class: "kw-dt" }, name!), h("div", { class: "kw-dd" }, text!)]))),
    h("section", {}, h("h3", {}, h("b", {}, "Its tensors")), h("div", { class: "kw-list" }, ...near.map(([edge, k]) =>
      h("button", { type: "button", class: "kw-link", onclick: () => act.edge(k) }, edge.source === at ? "→ " : "← ", edge.tensor, h("small", {}, isInner(view, edge) ? " inside" : edge.reason ? ` stored, ${edge.reason}` : "")))))];
  }

  function show(keep = false): void {
    fused &&= view.groups.length > 0;
    map.el.hidden = asTable;
    zooms.hidden = asTable;
    if (asTable) map.strip.hidden = true;
    twin.hidden = !asTable;
    before.setAttribute("aria-pressed", String(!fused));
    after.setAttribute("aria-pressed", String(fused));
    after.disabled = !view.groups.length;
    after.title = view.groups.length ? "" : "Kernels are known once the graph is optimized and its dims have values";
    flip.setAttribute("aria-pressed", String(asTable));
    legend.textContent = fused ? "shade = one kernel · thick outline = anchor · dashed = a stored tensor, with its reason" : view.groups.length ? "one box = one operator · shade = one kernel · dashed = a stored tensor, with its reason" : "one box = one operator";
    if (asTable) twin.replaceChildren(...tableOf());
    map.show(fused ? view.groups.map(groupItem) : view.nodes.map(nodeItem), lines().map(link), fused ? view.after : view.before, `${view.name}: ${view.summary}`, keep);
    mark();
  }

  function tableOf(): HTMLElement[] {
    const words = find.value.trim(), some = <T>(all: T[]): T[] => all.slice(0, TABLE_ROWS);
    const nodes = view.nodes.filter((_, k) => !words || matchSet.has(k)), groups = view.groups.filter((group) => isKernel(view, group) && (!words || group.nodes.some((k) => matchSet.has(k))));
    const rows = fused ? groups.length : nodes.length;
    const made = fused ? table("Kernels", ["kernel", "operators, anchor in brackets", "moved"], some(groups).map((group) =>
      [group.name, group.nodes.map((k) => view.nodes[k]!).map((n) => n.role === "anchor" ? `[${n.name}]` : n.name).join(" "), group.moved]))
      : table("Operators", ["operator", "gives", "from"], some(nodes).map((node) => [node.name, node.detail, node.origin]));
    return rows > TABLE_ROWS ? [made, h("p", { class: "kw-soft" }, `The first ${TABLE_ROWS} of ${rows} rows; find narrows them.`)] : [made];
  }

  function groupItem(group: GroupView): Item {
    if (!isKernel(view, group)) return { ...nodeItem(view.nodes[group.nodes[0]!]!), box: group.box };
    const hue = group.number % 4 + 1, { x, y, width, height } = group.box;
    return { box: group.box, hue, make: () => s("g", { class: `kw-g${hue}` },
      s("title", {}, group.name), s("rect", { class: "kw-group", x, y, width, height, rx: 9 }),
      ...group.nodes.flatMap((k, row) => {
        const node = view.nodes[k]!, top = y + PAD + row * ROW, anchor = node.role === "anchor";
        return [
          ...(anchor ? [s("rect", { class: "kw-anchor", x: x + 8, y: top + 1, width: width - 16, height: ROW - 3, rx: 5, "pointer-events": "none" })] : []),
          s("text", { class: `kw-name${anchor ? " kw-b" : ""}`, x: x + width / 2, y: top + 15.5 }, cut(node.name, 15))];
      })) };
  }

  function nodeItem(node: NodeView): Item {
    const box = node.box, hue = !fused && node.group >= 0 ? node.group % 4 + 1 : 0;
    return { box, hue, make: () => nodeOf(node, fused ? view.groups.find((group) => view.nodes[group.nodes[0]!] === node && !isKernel(view, group))!.box : box, hue) };
  }

  function link(edge: EdgeView): Link {
    const cutHere = view.what_if?.values.includes(edge.value) ?? false, inner = !fused && isInner(view, edge);
    const kind = cutHere ? "kw-cut" : edge.reason ? "kw-why" : inner ? "kw-inner" : "kw-flow";
    return { route: edge.route, make: (d) => {
      const line = s("path", { class: kind, d, "marker-end": `url(#${id}-${kind})` }) as SVGPathElement;
      const text = edge.reason ? String(edge.reason) : "";
      const { x, y } = text ? line.getPointAtLength(line.getTotalLength() / 2) : { x: 0, y: 0 }, wide = 9 + 6.2 * text.length;
      return s("g", { class: "kw-edge" }, s("title", {}, edge.reason ? `${edge.tensor}: ${view.reasons[edge.reason - 1]}` : edge.tensor),
        s("path", { class: "kw-grip", d }), line,
        ...(text ? [s("rect", { class: "kw-why-dot", x: x - wide / 2, y: y - 7.5, width: wide, height: 15, rx: 7.5 }), s("text", { class: "kw-why-number", x, y: y + 3.6 }, text)] : []));
    } };
  }

  function busy(is: boolean): void { waiting = is; root.classList.toggle("kw-busy", is); if (is) fault.replaceChildren(); side.replaceChildren(...sideOf()); }

  function update(next: GraphView): void {
    const likely = next.name === view.name && next.total === view.total && next.first === view.first;
    const kept = likely && !fused ? picked : { box: -1, edge: -1 };
    const keep = likely && next !== view && !fused;
    view = next;
    picked = kept;
    title.textContent = view.name;
    summary.textContent = view.summary;
    note.textContent = view.note && `Note: ${view.note}.`;
    const span = view.nodes.filter((node) => node.role !== "input" && node.role !== "output").length;
    const go = (at: number) => void ask("window", { first: at });
    more.replaceChildren(...(span < view.total && host.ask ? [
      h("button", { type: "button", disabled: view.first === 0, onclick: () => go(Math.max(0, view.first - span)) }, "← earlier operators"),
      h("button", { type: "button", disabled: view.first + span >= view.total, onclick: () => go(view.first + span) }, "later operators →")] : []));
    foot.replaceChildren(...view.changes.map((change) => h("div", { class: "kw-cell" }, h("div", { class: "kw-dt" }, change.label),
      h("div", { class: "kw-dd" }, change.before && `${change.before} → `, h("b", {}, change.after)))));
    matches = [];
    matchSet = new Set();
    found.textContent = find.value = "";
    busy(false);
    show(keep);
  }

  function showProgram(made: ProgramView | null): void {
    opened?.dispose();
    opened = null;
    program.replaceChildren();
    if (!made) return;
    const place = h("div", {}), close = h("button", { type: "button", onclick: () => { showProgram(null); map.el.focus(); } }, "close program");
    program.append(h("div", { class: "kw-row kw-close" }, close), place);
    opened = renderProgram(place, made);
    close.scrollIntoView({ block: "nearest" });
  }

  update(first);
  return {
    update,
    select: (chosen) => {
      const wanted = selection();
      if (wanted.group === (chosen.group ?? -1) && (chosen.node === undefined || wanted.node === chosen.node) && (chosen.edge === undefined || wanted.edge === chosen.edge)) return;
      if ((chosen.edge ?? -1) >= 0 && view.edges[chosen.edge!]) { if (fused) { fused = false; show(); } picked = { box: -1, edge: chosen.edge! }; }
      else picked = { box: fused ? chosen.group ?? -1 : chosen.node ?? -1, edge: -1 };
      mark();
    },
    dispose: () => { stopTheme(); map.dispose(); opened?.dispose(); root.remove(); },
  };

  function button(label: string, run: () => void): HTMLButtonElement { return h("button", { type: "button", onclick: run }, label); }
  function tool(label: string, name: string, run: () => void): HTMLButtonElement { return h("button", { type: "button", title: name, "aria-label": name, onclick: run }, label); }
}

const id = `kw${Math.random().toString(36).slice(2, 8)}`;
const INKS = [["kw-flow", "--kw-faint"], ["kw-why", "--kw-warn"], ["kw-inner", "--kw-good"], ["kw-cut", "--kw-accent"]];
const arrows = (): SVGElement => s("defs", {}, ...INKS.map(([kind, ink]) =>
  s("marker", { id: `${id}-${kind!}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" },
    s("path", { d: "M0 1 7 4 0 7Z", style: `fill:var(${ink!})` }))));

function nodeOf(node: NodeView, box: Box, hue: number): SVGElement {
  const middle = box.x + box.width / 2, role = node.role === "anchor" && hue ? " kw-thick" : "";
  return s("g", { class: hue ? `kw-g${hue}` : "" }, s("title", {}, `${node.role} ${node.name}: ${node.detail}${node.origin ? ` from ${node.origin}` : ""}`),
    s("rect", { class: `kw-node${hue ? " kw-in" : ""}${role}`, x: box.x, y: box.y, width: box.width, height: box.height, rx: 6 }),
    s("text", { class: "kw-name", x: middle, y: box.y + 16 }, cut(node.name, 15)),
    s("text", { class: "kw-detail", x: middle, y: box.y + 29 }, cut(node.detail.replace(/\].*/s, "]").replaceAll(", ", ","), 18)));
}

const cut = (text: string, most: number): string => text.length > most ? `${text.slice(0, most - 1)}…` : text;

function middle(edge: EdgeView): Box {
  const at = Math.floor(edge.route.length / 4) * 2;
  return { x: edge.route[at] ?? 0, y: edge.route[at + 1] ?? 0, width: 1, height: 1 };
}
