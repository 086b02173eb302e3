"""Functions of one thread: instructions where LLVM has them, else approximations, else the C
library lane by lane.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from workbench.codegen.llvm.approximate import APPROXIMATIONS, BOUNDED, definition, symbol
from workbench.codegen.llvm.arith import binary, constant, like, operands, type_suffix
from workbench.codegen.llvm.convert import convert
from workbench.codegen.llvm.emit import Emitter, literal
from workbench.codegen.llvm.value import Value, opaque, varying
from workbench.ir.expr import BinaryOp
from workbench.ir.types import boolean, f32, f64, i32

Rule = Callable[[Emitter, list[Value]], Value]


def call(e: Emitter, name: str, args: list[Value]) -> Value:
    """The intrinsic `name` on values of one type; a half is computed in f32."""
    kind = args[0].type
    if kind.is_float and kind.bits == 16:
        found = MATH[name](e, [convert(e, a, f32) for a in args])
        return convert(e, found, kind) if found.type.is_float else found
    return MATH[name](e, args)


def _direct(name: str) -> Rule:
    """A function that LLVM turns into instructions."""

    def rule(e: Emitter, args: list[Value]) -> Value:
        shape, *xs = operands(e, *args)
        found = e.call(shape, f"llvm.{name}.{type_suffix(shape)}", [(shape, x) for x in xs])
        return like(args[0].type, found, *args)

    return rule


def _library(name: str) -> Rule:
    """A function of the C library, in f64: rounding that to f32 is right in all but rare cases."""

    def rule(e: Emitter, args: list[Value]) -> Value:
        kind = args[0].type
        wide = [convert(e, a, f64) for a in args]
        if all(a.uniform for a in wide):
            found = e.call("double", name, [("double", e.scalar(a)) for a in wide])
            return convert(e, opaque(f64, found), kind)
        return convert(e, varying(f64, _each_lane(e, name, wide)), kind)

    return rule


def _each_lane(e: Emitter, name: str, args: list[Value]) -> str:
    """A scalar function lane by lane, as a loop."""
    full, n = e.vector_type(f64), e.lanes
    vectors = [e.vector(a) for a in args]
    before, head, done = e.label("each"), e.label(name), e.label("done")
    lane, following, old, new = (e.name(h) for h in ("lane", "lane", "sofar", "sofar"))
    e.start(before)
    e.start(head)
    e.line(f"{lane} = phi i64 [ 0, %{before} ], [ {following}, %{head} ]")
    e.line(f"{old} = phi {full} [ zeroinitializer, %{before} ], [ {new}, %{head} ]")
    parts = [e.let(f"extractelement {full} {v}, i64 {lane}") for v in vectors]
    one = e.call("double", name, [("double", p) for p in parts])
    e.line(f"{new} = insertelement {full} {old}, double {one}, i64 {lane}")
    e.line(f"{following} = add nuw nsw i64 {lane}, 1")
    e.branch(e.let(f"icmp ult i64 {following}, {n}"), head, done)
    e.start(done)
    return new


def _approximate(name: str) -> Rule:
    slow = _library(name)

    def rule(e: Emitter, args: list[Value]) -> Value:
        if args[0].type != f32:
            return slow(e, args)
        if name in BOUNDED:
            return _bounded(e, name, args[0], slow)
        return _approximation(e, name, args[0])

    return rule


def _approximation(e: Emitter, name: str, x: Value) -> Value:
    shape, operand = operands(e, x)
    if shape == "<32 x float>" and "scalef" in e.extras:
        halves = (range(16), range(16, 32))
        parts = (e.shuffle("float", operand, "poison", 32, half) for half in halves)
        a, b = (_evaluated(e, name, "<16 x float>", part) for part in parts)
        return like(f32, e.shuffle("float", a, b, 16, range(32)), x)
    return like(f32, _evaluated(e, name, shape, operand), x)


def _evaluated(e: Emitter, name: str, shape: str, operand: str) -> str:
    full = symbol(name, shape)
    if full not in e.functions:
        e.functions[full], needed = definition(name, shape, e.extras)
        for text in needed:
            e.declarations[text.split("@")[1].split("(")[0]] = text
    return e.let(f"call {shape} @{full}({shape} {operand})")


def _bounded(e: Emitter, name: str, x: Value, slow: Rule) -> Value:
    """The approximation, or the C library when some lane is too large for it."""
    shape, operand = operands(e, x)
    size = e.call(shape, f"llvm.fabs.{type_suffix(shape)}", [(shape, operand)])
    limit = literal(BOUNDED[name], f32)
    vector = shape[0] == "<"
    limit = f"splat (float {limit})" if vector else limit
    large = e.let(f"fcmp ogt {shape} {size}, {limit}")
    if vector:
        bits = e.let(f"bitcast {e.mask_type} {large} to i{e.lanes}")
        large = e.let(f"icmp ne i{e.lanes} {bits}, 0")
    rare, common, done = e.label("large"), e.label("usual"), e.label("done")
    e.branch(large, rare, common)
    e.start(rare)
    found = slow(e, [x])
    first = e.scalar(found) if found.uniform else e.vector(found)
    from_rare = e.block
    e.jump(done)
    e.start(common)
    near = _approximation(e, name, x)
    second = e.scalar(near) if near.uniform else e.vector(near)
    from_common = e.block
    e.start(done)
    name = e.let(f"phi {shape} [ {first}, %{from_rare} ], [ {second}, %{from_common} ]")
    return like(f32, name, x)


def _reciprocal_root(e: Emitter, args: list[Value]) -> Value:
    root = _direct("sqrt")(e, args)
    return binary(e, BinaryOp.DIV, constant(1.0, args[0].type), root)


def _magnitude(e: Emitter, args: list[Value]) -> Value:
    kind = args[0].type
    if kind.kind == "u":
        return args[0]
    if kind.is_float:
        return _direct("fabs")(e, args)
    shape, x = operands(e, *args)
    found = e.call(shape, f"llvm.abs.{type_suffix(shape)}", [(shape, x), ("i1", "false")])
    return like(kind, found, *args)


def _is_nan(e: Emitter, args: list[Value]) -> Value:
    shape, x = operands(e, *args)
    return like(boolean, e.let(f"fcmp uno {shape} {x}, {x}"), *args)


def _is_infinite(e: Emitter, args: list[Value]) -> Value:
    size = _direct("fabs")(e, args)
    return binary(e, BinaryOp.EQ, size, constant(math.inf, size.type))


def _popcount(e: Emitter, args: list[Value]) -> Value:
    return convert(e, _direct("ctpop")(e, args), i32)


_INSTRUCTIONS = {
    "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "round": "rint",
    "fma": "fma",
}  # fmt: skip
_LIBRARY = ("tan asin acos atan sinh cosh asinh acosh atanh pow atan2 fmod").split()

MATH: dict[str, Rule] = {
    **{name: _direct(theirs) for name, theirs in _INSTRUCTIONS.items()},
    **{name: _library(name) for name in _LIBRARY},
    **{name: _approximate(name) for name in APPROXIMATIONS},
    "rsqrt": _reciprocal_root,
    "abs": _magnitude,
    "isnan": _is_nan,
    "isinf": _is_infinite,
    "popcount": _popcount,
}
"""One rule for each intrinsic of the group `thread`."""
