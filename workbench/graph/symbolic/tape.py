"""What was computed of some numbers, to be computed again of others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.graph.symbolic.program import ASTRAY, Entry, Function, Program, merged

Wrap = Callable[["Tape", int, Any], Any]


class Untraceable(WorkbenchError):
    """Something was done to a traced value that cannot be written down."""


class Traced:
    """A value that stands in a tape; see `Symbol` and `SymbolicArray`."""

    __slots__ = ("place", "tape", "value")

    def __init__(self, tape: Tape, place: int, value: Any) -> None:
        self.tape = tape
        self.place = place
        self.value = value


class Tape:
    """Values in places, how each came about, and what was decided by looking at them.

    A function that is run on traced values runs as it does on those they stand for, and the tape
    notes what it computes. Wherever it looks at one, to compare it or to take it for a plain
    number, the outcome is noted as a guard. For other inputs for which all guards hold the
    function would take the same way, so that the tape gives what it would.

    Parameters
    ----------
    wrap : callable
        From tape, place and value to what stands for it.
    """

    def __init__(self, wrap: Wrap) -> None:
        self._wrap = wrap
        self._values: list[Any] = []
        self._known: dict[Hashable, int] = {}
        self._entries: list[Entry] = []
        self._guards: set[Hashable] = set()
        self._inputs: list[int] = []

    def input(self, value: Any) -> Any:
        """What stands for the next input, which is `value` this time."""
        self._inputs.append(len(self._values))
        self._values.append(value)
        return self._wrap(self, self._inputs[-1], value)

    def place(self, operand: Any) -> int:
        """Where an operand stands: a traced value, a list of such, or any constant."""
        if isinstance(operand, Traced):
            assert operand.tape is self, "values of two tapes meet"
            return operand.place
        if not traced(operand):
            kind = type(operand)
            plain = kind in _PLAIN and operand == operand  # noqa: PLR0124  # no nan
            # of what is not plain each is its own; 0.0 and -0.0 differ
            key = (kind, str(operand)) if plain else object()
            if key not in self._known:
                self._known[key] = len(self._values)
                self._values.append(operand)
            return self._known[key]
        if isinstance(operand, slice):
            return self.entry(slice, operand.start, operand.stop, operand.step)
        if isinstance(operand, dict):
            names = tuple(operand)
            return self.entry(lambda *v: dict(zip(names, v, strict=True)), *operand.values())
        return self.entry(_tuple if isinstance(operand, tuple) else _list, *operand)

    def entry(self, function: Function, *operands: Any) -> int:
        """The place of what a function without effects gives."""
        places = tuple(map(self.place, operands))
        key = (function, places)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._values)
            self._values.append(function(*(self._values[p] for p in places)))
            self._entries.append(Entry(function, places, found))
        return found

    def call(self, function: Function, *operands: Any) -> Any:
        """What a function without effects gives, traced."""
        place = self.entry(function, *operands)
        return self._wrap(self, place, self._values[place])

    def guard(self, function: Function, *operands: Any) -> Any:
        """What a function gives, as it is; from now on the tape holds only where it gives that."""
        places = tuple(map(self.place, operands))
        value = function(*(self._values[p] for p in places))
        if (function, places) not in self._guards:
            self._guards.add((function, places))
            self._entries.append(Entry(function, places, value=value))
        return value

    def program(self, places: Sequence[int]) -> Program:
        """How to compute what stands in some places of other inputs."""
        made = {*self._inputs, *(e.place for e in self._entries)}
        values = [None if p in made else v for p, v in enumerate(self._values)]
        needed = set(places)
        kept: list[Entry] = []
        for entry in reversed(merged(self._entries, self._values, made)):
            if entry.place < 0 or entry.place in needed:
                kept.append(entry)
                needed.update(entry.operands)
        return Program(tuple(self._inputs), values, kept[::-1], tuple(places))

    def everything(self) -> Program:
        """How to compute what stands in all its places."""
        return Program(
            tuple(self._inputs), list(self._values), self._entries, range(len(self._values))
        )

    def others(self) -> list[tuple[Any, ...]]:
        """Some other inputs, larger and smaller ones."""
        own = tuple(self._values[p] for p in self._inputs)
        found: list[tuple[Any, ...]] = []
        for way in _OTHERS:
            # each grows in its own way, so that two are seldom equal; and each by itself, where
            # all together may lead astray
            grown = tuple(way(e) + n for n, e in enumerate(own))
            found.append(grown)
            if len(own) > 1:
                found += ((*own[:n], e, *own[n + 1 :]) for n, e in enumerate(grown))
        return [other for other in found if other != own]

    def seen(self, groups: Sequence[Sequence[int]]) -> list[list[tuple[Any, ...]]]:
        """What stands in groups of places, and what would for some other inputs.

        Of those for which guards do not hold it may be anything that is no number below zero.
        """
        found = [[tuple(self._values[p] for p in places)] for places in groups]
        for other in self.others():
            values = self._all(other)
            if values is None:
                continue
            for places, rows in zip(groups, found, strict=True):
                row = tuple(values[p] for p in places)
                if min(row, default=0) >= 0:
                    rows.append(row)
        return found

    def _all(self, inputs: Sequence[Any]) -> list[Any] | None:
        """All values for other inputs, whatever the guards say; None where there are none."""
        values = self._values.copy()
        for place, value in zip(self._inputs, inputs, strict=True):
            values[place] = value
        try:
            for function, operands, place, _ in self._entries:
                if place >= 0:
                    values[place] = found = function(*[values[p] for p in operands])
                    if getattr(found, "nbytes", 0) > _MOST_BYTES:
                        return None
        except ASTRAY:
            return None
        return values

    @property
    def guards(self) -> int:
        """How many decisions it holds."""
        return len(self._guards)


_OTHERS: tuple[Callable[[int], int], ...] = (
    lambda e: e + 1,
    lambda e: REACH * e + 3,
    lambda e: -(-e // REACH),
)

_MOST_BYTES = 2**26
"""Of an array that is computed to see what would be [byte]."""

REACH = 4
"""How many times larger or smaller an extent may be than that of the call that was recorded."""

_PLAIN = frozenset({int, float, bool, str})


def _tuple(*items: Any) -> tuple[Any, ...]:
    return items


def _list(*items: Any) -> list[Any]:
    return list(items)


def traced(value: Any) -> bool:
    """Whether a value is traced, or holds one that is.

    Lists, tuples, slices and the values of dicts are looked into.
    """
    kind = type(value)
    if kind in (list, tuple):
        return any(map(traced, value))
    if kind is slice:
        return traced((value.start, value.stop, value.step))
    if kind is dict:
        return any(map(traced, value.values()))
    return isinstance(value, Traced)


def tape_of(*values: Any) -> Tape | None:
    """The tape of the first traced value; lists and tuples are looked into."""
    for value in values:
        if isinstance(value, Traced):
            return value.tape
        if type(value) in (list, tuple) and (found := tape_of(*value)):
            return found
    return None
