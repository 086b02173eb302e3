// Cards and commands to begin: the tour, or a new notebook with a first cell.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { PathExt } from "@jupyterlab/coreutils";
import { IDefaultFileBrowser } from "@jupyterlab/filebrowser";
import { ILauncher } from "@jupyterlab/launcher";
import type { Contents } from "@jupyterlab/services";

import { icon } from "./icon";

const TOUR = "00_tour.ipynb";
const FIRST = "import workbench as wb\n\nwb.repeat(4, 1) * wb.spatial(16, 8)";

export const launcher: JupyterFrontEndPlugin<void> = {
  id: "@kernel-workbench/lab:launcher",
  description: "Opens the tour, or a new workbench notebook",
  autoStart: true,
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate: (app: JupyterFrontEnd, cards: ILauncher | null, palette: ICommandPalette | null, browser: IDefaultFileBrowser | null) => {
    const { commands } = app, { contents, kernelspecs } = app.serviceManager;
    const open = (path: string) => commands.execute("docmanager:open", { path, factory: "Notebook" });
    const folder = (args: { cwd?: unknown }) => typeof args.cwd === "string" ? args.cwd : browser?.model.path ?? "";
    const begin = async (at: string) => {
      const path = await newNotebook(contents, at, kernelspecs.specs?.default ?? "python3");
      return open(path);
    };
    commands.addCommand("kernel-workbench:new", {
      label: (args) => args["isPalette"] ? "New Workbench Notebook" : "Workbench Notebook",
      caption: "A new notebook whose first cell shows a task mapping", icon,
      execute: (args) => begin(folder(args)),
    });
    commands.addCommand("kernel-workbench:tour", {
      label: (args) => args["isPalette"] ? "Open the Workbench Tour" : "Workbench Tour",
      caption: "The tour of kernel-workbench; a new notebook where there is none", icon,
      execute: async (args) => {
        const at = folder(args);
        for (const path of new Set([PathExt.join(at, TOUR), TOUR, `notebooks/${TOUR}`]))
          if (await there(contents, path)) return open(path);
        return begin(at);
      },
    });
    for (const [rank, command] of ["kernel-workbench:tour", "kernel-workbench:new"].entries()) {
      cards?.add({ command, category: "Kernel Workbench", rank });
      palette?.addItem({ command, category: "Kernel Workbench", args: { isPalette: true } });
    }
  },
};

/** Whether a file is there; its folder is listed, since asking for a file that is not there is an error in the log. */
async function there(contents: Contents.IManager, path: string): Promise<boolean> {
  const found = await contents.get(PathExt.dirname(path), { content: true }).catch(() => null);
  return (found?.content as Contents.IModel[] | undefined)?.some((each) => each.name === PathExt.basename(path)) ?? false;
}

async function newNotebook(contents: Contents.IManager, folder: string, kernel: string): Promise<string> {
  const { path } = await contents.newUntitled({ path: folder, type: "notebook" });
  const cell = { cell_type: "code", id: "first", metadata: {}, source: FIRST, outputs: [], execution_count: null };
  const metadata = { kernelspec: { name: kernel, display_name: kernel } };
  await contents.save(path, { type: "notebook", format: "json", content: { nbformat: 4, nbformat_minor: 5, metadata, cells: [cell] } });
  return path;
}
