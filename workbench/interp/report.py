"""Faults and the report of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.base.span import Span
    from workbench.interp.access import Access

Coordinate = tuple[int, int, int]

FAULT_LIMIT = 100
"""Distinct faults that are kept; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a kernel must not do, once per kind and place.

    Attributes
    ----------
    kind : str
        ``out_of_bounds``, ``race``, ``uninitialised``, ``divergent_barrier``, ``misaligned``,
        ``inactive_lane``, ``division_by_zero``, ``shift`` or ``no_result``.
    message : str
        What happened, with names, numbers, block and thread.
    span : Span or None
        Where in the source.
    block, thread : tuple of int
        (x, y, z) of blockIdx and threadIdx of the first thread that did it.
    other_block, other_thread, other_span
        The second party of a race, or a thread that did not come to a barrier.
    tensor : str
        Name of the tensor, else empty.
    index : tuple of int
        The index used, one entry per dimension; the address at level LOWERED.
    count : int
        How many threads did it, all times together.
    """

    kind: str
    message: str
    span: Span | None
    block: Coordinate
    thread: Coordinate
    other_block: Coordinate | None = None
    other_thread: Coordinate | None = None
    other_span: Span | None = None
    tensor: str = ""
    index: tuple[int, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found.

    Attributes
    ----------
    faults : tuple of Fault
        In the order in which they were first met.
    accesses : tuple of Access
        One row per access in the source, when asked for.
    steps : int
        Statements that were carried out, each once for all threads that run together.
    """

    faults: tuple[Fault, ...]
    accesses: tuple[Access, ...] = ()
    steps: int = 0

    @property
    def ok(self) -> bool:
        """Whether there was no fault."""
        return not self.faults


@dataclass
class FaultLog:
    """Faults under collection."""

    found: dict[tuple[str, int], Fault] = field(default_factory=dict)
    counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def known(self, kind: str, site: int, count: int) -> bool:
        """Count `count` more of `kind` at `site`; whether a fault stands for them already."""
        key = (kind, site)
        self.counts[key] = self.counts.get(key, 0) + count
        return key in self.found or len(self.found) >= FAULT_LIMIT

    def add(self, site: int, fault: Fault) -> None:
        """Keep the first fault of its kind at `site`."""
        self.found[fault.kind, site] = fault

    def faults(self) -> tuple[Fault, ...]:
        """All faults, with their counts."""
        return tuple(
            Fault(
                **{name: getattr(f, name) for name in Fault.__slots__ if name != "count"},
                count=self.counts[key],
            )
            for key, f in self.found.items()
        )


def raise_on_fault(report: Report) -> None:
    """Raise when the report has faults.

    Raises
    ------
    WorkbenchError
        Naming the first fault with its place; the others are notes.
    """
    if report.ok:
        return
    first, *others = report.faults
    notes = [f"the other access is at {first.other_span}"] if first.other_span else []
    notes += [f"{f.message} (at {f.span})" if f.span else f.message for f in others[:8]]
    if len(others) > 8:
        notes.append(f"and {len(others) - 8} more")
    raise WorkbenchError(first.message, first.span, HINTS.get(first.kind), notes)


HINTS = {
    "out_of_bounds": "guard the access with the extent: if i < n",
    "race": "put syncthreads() between the two accesses, or let each thread have its own element",
    "uninitialised": "write the element before it is read",
    "divergent_barrier": "take the barrier out of the branch, so that every thread comes to it",
    "inactive_lane": "let all lanes of the warp take part, and select the result afterwards",
    "misaligned": "vector accesses start at a multiple of their size",
}
