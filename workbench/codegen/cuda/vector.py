"""Short vectors: operators of the IR lane by lane, as overloads and small functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.codegen.clike import ATOM, UNARY, C
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.cuda.scalar import infix
from workbench.codegen.cuda.types import c_type, lane, maker
from workbench.ir.expr import BinaryOp, UnaryOp
from workbench.ir.types import DType

_OVERLOADED = {
    BinaryOp.ADD,
    BinaryOp.SUB,
    BinaryOp.MUL,
    BinaryOp.DIV,
    BinaryOp.BITAND,
    BinaryOp.BITOR,
    BinaryOp.BITXOR,
    BinaryOp.SHL,
    BinaryOp.SHR,
}
Lane = Callable[[Sequence[C]], C]


def lanewise(name: str, types: Sequence[DType], result: DType, rule: Lane, prelude: Prelude) -> str:
    """Declare the function `name` that applies `rule` to each lane; gives its name.

    Parameters
    ----------
    name : str
        Functions of one name and other types are overloads.
    types : sequence of DType
        Of the operands; one without lanes is the same for every lane.
    result : DType
        Of the result.
    rule : callable
        The lanes of the operands → the lane of the result.
    prelude : Prelude
        Gets the function, after what the lanes call.
    """
    names = "abcd"[: len(types)]
    params = ", ".join(f"{c_type(t, prelude)} {n}" for t, n in zip(types, names, strict=True))
    make = maker(result, prelude)
    lanes = [rule(_operands(names, types, n)).text for n in range(result.lanes)]
    body = f"return {make}({', '.join(lanes)});"
    key = f"{name} {' '.join(map(str, types))} {result}"
    return prelude.function(c_type(result, prelude), name, params, body, key)


def _operands(names: str, types: Sequence[DType], place: int) -> list[C]:
    return [
        C(lane(n, t, place) if t.lanes > 1 else n).within(*t.element.bounds)
        for n, t in zip(names, types, strict=True)
    ]


def binary(op: BinaryOp, a: C, b: C, kind: DType, result: DType, rule: Lane, h: Prelude) -> C:
    """`a op b` on vectors of type `kind`."""
    if op in _OVERLOADED:
        symbol = op.value
        lanewise(f"operator{symbol}", (kind, kind), result, rule, h)
        return infix(op, a, b)
    name = f"{op.name.lower()}_{kind}"
    return C(f"{lanewise(name, (kind, kind), result, rule, h)}({a.text}, {b.text})")


def unary(op: UnaryOp, a: C, kind: DType, rule: Lane, h: Prelude) -> C:
    """`op a` on a vector of type `kind`."""
    symbol = "!" if op is UnaryOp.NOT else op.value
    lanewise(f"operator{symbol}", (kind,), kind, rule, h)
    return C(f"{symbol}{a.at(UNARY)}", UNARY)


def extract(vector: C, kind: DType, place: int) -> C:
    """One lane."""
    text = lane(vector.at(ATOM), kind, place)
    return C(text).within(*kind.element.bounds)
