"""How a mapping is lowered: a loop nest, an index per dim, and guards.

The loops run in the order of the tasks; every index and guard is a sum of terms over the worker
and the loop variables. Screens draw a nest, the compiler turns it into statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.mapping.factor import Attr

WORKER = -1
"""Source of a digit that comes from the worker instead of a loop."""

NO_DIM = -1
"""Dim of a loop that belongs to no single dim: of a user's function, or projected away."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop from 0 to `extent`.

    Attributes
    ----------
    extent : int
        Number of rounds.
    attr : Attr
        ``None``, ``"unroll"``, ``"no_unroll"`` or an unroll factor.
    dim : int
        The dim it walks along, or ``NO_DIM``.
    """

    extent: int
    attr: Attr = None
    dim: int = NO_DIM


@dataclass(frozen=True, slots=True)
class Digit:
    """The value ``coef * ((source // div) % mod)``.

    Attributes
    ----------
    coef : int
        Factor in front.
    source : int
        Number of a loop, counted from the outermost, or ``WORKER``.
    div : int
        Divisor, at least 1.
    mod : int or None
        Modulus; None where the range of the source makes it needless.
    """

    coef: int
    source: int
    div: int = 1
    mod: int | None = None

    def value(self, worker: int, loops: Sequence[int]) -> int:
        """The value for a worker and the values of the loop variables."""
        number = (worker if self.source == WORKER else loops[self.source]) // self.div
        return self.coef * (number if self.mod is None else number % self.mod)


@dataclass(frozen=True, slots=True)
class Lookup:
    """The value ``coef * table[sum of position]``.

    Attributes
    ----------
    coef : int
        Factor in front.
    table : tuple of int
        Constants.
    position : tuple of Digit
        Where in the table; never outside.
    """

    coef: int
    table: tuple[int, ...]
    position: tuple[Digit, ...]

    def value(self, worker: int, loops: Sequence[int]) -> int:
        """The value for a worker and the values of the loop variables."""
        return self.coef * self.table[sum(term.value(worker, loops) for term in self.position)]


Term = Digit | Lookup
Terms = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """A task is done only where ``sum(terms) < bound``.

    Attributes
    ----------
    terms : tuple of Term
        What is compared; their sum is 0 when there are none.
    bound : int or tuple of Term
        Exclusive upper bound.
    """

    terms: Terms
    bound: int | Terms

    def holds(self, worker: int, loops: Sequence[int]) -> bool:
        """Whether the guard lets the task pass."""
        bound = self.bound if isinstance(self.bound, int) else _total(self.bound, worker, loops)
        return _total(self.terms, worker, loops) < bound


@dataclass(frozen=True, slots=True)
class Nest:
    """A mapping as loops, indices and guards.

    Attributes
    ----------
    loops : tuple of Loop
        Outermost first; none of extent 1.
    index : tuple of tuples of Term
        Per dim, the terms whose sum is the coordinate of the task.
    guards : tuple of Guard
        All must hold for the task to be done.

    Examples
    --------
    >>> from workbench.mapping import repeat, spatial
    >>> print((repeat(4, 1) * spatial(16, 8)).nest())
    for r in 4
    i = r*16 + w//8
    j = w%8
    """

    loops: tuple[Loop, ...]
    index: tuple[Terms, ...]
    guards: tuple[Guard, ...] = ()

    def tasks(self, worker: int) -> list[tuple[int, ...]]:
        """The tasks of a worker, in order, by running the nest."""
        rounds: list[tuple[int, ...]] = [()]
        for loop in self.loops:
            rounds = [(*outer, r) for outer in rounds for r in range(loop.extent)]
        return [
            tuple(_total(terms, worker, loops) for terms in self.index)
            for loops in rounds
            if all(guard.holds(worker, loops) for guard in self.guards)
        ]

    def __str__(self) -> str:
        names = ["r"] if len(self.loops) == 1 else [f"r{k}" for k in range(len(self.loops))]
        dims = "ijk" if len(self.index) <= len("ijk") else ""
        lines = [
            f"for {name} in {loop.extent}{f'  # {loop.attr}' if loop.attr is not None else ''}"
            for name, loop in zip(names, self.loops, strict=True)
        ]
        for guard in self.guards:
            bound = guard.bound if isinstance(guard.bound, int) else _sum_text(guard.bound, names)
            lines.append(f"if {_sum_text(guard.terms, names)} < {bound}")
        for dim, terms in enumerate(self.index):
            lines.append(f"{dims[dim] if dims else f'i{dim}'} = {_sum_text(terms, names)}")
        return "\n".join(lines)


def _total(terms: Terms, worker: int, loops: Sequence[int]) -> int:
    return sum(term.value(worker, loops) for term in terms)


def _sum_text(terms: Terms, names: Sequence[str]) -> str:
    return " + ".join(_term_text(term, names) for term in terms) or "0"


def _term_text(term: Term, names: Sequence[str]) -> str:
    if isinstance(term, Lookup):
        text = f"table{len(term.table)}[{_sum_text(term.position, names)}]"
    else:
        text = "w" if term.source == WORKER else names[term.source]
        text += f"//{term.div}" if term.div > 1 else ""
        text += f"%{term.mod}" if term.mod is not None else ""
    plain = term.coef == 1
    return text if plain else f"{f'({text})' if '/' in text or '%' in text else text}*{term.coef}"
