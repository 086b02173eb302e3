"""Rules of expressions; `verify` checks statements and calls these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from workbench.base.errors import VerifyError, WorkbenchError
from workbench.ir.build import const
from workbench.ir.expr import (
    BUILTINS,
    COMPARISONS,
    Atomic,
    AtomicOp,
    Binary,
    BinaryOp,
    Builtin,
    Call,
    Cast,
    Const,
    Expr,
    Extract,
    Load,
    Pack,
    Select,
    Unary,
    UnaryOp,
    Var,
    value_type,
)
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.module import Function
from workbench.ir.naming import LANES
from workbench.ir.node import Node
from workbench.ir.traverse import children
from workbench.ir.types import DType, Scope, TensorType, boolean, i32

LOGICAL = frozenset({BinaryOp.AND, BinaryOp.OR})
INTEGER = frozenset(
    {
        BinaryOp.FLOORDIV,
        BinaryOp.FLOORMOD,
        BinaryOp.TRUNCDIV,
        BinaryOp.TRUNCMOD,
        BinaryOp.SHL,
        BinaryOp.SHR,
    }
)
BITS = frozenset({BinaryOp.BITAND, BinaryOp.BITOR, BinaryOp.BITXOR})

ATOMIC_KINDS: dict[AtomicOp, frozenset[str]] = {
    AtomicOp.ADD: frozenset({"i32", "u32", "i64", "u64", "f32", "f64"}),
    **dict.fromkeys((AtomicOp.MIN, AtomicOp.MAX), frozenset({"i32", "u32", "i64", "u64"})),
    **dict.fromkeys(
        (AtomicOp.AND, AtomicOp.OR, AtomicOp.XOR), frozenset({"i32", "u32", "i64", "u64"})
    ),
    AtomicOp.EXCHANGE: frozenset({"i32", "u32", "i64", "u64", "f32", "f64"}),
    AtomicOp.COMPARE_EXCHANGE: frozenset({"i32", "u32", "i64", "u64"}),
}
"""Element types of each atomic, as every CUDA architecture since sm_60 has them."""


@dataclass(frozen=True)
class ExprRules:
    """What an expression may use where it stands."""

    visible: set[Var]
    functions: Mapping[str, Function]
    lowered: bool


def integer_scalar(kind: object) -> bool:
    """Whether this is an integer type of one lane."""
    return isinstance(kind, DType) and kind.is_int and kind.lanes == 1


def check_expr(root: Expr, stmt: Node, rules: ExprRules, *, atomic: bool = False) -> None:
    """Check an expression of `stmt`; only `atomic` lets its root be an atomic or have no value."""
    seen: set[Node] = set()
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        operands = children(node)
        stack.extend(operands)
        for operand in operands:
            _operand(operand, node, stmt)
        if isinstance(node, Atomic) and not (atomic and node is root):
            _fail("an atomic is an operand; it must be a statement or a whole value", node, stmt)
        _rule(node, stmt, rules)
    if not atomic and not isinstance(root.type, DType):
        _fail("this has no value", root, stmt)


def check_access(
    tensor: Var, index: tuple[Expr, ...], lanes: int, node: Node, rules: ExprRules
) -> None:
    """Check a load, store or atomic of `tensor`."""
    if not isinstance(tensor.type, TensorType):
        _fail(f"{tensor.name} is {tensor.type}, no tensor", node, node)
    if tensor not in rules.visible:
        _fail(f"{tensor.name} is used where it is not declared", node, node)
    kind = tensor.type
    rank = 1 if rules.lowered else len(kind.shape)
    if len(index) != rank:
        what = "level lowered has one flat index" if rules.lowered else f"{kind} has {rank}"
        count = f"{len(index)} {'index' if len(index) == 1 else 'indices'}"
        _fail(f"{count} for {tensor.name}: {what}", node, node)
    for each in index:
        if not integer_scalar(each.type):
            _fail(f"an index of {tensor.name} is {each.type}, no integer", each, node)
    if lanes not in LANES:
        _fail(f"{lanes} lanes of {tensor.name}; there may be 1, 2, 4, 8 or 16", node, node)
    if rules.lowered and kind.layout is not None:
        _fail(f"{tensor.name} has a layout at level lowered", node, node)


def _fail(message: str, node: Node, stmt: Node, hint: str | None = None) -> NoReturn:
    raise VerifyError(message, node.span or stmt.span, hint)


def _operand(operand: Node, node: Node, stmt: Node) -> None:
    kind = getattr(operand, "type", None)
    if isinstance(kind, TensorType):
        assert isinstance(operand, Var)
        _fail(f"tensor {operand.name} is an operand; index it", node, stmt)
    if kind is None:
        _fail("a call without a value is an operand", node, stmt)


def _rule(node: Node, stmt: Node, rules: ExprRules) -> None:  # noqa: C901, PLR0912
    match node:
        case Const():
            _const(node, stmt)
        case Var():
            if node not in rules.visible:
                _fail(f"{node.name} is used where it is not declared", node, stmt)
        case Builtin():
            if node.name not in BUILTINS or node.type != i32:
                _fail(f"there is no builtin {node.name}: {node.type}", node, stmt)
        case Unary():
            _unary(node, stmt)
        case Binary():
            _binary(node, stmt)
        case Cast():
            if value_type(node.a).lanes not in (1, node.type.lanes) or node.type.lanes not in LANES:
                _fail(f"{node.a.type} cannot become {node.type}", node, stmt)
        case Select():
            _select(node, stmt)
        case Load():
            check_access(node.tensor, node.index, node.type.lanes, node, rules)
            _agree(node, node.tensor.tensor.dtype.vector(node.type.lanes), stmt)
        case Atomic():
            _atomic(node, stmt, rules)
        case Call():
            _call(node, stmt, rules)
        case Pack() | Extract():
            _lanes(node, stmt)
        case _:
            _fail(f"{type(node).__name__} is no expression", node, stmt)


def _agree(node: Expr, want: DType | None, stmt: Node) -> None:
    if node.type != want:
        _fail(
            f"{type(node).__name__} has type {node.type}, it gives {want or 'nothing'}", node, stmt
        )


def _const(node: Const, stmt: Node) -> None:
    kind = node.type
    fits = kind.lanes == 1 and (
        isinstance(node.value, float)
        if kind.is_float
        else const(node.value, kind).value == node.value and not isinstance(node.value, float)
    )
    if not fits:
        _fail(f"{node.value!r} is no {kind}", node, stmt)


def _unary(node: Unary, stmt: Node) -> None:
    kind = value_type(node.a)
    takes = {
        UnaryOp.NEG: kind.kind != "b",
        UnaryOp.NOT: kind.kind == "b",
        UnaryOp.INVERT: kind.is_int,
    }
    if not takes[node.op]:
        _fail(f"{node.op.value} does not take {kind}", node, stmt)
    _agree(node, kind, stmt)


def _binary(node: Binary, stmt: Node) -> None:
    a, b = value_type(node.a), value_type(node.b)
    if a != b:
        _fail(f"{node.op.value} takes two values of one type, not {a} and {b}", node, stmt)
    if node.op in LOGICAL:
        right = a.kind == "b"
    elif node.op is BinaryOp.DIV:
        right = a.is_float
    elif node.op in INTEGER:
        right = a.is_int
    elif node.op in BITS:
        right = not a.is_float
    else:
        right = a.kind != "b" or node.op in (BinaryOp.EQ, BinaryOp.NE)
    if not right:
        _fail(f"{node.op.value} does not take {a}", node, stmt)
    truth = node.op in LOGICAL or node.op in COMPARISONS
    _agree(node, boolean.vector(a.lanes) if truth else a, stmt)


def _select(node: Select, stmt: Node) -> None:
    if value_type(node.cond) != boolean and value_type(node.cond) != boolean.vector(
        node.type.lanes
    ):
        _fail(f"the condition is {node.cond.type}, not bool", node, stmt)
    if node.a.type != node.b.type:
        _fail(f"the two values are {node.a.type} and {node.b.type}", node, stmt)
    _agree(node, value_type(node.a), stmt)


def _atomic(node: Atomic, stmt: Node, rules: ExprRules) -> None:
    check_access(node.tensor, node.index, 1, node, rules)
    kind = node.tensor.tensor
    if kind.scope not in (Scope.GLOBAL, Scope.SHARED):
        _fail(
            f"atomic of the {kind.scope.value} tensor {node.tensor.name}; only global and shared "
            "memory has atomics",
            node,
            stmt,
        )
    if kind.dtype.name not in ATOMIC_KINDS[node.op]:
        _fail(
            f"atomic {node.op.value} does not take {kind.dtype}",
            node,
            stmt,
            f"it takes {', '.join(sorted(ATOMIC_KINDS[node.op]))}",
        )
    if (node.compare is None) == (node.op is AtomicOp.COMPARE_EXCHANGE):
        _fail(
            f"atomic {node.op.value} with{'out' * (node.compare is None)} a value to compare",
            node,
            stmt,
        )
    for value in (node.value, *((node.compare,) if node.compare else ())):
        if value.type != kind.dtype:
            _fail(f"{node.tensor.name} holds {kind.dtype}, the value is {value.type}", node, stmt)
    _agree(node, kind.dtype, stmt)


def _call(node: Call, stmt: Node, rules: ExprRules) -> None:
    types = tuple(map(value_type, node.args))
    function = rules.functions.get(node.function)
    if function is not None:
        want = tuple(p.type for p in function.params)
        if function.launch is not None or types != want:
            _fail(
                f"{node.function} takes ({', '.join(map(str, want))}), "
                f"not ({', '.join(map(str, types))})",
                node,
                stmt,
            )
        _agree(node, function.result, stmt)
        return
    row = INTRINSICS.get(node.function)
    if row is None:
        _fail(
            f"{node.function} is no intrinsic and no function before this one",
            node,
            stmt,
            "device functions stand before their callers and do not call themselves",
        )
    if len(types) != len(row.parameters):
        _fail(
            f"{node.function} takes {len(row.parameters)} arguments, not {len(types)}", node, stmt
        )
    try:
        result = row.rule(types)
    except WorkbenchError as error:
        _fail(f"{node.function} {error.message}", node, stmt)
    _agree(node, result, stmt)


def _lanes(node: Pack | Extract, stmt: Node) -> None:
    if isinstance(node, Extract):
        kind = value_type(node.vector)
        if not 0 <= node.lane < kind.lanes or kind.lanes == 1:
            _fail(f"lane {node.lane} of {kind}", node, stmt)
        _agree(node, kind.element, stmt)
        return
    if node.type.lanes != len(node.elements) or node.type.lanes not in LANES[1:]:
        _fail(f"{len(node.elements)} elements make no {node.type}", node, stmt)
    for each in node.elements:
        if each.type != node.type.element:
            _fail(f"an element of {node.type} is {each.type}", node, stmt)
