"""Constructors: Python numbers are weak, bool counts as 0 or 1, what is known is computed."""

from __future__ import annotations

import pytest

from workbench.base.errors import WorkbenchError
from workbench.ir.build import binary, call, cast, const, select, unary
from workbench.ir.expr import BinaryOp, Const, UnaryOp, Var
from workbench.ir.text import text
from workbench.ir.types import bf16, boolean, f16, f32, f64, i8, i32, i64, u8, u32, u64

B, N, L, H, F = (
    Var("b", boolean),
    Var("i", i32),
    Var("l", i64),
    Var("h", f16),
    Var("f", f32),
)


@pytest.mark.parametrize(
    ("op", "a", "b", "expected"),
    [
        ("<<", B, 1, "i32(b) << 1"),
        (">>", B, B, "i32(b) >> i32(b)"),
        ("<", B, B, "i32(b) < i32(b)"),
        ("==", B, B, "b == b"),
        ("&", B, B, "b & b"),
        ("+", B, B, "i32(b) + i32(b)"),
        ("+", N, 2, "i + 2"),
        ("+", L, 2, "l + 2i64"),
        ("+", N, L, "i64(i) + l"),
        ("*", H, 2.5, "h * 2.5f16"),
        ("*", H, F, "f32(h) * f"),
        ("*", N, 2.5, "f32(i) * 2.5"),
        ("/", N, 2, "f32(i) / 2.0"),
        ("/", L, 2, "f64(l) / 2.0f64"),
        ("and", N, B, "i != 0 and b"),
        ("-", N, 0, "i"),
        ("*", 0, N, "0"),
        ("//", const(-7), 2, "-4"),
        ("%", const(-7), 2, "1"),
        ("+", const(2**31 - 1), 1, "-2147483648"),
    ],
)
def test_operands_meet_in_one_type(op: str, a: object, b: object, expected: str) -> None:
    found = binary(BinaryOp(op), a, b)  # pyright: ignore[reportArgumentType]
    assert text(found) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: binary(BinaryOp.SHL, F, 1), "<< takes integers, not f32"),
        (lambda: binary(BinaryOp.BITAND, F, F), "& takes integers, not f32"),
        (lambda: binary(BinaryOp.ADD, Var("u", u8), 300), "300 does not fit in u8"),
        (lambda: binary(BinaryOp.ADD, Var("u", u64), L), "u64 and i64 have no common integer type"),
        (lambda: binary(BinaryOp.FLOORDIV, const(1), const(0)), "division by zero"),
        (lambda: unary(UnaryOp.INVERT, F), "~ takes an integer, not f32"),
        (lambda: call("exq", F), "no intrinsic is called 'exq'"),
        (lambda: call("exp", N), "exp takes floats of one type, not i32"),
        (lambda: call("fma", F), "fma takes 3 arguments (a, b, c), not 1"),
    ],
)
def test_what_does_not_fit_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(WorkbenchError) as caught:
        make()
    assert caught.value.message == message


def test_mixed_signs_meet_in_a_type_that_holds_both() -> None:
    assert binary(BinaryOp.ADD, Var("u", u32), N).type == i64
    assert binary(BinaryOp.ADD, Var("u", u8), Var("s", i8)).type.bits == 16  # pyright: ignore[reportOptionalMemberAccess]
    assert binary(BinaryOp.ADD, Var("x", bf16), H).type == f32
    assert select(B, F, Var("d", f64)).type == f64


def test_constants_wrap_into_integers_and_stay_as_floats() -> None:
    assert const(300, u8).value == 44
    assert const(-1, u32).value == 2**32 - 1
    assert const(2**31).type == i64
    assert isinstance(cast(const(1), f32), Const)
