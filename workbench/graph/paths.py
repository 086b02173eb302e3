"""Ways through a graph: of an element through inverse maps, of values from operator to operator."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.graph.graph import Graph, users
from workbench.ir.alike import alike
from workbench.ir.expr import Call, Expr, Var
from workbench.ir.traverse import substitute
from workbench.ir.types import i32

if TYPE_CHECKING:
    from workbench.graph.group import Group
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where an element of the start goes, through inverse maps: `axes` → `index`."""

    axes: tuple[Var, ...]
    index: tuple[Expr, ...]

    @classmethod
    def start(cls, tensor: Tensor) -> Path:
        """Every element stays where it is."""
        axes = tuple(Var(f"e{n}", i32) for n in range(len(tensor.storage.shape)))
        return cls(axes, axes)

    def through(self, op: Operator, tensor: Tensor) -> Path:
        """The path continued by the inverse map of `op` in `tensor`."""
        inverse = op.inverse(tensor)
        assert inverse is not None
        values = dict(zip(inverse.axes, self.index, strict=True))
        return Path(self.axes, tuple(substitute(e, values) for e in inverse.index))

    def same(self, other: Path) -> bool:
        """Whether both lead to the same place; only equal formulas count."""
        # the axes come along, so that `alike` pairs each of them with itself
        return alike(
            Call("at", (*self.axes, *self.index), None),
            Call("at", (*other.axes, *other.index), None),
        )


class Reach:
    """Which operators depend on which, also through operators that share a kernel.

    Parameters
    ----------
    graph : Graph
        Its operators are numbered in their order.
    """

    def __init__(self, graph: Graph) -> None:
        self.place = {op: n for n, op in enumerate(graph.operators)}
        self._users = users(graph.operators)
        self._below = [0] * len(self.place)
        for op in reversed(graph.operators):
            below = 0
            for user in self._following(op):
                below |= self._below[self.place[user]] | 1 << self.place[user]
            self._below[self.place[op]] = below

    def _following(self, op: Operator) -> list[Operator]:
        return [user for tensor in op.outputs for user in self._users.get(tensor, ())]

    def between(self, members: Iterable[Operator]) -> Operator | None:
        """An operator outside through which something leaves the members and comes back to them.

        Where there is none, one kernel can compute them.
        """
        group = list(members)
        bits = sum(1 << self.place[op] for op in set(group))
        outside = (user for op in group for user in self._following(op))
        places = ((user, self.place[user]) for user in outside)
        returning = (u for u, n in places if not bits >> n & 1 and self._below[n] & bits)
        return next(returning, None)

    def join(self, members: Iterable[Operator]) -> None:
        """From now on what depends on one of the members depends on all of them."""
        numbers = [self.place[op] for op in members]
        bits = sum(1 << n for n in set(numbers))
        below = bits
        for n in numbers:
            below |= self._below[n]
        for n, each in enumerate(self._below):
            if each & bits or bits >> n & 1:
                self._below[n] = each | below


def ordered(groups: Sequence[Group], place: Mapping[Operator, int]) -> tuple[Group, ...]:
    """The groups, each after those whose tensors it reads; else as their last operators stood."""
    makers = {t: n for n, g in enumerate(groups) for t in g.outputs}
    needs = [{makers[t] for t in g.inputs if t in makers} for g in groups]
    following: list[list[int]] = [[] for _ in groups]
    for n, before in enumerate(needs):
        for each in before:
            following[each].append(n)
    last = [max(place[op] for op in g.operators) for g in groups]
    waiting = [len(before) for before in needs]
    ready = [(last[n], n) for n, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    found: list[Group] = []
    while ready:
        _, n = heapq.heappop(ready)
        found.append(groups[n])
        for each in following[n]:
            waiting[each] -= 1
            if not waiting[each]:
                heapq.heappush(ready, (last[each], each))
    assert len(found) == len(groups), "groups depend on one another in a circle"
    return tuple(found)
