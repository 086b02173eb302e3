"""How long a person waits for a kernel's Program screen, in Python and in a browser.

Each sample is a kernel that the screen has not shown yet, in a page that has not loaded our script
yet. The kernel is compiled before: what compiling takes, `nvrtc` and `targets` tell.
"""

from __future__ import annotations

import json
import time
from typing import Any

from workbench.bench.browser import STATIC, Absent, chromium, page_with, waited
from workbench.bench.figure import Figure, Goal, Settings, absent
from workbench.bench.samples import SAMPLES, Sample
from workbench.view.model import as_json
from workbench.view.program import kernel_view

WAIT = Goal(300)
ROUNDS = 5
_NAME = "a kernel's Program, until it is painted"

# From the script's text to the second frame after the drawing: the first one has painted it.
_PAINT = """async ([script, data]) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame();
  const start = performance.now();
  const element = document.createElement("script");
  element.textContent = script;
  document.head.append(element);
  kernelWorkbench.draw(document.getElementById("el"), JSON.parse(data), {});
  await frame();
  await frame();
  if (!document.querySelector(".kw-program .kw-code")) throw new Error("nothing was drawn");
  return performance.now() - start;
}"""


def program_paint(settings: Settings) -> list[Figure]:
    """The six kernels for CUDA, each in a new page."""
    samples = SAMPLES[:1] if settings.quick else SAMPLES
    try:
        with chromium() as browser:
            rounds = range(1 if settings.quick else ROUNDS)
            taken = [_sample(browser, each) for _ in rounds for each in samples]
            conditions = f"Chromium {browser.version}, headless, a new page for each kernel"
    except Absent as why:
        return [absent(_NAME, str(why), WAIT, "ms")]
    python, painted = zip(*taken, strict=True)
    both = [sum(each) for each in taken]
    return [
        waited("Python: from the kernel to the text of its view", python, "", None),
        waited("browser: from our script to the picture", painted, conditions, None),
        waited(_NAME, both, conditions, WAIT),
    ]


def _sample(browser: Any, sample: Sample) -> tuple[float, float]:
    kernel = sample.program().compile("cuda:sm_90a", **sample.extents(sample.odd))
    assert kernel.source
    start = time.perf_counter()
    data = json.dumps(as_json(kernel_view(kernel)))
    python = (time.perf_counter() - start) * 1e3
    page = page_with(browser, script=False)
    script = (STATIC / "standalone.js").read_text(encoding="utf-8")
    painted = float(page.evaluate(_PAINT, [script, data]))
    page.close()
    return python, painted
