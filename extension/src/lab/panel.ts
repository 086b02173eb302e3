// The side panel: what the active notebook's kernel holds, and how to begin when it holds nothing yet.

import { Widget } from "@lumino/widgets";

import { h } from "../viz/dom";
import { icon } from "./icon";
import type { Link } from "./link";
import type { Entry } from "./protocol";

export interface PanelHost {
  open(link: Link, name: string): void;
  /** Put the import into the notebook. */
  begin(): void;
}

const GROUPS: [string, string][] = [
  ["kernel", "Kernels"], ["mapping", "Mappings"], ["graph", "Graphs"], ["tuning", "Tunings"],
  ["measurement", "Measurements"], ["report", "Reports"],
];
export const IMPORT = "import workbench as wb";

export class SidePanel extends Widget {
  private link: Link | null = null;
  private painted: Link | null = null;
  private notebook = "";
  private readonly head = h("header", {});
  private readonly list = h("div", { class: "kw-groups" });
  private readonly said = h("div", { class: "kw-hidden", "aria-live": "polite" });

  constructor(private readonly host: PanelHost) {
    super();
    this.id = "kernel-workbench-panel";
    this.addClass("kw-lab-panel");
    this.title.icon = icon;
    this.title.caption = "Kernel workbench";
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", "Kernel workbench");
    this.node.append(this.head, this.list, this.said);
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.follow(null, "");
  }

  /** Show another notebook's kernel, or none. */
  follow(link: Link | null, notebook: string): void {
    if (this.link && this.link !== link) this.link.changed.disconnect(this.paint, this);
    this.link = link;
    this.notebook = notebook;
    link?.changed.connect(this.paint, this);
    if (this.isVisible) void this.wake();
    this.paint();
  }

  override dispose(): void {
    this.link?.changed.disconnect(this.paint, this);
    super.dispose();
  }

  protected override onAfterShow(): void { void this.wake(); }

  /** Look at a kernel that nothing is known of; one that has answered already tells what changes. */
  private async wake(): Promise<void> {
    if (this.link?.state === "none") await this.link.look();
  }

  private paint(): void {
    const link = this.link;
    if (link?.state === "asking" && this.painted === link) return;
    this.painted = link;
    const count = link?.state === "live" ? link.objects.length : 0;
    this.head.replaceChildren(h("div", {}, h("h2", {}, "Kernel workbench"),
      h("span", { title: this.notebook }, this.notebook)),
      ...(link && link.state !== "none" ? [h("button", { type: "button", title: "Ask the kernel again", "aria-label": "Refresh", onclick: () => void link.look() }, "↻")] : []));
    const known = GROUPS.map(([kind]) => kind);
    const others = (link?.objects ?? []).filter((each) => !known.includes(each.kind));
    const groups: [string, Entry[]][] = GROUPS.map(([kind, title]) => [title, (link?.objects ?? []).filter((each) => each.kind === kind)]);
    if (!link || link.state !== "live" || !count) this.list.replaceChildren(this.empty());
    else this.list.replaceChildren(...[...groups, ["Others", others] as [string, Entry[]]].filter(([, found]) => found.length).map(([title, found]) => this.group(title, found, link)));
    this.said.textContent = link?.state === "live" ? `${count} objects` : "";
  }

  private group(title: string, found: Entry[], link: Link): HTMLElement {
    return h("section", { "aria-label": title }, h("h3", {}, title, " ", h("span", { class: "kw-soft" }, String(found.length))),
      h("ul", {}, ...found.map((each) => h("li", {},
        h("button", { type: "button", "data-name": each.name, title: each.facts, onclick: () => this.host.open(link, each.name) },
          h("b", {}, each.name), h("span", {}, each.facts))))));
  }

  private empty(): HTMLElement {
    const link = this.link;
    if (!link) return note("Open a notebook: the kernels, mappings, graphs, tunings and measurements that it makes are listed here.");
    if (link.state === "none") return note("No kernel runs for this notebook.");
    if (link.state === "asking") return note("Asking the kernel …");
    if (link.state === "live") return note("Nothing yet. Give a kernel, a mapping or a graph a name, and it is listed here once the cell has run.");
    if (link.mute) return note("This kernel speaks to a console, or to a notebook that was closed. Close what else uses it and reload the page.");
    const why = link.state === "gone" ? "The kernel has ended or begun anew: what it held is gone." : "workbench is not imported in this kernel. Run";
    return h("div", { class: "kw-lab-empty" }, h("p", {}, why), h("code", {}, IMPORT),
      h("div", { class: "kw-lab-row" }, h("button", { type: "button", onclick: () => this.host.begin() }, "Insert this cell"),
        h("button", { type: "button", onclick: () => void link.look() }, "Look again")));
  }

  private onKey(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const rows = [...this.list.querySelectorAll<HTMLElement>("li button")];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    if (!by || at < 0) return;
    rows[Math.min(Math.max(at + by, 0), rows.length - 1)]!.focus();
    event.preventDefault();
  }
}

function note(text: string): HTMLElement { return h("div", { class: "kw-lab-empty" }, h("p", {}, text)); }
