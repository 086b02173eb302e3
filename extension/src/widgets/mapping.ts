// The live mapping screen: edits go to Python, which answers with a view or with an error.

import { renderMapping, type MappingError, type MappingSelection } from "../viz/mapping";
import type { MappingView } from "../viz/types";
import { newer, watch, type Model } from "./model";

function render({ model, el }: { model: Model; el: HTMLElement }): (() => void) | void {
  const view = () => model.get("view") as MappingView;
  if (view().version !== 1) return newer(el, view());
  let asked = Number(model.get("answered")) || 0;
  const drawing = renderMapping(el, view(), {
    compose: (text) => {
      asked += 1;
      model.set("ask", { id: asked, text });
      model.save_changes();
    },
    selected: (selection) => {
      model.set("selection", selection);
      model.save_changes();
    },
  });
  drawing.select(model.get("selection") as MappingSelection);
  // Of answers that come late only the last counts: what was typed since is on its way.
  const answer = () => {
    if (Number(model.get("answered")) < asked) return;
    const error = model.get("error") as MappingError | null;
    if (!error) drawing.update(view());
    drawing.fail(error);
  };
  const stop = [
    watch(model, ["answered"], answer),
    watch(model, ["view"], () => { if (asked === 0) drawing.update(view()); }),
    watch(model, ["selection"], () => drawing.select(model.get("selection") as MappingSelection)),
  ];
  return () => { stop.forEach((end) => end()); drawing.dispose(); };
}

export default { render };
