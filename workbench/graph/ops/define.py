"""How a compute definition is written down: `grid` and `reduce`.

Both take functions of the axes, so that a definition reads like its formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workbench.ir import build
from workbench.ir.build import Operand
from workbench.ir.expr import Expr, Var
from workbench.ir.types import DType, TensorType, f32, f64, i32
from workbench.schedules.combine import start_value
from workbench.schedules.compute import Compute, InverseMap, Reducer, Reduction

Axes = tuple[Var, ...]
Inverse = Mapping[Var, Callable[[Axes], Sequence[Operand]]]


def axes(count: int, prefix: str = "i") -> Axes:
    """`count` integer variables."""
    return tuple(Var(f"{prefix}{n}", i32) for n in range(count))


def expr(value: Operand) -> Expr:
    """`value` as an expression."""
    return build.const(value) if isinstance(value, int | float) else value


def grid(
    name: str,
    inputs: Sequence[Var],
    output: TensorType,
    value: Callable[[Axes], Operand],
    inverse: Inverse | None = None,
) -> Compute:
    """`output[axes] = value(axes)`: an injective definition.

    Parameters
    ----------
    inverse : mapping, optional
        For each input in which the definition is one-to-one and onto: index in the input →
        index in the output.

    Examples
    --------
    >>> from workbench.ir.types import f32
    >>> x = Var("x", f32[4, 8])
    >>> flip = grid("transpose", [x], f32[8, 4], lambda i: build.load(x, (i[1], i[0])),
    ...             inverse={x: lambda i: (i[1], i[0])})
    >>> flip.injective, len(flip.inverse)
    (True, 1)
    """
    index = axes(len(output.shape))
    return Compute(
        name,
        tuple(inputs),
        Var("out", output),
        index,
        build.cast(expr(value(index)), output.dtype),
        inverse=inverse_maps(inverse or {}),
    )


def inverse_maps(inverse: Inverse) -> tuple[tuple[Var, InverseMap], ...]:
    """Inverse maps from functions of the input's axes."""
    maps: list[tuple[Var, InverseMap]] = []
    for var, function in inverse.items():
        own = axes(len(var.tensor.shape), "e")
        maps.append((var, InverseMap(own, tuple(map(expr, function(own))))))
    return tuple(maps)


def reduce(
    name: str,
    inputs: Sequence[Var],
    output: TensorType,
    reducer: Reducer,
    extents: Sequence[int],
    value: Callable[[Axes, Axes], Operand],
    finish: Callable[[Axes, Expr], Operand] | None = None,
) -> Compute:
    """`output[axes] = finish(axes, reducer over r of value(axes, r))`.

    A reduction over nothing becomes an injective definition of the reducer's neutral element.

    Examples
    --------
    >>> from workbench.ir.types import f32
    >>> x = Var("x", f32[4, 8])
    >>> total = reduce("sum", [x], f32[4], Reducer.SUM, [8],
    ...                lambda i, r: build.load(x, (i[0], r[0])))
    >>> total.reduction.extents
    (8,)
    """
    index, inner = axes(len(output.shape)), axes(len(extents), "r")
    term = expr(value(index, inner))
    assert isinstance(term.type, DType)
    arg = reducer in (Reducer.ARGMAX, Reducer.ARGMIN)
    result = Var("best" if arg else "acc", i32 if arg else term.type)
    if 0 in extents:
        neutral = start_value(reducer, term.type)
        done = finish(index, neutral) if finish else neutral
        return Compute(name, (), Var("out", output), index, build.cast(expr(done), output.dtype))
    done = finish(index, result) if finish else result
    return Compute(
        name,
        tuple(inputs),
        Var("out", output),
        index,
        build.cast(expr(done), output.dtype),
        Reduction(reducer, inner, tuple(extents), term, result),
    )


def accumulator(type: DType) -> DType:
    """The type in which values of `type` are summed: halves in f32, small integers in i32."""
    if type.is_float:
        return f64 if type == f64 else f32
    return type if type.bits >= 32 else i32
