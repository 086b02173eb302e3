"""Operators that work element by element, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.define import Axes, axes, expr, grid
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.build import Operand
from workbench.ir.expr import BinaryOp, Expr, Var
from workbench.ir.types import DType, TensorType

if TYPE_CHECKING:
    from workbench.graph.build import Builder


def elementwise(
    b: Builder,
    name: str,
    function: Callable[..., Operand],
    *inputs: Tensor,
    fold: bool = True,
) -> Tensor:
    """`function` of the elements of all inputs, broadcast as numpy does.

    A constant of one element becomes a number in the definition. Without `fold` an operator on
    constants stays one.

    Examples
    --------
    >>> from workbench.graph.build import Builder
    >>> from workbench.ir.types import f32
    >>> x, y = Tensor("x", f32, (2, 3)), Tensor("y", f32, (3,))
    >>> print(elementwise(Builder(), "add", build.add, x, y))
    t.add: f32[2, 3]
    """
    shape = broadcast(*(t.extents for t in inputs))
    scalars = {t: _number(b, t) for t in inputs}
    place = {t: t.variable() for t in inputs if scalars[t] is None}

    def value(index: Axes) -> Operand:
        loaded = [scalars[t] or element(place[t], t, index, shape) for t in inputs]
        return function(*loaded)

    # the number type is whatever the function makes of its operands' types
    kind = expr(value(axes(len(shape) or 1))).type
    assert isinstance(kind, DType)
    same = {var: _itself for t, var in place.items() if _whole(t, shape)}
    stored = TensorType(kind, shape or (1,))
    return b.emit(
        grid(name, tuple(place.values()), stored, value, same), tuple(place), shape, fold=fold
    )


def _whole(tensor: Tensor, shape: Sequence[int]) -> bool:
    """Whether a tensor has a shape; where they differ in rank no extents are compared."""
    return tensor.rank == len(shape) and tensor.extents == tuple(shape)


def _itself(index: Axes) -> Axes:
    return index


def _number(b: Builder, tensor: Tensor) -> Expr | None:
    value = b.value(tensor)
    if value is None or value.size != 1:
        return None
    return build.const(value.reshape(()).item(), tensor.dtype)


def element(var: Var, tensor: Tensor, index: Axes, shape: Sequence[int]) -> Expr:
    """The element of `tensor` that is broadcast to `index` of `shape`."""
    # a unit extent that is not broadcast keeps its axis, so that the inverse map is exact
    if _whole(tensor, shape):
        return build.load(var, index)
    own = index[len(index) - tensor.rank :] if tensor.rank else ()
    place = [0 if e == 1 else a for e, a in zip(tensor.extents, own, strict=True)]
    return build.load(var, place or [0])


def variables(
    b: Builder, inputs: Sequence[Tensor], *parameters: Tensor | None
) -> dict[Tensor, Var]:
    """A variable for each tensor, but for parameters that are one number known now."""
    rest = [t for t in parameters if t is not None and _number(b, t) is None]
    return {t: t.variable() for t in (*inputs, *rest)}


def parameter(
    b: Builder, place: Mapping[Tensor, Var], tensor: Tensor, index: Sequence[Expr]
) -> Expr:
    """The element of `tensor` that is broadcast to `index`; `place` comes from `variables`."""
    if tensor not in place:
        number = _number(b, tensor)
        assert number is not None
        return number
    own = index[len(index) - tensor.rank :]
    at = [0 if e == 1 else a for e, a in zip(tensor.extents, own, strict=True)]
    return build.load(place[tensor], at or [0])


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which all `shapes` meet, by numpy's rule.

    Raises
    ------
    ModelError
        When they do not.
    """
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    found: list[int] = []
    for extents in zip(*padded, strict=True):
        wide = [e for e in extents if e != 1]
        if any(e != wide[0] for e in wide[1:]):
            raise ModelError(f"shapes {' and '.join(map(str, shapes))} do not broadcast")
        found.append(wide[0] if wide else 1)
    return tuple(found)


def convert(b: Builder, x: Tensor, to: DType) -> Tensor:
    """`x` in another number type; itself when it has it already."""
    if x.dtype == to:
        return x
    return elementwise(b, "cast", lambda v: build.cast(v, to), x)


def divide(x: Expr, y: Expr) -> Expr:
    """`x / y`; of integers rounded towards zero, as ONNX and C do."""
    assert isinstance(x.type, DType)
    if not x.type.is_int:
        return build.binary(BinaryOp.DIV, x, y)
    if x.type.kind == "u":
        return build.floordiv(x, y)
    size = build.floordiv(build.call("abs", x), build.call("abs", y))
    apart = build.binary(BinaryOp.NE, build.less(x, 0), build.less(y, 0))
    return build.select(apart, build.sub(0, size), size)


def power(x: Expr, y: Expr) -> Expr:
    """`x ** y` in the type of `x`; small whole exponents known now become products."""
    kind = x.type
    assert isinstance(kind, DType)
    whole = getattr(y, "value", None)
    if whole in (2, 3):
        return build.mul(*[x] * int(whole))
    if kind.is_float:
        return build.call("pow", x, build.cast(y, kind))
    wide = build.call("pow", build.cast(x, _DOUBLE), build.cast(y, _DOUBLE))
    # rounding first: a pow that is one unit off must not lose a whole integer
    return build.cast(build.call("round", wide), kind)


_DOUBLE = DType("f64", "f", 64)
