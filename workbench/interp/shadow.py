"""Who touched an element last, and whether a barrier lies between: races.

Each touch leaves a record, one 64-bit number: time, site, thread. Time goes on at barriers only.
Two touches of an element by different threads, at least one a write, are a race unless a barrier
of their block (or of their warp) lies between. Nothing orders two blocks of one launch. Atomics
do not race with atomics, and writes of the same value do not race with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from workbench.interp.values import Array

    Ints = NDArray[np.int64]
else:
    np = lazy("numpy")

THREAD_BITS, SITE_BITS, TIME_BITS = 28, 15, 20
_THREAD = (1 << THREAD_BITS) - 1
_SITE = (1 << SITE_BITS) - 1
_TIME_AT = THREAD_BITS + SITE_BITS
WARP = 32


@dataclass
class Clock:
    """Barriers passed by the threads that run together.

    Attributes
    ----------
    threads : int
        Threads of a block.
    thread : ndarray of int64, shape [n]
        Number of each thread in the whole launch.
    """

    threads: int
    thread: Ints
    time: int = 1
    block_sync: Ints = field(init=False)
    warp_sync: Ints = field(init=False)
    oldest: int = 1

    def __post_init__(self) -> None:
        self.block_sync = np.ones(len(self.thread), dtype=np.int64)
        self.warp_sync = np.ones(len(self.thread), dtype=np.int64)

    def synchronise(self, lanes: Array, block: bool) -> None:
        """A barrier of the blocks, or of the warps, that `lanes` are all threads of."""
        self.time += 1
        if self.time >= 1 << TIME_BITS:
            raise WorkbenchError(f"more than {self.time - 1} barriers in a block")
        self.warp_sync[lanes] = self.time
        if block:
            self.block_sync[lanes] = self.time
            self.oldest = int(self.block_sync.min())

    def stamp(self, site: int, lanes: Ints) -> Ints:
        """Records of a touch now."""
        if site > _SITE:
            raise WorkbenchError(f"more than {_SITE} accesses in the source; run without checks")
        return self.thread[lanes] | ((self.time << _TIME_AT) | (site << THREAD_BITS))

    def unordered(self, record: Ints, lanes: Ints, shared: bool) -> Ints:
        """Positions at which a record is another thread's and no barrier lies between."""
        start = (self.oldest << _TIME_AT) if shared else 1
        if not len(record) or record.max() < start:
            return _nowhere()
        mine = self.thread[lanes]
        at = np.flatnonzero((record >= start) & ((record & _THREAD) != mine))
        if not len(at):
            return at
        other, time, mine = record[at] & _THREAD, record[at] >> _TIME_AT, mine[at]
        same_block = other // self.threads == mine // self.threads
        warps = (other % self.threads // WARP == mine % self.threads // WARP) & same_block
        past = same_block & (time < self.block_sync[lanes[at]])
        past |= warps & (time < self.warp_sync[lanes[at]])
        return at[~past]


def _nowhere() -> Ints:
    return np.empty(0, dtype=np.int64)


def party(record: int) -> tuple[int, int]:
    """Thread number and site of a record."""
    return record & _THREAD, (record >> THREAD_BITS) & _SITE


@dataclass(frozen=True, slots=True)
class Conflict:
    """A race: position among the touching threads, and the record of the other party."""

    position: int
    record: int
    count: int


@dataclass
class _Pair:
    """The latest touch of each element, and one by another thread, of another warp if any.

    The two arrays come with the first touch: many tensors are only ever written.
    """

    size: int
    last: Ints | None = None
    other: Ints | None = None

    def records(self, at: Ints) -> tuple[Ints, ...]:
        """Both records of the elements `at`; nothing when there never was a touch."""
        if self.last is None or self.other is None:
            return ()
        return self.last[at], self.other[at]

    def note(self, at: Ints, stamp: Ints) -> None:
        """Keep a touch of the elements `at`."""
        if self.last is None or self.other is None:
            self.last = np.zeros(self.size, dtype=np.int64)
            self.other = np.zeros(self.size, dtype=np.int64)
        before, spare = self.last[at], self.other[at]
        now = stamp[0] >> _TIME_AT
        recent = (before >> _TIME_AT == now) & (spare >> _TIME_AT == now)
        if (recent & ((before ^ spare) & _THREAD >= WARP)).all():
            return  # whoever writes next, one of two threads of different warps is another
        self.last[at] = stamp
        self.other[at[::-1]] = stamp[::-1]
        alone = self.last[at] == self.other[at]
        mine, theirs = stamp & _THREAD, before & _THREAD
        near = (mine // WARP == theirs // WARP) & (spare >> _TIME_AT >= before >> _TIME_AT)
        keep = np.where((before == 0) | (theirs == mine) | near, spare, before)
        self.other[at[alone]] = keep[alone]


class Shadow:
    """The records of one tensor's elements.

    Parameters
    ----------
    size : int
        Elements.
    shared : bool
        Whether only threads of one block can touch an element.
    """

    def __init__(self, size: int, shared: bool) -> None:
        self.shared = shared
        self.writer = np.zeros(size, dtype=np.int64)
        self.readers = _Pair(size)
        self.atomics = _Pair(size)

    def read(self, clock: Clock, at: Ints, lanes: Ints, site: int) -> Conflict | None:
        """A plain read of the elements `at`, by the thread in `lanes` each."""
        found = self._first(clock, lanes, [self.writer[at], *self.atomics.records(at)])
        self.readers.note(at, clock.stamp(site, lanes))
        return found

    def atomic(self, clock: Clock, at: Ints, lanes: Ints, site: int) -> Conflict | None:
        """An atomic update."""
        found = self._first(clock, lanes, [self.writer[at], *self.readers.records(at)])
        self.atomics.note(at, clock.stamp(site, lanes))
        return found

    def write(
        self, clock: Clock, at: Ints, lanes: Ints, site: int, same_before: Array, same_after: Array
    ) -> Conflict | None:
        """A plain write; call it after the write has been done.

        Parameters
        ----------
        same_before, same_after : ndarray of bool
            Whether the element held the value already, and whether it holds it now (it does not
            when another thread wrote another value in the same step).
        """
        earlier = np.where(same_before, 0, self.writer[at])
        touched = [earlier, *self.readers.records(at), *self.atomics.records(at)]
        found = self._first(clock, lanes, touched)
        stamp = clock.stamp(site, lanes)
        self.writer[at] = stamp
        if found is not None or same_after.all():
            return found
        lost = np.flatnonzero(~same_after)
        return Conflict(int(lost[0]), int(self.writer[at[lost[0]]]), len(lost))

    def _first(self, clock: Clock, lanes: Ints, touched: Iterable[Ints]) -> Conflict | None:
        for record in touched:
            at = clock.unordered(record, lanes, self.shared)
            if len(at):
                return Conflict(int(at[0]), int(record[at[0]]), len(at))
        return None
