"""Names that mean something in CUDA C++, so that nothing of the user's is called so."""

from __future__ import annotations

from workbench.base.names import C_KEYWORDS
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.types import SCALARS

_LANES = (1, 2, 3, 4, 8, 16)
_VECTORS = "char uchar short ushort int uint long ulong longlong ulonglong float double".split()
_LIBRARY = """abs acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh cospi erf erfc
    erfcinv erfcx erfinv exp exp10 exp2 expm1 fabs fdim fdivide floor fma fmax fmin fmod frexp
    hypot ilogb isfinite isinf isnan j0 j1 jn ldexp lgamma llabs llrint llround log log10 log1p
    log2 logb lrint lround max min modf nan nearbyint nextafter norm normcdf pow rcbrt remainder
    remquo rhypot rint round rsqrt scalbln scalbn signbit sin sincos sincospi sinh sinpi sqrt tan
    tanh tgamma trunc y0 y1 yn clock clock64 printf malloc free memcpy memset assert labs div
    umin umax llmin llmax ullmin ullmax saturate main""".split()
_TYPES = """size_t ptrdiff_t dim3 uint3 cudaStream_t warpSize threadIdx blockIdx blockDim gridDim
    f16 bf16 shared_memory NULL va_arg va_copy va_end va_start std""".split()
_HELPERS = """floor_div floor_mod warp_lanes infinity_f32 infinity_f64 nan_f32 nan_f64 shfl shfl_up
    shfl_down shfl_xor exchange_f64""".split()
_ATOMICS = "Add Sub Exch Min Max Inc Dec CAS And Or Xor".split()

RESERVED: frozenset[str] = frozenset(
    {
        *C_KEYWORDS,
        *_LIBRARY,
        *(f"{name}f" for name in _LIBRARY),
        *_TYPES,
        *_HELPERS,
        *INTRINSICS,
        *(f"atomic{name}" for name in _ATOMICS),
        *(f"{v}{n}" for v in _VECTORS for n in _LANES),
        *(f"make_{v}{n}" for v in _VECTORS for n in _LANES),
        *(f"{s}x{n}" for s in SCALARS for n in _LANES),
        *(f"make_{s}x{n}" for s in SCALARS for n in _LANES),
        *(f"{a}_to_{b}" for a in SCALARS for b in SCALARS),
        *(f"abs_{s}" for s in SCALARS),
    }
)
"""Keywords, types and functions of CUDA, and of the small functions beside a kernel."""
