"""Rows of the registry for what is drawn by chance: on the host, by numpy.

With a seed numpy's Mersenne Twister starts there at each call; without one each call gives
something else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops.elementwise import elementwise
from workbench.ir import build
from workbench.ir.expr import Expr
from workbench.ir.types import DType, boolean

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

Draw = Callable[..., "Array"]
"""From a generator, and perhaps arrays, to an array."""


def _seed(node: Node) -> int | None:
    if not node.has("seed"):
        return None
    # seeds are floats in most operators; their bits keep apart what whole numbers would not
    seed = node.real("seed")
    return (
        int(seed) if seed.is_integer() and 0 <= seed < 2**32 else int(np.float32(seed).view("u4"))
    )


def _drawn(draw: Draw, seed: int | None, kind: str, *read: Array) -> tuple[Array]:
    return (np.asarray(draw(np.random.RandomState(seed), *read)).astype(kind),)


def _random(node: Node, b: Builder, shape: list[int], kind: DType) -> Tensor:
    if not kind.is_float:
        raise ModelError(f"{node.op} gives floats, not {kind}")
    if node.op.startswith("RandomNormal"):
        law, first, second = "normal", node.real("mean", 0.0), node.real("scale", 1.0)
    else:
        law, first, second = "uniform", node.real("low", 0.0), node.real("high", 1.0)
    draw = partial(_by_law, law=law, first=first, second=second, shape=shape)
    return _host(node, b, draw, [], kind, shape)


def _by_law(
    r: np.random.RandomState, law: str, first: float, second: float, shape: list[int]
) -> Array:
    return getattr(r, law)(first, second, shape)


def _host(
    node: Node, b: Builder, draw: Draw, read: list[Tensor], kind: DType, shape: list[int]
) -> Tensor:
    seed = _seed(node)
    function = partial(_drawn, draw, seed, kind.numpy_name)
    return b.host("random", function, read, [(kind, shape)], fold=seed is not None)[0]


def _kind(node: Node, default: DType | None) -> DType:
    if node.has("dtype"):
        return dtype_of_elem(node.number("dtype"), node)
    return default or dtype_of_elem(1)


def _by_shape(node: Node, b: Builder) -> Tensor:
    shape = node.numbers("shape")
    if min(shape, default=0) < 0:
        raise ModelError(f"{shape} has a negative extent")
    return _random(node, b, shape, _kind(node, None))


def _like(node: Node, b: Builder, x: Tensor) -> Tensor:
    return _random(node, b, list(x.extents), _kind(node, x.dtype))


def _multinomial(node: Node, b: Builder, x: Tensor) -> Tensor:
    count = node.number("sample_size", 1)
    if x.rank != 2 or x.extents[1] < 1 or count < 1:
        raise ModelError(f"Multinomial: {x} holds no rows of classes")
    kind = dtype_of_elem(node.number("dtype", 6), node)

    draw = partial(_categories, count=count)
    return _host(node, b, draw, [x], kind, [x.extents[0], count])


def _categories(r: np.random.RandomState, weights: Array, count: int) -> Array:
    # by Gumbel's trick: the greatest of log-probability plus noise is a draw
    noise = r.gumbel(size=(weights.shape[0], count, weights.shape[1]))
    return (weights[:, None, :].astype(np.float64) + noise).argmax(-1)


def _dropout(
    node: Node, b: Builder, x: Tensor, ratio: Tensor | None = None, training: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    flag = node.known(b, training, "training_mode")
    share = node.known(b, ratio, "ratio") if flag is not None and flag.any() else np.zeros(())
    if share is not None and share.size != 1:
        raise ModelError(f"Dropout: the ratio is one number, not {list(share.shape)}")
    drop = 0.5 if share is None else float(share.reshape(()))
    masked = len(node.outputs) > 1 and bool(node.outputs[1])
    if not 0 <= drop < 1:
        raise ModelError(f"Dropout: a ratio of {drop} is not from 0 up to 1")
    if drop == 0:
        # outside of training every element is kept; the mask became a bool with opset 10
        kind = x.dtype if node.opset < 10 else boolean
        ones = elementwise(b, "ones", lambda v: build.cast(build.const(1), kind), x)
        return x, ones if masked else None
    shape = list(x.extents)
    mask = _host(node, b, partial(_kept, drop=drop, shape=shape), [], boolean, shape)

    def kept(v: Expr, m: Expr) -> Expr:
        scale = build.const(1 / (1 - drop), x.dtype)
        return build.select(m, build.mul(v, scale), build.const(0, x.dtype))

    return elementwise(b, "dropout", kept, x, mask), mask


def _kept(r: np.random.RandomState, drop: float, shape: list[int]) -> Array:
    return r.uniform(0, 1.0, shape) >= drop


ROWS = (
    *(Row(f"Random{law}", 1, _by_shape) for law in ("Normal", "Uniform")),
    *(Row(f"Random{law}Like", 1, _like) for law in ("Normal", "Uniform")),
    Row("Multinomial", 7, _multinomial),
    Row("Dropout", 1, _dropout),
)
