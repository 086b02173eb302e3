"""TimingExplorer: samples, roofline and peers of a measurement."""

from __future__ import annotations

from workbench.bench.peers import Comparison, comparison_view
from workbench.driver.kernel import Kernel
from workbench.runtime.timing import Measurement
from workbench.view.timing import timing_view
from workbench.view.timing_svg import timing_words
from workbench.widgets.explorer import STATIC, Explorer


class TimingExplorer(Explorer):
    """The timing screen.

    Parameters
    ----------
    timed : Measurement or Comparison
        What to look into.
    kernel : Kernel, optional
        What was timed, or the first of a comparison, for its roofline.
    """

    _esm = STATIC / "timing.js"

    def __init__(self, timed: Measurement | Comparison, kernel: Kernel | None = None) -> None:
        if isinstance(timed, Comparison):
            view = comparison_view(timed, kernel)
        else:
            view = timing_view(timed, kernel=kernel)
        self._said = timing_words(view)
        super().__init__(view)

    def said(self) -> str:
        """Medians and spreads."""
        return self._said
