"""Recorded ways from extents to graphs, as long as recording them is of use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.graph.replay import Recording

if TYPE_CHECKING:
    from workbench.graph.compile import CompiledGraph
    from workbench.graph.replay import Replay, Shapes
    from workbench.graph.tensor import Tensor

KEPT = 8
"""Ways that are kept; the one that was used least recently goes."""

TRIES = 3
"""Ways that are recorded beyond those graphs that an earlier way led to."""


class Ways:
    """Graphs for new extents of a model, by ways that others have gone.

    Parameters
    ----------
    inputs : sequence of Tensor
        Of the model.
    record : callable
        Goes the way of a recording; None where it does not lead to a whole graph.

    Attributes
    ----------
    recorded, replayed : int
        Ways that were recorded, and graphs that one led to.
    untraced : Exception or None
        Why the last way could not be recorded.
    """

    def __init__(
        self, inputs: Sequence[Tensor], record: Callable[[Recording], Replay | None]
    ) -> None:
        self._inputs = inputs
        self._record = record
        self._known: list[Replay] = []
        self._met: deque[Shapes] = deque(maxlen=KEPT)
        self.recorded, self.replayed = 0, 0
        self.untraced: Exception | None = None

    def graph(self, shapes: Shapes) -> CompiledGraph | None:
        """The graph for some shapes; None where it has to be made for them alone.

        So it is for the first. A way that has not been gone before is recorded.
        """
        others = tuple(self._met)
        self._met.append(shapes)
        if not others:
            return None
        for known in tuple(self._known):
            found = self._gone(known, shapes)
            if found is not None:
                self._known.remove(known)
                self._known.insert(0, known)
                self.replayed += 1
                return found
        if self.recorded >= TRIES + self.replayed:
            return None
        self.recorded += 1
        recording = Recording(self._inputs, shapes, others)
        if not recording.open:
            return None
        try:
            way = self._record(recording)
        except Exception as error:
            # lines that know nothing of traced numbers may do with them what cannot be traced;
            # the graph is then made with plain ones, as it would be otherwise
            self.untraced = error
            return None
        if way is None:
            return None
        self._known.insert(0, way)
        del self._known[KEPT:]
        return self._gone(way, shapes)

    def _gone(self, way: Replay, shapes: Shapes) -> CompiledGraph | None:
        """The graph that a way leads to; a way on which something is wrong is forgotten."""
        try:
            return way.at(shapes)
        except WorkbenchError as error:
            self.untraced = error
            self._known.remove(way)
            return None
