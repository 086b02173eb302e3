"""Recorded ways from what calls tell to graphs, as long as recording them is of use."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.graph.recording import Recording
from workbench.graph.stage import Stage

if TYPE_CHECKING:
    from workbench.graph.recording import Path
    from workbench.graph.replay import Replay
    from workbench.graph.segment import Origin, Segment
    from workbench.graph.tensor import Tensor

    Record = Callable[[Recording, Replay | None, Segment, Sequence[Tensor] | None], Replay]

KEPT = 8
"""Ways that are kept; the one that was used least recently goes."""

TRIES = 5
"""What `Ways.tries` is by default."""

_PLACES = 64
"""Places in a model of which it is known what calls told there."""


@dataclass(slots=True)
class _Place:
    """Where in a model, and in which form, calls told something.

    Attributes
    ----------
    tries : int
        How many more ways may be recorded to there.
    met : deque of Path
        What they told up to there.
    """

    tries: int
    met: deque[Path] = field(default_factory=lambda: deque(maxlen=KEPT))


class _Way:
    """A path that was recorded.

    Attributes
    ----------
    replays : dict of int to Replay
        What it leads to, by how much has been told before.
    """

    def __init__(self, origin: Origin, record: Record) -> None:
        self._origin = origin
        self._record = record
        self._recording = Recording(origin.inputs)
        self._segment: Segment | None = None
        self._before: Sequence[Tensor] | None = None
        self.replays: dict[int, Replay] = {}

    def at(self, path: Path, before: Sequence[Tensor] | None) -> Stage | None:
        """What another path leads to; None where this is not its way."""
        replay = self.replays.get(len(path))
        known = None if replay is None else self._recording.values(path)
        return None if replay is None or known is None else replay.at(known, before)

    def ends_before(self, path: Path) -> bool:
        """Whether a path goes on from its end."""
        return self._recording.path == path[:-1] and self._segment is not None

    def go(self, path: Path, others: Sequence[Path]) -> None:
        """Go along a path, from where it has come to, and record what that leads to.

        Parameters
        ----------
        others : sequence of Path
            Of other calls, which told the like.
        """
        segment, self._segment = self._segment, None
        for step in range(len(self._recording.path), len(path)):
            told = self._recording.trace(path[step], others)
            if segment is None:
                segment = self._origin.begin([a.shape for a in told.arrays])
            else:
                earlier = Stage.of(segment, None, self._before).tensors
                self._before = None if told.enters else earlier
                segment = segment.after(told)
        assert segment is not None, "a path is not empty"
        if self._recording.open:
            last = next(reversed(self.replays.values()), None)
            self.replays[len(path)] = self._record(self._recording, last, segment, self._before)
            self._segment = segment


class Ways:
    """Graphs for what a call tells, by ways that others have gone.

    Parameters
    ----------
    origin : Origin
        Where all ways begin.
    record : callable
        From a recording, what was made of it last, the segment that it has come to and the tensors
        of the stage before that, None where a graph begins, to what makes the segment for others.

    Attributes
    ----------
    tries : int
        Ways that are recorded at a place beyond those graphs that an earlier way led to there.
    recorded, replayed : int
        Ways that were recorded, and segments that one led to.
    untraced : Exception or None
        Why the last way could not be recorded.
    """

    def __init__(self, origin: Origin, record: Record) -> None:
        self._origin = origin
        self._record = record
        self._known: list[_Way] = []
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._lock = threading.Lock()
        self.tries, self.recorded, self.replayed = TRIES, 0, 0
        self.untraced: Exception | None = None

    def stage(self, path: Path, before: Sequence[Tensor] | None) -> Stage | None:
        """What a path leads to; None where that has to be made for it alone.

        So it is where nobody told the like before. A way that is new is recorded.

        Parameters
        ----------
        path : Path
            What the call told.
        before : sequence of Tensor or None
            The tensors of the stage before; None where a graph begins.
        """
        with self._lock:
            place = self._place(path)
            others = [other for other in place.met if other != path]
            place.met.append(path)
            if not others:
                return None
            for known in tuple(self._known):
                found = self._gone(known, path, before)
                if found is not None:
                    self._known.remove(known)
                    self._known.insert(0, known)
                    self.replayed += 1
                    place.tries += 1
                    return found
            if place.tries <= 0:
                return None
            place.tries -= 1
            way = self._new(path, others)
            return way and self._gone(way, path, before)

    def _place(self, path: Path) -> _Place:
        """Where calls told the like of a path."""
        key = tuple((told.kinds, told.enters) for told in path)
        place = self._places.setdefault(key, _Place(self.tries))
        self._places.move_to_end(key)
        if len(self._places) > _PLACES:
            self._places.popitem(last=False)
        return place

    def _new(self, path: Path, others: Sequence[Path]) -> _Way | None:
        """A way that was recorded for this path, or goes on to it from now on."""
        goes_on = [] if path[-1].enters else [w for w in self._known if w.ends_before(path)]
        way = goes_on[0] if goes_on else _Way(self._origin, self._record)
        self.recorded += not goes_on
        try:
            way.go(path, others)
        except Exception as error:
            # lines that know nothing of traced numbers may do with them what cannot be traced;
            # the graph is then made with plain ones, as it would be otherwise
            self.untraced = error
            return None
        if not goes_on and way.replays:
            self._known.insert(0, way)
            del self._known[KEPT:]
        return way

    def _gone(self, way: _Way, path: Path, before: Sequence[Tensor] | None) -> Stage | None:
        """What a way leads to; one on which something is wrong is forgotten."""
        try:
            return way.at(path, before)
        except WorkbenchError as error:
            self.untraced = error
            self._known.remove(way)
            return None
