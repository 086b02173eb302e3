// The active screen as one HTML file, which works without a kernel and without a network.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, Notification } from "@jupyterlab/apputils";

import { OnnxView } from "./onnx-view";
import { ObjectView } from "./tab";

export const exporting: JupyterFrontEndPlugin<void> = {
  id: "@kernel-workbench/lab:export",
  description: "Saves the active screen as an HTML file",
  autoStart: true,
  optional: [ICommandPalette],
  activate: ({ commands, shell }: JupyterFrontEnd, palette: ICommandPalette | null) => {
    const command = "kernel-workbench:export";
    const active = () => {
      const widget = shell.currentWidget;
      const content = widget instanceof MainAreaWidget ? widget.content : null;
      return content instanceof ObjectView || content instanceof OnnxView ? { content, name: widget!.title.label } : null;
    };
    commands.addCommand(command, {
      label: "Export the Screen as HTML", caption: "One file that needs nothing else", isEnabled: () => !!active(),
      execute: async () => {
        const found = active();
        if (!found) return;
        try { save(`${found.name}.html`, await found.content.page()); } catch (error) { Notification.error(`Not exported: ${error instanceof Error ? error.message : String(error)}`); }
      },
    });
    palette?.addItem({ command, category: "Kernel Workbench" });
  },
};

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
