"""Rows of the registry for operators with a sliding window."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row
from workbench.graph.ops import conv, deform, host, reduce, transposed
from workbench.graph.ops.conv import Window
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.shape import reshape
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder


def window_of(node: Node, x: Tensor, kernel: tuple[int, ...]) -> Window:
    """How a window of shape `kernel` moves over `x`, by the node's attributes."""
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
    window = window_of(node, x, tuple(node.numbers("kernel_shape", w.extents[2:])))
    out = conv.conv(b, x, w, window, node.number("group", 1))
    return _with_bias(b, out, bias)


def _with_bias(b: Builder, out: Tensor, bias: Tensor | None) -> Tensor:
    """`out` plus one number per channel."""
    if bias is None:
        return out
    shaped = reshape(b, bias, (out.extents[1], *[1] * (out.rank - 2)))
    return elementwise(b, "add", build.add, out, b.name(shaped, bias.name))


def _max_pool(node: Node, b: Builder, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
    window = window_of(node, x, tuple(node.numbers("kernel_shape")))
    best = conv.max_pool(b, x, window)
    if len(node.outputs) < 2 or not node.outputs[1]:
        return best
    return best, conv.max_place(b, x, window, bool(node.number("storage_order", 0)))


def pool_average(node: Node, b: Builder, x: Tensor) -> Tensor:
    """Mean under each window, as the attributes of AveragePool say."""
    window = window_of(node, x, tuple(node.numbers("kernel_shape")))
    return conv.average_pool(b, x, window, bool(node.number("count_include_pad", 0)))


def _global_mean(node: Node, b: Builder, x: Tensor) -> Tensor:
    del node
    return reduce.mean(b, x, range(2, x.rank), keep=True)


def _global_max(node: Node, b: Builder, x: Tensor) -> Tensor:
    del node
    return reduce.reduction(b, "reduce_max", x, range(2, x.rank), True, Reducer.MAX)


def _lp_pool(node: Node, b: Builder, x: Tensor) -> Tensor:
    window = window_of(node, x, tuple(node.numbers("kernel_shape")))
    return conv.lp_pool(b, x, window, _order(node))


def _order(node: Node) -> int:
    """The order of the norm; a float in opset 1."""
    p = node.real("p", 2.0)
    if not p.is_integer():
        raise UnsupportedOp(f"{node.op}: a norm of order {p} is not supported")
    return int(p)


def _global_lp(node: Node, b: Builder, x: Tensor) -> Tensor:
    ones, zeros = (1,) * (x.rank - 2), (0,) * (x.rank - 2)
    window = Window(x.extents[2:], ones, ones, zeros, zeros)
    return conv.lp_pool(b, x, window, _order(node))


def _max_unpool(
    node: Node, b: Builder, x: Tensor, indices: Tensor, where: Tensor | None = None
) -> Tensor:
    window = window_of(node, x, tuple(node.numbers("kernel_shape")))
    inner = tuple(
        (e - 1) * window.stride[d] - window.before[d] - window.after[d] + window.kernel[d]
        for d, e in enumerate(x.extents[2:])
    )
    shape = (*x.extents[:2], *inner)
    given = node.ints(b, where, "output_shape")
    whole = shape if given is None else tuple(given)
    if len(whole) != x.rank or any(w < s for w, s in zip(whole, shape, strict=True)):
        raise ModelError(f"MaxUnpool: {list(whole)} is smaller than {list(shape)}")
    if indices.extents != x.extents:
        raise ModelError(f"MaxUnpool: {indices} does not fit {x}")
    function = partial(host.unpool, shape=shape, whole=whole)
    return b.host("max_unpool", function, [x, indices], [(x.dtype, whole)])[0]


def _conv_transpose(
    node: Node, b: Builder, x: Tensor, w: Tensor, bias: Tensor | None = None
) -> Tensor:
    if w.rank != x.rank:
        raise ModelError(f"ConvTranspose: {x} and the weights {w} have different ranks")
    kernel = tuple(node.numbers("kernel_shape", w.extents[2:]))
    if kernel != w.extents[2:]:
        raise ModelError(f"ConvTranspose: kernel_shape {list(kernel)} is not that of {w}")
    window, outputs = _turned(node, x, window_of(node, x, kernel))
    out = transposed.conv_transpose(b, x, w, window, outputs, node.number("group", 1))
    return _with_bias(b, out, bias)


def _turned(node: Node, x: Tensor, window: Window) -> tuple[Window, tuple[int, ...]]:
    """The window with its padding, and the extents of the output."""
    dims = x.rank - 2
    extra = node.numbers("output_padding", [0] * dims)
    wanted = node.numbers("output_shape", [])[-dims:]
    auto = node.text("auto_pad", "NOTSET")
    if len(extra) != dims or len(wanted) not in (0, dims) or min(extra) < 0:
        raise ModelError(f"{node.op}: output_padding and output_shape do not fit {x}")
    before, outputs = list(window.before), list[int]()
    for d, extent in enumerate(x.extents[2:]):
        reach = window.dilation[d] * (window.kernel[d] - 1) + 1
        full = window.stride[d] * (extent - 1) + reach + extra[d]
        if not wanted and auto in ("NOTSET", "VALID"):
            outputs.append(full - window.before[d] - window.after[d])
            continue
        outputs.append(wanted[d] if wanted else extent * window.stride[d])
        total = max(0, full - outputs[d])
        before[d] = total // 2 if auto == "SAME_UPPER" else total - total // 2
    if any(n < 1 for n in outputs):
        raise ModelError(f"{node.op}: the output has extents {outputs}")
    return replace(window, before=tuple(before)), tuple(outputs)


def _deform_conv(
    node: Node,
    b: Builder,
    x: Tensor,
    w: Tensor,
    offset: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    if w.rank != x.rank:
        raise ModelError(f"DeformConv: {x} and the weights {w} have different ranks")
    window = window_of(node, x, tuple(node.numbers("kernel_shape", w.extents[2:])))
    if window.kernel != w.extents[2:]:
        raise ModelError(f"DeformConv: kernel_shape {list(window.kernel)} is not that of {w}")
    groups = node.number("group", 1), node.number("offset_group", 1)
    return _with_bias(b, deform.deform_conv(b, x, w, offset, mask, window, groups), bias)


def _col2im(node: Node, b: Builder, x: Tensor, image: Tensor, block: Tensor) -> Tensor:
    extents = node.ints(b, image, "image_shape") or []
    kernel = tuple(node.ints(b, block, "block_shape") or ())
    if len(extents) != len(kernel):
        raise ModelError(f"Col2Im: blocks of {list(kernel)} do not fit a picture of {extents}")
    # the window moves over the picture, of which `x` holds the columns
    picture = Tensor("image", x.dtype, (1, 1, *extents))
    window = window_of(node, picture, kernel)
    return transposed.columns_to_image(b, x, window, extents, window.outputs(extents))


ROWS = (
    Row("Conv", 1, _conv),
    Row("ConvTranspose", 1, _conv_transpose),
    Row("DeformConv", 19, _deform_conv),
    Row("Col2Im", 18, _col2im),
    Row("MaxPool", 1, _max_pool),
    Row("MaxUnpool", 9, _max_unpool),
    Row("AveragePool", 1, pool_average),
    Row("LpPool", 1, _lp_pool),
    Row("GlobalAveragePool", 1, _global_mean),
    Row("GlobalMaxPool", 1, _global_max),
    Row("GlobalLpPool", 1, _global_lp),
)
