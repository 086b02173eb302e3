"""Rows of the registry for products, windows, reductions and normalisations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.ops import conv, matmul, normalize, reduce
from workbench.graph.ops.conv import Window
from workbench.graph.ops.define import Axes, grid
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.compute import Reducer
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import TensorType, i64

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def _matmul(node: Node, b: Builder, x: Tensor, y: Tensor) -> Tensor:
    del node
    if x.rank == 0 or y.rank == 0:
        raise ModelError(f"MatMul takes tensors of at least one dimension, not {x} and {y}")
    return matmul.matmul(b, x, y)


def _gemm(node: Node, b: Builder, x: Tensor, y: Tensor, c: Tensor | None = None) -> Tensor:
    if x.rank != 2 or y.rank != 2:
        raise ModelError(f"Gemm takes matrices, not {x} and {y}")
    flip = (bool(node.number("transA", 0)), bool(node.number("transB", 0)))
    return matmul.gemm(b, x, y, c, flip, node.real("alpha", 1.0), node.real("beta", 1.0))


def _window(node: Node, x: Tensor, kernel: tuple[int, ...]) -> Window:
    dims = x.rank - 2
    if dims < 1 or len(kernel) != dims:
        raise ModelError(f"{node.op}: a window of shape {list(kernel)} does not fit {x}")
    stride = tuple(node.numbers("strides", [1] * dims))
    dilation = tuple(node.numbers("dilations", [1] * dims))
    pads = node.numbers("pads", [0] * 2 * dims)
    if len(stride) != dims or len(dilation) != dims or len(pads) != 2 * dims:
        raise ModelError(f"{node.op}: strides, dilations and pads do not fit {dims} dimensions")
    if min(*stride, *dilation, *kernel) < 1 or min(pads) < 0:
        raise ModelError(
            f"{node.op}: strides {list(stride)}, dilations {list(dilation)} and "
            f"pads {pads} must not be so small"
        )
    auto = node.text("auto_pad", "NOTSET")
    before, after = tuple(pads[:dims]), tuple(pads[dims:])
    if auto == "VALID":
        before = after = (0,) * dims
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        before, after = _same(x, kernel, stride, dilation, auto == "SAME_LOWER")
    return Window(kernel, stride, dilation, before, after, bool(node.number("ceil_mode", 0)))


def _same(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    lower: bool,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Padding that makes the output's extents those of the input over the stride."""
    before: list[int] = []
    after: list[int] = []
    for e, k, s, d in zip(x.extents[2:], kernel, stride, dilation, strict=True):
        total = max(0, (-(-e // s) - 1) * s + d * (k - 1) + 1 - e)
        small, large = total // 2, total - total // 2
        before.append(large if lower else small)
        after.append(small if lower else large)
    return tuple(before), tuple(after)


def _conv(node: Node, b: Builder, x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    if w.rank != x.rank:
        raise ModelError(f"Conv: {x} and the weights {w} have different ranks")
    window = _window(node, x, tuple(node.numbers("kernel_shape", w.extents[2:])))
    out = conv.conv(b, x, w, window, node.number("group", 1))
    if bias is None:
        return out
    shaped = reshape(b, bias, (w.extents[0], *[1] * (x.rank - 2)))
    return elementwise(b, "add", build.add, out, b.name(shaped, bias.name))


def _max_pool(node: Node, b: Builder, x: Tensor) -> Tensor:
    if len([o for o in node.outputs if o]) > 1 or node.number("storage_order", 0):
        raise ModelError("MaxPool with its second output, the indices, is not supported")
    return conv.max_pool(b, x, _window(node, x, tuple(node.numbers("kernel_shape"))))


def _average_pool(node: Node, b: Builder, x: Tensor) -> Tensor:
    window = _window(node, x, tuple(node.numbers("kernel_shape")))
    return conv.average_pool(b, x, window, bool(node.number("count_include_pad", 0)))


def _global_mean(node: Node, b: Builder, x: Tensor) -> Tensor:
    del node
    return reduce.mean(b, x, range(2, x.rank), keep=True)


def _global_max(node: Node, b: Builder, x: Tensor) -> Tensor:
    del node
    return reduce.reduction(b, "reduce_max", x, range(2, x.rank), True, Reducer.MAX)


Reduce = Callable[["Builder", "Tensor", list[int], bool], "Tensor"]


def _reduce(make: Reduce, node: Node, b: Builder, x: Tensor, axes: Tensor | None = None) -> Tensor:
    listed = node.numbers("axes") if node.has("axes") else node.ints(b, axes, "axes")
    if not listed:
        if node.number("noop_with_empty_axes", 0):
            # nothing is reduced over, yet ReduceSumSquare still squares
            return make(b, x, [], True)
        listed = list(range(x.rank))
    dims = [axis_of(a, x.rank) for a in listed]
    return make(b, x, dims, bool(node.number("keepdims", 1)))


def _plain(
    name: str,
    reducer: Reducer,
    before: Callable[[Expr], Expr] | None = None,
    after: Callable[[Expr], Expr] | None = None,
) -> Reduce:
    return lambda b, x, dims, keep: reduce.reduction(b, name, x, dims, keep, reducer, before, after)


def _log_sum_exp(b: Builder, x: Tensor, dims: list[int], keep: bool) -> Tensor:
    top = reduce.reduction(b, "reduce_max", x, dims, True, Reducer.MAX)
    # an infinite maximum must not make inf - inf
    bound = elementwise(
        b, "finite", lambda v: build.select(build.call("isinf", v), build.cast(0, v.type), v), top
    )
    powers = elementwise(b, "exp", lambda v, t: build.call("exp", build.sub(v, t)), x, bound)
    total = _plain("reduce_sum", Reducer.SUM)(b, powers, dims, keep)
    low = reshape(b, bound, total.extents)
    return elementwise(b, "log", lambda s, t: build.add(build.call("log", s), t), total, low)


def _squared(v: Expr) -> Expr:
    return build.mul(v, v)


def _magnitude(v: Expr) -> Expr:
    return v if v.type.kind == "u" else build.call("abs", v)  # pyright: ignore


def _floatwise(name: str) -> Callable[[Expr], Expr]:
    def apply(v: Expr) -> Expr:
        floating = v if v.type.is_float else build.cast(v, build.f64)  # pyright: ignore
        return build.cast(build.call(name, floating), v.type)  # pyright: ignore

    return apply


_REDUCES: dict[str, Reduce] = {
    "ReduceSum": _plain("reduce_sum", Reducer.SUM),
    "ReduceMean": reduce.mean,
    "ReduceMax": _plain("reduce_max", Reducer.MAX),
    "ReduceMin": _plain("reduce_min", Reducer.MIN),
    "ReduceProd": _plain("reduce_prod", Reducer.PROD),
    "ReduceL1": _plain("reduce_l1", Reducer.SUM, _magnitude),
    "ReduceL2": _plain("reduce_l2", Reducer.SUM, _squared, _floatwise("sqrt")),
    "ReduceSumSquare": _plain("reduce_sum_square", Reducer.SUM, _squared),
    "ReduceLogSum": _plain("reduce_log_sum", Reducer.SUM, None, _floatwise("log")),
    "ReduceLogSumExp": _log_sum_exp,
}


def _arg(reducer: Reducer, node: Node, b: Builder, x: Tensor) -> Tensor:
    dim = axis_of(node.number("axis", 0), x.rank)
    if x.extents[dim] == 0:
        raise ModelError(f"{node.op} over no elements of {x}")
    last = bool(node.number("select_last_index", 0))
    return reduce.arg(b, x, dim, bool(node.number("keepdims", 1)), reducer, last)


def _softmax(node: Node, b: Builder, x: Tensor) -> Tensor:
    dim = axis_of(node.number("axis", -1), x.rank)
    return reduce.softmax(b, x, [dim], node.op == "LogSoftmax")


def _softmax_flat(node: Node, b: Builder, x: Tensor) -> Tensor:
    # before opset 13 the tensor counts as a matrix, cut at `axis`
    dim = axis_of(node.number("axis", 1), x.rank)
    return reduce.softmax(b, x, range(dim, x.rank), node.op == "LogSoftmax")


def _batch_norm(
    node: Node, b: Builder, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    if node.number("training_mode", 0) or len([o for o in node.outputs if o]) > 1:
        raise ModelError("BatchNormalization is supported for inference only")
    return normalize.batch_norm(b, x, scale, shift, mean, variance, node.real("epsilon", 1e-5))


def _instance_norm(node: Node, b: Builder, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, the statistics of each channel."""
    dims = range(2, x.rank)
    if x.rank < 3 or any(t.extents != (x.extents[1],) for t in (scale, shift)):
        raise ModelError(f"InstanceNormalization: {scale} and {shift} do not fit {x}")
    epsilon = build.const(node.real("epsilon", 1e-5), x.dtype)
    middle = elementwise(b, "sub", build.sub, x, reduce.mean(b, x, dims, keep=True))
    spread = reduce.mean(b, elementwise(b, "square", _squared, middle), dims, keep=True)
    shape = (x.extents[1], *[1] * len(dims))

    def normal(v: Expr, s: Expr, w: Expr, c: Expr) -> Expr:
        root = build.call("sqrt", build.add(s, epsilon))
        return build.add(build.mul(build.binary(BinaryOp.DIV, v, root), w), c)

    scales = reshape(b, scale, shape), reshape(b, shift, shape)
    return elementwise(b, "instance_norm", normal, middle, spread, *scales)


def _lrn(node: Node, b: Builder, x: Tensor) -> Tensor:
    return normalize.local_response_norm(
        b,
        x,
        node.number("size"),
        node.real("alpha", 1e-4),
        node.real("beta", 0.75),
        node.real("bias", 1.0),
    )


def _hardmax(node: Node, b: Builder, x: Tensor) -> Tensor:
    dim = axis_of(node.number("axis", -1), x.rank)
    best = reduce.arg(b, x, dim, True, Reducer.ARGMAX, last=False)
    where = best.variable()

    def value(i: Axes) -> Expr:
        at = build.load(where, [*i[:dim], 0, *i[dim + 1 :]])
        hot = build.binary(BinaryOp.EQ, at, build.cast(i[dim], i64))
        return build.cast(hot, x.dtype)

    kind = TensorType(x.dtype, x.extents)
    return b.emit(grid("hardmax", [where], kind, value), [best])


ROWS = (
    Row("MatMul", 1, _matmul),
    Row("Gemm", 7, _gemm),
    Row("Conv", 1, _conv),
    Row("MaxPool", 1, _max_pool),
    Row("AveragePool", 1, _average_pool),
    Row("GlobalAveragePool", 1, _global_mean),
    Row("GlobalMaxPool", 1, _global_max),
    *(Row(op, 1, partial(_reduce, make)) for op, make in _REDUCES.items()),
    Row("ArgMax", 1, partial(_arg, Reducer.ARGMAX)),
    Row("ArgMin", 1, partial(_arg, Reducer.ARGMIN)),
    Row("Softmax", 1, _softmax_flat, last=12),
    Row("LogSoftmax", 1, _softmax_flat, last=12),
    Row("Softmax", 13, _softmax),
    Row("LogSoftmax", 13, _softmax),
    Row("BatchNormalization", 7, _batch_norm),
    Row("InstanceNormalization", 6, _instance_norm),
    Row("LRN", 1, _lrn),
    Row("Hardmax", 13, _hardmax),
)
