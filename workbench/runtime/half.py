"""Conversions between f16 and f32 for processors without instructions for them.

LLVM calls these two functions by the names that compilers agree on; no library that a Python
process has loaded need hold them. They are appended to a kernel's LLVM IR.
"""

from __future__ import annotations

FUNCTIONS = """
; f16 bits to f32: the exponent is moved; below 2**-14 a subtraction normalises
define float @__extendhfsf2(half %x) {
  %bits = bitcast half %x to i16
  %wide = zext i16 %bits to i32
  %size = and i32 %wide, 32767
  %signbit = and i32 %wide, 32768
  %sign = shl i32 %signbit, 16
  %shifted = shl i32 %size, 13
  %normal = add i32 %shifted, 939524096
  %special = add i32 %normal, 939524096
  %biased = add i32 %shifted, 947912704
  %sum = bitcast i32 %biased to float
  %small = fsub float %sum, 0x3F10000000000000
  %subnormal = bitcast float %small to i32
  %is_small = icmp ult i32 %size, 1024
  %is_special = icmp uge i32 %size, 31744
  %finite = select i1 %is_small, i32 %subnormal, i32 %normal
  %found = select i1 %is_special, i32 %special, i32 %finite
  %signed = or i32 %found, %sign
  %result = bitcast i32 %signed to float
  ret float %result
}

; f32 to f16, to nearest even: below 2**-14 adding 0.5 rounds, above half of the last place does
define half @__truncsfhf2(float %x) {
  %bits = bitcast float %x to i32
  %size = and i32 %bits, 2147483647
  %signbit = lshr i32 %bits, 16
  %sign = and i32 %signbit, 32768
  %value = bitcast i32 %size to float
  %sum = fadd float %value, 0.5
  %raw = bitcast float %sum to i32
  %subnormal = sub i32 %raw, 1056964608
  %last = lshr i32 %size, 13
  %odd = and i32 %last, 1
  %moved = sub i32 %size, 939520001
  %even = add i32 %moved, %odd
  %normal = lshr i32 %even, 13
  %is_small = icmp ult i32 %size, 947912704
  %is_large = icmp uge i32 %size, 1199570944
  %is_nan = icmp ugt i32 %size, 2139095040
  %special = select i1 %is_nan, i32 32256, i32 31744
  %finite = select i1 %is_small, i32 %subnormal, i32 %normal
  %found = select i1 %is_large, i32 %special, i32 %finite
  %signed = or i32 %found, %sign
  %short = trunc i32 %signed to i16
  %result = bitcast i16 %short to half
  ret half %result
}

@llvm.compiler.used = appending global [2 x ptr]
  [ptr @__extendhfsf2, ptr @__truncsfhf2], section "llvm.metadata"
"""
"""LLVM IR of both functions."""
