"""What follows an anchor and joins its group: computed where its program stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.cost import operations
from workbench.graph.gathered import LARGEST, Gathered
from workbench.graph.group import taken
from workbench.graph.paths import Path

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor


def grow_epilogue(of: Gathered, anchor: Operator) -> None:
    """Take the operators after `anchor` that are one-to-one in what it gives.

    First those through which all of it goes; then, storing it on the way, others.
    """
    group = of.members[anchor] = [anchor]
    of.epilogues[anchor] = []
    if anchor.host is not None:
        return
    maps = {anchor.output: Path.start(anchor.output)}
    tensor = anchor.output
    while region := _region(of, tensor, maps, LARGEST - len(group)):
        group += region
        tensor = region[-1].output
    of.copied.difference_update(group)
    _branch(of, group, maps)
    of.free.difference_update(group)
    of.epilogues[anchor] = sorted(group[1:], key=of.reach.place.__getitem__)
    if len([op for op in group if of.outside(op, group)]) > 1:
        of.reach.join(group)


def _region(
    of: Gathered, tensor: Tensor, maps: dict[Tensor, Path], most: int
) -> list[Operator] | None:
    """The operators through which all that is made of `tensor` becomes one tensor again.

    Usually that is its one user. Where it has several, they are followed until they meet,
    over at most `most` operators.
    """
    pending = set(of.users.get(tensor, ()))
    if tensor in of.outputs or not pending:
        return None
    found = dict(maps)
    region: list[Operator] = []
    while True:
        op = min(pending, key=of.reach.place.__getitem__)
        pending.remove(op)
        full = f"the group has {LARGEST} operators already"
        reason, path = _join(of, op, found) if len(region) < most else (full, None)
        if path is None:
            _say(of, op, found, reason)
            return None
        found[op.output] = path
        region.append(op)
        if not pending:
            # what only moves elements costs each of its users nothing
            if op in of.copied and not operations(op):
                return None
            maps |= found
            return region
        if op.output in of.outputs or op.output not in of.users:
            return None
        pending.update(of.users[op.output])


def _branch(of: Gathered, group: list[Operator], maps: dict[Tensor, Path]) -> None:
    """Take users of what is stored anyway, where that makes nothing be stored that was not."""
    before = 0
    while before != len(group) < LARGEST:
        before = len(group)
        for op in [u for t in list(maps) for u in of.users.get(t, ())]:
            if op in group or len(group) >= LARGEST:
                continue
            if _waits(of, op):
                _say(of, op, maps, f"{op.name} costs nothing where its result is read")
                continue
            reason, path = _join(of, op, maps)
            if path is not None and (between := of.reach.between([*group, op])):
                reason = f"{op.name} also needs what {between.name} makes of it"
            elif path is not None:
                maps[op.output] = path
                group.append(op)
            _say(of, op, maps, reason)
    for op in of.spare(group):
        group.remove(op)


def _waits(of: Gathered, op: Operator) -> bool:
    """Whether an operator only moves elements, or is computed by each of its users."""
    moves = op in of.copied or (op in of.free and not operations(op))
    return moves and op.output not in of.outputs


def _join(of: Gathered, op: Operator, maps: dict[Tensor, Path]) -> tuple[str, Path | None]:
    """How `op` continues the paths of its inputs; None, with a reason, when it cannot."""
    inner = [t for t in op.inputs if t in maps]
    if op not in of.free:
        return taken(op, "has a reduction"), None
    if reason := of.parted(op, (of.makers[t] for t in maps)):
        return reason, None
    paths: list[Path] = []
    for t in inner:
        if op.inverse(t) is None:
            return f"{op.name} is not one-to-one in {shown(t.name)}", None
        paths.append(maps[t].through(op, t))
    if any(not path.same(paths[0]) for path in paths[1:]):
        return f"{op.name} meets {shown(inner[0].name)} at different places", None
    return "", paths[0]


def _say(of: Gathered, op: Operator, maps: dict[Tensor, Path], reason: str) -> None:
    for t in maps.keys() & set(op.inputs):
        of.reasons.setdefault((t, op), reason)
