"""Calls: words of the language, casts, intrinsics, device functions, Python at translation."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Callable, Mapping
from functools import reduce
from types import MethodType
from typing import cast as typed

from workbench.base.errors import WorkbenchError
from workbench.ir.build import Operand, add, binary, cast, truth
from workbench.ir.expr import BinaryOp, Call, Expr, Pack, Var
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.node import Node
from workbench.ir.types import DType
from workbench.mapping import TaskMapping
from workbench.script import names
from workbench.script.context import Allocation, Context, Done, Value, describe, is_tensor, runs
from workbench.script.convert import convert
from workbench.script.lower_memory import (
    atomic_word,
    launch_word,
    load_word,
    register_word,
    shared_word,
    store_word,
)
from workbench.script.operators import ceil_divide, intrinsic, is_bool, power


def lower_call(ctx: Context, node: ast.Call) -> Value:
    """The value of a call."""
    _check_stars(ctx, node)
    callee = ctx.value(node.func)
    if isinstance(callee, DType):
        return _cast(ctx, node, callee)
    if isinstance(callee, names.AtomicWord):
        return atomic_word(ctx, node, callee)
    if isinstance(callee, names.MathWord):
        return _intrinsic(ctx, node, callee.name, [ctx.value(each) for each in node.args])
    word = _WORDS.get(id(callee))
    if word is not None:
        return word(ctx, node)
    if isinstance(callee, Node):
        raise ctx.error(node, f"{describe(callee)} cannot be called")
    function = ctx.device(ctx, callee, node)
    if function is not None:
        return Call(function.name, _device_args(ctx, node, function.params), function.result)
    return _python(ctx, node, callee)


def _check_stars(ctx: Context, node: ast.Call) -> None:
    for each in node.args:
        if isinstance(each, ast.Starred):
            raise ctx.error(each, "* is not part of the script language", "write the items")
    for each in node.keywords:
        if each.arg is None:
            raise ctx.error(each, "** is not part of the script language")


def _device_args(ctx: Context, node: ast.Call, params: tuple[Var, ...]) -> tuple[Expr, ...]:
    given: dict[str, ast.expr] = dict(zip((p.name for p in params), node.args, strict=False))
    for each in node.keywords:
        assert each.arg is not None
        if each.arg in given:
            raise ctx.error(each, f"{each.arg} is given twice")
        given[each.arg] = each.value
    wanted = [p.name for p in params]
    if len(node.args) > len(params) or sorted(given) != sorted(wanted):
        raise ctx.error(
            node,
            f"{ast.unparse(node.func)} takes {len(params)} arguments "
            f"({', '.join(f'{p.name}: {p.type}' for p in params)}), not {len(node.args)}"
            + "".join(f", {k.arg}" for k in node.keywords),
        )
    args: list[Expr] = []
    for param in params:
        with ctx.at(given[param.name]):
            kind = typed("DType", param.type)
            args.append(convert(ctx.operand(given[param.name]), kind, f"argument {param.name}"))
    return tuple(args)


def _python(ctx: Context, node: ast.Call, callee: object) -> Value:
    """A call that Python makes at translation."""
    args = [ctx.value(each) for each in node.args]
    options = {each.arg or "": ctx.value(each.value) for each in node.keywords}
    if not callable(callee):
        raise ctx.error(node, f"{describe(callee)} cannot be called")
    for place_, value in [
        *zip(node.args, args, strict=True),
        *zip((k.value for k in node.keywords), options.values(), strict=True),
    ]:
        if isinstance(value, Allocation | Done) or is_tensor(value) or runs(value):
            raise ctx.error(place_, _not_known(node, callee, value), _instead(callee))
    return ctx.python(node, lambda: callee(*args, **options))


def _not_known(node: ast.Call, callee: object, value: Value) -> str:
    name = ast.unparse(node.func)
    if isinstance(callee, MethodType) and isinstance(callee.__self__, TaskMapping):
        return f"{name}(...) with a value of the kernel stands only in `for ... in {name}(...)`"
    return f"{name} runs at translation and cannot take {describe(value)}"


def _instead(callee: object) -> str | None:
    if callee is range:
        return "use it in a for loop: for k in range(n)"
    if callee is int or callee is float:
        return f"write {'i32' if callee is int else 'f32'}(x) or another dtype to convert"
    if callee is print:
        return "a kernel cannot print; store the value in a tensor"
    if isinstance(callee, TaskMapping):
        return "loop over its tasks: for ... in mapping.on(worker)"
    if isinstance(getattr(callee, "__self__", None), TaskMapping):
        return None
    name = getattr(callee, "__name__", "")
    if name in INTRINSICS:
        return f"use {name} of workbench.lang"
    return "decorate the function with @wb.script to make it a device function"


def _plain_args(ctx: Context, node: ast.Call, form: str, least: int, most: int) -> list[ast.expr]:
    if node.keywords:
        raise ctx.error(node.keywords[0], f"{form} takes no argument {node.keywords[0].arg}")
    if not least <= len(node.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ctx.error(node, f"{form} takes {wanted} arguments, not {len(node.args)}")
    return node.args


def _cast(ctx: Context, node: ast.Call, to: DType) -> Expr:
    many = max(1, to.lanes)
    if node.keywords or len(node.args) not in (1, many):
        lanes = f"1 or {many} values" if many > 1 else "1 value"
        raise ctx.error(node, f"{to}(...) takes {lanes}, not {len(node.args)}")
    values = [ctx.operand(each) for each in node.args]
    if len(values) == 1:
        return _converted(values[0], to)
    lane = to.element
    with ctx.at(node):
        elements = tuple(convert(v, lane, f"a lane of {to}", rounds=True) for v in values)
    return Pack(elements, to)


def _converted(value: Operand, to: DType) -> Expr:
    if isinstance(value, float) and to.is_int and math.isfinite(value):
        value = int(value)
    kind = value.type if isinstance(value, Expr) else None
    if isinstance(kind, DType) and kind.lanes not in (1, to.lanes):
        raise WorkbenchError(f"{kind} has {kind.lanes} lanes and {to} has {to.lanes}")
    return cast(value, to)


def _intrinsic(ctx: Context, node: ast.Call, name: str, values: list[Value]) -> Value:
    if node.keywords:
        raise ctx.error(node.keywords[0], f"{name} takes no argument {node.keywords[0].arg}")
    args = [ctx.number(each, value) for each, value in zip(node.args, values, strict=True)]
    votes = name in ("ballot", "vote_any", "vote_all") and len(args) == 1
    if votes and not is_bool(args[0]):
        args = [truth(args[0])]
    made = intrinsic(name, args)
    if made.type is None and ctx.whole is not node:
        raise ctx.error(node, f"{name}() has no value", "let it stand on a line of its own")
    return made


def _of_kernel(value: Value) -> bool:
    """Whether Python cannot compute with it: a tensor, too, of which only its facts are known."""
    return runs(value) or is_tensor(value)


def _extreme(op: BinaryOp, compute: Callable[..., object]) -> Callable[[Context, ast.Call], Value]:
    def lower(ctx: Context, node: ast.Call) -> Value:
        if node.keywords:
            return _python(ctx, node, compute)
        values = _items(ctx, node)
        if not any(map(_of_kernel, values)):
            return ctx.python(node, compute, values)
        numbers = [ctx.number(node, v) for v in values]
        return reduce(lambda a, b: binary(op, a, b), numbers)

    return lower


def _items(ctx: Context, node: ast.Call) -> list[Value]:
    """The arguments, or the items of the only one."""
    values = [ctx.value(each) for each in node.args]
    if len(values) == 1 and isinstance(values[0], tuple | list):
        return list(typed("list[Value]", values[0]))
    return values


def _sum(ctx: Context, node: ast.Call) -> Value:
    if len(node.args) != 1 or node.keywords:
        return _python(ctx, node, sum)
    values = _items(ctx, node)
    if not any(map(_of_kernel, values)):
        return ctx.python(node, sum, values)
    return add(*(ctx.number(node, v) for v in values))


def _bool(ctx: Context, node: ast.Call) -> Value:
    (arg,) = _plain_args(ctx, node, "bool(x)", 1, 1)
    value = ctx.value(arg)
    return truth(ctx.number(arg, value)) if runs(value) else ctx.holds(arg, value)


def _len(ctx: Context, node: ast.Call) -> Value:
    (arg,) = _plain_args(ctx, node, "len(x)", 1, 1)
    value = ctx.value(arg)
    if is_tensor(value):
        return typed("Var", value).tensor.extents[0]
    if isinstance(value, Node):
        raise ctx.error(node, f"{describe(value)} has no length")
    return ctx.python(node, len, value)


def _pow(ctx: Context, node: ast.Call) -> Value:
    values = [ctx.value(each) for each in _plain_args(ctx, node, "pow(x, y)", 2, 2)]
    if not any(map(_of_kernel, values)):
        return ctx.python(node, pow, *values)
    left, right = (ctx.number(a, v) for a, v in zip(node.args, values, strict=True))
    return power(left, right)


def _ceil_div(ctx: Context, node: ast.Call) -> Value:
    args = _plain_args(ctx, node, "ceil_div(a, b)", 2, 2)
    values = [ctx.value(each) for each in args]
    if not any(map(_of_kernel, values)):
        return ctx.python(node, names.ceil_div, *values)
    left, right = (ctx.number(a, v) for a, v in zip(args, values, strict=True))
    return ceil_divide(left, right)


def _now_or_intrinsic(name: str, compute: Callable[..., object]) -> Callable[..., Value]:
    """A function of Python on known values, else the intrinsic of the same meaning."""

    def lower(ctx: Context, node: ast.Call) -> Value:
        values = [ctx.value(each) for each in node.args]
        if any(map(_of_kernel, values)):
            return _intrinsic(ctx, node, name, values)
        return ctx.python(node, compute, *values)

    return lower


def _print(ctx: Context, node: ast.Call) -> Value:
    raise ctx.error(node, "a kernel cannot print", "store the value in a tensor and look at that")


def _only_in_for(ctx: Context, node: ast.Call) -> Value:
    name = ast.unparse(node.func)
    raise ctx.error(node, f"{name}(...) stands only in a for loop", f"for k in {name}(...)")


_MATH_NAMES: Mapping[str, str] = {name: name for name in INTRINSICS if hasattr(math, name)} | {
    "fabs": "abs"
}

_WORDS: dict[int, Callable[[Context, ast.Call], Value]] = {
    id(names.launch): launch_word,
    id(names.shared): shared_word,
    id(names.register): register_word,
    id(names.load): load_word,
    id(names.store): store_word,
    id(names.unroll): _only_in_for,
    id(names.ceil_div): _ceil_div,
    id(builtins.min): _extreme(BinaryOp.MIN, min),
    id(builtins.max): _extreme(BinaryOp.MAX, max),
    id(builtins.sum): _sum,
    id(builtins.bool): _bool,
    id(builtins.len): _len,
    id(builtins.pow): _pow,
    id(builtins.abs): _now_or_intrinsic("abs", abs),
    id(builtins.round): _now_or_intrinsic("round", round),
    id(builtins.print): _print,
    **{
        id(getattr(math, python)): _now_or_intrinsic(name, getattr(math, python))
        for python, name in _MATH_NAMES.items()
    },
}
"""Rules by identity of the object that is called, whatever the script calls it."""
