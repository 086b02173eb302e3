// The side panel, the tabs that it opens, and the links to the kernels of the notebooks: what other plugins reach.

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { WidgetTracker, type MainAreaWidget } from "@jupyterlab/apputils";
import { NotebookActions, type INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import { Token } from "@lumino/coreutils";

import { ENDED } from "../viz/drawing";
import { ENDED_STATES, Link } from "./link";
import { IMPORT, SidePanel } from "./panel";
import { objectTab, type ObjectView } from "./tab";

export const IDesk = new Token<Desk>("@kernel-workbench/lab:IDesk");

export class Desk {
  readonly panel = new SidePanel({ open: (link, name) => this.open(link, name), begin: () => this.begin() });
  readonly tabs = new WidgetTracker<MainAreaWidget<ObjectView>>({ namespace: "kernel-workbench" });
  /** Where tabs open, and whether lists follow each cell; settings change them. */
  place: "tab-after" | "split-right" = "tab-after";
  private following = true;
  private readonly links = new Map<NotebookPanel, Link>();

  constructor(private readonly app: JupyterFrontEnd, private readonly notebooks: INotebookTracker) {
    notebooks.currentChanged.connect(() => this.follow());
    this.follow();
  }

  get follows(): boolean { return this.following; }

  set follows(value: boolean) {
    this.following = value;
    this.links.forEach((link) => { link.follows = value; });
  }

  show(): void {
    if (!this.panel.isAttached) this.app.shell.add(this.panel, "right", { rank: 900, type: "Kernel workbench" });
    this.app.shell.activateById(this.panel.id);
  }

  /** The link to the active notebook's kernel. */
  current(): Link | null {
    const panel = this.notebooks.currentWidget;
    return panel && this.linkOf(panel);
  }

  /** Show the object of that name in a tab; one that is open already is brought forward. */
  open(link: Link, name: string): void {
    const [panel] = [...this.links].find(([, each]) => each === link) ?? [];
    const origin = panel?.title.label ?? "";
    let tab = this.tabs.find(({ content }) => content.name === name && content.link === link);
    if (!tab) {
      tab = objectTab(link, name, origin);
      void this.tabs.add(tab);
      this.app.shell.add(tab, "main", { mode: this.place, ...(panel ? { ref: panel.id } : {}), type: "Kernel workbench" });
    }
    this.app.shell.activateById(tab.id);
  }

  /** Put the import before the active cell, for the person to run. */
  private begin(): void {
    const panel = this.notebooks.currentWidget;
    if (!panel) return;
    NotebookActions.insertAbove(panel.content);
    panel.content.activeCell?.model.sharedModel.setSource(IMPORT);
    panel.content.activate();
  }

  private follow(): void {
    const panel = this.notebooks.currentWidget;
    this.panel.follow(panel && this.linkOf(panel), panel?.title.label ?? "");
  }

  private linkOf(panel: NotebookPanel): Link {
    const found = this.links.get(panel);
    if (found) return found;
    const { sessionContext } = panel;
    const link = new Link({
      kernel: () => this.speaker(sessionContext.session?.kernel ?? null),
      kernelChanged: sessionContext.kernelChanged, statusChanged: sessionContext.statusChanged, iopubMessage: sessionContext.iopubMessage,
    });
    link.follows = this.following;
    // Widgets in the cells learn of a kernel that was restarted, not of one that died.
    sessionContext.statusChanged.connect((_, status) => {
      if (ENDED_STATES.has(status)) for (const cell of panel.content.widgets)
        for (const place of cell.node.querySelectorAll(".kw-widget")) place.dispatchEvent(new Event(ENDED));
    });
    this.links.set(panel, link);
    panel.disposed.connect(() => {
      this.links.delete(panel);
      link.dispose();
      this.links.forEach((other) => other.renew());
    });
    return link;
  }

  /** Of several connections to one kernel JupyterLab lets the first alone have comms: that one speaks for all. */
  private speaker(kernel: Kernel.IKernelConnection | null): Kernel.IKernelConnection | null {
    if (!kernel || kernel.handleComms) return kernel;
    const others = [...this.links.keys()].map(({ sessionContext }) => sessionContext.session?.kernel);
    return others.find((other) => other?.id === kernel.id && other.handleComms && !other.isDisposed) ?? kernel;
  }
}
