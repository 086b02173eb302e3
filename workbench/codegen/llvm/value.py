"""What a lane group holds: one value per lane, in the cheapest form that is known.

Consecutive threads form a group of `lanes` threads that execute together. An integer is kept as
``scalar + offsets[lane]`` as long as possible, since that form tells which elements an access
touches: all the same, neighbours, or a fixed pattern.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd

from workbench.ir.types import DType

Offsets = tuple[int, ...]
"""One entry for all lanes, or one for each."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value in every lane of a group.

    Attributes
    ----------
    type : DType
        A type of one lane.
    scalar : str or None
        LLVM operand of the part that all lanes share; None when only `vector` is known.
    offsets : tuple of int
        What each lane adds to it (integers only).
    vector : str or None
        LLVM operand with one element per lane, when `scalar` is None.
    low, high : int
        Bounds of an integer's `scalar`, or of all elements of its `vector`, both inclusive.
    multiple : int
        A number that divides the `scalar`; 0 when it is zero.
    """

    type: DType
    scalar: str | None = None
    offsets: Offsets = (0,)
    vector: str | None = None
    low: int = 0
    high: int = 0
    multiple: int = 1

    @property
    def uniform(self) -> bool:
        """Whether all lanes hold the same."""
        return self.scalar is not None and len(self.offsets) == 1

    @property
    def known(self) -> int | None:
        """The integer that every lane holds, when it is known now."""
        return self.offsets[0] if self.scalar == "0" and len(self.offsets) == 1 else None

    @property
    def range(self) -> tuple[int, int]:
        """Bounds over all lanes, before any wrapping of the sum."""
        return self.low + min(self.offsets), self.high + max(self.offsets)

    @property
    def exact(self) -> bool:
        """Whether the sum of scalar and offset cannot wrap in any lane."""
        low, high = self.range
        floor, ceiling = self.type.bounds
        return floor <= low and high <= ceiling


def integer(kind: DType, number: int) -> Value:
    """An integer known now, in every lane."""
    return Value(kind, "0", (number,), multiple=0)


def pattern(kind: DType, offsets: Offsets) -> Value:
    """Integers known now, one per lane."""
    return Value(kind, "0", squeeze(offsets), multiple=0)


def shared(kind: DType, scalar: str, low: int, high: int, multiple: int = 1) -> Value:
    """An integer that all lanes share, with facts about it; facts that overflow are dropped."""
    floor, ceiling = kind.bounds
    if low < floor or high > ceiling:
        # what divides a number divides its remainder modulo 2**bits only when it is a power of 2
        return Value(kind, scalar, (0,), None, floor, ceiling, multiple & -multiple or 1)
    return Value(kind, scalar, (0,), None, low, high, multiple)


def opaque(kind: DType, scalar: str) -> Value:
    """A value that all lanes share and of which nothing is known."""
    if not kind.is_int:
        return Value(kind, scalar)
    return shared(kind, scalar, *kind.bounds)


def varying(kind: DType, vector: str, low: int | None = None, high: int | None = None) -> Value:
    """A value of its own in each lane."""
    if not kind.is_int:
        return Value(kind, None, (0,), vector)
    floor, ceiling = kind.bounds
    if low is None or high is None or low < floor or high > ceiling:
        low, high = floor, ceiling
    return Value(kind, None, (0,), vector, low, high)


def squeeze(offsets: Offsets) -> Offsets:
    """One entry where all are equal."""
    return offsets[:1] if min(offsets) == max(offsets) else offsets


def zip_offsets(a: Offsets, b: Offsets) -> list[tuple[int, int]]:
    """Offsets of two values lane by lane."""
    count = max(len(a), len(b))
    left = a if len(a) == count else a * count
    right = b if len(b) == count else b * count
    return list(zip(left, right, strict=True))


def with_offsets(value: Value, offsets: Offsets) -> Value:
    """The same shared part with other offsets."""
    return replace(value, offsets=squeeze(offsets))


def divides(divisor: int, value: Value) -> bool:
    """Whether the shared part is known to be a multiple of `divisor`."""
    return value.multiple % divisor == 0


def common(a: Value, b: Value) -> int:
    """A number that divides the shared parts of both."""
    return gcd(a.multiple, b.multiple)
