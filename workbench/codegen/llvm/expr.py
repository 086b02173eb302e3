"""Expressions: each node from its operands, without recursion, so that depth costs nothing."""

from __future__ import annotations

from functools import partial

from workbench.base.errors import CodegenError
from workbench.codegen.llvm.arith import binary, constant, operands, unary
from workbench.codegen.llvm.atomic import atomic
from workbench.codegen.llvm.convert import convert
from workbench.codegen.llvm.dot import dot4
from workbench.codegen.llvm.emit import Emitter
from workbench.codegen.llvm.frame import Frame, Parts, read_slot
from workbench.codegen.llvm.math import MATH, call
from workbench.codegen.llvm.memory import load
from workbench.codegen.llvm.value import Value, opaque, varying
from workbench.codegen.llvm.warp import WARP
from workbench.ir.expr import (
    Atomic,
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
)
from workbench.ir.node import Node
from workbench.ir.traverse import children, walk
from workbench.ir.types import boolean, f32, i64


def evaluate(f: Frame, root: Expr) -> Parts:
    """The value of an expression in the active lanes."""
    done: dict[Node, Parts] = {}
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if isinstance(node, Select) and _reads(node):
            done[node] = _guarded(f, node)
        elif isinstance(node, Call) and node.function == "dot4":
            done[node] = (dot4(f, node, partial(evaluate, f)),)
        elif ready:
            done[node] = _node(f, node, [done[c] for c in children(node)])
        else:
            stack.append((node, True))
            stack.extend((c, False) for c in children(node) if c not in done)
    return done[root]


def scalar(f: Frame, root: Expr) -> Value:
    """The value of an expression of one lane."""
    return evaluate(f, root)[0]


def _reads(node: Select) -> bool:
    """Whether a branch holds what must not happen in a thread that does not take it."""
    return any(isinstance(n, Load | Call) for part in (node.a, node.b) for n in walk(part))


def _node(f: Frame, node: Node, args: list[Parts]) -> Parts:
    match node:
        case Const():
            return (constant(node.value, node.type),)
        case Var():
            return read_slot(f, f.slots[node]) if node in f.slots else f.values[node]
        case Builtin():
            return (f.builtins[node.name],)
        case Load():
            return _load(f, node, args[0][0])
        case Atomic():
            return (_atomic(f, node, args),)
        case Call():
            return _call(f, node, args)
        case _:
            return _operator(f, node, args)


def _operator(f: Frame, node: Node, args: list[Parts]) -> Parts:
    match node:
        case Unary():
            return tuple(_in_f32(f.e, node, [a]) for a in args[0])
        case Binary():
            return tuple(_in_f32(f.e, node, [a, b]) for a, b in zip(*args, strict=True))
        case Cast():
            parts = args[0] * (node.type.lanes if len(args[0]) == 1 else 1)
            return tuple(convert(f.e, a, node.type.element) for a in parts)
        case Select():
            conds = args[0] * (node.type.lanes if len(args[0]) == 1 else 1)
            rows = zip(conds, args[1], args[2], strict=True)
            return tuple(choose(f, c, a, b) for c, a, b in rows)
        case Pack():
            return tuple(a[0] for a in args)
        case Extract():
            return (args[0][node.lane],)
        case _:
            raise AssertionError(f"{type(node).__name__} is no expression")


def _in_f32(e: Emitter, node: Unary | Binary, args: list[Value]) -> Value:
    """An operator; halves are computed in f32 and rounded after it."""
    kind = args[0].type
    half = kind.is_float and kind.bits == 16
    wide = [convert(e, a, f32) for a in args] if half else args
    if isinstance(node, Unary):
        found = unary(e, node.op, wide[0])
    else:
        found = binary(e, node.op, wide[0], wide[1])
    return convert(e, found, kind) if half and found.type.is_float else found


def choose(f: Frame, cond: Value, a: Value, b: Value) -> Value:
    """`a` where `cond`, else `b`."""
    if cond.scalar in ("true", "false"):
        return a if cond.scalar == "true" else b
    e, kind = f.e, a.type
    if cond.uniform:
        shape, x, y = operands(e, a, b)
        name = e.let(f"select i1 {cond.scalar}, {shape} {x}, {shape} {y}")
        return opaque(kind, name) if a.uniform and b.uniform else varying(kind, name)
    shape = e.vector_type(kind)
    x, y = e.vector(a), e.vector(b)
    return varying(kind, e.let(f"select {e.mask_type} {e.vector(cond)}, {shape} {x}, {shape} {y}"))


def _guarded(f: Frame, node: Select) -> Parts:
    """Each branch with only the threads active that take it."""
    cond = evaluate(f, node.cond)
    if len(cond) == 1 and cond[0].scalar in ("true", "false"):
        return evaluate(f, node.a if cond[0].scalar == "true" else node.b)
    before = f.mask
    f.mask = f.narrowed(_any_of(f, cond, negate=False), sure=False)
    a = evaluate(f, node.a)
    f.mask = before
    f.mask = f.narrowed(_any_of(f, cond, negate=True), sure=False)
    b = evaluate(f, node.b)
    f.mask = before
    conds = cond * len(a) if len(cond) == 1 else cond
    return tuple(choose(f, c, x, y) for c, x, y in zip(conds, a, b, strict=True))


def _any_of(f: Frame, conds: Parts, *, negate: bool) -> str:
    """The lanes in which some condition holds, or fails; a short vector is loaded as a whole."""
    total = constant(False, boolean)
    for cond in conds:
        each = unary(f.e, UnaryOp.NOT, cond) if negate else cond
        total = binary(f.e, BinaryOp.OR, total, each)
    return f.e.vector(total)


def _load(f: Frame, node: Load, index: Value) -> Parts:
    place = f.places[node.tensor]
    return tuple(
        load(f.e, place, shifted(f, index, lane), f.mask) for lane in range(node.type.lanes)
    )


def shifted(f: Frame, index: Value, by: int) -> Value:
    """`index + by`."""
    return binary(f.e, BinaryOp.ADD, index, constant(by, index.type)) if by else index


def _atomic(f: Frame, node: Atomic, args: list[Parts]) -> Value:
    index, value = convert(f.e, args[0][0], i64), args[1][0]
    compare = args[2][0] if node.compare is not None else None
    return atomic(f.e, f.places[node.tensor], node.op, index, value, compare, f.mask)


def _call(f: Frame, node: Call, args: list[Parts]) -> Parts:
    if node.function in MATH:
        return tuple(call(f.e, node.function, list(row)) for row in zip(*args, strict=True))
    warp = WARP.get(node.function)
    if warp is not None:
        return warp(f.e, [a[0] for a in args], f.mask)
    if f.module.function(node.function) is None:
        raise CodegenError(f"the CPU has no rule for {node.function}", span=node.span)
    return f.inline(f, node.function, args)
