"""Rows of the registry for operators that move elements, and for constants."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.build import FOLD_LIMIT
from workbench.graph.onnx.node import Node, axis_of, given
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.types import array_of
from workbench.graph.ops import shape as ops
from workbench.graph.ops.define import grid
from workbench.graph.ops.elementwise import broadcast
from workbench.ir import build
from workbench.ir.types import TensorType

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def _identity(node: Node, b: Builder, x: Tensor, *rest: Tensor | None) -> Tensor:
    del node, b, rest
    return x


def _dropout(
    node: Node, b: Builder, x: Tensor, ratio: Tensor | None = None, training: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    del ratio
    flag = node.known(b, training, "training_mode")
    if flag is not None and flag.any():
        raise ModelError("Dropout is supported for inference only")
    if len(node.outputs) < 2 or not node.outputs[1]:
        return x, None
    # outside of training every element is kept; the mask became a bool with opset 10
    kind = np.dtype(x.dtype.numpy_name if node.opset < 10 else bool)
    return x, _filled(b, list(x.extents), np.ones((), kind))


def _constant(node: Node, b: Builder) -> Tensor:
    values = node.attributes
    if "value" in values:
        return b.constant(array_of(node.tensor("value"), None))
    for key, kind in (
        ("value_float", "float32"),
        ("value_floats", "float32"),
        ("value_int", "int64"),
        ("value_ints", "int64"),
    ):
        if key in values:
            try:
                return b.constant(np.asarray(values[key], kind))
            except (ValueError, TypeError, OverflowError):
                raise ModelError(f"the attribute {key} is no {kind}") from None
    raise ModelError(f"a Constant of {', '.join(values) or 'nothing'} is not supported")


def _fill(node: Node, b: Builder, where: Tensor) -> Tensor:
    shape = node.ints(b, where, "shape") or []
    array = np.zeros(1, np.float32)
    if node.has("value"):
        array = array_of(node.tensor("value"), None)
    if array.size != 1:
        raise ModelError(f"the value is one element, not {list(array.shape)}")
    return _filled(b, shape, array.reshape(()))


def _filled(b: Builder, shape: list[int], value: np.ndarray) -> Tensor:
    """A tensor of one value everywhere; a huge one is not made before the call."""
    _check_extents(shape)
    if prod(shape) <= FOLD_LIMIT:
        return b.constant(np.full(shape, value))
    kind = b.constant(value).dtype
    compute = grid(
        "fill",
        (),
        TensorType(kind, tuple(shape) or (1,)),
        lambda _: build.const(value.item(), kind),
    )
    return b.emit(compute, (), shape)


def _check_extents(shape: list[int]) -> None:
    if any(e < 0 for e in shape):
        raise ModelError(f"{shape} has a negative extent")
    if prod(shape) >= 2**40:
        raise ModelError(f"a tensor of shape {shape} is too large")


def _shape(node: Node, b: Builder, x: Tensor) -> Tensor:
    # start and end came with opset 15; a missing attribute means the whole shape
    extents = list(x.extents)[slice(node.number("start", 0), _end(node))]
    return b.constant(np.asarray(extents, np.int64))


def _end(node: Node) -> int | None:
    return node.number("end") if node.has("end") else None


def _size(node: Node, b: Builder, x: Tensor) -> Tensor:
    del node
    return b.constant(np.asarray(x.size, np.int64))


def _range(node: Node, b: Builder, start: Tensor, stop: Tensor, step: Tensor) -> Tensor:
    ends = [
        node.known(b, t, what) for t, what in ((start, "start"), (stop, "limit"), (step, "delta"))
    ]
    if any(e is None or e.size != 1 for e in ends):
        raise ModelError("start, limit and delta of a Range are one number each")
    low, high, by = (e.reshape(()).item() for e in ends if e is not None)
    if by == 0:
        raise ModelError("Range with delta 0")
    count = max(0, -int((low - high) // by))
    _check_extents([count])
    if count > FOLD_LIMIT:
        raise ModelError(f"a Range of {count} elements is too large")
    kind = np.dtype(start.dtype.numpy_name)
    return b.constant((low + np.arange(count) * by).astype(kind))


def _reshape(node: Node, b: Builder, x: Tensor, where: Tensor) -> Tensor:
    shape = node.ints(b, where, "shape") or []
    keep_zero = bool(node.number("allowzero", 0))
    for d, e in enumerate(shape):
        if e == 0 and not keep_zero:
            if d >= x.rank:
                raise ModelError(f"shape {shape} copies dimension {d}, which {x} does not have")
            shape[d] = x.extents[d]
    if shape.count(-1) > 1 or any(e < -1 for e in shape):
        raise ModelError(f"{shape} is no shape")
    if -1 in shape:
        rest = prod(e for e in shape if e != -1)
        if rest == 0 or x.size % rest:
            raise ModelError(f"{x} has {x.size} elements and cannot take the shape {shape}")
        shape[shape.index(-1)] = x.size // rest
    return ops.reshape(b, x, shape)


def _flatten(node: Node, b: Builder, x: Tensor) -> Tensor:
    axis = node.number("axis", 1)
    if not -x.rank <= axis <= x.rank:
        raise ModelError(f"axis {axis} is not among the {x.rank} dimensions")
    axis = axis + x.rank if axis < 0 else axis
    return ops.reshape(b, x, [prod(x.extents[:axis]), prod(x.extents[axis:])], "flatten")


def _transpose(node: Node, b: Builder, x: Tensor) -> Tensor:
    return ops.transpose(b, x, node.numbers("perm", list(reversed(range(x.rank)))))


def _axes(node: Node, b: Builder, axes: Tensor | None) -> list[int] | None:
    if node.has("axes"):
        return node.numbers("axes")
    return node.ints(b, axes, "axes")


def _squeeze(node: Node, b: Builder, x: Tensor, axes: Tensor | None = None) -> Tensor:
    listed = _axes(node, b, axes)
    if listed is None:
        drop = [d for d, e in enumerate(x.extents) if e == 1]
    else:
        drop = [axis_of(a, x.rank) for a in listed]
    if any(x.extents[d] != 1 for d in drop):
        raise ModelError(f"dimensions {drop} of {x} are not all 1")
    return ops.reshape(b, x, [e for d, e in enumerate(x.extents) if d not in drop], "squeeze")


def _unsqueeze(node: Node, b: Builder, x: Tensor, axes: Tensor | None = None) -> Tensor:
    listed = _axes(node, b, axes) or []
    rank = x.rank + len(listed)
    places = {axis_of(a, rank) for a in listed}
    if len(places) < len(listed):
        raise ModelError(f"axes {listed} name a dimension twice")
    rest = iter(x.extents)
    return ops.reshape(b, x, [1 if d in places else next(rest) for d in range(rank)], "unsqueeze")


def _concat(node: Node, b: Builder, *inputs: Tensor) -> Tensor:
    present = given(*inputs)
    if not present or any(t.rank != present[0].rank for t in present):
        raise ModelError(f"cannot concatenate {', '.join(map(str, present)) or 'nothing'}")
    return ops.concat(b, present, axis_of(node.number("axis"), present[0].rank))


def _slice_attributes(node: Node, b: Builder, x: Tensor) -> Tensor:
    starts, ends = node.numbers("starts"), node.numbers("ends")
    axes = node.numbers("axes", list(range(len(starts))))
    return _sliced(b, x, starts, ends, axes, [1] * len(starts))


def _slice(
    node: Node,
    b: Builder,
    x: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    first, last = node.ints(b, starts, "starts") or [], node.ints(b, ends, "ends") or []
    where = node.ints(b, axes, "axes") or list(range(len(first)))
    return _sliced(b, x, first, last, where, node.ints(b, steps, "steps") or [1] * len(first))


def _sliced(
    b: Builder, x: Tensor, starts: list[int], ends: list[int], axes: list[int], steps: list[int]
) -> Tensor:
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise ModelError(f"starts {starts}, ends {ends}, axes {axes}, steps {steps} do not fit")
    first, by, shape = [0] * x.rank, [1] * x.rank, list(x.extents)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        d = axis_of(axis, x.rank)
        span = range(x.extents[d])[start:end:step]
        first[d], by[d], shape[d] = span.start, span.step, len(span)
    return ops.take(b, x, first, by, shape)


def _split(node: Node, b: Builder, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = axis_of(node.number("axis", 0), x.rank)
    extent, parts = x.extents[axis], len(node.outputs)
    listed = node.numbers("split") if node.has("split") else node.ints(b, sizes, "split")
    if listed is None:
        each = -(-extent // parts)
        listed = [min(each, max(0, extent - n * each)) for n in range(parts)]
    if len(listed) != parts or sum(listed) != extent or min(listed) < 0:
        raise ModelError(f"cannot split {extent} elements of {x} into {listed}")
    found: list[Tensor] = []
    for n, size in enumerate(listed):
        start = [0] * x.rank
        start[axis] = sum(listed[:n])
        shape = (*x.extents[:axis], size, *x.extents[axis + 1 :])
        b.wish = node.outputs[n]
        found.append(ops.take(b, x, start, [1] * x.rank, shape, "split"))
    return tuple(found)


def _expand(node: Node, b: Builder, x: Tensor, where: Tensor) -> Tensor:
    shape = node.ints(b, where, "shape") or []
    _check_extents(shape)
    return ops.expand(b, x, broadcast(x.extents, tuple(shape)))


def _tile(node: Node, b: Builder, x: Tensor, repeats: Tensor) -> Tensor:
    times = node.ints(b, repeats, "repeats") or []
    if len(times) != x.rank:
        raise ModelError(f"{times} does not say how often each dimension of {x} is repeated")
    split = [n for e in x.extents for n in (1, e)]
    wide = [n for e, t in zip(x.extents, times, strict=True) for n in (t, e)]
    _check_extents(wide)
    spread = ops.expand(b, ops.reshape(b, x, split), wide)
    return ops.reshape(b, spread, [e * t for e, t in zip(x.extents, times, strict=True)])


def _gather(node: Node, b: Builder, x: Tensor, indices: Tensor) -> Tensor:
    axis = axis_of(node.number("axis", 0), x.rank)
    known = b.value(indices)
    extent = x.extents[axis]
    if known is not None and ((known < -extent) | (known >= extent)).any():
        raise ModelError(f"indices up to {known.max()} into {extent} elements of {x}")
    if extent == 0 and indices.size:
        raise ModelError(f"cannot gather from {x}")
    return ops.gather(b, x, indices, axis)


def _pad_attributes(node: Node, b: Builder, x: Tensor) -> Tensor:
    value = build.cast(build.const(node.real("value", 0.0)), x.dtype)
    pads = node.numbers("pads")
    _check_pads(x, pads, node.text("mode", "constant"), x.rank)
    return ops.pad(b, x, pads[: x.rank], pads[x.rank :], value, node.text("mode", "constant"))


def _pad(
    node: Node,
    b: Builder,
    x: Tensor,
    pads: Tensor,
    value: Tensor | None = None,
    axes: Tensor | None = None,
) -> Tensor:
    amounts = node.ints(b, pads, "pads") or []
    places = [axis_of(a, x.rank) for a in node.ints(b, axes, "axes") or range(x.rank)]
    mode = node.text("mode", "constant")
    _check_pads(x, amounts, mode, len(places))
    before, after = [0] * x.rank, [0] * x.rank
    for n, d in enumerate(places):
        before[d], after[d] = amounts[n], amounts[n + len(places)]
    fill = build.cast(build.const(0), x.dtype) if value is None else value
    if value is not None and (known := b.value(value)) is not None:
        fill = build.const(known.reshape(-1)[0].item(), x.dtype)
    return ops.pad(b, x, before, after, fill, mode)


def _check_pads(x: Tensor, pads: list[int], mode: str, axes: int) -> None:
    if len(pads) != 2 * axes:
        raise ModelError(f"{len(pads)} pads for {axes} dimensions of {x}")
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise ModelError(f"padding by {mode!r} is not supported")
    if mode != "constant" and x.size == 0:
        raise ModelError(f"{x} has nothing to pad with")


def _blocks(node: Node, b: Builder, x: Tensor) -> Tensor:
    if x.rank != 4:
        raise ModelError(f"{node.op} takes 4 dimensions, not {x}")
    n, c, h, w = x.extents
    k = node.number("blocksize")
    if node.op == "SpaceToDepth":
        split = ops.reshape(b, x, (n, c, h // k, k, w // k, k))
        return ops.reshape(
            b, ops.transpose(b, split, (0, 3, 5, 1, 2, 4)), (n, c * k * k, h // k, w // k)
        )
    across = node.text("mode", "DCR") == "DCR"
    split = (n, k, k, c // (k * k), h, w) if across else (n, c // (k * k), k, k, h, w)
    order = (0, 3, 4, 1, 5, 2) if across else (0, 1, 4, 2, 5, 3)
    moved = ops.transpose(b, ops.reshape(b, x, split), order)
    return ops.reshape(b, moved, (n, c // (k * k), h * k, w * k))


ROWS = (
    Row("Identity", 1, _identity),
    Row("Dropout", 7, _dropout),
    Row("Constant", 1, _constant),
    Row("ConstantOfShape", 9, _fill),
    Row("Shape", 1, _shape),
    Row("Size", 1, _size),
    Row("Range", 11, _range),
    Row("Reshape", 5, _reshape),
    Row("Flatten", 1, _flatten),
    Row("Transpose", 1, _transpose),
    Row("Squeeze", 1, _squeeze),
    Row("Unsqueeze", 1, _unsqueeze),
    Row("Concat", 4, _concat),
    Row("Slice", 1, _slice_attributes, last=9),
    Row("Slice", 10, _slice),
    Row("Split", 2, _split),
    Row("Expand", 8, _expand),
    Row("Tile", 6, _tile),
    Row("Gather", 1, _gather),
    Row("Pad", 2, _pad_attributes, last=10),
    Row("Pad", 11, _pad),
    Row("DepthToSpace", 1, _blocks),
    Row("SpaceToDepth", 1, _blocks),
)
