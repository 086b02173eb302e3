"""The groups of a graph while they are gathered, and what that needs to know of the graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.cost import REREADS, costly, recomputed, rereads
from workbench.graph.graph import Graph, producers, users
from workbench.graph.paths import Reach
from workbench.graph.views import placed
from workbench.schedules.extents import rough

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.rows import Region
    from workbench.graph.tensor import Tensor

LARGEST = 64
"""Operators of a group, at most: beyond this a kernel takes long to compile and to read."""


@dataclass
class Gathered:
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
    placed : set of Operator
        Injective operators that need no kernel: what they give lies where what they read does.
    cut : collection of Tensor
        What is to be stored whatever fusion would gain: no kernel both makes and reads it.
    """

    graph: Graph
    cut: Collection[Tensor] = ()
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
        self.outputs = {*self.graph.outputs, *self.cut}
        self.reach = Reach(self.graph)
        self.placed = placed(self.graph)
        self.free = {op for op in self.graph.operators if op.injective} - self.placed
        self.copied = recomputed(self.graph) - self.placed - {self.makers[t] for t in self.cut}

    def stored(self, op: Operator) -> bool:
        """Whether what a free operator gives has to be stored, whoever is to read it."""
        if op not in self.free or op in self.copied:
            return False
        return op.output in self.outputs or len(self.users.get(op.output, ())) > 1

    def parted(self, op: Operator, group: Iterable[Operator]) -> str:
        """Why a cut keeps an operator out of a group; empty where none does."""
        if not self.cut:
            return ""
        members = set(group)
        read = (t for t in op.inputs if self.makers.get(t) in members)
        given = (t for t in op.outputs if members.intersection(self.users.get(t, ())))
        found = next((t for t in (*read, *given) if t in self.cut), None)
        return f"a cut was asked for in {shown(found.name)}" if found else ""

    def needless(self, op: Operator) -> bool:
        """Whether all that read a copied operator compute it themselves."""
        using = set(self.users.get(op.output, ()))
        groups = [g for g in self.members.values() if using.intersection(g)]
        return op in self.copied and all(op in g for g in groups)

    def outside(self, op: Operator, group: Sequence[Operator]) -> bool:
        """Whether somebody outside the group needs what `op` gives."""
        if op in self.copied and op not in group[:1]:
            return False
        using = self.users.get(op.output, ())
        # a user that is copied is computed in other groups too
        return op.output in self.outputs or any(u not in group or u in self.copied for u in using)

    def spare(self, group: Sequence[Operator]) -> list[Operator]:
        """Operators at the end of a group that cost nothing where their results are read."""
        spare: list[Operator] = []
        for op in reversed(group[1:]):
            rest = [m for m in group if m not in spare]
            inner = [self.makers[t] for t in op.inputs if self.makers.get(t) in rest]
            stored = all(self.outside(m, rest) for m in inner)
            using = self.users.get(op.output, [])
            last = inner and stored and len(using) == 1 and using[0] not in rest
            if last and self.rather_later(op, using[0]):
                spare.append(op)
        return spare

    def rather_later(self, op: Operator, user: Operator) -> bool:
        """Whether an operator is better computed where its only user reads it."""
        if not op.injective or user.host is not None or op.output in self.outputs:
            return False
        return not costly(op) or rough(rereads(user, op.output)) <= REREADS
