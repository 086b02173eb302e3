"""The live widget of an object."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.graph import CompiledGraph, FlowGraph
from workbench.mapping import TaskMapping, parse_mapping
from workbench.widgets.links import is_link, parse_link

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


def explore(thing: object, at: str | None = None) -> Explorer:
    """A widget to look into an object.

    Parameters
    ----------
    thing : TaskMapping, Program, Kernel, FlowGraph or CompiledGraph
        What to explore; or the link of a mapping, which holds all of it.
    at : str, optional
        A link, as `Explorer.link_text` gives: what to show and pick in the screen.

    Raises
    ------
    WorkbenchError
        There is no screen for such a thing, or the link is none or of another screen.

    Examples
    --------
    >>> from workbench.mapping import spatial
    >>> explore(spatial(4, 8))
    MappingExplorer(spatial(4, 8))
    >>> explore("kw1:mapping?text=spatial(4,+8)&worker=3").selection["worker"]
    3
    """
    if isinstance(thing, str) and is_link(thing) and at is None:
        thing, at = _named(thing), thing
    for kind, (module, name) in _SCREENS.items():
        if isinstance(thing, kind):
            explorer = getattr(import_module(f"workbench.widgets.{module}"), name)(thing)
            if at is not None:
                explorer.restore(parse_link(at))
            return explorer
    known = ", ".join(kind.__name__ for kind in _SCREENS)
    raise WorkbenchError(
        f"there is no screen for a {type(thing).__name__}", hint=f"there is one for: {known}"
    )


def _named(link: str) -> TaskMapping:
    """The mapping that a link holds."""
    place = parse_link(link)
    if place.kind != "mapping" or "text" not in place.state:
        raise WorkbenchError(
            f"the link says what is picked in a {place.kind} screen, not of which {place.kind}",
            hint="explore(thing, at=link)",
        )
    return parse_mapping(place.state["text"])
