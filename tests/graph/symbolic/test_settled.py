"""Functions that are bound to traced arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from workbench.graph.symbolic.array import wrap
from workbench.graph.symbolic.settled import Settled, bound
from workbench.graph.symbolic.tape import Tape, Untraceable


@dataclass(frozen=True, slots=True)
class Scale:
    """Something that holds a number, and a method that reads it."""

    by: int
    name: str

    def times(self, x: int) -> int:
        """`x`, scaled."""
        return self.by * x


class Holder:
    """Holds something where nobody looks."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __call__(self) -> Any:
        return self.held


def total(*numbers: Any, sizes: dict[str, list[int]], of: Callable[[int], int]) -> int:
    """A sum."""
    return sum(numbers) + sum(sizes["all"]) + of(1)


def test_a_function_gets_the_numbers_of_another_call() -> None:
    tape = Tape(wrap)
    n, m = tape.input(3), tape.input(10)
    function = partial(total, 1, n, sizes={"all": [m, n * 2]}, of=Scale(m + 1, "s").times)
    found = bound(function)
    assert sorted(t.value for t in found) == [3, 6, 10, 11]
    values = tape.program([t.place for t in found]).run([5, 20])
    assert values is not None
    settled = Settled(dict(zip((t.place for t in found), values, strict=True)))
    assert settled.function(function)() == 1 + 5 + 20 + 10 + 21
    assert settled.function(np.sum) is np.sum


def test_nothing_traced_is_found_where_nothing_is() -> None:
    assert bound(partial(total, 1, sizes={"all": [2]}, of=Scale(3, "s").times)) == []
    assert bound(np.linalg.det) == []
    assert bound(partial(total, np.array(["a", "b"], object), np.ones(3))) == []


def test_where_something_may_be_hidden_it_is_refused() -> None:
    n = Tape(wrap).input(3)
    hidden: list[Callable[..., Any]] = [
        lambda: n,
        partial(total, of=lambda _: n),
        partial(total, Holder(n)),
        partial(total, np.array([n, 2], object)),
    ]
    for function in hidden:
        with pytest.raises(Untraceable):
            bound(function)
