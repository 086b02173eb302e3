"""Which operators share a kernel.

Each group has one anchor, the operator that is scheduled; the others are fused into its program
by their definitions alone. First every anchor takes what follows it as epilogue, then reductions
take what works along the same rows, then all take what precedes them as prologue; injective
operators that are left form groups among themselves. What somebody else needs as well is stored
on the way, or, if that moves fewer bytes, computed again by each.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.attention import with_attention
from workbench.graph.epilogue import grow_epilogue
from workbench.graph.gathered import Gathered
from workbench.graph.group import Group, Partition, Unfused, taken
from workbench.graph.paths import ordered
from workbench.graph.prologue import grow_prologue
from workbench.graph.rows import Region
from workbench.graph.rowwise import grow_rows
from workbench.graph.siblings import with_siblings
from workbench.graph.views import with_views

if TYPE_CHECKING:
    from workbench.graph.graph import Graph
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor


def partition(
    graph: Graph, fuse: bool = True, kind: str = "cpu", cut: Collection[Tensor] = ()
) -> Partition:
    """Divide the operators of a bound graph into groups.

    Parameters
    ----------
    fuse : bool
        False gives every operator a kernel of its own.
    kind : str
        Of target: what shares a kernel depends on which schedules there are.
    cut : collection of Tensor
        Made by operators of the graph; no kernel both makes and reads one of them.
    """
    if not fuse:
        return Partition(tuple(Group(op) for op in graph.operators), ())
    of = Gathered(graph, cut)
    _gather(of)
    groups = with_attention(of, [_group(of, op) for op in of.members], kind)
    groups = ordered(with_siblings(of, groups, kind), of.reach.place)
    return with_views(Partition(groups, tuple(_unfused(of, groups))), graph)


def _gather(of: Gathered) -> None:
    """Make groups of all operators."""
    operators = of.graph.operators
    anchors = [op for op in operators if not op.injective]
    rows = {op: region for op in anchors if op.host is None and (region := Region.start(op))}
    of.idle.update(rows)
    for op in (a for a in anchors if a not in rows):
        grow_epilogue(of, op)
    for op, region in rows.items():
        if op in of.idle:
            grow_rows(of, op, region)
    for op in (a for a in anchors if a in of.members):
        grow_prologue(of, op)
    of.members |= {op: [op] for op in of.placed}
    _gather_injective(of)


def _gather_injective(of: Gathered) -> None:
    """Make groups of what is left: first around what has to be stored, then from the end."""
    for op in of.graph.operators:
        if of.stored(op):
            grow_epilogue(of, op)
            grow_prologue(of, op)
    for op in reversed(of.graph.operators):
        if op in of.free and not of.needless(op):
            of.free.remove(op)
            of.members[op] = [op]
            grow_prologue(of, op)


def _group(of: Gathered, anchor: Operator) -> Group:
    """What was gathered around `anchor`."""
    epilogue, members = of.epilogues.get(anchor, []), of.members[anchor]
    rest = (op for op in members if op is not anchor and op not in epilogue)
    prologue = sorted(rest, key=of.reach.place.__getitem__)
    last = (epilogue or [anchor])[-1]
    own = [op for op in (*prologue, anchor, *epilogue) if op is not last]
    kept = (op.output for op in own if op.host is None and of.outside(op, members))
    region = of.regions.get(anchor)
    return Group(anchor, tuple(prologue), tuple(epilogue), tuple(kept), region)


def _unfused(of: Gathered, groups: Sequence[Group]) -> list[Unfused]:
    """Every edge between two groups, with its reason."""
    found: dict[tuple[Tensor, Operator], Unfused] = {}
    edges = ((g, op, t) for g in groups for op in g.operators for t in op.inputs)
    for group, op, tensor in edges:
        maker = of.makers.get(tensor)
        if maker is not None and maker not in group.operators:
            known = None if tensor in of.cut else of.reasons.get((tensor, op))
            reason = known or _why(of, tensor, op)
            found[tensor, op] = Unfused(tensor, maker, op, reason)
    return sorted(found.values(), key=lambda u: of.reach.place[u.user])


def _why(of: Gathered, tensor: Tensor, op: Operator) -> str:
    if tensor in of.cut:
        return f"a cut was asked for in {shown(tensor.name)}"
    if tensor in of.outputs:
        return f"{shown(tensor.name)} is an output of the graph"
    if len(of.users[tensor]) > 1:
        return f"{shown(tensor.name)} has {len(of.users[tensor])} uses"
    return taken(op)
