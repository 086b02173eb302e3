"""The launches of a call as one piece of machine code, its blocks shared with other host threads.

Between two launches the leader waits for blocks that others have begun, and for nothing else; see
`runtime.following`.
"""

from __future__ import annotations

import ctypes
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from workbench.runtime.cpu_launch import LONGEST_NS, Prepared
from workbench.runtime.following import Row, cores

WORTH_SHARING_NS = 6_000
"""Work of one launch from which on its blocks are shared [ns]: a cache line goes there and back."""

WORTH_WAKING_NS = 60_000
"""Work that can be shared in a row of launches from which on others are woken [ns]."""

_TRY, _TRIES = 24, 2
"""After so many calls, and so often, the way that was slower is tried again, with followers or
without. As long as followers stay the better way, each time after twice as many."""

_RARELY = 32 * _TRY  # calls at most

_REMEMBERED = 5
"""Calls whose median stands for a way: two that were held up, as after a pause, decide nothing."""

_PIECE_NS = 3_000
_PIECES = 8


@dataclass(slots=True)
class _Part:
    """Launches in a row, from `first` to before `last`; or a host call, with `last` -1.

    Whether followers help is seen from the times with and without them: on a machine that others
    use as well, a follower that has to wait for its turn holds up all. `words`, at
    `address`, are what the machine code is called with.
    """

    first: int
    last: int
    sharable: bool
    calls: int = 0
    due: int = _TRY
    wait: int = _TRY
    wide_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    alone_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    @property
    def wide(self) -> bool:
        """Whether the next call wakes followers; now and then it is the slower way's turn."""
        if len(self.wide_ns) < _REMEMBERED or not self.alone_ns:
            return len(self.wide_ns) < _REMEMBERED
        return self._better ^ (self.calls >= self.due)

    @property
    def _better(self) -> bool:
        return median(self.wide_ns) <= median(self.alone_ns)

    def note(self, wide: bool, ns: int) -> None:
        """What a call took."""
        self.calls += 1
        (self.wide_ns if wide else self.alone_ns).append(ns)
        if self.calls >= self.due + _TRIES or (self.wait > _TRY and not self._better):
            # one bad moment should not leave the other threads idle for long
            self.wait = min(2 * self.wait, _RARELY) if self._better else _TRY
            self.due = self.calls + self.wait


class Launches:
    """The launches of one workspace, in order; host calls stand between them.

    Parameters
    ----------
    runs : sequence of Prepared or callable
        Prepared launches, and calls of other functions.
    threads : int, optional
        Host threads; by default one per core.
    """

    def __init__(
        self, runs: Sequence[Prepared | Callable[[], None]], threads: int | None = None
    ) -> None:
        self._runs: list[Any] = list(runs)
        self._threads = threads or cores()
        self._taken: list[int] = []  # the shortest time of each launch so far [ns]
        self._samples = 0
        kept = [run for run in runs if isinstance(run, Prepared)]
        scratch_bytes = max((r.launcher.binary.scratch_bytes for r in kept), default=0)
        self._row = Row(len(self._runs), scratch_bytes, self._threads)
        self._parts: list[_Part] = []

    def __call__(self) -> None:
        """Run them all to their end, or up to an interrupt between two rows of launches."""
        if self._samples < _SAMPLES:
            self._sample()
            return
        for part in self._parts:
            if part.last < 0:
                self._runs[part.first]()
            elif part.sharable:
                wide, start = part.wide, time.perf_counter_ns()
                if wide:
                    self._row.together(part.first, part.last)
                else:
                    self._row.alone(part.first, part.last)
                part.note(wide, time.perf_counter_ns() - start)
            else:
                self._row.alone(part.first, part.last)

    def _sample(self) -> None:
        """Run each by its own and note what it takes; then put together what goes together."""
        taken: list[int] = []
        for run in self._runs:
            start = time.perf_counter_ns()
            run()
            taken.append(time.perf_counter_ns() - start)
        known = self._taken or taken
        self._taken = [min(pair) for pair in zip(known, taken, strict=True)]
        self._samples += 1
        if self._samples == _SAMPLES:
            self._arrange()

    def _arrange(self) -> None:
        """Write the table of launches, and cut it at host calls and after long rows."""
        first, shared, long = 0, 0, 0
        for n, (run, ns) in enumerate(zip(self._runs, self._taken, strict=True)):
            if not isinstance(run, Prepared):
                self._part(first, n, shared)
                self._parts.append(_Part(n, -1, False))
                first, shared, long = n + 1, 0, 0
                continue
            blocks = run.launcher.blocks
            work = ns * (self._threads if ns > WORTH_SHARING_NS * 25 else 1)
            pieces = min(blocks, _PIECES * self._threads, work // _PIECE_NS)
            alone = self._threads == 1 or work < WORTH_SHARING_NS or pieces < 2
            shared += 0 if alone else work
            grain = blocks if alone else -(-blocks // pieces)
            pointers = ctypes.addressof(run.pointers)
            self._row.set(n, run.launcher.binary.address(), pointers, blocks, grain)
            long += ns
            if long >= LONGEST_NS:
                self._part(first, n + 1, shared)
                first, shared, long = n + 1, 0, 0
            # the arrays of this call are not held any longer
            self._runs[n] = run.pointers, run.launcher
        self._part(first, len(self._runs), shared)

    def _part(self, first: int, last: int, shared_ns: int) -> None:
        if first < last:
            self._parts.append(_Part(first, last, shared_ns >= WORTH_WAKING_NS))


_SAMPLES = 2
"""Calls in which each launch is run by its own, to see how long it takes."""
