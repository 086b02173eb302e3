"""Groups: operators that share a kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.operator import Program

if TYPE_CHECKING:
    from workbench.graph.operator import HostCall, Operator
    from workbench.graph.rows import Region
    from workbench.graph.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A tensor that lies in another one, as a run of its elements from `start` on."""

    tensor: Tensor
    source: Tensor
    start: int


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
    rows : Region or None
        For operators over the same rows: where each works. The anchor is then their first
        reduction, and they are scheduled together.
    first : Operator or None
        For two products with rows between them: the first one. The anchor is then the second,
        and all between them is scheduled with both.
    beside : tuple of Group
        Groups that run in the same launch; neither needs what another gives.
    views : tuple of View
        For a group that needs no kernel: which tensors lie in which.
    """

    anchor: Operator
    prologue: tuple[Operator, ...] = ()
    epilogue: tuple[Operator, ...] = ()
    kept: tuple[Tensor, ...] = ()
    rows: Region | None = None
    first: Operator | None = None
    beside: tuple[Group, ...] = ()
    views: tuple[View, ...] = ()

    @property
    def operators(self) -> tuple[Operator, ...]:
        """All of them, in an order in which they could run."""
        own = (*self.prologue, self.anchor, *self.epilogue)
        if not self.beside:
            return own
        # what each computes for itself stands in several
        return tuple(dict.fromkeys((*own, *(op for g in self.beside for op in g.operators))))

    @property
    def parts(self) -> tuple[Group, ...]:
        """What runs side by side: the group itself, if nothing runs beside it."""
        return (replace(self, beside=()), *self.beside) if self.beside else (self,)

    @property
    def host(self) -> HostCall | Program | None:
        """What is run instead of a kernel; such a group has one operator."""
        return self.anchor.host

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The tensors the group gives."""
        own = (*self.kept, *(self.epilogue or (self.anchor,))[-1].outputs)
        return (*own, *(t for g in self.beside for t in g.outputs))

    @property
    def moved_bytes(self) -> int:
        """What its kernel reads and writes, each tensor counted once [byte]."""
        return 0 if self.views else sum(t.size_bytes for t in (*self.inputs, *self.outputs))

    @property
    def output(self) -> Tensor:
        """The last tensor the group gives, which all operators of its last part lead to."""
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
        if self.beside:
            return f"{self.parts[0].name}_beside_{len(self.beside)}_more"
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


def taken(op: Operator, inside: str = "has a reduction itself") -> str:
    """Why an operator cannot join a group."""
    if op.host is not None:
        own = isinstance(op.host, Program)
        return f"{op.name} {'has a kernel of its own' if own else 'runs on the host'}"
    return f"{op.name} {'is in another group already' if op.injective else inside}"
