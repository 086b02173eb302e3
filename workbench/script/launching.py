"""The launch of a kernel, and whether it has enough threads for a task mapping."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from math import prod

from workbench.ir.expr import Binary, BinaryOp, Builtin, Const, Expr, Var
from workbench.ir.module import Launch
from workbench.mapping import TaskMapping
from workbench.script.context import Context, Done

LIMITS = {"grid": (2**31 - 1, 65535, 65535), "block": (1024, 1024, 64)}
"""Largest extents of a launch, x first. Source: CUDA C++ Programming Guide, "Compute
Capabilities", table of technical specifications."""

THREAD_LIMIT = 1024
"""Most threads of a block."""


def lower_launch(
    ctx: Context,
    node: ast.Call,
    given: Mapping[str, ast.expr],
    sizes: Mapping[str, tuple[int, ...]],
) -> Done:
    """Take note of a launch.

    Raises
    ------
    ScriptError
        A second launch, one that is not first, or more than three axes.
    """
    if ctx.launch is not None:
        raise ctx.error(node, "a kernel has one launch; this is a second one")
    if ctx.whole is not node or len(ctx.bodies) > 1 or ctx.bodies[0] or ctx.loops:
        raise ctx.error(
            node,
            "launch(...) comes before everything the kernel does",
            "move it to the top of the function",
        )
    for name, size in sizes.items():
        if len(size) > 3:
            raise ctx.error(given[name], f"the {name} has up to 3 axes, not {len(size)}")
        _check_limits(ctx, given[name], name, size)
    grid, block = ((*sizes[n], 1, 1)[:3] for n in ("grid", "block"))
    ctx.launch = Launch((grid[0], grid[1], grid[2]), (block[0], block[1], block[2]))
    return Done()


def _check_limits(ctx: Context, node: ast.expr, name: str, size: tuple[int, ...]) -> None:
    for axis, extent, limit in zip("xyz", size, LIMITS[name], strict=False):
        if extent > limit:
            raise ctx.error(node, f"the {name} has up to {limit} along {axis}, not {extent}")
    if name == "block" and prod(size) > THREAD_LIMIT:
        raise ctx.error(node, f"a block has up to {THREAD_LIMIT} threads, not {prod(size)}")


def check_workers(ctx: Context, node: ast.expr, mapping: TaskMapping, worker: Expr) -> None:
    """Refuse a mapping with more workers than the launch can make of `worker`.

    Raises
    ------
    ScriptError
        Some workers of the mapping would not exist, so some tasks would be left undone.
    """
    highest = largest(ctx, worker)
    if highest is None or highest + 1 >= mapping.workers or ctx.launch is None:
        return
    raise ctx.error(
        node,
        f"{mapping} has {mapping.workers} workers, but {ast.unparse(node)} stays below "
        f"{highest + 1} with grid={_short(ctx.launch.grid)}, block={_short(ctx.launch.block)}",
        "launch more threads, or use a mapping with fewer workers",
    )


def _short(sizes: tuple[int, int, int]) -> str:
    kept = sizes[: max([k + 1 for k in range(3) if sizes[k] > 1], default=1)]
    return str(kept[0]) if len(kept) == 1 else str(kept)


def largest(ctx: Context, expr: Expr) -> int | None:
    """The largest value of a non-negative expression of the launch; None when it is not plain."""
    match expr:
        case Const(value=bool() | float()):
            return None
        case Const(value=value):
            return int(value) if value >= 0 else None
        case Builtin(name=name):
            return _builtin(ctx.launch, name)
        case Var():
            return largest(ctx, ctx.lets[expr]) if expr in ctx.lets else None
        case Binary(op=op, a=a, b=b):
            left, right = largest(ctx, a), largest(ctx, b)
            if left is None or right is None:
                return None
            return _combine(op, left, right, isinstance(b, Const))
        case _:
            return None


def _builtin(launch: Launch | None, name: str) -> int | None:
    if launch is None:
        return None
    group, _, axis = name.partition(".")
    sizes = launch.block if group in ("threadIdx", "blockDim") else launch.grid
    size = sizes["xyz".index(axis)]
    return size - 1 if group in ("threadIdx", "blockIdx") else size


def _combine(op: BinaryOp, a: int, b: int, known: bool) -> int | None:
    match op:
        case BinaryOp.ADD:
            return a + b
        case BinaryOp.MUL:
            return a * b
        case BinaryOp.FLOORDIV if known and b > 0:
            return a // b
        case BinaryOp.FLOORMOD if known and b > 0:
            return min(a, b - 1)
        case BinaryOp.BITAND if known:
            return min(a, b)
        case _:
            return None
