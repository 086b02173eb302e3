"""What a mapping is made of: a tuple of factors, outermost first.

Composition puts the tuples one after the other, so it is associative by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Attr = str | int | None
"""A loop attribute: ``None``, ``"unroll"``, ``"no_unroll"`` or an unroll factor."""

Kind = Literal["repeat", "spatial"]


@dataclass(frozen=True, slots=True)
class Primitive:
    """`repeat` or `spatial`: a whole grid, either for one worker or one task per worker.

    Attributes
    ----------
    kind : {"repeat", "spatial"}
        Whether the tasks follow one another or go to different workers.
    shape : tuple of int
        Extents.
    ranks : tuple of int
        Place of each dim, from slowest (0) to fastest.
    attrs : tuple of Attr
        Loop attribute per dim; all None for `spatial`.
    """

    kind: Kind
    shape: tuple[int, ...]
    ranks: tuple[int, ...]
    attrs: tuple[Attr, ...]

    @property
    def workers(self) -> int:
        """Number of workers."""
        return prod(self.shape) if self.kind == "spatial" else 1

    @property
    def order(self) -> tuple[int, ...]:
        """Dims from slowest to fastest."""
        return tuple(sorted(range(len(self.shape)), key=self.ranks.__getitem__))

    def __str__(self) -> str:
        order, extra = self.order, ""
        rank = len(order)
        turned = rank > 1 and order == tuple(reversed(range(rank)))
        if not turned and order != tuple(range(rank)):
            extra = f", ranks={list(self.ranks)}"
        if any(attr is not None for attr in self.attrs):
            one = len(set(self.attrs)) == 1
            extra += f", attrs={_attr(self.attrs[0]) if one else _attrs(self.attrs)}"
        return f"{'column_' * turned}{self.kind}({commas(self.shape)}{extra})"


@dataclass(frozen=True, slots=True)
class Projection:
    """Factors whose product has some dims forced to 0; duplicates stay.

    Attributes
    ----------
    factors : tuple of Factor
        What is projected.
    dims : tuple of int
        The dims that become 0, sorted.
    """

    factors: tuple[Factor, ...]
    dims: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Extents: 1 in every projected dim."""
        whole = shape_of(self.factors)
        return tuple(1 if dim in self.dims else extent for dim, extent in enumerate(whole))

    @property
    def workers(self) -> int:
        """Number of workers."""
        return workers_of(self.factors)

    def __str__(self) -> str:
        base = text_of(self.factors)
        if len(self.factors) > 1:
            base = f"({base})"
        return f"{base}.projection({{{commas(f'{dim}: 0' for dim in self.dims)}}})"


@dataclass(frozen=True, slots=True)
class Predicated:
    """A mapping of any extent: `inner` covers at least `shape`, what lies past it is left out.

    Attributes
    ----------
    shape : tuple of int
        Extents of the domain.
    workers : int
        Number of workers, the idle ones included.
    ranks : tuple of int
        Place of each dim, from slowest (0) to fastest.
    steps, busy : Primitive
        The `repeat` and the `spatial` of which `steps * busy` is the mapping before predication.
    """

    shape: tuple[int, ...]
    workers: int
    ranks: tuple[int, ...]
    steps: Primitive
    busy: Primitive

    def __str__(self) -> str:
        straight = self.ranks == tuple(range(len(self.shape)))
        ranks = "" if straight else f", ranks={list(self.ranks)}"
        return f"predicated_auto_map({commas(self.shape)}, workers={self.workers}{ranks})"


@dataclass(frozen=True, slots=True)
class UserFunction:
    """Tasks given by a Python function of the worker.

    Attributes
    ----------
    shape : tuple of int
        Extents of the domain.
    workers : int
        Number of workers.
    function : callable
        From a worker to its tasks; equal mappings hold the same function.
    tasks : tuple of tuples of tasks
        What the function gave for each worker when the mapping was made.
    """

    shape: tuple[int, ...]
    workers: int
    function: Callable[[int], Iterable[tuple[int, ...]]]
    tasks: tuple[tuple[tuple[int, ...], ...], ...] = field(compare=False, repr=False)

    def __str__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"TaskMapping({self.shape}, {self.workers}, {name})"


Factor = Primitive | Projection | Predicated | UserFunction
Factors = tuple[Factor, ...]


def commas(items: Iterable[object]) -> str:
    """The items, joined by a comma and a space."""
    return ", ".join(map(str, items))


def _attr(attr: Attr) -> str:
    return f'"{attr}"' if isinstance(attr, str) else str(attr)


def _attrs(attrs: tuple[Attr, ...]) -> str:
    return f"[{commas(map(_attr, attrs))}]"


def shape_of(factors: Factors) -> tuple[int, ...]:
    """Product of the factors' extents, dim by dim."""
    return tuple(prod(column) for column in zip(*(f.shape for f in factors), strict=True))


def workers_of(factors: Factors) -> int:
    """Product of the factors' workers."""
    return prod(factor.workers for factor in factors)


def text_of(factors: Factors) -> str:
    """The factors joined by ``*``, outermost first."""
    return " * ".join(map(str, factors))


def most_tasks(factors: Factors) -> int:
    """Upper bound of the number of tasks of one worker; exact where there are no predicates."""
    count = 1
    for factor in factors:
        match factor:
            case Primitive():
                count *= prod(factor.shape) // factor.workers
            case Projection():
                count *= most_tasks(factor.factors)
            case Predicated():
                count *= prod(factor.steps.shape)
            case UserFunction():
                count *= max(map(len, factor.tasks))
    return count
