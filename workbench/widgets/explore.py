"""The live widget of an object."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.bench.peers import Comparison
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.graph import CompiledGraph, FlowGraph
from workbench.mapping import TaskMapping, parse_mapping
from workbench.runtime.timing import Measurement
from workbench.tune import Space, Tuning
from workbench.view.raw import RawKernel
from workbench.widgets.links import is_link, parse_link

if TYPE_CHECKING:
    from workbench.widgets.explorer import Explorer

# Module and class of each screen. They are loaded when asked for: anywidget takes longer to
# import than all of workbench, and `import workbench` brings this module.
_SCREENS: dict[type[Any], tuple[str, str]] = {
    Comparison: ("timing", "TimingExplorer"),
    CompiledGraph: ("graph", "GraphExplorer"),
    FlowGraph: ("graph", "GraphExplorer"),
    Kernel: ("program", "ProgramExplorer"),
    Measurement: ("timing", "TimingExplorer"),
    Program: ("program", "ProgramExplorer"),
    RawKernel: ("program", "ProgramExplorer"),
    TaskMapping: ("mapping", "MappingExplorer"),
    Tuning: ("tune", "TuneExplorer"),
}


# Screens that are asked for by name, and the objects that have them.
_NAMED: dict[str, tuple[tuple[type[Any], ...], str, str]] = {
    "passes": ((Kernel, Program), "passes", "PassesExplorer"),
    "program": ((Kernel, Program, RawKernel), "program", "ProgramExplorer"),
}


def explore(thing: object, screen: str = "", *, at: str | None = None, **how: Any) -> Explorer:
    """A widget to look into an object.

    Parameters
    ----------
    thing : TaskMapping, Program, Kernel, RawKernel, FlowGraph, CompiledGraph, Tuning, ...
        What to explore; also a Measurement and a Comparison; or the link of a mapping, which
        holds all of it.
    screen : str
        Another screen than its own: ``passes`` for a Program or a Kernel.
    at : str, optional
        A link, as `Explorer.link_text` gives: what to show and pick in the screen.
    **how
        What its screen takes besides, such as ``kernel=`` for the roofline of a measurement, or
        ``N=1024`` for an open extent of a program.

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
        thing, at = _linked(thing), thing
    elif at is not None and not screen:  # a link to the passes of a kernel says so
        kind = parse_link(at).kind
        screen = kind if kind in _NAMED and isinstance(thing, _NAMED[kind][0]) else ""
    module, name = _named(thing, screen) if screen else _own(thing)
    explorer = getattr(import_module(f"workbench.widgets.{module}"), name)(thing, **how)
    if at is not None:
        explorer.restore(parse_link(at))
    return explorer


def _own(thing: object) -> tuple[str, str]:
    """Module and class of an object's own screen."""
    for kind, (module, name) in _SCREENS.items():
        if isinstance(thing, kind):
            return module, name
    known = ", ".join(kind.__name__ for kind in _SCREENS)
    raise WorkbenchError(
        f"there is no screen for a {type(thing).__name__}", hint=f"there is one for: {known}"
    )


def tune_live(build: Any, space: Space, args: Any = None, **how: Any) -> Any:
    """Tune beside the notebook: the screen shows each trial, its button stops the search.

    Parameters
    ----------
    build, space, args, **how
        As for :func:`workbench.tune`.

    Returns
    -------
    TuneExplorer
        Its ``wait()`` gives the Tuning; ``stop()`` ends the search and keeps what it has.

    Examples
    --------
    ``live = wb.tune_live(build, space)`` in one cell, ``live.wait().best`` in another.
    """
    return import_module("workbench.widgets.tune").start(build, space, args, how)


def _linked(link: str) -> TaskMapping:
    """The mapping that a link holds."""
    place = parse_link(link)
    if place.kind != "mapping" or "text" not in place.state:
        raise WorkbenchError(
            f"the link says what is picked in a {place.kind} screen, not of which {place.kind}",
            hint="explore(thing, at=link)",
        )
    return parse_mapping(place.state["text"])


def _named(thing: object, screen: str) -> tuple[str, str]:
    """Module and class of a screen that is asked for by name."""
    kinds, module, name = _NAMED.get(screen, ((), "", ""))
    if not isinstance(thing, kinds):
        has = [each for each, (of, _, _) in _NAMED.items() if isinstance(thing, of)]
        raise WorkbenchError(
            f"a {type(thing).__name__} has no screen called {screen!r}",
            hint=f"it has: {', '.join(has)}" if has else "leave the name out",
        )
    return module, name
