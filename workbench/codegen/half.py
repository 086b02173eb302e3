"""Numbers rounded to f32, and as the bits of a half: f16 and bf16, which travel as integers."""

from __future__ import annotations

import math
import struct
from fractions import Fraction


def half_bits(value: float, scalar: str) -> int:
    """The bits of `value` in f16 or bf16, rounded once, to nearest even.

    Examples
    --------
    >>> hex(half_bits(1.0, "f16")), hex(half_bits(1.0, "bf16")), hex(half_bits(1e9, "f16"))
    ('0x3c00', '0x3f80', '0x7c00')
    """
    exponent_bits, mantissa_bits = (5, 10) if scalar == "f16" else (8, 7)
    sign = 0x8000 if math.copysign(1.0, value) < 0 else 0
    top = (1 << exponent_bits) - 1
    if math.isnan(value):
        return sign | top << mantissa_bits | 1 << (mantissa_bits - 1)
    infinite = sign | top << mantissa_bits
    if math.isinf(value):
        return infinite
    bias = top >> 1
    exponent = max(math.frexp(value)[1] - 1, 1 - bias) if value else 1 - bias
    # Python rounds a Fraction to nearest even, exactly
    steps = round(Fraction(abs(value)) / Fraction(2) ** (exponent - mantissa_bits))
    if exponent > bias:
        return infinite
    bits = steps + ((exponent + bias - 1) << mantissa_bits)  # a carry goes into the exponent
    return min(sign | bits, infinite)


def rounded(number: float) -> float:
    """`number` in f32; infinite beyond the largest.

    Examples
    --------
    >>> rounded(0.5), rounded(-1e39)
    (0.5, -inf)
    """
    try:
        return struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
