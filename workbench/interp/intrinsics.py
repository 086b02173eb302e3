"""One rule for every intrinsic of ir.intrinsic.

Functions of f32 are computed in float64 and rounded once, those of f64 by numpy, and those of a
half by way of f32, as every other operation on halves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.interp.values import fma, is_half, numpy_dtype, poison, round_to
from workbench.ir.types import f32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.interp.machine import Machine, Mask
    from workbench.interp.values import Array
    from workbench.ir.expr import Call
    from workbench.ir.types import DType

    Ints = NDArray[np.int64]
else:
    np = lazy("numpy")

_NUMPY_NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "atan2": "arctan2", "pow": "power", "round": "rint",
}  # fmt: skip
_SAME_NAMES = (
    "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh floor ceil trunc fmod"
).split()


def _erf(x: Array) -> Array:
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def _rsqrt(x: Array) -> Array:
    return np.divide(1.0, np.sqrt(x))


def _named(name: str) -> Callable[..., Array]:
    def rule(*args: Array) -> Array:
        return getattr(np, name)(*args)  # numpy is loaded when first used

    return rule


_FLOAT_RULES: dict[str, Callable[..., Array]] = {
    **{name: _named(name) for name in _SAME_NAMES},
    **{name: _named(theirs) for name, theirs in _NUMPY_NAMES.items()},
    "erf": _erf,
    "rsqrt": _rsqrt,
}


def _float_rule(name: str) -> ThreadRule:
    function = _FLOAT_RULES[name]

    def rule(args: Sequence[Array], kind: DType) -> Array:
        if kind.bits == 64:
            return function(*args)
        found = function(*(a.astype(np.float64) for a in args)).astype(np.float32)
        return round_to(found, kind) if is_half(kind) else found

    return rule


def _abs(args: Sequence[Array], kind: DType) -> Array:
    if is_half(kind):
        return round_to(np.abs(args[0].astype(np.float32)), kind)
    return np.abs(args[0])


def _fma(args: Sequence[Array], kind: DType) -> Array:
    a, b, c = args
    if not is_half(kind):
        return fma(a, b, c, kind)
    wide = fma(
        a.astype(np.float32), b.astype(np.float32), c.astype(np.float32), f32.vector(kind.lanes)
    )
    return round_to(wide, kind)


def _isnan(args: Sequence[Array], kind: DType) -> Array:
    del kind
    return args[0] != args[0]


def _isinf(args: Sequence[Array], kind: DType) -> Array:
    del kind
    return np.isinf(args[0].astype(np.float64))


def _popcount(args: Sequence[Array], kind: DType) -> Array:
    del kind
    value = np.asarray(args[0])
    bits = np.ascontiguousarray(value).view(np.uint8).reshape(*value.shape, value.dtype.itemsize)
    return np.unpackbits(bits, axis=-1).sum(axis=-1, dtype=np.int32)


def _dot4(args: Sequence[Array], kind: DType) -> Array:
    del kind
    a, b, c = (np.asarray(each).astype(np.int64) for each in args)
    return ((a * b).sum(axis=0) + c).astype(np.int32)


ThreadRule = Callable[[Sequence["Array"], "DType"], "Array"]
THREAD_RULES: dict[str, ThreadRule] = {
    **{name: _float_rule(name) for name in _FLOAT_RULES},
    "abs": _abs,
    "fma": _fma,
    "isnan": _isnan,
    "isinf": _isinf,
    "popcount": _popcount,
    "dot4": _dot4,
}
"""Arguments and their type → value."""


def _arrived(m: Machine, node: Call, mask: Mask, group: Ints, what: str) -> Ints:
    """Threads of the groups in which somebody arrived; a fault for who is missing there.

    `group` numbers the warp or block of each thread. Threads that have ended need not arrive.
    """
    here = m.chosen(mask)
    if mask is m.full:
        return here
    came = np.zeros(int(group[-1]) + 1, dtype=bool)
    came[group[here]] = True
    members = came[group]
    missing = np.flatnonzero(members & ~mask & ~m.exited)
    if len(missing):
        absent = int(missing[0])
        waiting = here[group[here] == group[absent]]
        _diverged(m, node, waiting, absent, what)
    return np.flatnonzero(members)


def _diverged(m: Machine, node: Call, waiting: Ints, absent: int, what: str) -> None:
    _, thread = m.position(int(m.clock.thread[absent]))
    m.fault(
        "divergent_barrier" if node.function.startswith("sync") else "inactive_lane",
        node, waiting,
        lambda _: f"comes to {node.function}, but thread {thread} of its {what} does not",
        other=absent,
    )  # fmt: skip


def _syncthreads(m: Machine, node: Call, args: Sequence[Array], mask: Mask) -> Array | None:
    del args
    m.clock.synchronise(_arrived(m, node, mask, m.block, "block"), block=True)
    return None


def _syncwarp(m: Machine, node: Call, args: Sequence[Array], mask: Mask) -> Array | None:
    del args
    m.clock.synchronise(_arrived(m, node, mask, m.warp, "warp"), block=False)
    return None


def _shuffle(
    source: Callable[[Ints, Ints], Ints],
) -> Callable[[Machine, Call, Sequence[Array], Mask], Array]:
    """A rule that fetches from the lane `source(own lane, argument)` of the own warp."""

    def rule(m: Machine, node: Call, args: Sequence[Array], mask: Mask) -> Array:
        _arrived(m, node, mask, m.warp, "warp")
        value = np.broadcast_to(args[0], m.size)
        wanted = source(m.lane, np.broadcast_to(args[1], m.size).astype(np.int64))
        # outside the warp the own value is meant
        wanted = np.where((wanted < 0) | (wanted > 31), m.lane, wanted)
        thread = m.lanes - m.lane + wanted
        exists = m.lanes % m.threads - m.lane + wanted < m.threads
        thread = np.where(exists, thread, m.lanes)
        good = mask[thread] & exists
        if (good | ~mask).all():
            return value[thread]
        m.fault(
            "inactive_lane", node, np.flatnonzero(mask & ~good),
            lambda lane: f"reads lane {int(wanted[lane])} of its warp, which takes no part",
        )  # fmt: skip
        kind = node.args[0].type
        return np.where(good, value[thread], poison(kind))  # pyright: ignore[reportArgumentType]

    return rule


def _per_warp(m: Machine, votes: Mask, mask: Mask) -> Array:
    """For each thread, what the lanes of its warp say: bool, shape [threads, 32]."""
    said = np.zeros((int(m.warp[-1]) + 1, 32), dtype=bool)
    said[m.warp, m.lane] = votes & mask
    return said[m.warp]


def _ballot(m: Machine, node: Call, args: Sequence[Array], mask: Mask) -> Array:
    _arrived(m, node, mask, m.warp, "warp")
    said = _per_warp(m, np.broadcast_to(args[0], m.size), mask)
    return (said * (np.uint64(1) << np.arange(32, dtype=np.uint64))).sum(axis=1).astype(np.uint32)


def _vote_any(m: Machine, node: Call, args: Sequence[Array], mask: Mask) -> Array:
    _arrived(m, node, mask, m.warp, "warp")
    return np.asarray(_per_warp(m, np.broadcast_to(args[0], m.size), mask).any(axis=1))


def _vote_all(m: Machine, node: Call, args: Sequence[Array], mask: Mask) -> Array:
    _arrived(m, node, mask, m.warp, "warp")
    return np.asarray(~_per_warp(m, np.broadcast_to(~args[0], m.size), mask).any(axis=1))


GroupRule = Callable[["Machine", "Call", Sequence["Array"], "Mask"], "Array | None"]
GROUP_RULES: dict[str, GroupRule] = {
    "syncthreads": _syncthreads,
    "syncwarp": _syncwarp,
    "shfl": _shuffle(lambda lane, argument: argument + 0 * lane),
    "shfl_up": _shuffle(lambda lane, argument: lane - argument),
    "shfl_down": _shuffle(lambda lane, argument: lane + argument),
    "shfl_xor": _shuffle(lambda lane, argument: lane ^ argument),
    "ballot": _ballot,
    "vote_any": _vote_any,
    "vote_all": _vote_all,
}
"""Machine, call, arguments and mask → value, where threads act together."""


def undefined(m: Machine, kind: DType) -> Array:
    """Poison for every thread."""
    blank = np.full(m.size, poison(kind.element), dtype=numpy_dtype(kind))
    return blank if kind.lanes == 1 else np.tile(blank, (kind.lanes, 1))
