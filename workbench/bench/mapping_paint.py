"""C11: from a keystroke to the picture, in a browser, 1,024 workers and 65,536 tasks.

The page is the mapping screen itself, with a stand-in for Python that answers at once: what is
measured is the browser's part, which a person waits for after each key. `mapping_edit` has
Python's part.
"""

from __future__ import annotations

import json
from typing import Any

from workbench.bench.browser import Absent, chromium, page_with, waited
from workbench.bench.figure import Figure, Goal, Settings, absent
from workbench.bench.mapping_edit import TEXTS
from workbench.mapping import parse_mapping
from workbench.view import as_json, mapping_view

FRAME = Goal(16)
EDITS = 120
_NAMES = ("script from a keystroke to the picture", "a keystroke until the picture is there")

# `work` is the time in our code, layout included, which drawing asks for; `until` also has the
# wait for the next frame, of which a screen of 60 Hz has one each 16.7 ms.
_EDIT = """async ([views, edits]) => {
  const el = document.getElementById("el");
  let drawing, drawn = 0;
  const host = { ask: async (type, { text }) => {
    drawing.update(views.find((view) => view.text === text));
    return { answer: {}, problem: null, late: false };
  } };
  const frame = requestAnimationFrame;
  window.requestAnimationFrame = (work) => frame((at) => {
    const before = performance.now();
    work(at);
    drawn += performance.now() - before;
  });
  drawing = kernelWorkbench.draw(el, views[0], host);
  const box = el.querySelector(".kw-expression"), canvas = el.querySelector("canvas");
  const painted = () => new Promise((done) => {
    const seen = new MutationObserver(() => { seen.disconnect(); frame(() => done()); });
    seen.observe(canvas, { attributeFilter: ["data-painted"] });
  });
  await painted();
  const work = [], until = [];
  for (let k = 1; k <= edits; k++) {
    await new Promise((done) => setTimeout(done, k * 7 % 23));
    const done = painted();
    drawn = 0;
    const before = performance.now();
    box.value = views[k % views.length].text;
    box.dispatchEvent(new Event("input"));
    const sync = performance.now() - before;
    const seen = new Promise((ready) => {
      const eye = new MutationObserver(() => { eye.disconnect(); ready(performance.now()); });
      eye.observe(canvas, { attributeFilter: ["data-painted"] });
    });
    until.push(await seen - before);
    await done;
    work.push(sync + drawn);
  }
  return [work, until];
}"""


def mapping_paint(settings: Settings) -> list[Figure]:
    """Edits of the expression box, another mapping each time."""
    try:
        with chromium() as started:
            work, until = _samples(started, 8 if settings.quick else EDITS)
            conditions = f"Chromium {started.version}, headless, drawn by the CPU"
    except Absent as why:
        return _missing(str(why))
    return [
        waited(_NAMES[0], work, conditions, FRAME),
        waited(_NAMES[1], until, f"{conditions}; with the wait for the next frame", None),
    ]


def _missing(why: str) -> list[Figure]:
    return [absent(_NAMES[0], why, FRAME, "ms"), absent(_NAMES[1], why, unit="ms")]


def _samples(browser: Any, edits: int) -> tuple[list[float], list[float]]:
    page = page_with(browser)
    views = [json.loads(json.dumps(as_json(mapping_view(parse_mapping(t))))) for t in TEXTS]
    work, until = page.evaluate(_EDIT, [views, edits])
    return work, until
