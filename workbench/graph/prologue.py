"""What precedes a group and joins it: computed where its program loads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.cost import loads, rereads, too_often
from workbench.graph.gathered import LARGEST, Gathered
from workbench.graph.group import taken
from workbench.schedules.extents import rough

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor

COPIES = 16
"""A prologue is written out once for each load of it; beyond this it is stored instead."""


def grow_prologue(of: Gathered, anchor: Operator) -> None:
    """Take the operators before the group while nobody else needs what they give."""
    if anchor.host is not None:
        return
    group = of.members[anchor]
    of.copies, of.rates = {}, {}
    queue = [t for op in group for t in op.inputs]
    while queue:
        tensor = queue.pop()
        maker = of.makers.get(tensor)
        if maker is None or maker in group:
            continue
        reason = _refusal(of, tensor, maker, group)
        if reason is None:
            if maker not in of.copied:
                of.free.remove(maker)
            of.copies[maker] = _copies(of, tensor, group)
            of.rates[maker] = _rate(of, tensor, group)
            group.append(maker)
            queue += maker.inputs
            # what was refused for a user outside may have all its users inside now
            queue += [t for op in group for t in op.inputs]
            continue
        for op in of.users[tensor]:
            if op in group:
                of.reasons.setdefault((tensor, op), reason)


def _refusal(
    of: Gathered, tensor: Tensor, maker: Operator, group: Sequence[Operator]
) -> str | None:
    """Why `maker` cannot join; None when it can."""
    if reason := _needed(of, tensor, maker, group):
        return reason
    return _too_much(of, tensor, maker, group) if maker in of.free else taken(maker)


def _needed(of: Gathered, tensor: Tensor, maker: Operator, group: Sequence[Operator]) -> str | None:
    """Who else needs a tensor."""
    if tensor in of.cut:
        return of.parted(maker, group)
    if tensor in of.outputs:
        return f"{shown(tensor.name)} is an output of the graph"
    using = of.users[tensor]
    if maker in of.copied or all(u in group and u not in of.copied for u in using):
        return None
    if len(using) == 1:
        return f"{using[0].name} is computed by each that reads it"
    return f"{shown(tensor.name)} has {len(using)} uses"


def _too_much(
    of: Gathered, tensor: Tensor, maker: Operator, group: Sequence[Operator]
) -> str | None:
    """What would be computed too often."""
    if len(group) >= LARGEST:
        return f"the group has {LARGEST} operators already"
    if (copies := _copies(of, tensor, group)) > COPIES:
        return f"{maker.name} would be written out {copies} times"
    times = _rate(of, tensor, group)
    if what := too_often(group[0], maker, times):
        return f"{what} would be computed {round(times)} times for each element"
    return None


def _rate(of: Gathered, tensor: Tensor, group: Sequence[Operator]) -> float:
    """How often, on average, the group's program would compute an element of `tensor`."""
    using = (op for op in group if tensor in op.inputs)
    return max((of.rates.get(op, 1) * rereads(op, tensor) for op in using), key=rough)


def _copies(of: Gathered, tensor: Tensor, group: Sequence[Operator]) -> int:
    """How often the definition of `tensor` would stand in the group's program."""
    using = (op for op in of.users[tensor] if op in group)
    # anchor and epilogue stand in it once
    return sum(of.copies.get(op, 1) * loads(op, tensor) for op in using)
