// Colours: C++ in cells that begin with %%cuda, and a language for the text of our IR.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { LanguageSupport, StreamLanguage } from "@codemirror/language";
import type { Cell } from "@jupyterlab/cells";
import { IEditorLanguageRegistry } from "@jupyterlab/codemirror";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";

const CUDA_MIME = "text/x-c++src", IR_MIME = "text/x-kernel-workbench-ir";
const WORDS = /^(?:func|level|launch|for|in|range|if|else|while|break|continue|return|let|var|unroll|and|or|not|const|table|allocate)\b/;
const TYPES = /^(?:bool|[iu](?:8|16|32|64)|b?f(?:16|32|64)|shared|register|global)(?:x\d+)?\b/;

const ir = StreamLanguage.define({
  name: "kernel-workbench-ir",
  languageData: { commentTokens: { line: "#" } },
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^"[^"]*"?/)) return "string";
    if (stream.match(WORDS)) return "keyword";
    if (stream.match(TYPES)) return "typeName";
    if (stream.match(/^(?:True|False|None)\b/)) return "atom";
    if (stream.match(/^\d[\w.]*(?:e[+-]\d+)?/)) return "number";
    if (stream.match(/^[A-Za-z_]\w*/)) return "variableName";
    stream.next();
    return "operator";
  },
});

export const highlight: JupyterFrontEndPlugin<void> = {
  id: "@kernel-workbench/lab:highlight",
  description: "Colours CUDA cells and IR",
  autoStart: true,
  requires: [IEditorLanguageRegistry, INotebookTracker],
  activate: (app: JupyterFrontEnd, languages: IEditorLanguageRegistry, notebooks: INotebookTracker) => {
    languages.addLanguage({ name: "kernel-workbench-ir", displayName: "Kernel workbench IR", mime: IR_MIME, extensions: ["wir"], support: new LanguageSupport(ir) });
    app.docRegistry.addFileType({ name: "kernel-workbench-ir", displayName: "Kernel workbench IR", extensions: [".wir"], mimeTypes: [IR_MIME] });
    const follow = (_: unknown, panel: NotebookPanel) => {
      const seen = new WeakSet<Cell>();
      const look = () => panel.content.widgets.forEach((cell) => { if (!seen.has(cell)) { seen.add(cell); watch(cell); } });
      panel.content.modelContentChanged.connect(look);
      void panel.context.ready.then(look);
      look();
    };
    notebooks.widgetAdded.connect(follow);
    notebooks.forEach((panel) => follow(null, panel));
  },
};

/** The notebook gives each cell its kernel's language, at any time: what the first line says goes before. */
function watch(cell: Cell): void {
  if (cell.model.type !== "code") return;
  const { model } = cell;
  let plain = model.mimeType;
  const set = () => {
    const cuda = /^\s*%%cuda\b/.test(model.sharedModel.getSource());
    if (model.mimeType !== CUDA_MIME) plain = model.mimeType;
    const wanted = cuda ? CUDA_MIME : plain;
    if (model.mimeType !== wanted) model.mimeType = wanted;
  };
  model.contentChanged.connect(set);
  model.mimeTypeChanged.connect(set);
  set();
}
