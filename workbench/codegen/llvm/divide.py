"""Integer division of lane values: by the pattern of lanes where it divides evenly."""

from __future__ import annotations

from math import gcd

from workbench.codegen.llvm.emit import Emitter, scalar_type
from workbench.codegen.llvm.value import (
    Value,
    divides,
    opaque,
    pattern,
    shared,
    varying,
    with_offsets,
)


def floor_divide(e: Emitter, a: Value, b: Value, truncate: bool = False) -> Value:
    """`a // b` rounded down, or towards zero when `truncate`."""
    d = b.known
    if d is not None and d > 0 and a.scalar is not None and _regular(a, truncate):
        if d == 1:
            return a
        if a.scalar == "0":
            return pattern(a.type, tuple(x // d for x in a.offsets))
        if divides(d, a):  # the shared part divides evenly
            base = _scalar_quotient(e, with_offsets(a, (0,)), d, truncate)
            return with_offsets(base, tuple(x // d for x in a.offsets))
        low = _inside(a, d)
        if low is not None:  # all lanes have one quotient
            return _scalar_quotient(e, with_offsets(a, (low,)), d, truncate)
    return _general(e, a, b, quotient=True, truncate=truncate)


def floor_modulus(e: Emitter, a: Value, b: Value, truncate: bool = False) -> Value:
    """`a % b` with the sign of `b`, or of `a` when `truncate`."""
    d = b.known
    if d is not None and d > 0 and a.scalar is not None and _regular(a, truncate):
        if a.scalar == "0" or divides(d, a):
            return pattern(a.type, tuple(x % d for x in a.offsets))
        low = _inside(a, d)
        if low is not None:
            base = _scalar_rest(e, with_offsets(a, (low,)), d, truncate)
            return with_offsets(base, tuple(x - low for x in a.offsets))
    return _general(e, a, b, quotient=False, truncate=truncate)


def _regular(a: Value, truncate: bool) -> bool:
    """Whether the sum does not wrap, and both roundings agree where the operator rounds to 0."""
    return a.exact and not (truncate and a.range[0] < 0)


def _inside(a: Value, d: int) -> int | None:
    """The start of the stretch, not crossed by a multiple of `d`, that holds all lanes' offsets.

    The shared part is a multiple of m; when m divides d, so is no multiple of d strictly between
    neighbouring multiples of m.
    """
    step = gcd(a.multiple, d)
    low = min(a.offsets) // step * step
    return low if max(a.offsets) < low + step else None


def _scalar_quotient(e: Emitter, a: Value, d: int, truncate: bool) -> Value:
    kind = scalar_type(a.type)
    number = e.scalar(a)
    low, high = a.range
    factor = gcd(a.multiple, a.offsets[0])
    if low >= 0:
        name = e.let(f"udiv {kind} {number}, {d}")
    elif factor % d == 0:
        name = e.let(f"sdiv exact {kind} {number}, {d}")
    else:
        assert not truncate, "checked by the caller"
        name = _floor_scalar(e, kind, number, str(d))[0]
    return shared(a.type, name, low // d, high // d, factor // d if factor % d == 0 else 1)


def _scalar_rest(e: Emitter, a: Value, d: int, truncate: bool) -> Value:
    kind = scalar_type(a.type)
    number = e.scalar(a)
    if a.range[0] >= 0:
        name = e.let(f"urem {kind} {number}, {d}")
    else:
        assert not truncate
        name = _floor_scalar(e, kind, number, str(d))[1]
    factor = gcd(gcd(a.multiple, a.offsets[0]), d)
    high = d - factor
    if a.range[0] >= 0:
        high = min(high, a.range[1])
    return shared(a.type, name, 0, high, factor)


def _floor_scalar(e: Emitter, kind: str, a: str, b: str) -> tuple[str, str]:
    """Quotient and rest rounded down, of scalars or vectors; `b` is not zero."""
    flag = kind.replace(kind.rsplit(" ", 1)[-1].rstrip(">"), "i1") if kind[0] == "<" else "i1"
    zero = "zeroinitializer" if kind[0] == "<" else "0"
    quotient = e.let(f"sdiv {kind} {a}, {b}")
    rest = e.let(f"srem {kind} {a}, {b}")
    inexact = e.let(f"icmp ne {kind} {rest}, {zero}")
    signs = e.let(f"xor {kind} {rest}, {b}")
    differs = e.let(f"icmp slt {kind} {signs}, {zero}")
    adjust = e.let(f"and {flag} {inexact}, {differs}")
    step = e.let(f"sext {flag} {adjust} to {kind}")
    moved = e.let(f"add {kind} {rest}, {b}")
    floored = e.let(f"select {flag} {adjust}, {kind} {moved}, {kind} {rest}")
    return e.let(f"add {kind} {quotient}, {step}"), floored


def _general(e: Emitter, a: Value, b: Value, *, quotient: bool, truncate: bool) -> Value:
    """By instructions. A divisor 0 gives 0, and the smallest number by -1 wraps, as no lane,
    active or not, may trap.
    """
    both = a.uniform and b.uniform
    kind = scalar_type(a.type) if both else e.vector_type(a.type)
    take = e.scalar if both else e.vector
    x, y = take(a), take(b)
    if b.known is not None and b.known not in (0, -1):
        found = _divide(e, a, kind, x, y, truncate)[0 if quotient else 1]
    else:
        found = _safe_divide(e, a, kind, (x, y), quotient, truncate)
    return _with_range(a, b, found, both, quotient)


def _safe_divide(
    e: Emitter, a: Value, kind: str, operands: tuple[str, str], quotient: bool, truncate: bool
) -> str:
    x, y = operands
    vector = kind[0] == "<"
    flag = e.mask_type if vector else "i1"
    one, minus = (f"splat ({scalar_type(a.type)} {n})" if vector else str(n) for n in (1, -1))
    zero = "zeroinitializer" if vector else "0"
    bad = e.let(f"icmp eq {kind} {y}, {zero}")
    negative = e.let(f"icmp eq {kind} {y}, {minus}")
    signed = a.type.kind == "i"
    avoid = e.let(f"or {flag} {bad}, {negative}") if signed else bad
    safe = e.let(f"select {flag} {avoid}, {kind} {one}, {kind} {y}")
    found = _divide(e, a, kind, x, safe, truncate)[0 if quotient else 1]
    if signed and quotient:
        opposite = e.let(f"sub {kind} {zero}, {x}")
        found = e.let(f"select {flag} {negative}, {kind} {opposite}, {kind} {found}")
    return e.let(f"select {flag} {bad}, {kind} {zero}, {kind} {found}")


def _divide(e: Emitter, a: Value, kind: str, x: str, y: str, truncate: bool) -> tuple[str, str]:
    if a.type.kind == "u" or (a.exact and a.range[0] >= 0 and truncate):
        return e.let(f"udiv {kind} {x}, {y}"), e.let(f"urem {kind} {x}, {y}")
    if truncate:
        return e.let(f"sdiv {kind} {x}, {y}"), e.let(f"srem {kind} {x}, {y}")
    return _floor_scalar(e, kind, x, y)


def _with_range(a: Value, b: Value, found: str, both: bool, quotient: bool) -> Value:
    d = b.known
    if d is None or d <= 0 or not a.exact or a.range[0] < 0:
        return opaque(a.type, found) if both else varying(a.type, found)
    low, high = (a.range[0] // d, a.range[1] // d) if quotient else (0, min(d - 1, a.range[1]))
    return shared(a.type, found, low, high) if both else varying(a.type, found, low, high)
