"""What a call tells an import: shapes where it begins, and what is seen at each cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.base.lazy import lazy
from workbench.graph.symbolic.array import array

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

FEW = 64
"""Elements of an array of whole numbers that are told number by number."""


class Kind(NamedTuple):
    """What is always the same of one array.

    Attributes
    ----------
    dtype : str
        As numpy spells it; empty where it is known otherwise.
    shape : tuple of int, or int
        Its extents, with elements that are told; or its rank, with extents that are.
    elements : object
        Those that are no numbers which may be others; None where they are, or are not told.
    """

    dtype: str
    shape: tuple[int, ...] | int
    elements: object = None


@dataclass(frozen=True, slots=True)
class Shaped:
    """Stands for an array of which nothing but this is known."""

    shape: tuple[int, ...]
    kind: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return np.dtype(self.kind)


@dataclass(frozen=True, slots=True)
class Told:
    """What an import goes on with; equal where it goes on in the same way.

    Attributes
    ----------
    kinds : tuple of Kind
        One for each array.
    numbers : tuple of int
        Extents and elements that may be other ones another time, array by array.
    enters : bool
        Whether a body begins here that runs many times.
    """

    kinds: tuple[Kind, ...]
    numbers: tuple[int, ...]
    enters: bool = False

    @classmethod
    def shapes(cls, shapes: Sequence[tuple[int, ...]], enters: bool = False) -> Told:
        """The shapes with which a graph begins."""
        kinds = tuple(Kind("", len(s)) for s in shapes)
        return cls(kinds, tuple(e for s in shapes for e in s), enters)

    @classmethod
    def results(cls, arrays: Sequence[np.ndarray]) -> Told:
        """What a host call gave: its shapes are told, its elements are not."""
        kinds = tuple(Kind(a.dtype.str, a.ndim) for a in arrays)
        return cls(kinds, tuple(e for a in arrays for e in a.shape))

    @classmethod
    def values(cls, arrays: Sequence[np.ndarray]) -> Told:
        """Arrays whose elements are told."""
        kinds: list[Kind] = []
        numbers: list[int] = []
        for a in arrays:
            elements: object = None
            if a.dtype.kind in "iu" and a.size <= FEW:
                numbers += a.reshape(-1).tolist()
            elif a.dtype.kind == "O":
                elements = tuple(a.reshape(-1).tolist())
            else:
                elements = a.tobytes()
            kinds.append(Kind(a.dtype.str, a.shape, elements))
        return cls(tuple(kinds), tuple(numbers))

    def like(self, other: Told) -> bool:
        """Whether but for numbers it tells the same."""
        return self.kinds == other.kinds and self.enters == other.enters

    def with_numbers(self, numbers: Sequence[Any]) -> Told:
        """The same with other numbers, which may be traced."""
        return replace(self, numbers=tuple(numbers))

    @property
    def sizes(self) -> Iterator[bool]:
        """Of each number, whether it is an extent."""
        for kind in self.kinds:
            if isinstance(kind.shape, int):
                yield from (True,) * kind.shape
            elif kind.elements is None:
                yield from (False,) * prod(kind.shape)

    @property
    def arrays(self) -> list[Any]:
        """The arrays again, as far as they were told."""
        numbers = iter(self.numbers)
        return [_array(kind, numbers) for kind in self.kinds]


def _array(kind: Kind, numbers: Iterator[int]) -> Any:
    dtype, shape, elements = kind
    if isinstance(shape, int):
        return Shaped(tuple(islice(numbers, shape)), dtype)
    if elements is None:
        return array(list(islice(numbers, prod(shape))), dtype).reshape(shape)
    if isinstance(elements, bytes):
        return np.frombuffer(elements, dtype).reshape(shape).copy()
    found = np.empty(shape, dtype)
    found.reshape(-1)[:] = elements
    return found
