"""What a call told, with numbers that are traced where other calls told other ones."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from workbench.graph.symbolic.array import wrap
from workbench.graph.symbolic.number import Symbol
from workbench.graph.symbolic.probes import Met, Probes
from workbench.graph.symbolic.tape import REACH, Tape

if TYPE_CHECKING:
    from workbench.graph.tensor import Tensor
    from workbench.graph.told import Told

Path = tuple["Told", ...]
"""All that a call told up to some segment, from the beginning."""


class Recording:
    """The path of a call, traced.

    What has been the same all the time stays a number: of it a schedule can make the most.

    Parameters
    ----------
    inputs : sequence of Tensor
        Of the model; extents of theirs that are numbers are not traced, those of one name are one.
    """

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self.tape = Tape(wrap)
        self.probes = Probes(self.tape)
        self.path: Path = ()
        self._inputs = inputs
        self._traced: list[tuple[Any, ...]] = []
        # where the inputs of the tape stand in a path
        self._stand: list[tuple[int, int]] = []

    @property
    def open(self) -> bool:
        """Whether any number may be another one."""
        return any(isinstance(n, Symbol) for numbers in self._traced for n in numbers)

    def trace(self, told: Told, others: Sequence[Path]) -> Told:
        """What was told next, traced.

        Parameters
        ----------
        told : Told
            By this call.
        others : sequence of Path
            Of other calls, which told the like up to here.
        """
        known: dict[Hashable, Any] = {}
        found: list[Any] = []
        step = len(self.path)
        for n, (name, number) in enumerate(zip(self._names(told), told.numbers, strict=True)):
            if isinstance(name, int) or all(o[step].numbers[n] == number for o in others):
                found.append(number)
                continue
            if name not in known:
                known[name] = self.tape.input(number)
                self._stand.append((step, n))
            found.append(known[name])
        self.path = (*self.path, told)
        met = [[o[step].numbers[n] for step, n in self._stand] for o in others]
        self.tape.steady = Met(self.tape, met).steady
        self._traced.append(tuple(found))
        return told.with_numbers(found)

    def _names(self, told: Told) -> Iterator[Hashable]:
        """What each number is called, or which it always is."""
        if self.path:
            yield from ((n,) for n in range(len(told.numbers)))
            return
        for tensor, kind in zip(self._inputs, told.kinds, strict=True):
            if tensor.shape is not None:
                yield from tensor.shape
            elif isinstance(kind.shape, int):
                yield from ((tensor, n) for n in range(kind.shape))

    def values(self, path: Path) -> dict[int, Any] | None:
        """What another path tells for the inputs of the tape, by their places.

        None where it tells something else, or extents of another scale.
        """
        found: dict[int, Any] = {}
        for told, own, traced in zip(path, self.path, self._traced, strict=False):
            if not own.like(told):
                return None
            for number, mine, size in zip(told.numbers, traced, own.sizes, strict=True):
                if not isinstance(mine, Symbol):
                    if number != mine:
                        return None
                    continue
                value = mine.value
                if size and not value <= number * REACH <= value * REACH**2:
                    return None
                if found.setdefault(mine.place, number) != number:
                    return None
        return found
