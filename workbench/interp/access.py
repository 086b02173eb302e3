"""What an access costs: sectors of global memory, banks of shared memory.

A request is one access by the threads of one warp. Global memory moves whole sectors of 32
bytes; tensors start at a sector. Shared memory has 32 banks of 4 bytes, and serves one 4-byte
word of each bank per pass (any number of lanes may read the same word); requests of 8 and 16
bytes per lane take the lanes by halves and quarters. Shared tensors start at bank 0.

Source: CUDA C++ Programming Guide, "Device Memory Accesses" and "Shared Memory".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.ir.types import Scope

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.base.span import Span
    from workbench.ir.node import Node

    Ints = NDArray[np.int64]
else:
    np = lazy("numpy")

SECTOR_BYTES, BANKS, WORD_BYTES, WARP = 32, 32, 4, 32


@dataclass(frozen=True, slots=True)
class Access:
    """All requests of one access in the source.

    Attributes
    ----------
    span : Span or None
        Where it stands.
    tensor : str
        Its name.
    kind : str
        ``load``, ``store`` or ``atomic``.
    scope : Scope
        GLOBAL or SHARED.
    count : int
        Requests.
    bytes_used : int
        Bytes asked for, a byte that several lanes of a request ask for once [byte].
    sectors, ideal_sectors : int
        Sectors moved, and the fewest that could hold the bytes asked for (0 for shared memory).
    passes, ideal_passes : int
        Passes over the banks, and the fewest that could serve them (0 for global memory).
    first : tuple of int
        Byte address of each lane in the first request, -1 for a lane that takes no part.
    lane_bytes : int
        Bytes per lane [byte].
    """

    span: Span | None
    tensor: str
    kind: str
    scope: Scope
    count: int = 0
    bytes_used: int = 0
    sectors: int = 0
    ideal_sectors: int = 0
    passes: int = 0
    ideal_passes: int = 0
    first: tuple[int, ...] = ()
    lane_bytes: int = 0

    @property
    def bytes_fetched(self) -> int:
        """Bytes that moved between global memory and the chip [byte]."""
        return self.sectors * SECTOR_BYTES

    @property
    def conflicts(self) -> int:
        """Passes beyond the fewest possible."""
        return self.passes - self.ideal_passes


@dataclass
class AccessLog:
    """Requests under collection, by place in the source."""

    rows: dict[int, Access] = field(default_factory=dict)

    def record(
        self,
        node: Node,
        kind: str,
        tensor: str,
        scope: Scope,
        start: Ints,
        warp: Ints,
        lane: Ints,
        lane_bytes: int,
    ) -> None:
        """One access by some threads.

        Parameters
        ----------
        start : ndarray of int64, shape [n]
            First byte that each thread touches, from the start of the tensor.
        warp, lane : ndarray of int64, shape [n]
            Number of its warp (any numbering) and its lane there.
        lane_bytes : int
            Bytes per thread, neighbours [byte].
        """
        if not len(start):
            return
        row = self.rows.get(id(node))
        if row is None:
            first = _first_request(start, warp, lane)
            row = Access(node.span, tensor, kind, scope, first=first, lane_bytes=lane_bytes)
        measure = _sectors if scope is Scope.GLOBAL else _passes
        found = measure(start, warp, lane, lane_bytes)
        more = {name: getattr(row, name) + value for name, value in found.items()}
        self.rows[id(node)] = replace(row, **more)

    def accesses(self) -> tuple[Access, ...]:
        """One row per place, in the order in which they were first met."""
        return tuple(self.rows.values())


def _first_request(start: Ints, warp: Ints, lane: Ints) -> tuple[int, ...]:
    lanes = [-1] * WARP
    for at in np.flatnonzero(warp == warp[0]):
        lanes[int(lane[at])] = int(start[at])
    return tuple(lanes)


def _distinct(warp: Ints, place: Ints) -> tuple[Ints, Ints]:
    """The different places of each warp: warp and place of each, sorted."""
    order = np.lexsort((place, warp))
    warp, place = warp[order], place[order]
    new = np.ones(len(warp), dtype=bool)
    new[1:] = (warp[1:] != warp[:-1]) | (place[1:] != place[:-1])
    return warp[new], place[new]


def _units(start: Ints, lane_bytes: int, unit: int) -> Ints:
    """The units of `unit` bytes that each thread touches, shape [units, n]."""
    count = max(1, -(-lane_bytes // unit))
    return (start // unit)[None, :] + np.arange(count)[:, None]


def _used(start: Ints, warp: Ints, lane_bytes: int) -> tuple[Ints, Ints]:
    """Warp of each different element touched, and bytes asked for per warp."""
    return _distinct(warp, start // lane_bytes)


def _sectors(start: Ints, warp: Ints, lane: Ints, lane_bytes: int) -> dict[str, int]:
    del lane
    sectors = _units(start, lane_bytes, SECTOR_BYTES)
    moved, _ = _distinct(np.tile(warp, len(sectors)), sectors.ravel())
    asked, _ = _used(start, warp, lane_bytes)
    requests, elements = np.unique(asked, return_counts=True)
    ideal = -(-elements * lane_bytes // SECTOR_BYTES)
    return {
        "count": len(requests),
        "bytes_used": len(asked) * lane_bytes,
        "sectors": len(moved),
        "ideal_sectors": int(ideal.sum()),
    }


def _passes(start: Ints, warp: Ints, lane: Ints, lane_bytes: int) -> dict[str, int]:
    asked, _ = _used(start, warp, lane_bytes)
    count = len(np.unique(warp))
    words = _units(start, lane_bytes, WORD_BYTES)
    # a part is what one pass could serve at best: the lanes that together ask for 32 words
    together = max(1, WARP // len(words))
    parts = -(-WARP // together)
    part = np.tile(warp * parts + lane // together, len(words))
    owner, word = _distinct(part, words.ravel())
    keys, of_bank = np.unique(owner * BANKS + word % BANKS, return_counts=True)
    _, starts = np.unique(keys // BANKS, return_index=True)
    passes = int(np.maximum.reduceat(of_bank, starts).sum())
    return {
        "count": count,
        "bytes_used": len(asked) * lane_bytes,
        "passes": passes,
        "ideal_passes": len(starts),
    }
