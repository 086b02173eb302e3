// The script of an exported page: draws the view that stands in the page. No kernel, no network.

import { draw } from "./viz/draw";
import type { Selection } from "./viz/drawing";
import type { View } from "./viz/types";

interface Page { view: View; selection: Selection; twins: { text?: string; svg?: string; html?: string } }

const page = document.getElementById("kw-data"), el = document.getElementById("kw-view");
if (page && el) {
  const { view, selection, twins } = JSON.parse(page.textContent ?? "") as Page;
  const reason = "a saved page: to change something, open it in a notebook";
  draw(el, view, { reason, twins }, twins.text).select(selection);
}
// For who embeds the script: one name, nothing else is global.
Object.assign(globalThis, { kernelWorkbench: { draw } });
