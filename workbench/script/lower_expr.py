"""Expressions of Python to values: one rule per kind of syntax, nothing else is taken."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import cast as typed

from workbench.ir.build import load, select, truth
from workbench.ir.expr import Builtin, Expr, Extract, Var
from workbench.ir.node import Node
from workbench.ir.traverse import locate
from workbench.ir.types import DType
from workbench.script.context import Context, Value, describe, is_tensor, plain, runs
from workbench.script.lower_call import lower_call
from workbench.script.names import LANGUAGE, Coordinate
from workbench.script.operators import (
    both,
    either,
    known_binary,
    known_compare,
    known_unary,
    run_binary,
    run_compare,
    run_unary,
)
from workbench.script.place import tensor_index
from workbench.script.scope import Binding, Kind, names_in, similar

_UNSUPPORTED: dict[type[ast.expr], tuple[str, str | None]] = {
    ast.Lambda: ("lambda", "write a def of its own and decorate it with @wb.script"),
    ast.JoinedStr: ("an f-string", None),
    ast.Starred: ("a starred expression", "write the items one by one"),
    ast.Yield: ("yield", None),
    ast.YieldFrom: ("yield from", None),
    ast.Await: ("await", None),
    ast.NamedExpr: (":=", "assign on a line of its own"),
    ast.Set: ("a set", "use a tuple"),
    ast.SetComp: ("a set comprehension", "use a list"),
    ast.Slice: ("a slice", "index one element at a time, in a loop"),
}

ITEM_LIMIT = 2**16
"""Most items of what is iterated at translation: an iterator may never end."""


def lower_expr(ctx: Context, node: ast.expr) -> Value:
    """The value of an expression: an IR node, or a Python object known now.

    Raises
    ------
    ScriptError
        At the very place that cannot be translated.
    """
    rule = _RULES.get(type(node))
    if rule is None:
        word, hint = _UNSUPPORTED.get(type(node), (type(node).__name__, None))
        raise ctx.error(node, f"{word} is not part of the script language", hint)
    with ctx.at(node):
        value = rule(ctx, node)
    return locate(value, ctx.span(node)) if isinstance(value, Node) else value


def _constant(ctx: Context, node: ast.Constant) -> Value:
    if isinstance(node.value, complex | bytes) or node.value is ...:
        raise ctx.error(node, f"{node.value!r} is no value of scripts")
    return node.value


def _name(ctx: Context, node: ast.Name) -> Value:
    binding = ctx.scope.find(node.id)
    if binding is not None:
        return binding.value
    if node.id in ctx.scope.ended:
        made = ctx.scope.ended[node.id]
        raise ctx.error(
            node,
            f"{node.id} ended with the block in which it was made"
            + (f" (line {made.line})" if made else ""),
            f"give {node.id} a value before that block",
        )
    if node.id in ctx.assigned.all:
        raise ctx.error(node, f"{node.id} is used before it has a value")
    if node.id in ctx.outer:
        return plain(ctx.outer[node.id], ctx.dims)
    raise ctx.error(node, f"name {node.id!r} is not defined", _meant(ctx, node.id))


def _meant(ctx: Context, name: str) -> str | None:
    if name in LANGUAGE:
        return f"from workbench.lang import {name}"
    local = similar(name, [*ctx.scope.names(), *ctx.assigned.all])
    near = local or similar(name, LANGUAGE) or similar(name, ctx.outer)
    return f"did you mean {near}?" if near else None


def _attribute(ctx: Context, node: ast.Attribute) -> Value:
    base = ctx.value(node.value)
    if isinstance(base, Coordinate):
        if node.attr in ("x", "y", "z"):
            return Builtin(f"{base.name}.{node.attr}")
        raise ctx.error(node, f"{base.name} has x, y and z, no {node.attr}")
    if is_tensor(base):
        return _of_tensor(ctx, node, typed("Var", base))
    if isinstance(base, Node):
        raise ctx.error(node, f"{describe(base)} has no attribute {node.attr}")
    if not ctx.python(node, hasattr, base, node.attr):
        near = similar(node.attr, (n for n in dir(base) if not n.startswith("_")))
        raise ctx.error(
            node,
            f"{describe(base)} has no attribute {node.attr}",
            f"did you mean {near}?" if near else None,
        )
    return ctx.python(node, getattr, base, node.attr)


def _of_tensor(ctx: Context, node: ast.Attribute, tensor: Var) -> Value:
    kind = tensor.tensor
    facts: dict[str, object] = {
        "shape": kind.shape,
        "dtype": kind.dtype,
        "ndim": len(kind.shape),
        "layout": kind.layout,
    }
    if node.attr not in facts:
        raise ctx.error(
            node,
            f"{describe(tensor)} has no attribute {node.attr}",
            f"a tensor has {', '.join(facts)}",
        )
    return facts[node.attr]


def _subscript(ctx: Context, node: ast.Subscript) -> Value:
    base = ctx.value(node.value)
    if is_tensor(base):
        tensor = typed("Var", base)
        return load(tensor, tensor_index(ctx, node, tensor, node.slice))
    if isinstance(base, Expr):
        return _lane(ctx, node, base)
    key = ctx.value(node.slice)
    if runs(key):
        raise ctx.error(
            node.slice,
            f"{describe(base)} is known at translation, but not where it is indexed",
            "index it in a static_range loop, or copy it to a register tensor",
        )
    return ctx.python(node, operator.getitem, base, key)


def _lane(ctx: Context, node: ast.Subscript, vector: Expr) -> Extract:
    kind = vector.type
    if not isinstance(kind, DType) or kind.lanes == 1:
        raise ctx.error(node, f"{describe(vector)} cannot be indexed")
    lane = ctx.known_int(node.slice, "the lane of a vector")
    if not 0 <= lane < kind.lanes:
        raise ctx.error(node.slice, f"lane {lane} of {kind}, which has 0 … {kind.lanes - 1}")
    return Extract(vector, lane, kind.element)


def _sequence(ctx: Context, node: ast.Tuple | ast.List) -> Value:
    items = [ctx.value(each) for each in node.elts]
    return tuple(items) if isinstance(node, ast.Tuple) else items


def _dict(ctx: Context, node: ast.Dict) -> Value:
    found: dict[object, object] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise ctx.error(value, "** is not part of the script language")
        found[ctx.known(key, "a key")] = ctx.known(value, "a value of a dict")
    return found


def _binary(ctx: Context, node: ast.BinOp) -> Value:
    # a sum of hundreds of terms leans to the left: walk down it instead of recurring
    spine = [node]
    while isinstance(spine[-1].left, ast.BinOp):
        spine.append(spine[-1].left)
    value = ctx.value(spine[-1].left)
    for each in reversed(spine):
        with ctx.at(each):
            value = _operate(ctx, each, value, ctx.value(each.right))
        if isinstance(value, Node):
            value = locate(value, ctx.span(each))
    return value


def _operate(ctx: Context, node: ast.BinOp, left: Value, right: Value) -> Value:
    if not (isinstance(left, Node) or isinstance(right, Node)):
        return ctx.python(node, known_binary, node.op, left, right)
    return run_binary(node.op, ctx.number(node.left, left), ctx.number(node.right, right))


def _unary(ctx: Context, node: ast.UnaryOp) -> Value:
    value = ctx.value(node.operand)
    if not isinstance(value, Node):
        return ctx.python(node, known_unary, node.op, value)
    return run_unary(node.op, ctx.number(node.operand, value))


def _compare(ctx: Context, node: ast.Compare) -> Value:
    terms = [node.left, *node.comparators]
    values = [ctx.value(each) for each in terms]
    result: Value = True
    for k, op in enumerate(node.ops):
        left, right = values[k], values[k + 1]
        now = not (isinstance(left, Node) or isinstance(right, Node))
        if now or (isinstance(op, ast.Is | ast.IsNot) and not (runs(left) or runs(right))):
            step: Value = ctx.python(node, known_compare, op, left, right)
        elif isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn):
            raise ctx.error(
                node,
                "`is` and `in` cannot be asked of a value of the kernel",
                "compare with == or <",
            )
        else:
            step = run_compare(op, ctx.number(terms[k], left), ctx.number(terms[k + 1], right))
        result = _joined(ctx, node, result, step)
    return result


def _joined(ctx: Context, node: ast.Compare | ast.BoolOp, left: Value, right: Value) -> Value:
    """Two truths put together; one that is known decides or falls away."""
    decides = isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)
    for one, other in ((left, right), (right, left)):
        if not isinstance(one, Node):
            return one if ctx.holds(node, one) == decides else other
    a, b = truth(typed("Expr", left)), truth(typed("Expr", right))
    return either(a, b) if decides else both(a, b)


def _boolean(ctx: Context, node: ast.BoolOp) -> Value:
    decides = isinstance(node.op, ast.Or)
    result = ctx.value(node.values[0])
    for each in node.values[1:]:
        if not runs(result):
            if ctx.holds(node.values[0], result) == decides:
                return result
            result = ctx.value(each)
            continue
        right = ctx.value(each)
        if not runs(right):
            right = ctx.holds(each, right)
        result = _joined(ctx, node, truth(ctx.number(node.values[0], result)), right)
        if isinstance(result, Node):
            result = locate(result, ctx.span(node))
    return result


def _ternary(ctx: Context, node: ast.IfExp) -> Value:
    test = ctx.value(node.test)
    if not runs(test):
        return ctx.value(node.body if ctx.holds(node.test, test) else node.orelse)
    return select(ctx.number(node.test, test), ctx.operand(node.body), ctx.operand(node.orelse))


def _comprehension(ctx: Context, node: ast.ListComp | ast.GeneratorExp) -> Value:
    return [ctx.value(node.elt) for _ in _turns(ctx, node.generators)]


def _dict_comprehension(ctx: Context, node: ast.DictComp) -> Value:
    return {
        ctx.known(node.key, "a key"): ctx.known(node.value, "a value of a dict")
        for _ in _turns(ctx, node.generators)
    }


def _turns(ctx: Context, generators: list[ast.comprehension]) -> Iterator[None]:
    """Goes through the turns of a comprehension, its names bound in a block of their own."""
    head, *rest = generators
    for item in known_items(ctx, head.iter):
        ctx.scope.open()
        bind_known(ctx, head.target, item)
        what = "the condition of a comprehension"
        if all(ctx.holds(test, ctx.known(test, what)) for test in head.ifs):
            if rest:
                yield from _turns(ctx, rest)
            else:
                yield
        ctx.scope.blocks.pop()


def known_items(ctx: Context, node: ast.expr) -> list[Value]:
    """The items of something that can be iterated at translation."""
    value = ctx.value(node)
    if isinstance(value, Node) or not isinstance(value, Iterable):
        raise ctx.error(
            node,
            f"{describe(value)} cannot be iterated at translation",
            "loop with range(...), static_range(...) or mapping.on(worker)",
        )
    items = typed("list[Value]", ctx.python(node, lambda: list(islice(value, ITEM_LIMIT + 1))))
    if len(items) > ITEM_LIMIT:
        raise ctx.error(node, f"there are more than {ITEM_LIMIT} items, the most at translation")
    return [plain(item, ctx.dims) for item in items]


def bind_known(ctx: Context, target: ast.expr, item: Value) -> None:
    """Let the names of `target` stand for a value known at translation, unpacked as needed."""
    if isinstance(target, ast.Name):
        ctx.scope.bind(target.id, Binding(item, Kind.KNOWN, ctx.span(target)))
        return
    if not names_in(target) or not isinstance(target, ast.Tuple | ast.List):
        raise ctx.error(target, "a loop binds plain names")
    parts = list(item) if isinstance(item, Iterable) and not isinstance(item, Node) else None
    if parts is None or len(parts) != len(target.elts):
        raise ctx.error(target, f"{len(target.elts)} names for {describe(item)}")
    for name, part in zip(target.elts, parts, strict=True):
        bind_known(ctx, name, part)


_RULES: dict[type[ast.expr], Callable[[Context, ast.expr], Value]] = typed(
    "dict[type[ast.expr], Callable[[Context, ast.expr], Value]]",
    {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Tuple: _sequence,
        ast.List: _sequence,
        ast.Dict: _dict,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.Compare: _compare,
        ast.BoolOp: _boolean,
        ast.IfExp: _ternary,
        ast.ListComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _dict_comprehension,
        ast.Call: lower_call,
    },
)
