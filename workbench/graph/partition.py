"""Which operators share a kernel.

Each group has one anchor, the operator that is scheduled; the others are fused into its program
by their definitions alone. First every anchor takes what follows it as epilogue, then reductions
take what works along the same rows, then all take what precedes them as prologue; injective
operators that are left form groups among themselves. What somebody else needs as well is stored
on the way, or, if that moves fewer bytes, computed again by each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.cost import REREADS, costly, loads, operations, recomputed, rereads, too_often
from workbench.graph.graph import Graph, producers, users
from workbench.graph.group import Group, Partition, Unfused, taken
from workbench.graph.paths import Path, Reach, ordered
from workbench.graph.rows import Region
from workbench.graph.views import placed, with_views

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor

COPIES = 16
"""A prologue is written out once for each load of it; beyond this it is stored instead."""

LARGEST = 64
"""Operators of a group, at most: beyond this a kernel takes long to compile and to read."""


def partition(graph: Graph, fuse: bool = True) -> Partition:
    """Divide the operators of a bound graph into groups.

    Parameters
    ----------
    fuse : bool
        False gives every operator a kernel of its own.
    """
    if not fuse:
        return Partition(tuple(Group(op) for op in graph.operators), ())
    state = _State(graph)
    state.gather()
    groups = ordered([state.group(op) for op in state.members], state.reach.place)
    return with_views(Partition(groups, tuple(state.unfused(groups))), graph)


@dataclass
class _State:
    """Groups as they are gathered.

    Attributes
    ----------
    free : set of Operator
        Injective, and in no group yet.
    idle : set of Operator
        Reductions along rows that are in no group yet.
    copied : set of Operator
        Injective operators with several users, of which each computes them for itself.
    members : dict
        The operators of each group by its anchor, the anchor first.
    """

    graph: Graph
    members: dict[Operator, list[Operator]] = field(default_factory=dict)
    epilogues: dict[Operator, list[Operator]] = field(default_factory=dict)
    regions: dict[Operator, Region] = field(default_factory=dict)
    reasons: dict[tuple[Tensor, Operator], str] = field(default_factory=dict)
    copies: dict[Operator, int] = field(default_factory=dict)
    rates: dict[Operator, float] = field(default_factory=dict)
    idle: set[Operator] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.users = users(self.graph.operators)
        self.makers = producers(self.graph.operators)
        self.outputs = set(self.graph.outputs)
        self.reach = Reach(self.graph)
        self.placed = placed(self.graph)
        self.free = {op for op in self.graph.operators if op.injective} - self.placed
        self.copied = recomputed(self.graph) - self.placed

    def gather(self) -> None:
        """Make groups of all operators."""
        operators = self.graph.operators
        anchors = [op for op in operators if not op.injective]
        rows = {op: region for op in anchors if op.host is None and (region := Region.start(op))}
        self.idle.update(rows)
        for op in (a for a in anchors if a not in rows):
            self.grow_epilogue(op)
        for op, region in rows.items():
            if op in self.idle:
                self.grow_rows(op, region)
        for op in (a for a in anchors if a in self.members):
            self.grow_prologue(op)
        self.members |= {op: [op] for op in self.placed}
        self._gather_injective()

    def _gather_injective(self) -> None:
        """Make groups of what is left: first around what has to be stored, then from the end."""
        for op in self.graph.operators:
            if self._stored(op):
                self.grow_epilogue(op)
                self.grow_prologue(op)
        for op in reversed(self.graph.operators):
            if op in self.free and not self.needless(op):
                self.free.remove(op)
                self.members[op] = [op]
                self.grow_prologue(op)

    def _stored(self, op: Operator) -> bool:
        """Whether what a free operator gives has to be stored, whoever is to read it."""
        if op not in self.free or op in self.copied:
            return False
        return op.output in self.outputs or len(self.users.get(op.output, ())) > 1

    def needless(self, op: Operator) -> bool:
        """Whether all that read a copied operator compute it themselves."""
        using = set(self.users.get(op.output, ()))
        groups = [g for g in self.members.values() if using.intersection(g)]
        return op in self.copied and all(op in g for g in groups)

    def _outside(self, op: Operator, group: Sequence[Operator]) -> bool:
        """Whether somebody outside the group needs what `op` gives."""
        if op in self.copied and op not in group[:1]:
            return False
        using = self.users.get(op.output, ())
        # a user that is copied is computed in other groups too
        return op.output in self.outputs or any(u not in group or u in self.copied for u in using)

    # epilogues

    def grow_epilogue(self, anchor: Operator) -> None:
        """Take the operators after `anchor` that are one-to-one in what it gives.

        First those through which all of it goes; then, storing it on the way, others.
        """
        group = self.members[anchor] = [anchor]
        self.epilogues[anchor] = []
        if anchor.host is not None:
            return
        maps = {anchor.output: Path.start(anchor.output)}
        tensor = anchor.output
        while region := self._region(tensor, maps, LARGEST - len(group)):
            group += region
            tensor = region[-1].output
        self.copied.difference_update(group)
        self._branch(group, maps)
        self.free.difference_update(group)
        self.epilogues[anchor] = sorted(group[1:], key=self.reach.place.__getitem__)
        if len([op for op in group if self._outside(op, group)]) > 1:
            self.reach.join(group)

    def _region(self, tensor: Tensor, maps: dict[Tensor, Path], most: int) -> list[Operator] | None:
        """The operators through which all that is made of `tensor` becomes one tensor again.

        Usually that is its one user. Where it has several, they are followed until they meet,
        over at most `most` operators.
        """
        pending = set(self.users.get(tensor, ()))
        if tensor in self.outputs or not pending:
            return None
        found = dict(maps)
        region: list[Operator] = []
        while True:
            op = min(pending, key=self.reach.place.__getitem__)
            pending.remove(op)
            full = f"the group has {LARGEST} operators already"
            reason, path = self._join(op, found) if len(region) < most else (full, None)
            if path is None:
                self._say(op, found, reason)
                return None
            found[op.output] = path
            region.append(op)
            if not pending:
                # what only moves elements costs each of its users nothing
                if op in self.copied and not operations(op):
                    return None
                maps |= found
                return region
            if op.output in self.outputs or op.output not in self.users:
                return None
            pending.update(self.users[op.output])

    def _branch(self, group: list[Operator], maps: dict[Tensor, Path]) -> None:
        """Take users of what is stored anyway, where that makes nothing be stored that was not."""
        before = 0
        while before != len(group) < LARGEST:
            before = len(group)
            for op in [u for t in list(maps) for u in self.users.get(t, ())]:
                if op in group or len(group) >= LARGEST:
                    continue
                if self._waits(op):
                    self._say(op, maps, f"{op.name} costs nothing where its result is read")
                    continue
                reason, path = self._join(op, maps)
                if path is not None and (between := self.reach.between([*group, op])):
                    reason = f"{op.name} also needs what {between.name} makes of it"
                elif path is not None:
                    maps[op.output] = path
                    group.append(op)
                self._say(op, maps, reason)
        for op in self._spare(group):
            group.remove(op)

    def _waits(self, op: Operator) -> bool:
        """Whether an operator only moves elements, or is computed by each of its users."""
        moves = op in self.copied or (op in self.free and not operations(op))
        return moves and op.output not in self.outputs

    def _spare(self, group: Sequence[Operator]) -> list[Operator]:
        """Operators at the end of a group that cost nothing where their results are read."""
        spare: list[Operator] = []
        for op in reversed(group[1:]):
            rest = [m for m in group if m not in spare]
            inner = [self.makers[t] for t in op.inputs if self.makers.get(t) in rest]
            stored = all(self._outside(m, rest) for m in inner)
            using = self.users.get(op.output, [])
            last = inner and stored and len(using) == 1 and using[0] not in rest
            if last and self._rather_later(op, using[0]):
                spare.append(op)
        return spare

    def _rather_later(self, op: Operator, user: Operator) -> bool:
        """Whether an operator is better computed where its only user reads it."""
        if not op.injective or user.host is not None or op.output in self.outputs:
            return False
        return not costly(op) or rereads(user, op.output) <= REREADS

    def _join(self, op: Operator, maps: dict[Tensor, Path]) -> tuple[str, Path | None]:
        """How `op` continues the paths of its inputs; None, with a reason, when it cannot."""
        inner = [t for t in op.inputs if t in maps]
        if op not in self.free:
            return taken(op, "has a reduction"), None
        paths: list[Path] = []
        for t in inner:
            if op.inverse(t) is None:
                return f"{op.name} is not one-to-one in {shown(t.name)}", None
            paths.append(maps[t].through(op, t))
        if any(not path.same(paths[0]) for path in paths[1:]):
            return f"{op.name} meets {shown(inner[0].name)} at different places", None
        return "", paths[0]

    def _say(self, op: Operator, maps: dict[Tensor, Path], reason: str) -> None:
        for t in maps.keys() & set(op.inputs):
            self.reasons.setdefault((t, op), reason)

    # rows

    def grow_rows(self, anchor: Operator, region: Region) -> None:
        """Take what works along the same rows as the reduction `anchor`, before and after it."""
        self.idle.discard(anchor)
        before = 0
        while before != len(region.index) < LARGEST:
            before = len(region.index)
            self._follow(region)
            self._precede(region)
        group = self.members[anchor] = [anchor, *(op for op in region.index if op is not anchor)]
        for op in self._spare(group):
            group.remove(op)
            del region.index[op]
        self.free.difference_update(op for op in group if op not in self.copied)
        self.idle.difference_update(group)
        self.regions[anchor] = region
        later = (op for op in group if self.reach.place[op] > self.reach.place[anchor])
        self.epilogues[anchor] = sorted(later, key=self.reach.place.__getitem__)
        if len([op for op in group if self._outside(op, group)]) > 1:
            self.reach.join(group)

    def _follow(self, region: Region) -> None:
        """Take in users of what the region makes."""
        made = [op.output for op in region.index]
        pending = {u for t in made for u in self.users.get(t, ())}
        for op in sorted(pending, key=self.reach.place.__getitem__):
            if op in region.index:
                continue
            if op in self.free or op in self.idle:
                reason = self._may_join(op, region) or region.follow(op)
                if not reason:
                    self.copied.discard(op)
            else:
                reason = taken(op, "is no reduction along the same rows")
            for t in op.inputs if reason else ():
                if t in made:
                    self.reasons[t, op] = reason

    def _precede(self, region: Region) -> None:
        """Take in makers of what the region reads, each element in one place."""
        for tensor in list(region.places):
            maker = self.makers.get(tensor)
            if maker is None or maker in region.index or maker not in self.free | self.idle:
                continue
            if not self._may_join(maker, region):
                region.precede(maker)

    def _may_join(self, op: Operator, region: Region) -> str:
        """Why an operator must not be in a group with those of a region; empty if it may."""
        if len(region.index) >= LARGEST:
            return f"the group has {LARGEST} operators already"
        if between := self.reach.between([*region.index, op]):
            return f"{op.name} also needs what {between.name} makes of it"
        return ""

    # prologues

    def grow_prologue(self, anchor: Operator) -> None:
        """Take the operators before the group while nobody else needs what they give."""
        if anchor.host is not None:
            return
        group = self.members[anchor]
        self.copies, self.rates = {}, {}
        queue = [t for op in group for t in op.inputs]
        while queue:
            tensor = queue.pop()
            maker = self.makers.get(tensor)
            if maker is None or maker in group:
                continue
            reason = self._refusal(tensor, maker, group)
            if reason is None:
                if maker not in self.copied:
                    self.free.remove(maker)
                self.copies[maker] = self._copies(tensor, group)
                self.rates[maker] = self._rate(tensor, group)
                group.append(maker)
                queue += maker.inputs
                # what was refused for a user outside may have all its users inside now
                queue += [t for op in group for t in op.inputs]
                continue
            for op in self.users[tensor]:
                if op in group:
                    self.reasons.setdefault((tensor, op), reason)

    def _refusal(self, tensor: Tensor, maker: Operator, group: Sequence[Operator]) -> str | None:
        """Why `maker` cannot join; None when it can."""
        if reason := self._needed(tensor, maker, group):
            return reason
        return self._too_much(tensor, maker, group) if maker in self.free else taken(maker)

    def _needed(self, tensor: Tensor, maker: Operator, group: Sequence[Operator]) -> str | None:
        """Who else needs a tensor."""
        if tensor in self.outputs:
            return f"{shown(tensor.name)} is an output of the graph"
        using = self.users[tensor]
        if maker in self.copied or all(u in group and u not in self.copied for u in using):
            return None
        if len(using) == 1:
            return f"{using[0].name} is computed by each that reads it"
        return f"{shown(tensor.name)} has {len(using)} uses"

    def _too_much(self, tensor: Tensor, maker: Operator, group: Sequence[Operator]) -> str | None:
        """What would be computed too often."""
        if len(group) >= LARGEST:
            return f"the group has {LARGEST} operators already"
        if (copies := self._copies(tensor, group)) > COPIES:
            return f"{maker.name} would be written out {copies} times"
        times = self._rate(tensor, group)
        if what := too_often(group[0], maker, times):
            return f"{what} would be computed {times:.0f} times for each element"
        return None

    def _rate(self, tensor: Tensor, group: Sequence[Operator]) -> float:
        """How often, on average, the group's program would compute an element of `tensor`."""
        using = (op for op in group if tensor in op.inputs)
        return max(self.rates.get(op, 1) * rereads(op, tensor) for op in using)

    def _copies(self, tensor: Tensor, group: Sequence[Operator]) -> int:
        """How often the definition of `tensor` would stand in the group's program."""
        using = (op for op in self.users[tensor] if op in group)
        # anchor and epilogue stand in it once
        return sum(self.copies.get(op, 1) * loads(op, tensor) for op in using)

    # results

    def group(self, anchor: Operator) -> Group:
        """What was gathered around `anchor`."""
        epilogue, members = self.epilogues.get(anchor, []), self.members[anchor]
        rest = (op for op in members if op is not anchor and op not in epilogue)
        prologue = sorted(rest, key=self.reach.place.__getitem__)
        last = (epilogue or [anchor])[-1]
        own = [op for op in (*prologue, anchor, *epilogue) if op is not last]
        kept = (op.output for op in own if op.host is None and self._outside(op, members))
        region = self.regions.get(anchor)
        return Group(anchor, tuple(prologue), tuple(epilogue), tuple(kept), region)

    def unfused(self, groups: Sequence[Group]) -> list[Unfused]:
        """Every edge between two groups, with its reason."""
        found: dict[tuple[Tensor, Operator], Unfused] = {}
        edges = ((g, op, t) for g in groups for op in g.operators for t in op.inputs)
        for group, op, tensor in edges:
            maker = self.makers.get(tensor)
            if maker is not None and maker not in group.operators:
                reason = self.reasons.get((tensor, op)) or self._why(tensor, op)
                found[tensor, op] = Unfused(tensor, maker, op, reason)
        return sorted(found.values(), key=lambda u: self.reach.place[u.user])

    def _why(self, tensor: Tensor, op: Operator) -> str:
        if tensor in self.outputs:
            return f"{shown(tensor.name)} is an output of the graph"
        if len(self.users[tensor]) > 1:
            return f"{shown(tensor.name)} has {len(self.users[tensor])} uses"
        return taken(op)
