"""Operators on scalars: the C that means what the IR's operator means, to the last bit.

Integers wrap around in the IR, while overflow of a signed type is undefined in C. So a sum,
difference, product or shift of signed operands that may overflow is made unsigned (`C.wraps`);
what reads its value as a number converts it back. Within an address nothing is taken to
overflow: it would be out of bounds.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.base.errors import CodegenError
from workbench.codegen.clike import (
    ADD,
    AND,
    BITAND,
    BITOR,
    BITXOR,
    EQUAL,
    MUL,
    OR,
    RELATION,
    SHIFT,
    TERNARY,
    UNARY,
    C,
)
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.cuda.types import SUFFIX, c_type
from workbench.ir.expr import COMPARISONS, BinaryOp, UnaryOp
from workbench.ir.types import DType, i32, i64, u32, u64

_SYMBOLS: dict[BinaryOp, tuple[str, int]] = {
    BinaryOp.ADD: ("+", ADD),
    BinaryOp.SUB: ("-", ADD),
    BinaryOp.MUL: ("*", MUL),
    BinaryOp.DIV: ("/", MUL),
    BinaryOp.TRUNCDIV: ("/", MUL),
    BinaryOp.TRUNCMOD: ("%", MUL),
    BinaryOp.BITAND: ("&", BITAND),
    BinaryOp.BITOR: ("|", BITOR),
    BinaryOp.BITXOR: ("^", BITXOR),
    BinaryOp.SHL: ("<<", SHIFT),
    BinaryOp.SHR: (">>", SHIFT),
    BinaryOp.AND: ("&&", AND),
    BinaryOp.OR: ("||", OR),
    BinaryOp.LT: ("<", RELATION),
    BinaryOp.LE: ("<=", RELATION),
    BinaryOp.GT: (">", RELATION),
    BinaryOp.GE: (">=", RELATION),
    BinaryOp.EQ: ("==", EQUAL),
    BinaryOp.NE: ("!=", EQUAL),
}
_RING = {BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.SHL}
_BITS = {BinaryOp.BITAND, BinaryOp.BITOR, BinaryOp.BITXOR}
_ASSOCIATIVE = {BinaryOp.ADD, BinaryOp.MUL, BinaryOp.AND, BinaryOp.OR, *_BITS}


def infix(op: BinaryOp, a: C, b: C, *, exact: bool = False) -> C:
    """`a op b` as text, with as few parentheses as C's precedence needs.

    `exact` says that regrouping to the right changes nothing, as it does not for integers.
    """
    symbol, level = _SYMBOLS[op]
    if op is BinaryOp.ADD and b.text.startswith("-") and b.level == UNARY:
        symbol, b = "-", C(b.text[1:], UNARY)
    regroup = exact and op in _ASSOCIATIVE
    return C(f"{_side(op, a, level)} {symbol} {_side(op, b, level + (not regroup))}", level)


def _side(op: BinaryOp, a: C, level: int) -> str:
    # `a && b || c` and sums beside shifts are right without parentheses, but misread
    if op is BinaryOp.OR and a.level == AND:
        return f"({a.text})"
    if op in _BITS | {BinaryOp.SHL, BinaryOp.SHR} and level < a.level < UNARY:
        return f"({a.text})"
    return a.at(level)


def settle(a: C, kind: DType, prelude: Prelude) -> C:
    """`a` where its value as a number is needed: signed again if it may be negative."""
    if not a.wraps or a.low >= 0:
        return a
    return C(f"({c_type(kind, prelude)}){a.at(UNARY)}", UNARY, a.low, a.high)


def unsigned(a: C, kind: DType) -> C:
    """`a` in the unsigned C type of its size."""
    if a.wraps or kind.kind == "u":
        return a
    wide = u64 if kind.bits == 64 else u32
    if a.text.isdigit() or (a.text.endswith("ll") and a.text[:-2].isdigit()):
        digits = a.text.removesuffix("ll")
        return C(f"{digits}{SUFFIX[wide.scalar]}", a.level, a.low, a.high, True)
    name = "unsigned long long" if wide is u64 else "unsigned"
    return C(f"({name}){a.at(UNARY)}", UNARY, a.low, a.high, True)


def unary(op: UnaryOp, a: C, kind: DType, prelude: Prelude) -> C:
    """`op a` on a scalar of type `kind`."""
    if op is UnaryOp.NOT:
        return C(f"!{a.at(UNARY)}", UNARY, 0, 1)
    low, high = kind.bounds
    sign = "-" if op is UnaryOp.NEG else "~"
    text = C(f"{sign}{a.at(UNARY if a.text[0] != sign else UNARY + 1)}", UNARY)
    if kind.is_float:
        return text
    below, above = (-a.high, -a.low) if op is UnaryOp.NEG else (~a.high, ~a.low)
    fits = low <= below and above <= high
    if kind.bits < 32:
        plain = text.within(below, above)
        return plain if fits else narrowed(text, kind, prelude)
    if kind.kind == "u":
        return text.within(below, above) if fits else text.within(low, high)
    if fits:
        return C(text.text, UNARY, below, above, a.wraps)
    zero = C(f"0{SUFFIX['u64' if kind.bits == 64 else 'u32']}")
    negated = text if a.wraps else infix(BinaryOp.SUB, zero, a)
    return C(negated.text, negated.level, low, high, True)


def narrowed(a: C, kind: DType, prelude: Prelude) -> C:
    """`a`, computed in C's int, wrapped into a narrower type."""
    return C(f"({c_type(kind, prelude)}){a.at(UNARY)}", UNARY, *kind.bounds)


def binary(op: BinaryOp, a: C, b: C, kind: DType, prelude: Prelude, *, address: bool = False) -> C:
    """`a op b` on scalars of type `kind`, the type of the operands.

    Parameters
    ----------
    op : BinaryOp
        Any.
    a, b : C
        The operands.
    kind : DType
        Their type, one lane.
    prelude : Prelude
        Gets the functions that the text calls.
    address : bool
        Whether this is part of an address.
    """
    if kind.scalar in ("f16", "bf16"):
        raise CodegenError(f"{op.value} on {kind} needs the pass legalize_half")
    if op in (BinaryOp.MIN, BinaryOp.MAX):
        return _extreme(op, a, b, kind, prelude)
    if op in (BinaryOp.FLOORDIV, BinaryOp.FLOORMOD):
        return _floor(op, a, b, kind, prelude)
    if op in COMPARISONS:
        return _compare(op, a, b, kind, prelude)
    if kind.is_float or op in (BinaryOp.AND, BinaryOp.OR):
        return infix(op, a, b, exact=not kind.is_float).within(0, 1)
    if op in _RING:
        return _ring(op, a, b, kind, prelude, address)
    if op in _BITS:
        low, high = _bit_bounds(op, a, b, kind)
        text = infix(op, a, b, exact=True)
        return C(text.text, text.level, low, high, a.wraps or b.wraps)
    if op is BinaryOp.SHR:
        a = settle(a, kind, prelude)
        low, high = (a.low >> b.low, a.high >> b.low) if 0 <= b.low < 64 else (a.low, a.high)
        return infix(op, a, b).within(min(low, a.low), max(high, 0))
    return _truncated(op, a, b)


def _truncated(op: BinaryOp, a: C, b: C) -> C:
    # `arith` has proved both operands non-negative, so an unsigned type has their value.
    text = infix(op, a, b)
    if op is BinaryOp.TRUNCDIV:
        low, high = 0, max(a.high, 0) // max(b.low, 1)
    else:
        low, high = 0, max(min(a.high, b.high - 1), 0)
    return C(text.text, text.level, low, high, a.wraps or b.wraps)


def _ring(op: BinaryOp, a: C, b: C, kind: DType, prelude: Prelude, address: bool) -> C:
    low, high = _ring_bounds(op, a, b)
    least, most = kind.bounds
    fits = least <= low and high <= most
    if not fits:
        low, high = max(low, least) if address else least, min(high, most) if address else most
    if kind.bits < 32:
        return (
            _narrow_ring(op, a, b, kind, prelude)
            if not fits
            else infix(op, a, b, exact=True).within(low, high)
        )
    wraps = a.wraps or (b.wraps and op is not BinaryOp.SHL)
    negative = op is BinaryOp.SHL and a.low < 0  # C shifts no negative number to the left
    if kind.kind == "i" and not wraps and (negative or not (fits or address)):
        a, b = _one_unsigned(op, a, b, kind)
        wraps = True
    text = infix(op, a, b, exact=True)
    return C(text.text, text.level, low, high, wraps)


def _one_unsigned(op: BinaryOp, a: C, b: C, kind: DType) -> tuple[C, C]:
    """The operands, one of them unsigned, which makes the operation so."""
    literal = b.text.removesuffix("ll").isdigit()
    if op is not BinaryOp.SHL and literal:
        return a, unsigned(b, kind)
    return unsigned(a, kind), b


def _narrow_ring(op: BinaryOp, a: C, b: C, kind: DType, prelude: Prelude) -> C:
    # C computes in int, where only the product of two 16-bit numbers or a shift may overflow.
    if op in (BinaryOp.MUL, BinaryOp.SHL):
        a = C(f"(unsigned){a.at(UNARY)}", UNARY)
    return narrowed(infix(op, a, b, exact=True), kind, prelude)


def _ring_bounds(op: BinaryOp, a: C, b: C) -> tuple[int, int]:
    if op is BinaryOp.ADD:
        return a.low + b.low, a.high + b.high
    if op is BinaryOp.SUB:
        return a.low - b.high, a.high - b.low
    if op is BinaryOp.SHL:
        if not 0 <= b.low <= b.high < 64:
            return -(1 << 64), 1 << 64
        ends = [x << n for x in (a.low, a.high) for n in (b.low, b.high)]
    else:
        ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(ends), max(ends)


def _bit_bounds(op: BinaryOp, a: C, b: C, kind: DType) -> tuple[int, int]:
    least, most = kind.bounds
    if op is BinaryOp.BITAND and (a.low >= 0 or b.low >= 0):
        return 0, min(x.high for x in (a, b) if x.low >= 0)
    if a.low >= 0 and b.low >= 0:
        return 0, min(most, (1 << max(a.high, b.high).bit_length()) - 1)
    return least, most


def _compare(op: BinaryOp, a: C, b: C, kind: DType, prelude: Prelude) -> C:
    if kind.is_int and (a.wraps or b.wraps):
        plain = (a.low >= 0 and b.low >= 0) or op in (BinaryOp.EQ, BinaryOp.NE)
        if not plain:  # one signed side would be read as unsigned
            a, b = (_signed(x, kind, prelude) for x in (a, b))
    return infix(op, a, b).within(0, 1)


def _signed(a: C, kind: DType, prelude: Prelude) -> C:
    """`a` with a signed C type."""
    if not a.wraps:
        return a
    return C(f"({c_type(kind, prelude)}){a.at(UNARY)}", UNARY, a.low, a.high)


def _extreme(op: BinaryOp, a: C, b: C, kind: DType, prelude: Prelude) -> C:
    name = op.value
    if kind.kind == "b":
        return infix(BinaryOp.AND if op is BinaryOp.MIN else BinaryOp.OR, a, b).within(0, 1)
    if kind.is_float:
        return C(f"f{name}{'f' if kind.bits == 32 else ''}({a.text}, {b.text})")
    a, b = _signed(a, kind, prelude), _signed(b, kind, prelude)
    pick: Callable[[int, int], int] = min if op is BinaryOp.MIN else max
    return C(f"{name}({a.text}, {b.text})", low=pick(a.low, b.low), high=pick(a.high, b.high))


def _floor(op: BinaryOp, a: C, b: C, kind: DType, prelude: Prelude) -> C:
    """Python's // and %: C's where nothing is negative, else a function."""
    assert kind.is_int, "the verifier lets no float pass"
    trunc = BinaryOp.TRUNCDIV if op is BinaryOp.FLOORDIV else BinaryOp.TRUNCMOD
    if a.low >= 0 and b.low >= 0:
        return _truncated(trunc, a, b)
    a, b = _signed(a, kind, prelude), _signed(b, kind, prelude)
    wide = i64 if kind.bits == 64 else i32
    t = c_type(wide, prelude)
    zero = f"0{SUFFIX['u64' if kind.bits == 64 else 'u32']}"
    if op is BinaryOp.FLOORDIV:
        name, low, high = "floor_div", *kind.bounds
        # the smallest number has no negation: it wraps
        body = (
            f"if (b == -1) return ({t})({zero} - a); "
            f"return a / b - (a % b != 0 && (a < 0) != (b < 0));"
        )
    else:
        name, low, high = "floor_mod", min(b.low + 1, 0), max(b.high - 1, 0)
        body = f"{t} r = b == -1 ? 0 : a % b; return r != 0 && (r < 0) != (b < 0) ? r + b : r;"
    prelude.function(t, name, f"{t} a, {t} b", body, key=f"{name} {wide}")
    if wide != kind:  # the function takes int
        return narrowed(C(f"{name}({a.text}, {b.text})"), kind, prelude).within(low, high)
    casts = [x.text if kind.bits == 32 else f"({t}){x.at(UNARY)}" for x in (a, b)]
    return C(f"{name}({', '.join(casts)})", low=low, high=high)


def select(cond: C, a: C, b: C, kind: DType) -> C:
    """`cond ? a : b`."""
    text = f"{cond.at(TERNARY + 1)} ? {a.at(TERNARY + 1)} : {b.at(TERNARY)}"
    wraps = kind.is_int and (a.wraps or b.wraps)
    return C(text, TERNARY, min(a.low, b.low), max(a.high, b.high), wraps)
