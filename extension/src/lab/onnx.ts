// ONNX files open as graphs from the file browser.

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { WidgetTracker } from "@jupyterlab/apputils";

import { icon } from "./icon";
import { OnnxFactory, UnreadFactory, type OnnxDocument } from "./onnx-view";

const FACTORY = "ONNX graph";

export const onnx: JupyterFrontEndPlugin<void> = {
  id: "@kernel-workbench/lab:onnx",
  description: "Opens ONNX models as graphs",
  autoStart: true,
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, restorer: ILayoutRestorer | null) => {
    const unread = new UnreadFactory();
    app.docRegistry.addFileType({
      name: "onnx", displayName: "ONNX model", extensions: [".onnx"], mimeTypes: ["application/x-onnx"],
      contentType: "file", fileFormat: "base64", icon,
    });
    app.docRegistry.addModelFactory(unread);
    const factory = new OnnxFactory({ name: FACTORY, modelName: unread.name, fileTypes: ["onnx"], defaultFor: ["onnx"], readOnly: true }, app.serviceManager);
    const tracker = new WidgetTracker<OnnxDocument>({ namespace: "kernel-workbench-onnx" });
    factory.widgetCreated.connect((_, document) => {
      document.title.icon = icon;
      document.context.pathChanged.connect(() => void tracker.save(document));
      void tracker.add(document);
    });
    app.docRegistry.addWidgetFactory(factory);
    void restorer?.restore(tracker, {
      command: "docmanager:open",
      args: ({ context }) => ({ path: context.path, factory: FACTORY }),
      name: ({ context }) => context.path,
    });
  },
};
