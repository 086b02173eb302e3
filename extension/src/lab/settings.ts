// What a person can choose, in JupyterLab's settings editor.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import { Desk, IDesk } from "./desk";
import { setSaved } from "./mime";

const ID = "@kernel-workbench/lab:settings";

export const settings: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "Settings of kernel-workbench",
  autoStart: true,
  requires: [ISettingRegistry, IRenderMimeRegistry, IDesk],
  activate: async (_: JupyterFrontEnd, registry: ISettingRegistry, rendermime: IRenderMimeRegistry, desk: Desk) => {
    const found = await registry.load(ID);
    const apply = () => {
      const said = (name: string) => found.get(name).composite as string;
      desk.place = said("place") === "beside the notebook" ? "split-right" : "tab-after";
      desk.follows = said("refresh") === "after each cell";
      setSaved(rendermime, said("saved") === "live");
      // drawings read them here, live widgets as well
      document.body.dataset["kwTexts"] = (found.get("texts").composite as string[]).join();
      document.body.classList.toggle("kw-calm", said("motion") === "none");
    };
    found.changed.connect(apply);
    apply();
  },
};
