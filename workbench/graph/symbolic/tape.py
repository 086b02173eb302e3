"""What was computed of some numbers, to be computed again of others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.graph.symbolic.program import Entry, Function, Program, merged

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

    Attributes
    ----------
    values : list
        What stands in each place this time.
    entries : list of Entry
        What was computed and decided, in order.
    inputs : list of (int, int)
        Of each input its place, and how many entries there were before it.
    steady : callable
        Whether a place has held the same in other calls, as far as that is known.
    """

    def __init__(self, wrap: Wrap) -> None:
        self._wrap = wrap
        self.values: list[Any] = []
        self.entries: list[Entry] = []
        self.inputs: list[tuple[int, int]] = []
        self.steady: Callable[[int], bool] = lambda _: False
        self._known: dict[Hashable, int] = {}
        self._guards: set[Hashable] = set()
        # places that depend on inputs: the entry that makes each, -1 for the inputs themselves
        self._made: dict[int, int] = {}
        self._computed: set[int] = set()

    def input(self, value: Any) -> Any:
        """What stands for the next input, which is `value` this time."""
        place = len(self.values)
        self._made[place] = -1
        self.inputs.append((place, len(self.entries)))
        self.values.append(value)
        return self._wrap(self, place, value)

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
                self._known[key] = len(self.values)
                self.values.append(operand)
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
            value = function(*(self.values[p] for p in places))
            found = self._known[key] = len(self.values)
            self._made[found] = len(self.entries)
            self.values.append(value)
            self.entries.append(Entry(function, places, found))
        return found

    def call(self, function: Function, *operands: Any) -> Any:
        """What a function without effects gives, traced."""
        place = self.entry(function, *operands)
        return self._wrap(self, place, self.values[place])

    def guard(self, function: Function, *operands: Any) -> Any:
        """What a function gives, as it is; from now on the tape holds only where it gives that."""
        places = tuple(map(self.place, operands))
        value = function(*(self.values[p] for p in places))
        if (function, places) not in self._guards:
            self._guards.add((function, places))
            self.entries.append(Entry(function, places, value=value))
        return value

    def program(self, places: Sequence[int], after: Program | None = None) -> Program:
        """How to compute what stands in some places of other inputs.

        Parameters
        ----------
        places : sequence of int
            Where what it gives stands.
        after : Program, optional
            One of an earlier time, the last that was made of this tape: the program goes on from
            what that has computed.
        """
        if after is None:
            self._computed.clear()
        start, known = (after.entries_to, after.places_to) if after else (0, 0)
        inputs = tuple(p for p, _ in self.inputs if p >= known)
        guards = merged(self.entries, start, self.values, self._made)
        needed = deque((*places, *(p for _, guard in guards for p in guard.operands)))
        kept = dict(guards)
        while needed:
            place = needed.pop()
            at = self._made.get(place, -1)
            if at >= 0 and place not in self._computed:
                self._computed.add(place)
                kept[at] = self.entries[at]
                needed.extend(kept[at].operands)
        values = [
            None if p in self._made else self.values[p] for p in range(known, len(self.values))
        ]
        entries = [kept[at] for at in sorted(kept)]
        return Program(inputs, values, entries, tuple(places), known, len(self.entries))

    def everything(self, until: Program) -> Program:
        """How to compute what stands in all places that there were when a program was made."""
        places, entries = until.places_to, self.entries[: until.entries_to]
        inputs = tuple(p for p, _ in self.inputs if p < places)
        return Program(inputs, self.values[:places], entries, range(places), 0, len(entries))

    @property
    def guards(self) -> int:
        """How many decisions it holds."""
        return len(self._guards)


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
