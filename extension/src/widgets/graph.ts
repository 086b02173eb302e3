// The live graph screen.

import { renderGraph, type GraphSelection } from "../viz/graph";
import type { GraphView } from "../viz/types";
import { newer, watch, type Model } from "./model";

function render({ model, el }: { model: Model; el: HTMLElement }): (() => void) | void {
  const view = () => model.get("view") as GraphView;
  if (view().version !== 1) return newer(el, view());
  const drawing = renderGraph(el, view(), (selection) => { model.set("selection", selection); model.save_changes(); });
  drawing.select(model.get("selection") as GraphSelection);
  const stop = [
    watch(model, ["view"], () => drawing.update(view())),
    watch(model, ["selection"], () => drawing.select(model.get("selection") as GraphSelection)),
  ];
  return () => { stop.forEach((end) => end()); drawing.dispose(); };
}

export default { render };
