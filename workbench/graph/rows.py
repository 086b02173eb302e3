"""Operators over the same rows: what can join a reduction in one kernel, by structure alone.

A reduction makes one number of each row of a tensor. What puts that number back to the elements
of the same row, reduces those again, and so on, can run row by row without storing anything in
between: softmax, normalisations, and whatever else has this form.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from workbench.ir import arith, build
from workbench.ir.alike import alike
from workbench.ir.expr import Call, Const, Expr, Load, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.traverse import substitute, variables, walk
from workbench.schedules.extents import rough

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor

Index = tuple[Expr, ...]

FEW, LONG = 8, 2**17
"""Fewer rows than this that are longer than that keep too few blocks busy: what follows their
reduction is better spread over all."""


@dataclass(eq=False)
class Region:
    """Operators over the same rows, as they are gathered.

    Attributes
    ----------
    axes, extents : tuple
        Which row; variables and their extents.
    inner, lengths : tuple
        Where in the row.
    index : dict of Operator to (dict of Var to Expr)
        Each operator's axes by those of the rows, in the order they joined.
    places : dict of Tensor to tuple of Expr
        Where in a tensor an element, or the number of a row, stands.
    """

    axes: tuple[Var, ...]
    extents: tuple[int, ...]
    inner: tuple[Var, ...]
    lengths: tuple[int, ...]
    index: dict[Operator, dict[Var, Expr]] = field(default_factory=dict)
    places: dict[Tensor, Index] = field(default_factory=dict)

    @classmethod
    def start(cls, op: Operator) -> Region | None:
        """The rows of a reduction; None when it has none, as a matrix product or a convolution,
        or when they are few and long.
        """
        compute = op.definition
        reduction = compute.reduction
        if reduction is None or (
            rough(op.output.size) < FEW and rough(prod(reduction.extents)) > LONG
        ):
            return None
        region = cls(compute.axes, compute.output.tensor.extents, reduction.axes, reduction.extents)
        own = dict(zip(region.axes, region.extents, strict=True))
        own |= zip(region.inner, region.lengths, strict=True)
        index: dict[Var, Expr] = {a: build.const(0) if n == 1 else a for a, n in own.items()}
        if not region._enter(op, index) or not any(
            t.size == region.count * region.length for t in op.inputs if t in region.places
        ):
            return None
        return region

    @property
    def count(self) -> int:
        """How many rows."""
        return prod(self.extents)

    @property
    def length(self) -> int:
        """Elements of a row."""
        return prod(self.lengths)

    @property
    def made(self) -> set[Tensor]:
        """What the operators give."""
        return {op.output for op in self.index}

    def follow(self, op: Operator) -> str:
        """Take in an operator that reads what is there; else say why it cannot join."""
        index = self._image(op) or self._matched(op)
        if index is None:
            return f"{op.name} does not work along the same rows"
        return "" if self._enter(op, index) else f"{op.name} reads other rows"

    def precede(self, op: Operator) -> bool:
        """Take in the operator that makes a tensor which is read already, if it fits."""
        compute, place = op.definition, self.places[op.output]
        index = dict(zip(compute.axes, place, strict=True))
        reduction = compute.reduction
        if reduction:
            index = self._completed(index, reduction.axes, reduction.extents)
        return index is not None and self._enter(op, index)

    def _image(self, op: Operator) -> dict[Var, Expr] | None:
        """The axes of an operator by its inverse map for a tensor whose place is known."""
        known = [t for t in op.inputs if t in self.places]
        for tensor in sorted(known, key=lambda t: -t.size):
            inverse = op.inverse(tensor)
            if inverse is not None:
                values = dict(zip(inverse.axes, self.places[tensor], strict=True))
                index = [substitute(e, values) for e in inverse.index]
                return dict(zip(op.definition.axes, index, strict=True))
        return None

    def _matched(self, op: Operator) -> dict[Var, Expr] | None:
        """The axes of an operator by where it reads tensors whose places are known."""
        compute = op.definition
        reduction = compute.reduction
        axes, extents = compute.axes, compute.output.tensor.extents
        if reduction:
            axes, extents = (*axes, *reduction.axes), (*extents, *reduction.extents)
        found: dict[Var, Expr] = {}
        for tensor, index in sorted(_loads(op), key=lambda pair: -pair[0].size):
            for axis, at in zip(index, self.places.get(tensor, index), strict=True):
                if isinstance(axis, Var) and axis in axes and tensor in self.places:
                    found.setdefault(axis, at)
        return self._completed(found, axes, extents)

    def _completed(
        self, found: Mapping[Var, Expr], axes: Sequence[Var], extents: Sequence[int]
    ) -> dict[Var, Expr] | None:
        """`found` with axes that nothing is said of: they run along the row if that fits."""
        index = dict(found)
        lengths = dict(zip(axes, extents, strict=True))
        index |= {a: build.const(0) for a in axes if a not in index and lengths[a] == 1}
        rest = [a for a in axes if a not in index]
        inner = [(v, n) for v, n in zip(self.inner, self.lengths, strict=True) if n > 1]
        if not rest:
            return index if _plain(index.values()) else None
        if [lengths[a] for a in rest] != [n for _, n in inner] or self._inner(index.values()):
            return None
        index |= zip(rest, (v for v, _ in inner), strict=True)
        return index if _plain(index.values()) else None

    def _inner(self, index: Iterable[Expr]) -> bool:
        """Whether an index depends on the place in the row."""
        inner = set(self.inner)
        return any(inner & variables(e) for e in index)

    def _enter(self, op: Operator, index: dict[Var, Expr]) -> bool:
        """Take `op` in with these axes, if all it reads from the others is in its own row."""
        compute = op.definition
        index = {a: self._normal(e) for a, e in index.items()}
        size, reduction = op.output.size, compute.reduction
        own = [index[a] for a in compute.axes]
        whole = size == self.count * self.length and self._covers(own, self.inner, self.lengths)
        if reduction:
            along = [index[a] for a in reduction.axes]
            whole = prod(reduction.extents) == self.length and not self._inner(own)
            if not whole or not self._covers(along, self.inner, self.lengths):
                return False
        if not self._covers(own, self.axes, self.extents):
            return False
        if not whole and (size != self.count or self._inner(own)):
            return False
        place = tuple(own)
        read = [
            self._place(by, at) for m, by in self.index.items() if op.output in m.inputs
            for t, at in _loads(m) if t is op.output
        ]  # fmt: skip
        if not all(self._same(place, each) for each in read):
            return False
        made, places = self.made, dict(self.places)
        for tensor, at in _loads(op):
            found = self._place(index, at)
            if not self._same(places.setdefault(tensor, found), found):
                if tensor in made:
                    return False
                # read at several places: it can be loaded, but not made here
                del places[tensor]
        self.index[op] = index
        self.places = {t: p for t, p in places.items() if self._one_to_one(t, p)}
        self.places[op.output] = place
        return True

    def _place(self, index: Mapping[Var, Expr], at: Index) -> Index:
        """Where in a tensor an operator reads at `at`, by the axes of the rows."""
        return tuple(self._normal(substitute(e, index)) for e in at)

    def _covers(self, index: Sequence[Expr], axes: Sequence[Var], extents: Sequence[int]) -> bool:
        """Whether all axes that count for something occur in the index."""
        found: set[Var] = set()
        for e in index:
            found |= variables(e)
        return found.issuperset(a for a, n in zip(axes, extents, strict=True) if n > 1)

    def _one_to_one(self, tensor: Tensor, place: Index) -> bool:
        """Whether every element of a tensor has one place in the rows."""
        if tensor in self.made:
            return True
        extents = dict(zip((*self.axes, *self.inner), (*self.extents, *self.lengths), strict=True))
        if any(isinstance(e, Var) and e not in extents for e in place):
            # where the outcome of a reduction says
            return False
        if not _plain(place) or not self._covers(place, self.axes, self.extents):
            return False
        along = [e for e in self.inner if self._wide[e]]
        if not (set(along).isdisjoint(place) or set(along).issubset(place)):
            return False
        pairs = zip(place, tensor.storage.extents, strict=True)
        return all(n == (extents[e] if isinstance(e, Var) else 1) for e, n in pairs)

    def _normal(self, expr: Expr) -> Expr:
        """`expr` in its shortest form, for the ranges of the axes."""
        if isinstance(expr, Const) or (isinstance(expr, Var) and self._wide.get(expr)):
            return expr
        return arith.simplify(expr, self._facts)

    @cached_property
    def _wide(self) -> dict[Var, bool]:
        """The axes, and whether there is more than one place along each."""
        extents = zip((*self.axes, *self.inner), (*self.extents, *self.lengths), strict=True)
        return {axis: n > 1 for axis, n in extents}

    @cached_property
    def _facts(self) -> Facts:
        extents = zip((*self.axes, *self.inner), (*self.extents, *self.lengths), strict=True)
        ranges: dict[Hashable, Range] = {a: Range(0, n - 1) for a, n in extents}
        return Facts(ranges)

    def _same(self, a: Index, b: Index) -> bool:
        if a == b:  # the very same nodes, as axes mostly are
            return True
        axes = (*self.axes, *self.inner)
        return len(a) == len(b) and alike(
            Call("at", (*axes, *a), None), Call("at", (*axes, *b), None)
        )


def _loads(op: Operator) -> list[tuple[Tensor, Index]]:
    """What an operator reads, and where."""
    compute = op.definition
    tensors = dict(zip(compute.inputs, op.inputs, strict=True))
    roots = [compute.value, *([compute.reduction.value] if compute.reduction else [])]
    return [
        (tensors[n.tensor], n.index) for root in roots for n in walk(root) if isinstance(n, Load)
    ]


def _plain(index: Iterable[Expr]) -> bool:
    """Whether an index is made of different variables, and numbers."""
    rest = [e for e in index if not isinstance(e, Const)]
    return all(isinstance(e, Var) for e in rest) and len(set(rest)) == len(rest)
