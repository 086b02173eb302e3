"""What a sliding window over blocked channels is, found in a definition by its structure alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import trunc
from operator import index
from typing import TYPE_CHECKING, TypeGuard

from workbench.ir import build
from workbench.ir.arith import prove, simplify
from workbench.ir.expr import Binary, BinaryOp, Call, Const, Expr, Load, Select, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.traverse import rewrite, substitute, variables, walk
from workbench.ir.types import DType, i32
from workbench.schedules.combine import start_value
from workbench.schedules.compute import Reducer
from workbench.schedules.extents import divides, varies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.ir.node import Node
    from workbench.schedules.compute import Compute, Reduction


@dataclass(frozen=True, slots=True, eq=False)
class Sliding:
    """A definition as a window.

    Attributes
    ----------
    axes : tuple of Var
        Of the output; the last three are rows or blocks, columns, and lanes. Flat, the columns
        stand for two axes.
    row : tuple of Expr
        Conditions for a term that do not depend on the column.
    column : tuple of Expr
        Those that do.
    value : Expr
        A term where all conditions hold; elsewhere it changes nothing.
    shared : bool
        Whether blocks of channels read the same inputs, so that a tile of several pays.
    flat : tuple of int or None
        The two extents that the columns stand for.
    columns : int
        Their number.
    """

    compute: Compute
    row: tuple[Expr, ...]
    column: tuple[Expr, ...]
    value: Expr
    shared: bool
    flat: bool

    @classmethod
    def of(cls, compute: Compute, flat: bool) -> Sliding | None:
        """The definition as a window; None where it is none."""
        compute = _without_ones(compute)
        reduction, shape = compute.reduction, compute.output.tensor.extents
        if reduction is None or len(shape) < 4 or not reduction.axes:
            return None
        if reduction.reducer in (Reducer.ARGMAX, Reducer.ARGMIN):
            return None
        lane = compute.axes[-1]
        loads = [n for n in walk(reduction.value) if isinstance(n, Load)]
        blocks = [n for n in loads if shape[1] == 1 or compute.axes[1] in variables(n)]
        if not any(_last(load) is lane for load in blocks):
            return None
        if any(lane in variables(e) for load in loads for e in _before(load)):
            return None
        if any(_last(load) is not lane and lane in variables(load) for load in loads):
            return None
        value, tests = _parted(reduction)
        if any(lane in variables(t) for t in tests):
            return None
        column = compute.axes[_spot(shape)]
        if flat and (len(shape) < 5 or not _flattens(compute)):
            return None
        if flat and any(variables(t) & set(compute.axes[-3:-1]) for t in tests):
            return None
        mine = tuple(t for t in tests if column in variables(t))
        if any(isinstance(n, Binary) and n.op in _SCATTERED for t in mine for n in walk(t)):
            # the columns that count do not stand side by side
            return None
        row = tuple(t for t in tests if column not in variables(t))
        block = compute.axes[1]
        shared = any(block not in variables(load) for load in loads)
        shared &= not any(block in variables(t) for t in tests)
        return cls(compute, row, mine, value, shared, flat)

    @property
    def columns(self) -> int:
        """Places along the columns; where they are few or flat, a number in any case."""
        shape = self.compute.output.tensor.extents
        if self.flat:
            return index(shape[-3] * shape[-2])
        found = shape[self.spot]
        return found if varies(found) and found >= _FEW else index(found)

    @property
    def open(self) -> bool:
        """Whether rows of other lengths are served as well."""
        return varies(self.columns)

    @property
    def spot(self) -> int:
        """Which dimension of the output the columns are."""
        return _spot(self.compute.output.tensor.extents)

    @property
    def near(self) -> tuple[Expr, ...]:
        """Conditions that depend on the row."""
        return tuple(t for t in self.row if self.compute.axes[self.spot - 1] in variables(t))

    @property
    def far(self) -> tuple[Expr, ...]:
        """Conditions that depend neither on the row nor on the column."""
        return tuple(t for t in self.row if self.compute.axes[self.spot - 1] not in variables(t))

    def bands(self, rows: int) -> bool:
        """Whether a tile may have several rows: all but those of the first and last tile exist."""
        total = self.compute.output.tensor.extents[self.spot - 1] if self.spot > 2 else 0
        last = (total - 1) // rows * rows
        axis = self.compute.axes[self.spot - 1]
        facts = self._facts(0, 1).bound(axis, Range(rows, max(rows, last - 1)))
        return total >= rows and (last <= rows or all(prove(t, facts) for t in self.near))

    @property
    def reduction(self) -> Reduction:
        """What is reduced."""
        assert self.compute.reduction is not None
        return self.compute.reduction

    def inside(self, start: int, width: int) -> bool:
        """Whether a tile of columns needs none of the conditions."""
        facts = self._facts(start, width)
        return all(prove(test, facts) for test in self.column)

    def _facts(self, start: int, width: int) -> Facts:
        ends = {self.compute.axes[self.spot]: Range(start, start + width - 1)}
        axes = zip(self.reduction.axes, self.reduction.extents, strict=True)
        return Facts({**ends, **{a: Range(0, e - 1) for a, e in axes}})

    def clear(self) -> range:
        """The columns from the first to the last that need no condition, if none between does."""
        before, after = self.edges() or (0, self.columns)
        return range(before, self.columns - after)

    def edges(self) -> tuple[int, int] | None:
        """Columns at either end that need conditions; None where others do as well."""
        before, after, columns = 0, 0, self.columns
        if self.column:
            while before < columns and not self.inside(before, 1):
                before += 1
            while before + after < columns and not self.inside(columns - after - 1, 1):
                after += 1
            wide = columns - before - after
            if wide > 0 and not self.inside(before, wide):
                return None
        return before, after

    def tiles(self, width: int, clear: range) -> tuple[list[int], list[tuple[int, int]]]:
        """Starts of the tiles that need no condition, and start and width of the others."""
        plain: list[int] = []
        others: list[tuple[int, int]] = []
        columns = index(self.columns)
        for start in range(0, columns, width):
            wide = min(width, columns - start)
            if wide == width and clear.start <= start and start + width <= clear.stop:
                plain.append(start)
            else:
                others.append((start, wide))
        return plain, others


_FEW = 4
"""Columns from which on a row may be of any length."""

_SCATTERED = {BinaryOp.FLOORMOD, BinaryOp.TRUNCMOD, BinaryOp.EQ, BinaryOp.NE}
"""What a condition holds for every second column with, or for one."""


def _last(load: Load) -> Expr:
    """The index of a lane: the last, or the one before a word of neighbours."""
    return load.index[-1 if load.type.lanes == 1 or len(load.index) == 1 else _word(load)]


def _before(load: Load) -> tuple[Expr, ...]:
    return load.index[: -1 if load.type.lanes == 1 else _word(load)]


def _word(load: Load) -> int:
    """Which index, from the end, a load of a word has for its lane: none is within the word."""
    return -2 if isinstance(load.index[-1], Const) else -1


def _spot(shape: tuple[int, ...]) -> int:
    """The last dimension before the lanes that has several places, if one has."""
    wide = (d for d in range(len(shape) - 2, 1, -1) if shape[d] > 1)
    return next(wide, len(shape) - 2)


def _without_ones(compute: Compute) -> Compute:
    """The definition without axes of one step in its reduction."""
    reduction = compute.reduction
    if reduction is None or 1 not in reduction.extents:
        return compute
    pairs = list(zip(reduction.axes, reduction.extents, strict=True))
    zeros = {a: build.const(0) for a, e in pairs if e == 1}
    value = rewrite(substitute(reduction.value, zeros), _folded)
    kept = [(a, e) for a, e in pairs if e > 1] or pairs[:1]
    axes, extents = zip(*kept, strict=True)
    return replace(compute, reduction=replace(reduction, axes=axes, extents=extents, value=value))


def _folded(node: Node) -> Node | None:
    """A load with its index simplified."""
    if not isinstance(node, Load):
        return None
    return replace(node, index=tuple(simplify(e, Facts()) for e in node.index))


def _parted(reduction: Reduction) -> tuple[Expr, list[Expr]]:
    """The value of a term, and the conditions without which it changes nothing."""
    kind = reduction.value.type
    assert isinstance(kind, DType)
    neutral = start_value(reduction.reducer, kind)
    if reduction.reducer is Reducer.SUM and isinstance(reduction.value, Binary):
        whole = reduction.value
        if whole.op is BinaryOp.MUL and isinstance(whole.a, Select) and _equal(whole.a.b, neutral):
            return replace(whole, a=whole.a.a), list(_conjuncts(whole.a.cond))
    if is_dot(reduction.value) and isinstance(reduction.value.args[0], Select):
        left = reduction.value.args[0]
        whole = replace(reduction.value, args=(left.a, *reduction.value.args[1:]))
        return whole, list(_conjuncts(left.cond))
    if isinstance(reduction.value, Select) and _equal(reduction.value.b, neutral):
        return reduction.value.a, list(_conjuncts(reduction.value.cond))
    return reduction.value, []


def _equal(a: Expr, b: Expr) -> bool:
    return isinstance(a, Const) and isinstance(b, Const) and a.value == b.value


def _conjuncts(cond: Expr) -> Iterator[Expr]:
    if isinstance(cond, Binary) and cond.op is BinaryOp.AND:
        yield from _conjuncts(cond.a)
        yield from _conjuncts(cond.b)
    else:
        yield cond


def _flattens(compute: Compute) -> bool:
    """Whether the last two spatial axes stand side by side in all that is read, as in a matrix."""
    assert compute.reduction is not None
    high, wide = compute.axes[-3:-1]
    extents = compute.output.tensor.extents[-3:-1]
    for node in walk(compute.reduction.value):
        if not isinstance(node, Load):
            continue
        uses = [d for d, e in enumerate(node.index) if variables(e) & {high, wide}]
        if not uses:
            continue
        d = uses[0]
        shape = node.tensor.tensor.extents[d : d + 2]
        if uses != [d, d + 1] or node.index[d] is not high or node.index[d + 1] is not wide:
            return False
        if shape != extents:
            return False
    return True


def is_dot(value: Expr) -> TypeGuard[Call]:
    """Whether a term is a product of words."""
    return isinstance(value, Call) and value.function == "dot4"


def factors(value: Expr, block: Var, column: Var) -> tuple[Expr, Expr] | None:
    """The factor of a product that all blocks of channels share, and one that all columns do."""
    if is_dot(value):
        pairs = [value.args[:2]]
    elif isinstance(value, Binary) and value.op is BinaryOp.MUL:
        pairs = [(value.a, value.b), (value.b, value.a)]
    else:
        return None
    for a, b in pairs:
        if block not in variables(a) and block in variables(b) and column not in variables(b):
            return a, b
    return None


def nest(reduction: Reduction, value: Expr) -> tuple[list[tuple[Var, Expr | int]], Expr]:
    """Loops around a term, and the term in their variables.

    An axis whose quotient and remainder are read, as of channels in blocks, is walked block by
    block, the channels of a block innermost.
    """
    outer: list[tuple[Var, Expr | int]] = []
    inner: list[tuple[Var, Expr | int]] = []
    names: dict[object, Expr] = {}
    axes: dict[Var, Expr] = {}
    for var, extent in zip(reduction.axes, reduction.extents, strict=True):
        sizes = (_key(n)[2] for n in walk(value) if _key(n)[:2] == ("//", var))
        size = next((n for n in sizes if isinstance(n, int)), None)
        if size is None:
            outer.append((var, extent))
            continue
        high, low = Var(f"{var.name}_block", i32), Var(f"{var.name}_in", i32)
        names[("//", var, size)], names[("%", var, size)] = high, low
        axes[var] = build.add(build.mul(high, size), low)
        left = build.sub(extent, build.mul(high, size))
        count: Expr | int = (
            size if divides(size, extent) else build.binary(BinaryOp.MIN, left, size)
        )
        outer.append((high, -(-extent // size)))
        inner.append((low, extent if extent < size else count))
    # quotients first: an operand that is the axis itself stays until then
    found = rewrite(value, lambda n: names.get(_key(n)))
    return outer + inner, substitute(found, axes)


def _key(node: Node) -> tuple[object, ...]:
    """What a quotient or remainder of a variable by a number is."""
    if isinstance(node, Binary) and isinstance(node.a, Var) and isinstance(node.b, Const):
        # an axis is never negative: both kinds of division give the same
        if node.op in (BinaryOp.FLOORDIV, BinaryOp.TRUNCDIV):
            return "//", node.a, trunc(node.b.value)
        if node.op in (BinaryOp.FLOORMOD, BinaryOp.TRUNCMOD):
            return "%", node.a, trunc(node.b.value)
    return ()


def even(extent: int, most: int) -> int:
    """The width of tiles, at most `most`, so that the last is not much narrower.

    Examples
    --------
    >>> even(56, 14), even(35, 14), even(49, 14)
    (14, 12, 13)
    """
    return -(-extent // -(-extent // most))
