// The timing screen: every sample, peers in the same run, and how near the machine's roof it is.

import { evenAxis, logAxis, timeText } from "./axis";
import { h, s, table } from "./dom";
import type { Drawing, Host } from "./drawing";
import { followTheme } from "./theme";
import type { PeerView, Roofline, TimingView } from "./types";

type Row = Pick<PeerView, "name" | "samples_us" | "median_us" | "low_us" | "high_us" | "min_us"> & { ratio: string };

const LEFT = 14, RIGHT = 14, ROW = 92, BINS = 48;

export function renderTiming(el: HTMLElement, first: TimingView, _host: Host = {}): Drawing<TimingView> {
  let view = first, bars = false, asTable = false, width = 720;
  const title = h("span", { class: "kw-title" }), median = h("b", {}), spread = h("span", { class: "kw-soft" });
  const strip = h("button", { type: "button", onclick: () => { bars = false; asTable = false; show(); } }, "samples");
  const hist = h("button", { type: "button", onclick: () => { bars = true; asTable = false; show(); } }, "histogram");
  const flip = h("button", { type: "button", onclick: () => { asTable = !asTable; show(); } }, h("kbd", {}, "t"), " table");
  const legend = h("h3", {}), stage = h("div", { class: "kw-plot" }), note = h("div", { class: "kw-note" });
  const twin = h("div", { class: "kw-scroll kw-tall", tabindex: "0", role: "region", "aria-label": "Table of samples" });
  const peers = h("div", { class: "kw-scroll kw-peers", tabindex: "0", role: "region", "aria-label": "Side by side" }), side = h("div", { class: "kw-side" });
  const conditions = h("div", { class: "kw-conditions kw-soft" });
  const root = h("div", { class: "kw kw-timing", role: "group", "aria-label": "Timing" },
    h("div", { class: "kw-bar" }, title, median, spread, h("div", { class: "kw-tabs" }, strip, hist, flip)),
    h("div", { class: "kw-body" }, h("div", { class: "kw-stage" }, legend, stage, twin, peers, note), side), conditions);
  el.replaceChildren(root);
  const stopTheme = followTheme(root, () => {});
  const resize = new ResizeObserver(() => { const room = Math.min(900, Math.max(280, stage.clientWidth)); if (stage.clientWidth && room !== width) { width = room; show(); } });
  resize.observe(stage);
  root.addEventListener("keydown", (event) => {
    if (event.key !== "t" || event.ctrlKey || event.metaKey || event.altKey) return;
    asTable = !asTable;
    show();
    event.preventDefault();
    event.stopPropagation();
  });

  const all = (): Row[] => [{ ...view, ratio: "" }, ...view.peers.map((peer) => ({ ...peer, ratio: `${peer.ratio.toFixed(2)} × (${peer.ratio_low.toFixed(2)} to ${peer.ratio_high.toFixed(2)})` }))];

  function show(): void {
    const rows = all();
    strip.setAttribute("aria-pressed", String(!bars && !asTable));
    hist.setAttribute("aria-pressed", String(bars && !asTable));
    flip.setAttribute("aria-pressed", String(asTable));
    legend.textContent = asTable ? "samples in the order taken, µs" : bars ? "bar height = how many samples · shade = middle half · line = median" : "dot = one sample, the first on top · shade = middle half · line = median";
    stage.hidden = asTable;
    twin.hidden = !asTable;
    if (asTable) twin.replaceChildren(table("Samples", ["sample", ...rows.map((row) => row.name)], view.samples_us.slice(0, 500).map((_, k) => [k + 1, ...rows.map((row) => row.samples_us[k]?.toFixed(3) ?? "")])));
    else stage.replaceChildren(plot(rows));
    peers.hidden = rows.length < 2;
    peers.replaceChildren(table("Side by side, timed in turns", ["what", "median", "middle half", "least", "as long as the first"],
      rows.map((row) => [row.name, timeText(row.median_us), `${timeText(row.low_us)} to ${timeText(row.high_us)}`, timeText(row.min_us), row.ratio])));
    side.hidden = !view.roofline;
    side.replaceChildren(...(view.roofline ? roof(view.roofline) : []));
  }

  function plot(rows: Row[]): SVGElement {
    const ordered = rows.map((row) => [...row.samples_us].sort((a, b) => a - b));
    // strays are drawn at the end, else one of them hides all others
    const tops = rows.map((row, k) => Math.min(ordered[k]!.at(-1)!, row.high_us + 4 * Math.max(row.high_us - row.low_us, 0.01 * row.median_us)));
    let low = Math.min(...ordered.map((samples) => samples[0]!)), high = Math.max(...tops);
    const wide = rows.length > 1 && high > 8 * low, room = Math.max(high - low, 0.02 * high);
    low = Math.max(0, low - 0.06 * room);
    high += 0.06 * room;
    const axis = wide ? logAxis([Math.max(low, Math.min(...ordered.map((samples) => samples[0]!))), high], 1.05, Math.floor(width / 84)) : evenAxis(low, high, Math.floor(width / 84));
    const x = (value: number) => LEFT + (width - LEFT - RIGHT) * Math.min(1, Math.max(0, axis.at(value)));
    const height = rows.length * ROW + 26;
    const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": rows.map((row) => `${row.name}: ${timeText(row.median_us)}`).join(", ") });
    for (const tick of axis.ticks) svg.append(s("line", { class: "kw-rule", x1: x(tick), x2: x(tick), y1: 0, y2: height - 22 }), s("text", { class: "kw-tick", x: x(tick), y: height - 6 }, timeText(tick)));
    if (wide) svg.append(s("text", { class: "kw-tick kw-end", x: width - RIGHT, y: 12 }, "logarithmic"));
    rows.forEach((row, k) => {
      const top = k * ROW + 22, tall = ROW - 30, samples = row.samples_us, strays = samples.filter((sample) => sample > axis.high).length;
      svg.append(s("text", { class: "kw-label", x: LEFT, y: top - 7 }, cut(row.name, 40)),
        s("text", { class: "kw-tick kw-begin", x: LEFT + 8 + 7.4 * Math.min(40, row.name.length), y: top - 7 }, `${timeText(row.median_us)}${strays ? ` · ${strays} slower than the axis, at its end` : ""}`),
        s("rect", { class: "kw-half", x: x(row.low_us), y: top, width: Math.max(1, x(row.high_us) - x(row.low_us)), height: tall }));
      if (bars) {
        const counts = new Array<number>(BINS).fill(0);
        for (const sample of samples) counts[Math.min(BINS - 1, Math.floor((x(sample) - LEFT) / (width - LEFT - RIGHT) * BINS))]!++;
        const most = Math.max(...counts), step = (width - LEFT - RIGHT) / BINS;
        counts.forEach((count, bin) => { if (count) svg.append(s("rect", { class: "kw-bin", x: LEFT + bin * step + 0.5, y: top + tall * (1 - count / most), width: step - 1, height: tall * count / most }, s("title", {}, `${count} samples`))); });
      } else samples.forEach((sample, n) => svg.append(s("circle", { class: "kw-sample", cx: x(sample), cy: top + 3 + (tall - 6) * (samples.length > 1 ? n / (samples.length - 1) : 0.5), r: 2.3 })));
      svg.append(s("line", { class: "kw-median", x1: x(row.median_us), x2: x(row.median_us), y1: top - 3, y2: top + tall + 3 }));
    });
    return svg;
  }

  function update(next: TimingView): void {
    view = next;
    title.textContent = view.name;
    median.textContent = view.median;
    spread.textContent = `median · ${view.spread}`;
    note.textContent = view.note && `Note: ${view.note}.`;
    conditions.textContent = view.conditions;
    show();
  }

  update(first);
  return { update, select: () => {}, dispose: () => { stopTheme(); resize.disconnect(); root.remove(); } };
}

/** The roof: what memory lets through at low intensity, what the units do at high intensity. */
function roof(line: Roofline): HTMLElement[] {
  const parts: HTMLElement[] = [];
  if (line.intensity > 0) parts.push(h("section", {}, h("h3", {}, h("b", {}, "Roofline"), `of ${line.machine}`), h("div", { class: "kw-plot" }, roofPlot(line))));
  const rows = line.figures.flatMap((figure) => [
    h("div", { class: "kw-dt" }, figure.label),
    h("div", { class: "kw-dd" }, h("b", {}, figure.value), " ", h("span", { class: `kw-tag kw-tag-${figure.source}` }, figure.source), figure.formula ? h("small", {}, figure.formula) : "")]);
  parts.push(h("section", {}, h("h3", {}, h("b", {}, "Where each number is from")), h("div", { class: "kw-ops kw-sources" }, ...rows)));
  return parts;
}

function roofPlot(line: Roofline): SVGElement {
  const ridge = line.peak / line.bandwidth, width = 312, height = 190, left = 52, foot = 30;
  const xs = logAxis([ridge / 8, ridge * 8, line.intensity / 2, line.intensity * 2]);
  const roofAt = (intensity: number): number => Math.min(line.peak, line.bandwidth * intensity);
  const ys = logAxis([roofAt(xs.low), line.peak * 1.5, line.achieved], 1.3);
  const x = (value: number) => left + (width - left - 6) * xs.at(value), y = (value: number) => 8 + (height - 8 - foot) * (1 - ys.at(value));
  const reached = roofAt(line.intensity);
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${line.achieved.toPrecision(3)} of ${reached.toPrecision(3)} billion operations per second at ${line.intensity.toPrecision(3)} operations per byte` },
    ...xs.ticks.map((tick) => s("text", { class: "kw-tick", x: x(tick), y: height - foot + 14 }, plain(tick))),
    ...ys.ticks.flatMap((tick) => [s("line", { class: "kw-rule", x1: left, x2: width - 6, y1: y(tick), y2: y(tick) }), s("text", { class: "kw-tick kw-end", x: left - 6, y: y(tick) + 4 }, plain(tick))]),
    s("path", { class: "kw-roof", d: `M${x(xs.low)} ${y(roofAt(xs.low))}L${x(Math.max(xs.low, Math.min(xs.high, ridge)))} ${y(line.peak)}L${x(xs.high)} ${y(roofAt(xs.high))}` }),
    s("line", { class: "kw-even", x1: x(line.intensity), x2: x(line.intensity), y1: y(reached), y2: y(line.achieved) }),
    s("circle", { class: "kw-measured", cx: x(line.intensity), cy: y(line.achieved), r: 5 }),
    s("text", { class: left + width < 2 * x(line.intensity) ? "kw-label kw-end" : "kw-label", x: x(line.intensity) + (left + width < 2 * x(line.intensity) ? -9 : 9), y: y(line.achieved) + 4 }, `${Math.round(100 * line.achieved / reached)} %`),
    s("text", { class: "kw-tick", x: (left + width) / 2, y: height - 3 }, "operations per byte"), s("text", { class: "kw-tick kw-begin", x: 0, y: 8 }, "Gop/s"));
}

const plain = (value: number): string => value >= 1000 ? `${value / 1000} k` : String(Number(value.toPrecision(2)));
const cut = (text: string, most: number): string => text.length > most ? `${text.slice(0, most - 1)}…` : text;
