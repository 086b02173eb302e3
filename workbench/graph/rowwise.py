"""What works along the same rows as a reduction and joins its group, before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.graph.gathered import LARGEST, Gathered
from workbench.graph.group import taken

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.rows import Region


def grow_rows(of: Gathered, anchor: Operator, region: Region) -> None:
    """Take what works along the same rows as the reduction `anchor`, before and after it."""
    of.idle.discard(anchor)
    before = 0
    while before != len(region.index) < LARGEST:
        before = len(region.index)
        _follow(of, region)
        _precede(of, region)
    group = of.members[anchor] = [anchor, *(op for op in region.index if op is not anchor)]
    for op in of.spare(group):
        group.remove(op)
        del region.index[op]
    of.free.difference_update(op for op in group if op not in of.copied)
    of.idle.difference_update(group)
    of.regions[anchor] = region
    later = (op for op in group if of.reach.place[op] > of.reach.place[anchor])
    of.epilogues[anchor] = sorted(later, key=of.reach.place.__getitem__)
    if len([op for op in group if of.outside(op, group)]) > 1:
        of.reach.join(group)


def _follow(of: Gathered, region: Region) -> None:
    """Take in users of what the region makes."""
    made = [op.output for op in region.index]
    pending = {u for t in made for u in of.users.get(t, ())}
    for op in sorted(pending, key=of.reach.place.__getitem__):
        if op in region.index:
            continue
        if op in of.free or op in of.idle:
            reason = _may_join(of, op, region) or region.follow(op)
            if not reason:
                of.copied.discard(op)
        else:
            reason = taken(op, "is no reduction along the same rows")
        for t in op.inputs if reason else ():
            if t in made:
                of.reasons[t, op] = reason


def _precede(of: Gathered, region: Region) -> None:
    """Take in makers of what the region reads, each element in one place."""
    for tensor in list(region.places):
        maker = of.makers.get(tensor)
        if maker is None or maker in region.index or maker not in of.free | of.idle:
            continue
        # one that has just joined may read it at another place
        if tensor in region.places and not _may_join(of, maker, region):
            region.precede(maker)


def _may_join(of: Gathered, op: Operator, region: Region) -> str:
    """Why an operator must not be in a group with those of a region; empty if it may."""
    if len(region.index) >= LARGEST:
        return f"the group has {LARGEST} operators already"
    if reason := of.parted(op, region.index):
        return reason
    if between := of.reach.between([*region.index, op]):
        return f"{op.name} also needs what {between.name} makes of it"
    return ""
