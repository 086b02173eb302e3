"""Convolutions in groups whose channels do not fill whole blocks.

A block of output channels reads the channels of all groups that it touches, with weights of zero
where a channel is of another group: some products too many, all of them in vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.graph.layout import Blocked, blocked_shape
from workbench.graph.ops.define import axes
from workbench.graph.slabs import empty
from workbench.ir import build
from workbench.ir.alike import alike
from workbench.ir.expr import Binary, BinaryOp, Expr, Load, Select, Var
from workbench.ir.traverse import rewrite, walk
from workbench.ir.types import DType, TensorType, i32
from workbench.schedules.compute import Compute

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from workbench.ir.node import Node
    from workbench.schedules.compute import Reduction


@dataclass(frozen=True, slots=True)
class Groups:
    """How channels are grouped, and which of them a block of output channels reads.

    Attributes
    ----------
    channels, maps : int
        Input and output channels.
    own, each : int
        Input and output channels of a group.
    lanes : int
        Channels of a block.
    """

    channels: int
    maps: int
    own: int
    each: int
    lanes: int

    @property
    def spans(self) -> tuple[int, ...]:
        """Input channels that each block of output channels reads."""
        ends = ((b, min(b + self.lanes, self.maps) - 1) for b in range(0, self.maps, self.lanes))
        return tuple((last // self.each - b // self.each + 1) * self.own for b, last in ends)

    @property
    def span(self) -> int:
        """Input channels that a block of output channels reads, at most."""
        return max(self.spans)

    def count(self, block: Expr) -> Expr:
        """Input channels that a block of output channels reads, counted from `first`."""
        last = build.add(build.mul(block, self.lanes), self.lanes - 1)
        last = build.binary(BinaryOp.MIN, last, self.maps - 1)
        end = build.add(build.floordiv(last, self.each), 1)
        return build.sub(build.mul(end, self.own), self.first(block))

    def first(self, block: Expr) -> Expr:
        """The first input channel that a block of output channels reads."""
        start = build.mul(build.floordiv(build.mul(block, self.lanes), self.each), self.own)
        return build.binary(BinaryOp.MIN, start, self.channels - self.span)

    def shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Of the packed weights: blocks, the channels that each reads, the window, lanes."""
        return (-(-shape[0] // self.lanes), self.span, *shape[2:], self.lanes)

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Weights [maps, own, …] packed.

        Examples
        --------
        >>> import numpy
        >>> weights = numpy.array([[1], [2], [3], [4]])
        >>> Groups(4, 4, 1, 1, 2).apply(weights).tolist()
        [[[1, 0], [0, 2]], [[3, 0], [0, 4]]]
        """
        packed = empty(self.shape(array.shape), array.dtype)
        packed[...] = 0
        for k in range(self.maps):
            block, lane = divmod(k, self.lanes)
            start = min(block * self.lanes // self.each * self.own, self.channels - self.span)
            at = k // self.each * self.own - start
            packed[block, at : at + self.own, ..., lane] = array[k]
        return packed


def grouped(compute: Compute, x: Var, w: Var, lanes: int) -> Blocked | None:
    """A convolution in groups over blocks of channels; None for any other definition.

    Parameters
    ----------
    x, w : Var
        The inputs [n, c, …], which is to come in blocks, and [k, c / groups, …], a constant.
    """
    reduction = compute.reduction
    if reduction is None or compute.inputs not in ((x, w), (w, x)):
        return None
    maps, own = w.tensor.extents[:2]
    groups = x.tensor.extents[1] // own
    if x.tensor.extents[1] % own or maps % groups or compute.output.tensor.extents[1] != maps:
        return None
    each = maps // groups
    if not _reads(compute, reduction, x, w, each):
        return None
    return _written(compute, reduction, (x, w), Groups(x.tensor.extents[1], maps, own, each, lanes))


def _reads(compute: Compute, reduction: Reduction, x: Var, w: Var, each: int) -> bool:
    """Whether output channel `k` reads the channels of the group that it belongs to."""
    loads = {n.tensor: n.index for n in walk(reduction.value) if isinstance(n, Load)}
    own, lead = w.tensor.extents[1], compute.axes[1]
    if set(loads) != {x, w} or len(loads[x]) != len(loads[w]) or loads[w][0] is not lead:
        return False
    channel = loads[w][1]
    if channel is not reduction.axes[0] and not alike(channel, build.const(0)):
        return False
    first = build.mul(build.floordiv(lead, each), own)
    return alike(loads[x][1], build.add(first, channel))


def _written(
    compute: Compute, reduction: Reduction, inputs: tuple[Var, Var], groups: Groups
) -> Blocked:
    x, w = inputs
    lanes, shape = groups.lanes, blocked_shape(compute.output.tensor.extents, groups.lanes)
    index = axes(len(shape))
    values: dict[Var, Expr] = dict(zip(compute.axes, index, strict=False))
    values[compute.axes[1]] = build.add(build.mul(index[1], lanes), index[-1])
    alone = groups.own == 1
    channel = Var("c", i32) if alone else reduction.axes[0]
    at = build.add(groups.first(index[1]), channel)
    blocks = TensorType(x.tensor.dtype, blocked_shape(x.tensor.extents, lanes))
    packed = TensorType(w.tensor.dtype, groups.shape(w.tensor.extents))
    new = {x: Var(x.name, blocks), w: Var(w.name, packed)}

    def rule(node: Node) -> Node | None:
        if isinstance(node, Var):
            return values.get(node)
        if not isinstance(node, Load):
            return None
        n, _, *rest = node.index
        if node.tensor is x:
            high, low = build.floordiv(at, lanes), build.floormod(at, lanes)
            return Load(new[x], (n, high, *rest, low), node.type, span=node.span)
        return Load(new[w], (index[1], channel, *rest, index[-1]), node.type, span=node.span)

    outer = list(zip(reduction.axes, reduction.extents, strict=True))[0 if alone else 1 :]
    whole = replace(
        reduction,
        axes=(channel, *(a for a, _ in outer)),
        extents=(groups.span, *(e for _, e in outer)),
        value=_counted(rewrite(reduction.value, rule), channel, index[1], groups),
    )
    output = Var("out", TensorType(compute.output.tensor.dtype, shape))
    read = tuple(new[v] for v in compute.inputs)
    value = rewrite(compute.value, rule)
    return Blocked(Compute(compute.name, read, output, index, value, whole), {w: groups})


def _counted(value: Expr, channel: Var, block: Expr, groups: Groups) -> Expr:
    """A product that ends with the channels that a block reads, where others read more."""
    if len(set(groups.spans)) == 1 or not isinstance(value, Binary) or value.op is not BinaryOp.MUL:
        return value
    inside, left = build.less(channel, groups.count(block)), value.a
    if isinstance(left, Select):
        return replace(value, a=replace(left, cond=build.all_of(inside, left.cond)))
    kind = left.type
    assert isinstance(kind, DType)
    return replace(value, a=build.select(inside, left, build.const(0, kind)))
