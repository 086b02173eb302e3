"""The loop nest of a mapping as data, from which a screen computes any task by itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

WORKER = -1
"""Source of a term that comes from the worker instead of a loop."""


@dataclass(frozen=True, slots=True)
class LoopView:
    """A loop from 0 to `extent`; `attr` is its loop attribute, empty when there is none."""

    name: str
    extent: int
    attr: str


@dataclass(frozen=True, slots=True)
class TermView:
    """A summand: ``coef * ((source // div) % mod)``, or ``coef * table[position]``, or ``coef``.

    Attributes
    ----------
    coef : int
        Factor in front.
    source : int
        Number of a loop, or ``WORKER``.
    div : int
        Divisor.
    mod : int or None
        Modulus, if there is one.
    table : tuple of int
        Constants; empty where the term is no lookup.
    position : tuple of TermView
        Summands of the place in the table.
    constant : bool
        Whether the term is `coef` alone.
    """

    coef: int
    source: int = WORKER
    div: int = 1
    mod: int | None = None
    table: tuple[int, ...] = ()
    position: tuple[TermView, ...] = ()
    constant: bool = False


@dataclass(frozen=True, slots=True)
class GuardView:
    """A task is done only where the sum of `terms` is less than that of `bound`."""

    terms: tuple[TermView, ...]
    bound: tuple[TermView, ...]


@dataclass(frozen=True, slots=True)
class NestView:
    """Loops outermost first; per dim the summands of the task's coordinate; guards.

    Attributes
    ----------
    dims : tuple of str
        Name of each dim.
    """

    loops: tuple[LoopView, ...]
    dims: tuple[str, ...]
    index: tuple[tuple[TermView, ...], ...]
    guards: tuple[GuardView, ...]

    @property
    def steps(self) -> int:
        """Rounds of all loops together."""
        return prod(loop.extent for loop in self.loops)
