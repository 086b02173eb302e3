"""Rows of the registry for operators that work element by element."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.onnx.node import Node, given
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops.define import accumulator
from workbench.graph.ops.elementwise import convert, divide, elementwise, power
from workbench.ir import build
from workbench.ir.build import Operand
from workbench.ir.expr import BinaryOp, Expr, UnaryOp
from workbench.ir.types import DType

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

Function = Callable[..., Operand]


def _op(op: BinaryOp) -> Function:
    return partial(build.binary, op)


def _call(name: str) -> Function:
    return lambda v: build.call(name, v)


def _like(v: Expr, value: float) -> Expr:
    """`value` in the type of `v`."""
    kind = v.type
    assert isinstance(kind, DType)
    return build.const(value if kind.is_float else int(value), kind)


def _nan_stays(v: Expr, value: Operand) -> Operand:
    """`value`, but NaN where `v` is: MIN and MAX would pass it by, ONNX hands it on."""
    kind = v.type
    assert isinstance(kind, DType)
    return build.select(build.call("isnan", v), v, value) if kind.is_float else value


def _extreme(op: BinaryOp) -> Function:
    return lambda v, w: _nan_stays(v, _nan_stays(w, build.binary(op, v, w)))


def _sign(v: Expr) -> Operand:
    if v.type.kind == "u":  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]
        return build.select(build.binary(BinaryOp.GT, v, 0), _like(v, 1), _like(v, 0))
    below = build.select(build.less(v, 0), _like(v, -1), _like(v, 0))
    return _nan_stays(v, build.select(build.binary(BinaryOp.GT, v, 0), _like(v, 1), below))


def _softplus(v: Expr) -> Expr:
    # log(1 + e^v) without overflow
    tail = build.call("log1p", build.call("exp", build.unary(UnaryOp.NEG, build.call("abs", v))))
    return build.add(build.binary(BinaryOp.MAX, v, 0), tail)


def _sigmoid(v: Expr) -> Expr:
    return build.binary(
        BinaryOp.DIV, 1.0, build.add(build.call("exp", build.unary(UnaryOp.NEG, v)), 1.0)
    )


def _negative(v: Expr) -> Expr:
    return build.unary(UnaryOp.NEG, v)


_UNARY: Mapping[str, tuple[int, Function]] = {
    "Relu": (1, lambda v: build.select(build.less(v, 0), 0, v)),
    "Sigmoid": (1, _sigmoid),
    "Tanh": (1, _call("tanh")),
    "Erf": (9, _call("erf")),
    "Exp": (1, _call("exp")),
    "Log": (1, _call("log")),
    "Sqrt": (1, _call("sqrt")),
    "Neg": (1, _negative),
    "Abs": (1, lambda v: v if v.type.kind in "ub" else build.call("abs", v)),
    "Floor": (1, _call("floor")),
    "Ceil": (1, _call("ceil")),
    "Round": (11, _call("round")),
    "Reciprocal": (1, lambda v: build.binary(BinaryOp.DIV, 1.0, v)),
    "Sign": (9, _sign),
    "Not": (1, lambda v: build.unary(UnaryOp.NOT, v)),
    "BitwiseNot": (18, lambda v: build.unary(UnaryOp.INVERT, v)),
    "IsNaN": (9, _call("isnan")),
    "Softplus": (1, _softplus),
    "Softsign": (
        1,
        lambda v: build.binary(BinaryOp.DIV, v, build.add(build.call("abs", v), 1.0)),
    ),
    **{
        name: (since, _call(name.lower()))
        for since, names in ((7, "Sin Cos Tan Asin Acos Atan"), (9, "Sinh Cosh Asinh Acosh Atanh"))
        for name in names.split()
    },
}

BINARY: Mapping[str, tuple[int, Function]] = {
    "Add": (7, build.add),
    "Sub": (7, build.sub),
    "Mul": (7, build.mul),
    "Div": (7, divide),
    "Pow": (7, power),
    "And": (7, _op(BinaryOp.AND)),
    "Or": (7, _op(BinaryOp.OR)),
    "Xor": (7, _op(BinaryOp.NE)),
    "Equal": (7, _op(BinaryOp.EQ)),
    "Greater": (7, _op(BinaryOp.GT)),
    "GreaterOrEqual": (12, _op(BinaryOp.GE)),
    "Less": (7, _op(BinaryOp.LT)),
    "LessOrEqual": (12, _op(BinaryOp.LE)),
    "BitwiseAnd": (18, _op(BinaryOp.BITAND)),
    "BitwiseOr": (18, _op(BinaryOp.BITOR)),
    "BitwiseXor": (18, _op(BinaryOp.BITXOR)),
}


def _plain(name: str, function: Function, node: Node, b: Builder, *inputs: Tensor) -> Tensor:
    del node
    return elementwise(b, name, function, *inputs)


_WORDS = re.compile("(?<=[a-z])(?=[A-Z][a-z0-9])")


def snake(name: str) -> str:
    """``HardSigmoid`` → ``hard_sigmoid``.

    Examples
    --------
    >>> snake("HardSigmoid"), snake("IsNaN"), snake("Add")
    ('hard_sigmoid', 'is_nan', 'add')
    """
    return _WORDS.sub("_", name).lower()


def _variadic(name: str, function: Function, node: Node, b: Builder, *inputs: Tensor) -> Tensor:
    del node
    if not inputs:
        raise ModelError("needs at least one input")
    return reduce(lambda x, y: elementwise(b, name, function, x, y), inputs)


def _average(node: Node, b: Builder, *inputs: Tensor) -> Tensor:
    total = _variadic("add", _op(BinaryOp.ADD), node, b, *inputs)
    count = len(inputs)
    return elementwise(b, "mean", lambda v: build.binary(BinaryOp.DIV, v, _like(v, count)), total)


def _leaky(node: Node, b: Builder, x: Tensor) -> Tensor:
    slope = node.real("alpha", 0.01)

    def leaky(v: Expr) -> Expr:
        return build.select(build.less(v, 0), build.mul(v, _like(v, slope)), v)

    return elementwise(b, "leaky_relu", leaky, x)


def _elu(node: Node, b: Builder, x: Tensor) -> Tensor:
    selu = node.op == "Selu"
    alpha = node.real("alpha", 1.67326319217681884765625 if selu else 1.0)
    gamma = node.real("gamma", 1.05070102214813232421875) if selu else 1.0

    def elu(v: Expr) -> Expr:
        below = build.mul(build.call("expm1", v), _like(v, alpha))
        curve = build.select(build.binary(BinaryOp.GT, v, 0), v, below)
        return build.mul(curve, _like(v, gamma)) if selu else curve

    return elementwise(b, snake(node.op), elu, x)


def _hard_sigmoid(node: Node, b: Builder, x: Tensor) -> Tensor:
    swish = node.op == "HardSwish"
    alpha = 1 / 6 if swish else node.real("alpha", 0.2)
    beta = 0.5 if swish else node.real("beta", 0.5)

    def hard(v: Expr) -> Operand:
        line = build.add(build.mul(v, _like(v, alpha)), _like(v, beta))
        step = build.binary(BinaryOp.MAX, build.binary(BinaryOp.MIN, line, _like(v, 1)), 0)
        return build.mul(v, step) if swish else _nan_stays(v, step)

    return elementwise(b, snake(node.op), hard, x)


def _thresholded(node: Node, b: Builder, x: Tensor) -> Tensor:
    alpha = node.real("alpha", 1.0)

    def above(v: Expr) -> Expr:
        return build.select(build.binary(BinaryOp.GT, v, _like(v, alpha)), v, _like(v, 0))

    return elementwise(b, "thresholded_relu", above, x)


def _shrink(node: Node, b: Builder, x: Tensor) -> Tensor:
    bias, bound = node.real("bias", 0.0), node.real("lambd", 0.5)

    def shrink(v: Expr) -> Expr:
        kept = build.select(build.less(v, _like(v, -bound)), build.add(v, _like(v, bias)), 0)
        above = build.binary(BinaryOp.GT, v, _like(v, bound))
        return build.select(above, build.sub(v, _like(v, bias)), kept)

    return elementwise(b, "shrink", shrink, x)


def prelu(node: Node, b: Builder, x: Tensor, slope: Tensor) -> Tensor:
    """`x`, times the slope where it is negative."""
    del node
    return elementwise(
        b, "prelu", lambda v, s: build.select(build.less(v, 0), build.mul(v, s), v), x, slope
    )


def _is_inf(node: Node, b: Builder, x: Tensor) -> Tensor:
    high, low = node.number("detect_positive", 1), node.number("detect_negative", 1)

    def test(v: Expr) -> Expr:
        found = build.call("isinf", v)
        if high and low:
            return found
        side = BinaryOp.GT if high else BinaryOp.LT
        return build.all_of(found, build.binary(side, v, 0), bool(high or low))

    return elementwise(b, "is_inf", test, x)


def _between(v: Expr, low: Operand | None, high: Operand | None) -> Operand:
    kept = v if low is None else build.binary(BinaryOp.MAX, v, low)
    return _nan_stays(v, kept if high is None else build.binary(BinaryOp.MIN, kept, high))


def _clip_attributes(node: Node, b: Builder, x: Tensor) -> Tensor:
    def clip(v: Expr) -> Operand:
        low, high = (_like(v, node.real(n)) if node.has(n) else None for n in ("min", "max"))
        return _between(v, low, high)

    return elementwise(b, "clip", clip, x)


def _clip(
    node: Node, b: Builder, x: Tensor, low: Tensor | None = None, high: Tensor | None = None
) -> Tensor:
    del node

    def clip(v: Expr, *bounds: Expr) -> Operand:
        rest = iter(bounds)
        return _between(v, None if low is None else next(rest), next(rest, None))

    return elementwise(b, "clip", clip, *given(x, low, high))


def _mod(node: Node, b: Builder, x: Tensor, y: Tensor) -> Tensor:
    def rest(v: Expr, w: Expr) -> Expr:
        if not node.number("fmod", 0):
            return build.floormod(v, w)
        if x.dtype.is_float:
            return build.call("fmod", v, w)
        return build.sub(v, build.mul(divide(v, w), w))

    if x.dtype.is_float and not node.number("fmod", 0):
        raise ModelError("Mod of floats needs fmod=1")
    return elementwise(b, "mod", rest, x, y)


def _shift(node: Node, b: Builder, x: Tensor, y: Tensor) -> Tensor:
    direction = node.text("direction")
    if direction not in ("LEFT", "RIGHT"):
        raise ModelError(f"BitShift: the direction is {direction!r}, not LEFT or RIGHT")
    op, bits = BinaryOp.SHL if direction == "LEFT" else BinaryOp.SHR, x.dtype.bits

    def shift(v: Expr, w: Expr) -> Expr:
        # processors differ in what a shift by all bits or more gives
        near = build.less(w, _like(w, bits))
        moved = build.binary(op, v, build.select(near, w, _like(w, 0)))
        return build.select(near, moved, _like(v, 0))

    return elementwise(b, "shift", shift, x, y)


def _where(node: Node, b: Builder, cond: Tensor, x: Tensor, y: Tensor) -> Tensor:
    del node
    return elementwise(b, "where", build.select, cond, x, y)


def _cast(node: Node, b: Builder, x: Tensor) -> Tensor:
    return convert(b, x, dtype_of_elem(node.number("to"), node))


def _cast_like(node: Node, b: Builder, x: Tensor, like: Tensor) -> Tensor:
    del node
    return convert(b, x, like.dtype)


def _gelu(node: Node, b: Builder, x: Tensor) -> Tensor:
    def exact(v: Expr) -> Expr:
        tail = build.add(build.call("erf", build.mul(v, _like(v, math.sqrt(0.5)))), 1.0)
        return build.mul(v, tail, _like(v, 0.5))

    def quick(v: Expr) -> Expr:
        cube = build.add(v, build.mul(v, v, v, _like(v, 0.044715)))
        bent = build.call("tanh", build.mul(cube, _like(v, math.sqrt(2 / math.pi))))
        return build.mul(v, build.add(bent, 1.0), _like(v, 0.5))

    curve = quick if node.text("approximate", "none") == "tanh" else exact
    wide = accumulator(x.dtype)

    # the tail is a difference of near equals, of which a half would leave nothing
    return elementwise(b, "gelu", lambda v: build.cast(curve(build.cast(v, wide)), x.dtype), x)


def _celu(node: Node, b: Builder, x: Tensor) -> Tensor:
    alpha = node.real("alpha", 1.0)

    def celu(v: Expr) -> Expr:
        scaled = build.binary(BinaryOp.DIV, v, _like(v, alpha))
        below = build.mul(build.call("expm1", scaled), _like(v, alpha))
        return build.select(build.less(v, 0), below, v)

    if alpha == 0 or not x.dtype.is_float:
        raise ModelError(f"Celu: alpha is {alpha}, x is {x}")
    return elementwise(b, "celu", celu, x)


ROWS = (
    *(Row(op, since, partial(_plain, snake(op), f)) for op, (since, f) in _UNARY.items()),
    *(Row(op, since, partial(_plain, snake(op), f)) for op, (since, f) in BINARY.items()),
    Row("Max", 1, partial(_variadic, "max", _extreme(BinaryOp.MAX))),
    Row("Min", 1, partial(_variadic, "min", _extreme(BinaryOp.MIN))),
    Row("Sum", 1, partial(_variadic, "add", _op(BinaryOp.ADD))),
    Row("Mean", 1, _average),
    Row("LeakyRelu", 1, _leaky),
    Row("Elu", 1, _elu),
    Row("Selu", 1, _elu),
    Row("HardSigmoid", 1, _hard_sigmoid),
    Row("HardSwish", 14, _hard_sigmoid),
    Row("ThresholdedRelu", 10, _thresholded),
    Row("PRelu", 7, prelu),
    Row("Shrink", 9, _shrink),
    Row("IsInf", 10, _is_inf),
    Row("Clip", 1, _clip_attributes, last=10),
    Row("Clip", 11, _clip),
    Row("Mod", 10, _mod),
    Row("BitShift", 11, _shift),
    Row("Where", 9, _where),
    Row("Cast", 6, _cast),
    Row("CastLike", 15, _cast_like),
    Row("Gelu", 20, _gelu),
    Row("Celu", 12, _celu),
)
