// Views in saved notebooks: drawn without a kernel, and without trust, since data are all they hold.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRenderMimeRegistry, type IRenderMime } from "@jupyterlab/rendermime";
import { Widget } from "@lumino/widgets";

import type { Selection } from "../viz/drawing";
import type { View } from "../viz/types";
import { Stage } from "./stage";

export const MIME = "application/vnd.kernel-workbench.view+json";

type Listener = (from: Drawing, change: Selection) => void;
// Outputs of one notebook share the object that resolves its links: so they know each other.
const pages = new WeakMap<object, Set<Listener>>();

/** A saved view. */
export class Drawing extends Widget implements IRenderMime.IRenderer {
  view: View | null = null;
  private readonly stage = new Stage({
    reason: "this view was saved: run its cell to ask the kernel",
    selected: (change) => this.listeners.forEach((tell) => tell(this, change)),
  });
  private readonly listeners: Set<Listener>;
  private readonly hear: Listener = (from, change) => {
    if (from !== this && this.view && from.view && akin(from.view, this.view)) this.stage.select(change);
  };

  constructor(page: object) {
    super();
    this.addClass("kw-rendered");
    this.node.append(this.stage.node);
    this.listeners = pages.get(page) ?? new Set();
    pages.set(page, this.listeners.add(this.hear));
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const view = model.data[MIME] as unknown as View | undefined;
    if (view && typeof view.kind === "string") {
      const said = (type: string) => { const found = model.data[type]; return Array.isArray(found) ? found.join("") : String(found ?? ""); };
      const [svg, html, text] = [said("image/svg+xml"), said("text/html"), said("text/plain")];
      const twins = { ...(svg ? { svg } : {}), ...(html ? { html } : {}), ...(text ? { text } : {}) };
      this.view = view;
      this.stage.show(view, text, false, twins);
    }
    return Promise.resolve();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.listeners.delete(this.hear);
    this.stage.dispose();
    super.dispose();
  }
}

/** Two pictures of one thing, or of different sorts: worker 3 of another mapping is another worker. */
function akin(one: View, other: View): boolean {
  const named = (view: View) => { const { text, name } = view as { text?: string; name?: string }; return text ?? name; };
  return one.kind !== other.kind || named(one) === named(other);
}

export const mime: JupyterFrontEndPlugin<void> = {
  id: "@kernel-workbench/lab:mime",
  description: "Draws views of kernel-workbench in notebooks",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    setSaved(rendermime, true);
  },
};

/** Draw views, or leave the pictures that stand beside them; holds for notebooks that are opened from now on. */
export function setSaved(rendermime: IRenderMimeRegistry, live: boolean): void {
  const known = rendermime.mimeTypes.includes(MIME);
  const create = (options: IRenderMime.IRendererOptions) => new Drawing(options.resolver ?? options);
  // before text/html and images, whose ranks begin at 50
  if (live && !known) rendermime.addFactory({ safe: true, mimeTypes: [MIME], createRenderer: create }, 10);
  if (!live && known) rendermime.removeMimeType(MIME);
}
