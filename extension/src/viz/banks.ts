// The punch card of a request to shared memory: lanes down, banks across.

import { s, table } from "./dom";
import { BANKS } from "./layouts";
import { LANES, passesText, type Request } from "./requests";

const CELL = 8, LEFT = 22, TOP = 16, ALL = CELL * BANKS;

/** The card; a click picks the lane of its row. */
export function cardOf(request: Request, form: string, own: number, pick: (lane: number) => void): SVGElement {
  const { hits, passes, lanes } = request;
  const at = (lane: number, bank: number): [number, number] => [LEFT + bank * CELL, TOP + lane * CELL];
  const lines = [8, 16, 24].map((k) => `M${LEFT + k * CELL} ${TOP}v${ALL}M${LEFT} ${TOP + k * CELL}h${ALL}`).join("");
  const marks = hits.map(({ lane, bank, turn }) => {
    const [x, y] = at(lane, bank), wait = turn > 0, inset = wait ? 1.75 : 1;
    return s("rect", { x: x + inset, y: y + inset, width: CELL - 2 * inset, height: CELL - 2 * inset, rx: 1, class: wait ? "kw-wait" : "kw-first" });
  });
  const label = (x: number, y: number, words: number, anchor: string): SVGElement => s("text", { x, y, "text-anchor": anchor }, String(words));
  const ends = [
    label(LEFT - 4, TOP + CELL, 0, "end"), label(LEFT - 4, TOP + ALL, LANES - 1, "end"),
    label(LEFT, TOP - 4, 0, "start"), label(LEFT + ALL, TOP - 4, BANKS - 1, "end"),
  ];
  const card = s("svg", {
    viewBox: `0 0 ${LEFT + ALL + 1} ${TOP + ALL + 1}`, width: "100%", role: "img", class: "kw-card",
    "aria-label": `${form}: ${lanes.length} lanes over ${BANKS} banks of shared memory, ${passesText(passes)}`,
    onclick: (event: MouseEvent) => {
      const box = card.getBoundingClientRect();
      const lane = Math.floor(((event.clientY - box.top) / box.height * (TOP + ALL + 1) - TOP) / CELL);
      if (lane >= 0 && lane < lanes.length) pick(lane);
    },
  },
    s("rect", { x: LEFT, y: TOP, width: ALL, height: ALL, class: "kw-sector" }),
    s("rect", { x: LEFT, y: TOP + own * CELL, width: ALL, height: CELL, class: "kw-band" }),
    s("path", { d: lines, class: "kw-ray" }), ...ends, ...marks);
  return card;
}

/** The same for who reads it out. */
export function hitsTable({ hits }: Request, form: string): HTMLTableElement {
  return table(`Banks, ${form}`, ["lane", "bank", "word", "pass of its bank"], hits.map(({ lane, bank, word, turn }) => [lane, bank, word, turn + 1]));
}
