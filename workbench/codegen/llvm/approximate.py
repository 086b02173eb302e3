"""Elementary functions of f32 as LLVM functions on vectors: polynomials after range reduction.

Errors are at most about 2 units in the last place against float64; the tests measure it. The
coefficients are series coefficients where the interval is short, else Chebyshev fits made for
this file in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set

from workbench.codegen.llvm.emit import literal
from workbench.ir.types import f32, f64

_LN2_HIGH = 0.693145751953125  # 12 bits, so that its product with an exponent is exact in f32
_LN2_LOW = math.log(2) - _LN2_HIGH

_EXP = (
    1.0, 1.0, 0.5, 0.1666657666611994, 0.04166655421299533, 0.008363232883680616,
    0.001392625083033422,
)  # fmt: skip
"""exp(x) in powers of x for abs(x) <= log(2) / 2."""

_ERF_NEAR = (
    1.1283791664799743, -0.3761263216743614, 0.11283671016218476, -0.02685803195858212,
    0.005197642556090092, -0.0008104441953902836, 8.209796859270497e-05,
)  # fmt: skip
"""erf(x) / x in powers of x**2 for 0 <= x <= 0.95."""

_ERF_FAR = (
    -0.0003041767555416186, 1.1301702936614961, 0.6319313445141947, 0.10998330225140397,
    -0.02636741531790124, 0.00474111792704233, -0.0005929505292187438, 4.561102090371091e-05,
    -1.6150450162862165e-06,
)  # fmt: skip
"""-log(1 - erf(x)) in powers of x for 0.95 <= x <= 4."""


class Body:
    """The text of an LLVM function of one f32 argument, scalar or vector.

    Parameters
    ----------
    shape : str
        ``float`` or ``<16 x float>``.
    extras : set of str
        What the machine has for vectors of 16, see `generate`.
    """

    def __init__(self, shape: str, extras: Set[str] = frozenset()) -> None:
        self.shape = shape
        self.scales = "scalef" in extras and shape == "<16 x float>"
        self.ints = shape.replace("float", "i32")
        self.flags = shape.replace("float", "i1")
        self.wide = shape.replace("float", "double")
        self.suffix = f"v{shape[1:].split(' ', maxsplit=1)[0]}" if shape[0] == "<" else ""
        self.lines: list[str] = []
        self.uses: set[str] = set()

    def let(self, text: str) -> str:
        """An instruction with a result."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {text}")
        return name

    def _constant(self, text: str, element: str) -> str:
        return f"splat ({element} {text})" if self.shape[0] == "<" else text

    def number(self, value: float) -> str:
        """An f32 constant."""
        return self._constant(literal(value, f32), "float")

    def double(self, value: float) -> str:
        """An f64 constant."""
        return self._constant(literal(value, f64), "double")

    def integer(self, value: int) -> str:
        """An i32 constant."""
        return self._constant(str(value), "i32")

    def op(self, word: str, a: str, b: str, shape: str = "") -> str:
        """An instruction of two operands of one type."""
        return self.let(f"{word} {shape or self.shape} {a}, {b}")

    def intrinsic(self, name: str, *args: str, shape: str = "") -> str:
        """An LLVM intrinsic on values of one type."""
        shape = shape or self.shape
        element = {"float": "f32", "double": "f64", "i32": "i32"}[shape.strip("<>").split(" ")[-1]]
        full = f"llvm.{name}.{self.suffix}{element}"
        kinds = ", ".join([shape] * len(args))
        self.uses.add(f"declare {shape} @{full}({kinds})")
        return self.let(f"call {shape} @{full}({', '.join(f'{shape} {a}' for a in args)})")

    def fma(self, a: str, b: str, c: str, shape: str = "") -> str:
        """`a * b + c`."""
        return self.intrinsic("fma", a, b, c, shape=shape)

    def polynomial(self, x: str, coefficients: Sequence[float]) -> str:
        """Sum of coefficients[i] * x**i, by Horner's rule."""
        total = self.number(coefficients[-1])
        for each in reversed(coefficients[:-1]):
            total = self.fma(total, x, self.number(each))
        return total

    def select(self, cond: str, a: str, b: str, shape: str = "") -> str:
        """`a` where `cond`, else `b`."""
        shape = shape or self.shape
        return self.let(f"select {self.flags} {cond}, {shape} {a}, {shape} {b}")

    def compare(self, how: str, a: str, b: str) -> str:
        """A comparison of floats."""
        return self.op(f"fcmp {how}", a, b)

    def bits(self, x: str) -> str:
        """The bits of a float."""
        return self.let(f"bitcast {self.shape} {x} to {self.ints}")

    def float_of(self, bits: str) -> str:
        """The float with these bits."""
        return self.let(f"bitcast {self.ints} {bits} to {self.shape}")

    def clamp(self, x: str, low: float, high: float) -> str:
        """`x` held between two numbers; NaN stays."""
        below = self.compare("olt", x, self.number(low))
        x = self.select(below, self.number(low), x)
        above = self.compare("ogt", x, self.number(high))
        return self.select(above, self.number(high), x)

    def with_sign(self, magnitude: str, sign: str) -> str:
        """`magnitude` with the sign of `sign`."""
        return self.intrinsic("copysign", magnitude, sign)


def _power_of_two(b: Body, biased: str) -> str:
    """2**n of n + 254 from `_whole`, within the exponents of normal numbers."""
    return b.op("shl", b.op("sub", biased, b.integer(127), b.ints), b.integer(23), b.ints)


def _scaled(b: Body, x: str, power: tuple[str, str]) -> str:
    """`x * 2**n` of n from `_whole`, in two steps that neither over- nor underflow.

    The factors' exponents are half of n, and the rest; each with its bias of 127.
    """
    biased, n = power
    if b.scales:
        name, kind = "llvm.x86.avx512.mask.scalef.ps.512", b.shape
        b.uses.add(f"declare {kind} @{name}({kind}, {kind}, {kind}, i16, i32)")
        all_lanes, as_set = "i16 -1", "i32 4"  # and rounding as the processor is set to
        args = f"{kind} {x}, {kind} {n}, {kind} zeroinitializer, {all_lanes}, {as_set}"
        return b.let(f"call {kind} @{name}({args})")
    half = b.op("shl", b.op("ashr", biased, b.integer(1), b.ints), b.integer(23), b.ints)
    rest = b.op("sub", b.op("shl", biased, b.integer(23), b.ints), half, b.ints)
    return b.op("fmul", b.op("fmul", x, b.float_of(half)), b.float_of(rest))


def _whole(b: Body, x: str, factor: float = 1.0) -> tuple[str, str]:
    """The integer n next to `x * factor`: as n + 254 in the low 9 bits, and as f32.

    They are the low bits of the sum with 1.5 * 2**23 + 254: machines have no saturating
    conversion of vectors, and another has no value for NaN. Of NaN the float is NaN.
    """
    magic = b.number(1.5 * 2**23 + 254)
    shifted = b.fma(x, b.number(factor), magic)
    return b.bits(shifted), b.op("fsub", shifted, magic)


def _exponent_part(b: Body, x: str) -> tuple[tuple[str, str], str]:
    """The power n, as from `_whole`, and r with x = n ln 2 + r and abs(r) <= ln(2) / 2."""
    power = _whole(b, x, 1 / math.log(2))
    r = b.fma(power[1], b.number(-_LN2_HIGH), x)
    return power, b.fma(power[1], b.number(-_LN2_LOW), r)


def _exp_less_one(b: Body, r: str) -> str:
    """exp(r) - 1 for abs(r) <= 0.35, by its series."""
    tail = b.polynomial(r, [1 / math.factorial(i) for i in range(2, 9)])
    return b.fma(b.op("fmul", r, r), tail, r)


def exp(b: Body, x: str) -> str:
    """e**x."""
    power, r = _exponent_part(b, b.clamp(x, -104.0, 89.0))
    return _scaled(b, b.polynomial(r, _EXP), power)


def exp2(b: Body, x: str) -> str:
    """2**x."""
    x = b.clamp(x, -151.0, 129.0)
    power = _whole(b, x)
    r = b.op("fmul", b.op("fsub", x, power[1]), b.number(math.log(2)))
    return _scaled(b, b.polynomial(r, _EXP), power)


def expm1(b: Body, x: str) -> str:
    """e**x - 1."""
    big = exp(b, x)
    near = _expm1_near(b, b.clamp(x, -30.0, 40.0))
    found = b.select(b.compare("ogt", x, b.number(40.0)), big, near)
    return b.select(b.compare("oeq", x, b.number(0.0)), x, found)  # keeps the sign of zero


def _expm1_near(b: Body, x: str) -> str:
    """e**x - 1 where e**x neither over- nor underflows."""
    power, r = _exponent_part(b, x)
    scale = b.float_of(_power_of_two(b, power[0]))
    return b.fma(scale, _exp_less_one(b, r), b.op("fsub", scale, b.number(1.0)))


def _log_parts(b: Body, x: str) -> tuple[str, str]:
    """E and log(m) with x = m * 2**e and sqrt(1/2) <= m < sqrt(2), for x > 0."""
    tiny = b.compare("olt", x, b.number(2.0**-126))
    x = b.select(tiny, b.op("fmul", x, b.number(2.0**23)), x)
    raw = b.bits(x)
    root = 0x3F3504F3  # bits of sqrt(1/2)
    e = b.op("ashr", b.op("sub", raw, b.integer(root), b.ints), b.integer(23), b.ints)
    m = b.float_of(b.op("sub", raw, b.op("shl", e, b.integer(23), b.ints), b.ints))
    number = b.let(f"sitofp {b.ints} {e} to {b.shape}")
    number = b.select(tiny, b.op("fsub", number, b.number(23.0)), number)
    f = b.op("fsub", m, b.number(1.0))
    s = b.op("fdiv", f, b.op("fadd", f, b.number(2.0)))
    z = b.op("fmul", s, s)
    tail = b.op("fmul", z, b.polynomial(z, [2 / (2 * i + 3) for i in range(5)]))
    half = b.op("fmul", b.op("fmul", f, f), b.number(0.5))
    # log(1 + f) = 2 atanh(s) = f - (f**2 / 2 - s (f**2 / 2 + tail)), where little cancels
    inner = b.op("fsub", half, b.op("fmul", s, b.op("fadd", half, tail)))
    return number, b.op("fsub", f, inner)


def _log_edges(b: Body, x: str, found: str) -> str:
    """The logarithm of 0, of negative numbers, infinity and NaN."""
    infinity = b.compare("oeq", x, b.number(math.inf))
    found = b.select(infinity, x, found)
    found = b.select(b.compare("oeq", x, b.number(0.0)), b.number(-math.inf), found)
    return b.select(b.compare("uge", x, b.number(0.0)), found, b.number(math.nan))


def _nan_kept(b: Body, x: str, found: str) -> str:
    return b.select(b.compare("uno", x, x), x, found)


def log(b: Body, x: str) -> str:
    """Natural logarithm."""
    e, part = _log_parts(b, x)
    total = b.fma(e, b.number(_LN2_HIGH), b.fma(e, b.number(_LN2_LOW), part))
    return _nan_kept(b, x, _log_edges(b, x, total))


def log2(b: Body, x: str) -> str:
    """Logarithm to base 2."""
    e, part = _log_parts(b, x)
    return _nan_kept(b, x, _log_edges(b, x, b.fma(part, b.number(1 / math.log(2)), e)))


def log10(b: Body, x: str) -> str:
    """Logarithm to base 10."""
    e, part = _log_parts(b, x)
    high = 0.301025390625  # 12 bits of log10(2)
    low = b.fma(e, b.number(math.log10(2) - high), b.op("fmul", part, b.number(1 / math.log(10))))
    return _nan_kept(b, x, _log_edges(b, x, b.fma(e, b.number(high), low)))


def log1p(b: Body, x: str) -> str:
    """log(1 + x): what the sum loses in rounding is added to first order."""
    u = b.op("fadd", x, b.number(1.0))
    lost = b.op("fsub", x, b.op("fsub", u, b.number(1.0)))
    e, part = _log_parts(b, u)
    part = b.op("fadd", part, b.op("fdiv", lost, u))
    total = b.fma(e, b.number(_LN2_HIGH), b.fma(e, b.number(_LN2_LOW), part))
    found = _log_edges(b, u, total)
    small = b.compare("olt", b.intrinsic("fabs", x), b.number(2.0**-25))
    return _nan_kept(b, x, b.select(small, x, found))


def tanh(b: Body, x: str) -> str:
    """Hyperbolic tangent, by expm1 of twice the magnitude."""
    size = b.clamp(b.intrinsic("fabs", x), 0.0, 10.0)
    t = _expm1_near(b, b.op("fadd", size, size))
    found = b.op("fdiv", t, b.op("fadd", t, b.number(2.0)))
    return b.with_sign(found, x)


def erf(b: Body, x: str) -> str:
    """Error function."""
    size = b.clamp(b.intrinsic("fabs", x), 0.0, 4.0)
    near = b.op("fmul", size, b.polynomial(b.op("fmul", size, size), _ERF_NEAR))
    power = b.op("fsub", b.number(0.0), b.polynomial(size, _ERF_FAR))
    far = b.op("fsub", b.number(1.0), exp(b, power))
    found = b.select(b.compare("olt", size, b.number(0.95)), near, far)
    return b.with_sign(_nan_kept(b, x, found), x)


def _angle(b: Body, x: str) -> tuple[str, str]:
    """Quadrant and rest of an angle, in f64: exact enough up to 2**30."""
    wide = b.let(f"fpext {b.shape} {x} to {b.wide}")
    n = b.op("fmul", wide, b.double(2 / math.pi), b.wide)
    # the low bits of n + 1.5 * 2**52 are the nearest integer, see `_whole`
    shifted = b.op("fadd", n, b.double(1.5 * 2**52), b.wide)
    n = b.op("fsub", shifted, b.double(1.5 * 2**52), b.wide)
    high = math.pi / 2
    low = 6.123233995736766e-17  # pi / 2 less its nearest f64
    r = b.fma(n, b.double(-high), wide, b.wide)
    r = b.fma(n, b.double(-low), r, b.wide)
    longs = b.ints.replace("i32", "i64")
    bits = b.let(f"bitcast {b.wide} {shifted} to {longs}")
    return b.let(f"trunc {longs} {bits} to {b.ints}"), r


def _series(b: Body, z: str, coefficients: Sequence[float]) -> str:
    total = b.double(coefficients[-1])
    for each in reversed(coefficients[:-1]):
        total = b.fma(total, z, b.double(each), b.wide)
    return total


def _sine_cosine(b: Body, x: str) -> tuple[str, str, str]:
    """Quadrant, sine and cosine of the rest, in f64."""
    n, r = _angle(b, x)
    z = b.op("fmul", r, r, b.wide)
    sine = _series(b, z, [(-1) ** i / math.factorial(2 * i + 1) for i in range(7)])
    cosine = _series(b, z, [(-1) ** i / math.factorial(2 * i) for i in range(8)])
    return n, b.op("fmul", r, sine, b.wide), cosine


def _turned(b: Body, n: str, even: str, odd: str) -> str:
    """`even` in even quadrants, else `odd`; negative in the third and fourth."""
    one = b.op("and", n, b.integer(1), b.ints)
    swap = b.let(f"icmp ne {b.ints} {one}, {b.integer(0)}")
    found = b.select(swap, odd, even, b.wide)
    narrow = b.let(f"fptrunc {b.wide} {found} to {b.shape}")
    two = b.op("and", n, b.integer(2), b.ints)
    sign = b.op("shl", two, b.integer(30), b.ints)
    return b.float_of(b.op("xor", b.bits(narrow), sign, b.ints))


def sin(b: Body, x: str) -> str:
    """Sine, for magnitudes up to 2**30."""
    n, sine, cosine = _sine_cosine(b, x)
    zero = b.compare("oeq", x, b.number(0.0))
    return b.select(zero, x, _turned(b, n, sine, cosine))


def cos(b: Body, x: str) -> str:
    """Cosine, for magnitudes up to 2**30."""
    n, sine, cosine = _sine_cosine(b, x)
    return _turned(b, b.op("add", n, b.integer(1), b.ints), sine, cosine)


Approximation = Callable[[Body, str], str]

APPROXIMATIONS: dict[str, Approximation] = {
    each.__name__: each for each in (exp, exp2, expm1, log, log2, log10, log1p, tanh, erf, sin, cos)
}
"""By name of the intrinsic."""

BOUNDED: dict[str, float] = {"sin": 2.0**30, "cos": 2.0**30}
"""The largest magnitude that an approximation takes; beyond it the C library is called."""


def definition(name: str, shape: str, extras: Set[str] = frozenset()) -> tuple[str, set[str]]:
    """An LLVM function ``wb.<name>.<shape>`` and the declarations it needs."""
    b = Body(shape, extras)
    result = APPROXIMATIONS[name](b, "%x")
    head = f"define internal {shape} @{symbol(name, shape)}({shape} %x) {{"
    return "\n".join((head, *b.lines, f"  ret {shape} {result}", "}", "")), b.uses


def symbol(name: str, shape: str) -> str:
    """Name of the LLVM function."""
    return f"wb.{name}.{shape.strip('<>').replace(' ', '')}"
