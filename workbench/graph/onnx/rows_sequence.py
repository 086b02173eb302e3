"""Rows of the registry for sequences and optionals: lists of tensors while importing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops import shape as ops
from workbench.graph.symbolic.array import integers

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def _empty(node: Node, b: Builder) -> Tensor:
    # 1 is a float
    return b.sequence((), dtype_of_elem(node.number("dtype", 1), node))


def _construct(node: Node, b: Builder, *items: Tensor) -> Tensor:
    del node
    return b.sequence(items, items[0].dtype)


def _place(node: Node, b: Builder, where: Tensor | None, count: int, default: int) -> int:
    """A place among `count`, counted from the front."""
    listed = node.ints(b, where, "position") or [default]
    if len(listed) != 1:
        raise ModelError(f"a position is one number, not {listed}")
    if not -count <= listed[0] < count:
        raise ModelError(f"{listed[0]} is no position among {count}")
    return listed[0] % count


def _insert(
    node: Node, b: Builder, sequence: Tensor, item: Tensor, where: Tensor | None = None
) -> Tensor:
    items = b.sequences[sequence]
    if item.dtype != sequence.dtype:
        raise ModelError(f"{item} in a sequence of {sequence.dtype}")
    # one may stand behind the last; counted from the end, the last is -1 all the same
    count = len(items)
    listed = node.ints(b, where, "position") or [count]
    at = count if listed == [count] else _place(node, b, where, count, count)
    return b.sequence((*items[:at], item, *items[at:]), sequence.dtype)


def _erase(node: Node, b: Builder, sequence: Tensor, where: Tensor | None = None) -> Tensor:
    items = b.sequences[sequence]
    at = _place(node, b, where, len(items), -1)
    return b.sequence((*items[:at], *items[at + 1 :]), sequence.dtype)


def _at(node: Node, b: Builder, sequence: Tensor, where: Tensor) -> Tensor:
    items = b.sequences[sequence]
    return items[_place(node, b, where, len(items), -1)]


def _length(node: Node, b: Builder, sequence: Tensor) -> Tensor:
    del node
    return b.constant(np.asarray(len(b.sequences[sequence]), np.int64))


def _concat(node: Node, b: Builder, sequence: Tensor) -> Tensor:
    items, new = b.sequences[sequence], bool(node.number("new_axis", 0))
    if not items:
        raise ModelError("a sequence of no tensors is put together to nothing")
    if any(t.rank != items[0].rank for t in items):
        raise ModelError(f"cannot concatenate {', '.join(map(str, items))}")
    axis = axis_of(node.number("axis"), items[0].rank + new)
    if new:
        shape = items[0].extents
        if any(t.extents != shape for t in items):
            raise ModelError(f"cannot stack {', '.join(map(str, items))}")
        wide = (*shape[:axis], 1, *shape[axis:])
        items = tuple(ops.reshape(b, t, wide, "unsqueeze") for t in items)
    return ops.concat(b, items, axis)


def _split(node: Node, b: Builder, x: Tensor, sizes: Tensor | None = None) -> Tensor:
    axis = axis_of(node.number("axis", 0), x.rank)
    extent = x.extents[axis]
    known = node.known(b, sizes, "split")
    each = 1 if known is None else integers(known)[0]
    listed = node.ints(b, sizes, "split")
    if known is None or known.ndim == 0:
        if each < 1:
            raise ModelError(f"cannot split {extent} elements of {x} into parts of {each}")
        listed = [min(each, extent - n) for n in range(0, extent, each)]
    assert listed is not None
    if sum(listed) != extent or min(listed, default=0) < 0:
        raise ModelError(f"cannot split {extent} elements of {x} into {listed}")
    if len(listed) > _MOST:
        raise UnsupportedOp(f"a sequence of {len(listed)} tensors is too long", op=node.op)
    drop = known is None and not node.number("keepdims", 1)
    items: list[Tensor] = []
    for n, size in enumerate(listed):
        start = [0] * x.rank
        start[axis] = sum(listed[:n])
        shape = (*x.extents[:axis], size, *x.extents[axis + 1 :])
        item = ops.take(b, x, start, [1] * x.rank, shape, "split")
        items.append(ops.reshape(b, item, (*shape[:axis], *shape[axis + 1 :])) if drop else item)
    return b.sequence(items, x.dtype)


_MOST = 4096
"""Tensors that a sequence cut from one tensor may have: each is an operator."""


def _optional(node: Node, b: Builder, x: Tensor | None = None) -> Tensor:
    del b
    if x is None:
        raise UnsupportedOp("an optional that holds nothing is not supported", op=node.op)
    return x


def _has(node: Node, b: Builder, x: Tensor | None = None) -> Tensor:
    del node
    return b.constant(np.asarray(x is not None))


ROWS = (
    Row("SequenceEmpty", 11, _empty),
    Row("SequenceConstruct", 11, _construct),
    Row("SequenceInsert", 11, _insert),
    Row("SequenceErase", 11, _erase),
    Row("SequenceAt", 11, _at),
    Row("SequenceLength", 11, _length),
    Row("ConcatFromSequence", 11, _concat),
    Row("SplitToSequence", 11, _split),
    Row("Optional", 15, _optional),
    Row("OptionalHasElement", 15, _has),
    Row("OptionalGetElement", 15, _optional),
)
