"""Rows of the registry for steps of training (ai.onnx.preview.training)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row
from workbench.graph.ops.elementwise import elementwise
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

DOMAIN = "ai.onnx.preview.training"


def _parts(node: Node, tensors: tuple[Tensor, ...], kinds: int) -> list[tuple[Tensor, ...]]:
    """For each optimised tensor, it and what belongs to it: inputs come sorted by kind."""
    count, rest = divmod(len(tensors), kinds)
    if rest or not count:
        raise ModelError(f"{node.op}: {len(tensors)} tensors are no multiple of {kinds}")
    return list(zip(*(tensors[k * count : (k + 1) * count] for k in range(kinds)), strict=True))


def _outputs(found: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    return tuple(t for kind in zip(*found, strict=True) for t in kind)


def _decayed(x: Expr, gradient: Expr, norm: float) -> Expr:
    """The gradient of the loss with half of `norm` times the square of `x` added."""
    return build.add(gradient, build.mul(x, norm))


def _div(a: Expr, b: Expr) -> Expr:
    return build.binary(BinaryOp.DIV, a, b)


def _adagrad(
    node: Node, b: Builder, rate: Tensor, step: Tensor, *tensors: Tensor
) -> tuple[Tensor, ...]:
    decay, norm = node.real("decay_factor", 0.0), node.real("norm_coefficient", 0.0)
    epsilon = node.real("epsilon", 1e-6)

    def square(h: Expr, x: Expr, g: Expr) -> Expr:
        slope = _decayed(x, g, norm)
        return build.add(h, build.mul(slope, slope))

    def move(x: Expr, g: Expr, h: Expr, r: Expr, t: Expr) -> Expr:
        own = _div(r, build.add(build.mul(build.cast(t, x.type), decay), 1.0))  # pyright: ignore
        root = build.add(build.call("sqrt", h), epsilon)
        return build.sub(x, _div(build.mul(own, _decayed(x, g, norm)), root))

    found: list[tuple[Tensor, ...]] = []
    for x, gradient, history in _parts(node, tensors, 3):
        total = elementwise(b, "adagrad_square", square, history, x, gradient)
        found.append((elementwise(b, "adagrad", move, x, gradient, total, rate, step), total))
    return _outputs(found)


def _adam(
    node: Node, b: Builder, rate: Tensor, step: Tensor, *tensors: Tensor
) -> tuple[Tensor, ...]:
    alpha, beta = node.real("alpha", 0.9), node.real("beta", 0.999)
    norm, after = node.real("norm_coefficient", 0.0), node.real("norm_coefficient_post", 0.0)
    epsilon = node.real("epsilon", 1e-6)

    def first(v: Expr, x: Expr, g: Expr) -> Expr:
        return build.add(build.mul(v, alpha), build.mul(_decayed(x, g, norm), 1 - alpha))

    def second(h: Expr, x: Expr, g: Expr) -> Expr:
        slope = _decayed(x, g, norm)
        return build.add(build.mul(h, beta), build.mul(slope, slope, 1 - beta))

    def move(x: Expr, v: Expr, h: Expr, r: Expr, t: Expr) -> Expr:
        time = build.cast(t, x.type)  # pyright: ignore[reportArgumentType]
        powers = [
            build.sub(1.0, build.call("pow", build.const(c, x.type), time))  # pyright: ignore
            for c in (alpha, beta)
        ]
        bent = build.select(
            build.binary(BinaryOp.GT, t, 0), _div(build.call("sqrt", powers[1]), powers[0]), 1.0
        )
        root = build.add(build.call("sqrt", h), epsilon)
        moved = build.sub(x, _div(build.mul(r, bent, v), root))
        return build.mul(moved, 1 - after)

    found: list[tuple[Tensor, ...]] = []
    for x, gradient, mean, square in _parts(node, tensors, 4):
        v = elementwise(b, "adam_mean", first, mean, x, gradient)
        h = elementwise(b, "adam_square", second, square, x, gradient)
        found.append((elementwise(b, "adam", move, x, v, h, rate, step), v, h))
    return _outputs(found)


def _momentum(
    node: Node, b: Builder, rate: Tensor, step: Tensor, *tensors: Tensor
) -> tuple[Tensor, ...]:
    alpha, beta, norm = (node.real(n) for n in ("alpha", "beta", "norm_coefficient"))
    mode = node.text("mode")
    if mode not in ("standard", "nesterov"):
        raise ModelError(f"Momentum: the mode is {mode!r}, not standard or nesterov")

    def pace(v: Expr, x: Expr, g: Expr, t: Expr) -> Expr:
        # in the first step the gradient counts whole
        share = build.select(build.binary(BinaryOp.GT, t, 0), build.const(beta, v.type), 1.0)  # pyright: ignore
        return build.add(build.mul(v, alpha), build.mul(share, _decayed(x, g, norm)))

    def move(x: Expr, g: Expr, v: Expr, r: Expr) -> Expr:
        ahead = build.add(_decayed(x, g, norm), build.mul(v, alpha))
        return build.sub(x, build.mul(r, ahead if mode == "nesterov" else v))

    found: list[tuple[Tensor, ...]] = []
    for x, gradient, before in _parts(node, tensors, 3):
        v = elementwise(b, "momentum_pace", pace, before, x, gradient, step)
        found.append((elementwise(b, "momentum", move, x, gradient, v, rate), v))
    return _outputs(found)


ROWS = (
    Row("Adagrad", 1, _adagrad, domain=DOMAIN),
    Row("Adam", 1, _adam, domain=DOMAIN),
    Row("Momentum", 1, _momentum, domain=DOMAIN),
)
