"""Definitions over the same rows: reductions along a row, and what is made of it on the way.

Softmax and layer normalisation are such chains: a maximum or mean of each row, something of each
element and that number, another reduction, … A row is put through in *passes*: the first needs no
reduction, the second what the first reduced, and so on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import prod

from workbench.ir.expr import Binary, BinaryOp, Call, Cast, Expr, Load, Var
from workbench.ir.node import Node
from workbench.ir.traverse import variables, walk
from workbench.ir.types import DType
from workbench.schedules.compute import Compute

HEAVY = 12
"""An element that costs as much as this is kept for later passes, not computed again."""

_CALL, _DIVISION = 12, 4


@dataclass(frozen=True, slots=True, eq=False)
class RowStep:
    """A definition at its place in the rows.

    Attributes
    ----------
    compute : Compute
        Its tensors are variables that the steps share.
    index : mapping of Var to Expr
        Each axis of the definition, its reduction's too, by the axes of the rows.
    """

    compute: Compute
    index: Mapping[Var, Expr]

    @property
    def output(self) -> Var:
        """What it makes."""
        return self.compute.output

    def loads(self) -> set[Var]:
        """The tensors it reads."""
        reduction = self.compute.reduction
        roots = [self.compute.value, *([reduction.value] if reduction else [])]
        return {n.tensor for root in roots for n in walk(root) if isinstance(n, Load)}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Definitions that are computed row by row.

    Attributes
    ----------
    axes, extents : tuple
        Which row; variables and their extents.
    inner, lengths : tuple
        Where in the row.
    steps : tuple of RowStep
        In the order they depend on one another; no definition reads of another what belongs to
        another row.
    outputs : tuple of Var
        What is stored.
    """

    axes: tuple[Var, ...]
    extents: tuple[int, ...]
    inner: tuple[Var, ...]
    lengths: tuple[int, ...]
    steps: tuple[RowStep, ...]
    outputs: tuple[Var, ...]

    @classmethod
    def of(cls, compute: Compute) -> Rows:
        """One reduction by itself.

        Raises
        ------
        AssertionError
            When it reduces nothing.
        """
        reduction = compute.reduction
        assert reduction is not None, f"{compute.name} reduces nothing"
        own = (*compute.axes, *reduction.axes)
        step = RowStep(compute, dict(zip(own, own, strict=True)))
        extents = compute.output.tensor.extents
        return cls(
            compute.axes, extents, reduction.axes, reduction.extents, (step,), (compute.output,)
        )

    @property
    def count(self) -> int:
        """How many rows."""
        return prod(self.extents)

    @property
    def length(self) -> int:
        """Elements of a row."""
        return prod(self.lengths)

    @property
    def reductions(self) -> tuple[RowStep, ...]:
        """The steps that reduce."""
        return tuple(s for s in self.steps if s.compute.reduction)

    @property
    def whole_registers(self) -> bool:
        """Whether all that is reduced can travel between threads by shuffles."""
        kinds = [r.value.type for s in self.reductions if (r := s.compute.reduction)]
        return all(isinstance(k, DType) and k.bits >= 32 for k in kinds)

    def per_element(self, step: RowStep) -> bool:
        """Whether a step makes something for each element of a row, not one for each row."""
        if step.compute.reduction:
            return False
        inner = set(self.inner)
        return any(inner & variables(e) for e in step.index.values())

    def neighbours(self) -> bool:
        """Whether most of what is read and stored along a row lies side by side in memory."""
        long = [v for v, n in zip(self.inner, self.lengths, strict=True) if n > 1]
        along, across = 0, 0
        for step in self.steps:
            for tensor, index in accesses(step):
                reached = {w for v in variables(index[-1]) for w in variables(step.index.get(v, v))}
                if tensor.tensor.size == self.count * self.length:
                    along += bool(long) and long[-1] in reached
                    across += bool(reached.intersection(self.axes))
        return along >= across


def accesses(step: RowStep) -> list[tuple[Var, tuple[Expr, ...]]]:
    """Tensors and where they are read, and the output and where it is stored."""
    reduction = step.compute.reduction
    root = reduction.value if reduction else step.compute.value
    loads = [(n.tensor, n.index) for n in walk(root) if isinstance(n, Load)]
    return [*loads, (step.output, step.compute.axes)]


@dataclass
class Passes:
    """What happens in which pass over a row.

    Attributes
    ----------
    ready : dict of Var to int
        The pass from which on a tensor can be had.
    elements : list of list of RowStep
        What is computed for each element, pass by pass.
    reduced : list of list of RowStep
        What is reduced, pass by pass.
    saved : set of Var
        What is kept from the pass that computes it for later ones.
    first : dict of Var to int
        The pass that first computes what is made for each element.
    """

    rows: Rows
    ready: dict[Var, int] = field(default_factory=dict[Var, int])
    elements: list[list[RowStep]] = field(default_factory=list[list[RowStep]])
    reduced: list[list[RowStep]] = field(default_factory=list[list[RowStep]])
    saved: set[Var] = field(default_factory=set[Var])
    first: dict[Var, int] = field(default_factory=dict[Var, int])

    @classmethod
    def of(cls, rows: Rows, room_bytes: int, heavy: int = HEAVY) -> Passes:
        """The passes of `rows`, as early as each thing can be.

        Parameters
        ----------
        room_bytes : int
            For what is kept of one row [byte].
        heavy : int
            What an element must cost to be kept, in additions or so.
        """
        found = cls(rows)
        begins: dict[RowStep, int] = {}
        for step in rows.steps:
            begins[step] = max((found.ready.get(v, 0) for v in step.loads()), default=0)
            found.ready[step.output] = begins[step] + bool(step.compute.reduction)
        found._plan(begins, room_bytes, heavy)
        return found

    def _plan(self, begins: Mapping[RowStep, int], room_bytes: int, heavy: int) -> None:
        rows = self.rows
        makers = {s.output: s for s in rows.steps if rows.per_element(s)}
        costs = _costs(rows, makers)
        for number in range(1 + max(begins.values())):
            reduced = [s for s in rows.reductions if begins[s] == number]
            stored = {v for v, s in makers.items() if v in rows.outputs and begins[s] == number}
            stack = [*stored, *(v for s in reduced for v in s.loads())]
            needed: set[Var] = set()
            while stack:
                var = stack.pop()
                if var not in makers or var in needed or var in self.saved:
                    continue
                size = rows.length * var.tensor.dtype.size_bytes
                again = self.first.setdefault(var, number) < number
                if again and costs[var] >= heavy and size <= room_bytes:
                    room_bytes -= size
                    self.saved.add(var)
                    continue
                needed.add(var)
                stack += makers[var].loads()
            self.reduced.append(reduced)
            self.elements.append([s for s in rows.steps if s.output in needed])

    def lender(self, var: Var, taken: Collection[RowStep]) -> RowStep | None:
        """The step whose output has room for `var`, which is kept, until it is stored itself.

        Parameters
        ----------
        taken : collection of RowStep
            Steps whose outputs have something else in them.
        """
        rows = self.rows
        readers = [s for s in rows.steps if var in s.loads()]
        for step in rows.steps:
            out = step.output
            if (
                {var, out}.intersection(rows.outputs) == {out}
                and rows.per_element(step)
                and step not in taken
                and (out.tensor.dtype, out.tensor.size)
                == (var.tensor.dtype, rows.count * rows.length)
                and self.first[out] > self.first[var]
                # nobody reads it once the output has taken its place
                and all(r is step or self._last(r) < self.first[out] for r in readers)
            ):
                return step
        return None

    def _last(self, step: RowStep) -> int:
        """The last pass in which a step reads what it is made of; -1 for none."""
        passes = zip(self.elements, self.reduced, strict=True)
        return max((n for n, p in enumerate(passes) if any(step in s for s in p)), default=-1)


def _costs(rows: Rows, makers: Mapping[Var, RowStep]) -> dict[Var, int]:
    """What it costs to compute an element from what is read, in additions or so."""
    costs: dict[Var, int] = {}
    for step in rows.steps:
        if step.output in makers:
            own = sum(map(_cost, walk(step.compute.value)))
            costs[step.output] = own + sum(costs.get(v, 0) for v in step.loads())
    return costs


def _cost(node: object) -> int:
    match node:
        case Call():
            return _CALL
        case Binary(op=BinaryOp.DIV | BinaryOp.FLOORDIV | BinaryOp.FLOORMOD):
            return _DIVISION
        case Load():
            return 2
        case Binary(type=DType(kind="f")):
            return 1
        case _:
            return 0


def unsteady(node: Node) -> bool:
    """Whether a node makes a small difference a large one."""
    match node:
        case Call():
            return node.function in ("round", "floor", "ceil")
        case Cast():
            return node.type.is_int and isinstance(node.a.type, DType) and node.a.type.is_float
        case _:
            return False
