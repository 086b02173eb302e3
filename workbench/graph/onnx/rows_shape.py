"""Rows of the registry for operators that move elements."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.onnx.node import Node, axis_of, given
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.rows_constant import check_extents
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops import host
from workbench.graph.ops import shape as ops
from workbench.graph.ops.elementwise import broadcast
from workbench.ir import build

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def _identity(node: Node, b: Builder, x: Tensor, *rest: Tensor | None) -> Tensor:
    del node, b, rest
    return x


def _bit_cast(node: Node, b: Builder, x: Tensor) -> Tensor:
    kind = dtype_of_elem(node.number("to"), node)
    if kind.bits != x.dtype.bits:
        raise ModelError(f"the {x.dtype.bits} bits of {x} are no {kind}")
    if kind.kind == "b":
        raise ModelError("bits are not taken as bools, of which only 0 and 1 are valid")
    # numpy looks at the same memory again, where a kernel would have to copy it
    return b.host("bit_cast", partial(host.bit_cast, to=kind.numpy_name), [x], [(kind, x.extents)])[
        0
    ]


def _reshape_attribute(node: Node, b: Builder, x: Tensor) -> Tensor:
    return _reshaped(b, x, node.numbers("shape"), False)


def _reshape(node: Node, b: Builder, x: Tensor, where: Tensor) -> Tensor:
    shape = node.ints(b, where, "shape") or []
    return _reshaped(b, x, shape, bool(node.number("allowzero", 0)))


def _reshaped(b: Builder, x: Tensor, shape: list[int], keep_zero: bool) -> Tensor:
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
    # the axis was optional in opset 1 only
    axis = node.number("axis", 1 if node.opset < 4 else None)
    return ops.concat(b, present, axis_of(axis, present[0].rank))


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
        first[d], shape[d] = _span(x.extents[d], start, end, step)
        by[d] = step
    return ops.take(b, x, first, by, shape)


def _span(extent: int, start: int, end: int, step: int) -> tuple[int, int]:
    """Where ``range(extent)[start:end:step]`` begins, and how many it has."""
    low, high = (0, extent) if step > 0 else (-1, extent - 1)
    first, last = (
        min(max(place + extent if place < 0 else place, low), high) for place in (start, end)
    )
    return first, max(0, -((first - last) // step))


def _split(node: Node, b: Builder, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = axis_of(node.number("axis", 0), x.rank)
    extent, parts = x.extents[axis], len(node.outputs)
    listed = node.numbers("split") if node.has("split") else node.ints(b, sizes, "split")
    if listed is None:
        each = -(-extent // parts)
        listed = [min(each, max(0, extent - n * each)) for n in range(parts)]
    if node.has("num_outputs") and node.number("num_outputs") != parts:
        raise ModelError(f"num_outputs is {node.number('num_outputs')}, but {parts} are named")
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
    check_extents(shape)
    return ops.expand(b, x, broadcast(x.extents, tuple(shape)))


def _tile(node: Node, b: Builder, x: Tensor, repeats: Tensor) -> Tensor:
    return _tiled(b, x, node.ints(b, repeats, "repeats") or [])


def _tile_axis(node: Node, b: Builder, x: Tensor, tiles: Tensor, axis: Tensor) -> Tensor:
    times = [1] * x.rank
    where = axis_of((node.ints(b, axis, "axis") or [0])[0], x.rank)
    times[where] = (node.ints(b, tiles, "tiles") or [1])[0]
    return _tiled(b, x, times)


def _tiled(b: Builder, x: Tensor, times: list[int]) -> Tensor:
    if len(times) != x.rank:
        raise ModelError(f"{times} does not say how often each dimension of {x} is repeated")
    split = [n for e in x.extents for n in (1, e)]
    wide = [n for e, t in zip(x.extents, times, strict=True) for n in (t, e)]
    check_extents(wide)
    spread = ops.expand(b, ops.reshape(b, x, split), wide)
    return ops.reshape(b, spread, [e * t for e, t in zip(x.extents, times, strict=True)])


def _pad_attributes(node: Node, b: Builder, x: Tensor) -> Tensor:
    value = build.cast(build.const(node.real("value", 0.0)), x.dtype)
    pads = node.numbers("pads" if node.opset > 1 else "paddings")
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
    mode = node.text("mode", "DCR")
    if k < 1 or mode not in ("DCR", "CRD"):
        raise ModelError(f"{node.op} by blocks of {k} in the order {mode!r} is not possible")
    if (h % k or w % k) if node.op == "SpaceToDepth" else c % (k * k):
        raise ModelError(f"{x} does not fall into blocks of {k}")
    if node.op == "SpaceToDepth":
        split = ops.reshape(b, x, (n, c, h // k, k, w // k, k))
        return ops.reshape(
            b, ops.transpose(b, split, (0, 3, 5, 1, 2, 4)), (n, c * k * k, h // k, w // k)
        )
    across = mode == "DCR"
    split = (n, k, k, c // (k * k), h, w) if across else (n, c // (k * k), k, k, h, w)
    order = (0, 3, 4, 1, 5, 2) if across else (0, 1, 4, 2, 5, 3)
    moved = ops.transpose(b, ops.reshape(b, x, split), order)
    return ops.reshape(b, moved, (n, c // (k * k), h * k, w * k))


ROWS = (
    Row("Identity", 1, _identity),
    Row("BitCast", 26, _bit_cast),
    Row("Reshape", 1, _reshape_attribute, last=4),
    Row("Reshape", 5, _reshape),
    Row("Flatten", 1, _flatten),
    Row("Transpose", 1, _transpose),
    Row("Squeeze", 1, _squeeze),
    Row("Unsqueeze", 1, _unsqueeze),
    Row("Concat", 1, _concat),
    Row("Slice", 1, _slice_attributes, last=9),
    Row("Slice", 10, _slice),
    Row("Split", 1, _split),
    Row("Expand", 8, _expand),
    Row("Tile", 1, _tile_axis, last=5),
    Row("Tile", 6, _tile),
    Row("Pad", 1, _pad_attributes, last=10),
    Row("Pad", 11, _pad),
    Row("DepthToSpace", 1, _blocks),
    Row("SpaceToDepth", 1, _blocks),
)
