"""Where the tensors between kernels lie: one arena, places used again when a tensor is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workbench.graph.group import View
    from workbench.graph.tensor import Tensor


class Use(Protocol):
    """What the plan asks of a group: what it reads and makes, and which tensors lie in others."""

    @property
    def inputs(self) -> Sequence[Tensor]:
        """What it reads."""
        ...

    @property
    def outputs(self) -> Sequence[Tensor]:
        """What it makes."""
        ...

    @property
    def views(self) -> Sequence[View]:
        """Which of its outputs lie in other tensors."""
        ...


ALIGN = 256
"""Every place starts at a multiple of this [byte]: a cache line, a GPU's memory transaction."""


@dataclass(frozen=True, slots=True, eq=False)
class MemoryPlan:
    """Places in the arena.

    Attributes
    ----------
    offsets : mapping of Tensor to int
        Start of each intermediate tensor [byte].
    arena_bytes : int
        Size of the arena [byte].
    total_bytes : int
        What the tensors would take if each had a place of its own [byte].
    """

    offsets: Mapping[Tensor, int]
    arena_bytes: int
    total_bytes: int


def plan(groups: Sequence[Use], outputs: Sequence[Tensor]) -> MemoryPlan:
    """Give every tensor between two groups a place that no living tensor has.

    The largest go first, each to the lowest place that is free for as long as it lives; the
    graph's outputs are arrays of the caller and take no place. Tensors that lie in others live and
    lie with them.
    """
    lies = {
        v.tensor: (v.source, v.start * v.tensor.dtype.size_bytes) for g in groups for v in g.views
    }
    made: dict[Tensor, int] = {}
    last: dict[Tensor, int] = {}
    for n, group in enumerate(groups):
        for tensor in group.outputs:
            root, _ = _root(tensor, lies)
            made.setdefault(root, n)
        for tensor in (*group.inputs, *group.outputs):
            last[_root(tensor, lies)[0]] = n
    inner = [t for t in made if t not in set(outputs)]
    placed: list[tuple[Tensor, int]] = []
    for tensor in sorted(inner, key=lambda t: (-t.size_bytes, made[t])):
        start = 0
        # neighbours in place among those that live at the same time
        for other, offset in sorted(placed, key=lambda p: p[1]):
            apart = made[other] > last[tensor] or last[other] < made[tensor]
            if not apart and offset < start + padded(tensor):
                start = max(start, offset + padded(other))
        placed.append((tensor, start))
    size = max((offset + padded(t) for t, offset in placed), default=0)
    offsets = dict(placed)
    for tensor in lies:
        root, start = _root(tensor, lies)
        offsets[tensor] = offsets[root] + start
    return MemoryPlan(offsets, size, sum(padded(t) for t in offsets))


def _root(tensor: Tensor, lies: Mapping[Tensor, tuple[Tensor, int]]) -> tuple[Tensor, int]:
    """The tensor in which one lies in the end, and from where on [byte]."""
    start = 0
    while tensor in lies:
        tensor, further = lies[tensor]
        start += further
    return tensor, start


def padded(tensor: Tensor) -> int:
    """Bytes of a tensor up to the next possible start."""
    return -(-tensor.size_bytes // ALIGN) * ALIGN
