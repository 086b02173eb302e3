"""Intrinsics: what a Call may name besides a device function. One row each.

Every intrinsic has one rule in each of codegen.cuda, codegen.llvm and interp; a test fails when
one is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from workbench.base.errors import WorkbenchError
from workbench.ir.types import DType, boolean, i32, u32


class Group(Enum):
    """Threads that must come together for an intrinsic to happen."""

    THREAD = "thread"
    WARP = "warp"
    BLOCK = "block"


TypingRule = Callable[[tuple[DType, ...]], DType | None]


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """One intrinsic.

    Attributes
    ----------
    name : str
        As in scripts and in the text form.
    parameters : tuple of str
        Names of its arguments.
    rule : callable
        Types of the arguments → type of the result (None when there is none), or raises
        WorkbenchError.
    group : Group
        Which threads take part.
    doc : str
        One sentence for the reader.
    mixed : bool
        Whether arguments keep their types instead of meeting in one.
    """

    name: str
    parameters: tuple[str, ...]
    rule: TypingRule
    group: Group
    doc: str
    mixed: bool = False

    @property
    def pure(self) -> bool:
        """Whether it depends on its arguments alone and does nothing else."""
        return self.group is Group.THREAD


def _floating(args: tuple[DType, ...]) -> DType:
    if not args[0].is_float or any(a != args[0] for a in args):
        raise WorkbenchError(f"takes floats of one type, not {', '.join(map(str, args))}")
    return args[0]


def _float_test(args: tuple[DType, ...]) -> DType:
    return boolean.vector(_floating(args).lanes)


def _number(args: tuple[DType, ...]) -> DType:
    if args[0].kind == "b":
        raise WorkbenchError("takes a number, not bool")
    return args[0]


def _integer(args: tuple[DType, ...]) -> DType:
    if not args[0].is_int:
        raise WorkbenchError(f"takes an integer, not {args[0]}")
    return i32.vector(args[0].lanes)


def _dot4(args: tuple[DType, ...]) -> DType:
    if any(t.lanes != 4 or t.bits != 8 or not t.is_int for t in args[:2]) or args[2] != i32:
        raise WorkbenchError(f"takes 4 + 4 bytes and i32, not {', '.join(map(str, args))}")
    return i32


def _nothing(args: tuple[DType, ...]) -> None:
    del args


def _shuffle(args: tuple[DType, ...]) -> DType:
    value, lane = args
    if value.lanes != 1 or value.kind == "b" or not lane.is_int:
        raise WorkbenchError(f"takes a number and an integer lane, not {value} and {lane}")
    return value


def _vote(args: tuple[DType, ...]) -> DType:
    if args[0] != boolean:
        raise WorkbenchError(f"takes a bool, not {args[0]}")
    return boolean


def _ballot(args: tuple[DType, ...]) -> DType:
    _vote(args)
    return u32


_MATH = {
    "exp": "e to the power x",
    "exp2": "2 to the power x",
    "expm1": "exp(x) - 1 without cancellation",
    "log": "natural logarithm",
    "log2": "logarithm to base 2",
    "log10": "logarithm to base 10",
    "log1p": "log(1 + x) without cancellation",
    "sqrt": "square root",
    "rsqrt": "1 / sqrt(x)",
    "sin": "sine",
    "cos": "cosine",
    "tan": "tangent",
    "asin": "arc sine",
    "acos": "arc cosine",
    "atan": "arc tangent",
    "sinh": "hyperbolic sine",
    "cosh": "hyperbolic cosine",
    "tanh": "hyperbolic tangent",
    "asinh": "inverse hyperbolic sine",
    "acosh": "inverse hyperbolic cosine",
    "atanh": "inverse hyperbolic tangent",
    "erf": "error function",
    "floor": "largest integer not above x",
    "ceil": "smallest integer not below x",
    "round": "nearest integer, ties to even",
    "trunc": "x without its fraction",
}

_ROWS = (
    *(Intrinsic(n, ("x",), _floating, Group.THREAD, d) for n, d in _MATH.items()),
    Intrinsic("abs", ("x",), _number, Group.THREAD, "magnitude"),
    Intrinsic("pow", ("x", "y"), _floating, Group.THREAD, "x to the power y"),
    Intrinsic("atan2", ("y", "x"), _floating, Group.THREAD, "angle of the point (x, y)"),
    Intrinsic("fmod", ("x", "y"), _floating, Group.THREAD, "remainder with the sign of x"),
    Intrinsic("fma", ("a", "b", "c"), _floating, Group.THREAD, "a * b + c, rounded once"),
    Intrinsic("isnan", ("x",), _float_test, Group.THREAD, "whether x is not a number"),
    Intrinsic("isinf", ("x",), _float_test, Group.THREAD, "whether x is infinite"),
    Intrinsic("popcount", ("x",), _integer, Group.THREAD, "bits that are set"),
    Intrinsic(
        "dot4", ("a", "b", "c"), _dot4, Group.THREAD, "c + the sum of a[i] * b[i], wrapping", True
    ),
    Intrinsic("syncthreads", (), _nothing, Group.BLOCK, "waits for all threads of the block"),
    Intrinsic("syncwarp", (), _nothing, Group.WARP, "waits for all lanes of the warp"),
    Intrinsic("shfl", ("value", "lane"), _shuffle, Group.WARP, "value of lane `lane`"),
    Intrinsic("shfl_up", ("value", "delta"), _shuffle, Group.WARP, "value of lane - delta"),
    Intrinsic("shfl_down", ("value", "delta"), _shuffle, Group.WARP, "value of lane + delta"),
    Intrinsic("shfl_xor", ("value", "mask"), _shuffle, Group.WARP, "value of lane ^ mask"),
    Intrinsic("ballot", ("predicate",), _ballot, Group.WARP, "one bit per lane"),
    Intrinsic("vote_any", ("predicate",), _vote, Group.WARP, "whether any lane says so"),
    Intrinsic("vote_all", ("predicate",), _vote, Group.WARP, "whether all lanes say so"),
)

INTRINSICS: dict[str, Intrinsic] = {row.name: row for row in _ROWS}
"""All intrinsics by name. A shuffle from a lane outside the warp of 32 gives the own value."""
