"""Which operators share a kernel.

Each group has one anchor, the operator that is scheduled; the others are fused into its program
by their definitions alone. First every anchor takes what follows it as epilogue, then what
precedes it as prologue; injective operators that are left form groups among themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.graph import Graph, producers, users
from workbench.ir.alike import alike
from workbench.ir.expr import Call, Load, Var
from workbench.ir.traverse import substitute, walk
from workbench.ir.types import i32

if TYPE_CHECKING:
    from workbench.graph.operator import HostCall, Operator
    from workbench.graph.tensor import Tensor
    from workbench.ir.expr import Expr

COSTLY = frozenset(
    "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh "
    "atanh erf pow atan2 fmod".split()
)
"""Functions that cost so much that computing them several times is worse than storing once."""

REREADS = 4
"""A prologue with a costly function is fused only where no element is read more often."""


COPIES = 16
"""A prologue is written out once for each load of it; beyond this it is stored instead."""

LARGEST = 64
"""Operators of a group, at most: beyond this a kernel takes long to compile and to read."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Operators that become one kernel.

    Attributes
    ----------
    anchor : Operator
        What is scheduled.
    prologue : tuple of Operator
        Computed where the program loads, in the order they depend on one another.
    epilogue : tuple of Operator
        Computed where the program stores, in order.
    kept : tuple of Tensor
        What is made on the way and stored as well, because somebody else needs it.
    """

    anchor: Operator
    prologue: tuple[Operator, ...] = ()
    epilogue: tuple[Operator, ...] = ()
    kept: tuple[Tensor, ...] = ()

    @property
    def operators(self) -> tuple[Operator, ...]:
        """All of them, in an order in which they could run."""
        return (*self.prologue, self.anchor, *self.epilogue)

    @property
    def host(self) -> HostCall | None:
        """What is run instead of a kernel; such a group has one operator."""
        return self.anchor.host

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The tensors the group gives."""
        return (*self.kept, *(self.epilogue or (self.anchor,))[-1].outputs)

    @property
    def output(self) -> Tensor:
        """The last tensor the group gives, which all its operators lead to."""
        return self.outputs[-1]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors the group reads from outside, each once."""
        inner = {t for op in self.operators for t in op.outputs}
        return tuple(dict.fromkeys(t for op in self.operators for t in op.inputs if t not in inner))

    def __repr__(self) -> str:
        inputs = ", ".join(shown(t.name) for t in self.inputs)
        return f"Group({self.name}: {inputs} → {', '.join(map(str, self.outputs))})"

    @property
    def name(self) -> str:
        """What it does in a few words, such as ``conv_batch_norm_relu``."""
        names = [op.name for op in self.operators]
        if len(names) <= _NAMED:
            return "_".join(names)
        return "_".join(names[: _NAMED - 1]) + f"_and_{len(names) - _NAMED + 1}_more"


_NAMED = 6
"""Operators that a group's name spells out; of more, all but one of these."""


@dataclass(frozen=True, slots=True, eq=False)
class Unfused:
    """A tensor that is stored between two kernels, and why."""

    tensor: Tensor
    producer: Operator
    user: Operator
    reason: str

    def __str__(self) -> str:
        return f"{self.producer.name} → {self.user.name}: {self.reason}"

    def __repr__(self) -> str:
        return f"Unfused({self})"


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Groups in an order in which they can run, and the edges between them."""

    groups: tuple[Group, ...]
    unfused: tuple[Unfused, ...]


def partition(graph: Graph, fuse: bool = True) -> Partition:
    """Divide the operators of a bound graph into groups.

    Parameters
    ----------
    fuse : bool
        False gives every operator a kernel of its own.
    """
    state = _State(graph)
    anchors = [op for op in graph.operators if not (fuse and op.injective)]
    if fuse:
        for op in anchors:
            state.free.remove(op)
        for op in anchors:
            state.grow_epilogue(op)
        for op in anchors:
            state.grow_prologue(op)
        for op in reversed(graph.operators):
            if op in state.free:
                state.free.remove(op)
                anchors.append(op)
                state.members[op] = [op]
                state.grow_prologue(op)
    else:
        state.members = {op: [op] for op in anchors}
    groups = [state.group(op) for op in anchors]
    place = {op: n for n, op in enumerate(graph.operators)}
    # a group runs where its last operator stood: all that it reads has been computed by then
    groups.sort(key=lambda g: place[max(g.operators, key=place.__getitem__)])
    found = tuple(groups)
    return Partition(found, tuple(state.unfused(found)) if fuse else ())


@dataclass
class _State:
    graph: Graph
    members: dict[Operator, list[Operator]] = field(default_factory=dict)
    epilogues: dict[Operator, list[Operator]] = field(default_factory=dict)
    reasons: dict[tuple[Tensor, Operator], str] = field(default_factory=dict)
    copies: dict[Operator, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.users = users(self.graph.operators)
        self.makers = producers(self.graph.operators)
        self.outputs = set(self.graph.outputs)
        self.order = {op: n for n, op in enumerate(self.graph.operators)}
        self.free = set(self.graph.operators)
        self.members = {}

    def grow_epilogue(self, anchor: Operator) -> None:
        """Take the operators after `anchor` while they are one-to-one in what it gives."""
        self.epilogues[anchor], self.members[anchor] = [], [anchor]
        if anchor.host is not None:
            return
        chain: list[Operator] = []
        tensor = anchor.output
        while (region := self._region(tensor, LARGEST - 1 - len(chain))) is not None:
            chain += region
            self.free.difference_update(region)
            tensor = region[-1].output
        self.epilogues[anchor] = chain
        self.members[anchor] = [anchor, *chain]

    def _region(self, tensor: Tensor, most: int) -> list[Operator] | None:
        """The operators through which all that is made of `tensor` becomes one tensor again.

        Usually that is its one user. Where it has several, they are followed until they meet,
        over at most `most` operators.
        """
        pending = set(self.users.get(tensor, ()))
        if tensor in self.outputs or not pending:
            return None
        maps: dict[Tensor, _Path] = {tensor: _Path.start(tensor)}
        region: list[Operator] = []
        while True:
            op = min(pending, key=self.order.__getitem__)
            pending.remove(op)
            full = f"the group has {LARGEST} operators already"
            reason, path = self._join(op, maps) if len(region) < most else (full, None)
            if path is None:
                self._say(op, maps, reason)
                return self._several(tensor)
            maps[op.output] = path
            region.append(op)
            if not pending:
                return region
            if op.output in self.outputs or op.output not in self.users:
                return self._several(tensor)
            pending.update(self.users[op.output])

    def _several(self, tensor: Tensor) -> None:
        """Say of all users of `tensor` that there are several."""
        for op in self.users[tensor]:
            reason = f"{shown(tensor.name)} has {len(self.users[tensor])} uses"
            self.reasons.setdefault((tensor, op), reason)

    def _join(self, op: Operator, maps: dict[Tensor, _Path]) -> tuple[str, _Path | None]:
        """How `op` continues the paths of its inputs; None, with a reason, when it cannot."""
        inner = [t for t in op.inputs if t in maps]
        if op not in self.free:
            return _taken(op, "has a reduction"), None
        paths: list[_Path] = []
        for t in inner:
            if op.inverse(t) is None:
                return f"{op.name} is not one-to-one in {shown(t.name)}", None
            paths.append(maps[t].through(op, t))
        if any(not path.same(paths[0]) for path in paths[1:]):
            return f"{op.name} meets {shown(inner[0].name)} at different places", None
        return "", paths[0]

    def _say(self, op: Operator, maps: dict[Tensor, _Path], reason: str) -> None:
        for t in op.inputs:
            if t in maps:
                self.reasons.setdefault((t, op), reason)

    def grow_prologue(self, anchor: Operator) -> None:
        """Take the operators before the group while nobody else needs what they give."""
        if anchor.host is not None:
            return
        group = self.members[anchor]
        queue = [t for op in group for t in op.inputs]
        while queue:
            tensor = queue.pop()
            maker = self.makers.get(tensor)
            if maker is None or maker in group:
                continue
            reason = self._refusal(tensor, maker, group, anchor)
            if reason is None:
                self.free.remove(maker)
                self.copies[maker] = self._copies(tensor, group)
                group.append(maker)
                queue += maker.inputs
                # what was refused for a user outside may have all its users inside now
                queue += [t for op in group for t in op.inputs]
                continue
            for op in self.users[tensor]:
                if op in group:
                    self.reasons.setdefault((tensor, op), reason)

    def _refusal(
        self, tensor: Tensor, maker: Operator, group: Sequence[Operator], anchor: Operator
    ) -> str | None:
        """Why `maker` cannot join; None when it can."""
        if tensor in self.outputs:
            return f"{shown(tensor.name)} is an output of the graph"
        if any(op not in group for op in self.users[tensor]):
            return f"{shown(tensor.name)} has {len(self.users[tensor])} uses"
        if not maker.injective:
            return _taken(maker)
        if maker not in self.free:
            return f"{maker.name} is in another group already"
        if len(group) >= LARGEST:
            return f"the group has {LARGEST} operators already"
        if (copies := self._copies(tensor, group)) > COPIES:
            return f"{maker.name} would be written out {copies} times"
        times = rereads(anchor, tensor) if tensor in anchor.inputs else 1
        if times > REREADS and (costly := _costly(maker)):
            return f"{costly} would be computed {times:.0f} times for each element"
        return None

    def _copies(self, tensor: Tensor, group: Sequence[Operator]) -> int:
        """How often the definition of `tensor` would stand in the group's program."""
        # anchor and epilogue stand in it once
        return sum(
            self.copies.get(op, 1) * loads(op, tensor) for op in self.users[tensor] if op in group
        )

    def group(self, anchor: Operator) -> Group:
        """What was gathered around `anchor`."""
        epilogue = self.epilogues.get(anchor, [])
        prologue = [op for op in self.members[anchor] if op is not anchor and op not in epilogue]
        prologue.sort(key=self.order.__getitem__)
        return Group(anchor, tuple(prologue), tuple(epilogue))

    def unfused(self, groups: Sequence[Group]) -> list[Unfused]:
        """Every edge between two groups, with its reason."""
        home = {op: g for g in groups for op in g.operators}
        found: list[Unfused] = []
        for op in self.graph.operators:
            for tensor in op.inputs:
                maker = self.makers.get(tensor)
                if maker is None or home[maker] is home[op]:
                    continue
                reason = self.reasons.get((tensor, op)) or self._why(tensor, op)
                found.append(Unfused(tensor, maker, op, reason))
        return found

    def _why(self, tensor: Tensor, op: Operator) -> str:
        if tensor in self.outputs:
            return f"{shown(tensor.name)} is an output of the graph"
        if len(self.users[tensor]) > 1:
            return f"{shown(tensor.name)} has {len(self.users[tensor])} uses"
        return _taken(op)


def _taken(op: Operator, inside: str = "has a reduction itself") -> str:
    """Why an operator cannot join a group."""
    if op.host is not None:
        return f"{op.name} runs on the host"
    return f"{op.name} {'is in another group already' if op.injective else inside}"


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Where an element of the start goes, through inverse maps: `axes` → `index`."""

    axes: tuple[Var, ...]
    index: tuple[Expr, ...]

    @classmethod
    def start(cls, tensor: Tensor) -> _Path:
        """Every element stays where it is."""
        axes = tuple(Var(f"e{n}", i32) for n in range(len(tensor.storage.shape)))
        return cls(axes, axes)

    def through(self, op: Operator, tensor: Tensor) -> _Path:
        """The path continued by the inverse map of `op` in `tensor`."""
        inverse = op.inverse(tensor)
        assert inverse is not None
        values = dict(zip(inverse.axes, self.index, strict=True))
        return _Path(self.axes, tuple(substitute(e, values) for e in inverse.index))

    def same(self, other: _Path) -> bool:
        """Whether both lead to the same place; only equal formulas count."""
        # the axes come along, so that `alike` pairs each of them with itself
        return alike(
            Call("at", (*self.axes, *self.index), None),
            Call("at", (*other.axes, *other.index), None),
        )


def rereads(op: Operator, tensor: Tensor) -> float:
    """How often, on average, `op` reads an element of its input `tensor`."""
    compute = op.definition
    inner = prod(compute.reduction.extents) if compute.reduction else 1
    return loads(op, tensor) * op.output.size * inner / max(1, tensor.size)


def loads(op: Operator, tensor: Tensor) -> int:
    """In how many places the definition of `op` loads its input `tensor`."""
    compute = op.definition
    var = compute.inputs[op.inputs.index(tensor)]
    roots = [compute.value] + ([compute.reduction.value] if compute.reduction else [])
    return sum(isinstance(n, Load) and n.tensor is var for root in roots for n in walk(root))


def _costly(op: Operator) -> str:
    calls = (n.function for n in walk(op.definition.value) if isinstance(n, Call))
    return next((name for name in calls if name in COSTLY), "")
