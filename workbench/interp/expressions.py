"""What each expression is worth to each thread of a mask; others get anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from workbench.base.lazy import lazy
from workbench.interp.atomics import atomic
from workbench.interp.intrinsics import GROUP_RULES, THREAD_RULES, undefined
from workbench.interp.machine import Rule
from workbench.interp.memory import load
from workbench.interp.values import (
    DIVISIONS,
    SHIFTS,
    constant,
    convert,
    is_half,
    operation,
    poison,
    round_to,
    unary,
    widen,
)
from workbench.ir.expr import (
    Atomic,
    Binary,
    Builtin,
    Call,
    Cast,
    Const,
    Extract,
    Load,
    Pack,
    Select,
    Unary,
    Var,
    value_type,
)
from workbench.ir.types import DType

if TYPE_CHECKING:
    import numpy as np

    from workbench.interp.machine import Machine, Mask
    from workbench.interp.values import Array
    from workbench.ir.expr import Expr
    from workbench.ir.module import Function
else:
    np = lazy("numpy")


def evaluate(m: Machine, expr: Expr, mask: Mask) -> Array:  # noqa: C901, PLR0912
    """The value of `expr`; see values for the shape of values."""
    match expr:
        case Const():
            return _constant(m, expr)
        case Var():
            return _variable(m, expr, mask)
        case Binary():
            return _binary(m, expr, mask)
        case Load():
            return load(m, expr, evaluate_all(m, expr.index, mask), mask)
        case Builtin():
            return m.builtins[expr.name]
        case Cast():
            return convert(evaluate(m, expr.a, mask), value_type(expr.a), expr.type)
        case Unary():
            return _unary(m, expr, mask)
        case Select():
            return _select(m, expr, mask)
        case Call():
            value = call(m, expr, mask)
            assert value is not None, f"{expr.function} has no value"
            return value
        case Atomic():
            return _atomic(m, expr, mask)
        case Pack():
            return _pack(m, expr, mask)
        case Extract():
            lane = evaluate(m, expr.vector, mask)[expr.lane]
            return lane[0] if len(lane) == 1 else lane
        case _:
            assert_never(expr)


def evaluate_all(m: Machine, exprs: Sequence[Expr], mask: Mask) -> list[Array]:
    """The values of all `exprs`."""
    return [evaluate(m, e, mask) for e in exprs]


def _constant(m: Machine, expr: Const) -> Array:
    found = m.run.constants.get(expr)
    if found is None:
        found = m.run.constants[expr] = constant(expr.value, expr.type)
    return found


def _variable(m: Machine, var: Var, mask: Mask) -> Array:
    value = m.values[var]
    known = m.unset.get(var)
    if known is None:
        return value
    fresh = mask & ~known
    if not fresh.any():
        return value
    m.fault(
        "uninitialised", var, np.flatnonzero(fresh),
        lambda _: f"reads {var.name}, which has no value yet",
    )  # fmt: skip
    return np.where(fresh, poison(value_type(var).element), value)


def _unary(m: Machine, expr: Unary, mask: Mask) -> Array:
    a = evaluate(m, expr.a, mask)
    if is_half(expr.type):
        return round_to(unary(expr.op, widen(a)), expr.type)
    return unary(expr.op, a)


def _binary(m: Machine, expr: Binary, mask: Mask) -> Array:
    spine: list[Binary] = []  # down the left operands in a loop, so that long sums cost no stack
    node: Expr = expr
    while isinstance(node, Binary) and node not in m.fixed:
        spine.append(node)
        node = node.a
    value = m.fixed[node] if isinstance(node, Binary) else evaluate(m, node, mask)
    for each in reversed(spine):
        value = _apply(m, each, value, evaluate(m, each.b, mask), mask)
    return value


def _apply(m: Machine, expr: Binary, a: Array, b: Array, mask: Mask) -> Array:
    rule = m.run.rules.get(expr)
    if rule is None:
        rule = m.run.rules[expr] = _rule(expr)
    if rule.divides:
        return _divide(m, expr, rule, a, b, mask)
    if rule.shifts:
        b = _count(m, expr, b, mask)
    value = rule.apply(a, b)
    if rule.fixed:
        m.fixed[expr] = value
    return value


def _rule(expr: Binary) -> Rule:
    kind = value_type(expr.a)
    checked = kind.is_int and not (isinstance(expr.b, Const) and 0 < expr.b.value < kind.bits)
    return Rule(
        operation(expr.op, kind, expr.type),
        divides=checked and expr.op in DIVISIONS,
        shifts=checked and expr.op in SHIFTS,
        fixed=_is_fixed(expr),
    )


def _is_fixed(expr: Expr) -> bool:
    """Whether it depends on the thread's coordinates alone, and cannot fail."""
    match expr:
        case Const() | Builtin():
            return True
        case Cast():
            return _is_fixed(expr.a)
        case Binary():
            safe = expr.op not in DIVISIONS | SHIFTS or isinstance(expr.b, Const)
            return safe and _is_fixed(expr.b) and _is_fixed(expr.a)
        case _:
            return False


def _divide(m: Machine, expr: Binary, rule: Rule, a: Array, b: Array, mask: Mask) -> Array:
    zero = b == 0
    if not zero.any():
        return rule.apply(a, b)
    found = rule.apply(a, np.where(zero, b.dtype.type(1), b))
    bad = _threads(m, zero, mask)
    sign = expr.op.value
    m.fault("division_by_zero", expr, bad, lambda _: f"divides by zero ({sign})")
    return np.where(zero, poison(value_type(expr.a).element), found)


def _count(m: Machine, expr: Binary, b: Array, mask: Mask) -> Array:
    bits = value_type(expr.a).bits
    outside = (b < 0) | (b >= bits)
    if not outside.any():
        return b
    bad = _threads(m, outside, mask)

    def tell(lane: int) -> str:
        count = int(np.broadcast_to(b, (*b.shape[:-1], m.size))[..., lane].ravel()[0])
        return f"shifts {value_type(expr.a)} by {count}; counts are 0 … {bits - 1}"

    m.fault("shift", expr, bad, tell)
    return np.where(outside, b.dtype.type(0), b)


def _threads(m: Machine, wrong: Array, mask: Mask) -> Array:
    """Positions of the threads of `mask` of which any lane is `wrong`."""
    lanes = wrong.any(axis=0) if wrong.ndim == 2 else wrong
    return np.flatnonzero(mask & lanes)


def _select(m: Machine, expr: Select, mask: Mask) -> Array:
    cond = evaluate(m, expr.cond, mask)
    if cond.ndim == 2:
        return np.where(cond, evaluate(m, expr.a, mask), evaluate(m, expr.b, mask))
    yes, no = m.narrow(mask, cond)
    if no is None and yes is not None:
        return evaluate(m, expr.a, yes)
    if yes is None and no is not None:
        return evaluate(m, expr.b, no)
    assert yes is not None
    assert no is not None
    return np.where(cond, evaluate(m, expr.a, yes), evaluate(m, expr.b, no))


def _atomic(m: Machine, expr: Atomic, mask: Mask) -> Array:
    index = evaluate_all(m, expr.index, mask)
    compare = None if expr.compare is None else evaluate(m, expr.compare, mask)
    return atomic(m, expr, index, evaluate(m, expr.value, mask), compare, mask)


def _pack(m: Machine, expr: Pack, mask: Mask) -> Array:
    lanes = np.broadcast_arrays(*evaluate_all(m, expr.elements, mask))
    return np.stack([np.atleast_1d(lane) for lane in lanes])


def _bind(m: Machine, function: Function, args: Sequence[Expr], mask: Mask) -> None:
    """Give the parameters their values, after all arguments: one may call the same function."""
    numbers: dict[Var, Array] = {}
    for param, arg in zip(function.params, args, strict=True):
        if isinstance(param.type, DType):
            numbers[param] = evaluate(m, arg, mask)
        else:
            assert isinstance(arg, Var), f"{param.name} takes a tensor"
            m.tensors[param] = m.tensors[arg]
    m.values.update(numbers)


def call(m: Machine, expr: Call, mask: Mask) -> Array | None:
    """The result of an intrinsic or of a device function, None when it has none."""
    function = m.run.module.function(expr.function)
    if function is None:
        args = evaluate_all(m, expr.args, mask)
        thread = THREAD_RULES.get(expr.function)
        if thread is not None:
            return thread(args, value_type(expr.args[0]))
        return GROUP_RULES[expr.function](m, expr, args, mask)
    _bind(m, function, expr.args, mask)
    value = m.invoke(m, function, mask)
    if function.result is not None and value is None:
        return undefined(m, function.result)
    return value
