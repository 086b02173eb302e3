"""Blocked layouts for a CPU: channels in blocks as wide as a vector, the block innermost.

`blocked` writes a definition over tensors [n, c, …] as one over [n, c / b, …, b]; it knows no
operator by name, only where channels stand in the indices.

Source: Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions on SIMD
Architectures", SC 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from workbench.base.lazy import lazy
from workbench.graph.ops.define import axes, grid
from workbench.graph.slabs import empty
from workbench.ir import build
from workbench.ir.arith import simplify
from workbench.ir.expr import COMPARISONS, Binary, BinaryOp, Const, Expr, Load, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.node import Node
from workbench.ir.traverse import rewrite, variables, walk
from workbench.ir.types import TensorType
from workbench.schedules.compute import Compute, InverseMap

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")


def blocked_shape(shape: Sequence[int], lanes: int) -> tuple[int, ...]:
    """The shape of a tensor [n, c, …] in blocks of channels.

    Examples
    --------
    >>> blocked_shape((1, 24, 7, 7), 16)
    (1, 2, 7, 7, 16)
    """
    return (shape[0], -(-shape[1] // lanes), *shape[2:], lanes)


def pack(x: Var, lanes: int) -> Compute:
    """Definition of the blocked form of `x` [n, c, …]; channels past the last are 0."""
    shape, kind = x.tensor.extents, x.tensor.dtype
    whole = shape[1] % lanes == 0

    def value(i: Sequence[Var]) -> Expr:
        channel = build.add(build.mul(i[1], lanes), i[-1])
        found = build.load(x, (i[0], channel, *i[2:-1]))
        zero = build.const(0, kind)
        return found if whole else build.select(build.less(channel, shape[1]), found, zero)

    def inverse(i: Sequence[Var]) -> list[Expr]:
        return [i[0], build.floordiv(i[1], lanes), *i[2:], build.floormod(i[1], lanes)]

    kept = {x: inverse} if whole else None
    return grid("pack", [x], TensorType(kind, blocked_shape(shape, lanes)), value, inverse=kept)


def unpack(x: Var, channels: int) -> Compute:
    """Definition of [n, c, …] from its blocked form `x`."""
    (n, blocks, *spatial, lanes), kind = x.tensor.extents, x.tensor.dtype

    def value(i: Sequence[Var]) -> Expr:
        block, lane = build.floordiv(i[1], lanes), build.floormod(i[1], lanes)
        return build.load(x, (i[0], block, *i[2:], lane))

    def inverse(i: Sequence[Var]) -> list[Expr]:
        return [i[0], build.add(build.mul(i[1], lanes), i[-1]), *i[2:-1]]

    kept = {x: inverse} if blocks * lanes == channels else None
    return grid("unpack", [x], TensorType(kind, (n, channels, *spatial)), value, inverse=kept)


class Repacking(Protocol):
    """A way to lay out a constant anew; equal ways have equal results."""

    def apply(self, array: np.ndarray) -> np.ndarray:
        """The packed array, C-contiguous."""
        ...


@dataclass(frozen=True, slots=True)
class Packing:
    """How a constant is laid out anew: some dimensions in blocks, the blocks innermost.

    Attributes
    ----------
    dims : tuple of int
        Dimensions in blocks, in the order in which their blocks follow at the end.
    lanes : int
        Elements of a block; the last is filled with zeros.
    """

    dims: tuple[int, ...]
    lanes: int

    def shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Of the packed array."""
        lead = tuple(-(-e // self.lanes) if d in self.dims else e for d, e in enumerate(shape))
        return lead + (self.lanes,) * len(self.dims)

    def apply(self, array: np.ndarray) -> np.ndarray:
        """The packed array, C-contiguous.

        Examples
        --------
        >>> import numpy
        >>> Packing((0,), 4).apply(numpy.arange(6).reshape(3, 2)).tolist()
        [[[0, 2, 4, 0], [1, 3, 5, 0]]]
        """
        pads = [(0, -e % self.lanes if d in self.dims else 0) for d, e in enumerate(array.shape)]
        split: list[int] = []
        place: dict[int, int] = {}
        for d, e in enumerate(np.pad(array, pads).shape):
            place[d] = len(split)
            split += [e // self.lanes, self.lanes] if d in self.dims else [e]
        order = [place[d] for d in range(array.ndim)] + [place[d] + 1 for d in self.dims]
        whole = np.pad(array, pads).reshape(split).transpose(order)
        packed = empty(whole.shape, whole.dtype)
        packed[...] = whole
        return packed


@dataclass(frozen=True, slots=True, eq=False)
class Blocked:
    """A definition over blocked tensors.

    Attributes
    ----------
    compute : Compute
        Its inputs in the order of the original's.
    packings : mapping of Var to Packing
        How constants among the original's inputs are to be packed.
    """

    compute: Compute
    packings: Mapping[Var, Repacking]


def blocked(
    compute: Compute, inputs: frozenset[Var], constants: frozenset[Var], lanes: int
) -> Blocked | None:
    """The definition with a blocked output; None where blocks would not stay together.

    Parameters
    ----------
    compute : Compute
        With an output [n, c, …].
    inputs : frozenset of Var
        Inputs [n, c, …] that come in blocks.
    constants : frozenset of Var
        Inputs that may be packed in any way.
    """
    return _Blocking(compute, inputs, constants, lanes).result()


class _Blocking:
    """One definition being written over blocks."""

    def __init__(
        self, compute: Compute, inputs: frozenset[Var], constants: frozenset[Var], lanes: int
    ) -> None:
        self.compute, self.inputs, self.constants, self.lanes = compute, inputs, constants, lanes
        shape = compute.output.tensor.extents
        old = compute.axes
        self.axes = axes(len(shape) + 1)
        block, self.lane = self.axes[1], self.axes[-1]
        self.whole = shape[1] % lanes == 0
        self.channel = build.add(build.mul(block, lanes), self.lane)
        self.values: dict[Var, Node] = dict(zip(old, self.axes, strict=False))
        self.values[old[1]] = self.channel
        self.shape = blocked_shape(shape, lanes)
        ends = dict(zip(self.axes, self.shape, strict=True))
        if compute.reduction is not None:
            ends |= zip(compute.reduction.axes, compute.reduction.extents, strict=True)
        self.facts = Facts({v: Range(0, e - 1) for v, e in ends.items()})
        self.split: set[Var] = set()
        self.packings: dict[Var, Packing] = {}
        self.new: dict[Var, Var] = {}
        self.failed = False

    def result(self) -> Blocked | None:
        """The whole definition."""
        compute = self.compute
        for var in compute.inputs:
            self.new[var] = var
            if var in self.inputs:
                kind = var.tensor
                shape = blocked_shape(kind.extents, self.lanes)
                self.new[var] = Var(var.name, TensorType(kind.dtype, shape))
        roots = [compute.value] + ([compute.reduction.value] if compute.reduction else [])
        loads = [n for root in roots for n in walk(root) if isinstance(n, Load)]
        for load in loads:
            if load.tensor in self.inputs:
                self._note_split(load.index[1])
        for var in self.constants:
            self._pack(var, [load for load in loads if load.tensor is var])
        value = self._moved(compute.value)
        reduction = compute.reduction
        if reduction is not None:
            reduction = replace(reduction, value=self._moved(reduction.value))
        if self.failed:
            return None
        output = Var("out", TensorType(compute.output.tensor.dtype, self.shape))
        inputs = tuple(self.new[v] for v in compute.inputs)
        return Blocked(
            Compute(compute.name, inputs, output, self.axes, value, reduction, self._inverse()),
            self.packings,
        )

    def _inverse(self) -> tuple[tuple[Var, InverseMap], ...]:
        """Of maps only those stay that leave every element where it is."""
        kept: list[tuple[Var, InverseMap]] = []
        for var, inverse in self.compute.inverse:
            if var in self.inputs and tuple(inverse.index) == tuple(inverse.axes):
                own = axes(len(self.shape), "e")
                kept.append((self.new[var], InverseMap(own, own)))
        return tuple(kept)

    def _note_split(self, channel: Expr) -> None:
        """Axes of the reduction that run over channels in blocks."""
        if self.compute.reduction is not None:
            self.split |= variables(channel) & set(self.compute.reduction.axes)

    def _pack(self, var: Var, loads: Sequence[Load]) -> None:
        """Decide how a constant is packed: the lanes innermost, before them blocks of terms."""
        first, *others = loads
        lead = self.compute.axes[1]
        mine = [d for d, e in enumerate(first.index) if lead in variables(e)]
        terms = [d for d, e in enumerate(first.index) if e in self.split]
        same = all(
            [d for d, e in enumerate(o.index) if lead in variables(e)] == mine for o in others
        )
        if len(mine) != 1 or not same:
            # read as it is, if that is possible
            return
        packing = Packing((*terms, *mine), self.lanes)
        self.packings[var] = packing
        kind = var.tensor
        self.new[var] = Var(var.name, TensorType(kind.dtype, packing.shape(kind.extents)))

    def _moved(self, root: Expr) -> Expr:
        return rewrite(root, self._rule) if not self.failed else root

    def _rule(self, node: Node) -> Node | None:
        """Loads and comparisons in terms of blocks; the rest by substitution."""
        if isinstance(node, Var):
            return self.values.get(node)
        if isinstance(node, Load):
            return self._load(node)
        if isinstance(node, Binary) and node.op in COMPARISONS and self.lane in variables(node):
            return self._compared(node)
        return None

    def _load(self, node: Load) -> Node | None:
        if node.tensor not in self.new:
            return None
        old, new = node.tensor, self.new[node.tensor]
        dims = (1,) if old in self.inputs else ()
        if old in self.packings:
            dims = self.packings[old].dims
        index: list[Expr] = []
        ends: dict[int, Expr] = {}
        for d, e in enumerate(node.index):
            if d in dims:
                high = self._simple(build.floordiv(e, self.lanes))
                ends[d] = self._simple(build.floormod(e, self.lanes))
                index.append(high)
                self.failed |= self.lane in variables(high)
            else:
                index.append(e)
                if self.lane in variables(e):
                    # past the last channel nothing may be read
                    self.failed |= not self.whole or old in self.inputs
        for d in dims:
            end = ends[d]
            self.failed |= self.lane in variables(end) and end is not self.lane
            index.append(end)
        return Load(new, tuple(index), node.type, span=node.span)

    def _simple(self, index: Expr) -> Expr:
        """An index simplified, in the operators that definitions have."""
        return rewrite(simplify(index, self.facts), _floored)

    def _compared(self, node: Binary) -> Node | None:
        """``channel < c`` by blocks, where `c` is a multiple of their size."""
        if not isinstance(node.b, Const) or int(node.b.value) % self.lanes:
            return None
        if node.op not in (BinaryOp.LT, BinaryOp.GE):
            return None
        high = self._simple(build.floordiv(node.a, self.lanes))
        if self.lane in variables(high):
            return None
        return build.binary(node.op, high, int(node.b.value) // self.lanes)


_FLOORED = {BinaryOp.TRUNCDIV: BinaryOp.FLOORDIV, BinaryOp.TRUNCMOD: BinaryOp.FLOORMOD}


def _floored(node: Node) -> Node | None:
    """A division of what is not negative, where both kinds give the same."""
    if isinstance(node, Binary) and node.op in _FLOORED:
        return replace(node, op=_FLOORED[node.op])
    return None
