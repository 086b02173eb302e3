"""Tensors that lie in others, so that nothing has to be copied.

What only moves elements, all of them or a run of them as they stand in memory, needs no kernel: a
reshape lies where its input does, the parts of a concat are stored in their places at once. Found
by structure: the place of each element in memory, before and after, differs by a constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod, trunc
from typing import TYPE_CHECKING

from workbench.graph.cost import operations
from workbench.graph.graph import Graph, producers, users
from workbench.graph.group import Group, Partition, View
from workbench.ir import arith, build
from workbench.ir.expr import Binary, BinaryOp, Const, Expr, Load, Select, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.traverse import rewrite, substitute

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor
    from workbench.ir.node import Node

ALIGNED = 64
"""Parts start at multiples of this [byte], as vectors want it."""

STEPS = 8
"""Operators in a row through which the kernel of a part is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A run of an output: from `start`, it is `source` from `first` on [element]."""

    source: Tensor
    start: int
    first: int
    size: int


def placed(graph: Graph) -> set[Operator]:
    """Operators that put tensors side by side, of which each can be stored in its place at once.

    They are no part of any kernel. A part must come out of a kernel anyway: what only moves
    elements is better done where its result is read.
    """
    makers, using = producers(graph.operators), users(graph.operators)
    outputs = set(graph.outputs)
    taken: set[Tensor] = set()
    found: set[Operator] = set()

    def stored(tensor: Tensor) -> bool:
        for _ in range(STEPS):
            maker = makers.get(tensor)
            if maker is None or maker in found or not maker.injective:
                return maker is not None
            before = [t for t in maker.inputs if t in makers and maker.inverse(t) is not None]
            if not operations(maker) or len(using[tensor]) > 1 or not before:
                return False
            tensor = before[0]
        return False

    for op in graph.operators:
        if not op.injective or len(op.inputs) < 2 or op.output in outputs:
            continue
        parts = {v.tensor for v in _parts(Group(op))}
        if parts and not (taken | outputs) & parts and all(map(stored, parts)):
            found.add(op)
            taken |= parts
    return found


def with_views(partition: Partition, graph: Graph) -> Partition:
    """The partition with groups that need no kernel marked as such, by what lies where instead."""
    made = {t for g in partition.groups for t in g.outputs}
    fixed = {*graph.inputs, *graph.constants, *graph.outputs}
    # what lies in something, or has to lie where it is
    held: set[Tensor] = set()
    groups: list[Group] = []
    for group in partition.groups:
        views = _views(group)
        tensors = {t for v in views for t in (v.tensor, v.source)}
        parts = len(views) > 1 or (views and views[0].source is group.output)
        if not tensors <= made or tensors & fixed or (parts and held & {v.tensor for v in views}):
            views = ()
        held |= {v.tensor for v in views}
        groups.append(replace(group, views=views) if views else group)
    idle = {op for g in groups for op in g.operators if g.views}
    unfused = tuple(
        replace(u, reason=f"{(u.user if u.user in idle else u.producer).name} copies nothing")
        if u.user in idle or u.producer in idle
        else u
        for u in partition.unfused
    )
    return replace(partition, groups=tuple(groups), unfused=unfused)


def _views(group: Group) -> tuple[View, ...]:
    """What lies where, if the group moves runs of elements only."""
    if group.host is not None or group.rows is not None or group.kept or group.beside:
        return ()
    if any(not op.injective for op in group.operators):
        return ()
    pieces = _pieces(group)
    if pieces is not None and len(pieces) == 1 and pieces[0].size == group.output.size:
        piece = pieces[0]
        if piece.first * group.output.dtype.size_bytes % ALIGNED == 0:
            return (View(group.output, piece.source, piece.first),)
    return _parts(group)


def _parts(group: Group) -> tuple[View, ...]:
    """The parts that a group puts side by side, each with its place; none if it does not."""
    out, pieces = group.output, _pieces(group) or []
    sources = {p.source for p in pieces}
    whole = all(p.first == 0 and p.size == p.source.size for p in pieces)
    aligned = all(p.start * out.dtype.size_bytes % ALIGNED == 0 for p in pieces)
    if len(pieces) < 2 or len(sources) != len(pieces) or not whole or not aligned:
        return ()
    return tuple(View(p.source, out, p.start) for p in pieces)


def _pieces(group: Group) -> list[_Piece] | None:
    """The runs that make up what a group gives; None where it does anything else."""
    last = (group.epilogue or (group.anchor,))[-1]
    axes, extents = last.definition.axes, group.output.storage.extents
    value, owner = _whole(group, last)
    found: list[_Piece] = []
    ends = dict(zip(axes, (Range(0, e - 1) for e in extents), strict=True))
    for ranges, load in _leaves(value, ends):
        if load is None or load.tensor not in owner:
            return None
        source, counts = owner[load.tensor], [r.hi - r.lo + 1 for r in ranges.values()]
        cut = next((d for d, (c, e) in enumerate(zip(counts, extents, strict=True)) if c != e), -1)
        if source.dtype != group.output.dtype or (cut > 0 and prod(extents[:cut]) != 1):
            return None
        there = _flat(load.index, source.storage.extents)
        apart = arith.simplify(build.sub(there, _flat(axes, extents)), Facts({**ranges}))
        if not isinstance(apart, Const):
            return None
        start = ranges[axes[cut]].lo * prod(extents[cut + 1 :]) if cut >= 0 else 0
        found.append(_Piece(source, start, start + trunc(apart.value), prod(counts)))
    return found


def _whole(group: Group, last: Operator) -> tuple[Expr, Mapping[Var, Tensor]]:
    """An element of what a group gives, of the tensors that it reads."""
    owner: dict[Var, Tensor] = {}
    inner = {op.output: op for op in group.operators}

    def read(op: Operator) -> Expr:
        place = dict(zip(op.definition.inputs, op.inputs, strict=True))

        def rule(node: Node) -> Node | None:
            if not isinstance(node, Load):
                return None
            tensor = place[node.tensor]
            if tensor in inner:
                values = dict(zip(inner[tensor].definition.axes, node.index, strict=True))
                return substitute(read(inner[tensor]), values)
            var = tensor.variable()
            owner[var] = tensor
            return build.load(var, node.index)

        return rewrite(op.definition.value, rule)

    return read(last), owner


def _leaves(
    value: Expr, ranges: dict[Var, Range]
) -> Iterator[tuple[dict[Var, Range], Load | None]]:
    """The loads of a value with the ranges of the axes where each is chosen; None for the rest."""
    if not isinstance(value, Select):
        yield ranges, value if isinstance(value, Load) else None
        return
    cond = value.cond
    if not isinstance(cond, Binary) or cond.op is not BinaryOp.LT or cond.a not in ranges:
        yield ranges, None
        return
    axis, end = cond.a, cond.b
    assert isinstance(axis, Var)
    if not isinstance(end, Const) or not ranges[axis].lo < trunc(end.value) <= ranges[axis].hi:
        yield ranges, None
        return
    low, high = ranges[axis].lo, ranges[axis].hi
    yield from _leaves(value.a, {**ranges, axis: Range(low, trunc(end.value) - 1)})
    yield from _leaves(value.b, {**ranges, axis: Range(trunc(end.value), high)})


def _flat(index: Sequence[Expr], extents: Sequence[int]) -> Expr:
    """The place of an element in memory."""
    total: Expr = build.const(0)
    for each, extent in zip(index, extents, strict=True):
        total = build.add(build.mul(total, extent), each)
    return total
