"""Elements of tensors: the index of a load, a store or an atomic."""

from __future__ import annotations

import ast
from typing import cast as typed

from workbench.ir.build import const
from workbench.ir.expr import Const, Expr, Var
from workbench.ir.types import DType
from workbench.script.context import Context, describe, is_tensor


def tensor_index(
    ctx: Context, node: ast.expr, tensor: Var, index: ast.expr, lanes: int = 1
) -> tuple[Expr, ...]:
    """The index of an element, one integer for each dimension.

    Raises
    ------
    ScriptError
        A wrong number of indices, a slice, an index that is no integer, or a known one that is
        outside.
    """
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    shape = tensor.tensor.extents
    for part in parts:
        if isinstance(part, ast.Slice):
            raise ctx.error(
                part if hasattr(part, "lineno") else node,
                "a slice is not part of the script language",
                "index one element at a time, in a loop",
            )
    if len(parts) != len(shape):
        raise ctx.error(
            node,
            f"{tensor.name} has {_count(len(shape), 'dimension')}: {tensor.tensor}; "
            f"here {'is' if len(parts) == 1 else 'are'} {_count(len(parts), 'index')}",
        )
    found: list[Expr] = []
    for dim, (part, extent) in enumerate(zip(parts, shape, strict=True)):
        room = extent - lanes if dim == len(shape) - 1 else extent - 1
        found.append(_one(ctx, part, tensor, dim, room))
    return tuple(found)


def _one(ctx: Context, part: ast.expr, tensor: Var, dim: int, last: int) -> Expr:
    value = ctx.operand(part)
    number = value.value if isinstance(value, Const) else value
    if isinstance(number, bool | float) or (
        isinstance(value, Expr) and not (isinstance(value.type, DType) and value.type.is_int)
    ):
        raise ctx.error(part, f"an index is an integer; this is {describe(value)}")
    if isinstance(number, int) and not 0 <= number <= last:
        extent = tensor.tensor.extents[dim]
        raise ctx.error(
            part,
            f"index {number} is outside 0 … {last} in dimension {dim} of {tensor.name}, "
            f"whose extent is {extent}",
            "scripts do not count from the end; write the number" if number < 0 else None,
        )
    return const(value) if isinstance(value, int | float) else value


def _count(n: int, word: str) -> str:
    many = {"index": "indices"}.get(word, f"{word}s")
    return f"{n} {word if n == 1 else many}"


def place(
    ctx: Context, call: ast.Call, args: list[ast.expr], others: int, lanes: int = 1
) -> tuple[Var, tuple[Expr, ...], list[ast.expr]]:
    """The element that a call is about, and the arguments that are left.

    Written ``t[i, j]``, or ``t, (i, j)`` as two arguments; `others` arguments follow.
    """
    if args and isinstance(args[0], ast.Subscript):
        base = ctx.value(args[0].value)
        if is_tensor(base):
            tensor = typed("Var", base)
            return tensor, tensor_index(ctx, args[0], tensor, args[0].slice, lanes), args[1:]
    elif len(args) == others + 2:
        base = ctx.value(args[0])
        if is_tensor(base):
            tensor = typed("Var", base)
            return tensor, tensor_index(ctx, args[1], tensor, args[1], lanes), args[2:]
    raise ctx.error(
        args[0] if args else call,
        f"{ast.unparse(call.func)} needs an element of a tensor first",
        "write it as t[i, j]",
    )
