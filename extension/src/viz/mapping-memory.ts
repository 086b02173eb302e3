// The strip of lanes over the sectors they ask for, and the banks beside it.

import { h, s } from "./dom";
import { LANES, SECTOR, requestOf, wordsOf, type Request } from "./requests";
import type { Inks } from "./theme";
import type { MappingView } from "./types";

const SHOWN = 8, WIDTH = 312, GAP = 4;

export function memoryOf(view: MappingView, worker: number, step: number, inks: Inks): HTMLElement | null {
  const request = requestOf(view, worker, step);
  if (!request || !request.lanes.length) return null;
  const words = wordsOf(request);
  return h("section", { class: "kw-memory" },
    h("h3", {}, h("b", {}, `Step ${step}, warp ${request.warp}`), ` as ${view.layout}`),
    request.sectors.length ? strip(request, worker % LANES, view.item_bytes, inks) : null,
    h("div", { class: "kw-pairs" },
      h("span", { class: "kw-soft" }, "global"), h("span", {}, words.global),
      h("span", { class: "kw-soft" }, "shared"), h("span", {}, words.shared)),
    h("p", { class: "kw-soft" }, words.advice));
}

/** Lanes above, sectors below, a line from each lane to its word; the first sectors where there are many. */
function strip(request: Request, own: number, bytes: number, inks: Inks): Node {
  const shown = request.sectors.slice(0, SHOWN), wide = (WIDTH - GAP * (shown.length - 1)) / shown.length, box = Math.min(wide, 76);
  const all = shown.length * box + GAP * (shown.length - 1), lane = all / request.lanes.length;
  const placeOf = (address: number): number | null => {
    const k = shown.indexOf(Math.floor(address / SECTOR));
    return k < 0 ? null : k * (box + GAP) + (address % SECTOR) / SECTOR * box;
  };
  const marks: Node[] = shown.map((sector, k) => s("g", {},
    s("rect", { x: k * (box + GAP) + 0.5, y: 34.5, width: box - 1, height: 20, rx: 3, class: "kw-sector" }),
    s("text", { x: k * (box + GAP) + box / 2, y: 67, class: "kw-at" }, String(sector * SECTOR))));
  const word = Math.max(2, bytes / SECTOR * box - 1);
  request.lanes.forEach((address, k) => {
    const at = address === null ? null : placeOf(address), x = (k + 0.5) * lane, mine = k === own;
    const tone = inks.tones[k % 32]!;
    if (at !== null) marks.push(
      s("rect", { x: at + 0.5, y: 36, width: word, height: 17, fill: tone, class: mine ? "kw-own" : "" }),
      s("path", { d: `M${x} 9L${at + word / 2} 35`, class: mine ? "kw-ray kw-own" : "kw-ray" }));
    marks.push(s("circle", { cx: x, cy: 6, r: Math.min(3.6, lane / 2.4), fill: address === null ? "none" : tone, class: mine ? "kw-own" : address === null ? "kw-idle" : "" }));
  });
  const rest = request.sectors.length - shown.length;
  const said = `lanes of the warp above, the ${request.sectors.length} sectors of ${SECTOR} B that they ask for below, first byte under each`;
  return h("div", {}, s("svg", { viewBox: `-1 0 ${WIDTH + 2} 72`, width: "100%", role: "img", "aria-label": said }, ...marks),
    rest > 0 && h("p", { class: "kw-soft" }, `the first ${SHOWN} of ${request.sectors.length} sectors`));
}

