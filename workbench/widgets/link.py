"""Screens that share one selection."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.widgets.explorer import Explorer


class Link:
    """Screens whose selections are kept equal, until :meth:`unlink`.

    Parameters
    ----------
    explorers : tuple of Explorer
        Two or more. What the first has picked goes before what the others have.
    """

    def __init__(self, explorers: tuple[Explorer, ...]) -> None:
        self.explorers = explorers
        picked: dict[str, Any] = {}
        for explorer in reversed(explorers):
            picked |= explorer.selection
        self._spread(picked)
        for explorer in explorers:
            explorer.observe(self._on_selection, "selection")

    def unlink(self) -> None:
        """Let each have its own again; what is picked stays."""
        for explorer in self.explorers:
            explorer.unobserve(self._on_selection, "selection")
        self.explorers = ()

    def _on_selection(self, change: Any) -> None:
        self._spread(change["new"])

    def _spread(self, picked: dict[str, Any]) -> None:
        # An equal dict is no change to a trait, so this comes to an end.
        for explorer in self.explorers:
            explorer.selection = dict(picked)

    def __repr__(self) -> str:
        return f"Link({', '.join(map(repr, self.explorers))})"


def link(*explorers: Explorer) -> Link:
    """Keep the selections of screens equal: what is picked in one lights up in all.

    Parameters
    ----------
    *explorers : Explorer
        Two or more results of `explore`.

    Returns
    -------
    Link
        Its ``unlink()`` ends it.

    Raises
    ------
    WorkbenchError
        Fewer than two, one of them twice, or something that is no screen.

    Examples
    --------
    >>> from workbench.mapping import repeat, spatial
    >>> from workbench.widgets.explore import explore
    >>> blocked, cyclic = explore(spatial(4) * repeat(2)), explore(repeat(2) * spatial(4))
    >>> joined = link(blocked, cyclic)
    >>> blocked.select(worker=3)
    >>> cyclic.selection["worker"]
    3
    """
    for thing in explorers:
        if not (hasattr(thing, "selection") and hasattr(thing, "observe")):
            raise WorkbenchError(
                f"link joins screens, and a {type(thing).__name__} is none",
                hint="explore(x) gives the screen of x",
            )
    if len({id(explorer) for explorer in explorers}) != len(explorers):
        raise WorkbenchError("link was given the same screen twice")
    if len(explorers) < 2:
        raise WorkbenchError(
            f"link joins two screens or more, not {len(explorers)}", hint="link(a, b)"
        )
    return Link(explorers)
