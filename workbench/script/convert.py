"""What an assignment converts by itself, and what must be spelled out."""

from __future__ import annotations

from workbench.base.errors import WorkbenchError
from workbench.ir.build import Operand, cast, const
from workbench.ir.expr import Expr
from workbench.ir.types import DType


def convert(value: Operand, to: DType, what: str, *, rounds: bool = False) -> Expr:
    """`value` as it is assigned to something of type `to`.

    Integers become floats, narrow numbers wide ones, bools numbers. Nothing else happens by
    itself, except that a store into a tensor rounds to its narrower float.

    Parameters
    ----------
    value : Expr or number
        A Python number takes the type it is assigned to.
    to : DType
        Type of the variable or element.
    what : str
        How messages call it.
    rounds : bool
        Whether a wider float may be rounded to a narrower one.

    Raises
    ------
    WorkbenchError
        Without a place, when the conversion must be spelled out.
    """
    if isinstance(value, bool | int | float):
        return _literal(value, to, what)
    kind = value.type
    assert isinstance(kind, DType)
    if kind == to:
        return value
    if kind.lanes != to.lanes:
        raise WorkbenchError(f"{what} is {to} and cannot take {kind}", hint=_lanes_hint(kind, to))
    if kind.is_float and to.is_float and rounds:
        return cast(value, to)
    if _holds(to, kind):
        return cast(value, to)
    hint = f"write {to}(...) to convert"
    if to.kind == "b":
        hint = "compare it: x != 0"
    elif kind.is_float and to.is_int:
        hint = f"write {to}(...) to cut the fraction, or make {what} a float from the start"
    elif to.bits < kind.bits:
        hint = f"write {to}(...) to narrow it, or declare {what} as {kind}"
    raise WorkbenchError(f"{what} is {to} and cannot take {kind}", hint=hint)


def _literal(value: int | float | bool, to: DType, what: str) -> Expr:
    lane = to.element
    if isinstance(value, float) and not lane.is_float:
        raise WorkbenchError(
            f"{what} is {to} and cannot take {value!r}",
            hint=f"write {to}(...) to cut the fraction, or make {what} a float from the start",
        )
    if lane.kind == "b" and not isinstance(value, bool):
        raise WorkbenchError(f"{what} is bool and cannot take {value!r}", hint="use True or False")
    number = const(value, lane)
    if lane.is_int and number.value != int(value):
        raise WorkbenchError(f"{what} is {to}; {value} does not fit")
    return cast(number, to)


def _lanes_hint(kind: DType, to: DType) -> str:
    if kind.lanes > 1 and to.lanes == 1:
        return "take one lane, v[0], or store the vector with store(t[i], v)"
    return f"write {to}(x) to fill every lane"


def _holds(to: DType, kind: DType) -> bool:
    """Whether every value of `kind` goes into `to` without wrapping or cutting."""
    if kind.kind == "b" or (to.is_float and kind.is_int):
        return to.kind != "b"
    if to.kind == kind.kind:
        # f16 and bf16 have as many bits, but neither holds the other
        return to.bits > kind.bits
    return to.kind == "i" and kind.kind == "u" and to.bits > kind.bits
