// The side panel on the right, and the tab of the variable under the cursor.

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { INotebookTracker } from "@jupyterlab/notebook";

import { Desk, IDesk } from "./desk";
import { icon } from "./icon";

const CATEGORY = "Kernel Workbench";

export const side: JupyterFrontEndPlugin<Desk> = {
  id: "@kernel-workbench/lab:side",
  description: "Lists what a notebook's kernel holds, in a side panel",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ILayoutRestorer, ICommandPalette],
  provides: IDesk,
  activate: (app: JupyterFrontEnd, notebooks: INotebookTracker, restorer: ILayoutRestorer | null, palette: ICommandPalette | null) => {
    const desk = new Desk(app, notebooks), { commands, shell } = app;
    shell.add(desk.panel, "right", { rank: 900, type: "Kernel workbench" });
    restorer?.add(desk.panel, desk.panel.id);
    commands.addCommand("kernel-workbench:panel", { label: "Open the Kernel Workbench Panel", icon, execute: () => desk.show() });
    commands.addCommand("kernel-workbench:refresh", {
      label: "Ask the Kernel Again", caption: "List kernels, mappings and graphs of the active notebook",
      isEnabled: () => !!desk.current(), execute: () => desk.current()?.look(),
    });
    commands.addCommand("kernel-workbench:explore", {
      label: "Explore the Variable Under the Cursor", icon, isEnabled: () => !!word(notebooks),
      execute: async () => {
        const link = desk.current(), name = word(notebooks);
        if (!link || !name) return;
        if (link.state !== "live") await link.look();
        desk.open(link, name);
      },
    });
    for (const command of ["panel", "refresh", "explore"]) palette?.addItem({ command: `kernel-workbench:${command}`, category: CATEGORY });
    return desk;
  },
};

/** The name that is selected in the active cell, or on which the cursor stands. */
function word(notebooks: INotebookTracker): string {
  const editor = notebooks.activeCell?.editor;
  if (!editor) return "";
  const { start, end } = editor.getSelection(), text = editor.model.sharedModel.getSource();
  const from = editor.getOffsetAt(start), to = editor.getOffsetAt(end);
  const chosen = text.slice(Math.min(from, to), Math.max(from, to)).trim() || /[\p{L}\p{N}_]*$/u.exec(text.slice(0, from))![0] + /^[\p{L}\p{N}_]*/u.exec(text.slice(from))![0];
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(chosen) ? chosen : "";
}
