"""The live widget of an object."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.graph import CompiledGraph, FlowGraph
from workbench.mapping import TaskMapping

if TYPE_CHECKING:
    from workbench.widgets.explorer import Explorer

# Module and class of each screen. They are loaded when asked for: anywidget takes longer to
# import than all of workbench, and `import workbench` brings this module.
_SCREENS: dict[type[Any], tuple[str, str]] = {
    CompiledGraph: ("graph", "GraphExplorer"),
    FlowGraph: ("graph", "GraphExplorer"),
    Kernel: ("program", "ProgramExplorer"),
    Program: ("program", "ProgramExplorer"),
    TaskMapping: ("mapping", "MappingExplorer"),
}


def explore(thing: object) -> Explorer:
    """A widget to look into an object.

    Parameters
    ----------
    thing : TaskMapping, Program, Kernel, FlowGraph or CompiledGraph
        What to explore.

    Raises
    ------
    WorkbenchError
        There is no screen for such a thing.

    Examples
    --------
    >>> from workbench.mapping import spatial
    >>> explore(spatial(4, 8))
    MappingExplorer(spatial(4, 8))
    """
    for kind, (module, name) in _SCREENS.items():
        if isinstance(thing, kind):
            return getattr(import_module(f"workbench.widgets.{module}"), name)(thing)
    known = ", ".join(kind.__name__ for kind in _SCREENS)
    raise WorkbenchError(
        f"there is no screen for a {type(thing).__name__}", hint=f"there is one for: {known}"
    )
