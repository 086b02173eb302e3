"""What a tape computes, as a list of functions of places."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workbench.base.errors import WorkbenchError

Function = Callable[..., Any]

ASTRAY = (ArithmeticError, LookupError, TypeError, ValueError, MemoryError, WorkbenchError)
"""What may happen where a guard does not hold: a division by zero, a place that is not there."""


class Entry(NamedTuple):
    """A function of places, and the place of what it gives; a guard holds if it gives `value`."""

    function: Function
    operands: tuple[int, ...]
    place: int = -1
    value: object = None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """What a tape computes, without what nobody needs.

    Attributes
    ----------
    inputs : tuple of int
        Places of the inputs.
    values : list
        What stands in each place before.
    entries : list
        Functions and guards, in order.
    results : sequence of int
        Places of what it gives.
    """

    inputs: tuple[int, ...]
    values: list[Any]
    entries: list[Entry]
    results: Sequence[int]

    def run(self, inputs: Sequence[Any]) -> list[Any] | None:
        """The results for some inputs; None where a guard does not hold."""
        values = self.values.copy()
        for place, value in zip(self.inputs, inputs, strict=True):
            values[place] = value
        try:
            for function, operands, place, wanted in self.entries:
                if len(operands) == 2:  # as most: this loop is what a new shape waits for
                    found = function(values[operands[0]], values[operands[1]])
                else:
                    found = function(*[values[p] for p in operands])
                if place >= 0:
                    values[place] = found
                elif found != wanted:
                    return None
        except ASTRAY:
            return None
        return [values[p] for p in self.results]


@dataclass
class _Bounds:
    """What comparisons with numbers say of a whole number: it lies between two, and is not others.

    Attributes
    ----------
    at : int
        Where its guard stands among the entries.
    """

    at: int
    low: float = -math.inf
    high: float = math.inf
    other: set[int] = field(default_factory=set[int])

    def note(self, function: Function, number: int, outcome: object) -> None:
        """That a comparison with a number gave `outcome`."""
        if function is operator.ne or function is operator.eq:
            if outcome is (function is operator.ne):
                self.other.add(number)
                return
            low, high = number, number
        elif function in (operator.gt, operator.le):
            above = outcome is (function is operator.gt)
            low, high = (number + 1, math.inf) if above else (-math.inf, number)
        else:
            above = outcome is (function is operator.ge)
            low, high = (number, math.inf) if above else (-math.inf, number - 1)
        self.low, self.high = max(self.low, low), min(self.high, high)

    def guard(self, place: int) -> Entry:
        """All of that as one guard."""
        low, high = self.low, self.high
        other = frozenset(n for n in self.other if low <= n <= high)
        if not other:
            return Entry(lambda v: low <= v <= high, (place,), value=True)
        return Entry(lambda v: low <= v <= high and v not in other, (place,), value=True)


_COMPARED = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)


def merged(entries: Sequence[Entry], values: Sequence[Any], made: Container[int]) -> list[Entry]:
    """Entries with one guard for all that compare a whole number with numbers.

    Parameters
    ----------
    entries : sequence of Entry
        In order.
    values : sequence
        What stood in each place when they were written.
    made : container of int
        Places that depend on inputs.
    """
    known: dict[int, _Bounds] = {}
    found: list[Entry | None] = []
    for entry in entries:
        if entry.place < 0 and entry.function in _COMPARED:
            place, other = entry.operands
            if (
                place in made
                and other not in made
                and {type(values[p]) for p in (place, other)} == {int}
            ):
                if place not in known:
                    known[place] = _Bounds(len(found))
                    found.append(None)
                known[place].note(entry.function, values[other], entry.value)
                continue
        found.append(entry)
    for place, bounds in known.items():
        found[bounds.at] = bounds.guard(place)
    return [entry for entry in found if entry is not None]
