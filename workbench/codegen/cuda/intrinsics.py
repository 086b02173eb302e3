"""One rule for each intrinsic of the IR, on scalars: what to call in CUDA."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.base.errors import CodegenError
from workbench.codegen.clike import ATOM, EQUAL, UNARY, C
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.cuda.scalar import settle
from workbench.codegen.cuda.types import c_type
from workbench.ir.types import DType, i32, u32

_WARP = 32


@dataclass(frozen=True, slots=True)
class CallSite:
    """Arguments of one call, and what surrounds it.

    Attributes
    ----------
    args : sequence of C
        The arguments.
    types : tuple of DType
        Their types, one lane each.
    prelude : Prelude
        Gets the functions that the text calls.
    threads : int
        Threads of a block; what lanes a warp has depends on it.
    block : tuple of int
        Extents of the block.
    """

    args: Sequence[C]
    types: tuple[DType, ...]
    prelude: Prelude
    threads: int = _WARP
    block: tuple[int, int, int] = (_WARP, 1, 1)

    @property
    def type(self) -> DType:
        """Type of the first argument."""
        return self.types[0]


Rule = Callable[[CallSite], C]


def _math(f64_name: str) -> Rule:
    def rule(site: CallSite) -> C:
        if site.type.bits == 16:
            raise CodegenError(f"{f64_name} on {site.type} needs the pass legalize_half")
        suffix = "f" if site.type.bits == 32 else ""
        return C(f"{f64_name}{suffix}({', '.join(a.text for a in site.args)})")

    return rule


def _test(name: str) -> Rule:
    def rule(site: CallSite) -> C:
        return C(f"{name}({site.args[0].text})", low=0, high=1)

    return rule


def _abs(site: CallSite) -> C:
    kind = site.type
    if kind.is_float:
        return _math("fabs")(site)
    a = settle(site.args[0], kind, site.prelude)
    low, high = kind.bounds
    if a.low >= 0:
        return a
    if a.low > low:
        name = "llabs" if kind.bits == 64 else "abs"
        return C(f"{name}({a.text})", low=0, high=max(-a.low, a.high))
    t = c_type(kind, site.prelude)  # the smallest number has no magnitude: it wraps
    body = f"return x < 0 ? ({t})({'0ull' if kind.bits == 64 else '0u'} - x) : x;"
    site.prelude.function(t, f"abs_{kind}", f"{t} x", body)
    return C(f"abs_{kind}({a.text})", low=low, high=high)


def _popcount(site: CallSite) -> C:
    kind, a = site.type, site.args[0]
    if kind.bits == 64:
        return C(f"__popcll({a.text})", low=0, high=64)
    text = a.text
    if kind.kind == "i" and kind.bits < 32:  # without the copies of the sign
        text = f"(unsigned {'char' if kind.bits == 8 else 'short'}){a.at(UNARY)}"
    return C(f"__popc({text})", low=0, high=kind.bits)


def _dot4(site: CallSite) -> C:
    a, b = (c_type(t.vector(4), site.prelude) for t in site.types[:2])
    kinds = ".".join(f"{'us'[t.kind == 'i']}32" for t in site.types[:2])
    body = f'int r; asm("dp4a.{kinds} %0, %1, %2, %3;" : "=r"(r) : '
    body += '"r"(*(int*)&a), "r"(*(int*)&b), "r"(c)); return r;'
    name = site.prelude.function("int", "dot4", f"{a} a, {b} b, int c", body, f"dot4 {kinds}")
    return C(f"{name}({', '.join(x.text for x in site.args)})").within(*i32.bounds)


def _linear(site: CallSite) -> str:
    """Number of the thread in its block, x fastest."""
    x, y, _ = site.block
    if site.block[1:] == (1, 1):
        return "threadIdx.x"
    return f"threadIdx.x + {x} * (threadIdx.y + {y} * threadIdx.z)"


def _mask(site: CallSite) -> str:
    """The lanes of this thread's warp; the last warp of a block may have fewer than 32."""
    rest = site.threads % _WARP
    if rest == 0:
        return "0xffffffffu"
    if site.threads < _WARP:
        return f"0x{(1 << rest) - 1:x}u"
    body = f"unsigned t = {_linear(site)}; return t < {site.threads - rest} ? 0xffffffffu : "
    body += f"0x{(1 << rest) - 1:x}u;"
    return f"{site.prelude.function('unsigned', 'warp_lanes', '', body)}()"


def _shuffle(name: str) -> Rule:
    def rule(site: CallSite) -> C:
        value, lane = site.args
        narrow = site.type.bits < 32
        t = c_type(site.type, site.prelude)
        if lane.low >= 0 and lane.high < _WARP:
            text = value.text
            if narrow:
                text = f"({'unsigned' if site.type.kind != 'i' else 'int'}){value.at(UNARY)}"
            call = f"{name}({_mask(site)}, {text}, {lane.text})"
            result = C(f"({t}){call}", UNARY) if narrow else C(call, ATOM, wraps=value.wraps)
        else:
            settled = settle(lane, site.types[1], site.prelude)
            result = C(f"{_guarded(name, site)}({value.text}, {settled.text})")
        return result.within(*site.type.bounds)

    return rule


_SOURCES = {
    "__shfl_sync": "n",
    "__shfl_up_sync": "lane - n",
    "__shfl_down_sync": "lane + n",
    "__shfl_xor_sync": "lane ^ n",
}


def _guarded(name: str, site: CallSite) -> str:
    """A shuffle that gives the own value where the lane is outside the warp."""
    t, mask = c_type(site.type, site.prelude), _mask(site)
    called = name.removeprefix("__").removesuffix("_sync")
    wide = t
    if site.type.bits < 32:
        wide = "int" if site.type.kind == "i" else "unsigned"
    number = "unsigned long long" if site.types[1].bits == 64 else "unsigned"
    lane = "" if called == "shfl" else f"unsigned lane = ({_linear(site)}) % 32;\n"
    body = (
        f"{lane}{number} from = {_SOURCES[name]};\n"
        f"{t} y = ({t})__shfl_sync({mask}, ({wide})x, (int)from);\n"
        "return from < 32 ? y : x;"
    )
    key = f"{called} {site.type} {number}"
    return site.prelude.function(t, called, f"{t} x, {number} n", body, key)


def _ballot(site: CallSite) -> C:
    text = f"__ballot_sync({_mask(site)}, {site.args[0].text})"
    return C(text).within(*u32.bounds)


def _vote(name: str) -> Rule:
    def rule(site: CallSite) -> C:
        return C(f"{name}({_mask(site)}, {site.args[0].text}) != 0", EQUAL, 0, 1)

    return rule


def _barrier(site: CallSite) -> C:
    del site
    return C("__syncthreads()")


def _warp_barrier(site: CallSite) -> C:
    return C(f"__syncwarp({_mask(site) if site.threads % _WARP else ''})")


_RENAMED = {"round": "rint"}
_MATH = """exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh
    asinh acosh atanh erf floor ceil round trunc pow atan2 fmod fma""".split()

RULES: dict[str, Rule] = {
    **{name: _math(_RENAMED.get(name, name)) for name in _MATH},
    "abs": _abs,
    "isnan": _test("isnan"),
    "isinf": _test("isinf"),
    "popcount": _popcount,
    "dot4": _dot4,
    "syncthreads": _barrier,
    "syncwarp": _warp_barrier,
    "shfl": _shuffle("__shfl_sync"),
    "shfl_up": _shuffle("__shfl_up_sync"),
    "shfl_down": _shuffle("__shfl_down_sync"),
    "shfl_xor": _shuffle("__shfl_xor_sync"),
    "ballot": _ballot,
    "vote_any": _vote("__any_sync"),
    "vote_all": _vote("__all_sync"),
}
"""Every intrinsic by name."""
