"""What a tape would compute of some other inputs, as far as it has grown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.graph.symbolic.program import ASTRAY
from workbench.graph.symbolic.tape import REACH

if TYPE_CHECKING:
    from workbench.graph.symbolic.tape import Tape

_OTHERS: tuple[Callable[[int], int], ...] = (
    lambda e: e + 1,
    lambda e: 2 * e,  # of which the same numbers are divisors
    lambda e: e + 3,
    lambda e: REACH * e + 3,
    lambda e: -(-e // REACH),
)

_ALONE = _OTHERS[:2]

_SEVERAL = 2

_MOST_BYTES = 2**26
"""Of an array that is computed to see what would be [byte]."""


@dataclass(slots=True)
class _Probe:
    """Other inputs, and what stands in the places of the tape for them.

    Attributes
    ----------
    other : callable
        From the number of an input and what it is to what it is here.
    entries : int
        How many it has been through.
    astray : bool
        Whether there is nothing for these inputs.
    holds : bool
        Whether all guards have held.
    """

    other: Callable[[int, int], int]
    values: list[Any] = field(default_factory=list[Any])
    entries: int = 0
    astray: bool = False
    holds: bool = True

    def grow(self, tape: Tape) -> None:
        """Go through what has been added to the tape."""
        if self.astray:
            return
        values, start = self.values, len(self.values)
        values += tape.values[start:]
        for n, (place, _) in enumerate(tape.inputs):
            if place >= start:
                values[place] = self.other(n, tape.values[place])
        try:
            for function, operands, place, wanted in tape.entries[self.entries :]:
                found = function(*[values[p] for p in operands])
                if place < 0:
                    self.holds &= found == wanted
                elif getattr(found, "nbytes", 0) > _MOST_BYTES:
                    raise MemoryError  # as if there were none
                else:
                    values[place] = found
        except ASTRAY:
            self.astray, self.holds, self.values = True, False, []
        self.entries = len(tape.entries)


class Met:
    """Inputs of a tape in other calls.

    Parameters
    ----------
    tape : Tape
        To which no more inputs are added.
    others : sequence of tuple of int
        One for each call.
    """

    def __init__(self, tape: Tape, others: Sequence[Sequence[int]]) -> None:
        self._tape = tape
        self._probes = [_Probe(lambda n, _, other=other: other[n]) for other in others]

    def steady(self, place: int) -> bool:
        """Whether a place held the same in all of them."""
        for probe in self._probes:
            probe.grow(self._tape)
        own = self._tape.values[place]
        return all(not p.astray and p.values[place] == own for p in self._probes)


class Probes:
    """Some other inputs of a tape, larger and smaller ones.

    All grow together, each in its own way, so that two are seldom equal; or in one way, where two
    have to be; and each grows by itself, where all together may lead astray.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._inputs = 0
        self._probes: list[_Probe] = []

    def _grow(self) -> None:
        tape, before, now = self._tape, self._inputs, len(self._tape.inputs)
        if before == 0 < now:
            self._probes += (_Probe(lambda _, e, way=way: way(e)) for way in _OTHERS)
        # of a single input there is but one way to grow
        if before < _SEVERAL <= now:
            self._probes += (_Probe(lambda n, e, way=way: way(e) + n) for way in _OTHERS)
        for number in range(before if before >= _SEVERAL else 0, now if now >= _SEVERAL else 0):
            place, entries = tape.inputs[number]
            for way in _ALONE:
                # before this input was there all is as it is
                self._probes.append(_Probe(_alone(number, way), tape.values[:place], entries))
        self._inputs = now
        for probe in self._probes:
            probe.grow(tape)

    @property
    def hold(self) -> bool:
        """Whether there are others for which all guards hold."""
        self._grow()
        own = [self._tape.values[p] for p, _ in self._tape.inputs]
        return any(
            probe.holds and own != [probe.values[p] for p, _ in self._tape.inputs]
            for probe in self._probes
        )

    def seen(self, groups: Sequence[Sequence[int]]) -> list[list[tuple[Any, ...]]]:
        """What stands in groups of places, and what would for the others.

        Of those for which guards do not hold it may be anything that is no number below zero.
        """
        self._grow()
        found = [[tuple(self._tape.values[p] for p in places)] for places in groups]
        for probe in self._probes:
            if not probe.astray:
                for places, rows in zip(groups, found, strict=True):
                    row = tuple(probe.values[p] for p in places)
                    if min(row, default=0) >= 0:
                        rows.append(row)
        return found


def _alone(number: int, way: Callable[[int], int]) -> Callable[[int, int], int]:
    return lambda n, e: way(e) if n == number else e
