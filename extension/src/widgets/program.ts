// The live program screen.

import { renderProgram, type ProgramSelection } from "../viz/program";
import type { ProgramView } from "../viz/types";
import { newer, watch, type Model } from "./model";

function render({ model, el }: { model: Model; el: HTMLElement }): (() => void) | void {
  const view = () => model.get("view") as ProgramView;
  if (view().version !== 1) return newer(el, view());
  const drawing = renderProgram(el, view(), (selection) => { model.set("selection", selection); model.save_changes(); });
  drawing.select(model.get("selection") as ProgramSelection);
  const stop = [
    watch(model, ["view"], () => drawing.update(view())),
    watch(model, ["selection"], () => drawing.select(model.get("selection") as ProgramSelection)),
  ];
  return () => { stop.forEach((end) => end()); drawing.dispose(); };
}

export default { render };
