"""Expressions: a closed union, so that a `match` over it can be checked as complete."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import Enum

from workbench.ir.node import REF, Node
from workbench.ir.types import DType, TensorType, boolean, i32

_uids = itertools.count(1)


class UnaryOp(Enum):
    """Operators of one operand; the value is the text form."""

    NEG = "-"
    NOT = "not"
    INVERT = "~"


class BinaryOp(Enum):
    """Operators of two operands; the value is the text form.

    FLOORDIV and FLOORMOD are Python's, for every sign. TRUNCDIV and TRUNCMOD are C's; only
    `arith` makes them, where it has proved both operands non-negative. MIN and MAX of floats
    give the other operand when one is NaN, as C's fmin and fmax do. AND and OR work on bool,
    without side effects and not short-circuited; BITAND, BITOR, BITXOR, SHL and SHR on integers.
    """

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    FLOORDIV = "//"
    FLOORMOD = "%"
    TRUNCDIV = "tdiv"
    TRUNCMOD = "tmod"
    MIN = "min"
    MAX = "max"
    BITAND = "&"
    BITOR = "|"
    BITXOR = "^"
    SHL = "<<"
    SHR = ">>"
    AND = "and"
    OR = "or"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EQ = "=="
    NE = "!="

    # members are compared by identity: that of the name costs a call for each look into a set
    __hash__ = object.__hash__


COMPARISONS = frozenset(
    {BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE, BinaryOp.EQ, BinaryOp.NE}
)


class AtomicOp(Enum):
    """Read-modify-write operators of one memory word; the value is the text form."""

    ADD = "add"
    MIN = "min"
    MAX = "max"
    AND = "and"
    OR = "or"
    XOR = "xor"
    EXCHANGE = "exchange"
    COMPARE_EXCHANGE = "cas"


@dataclass(frozen=True, slots=True, eq=False)
class Const(Node):
    """A number known now; `value` is a Python int, float or bool that fits `type`."""

    value: int | float | bool
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Var(Node):
    """A variable: a parameter, a local scalar, or a tensor. Identity is what counts."""

    name: str
    type: DType | TensorType
    uid: int = field(default_factory=lambda: next(_uids))

    @property
    def tensor(self) -> TensorType:
        """Its type, when it is a tensor."""
        assert isinstance(self.type, TensorType), f"{self.name} is no tensor"
        return self.type


@dataclass(frozen=True, slots=True, eq=False)
class Builtin(Node):
    """A coordinate of the launch: ``threadIdx.x``, ``blockIdx.z``, ``blockDim.x``, ``gridDim.y``.

    Its type is i32 and its value never negative.
    """

    name: str
    type: DType = i32


@dataclass(frozen=True, slots=True, eq=False)
class Unary(Node):
    """`op a`."""

    op: UnaryOp
    a: Expr
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Node):
    """`a op b`; both operands have the same type, which comparisons turn into bool."""

    op: BinaryOp
    a: Expr
    b: Expr
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Cast(Node):
    """`a` converted to `type`: to integer towards zero, to a narrower integer by wrapping,
    to a narrower float to nearest even, to bool as `a != 0`.
    """

    a: Expr
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Select(Node):
    """`a` where `cond`, else `b`; a load in the branch not taken is not performed."""

    cond: Expr
    a: Expr
    b: Expr
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Load(Node):
    """An element of `tensor`, or `type.lanes` neighbours along the last dimension.

    At level `script` the index has one entry per dimension; at level `lowered` it has one, the
    address in elements.
    """

    tensor: Var = field(metadata=REF)
    index: tuple[Expr, ...]
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Atomic(Node):
    """Atomic update of one element; gives the old value. Only as a whole statement or as the
    whole right-hand side of a Declare or Assign.
    """

    op: AtomicOp
    tensor: Var = field(metadata=REF)
    index: tuple[Expr, ...]
    value: Expr
    compare: Expr | None
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """A call of an intrinsic (see `intrinsic`) or of a device function of the module."""

    function: str
    args: tuple[Expr, ...]
    type: DType | None


@dataclass(frozen=True, slots=True, eq=False)
class Pack(Node):
    """A short vector made of scalars."""

    elements: tuple[Expr, ...]
    type: DType


@dataclass(frozen=True, slots=True, eq=False)
class Extract(Node):
    """Lane `lane` of a short vector."""

    vector: Expr
    lane: int
    type: DType


Expr = (
    Const | Var | Builtin | Unary | Binary | Cast | Select | Load | Atomic | Call | Pack | Extract
)


def value_type(expr: Expr) -> DType:
    """The number type of what is no tensor and has a value."""
    assert isinstance(expr.type, DType), f"{expr} has no value"
    return expr.type


BUILTINS = tuple(
    f"{group}.{axis}"
    for group in ("threadIdx", "blockIdx", "blockDim", "gridDim")
    for axis in ("x", "y", "z")
)

TRUE = Const(True, boolean)
FALSE = Const(False, boolean)
