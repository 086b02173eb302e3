// The graph screen: operators before fusion, kernels after; a kernel's parts, and why it is not larger.

import { h, s, table } from "./dom";
import { followTheme } from "./theme";
import type { Drawing, Host } from "./drawing";
import type { Box, EdgeView, GraphView, GroupView, NodeView } from "./types";

const ROW = 24, PAD = 9;

export function renderGraph(el: HTMLElement, first: GraphView, host: Host = {}): Drawing<GraphView> {
  let view = first, fused = true, asTable = false, picked = -1;
  let drawn: { groups: SVGElement[]; edges: SVGElement[] } = { groups: [], edges: [] };
  const title = h("span", { class: "kw-title" }), summary = h("span", { class: "kw-soft" });
  const before = h("button", { type: "button", onclick: () => { fused = false; show(); } }, "operators");
  const after = h("button", { type: "button", onclick: () => { fused = true; show(); } }, "kernels");
  const flip = h("button", { type: "button", onclick: () => toggleTable() }, h("kbd", {}, "t"), " table");
  const legend = h("h3", {}), map = h("div", { class: "kw-map", tabindex: "0", role: "group", "aria-label": "Graph" });
  const twin = h("div", { class: "kw-scroll kw-tall", tabindex: "0", role: "region", "aria-label": "Table of kernels" });
  const note = h("div", { class: "kw-note" }), side = h("div", { class: "kw-side" });
  const foot = h("div", { class: "kw-foot" }), said = h("span", { class: "kw-hidden", "aria-live": "polite" });
  const root = h("div", { class: "kw kw-graph", role: "group", "aria-label": "Flow graph" },
    h("div", { class: "kw-bar" }, title, summary, h("div", { class: "kw-tabs" }, before, after, flip)),
    h("div", { class: "kw-body" }, h("div", { class: "kw-stage" }, legend, map, twin, note), side), foot, said);
  el.replaceChildren(root);
  const stopTheme = followTheme(root, () => {});
  const resize = new ResizeObserver(fit);
  resize.observe(map);
  root.addEventListener("keydown", onKey);
  drag(map);

  const kernel = (group: GroupView): boolean => view.nodes[group.nodes[0]!]!.group >= 0;

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by && fused && view.groups.length) step(by);
    else if (event.key === "t") toggleTable();
    else if (event.key === "Escape") pick(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function step(by: number): void {
    for (let k = picked < 0 ? (by > 0 ? 0 : view.groups.length - 1) : picked + by; k >= 0 && k < view.groups.length; k += by)
      if (kernel(view.groups[k]!)) return pick(k, true);
  }

  function pick(group: number, follow = false): void {
    picked = group;
    mark();
    host.selected?.({ group });
    const box = view.groups[group]?.box;
    if (follow && box) map.scrollTo({ left: box.x - map.clientWidth / 2 + box.width / 2, top: box.y - map.clientHeight / 2 + box.height / 2 });
    said.textContent = view.groups[group] ? `kernel ${view.groups[group]!.name}` : "";
  }

  function mark(): void {
    drawn.groups.forEach((node, k) => node.classList.toggle("kw-on", k === picked));
    drawn.edges.forEach((node, k) => {
      const edge = view.stored[k];
      node.classList.toggle("kw-off", fused && picked >= 0 && !!edge && edge.source !== picked && edge.target !== picked);
    });
    root.dataset["group"] = String(picked);
    side.replaceChildren(...sideOf());
  }

  function toggleTable(): void { asTable = !asTable; show(); (asTable ? twin : map).focus(); }

  function sideOf(): HTMLElement[] {
    const group = fused ? view.groups[picked] : undefined;
    const near = view.stored.filter((edge) => edge.reason && (!group || edge.source === picked || edge.target === picked));
    const counts = new Map<number, EdgeView[]>();
    for (const edge of near) counts.set(edge.reason, [...(counts.get(edge.reason) ?? []), edge]);
    const parts: HTMLElement[] = [];
    if (group) {
      const reads = view.stored.filter((edge) => edge.target === picked).map((edge) => edge.tensor);
      const gives = view.stored.find((edge) => edge.source === picked)?.tensor;
      const kernels = view.groups.filter(kernel);
      parts.push(h("section", {},
        h("h3", {}, h("b", {}, group.name), ` kernel ${kernels.indexOf(group) + 1} of ${kernels.length}`),
        h("div", { class: "kw-ops" }, ...group.nodes.flatMap((k) => {
          const node = view.nodes[k]!;
          return [h("div", { class: "kw-dt" }, node.role), h("div", { class: "kw-dd" }, node.name, " ", h("small", {}, node.detail), node.origin ? h("small", {}, ` from ${node.origin}`) : "")];
        }),
          ...(reads.length ? [h("div", { class: "kw-dt" }, "reads"), h("div", { class: "kw-dd" }, reads.join(", "))] : []),
          ...(gives ? [h("div", { class: "kw-dt" }, "gives"), h("div", { class: "kw-dd" }, gives)] : []),
          ...(group.moved ? [h("div", { class: "kw-dt" }, "moves"), h("div", { class: "kw-dd" }, group.moved)] : []))));
    } else if (fused && view.groups.length) {
      parts.push(h("section", {}, h("h3", {}, "Pick a kernel: click it, or ", h("kbd", {}, "←"), h("kbd", {}, "→"))));
    }
    if (fused && counts.size) parts.push(h("section", {}, h("h3", {}, h("b", {}, "Why not fewer kernels?")),
      h("div", { class: "kw-reasons" }, ...[...counts].sort((a, b) => a[0] - b[0]).flatMap(([number, edges]) => [
        h("div", { class: "kw-dt" }, String(number)),
        h("div", { class: "kw-dd" }, view.reasons[number - 1]!, h("span", { class: "kw-soft" }, edges.length > 1 ? `  ${edges.length} tensors` : `  ${edges[0]!.tensor}`))]))));
    return parts;
  }

  function show(): void {
    fused &&= view.groups.length > 0;
    const size = fused ? view.after : view.before;
    const listed = asTable || !size.width;
    map.hidden = listed;
    twin.hidden = !listed;
    side.hidden = !fused;
    before.setAttribute("aria-pressed", String(!fused));
    after.setAttribute("aria-pressed", String(fused));
    after.disabled = !view.groups.length;
    flip.setAttribute("aria-pressed", String(asTable));
    legend.textContent = fused ? "shade = one kernel · thick outline = anchor · dashed = a stored tensor, with its reason" : "one box = one operator";
    if (listed) twin.replaceChildren(tableOf());
    else draw(size);
    mark();
  }

  function tableOf(): HTMLTableElement {
    if (!fused) return table("Operators", ["operator", "gives", "from"], view.nodes.map((node) => [node.name, node.detail, node.origin]));
    return table("Kernels", ["kernel", "operators, anchor in brackets", "moved"], view.groups.filter(kernel).map((group) =>
      [group.name, group.nodes.map((k) => view.nodes[k]!).map((n) => n.role === "anchor" ? `[${n.name}]` : n.name).join(" "), group.moved]));
  }

  function draw(size: Box): void {
    const width = size.width + 8, height = size.height + 8;
    const svg = s("svg", { width, height, viewBox: `-4 -4 ${width} ${height}`, role: "img", "aria-label": `${view.name}: ${view.summary}` });
    svg.append(arrows());
    const groups = fused ? view.groups.map((group, k) => groupOf(group, k)) : view.nodes.map((node) => nodeOf(node, node.box));
    const edges = (fused ? view.stored : view.edges).map(edgeOf);
    svg.append(...groups, ...edges);
    drawn = { groups, edges };
    map.replaceChildren(svg);
    fit();
  }

  /** A graph that nearly fits is shown whole; a longer one keeps its size and scrolls. */
  function fit(): void {
    const svg = map.querySelector("svg");
    if (!svg) return;
    const room = map.clientWidth / Number(svg.getAttribute("width"));
    const whole = room < 1 && room > 0.62;
    svg.style.width = whole ? "100%" : "";
    svg.style.height = whole ? "auto" : "";
  }

  function groupOf(group: GroupView, number: number): SVGElement {
    if (!kernel(group)) return nodeOf(view.nodes[group.nodes[0]!]!, group.box);
    const { x, y, width, height } = group.box;
    return s("g", { class: `kw-g${number % 4 + 1}`, "data-group": number, onclick: () => { if (!map.dataset["moved"]) pick(number === picked ? -1 : number); } },
      s("title", {}, group.name), s("rect", { class: "kw-group", x, y, width, height, rx: 9 }),
      ...group.nodes.flatMap((k, row) => {
        const node = view.nodes[k]!, top = y + PAD + row * ROW, anchor = node.role === "anchor";
        return [
          ...(anchor ? [s("rect", { class: "kw-anchor", x: x + 8, y: top + 1, width: width - 16, height: ROW - 3, rx: 5, "pointer-events": "none" })] : []),
          s("text", { class: `kw-name${anchor ? " kw-b" : ""}`, x: x + width / 2, y: top + 15.5 }, cut(node.name, 15))];
      }));
  }

  function edgeOf(edge: EdgeView): SVGElement {
    const points = pairs(edge.route);
    if (points.length < 4) return s("g");
    const d = `M${points[0]!.join(" ")}C${points.slice(1).map((point) => point.join(" ")).join(" ")}`;
    const kind = edge.reason ? "kw-why" : "kw-flow";
    const line = s("path", { class: kind, d, "marker-end": `url(#${id}-${kind})` }) as SVGPathElement;
    const { x, y } = line.getPointAtLength(line.getTotalLength() / 2), wide = 9 + 6.2 * String(edge.reason).length;
    return s("g", {}, s("title", {}, edge.reason ? `${edge.tensor}: ${view.reasons[edge.reason - 1]}` : edge.tensor),
      line,
      ...(edge.reason ? [s("rect", { class: "kw-why-dot", x: x - wide / 2, y: y - 7.5, width: wide, height: 15, rx: 7.5 }), s("text", { class: "kw-why-number", x, y: y + 3.6 }, String(edge.reason))] : []));
  }

  const id = `kw${Math.random().toString(36).slice(2, 8)}`;
  const arrows = (): SVGElement => s("defs", {}, ...[["kw-flow", "--kw-faint"], ["kw-why", "--kw-warn"]].map(([kind, ink]) =>
    s("marker", { id: `${id}-${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" },
      s("path", { d: "M0 1 7 4 0 7Z", style: `fill:var(${ink})` }))));

  function update(next: GraphView): void {
    view = next;
    picked = -1;
    title.textContent = view.name;
    summary.textContent = view.summary;
    note.textContent = view.note && `Note: ${view.note}.`;
    foot.replaceChildren(...view.changes.map((change) => h("div", { class: "kw-cell" }, h("div", { class: "kw-dt" }, change.label),
      h("div", { class: "kw-dd" }, change.before && `${change.before} → `, h("b", {}, change.after)))));
    show();
  }

  update(first);
  return {
    update,
    select: (selection) => { picked = selection.group ?? -1; mark(); },
    dispose: () => { stopTheme(); resize.disconnect(); root.remove(); },
  };
}

function nodeOf(node: NodeView, box: Box): SVGElement {
  const middle = box.x + box.width / 2;
  return s("g", {}, s("title", {}, `${node.role} ${node.name}: ${node.detail}${node.origin ? ` from ${node.origin}` : ""}`),
    s("rect", { class: "kw-node", x: box.x, y: box.y, width: box.width, height: box.height, rx: 6 }),
    s("text", { class: "kw-name", x: middle, y: box.y + 16 }, cut(node.name, 15)),
    s("text", { class: "kw-detail", x: middle, y: box.y + 29 }, cut(node.detail.replace(/\].*/s, "]").replaceAll(", ", ","), 18)));
}

const cut = (text: string, most: number): string => text.length > most ? `${text.slice(0, most - 1)}…` : text;

function pairs(route: number[]): [number, number][] {
  return Array.from({ length: route.length / 2 }, (_, k) => [route[2 * k]!, route[2 * k + 1]!]);
}

/** Drag to pan; a click that moved is no click. */
function drag(map: HTMLElement): void {
  let from: [number, number, number, number] | null = null;
  map.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY, map.scrollLeft, map.scrollTop]; delete map.dataset["moved"]; });
  map.addEventListener("pointermove", (event) => {
    if (!from || !(event.buttons & 1)) return;
    const dx = event.clientX - from[0], dy = event.clientY - from[1];
    if (Math.abs(dx) + Math.abs(dy) < 4 && !map.dataset["moved"]) return;
    map.dataset["moved"] = "yes";
    map.scrollTo(from[2] - dx, from[3] - dy);
  });
  map.addEventListener("pointerup", () => { from = null; });
}
