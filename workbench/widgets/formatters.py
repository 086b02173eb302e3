"""How IPython shows our objects: a picture, a table and data, in one bundle.

Static first: a cell that ends with an object shows a picture that needs no kernel, no script and
no trust. The live widget is asked for by `explore`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.bench.peers import Comparison, comparison_view
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.graph import CompiledGraph, FlowGraph
from workbench.interp import Report
from workbench.mapping import TaskMapping
from workbench.runtime.timing import Measurement
from workbench.tune import Tuning
from workbench.view.bundle import bundle
from workbench.view.graph import compiled_view, graph_view
from workbench.view.mapping import mapping_view
from workbench.view.model import View
from workbench.view.program import kernel_view, program_view
from workbench.view.raw import RawKernel
from workbench.view.raw_program import raw_view
from workbench.view.report import report_view
from workbench.view.timing import timing_view
from workbench.view.tune import tune_view

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_VIEWS: dict[type[Any], Callable[[Any], View]] = {
    Comparison: comparison_view,
    CompiledGraph: compiled_view,
    FlowGraph: graph_view,
    Kernel: kernel_view,
    Measurement: timing_view,
    Program: program_view,
    RawKernel: raw_view,
    Report: report_view,
    TaskMapping: mapping_view,
    Tuning: tune_view,
}


def view_for(thing: object) -> View:
    """The view of an object.

    Raises
    ------
    WorkbenchError
        There is none of such a thing.
    """
    for kind, view_of in _VIEWS.items():
        if isinstance(thing, kind):
            return view_of(thing)
    known = ", ".join(kind.__name__ for kind in _VIEWS)
    raise WorkbenchError(
        f"there is no view of a {type(thing).__name__}", hint=f"there is one of: {known}"
    )


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext workbench``: our objects show themselves, and there are the magics."""
    import_module("workbench.widgets.panel").register(shell)
    shell.register_magics(import_module("workbench.widgets.magics").WorkbenchMagics)


def register(shell: InteractiveShell | None) -> None:
    """Let this shell show our objects; without a shell nothing is to do.

    Parameters
    ----------
    shell : InteractiveShell or None
        What ``IPython.get_ipython()`` gives.
    """
    display: Any = getattr(shell, "display_formatter", None)
    if display is None:
        return
    formatter = display.mimebundle_formatter
    for kind, view_of in _VIEWS.items():
        formatter.for_type(kind, _formatter(view_of))


def _formatter(view_of: Callable[[Any], View]) -> Callable[..., dict[str, Any]]:
    def show(thing: object, **_: object) -> dict[str, Any]:
        return bundle(view_of(thing))

    return show
