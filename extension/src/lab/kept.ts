// Live screens in notebooks that are opened again: where the widget's model is gone with its kernel, the view that
// was saved beside it is drawn, in place of the words "model not found".

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { IRenderMimeRegistry, type IRenderMime } from "@jupyterlab/rendermime";

import { Drawing, MIME } from "./mime";

const WIDGET = "application/vnd.jupyter.widget-view+json", RANK = -10, PATIENCE_MS = 1500;

export const kept: JupyterFrontEndPlugin<void> = {
  id: "@kernel-workbench/lab:kept",
  description: "Draws saved views of live screens whose kernel has ended",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [INotebookTracker],
  activate: (app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker | null) => {
    // The renderer of widgets is another extension's: it is there once all have started, and again for each kernel.
    void app.started.then(() => watch(rendermime));
    const follow = ({ sessionContext, content }: NotebookPanel) => {
      const again = () => setTimeout(() => { if (!content.isDisposed) watch(content.rendermime); });
      void sessionContext.ready.then(again);
      sessionContext.kernelChanged.connect(again);
    };
    notebooks?.forEach(follow);
    notebooks?.widgetAdded.connect((_, panel) => follow(panel));
  },
};

const ours = new WeakSet<object>();

/** The factory of widgets, which goes on to make them; each is looked at when it has drawn. */
function watch(rendermime: IRenderMimeRegistry): void {
  const theirs = rendermime.getFactory(WIDGET);
  if (!theirs || ours.has(theirs)) return;
  const factory = { ...theirs, createRenderer: (options: IRenderMime.IRendererOptions) => mend(theirs.createRenderer(options), options) };
  ours.add(factory);
  rendermime.addFactory(factory, RANK);
}

/** A widget that was drawn has elements; one that was not has words alone. */
function mend(made: IRenderMime.IRenderer, options: IRenderMime.IRendererOptions): IRenderMime.IRenderer {
  const render = made.renderModel.bind(made);
  let saved: Drawing | null = null;
  const drop = () => { saved?.dispose(); saved = null; };
  made.disposed.connect(drop);
  made.renderModel = async (model) => {
    if (!model.data[MIME]) return render(model);
    drop();
    const look = () => {
      if (made.isDisposed || saved || made.node.childElementCount) return;
      saved = new Drawing(options.resolver ?? options);
      void saved.renderModel(model);
      made.node.replaceChildren(saved.node);
    };
    // without a kernel the widget waits for ever
    const patience = setTimeout(look, PATIENCE_MS);
    await render(model);
    clearTimeout(patience);
    if (saved && !made.node.contains((saved as Drawing).node)) drop();
    look();
  };
  return made;
}
