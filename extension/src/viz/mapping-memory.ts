// What a warp asks for at a step, by the layout that is chosen: its lanes over the sectors of global
// memory, and over the banks of shared memory.

import { cardOf, hitsTable } from "./banks";
import { h, s } from "./dom";
import { FORMS, SIZES, addressOf, layoutOf, type Form, type Layout } from "./layouts";
import { LANES, SECTOR, passesText, requestOf, warpOf, wordsOf, type Request, type Warp } from "./requests";
import type { MappingView } from "./types";

const SHOWN = 8, WIDTH = 312, GAP = 4;

/** Where elements lie, for all who say addresses. */
export interface Addresses { words: string; of(place: number[]): number }

/** The layouts that cure what meets in one bank, beside the plain one that they are compared with. */
const CURES: Form[] = ["padded by one", "XOR-swizzled"];

export class MemoryBox {
  readonly el: HTMLElement;
  private readonly title = h("h3", {});
  private readonly body = h("div", {});
  private readonly banks = h("div", { class: "kw-banks" });
  private readonly form = h("select", { "aria-label": "Layout", onchange: () => this.changed() }, ...FORMS.map((form) => h("option", { value: form }, form)));
  private readonly size = h("select", { "aria-label": "Element size", onchange: () => this.changed() }, ...SIZES.map((bytes) => h("option", { value: bytes }, `${bytes} B`)));
  private readonly said = h("code", {});
  private readonly flip = h("button", { type: "button", class: "kw-quiet", "aria-expanded": "false", onclick: () => this.toggle() }, "lanes × banks");
  private plain: Layout | null = null;
  private layout: Layout | null = null;

  constructor(bytes: number, private readonly changed: () => void, private readonly pick: (lane: number) => void) {
    this.size.value = String(bytes);
    this.banks.hidden = true;
    this.el = h("section", { class: "kw-memory", "aria-label": "Memory" },
      this.title, h("div", { class: "kw-choice" }, this.form, this.size, this.flip), this.said, this.body, this.banks);
  }

  /** Choose the layout for another shape; one that the shape cannot have is replaced by the plain one. */
  addresses(view: MappingView): Addresses {
    const bytes = Number(this.size.value), form = this.form.value as Form;
    const found = layoutOf(form, view.shape, bytes);
    this.plain = layoutOf("row-major", view.shape, bytes) as Layout;
    const layout = this.layout = typeof found === "string" ? this.plain : found;
    this.said.textContent = typeof found === "string" ? `not ${form}, since ${found}: row-major` : found.text;
    const words = layout.form === "row-major" && bytes === view.item_bytes ? view.layout : `${layout.form}, ${bytes} B`;
    return { words, of: (place) => addressOf(layout, place) * bytes };
  }

  show(view: MappingView, worker: number, step: number, tones: string[]): void {
    const warp = warpOf(view, worker, step), bytes = Number(this.size.value), lane = worker % LANES;
    this.el.hidden = !warp;
    if (!warp) return;
    const request = requestOf(warp, this.layout!, bytes), words = wordsOf(request);
    this.title.replaceChildren(h("b", {}, `Step ${step}, warp ${warp.warp}`), " asks for");
    this.body.replaceChildren(
      ...(request.sectors.length ? [strip(request, lane, tones)] : []),
      h("div", { class: "kw-pairs" },
        h("span", { class: "kw-soft" }, "global"), h("span", {}, words.global),
        h("span", { class: "kw-soft" }, "shared"), h("span", {}, words.shared)),
      h("p", { class: "kw-soft" }, [words.advice, this.cure(view, warp, request)].filter(Boolean).join(" ")));
    this.banks.replaceChildren(...(this.banks.hidden ? [] : this.cards(warp, request, lane)));
  }

  /** Which layouts would take fewer passes, where banks meet. */
  private cure(view: MappingView, warp: Warp, { ways, passes, bytes }: Request): string {
    if (ways < 2) return "";
    const better = CURES.flatMap((form) => {
      const layout = layoutOf(form, view.shape, bytes);
      const taken = typeof layout === "string" || form === this.layout!.form ? passes : requestOf(warp, layout, bytes).passes;
      return taken < passes ? [`${form} ${passesText(taken)}`] : [];
    });
    return better.length ? `Shared memory would take: ${better.join(", ")}.` : "";
  }

  /** The card of the layout; of a cure beside the one that it cures. */
  private cards(warp: Warp, request: Request, lane: number): HTMLElement[] {
    const cure = CURES.includes(this.layout!.form);
    const shown: [string, Request][] = [[this.layout!.form, request]];
    if (cure) shown.unshift([this.plain!.form, requestOf(warp, this.plain!, request.bytes)]);
    return [
      h("div", { class: cure ? "kw-cards kw-two" : "kw-cards" }, ...shown.map(([form, each]) =>
        h("figure", {}, h("figcaption", {}, `${form}: `, h("b", {}, passesText(each.passes))), cardOf(each, form, lane, this.pick)))),
      h("p", { class: "kw-soft" }, "A row is a lane, a column a bank; a hollow mark is a word that waits for another pass."),
      h("div", { class: "kw-hidden" }, ...shown.map(([form, each]) => hitsTable(each, form)))];
  }

  private toggle(): void {
    this.banks.hidden = !this.banks.hidden;
    this.flip.setAttribute("aria-expanded", String(!this.banks.hidden));
    this.changed();
  }
}

/** Lanes above, sectors below, a line from each lane to its word; the first sectors where there are many. */
function strip(request: Request, own: number, tones: string[]): Node {
  const shown = request.sectors.slice(0, SHOWN), wide = (WIDTH - GAP * (shown.length - 1)) / shown.length, box = Math.min(wide, 76);
  const all = shown.length * box + GAP * (shown.length - 1), lane = all / request.lanes.length;
  const placeOf = (address: number): number | null => {
    const k = shown.indexOf(Math.floor(address / SECTOR));
    return k < 0 ? null : k * (box + GAP) + (address % SECTOR) / SECTOR * box;
  };
  const marks: Node[] = shown.map((sector, k) => s("g", {},
    s("rect", { x: k * (box + GAP) + 0.5, y: 34.5, width: box - 1, height: 20, rx: 3, class: "kw-sector" }),
    s("text", { x: k * (box + GAP) + box / 2, y: 67, class: "kw-at" }, String(sector * SECTOR))));
  const word = Math.max(2, request.bytes / SECTOR * box - 1);
  request.lanes.forEach((address, k) => {
    const at = address === null ? null : placeOf(address), x = (k + 0.5) * lane, mine = k === own;
    const tone = tones[k % 32]!;
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

