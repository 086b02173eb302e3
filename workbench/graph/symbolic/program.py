"""What a tape computes, as a list of functions of places."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from itertools import islice
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
    """What a tape computes, without what nobody needs; perhaps from where another one has ended.

    Attributes
    ----------
    inputs : tuple of int
        Places of the inputs that are new.
    values : list
        What stands in each place from `places_from` on before.
    entries : list
        Functions and guards, in order.
    results : sequence of int
        Places of what it gives.
    places_from, entries_to : int
        How many places there were before those of `values`, and how many entries when it was made.
    """

    inputs: tuple[int, ...]
    values: list[Any]
    entries: list[Entry]
    results: Sequence[int]
    places_from: int
    entries_to: int

    @property
    def places_to(self) -> int:
        """How many places there were when it was made."""
        return self.places_from + len(self.values)

    def run(self, inputs: Sequence[Any]) -> list[Any] | None:
        """The results for some inputs; None where a guard does not hold."""
        values: list[Any] = []
        return [values[p] for p in self.results] if self.go_on(values, inputs) else None

    def go_on(self, values: list[Any], inputs: Sequence[Any]) -> bool:
        """Fill in what stands in the places after those of an earlier program.

        False where a guard does not hold.
        """
        values += self.values
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
                    return False
        except ASTRAY:
            return False
        return True


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


def merged(
    entries: Sequence[Entry], start: int, values: Sequence[Any], made: Container[int]
) -> list[tuple[int, Entry]]:
    """The guards among entries, one for all that compare a whole number with numbers.

    Parameters
    ----------
    entries : sequence of Entry
        In order.
    start : int
        Which is the first to look at.
    values : sequence
        What stood in each place when they were written.
    made : container of int
        Places that depend on inputs.

    Returns
    -------
    list of (int, Entry)
        Each with its place among the entries.
    """
    known: dict[int, _Bounds] = {}
    found: list[tuple[int, Entry]] = []
    for at, entry in enumerate(islice(entries, start, None), start):
        if entry.place >= 0:
            continue
        if entry.function in _COMPARED:
            place, other = entry.operands
            if (
                place in made
                and other not in made
                and {type(values[p]) for p in (place, other)} == {int}
            ):
                known.setdefault(place, _Bounds(at)).note(
                    entry.function, values[other], entry.value
                )
                continue
        found.append((at, entry))
    return found + [(bounds.at, bounds.guard(place)) for place, bounds in known.items()]
