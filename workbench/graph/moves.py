"""Rewrites of what changes nothing: products with one, moves that undo one another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.graph.graph import Graph, producers
from workbench.ir import arith, build
from workbench.ir.expr import Binary, BinaryOp, Cast, Const, Expr, Load, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.traverse import rewrite, substitute
from workbench.ir.types import DType

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor

_NEUTRAL = {
    BinaryOp.ADD: (0, True),
    BinaryOp.SUB: (0, False),
    BinaryOp.MUL: (1, True),
    BinaryOp.DIV: (1, False),
}
"""The number that changes nothing, and whether it may stand on the left as well."""

_STEPS = 8
"""Moves in a row that are looked at together."""


def skip_neutral(graph: Graph) -> Graph:
    """Sums with zero, products with one and casts there and back go."""
    instead: dict[Tensor, Tensor] = {}
    for op in graph.operators:
        if not op.injective:
            continue
        load = _bare(op.definition.value)
        if load is not None and _kept(op, load, load.index):
            source = _source(op, load)
            instead[op.output] = instead.get(source, source)
    return rewired(graph, instead)


def cancel_moves(graph: Graph) -> Graph:
    """Transposes and reshapes that undo those before them go."""
    makers = producers(graph.operators)
    instead: dict[Tensor, Tensor] = {}
    for op in graph.operators:
        load = _move(op)
        if load is None:
            continue
        tensor, index = _source(op, load), load.index
        for _ in range(_STEPS):
            if _same(op, tensor, index):
                instead[op.output] = instead.get(tensor, tensor)
                break
            maker = makers.get(tensor)
            before = _move(maker) if maker is not None else None
            if maker is None or before is None:
                break
            values = dict(zip(maker.definition.axes, index, strict=True))
            index = tuple(substitute(e, values) for e in before.index)
            tensor = _source(maker, before)
    return rewired(graph, instead)


def _bare(value: Expr) -> Load | None:
    """The load that is all of a value, but for what changes nothing."""
    while not isinstance(value, Load):
        match value:
            case Binary() if value.op in _NEUTRAL:
                number, either = _NEUTRAL[value.op]
                if _is(value.b, number):
                    value = value.a
                elif either and _is(value.a, number):
                    value = value.b
                else:
                    return None
            case Cast(a=Cast() as inner) if _wider(inner.type, inner.a.type) and (
                inner.a.type == value.type
            ):
                value = inner.a
            case _:
                return None
    return value


def _is(value: Expr, number: int) -> bool:
    return isinstance(value, Const) and value.value == number


def _wider(wide: DType, narrow: object) -> bool:
    """Whether a number type holds every number of another."""
    return isinstance(narrow, DType) and wide.kind == narrow.kind and wide.bits >= narrow.bits


def _move(op: Operator) -> Load | None:
    """The load that is all that an operator does."""
    value = op.definition.value if op.injective else None
    return value if isinstance(value, Load) else None


def _source(op: Operator, load: Load) -> Tensor:
    return op.inputs[op.definition.inputs.index(load.tensor)]


def _kept(op: Operator, load: Load, index: Sequence[Expr]) -> bool:
    """Whether an operator gives each element of what it reads, as it is and in its place."""
    source = _source(op, load)
    return source.dtype == op.output.dtype and _same(op, source, index)


def _same(op: Operator, source: Tensor, index: Sequence[Expr]) -> bool:
    """Whether an index is the operator's own axes, and what it is for as large as its output."""
    if source.rank != op.output.rank:
        return False
    axes, extents = op.definition.axes, op.output.storage.extents
    ranges: dict[Hashable, Range] = {a: Range(0, n - 1) for a, n in zip(axes, extents, strict=True)}
    facts = Facts(ranges)
    apart = (build.sub(e, a) for e, a in zip(index, axes, strict=True))
    own = all(_is(arith.simplify(each, facts), 0) for each in apart)
    # extents may be equal by chance: they are looked at last
    return own and source.extents == op.output.extents


def rewired(graph: Graph, instead: Mapping[Tensor, Tensor]) -> Graph:
    """The graph with other tensors for some; the same where there are none."""
    if not instead:
        return graph
    kept = tuple(reading(op, instead) for op in graph.operators)
    outputs = tuple(instead.get(t, t) for t in graph.outputs)
    return replace(graph, operators=kept, outputs=outputs)


def reading(op: Operator, instead: Mapping[Tensor, Tensor]) -> Operator:
    """`op` with other tensors for some of its inputs; two that become one are one variable."""
    if not any(t in instead for t in op.inputs):
        return op
    if op.host is not None:
        return replace(op, inputs=tuple(instead.get(t, t) for t in op.inputs))
    place: dict[Tensor, Var] = {}
    rename: dict[Var, Var] = {}
    for tensor, var in zip(op.inputs, op.definition.inputs, strict=True):
        rename[var] = place.setdefault(instead.get(tensor, tensor), var)
    compute = rewrite(op.definition, lambda _: None, rename)
    maps = {rename.get(v, v): m for v, m in compute.inverse}
    compute = replace(compute, inputs=tuple(place.values()), inverse=tuple(maps.items()))
    return replace(op, inputs=tuple(place), compute=compute)
