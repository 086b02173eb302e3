"""Words about memory and the launch: tensors, vectors, atomics."""

from __future__ import annotations

import ast

from workbench.ir.build import load
from workbench.ir.expr import Atomic, Expr
from workbench.ir.stmt import Store
from workbench.ir.types import DType, Scope, TensorType
from workbench.mapping import Layout
from workbench.script import names
from workbench.script.context import Allocation, Context, Done, Value, describe
from workbench.script.convert import convert
from workbench.script.launching import lower_launch
from workbench.script.place import place


def _options(
    ctx: Context, node: ast.Call, form: str, wanted: tuple[str, ...], least: int
) -> dict[str, ast.expr]:
    """Arguments by name; `least` of them must be there."""
    if len(node.args) > len(wanted):
        raise ctx.error(node, f"too many arguments: {form}")
    given = dict(zip(wanted, node.args, strict=False))
    for each in node.keywords:
        if each.arg not in wanted or each.arg in given:
            raise ctx.error(each, f"unexpected argument {each.arg}: {form}")
        given[each.arg] = each.value
    for name in wanted[:least]:
        if name not in given:
            raise ctx.error(node, f"{name} is missing: {form}")
    return given


def atomic_word(ctx: Context, node: ast.Call, word: names.AtomicWord) -> Atomic:
    """``atomic_add(t[i, j], value)`` and its like."""
    if ctx.whole is not node:
        raise ctx.error(
            node,
            f"{word.name} cannot stand inside an expression",
            f"write old = {word.form} on a line of its own",
        )
    if node.keywords:
        raise ctx.error(node.keywords[0], f"{word.name} takes no named arguments: {word.form}")
    wanted = word.form.count(",") - 1
    tensor, index, rest = place(ctx, node, node.args, wanted)
    kind = tensor.tensor.dtype
    if len(rest) != wanted:
        raise ctx.error(node, f"{word.name} takes an element and {wanted} more: {word.form}")
    values: list[Expr] = []
    for each in rest:
        with ctx.at(each):
            values.append(convert(ctx.operand(each), kind, f"{tensor.name}[...]", rounds=True))
    compare = values[0] if wanted > 1 else None
    return Atomic(word.op, tensor, index, values[-1], compare, kind)


def load_word(ctx: Context, node: ast.Call) -> Value:
    """``load(t[i, j], lanes=4)``."""
    keywords = {k.arg: k.value for k in node.keywords}
    if set(keywords) - {"lanes"}:
        raise ctx.error(node, f"the form is {names.load.form}")
    lanes = 1
    if "lanes" in keywords:
        lanes = ctx.known_int(keywords["lanes"], "lanes")
        if lanes not in (1, 2, 4, 8, 16):
            raise ctx.error(keywords["lanes"], f"a vector has 1, 2, 4, 8 or 16 lanes, not {lanes}")
    tensor, index, rest = place(ctx, node, node.args, 0, lanes)
    if rest:
        raise ctx.error(rest[0], f"the form is {names.load.form}")
    return load(tensor, index, lanes)


def store_word(ctx: Context, node: ast.Call) -> Done:
    """``store(t[i, j], vector)``."""
    if ctx.whole is not node:
        raise ctx.error(node, "store(...) has no value", "let it stand on a line of its own")
    if node.keywords or not node.args:
        raise ctx.error(node, f"the form is {names.store.form}")
    value = ctx.operand(node.args[-1])
    kind = value.type if isinstance(value, Expr) else None
    lanes = kind.lanes if isinstance(kind, DType) else 1
    tensor, index, rest = place(ctx, node, node.args[:-1], 0, lanes)
    if rest:
        raise ctx.error(rest[0], f"the form is {names.store.form}")
    to = tensor.tensor.dtype.vector(lanes)
    stored = convert(value, to, f"{tensor.name}[...]", rounds=True)
    ctx.emit(Store(tensor, index, stored, span=ctx.span(node)))
    return Done()


def _allocate(ctx: Context, node: ast.Call, scope: Scope, form: str) -> Allocation:
    given = _options(ctx, node, form, ("dtype", "shape", "layout"), 2)
    kind = ctx.known(given["dtype"], "the dtype of a tensor")
    if not isinstance(kind, DType) or kind.lanes != 1:
        raise ctx.error(given["dtype"], f"a dtype is needed here; this is {describe(kind)}")
    shape = extents(ctx, given["shape"], "an extent")
    layout = ctx.known(given["layout"], "a layout") if "layout" in given else None
    if layout is not None and not isinstance(layout, Layout):
        raise ctx.error(given["layout"], f"a layout is needed here; this is {describe(layout)}")
    if layout is not None and layout.shape != shape:
        raise ctx.error(
            given["layout"], f"the layout has the shape {layout.shape}, the tensor {shape}"
        )
    return Allocation(TensorType(kind, shape, scope, layout))


def extents(ctx: Context, node: ast.expr, what: str) -> tuple[int, ...]:
    """Positive integers known at translation: one, or a tuple of them."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    found: list[int] = []
    for part in parts:
        value = ctx.known(part, what)
        for each in value if isinstance(value, tuple | list) and len(parts) == 1 else (value,):
            if isinstance(each, bool) or not isinstance(each, int):
                raise ctx.error(part, f"{what} is an integer; this is {describe(each)}")
            if each < 1:
                raise ctx.error(part, f"{what} is at least 1, not {each}")
            found.append(each)
    return tuple(found)


def shared_word(ctx: Context, node: ast.Call) -> Allocation:
    """``shared(f32, (16, 16))``."""
    return _allocate(ctx, node, Scope.SHARED, names.shared.form)


def register_word(ctx: Context, node: ast.Call) -> Allocation:
    """``register(f32, (4, 4))``."""
    return _allocate(ctx, node, Scope.REGISTER, names.register.form)


def launch_word(ctx: Context, node: ast.Call) -> Done:
    """``launch(grid=4, block=(32, 8))``."""
    given = _options(ctx, node, names.launch.form, ("grid", "block"), 2)
    sizes = {name: extents(ctx, value, f"the {name}") for name, value in given.items()}
    return lower_launch(ctx, node, given, sizes)
