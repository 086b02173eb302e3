"""Two matrix products with rows between them as one group: the rows are never stored.

Found by structure alone: all that the first product gives goes, element by element, into
operators over its rows, and all that those give is the left factor of the second product, whose
sum runs along the same rows. Softmax attention is the case that everybody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.graph.gathered import LARGEST
from workbench.graph.group import Group
from workbench.graph.shared import renamed, shared_variables
from workbench.ir.expr import Cast, Expr, Load, Var
from workbench.ir.traverse import walk
from workbench.ir.types import i32
from workbench.runtime.jit import host
from workbench.schedules.attention_block import Attention
from workbench.schedules.attention_cpu import DEEPEST, fitted
from workbench.schedules.extents import rough
from workbench.schedules.matmul_simt import factors
from workbench.schedules.rows import Rows, RowStep

if TYPE_CHECKING:
    from workbench.graph.gathered import Gathered
    from workbench.graph.operator import Operator
    from workbench.graph.rows import Region
    from workbench.graph.tensor import Tensor

FEW_ROWS = 4
"""Rows of fewer queries are no matrix: their products are made in other ways."""

SMALL = 2**14
"""Elements of scores, at most, that gain nothing: they stay in the caches between three kernels,
which lose no time to them. Measured: 12 heads of 32 tokens take 5 % longer as one kernel, of 128
tokens 1 % less, of 197 tokens 16 % less, one head of 2048 tokens 6 to 37 % less."""


def with_attention(of: Gathered, groups: Sequence[Group], kind: str) -> list[Group]:
    """The groups, with those that are products around rows put together.

    Why others that look like it stay apart goes into the reasons.

    Parameters
    ----------
    kind : str
        Of target.
    """
    makers = {t: g for g in groups for t in g.outputs}
    found: dict[Group, Group | None] = {}
    for group in groups:
        parts = _parts(of, group, makers)
        if parts is None:
            continue
        joined = _joined(of, *parts)
        weights = _weights(of, *parts)
        if isinstance(joined, str):
            # what has weights does not look like attention to anybody
            reason = "" if weights else joined
        else:
            reason = weights or _refused(joined, kind)
        if reason:
            _say(of, parts, reason)
        elif isinstance(joined, Group):
            found |= {parts[0]: None, parts[1]: None, parts[2]: joined}
    whole = (found.get(g, g) for g in groups)
    return [g for g in whole if g is not None]


def _parts(
    of: Gathered, last: Group, makers: Mapping[Tensor, Group]
) -> tuple[Group, Group, Group] | None:
    """A group whose anchor is a product of rows, with the groups of the rows and of the product
    that they are made of.
    """
    load = _left(last.anchor)
    rows = makers.get(load) if load is not None else None
    if load is None or rows is None or rows.rows is None or rows.first is not None:
        return None
    for tensor in rows.inputs:
        first = makers.get(tensor)
        if first is not None and first.rows is None and _left(first.anchor) is not None:
            read = set(of.users.get(tensor, ()))
            if tensor in rows.rows.places and read <= rows.rows.index.keys():
                return first, rows, last
    return None


def _left(op: Operator) -> Tensor | None:
    """What the left factor of a matrix product loads, and nothing else."""
    if op.host is not None or op.compute is None:
        return None
    found = factors(op.compute)
    if found is None:
        return None
    load = found[0].a if isinstance(found[0], Cast) else found[0]
    if not isinstance(load, Load):
        return None
    return op.inputs[op.compute.inputs.index(load.tensor)]


def _weights(of: Gathered, first: Group, _: Group, last: Group) -> str:
    """Why a product with a constant stays apart; empty where there is none."""
    for op in (first.anchor, last.anchor):
        found = factors(op.definition)
        assert found is not None
        read = {n.tensor for n in walk(found[1]) if isinstance(n, Load)}
        tensors = dict(zip(op.definition.inputs, op.inputs, strict=True))
        if all(tensors[v] in of.graph.constants for v in read):
            return f"{op.name} has weights, which each block of rows would copy"
    return ""


def _joined(of: Gathered, first: Group, rows: Group, last: Group) -> Group | str:
    """All three as one group, or why not."""
    assert rows.rows is not None
    for each, name in ((first, "the product"), (rows, "the rows")):
        if each.kept or each.output in of.outputs or len(each.outputs) > 1:
            return f"somebody else needs what {name} before it gives"
    if any(u is not last.anchor for u in of.users[rows.output]):
        return f"{shown(rows.output.name)} has {len(of.users[rows.output])} uses"
    region = replace(rows.rows, index=dict(rows.rows.index), places=dict(rows.rows.places))
    for op in reversed(first.epilogue):
        if op.output not in region.places or not region.precede(op):
            return f"{op.name} does not work along the rows of {first.anchor.name}"
    aligned = _aligned(first.anchor, region, last.anchor, rows.output)
    if aligned:
        return aligned
    every = dict.fromkeys((*first.operators, *rows.operators, *last.prologue))
    before = tuple(sorted(every, key=of.reach.place.__getitem__))
    if len(before) + 1 + len(last.epilogue) > LARGEST:
        return f"the group would have more than {LARGEST} operators"
    return Group(last.anchor, before, last.epilogue, last.kept, region, first.anchor)


def _aligned(first: Operator, region: Region, second: Operator, weights: Tensor) -> str:
    """Why products and rows do not lie along the same axes; empty where they do."""
    place, compute = region.places.get(first.output), second.definition
    other = f"{second.name} and {first.name} work along other rows"
    found = factors(compute)
    assert found is not None
    if place is None or compute.reduction is None or not isinstance(place[-1], Var):
        return other
    load = found[0].a if isinstance(found[0], Cast) else found[0]
    assert isinstance(load, Load)
    inner = [v for v, n in zip(region.inner, region.lengths, strict=True) if n > 1]
    if inner != [place[-1]] or load.index[-1] is not compute.reduction.axes[0]:
        return other
    given, axes, extents = region.places[weights], compute.axes, compute.output.tensor.extents
    if {len(given), len(load.index), len(axes)} != {len(place)} or given[-1] is not place[-1]:
        return other
    same = extents[:-1] == first.definition.output.tensor.extents[:-1]
    for d, extent in enumerate(extents[:-1]):
        own = load.index[d] is axes[d] and given[d] is place[d] and isinstance(place[d], Var)
        same = same and (own or extent == 1)
    return "" if same else other


def _refused(group: Group, kind: str) -> str:
    """Why no schedule makes a group that is whole otherwise; empty where one does."""
    assert group.first is not None
    product, name = group.first.definition, group.anchor.name
    assert product.reduction is not None
    if kind != "cpu":
        return f"{kind} has no schedule for both products in one kernel"
    if rough(product.output.tensor.extents[-2]) < FEW_ROWS:
        return f"{name} has too few rows for one kernel with {group.first.name}"
    if rough(product.output.tensor.size) <= SMALL:
        return f"{product.output.tensor.size} scores stay in the caches between three kernels"
    if product.reduction.extents[0] > DEEPEST:
        return f"rows of {group.first.name}'s left factor are too long for scratch memory"
    if fitted(attention(group, shared_variables(group.operators)), host().lanes) is None:
        length = product.output.tensor.extents[-1]
        return f"rows of {length} are too long for scratch memory"
    return ""


def attention(group: Group, shared: Mapping[Tensor, Var]) -> Attention:
    """What a group computes up to its anchor, as the template takes it.

    Parameters
    ----------
    group : Group
        One with a first product.
    shared : mapping of Tensor to Var
        Variables that its definitions share.
    """
    region, first = group.rows, group.first
    assert region is not None
    assert first is not None
    place = region.places[first.output]
    extents = first.output.extents
    axes = tuple(e if isinstance(e, Var) else Var(f"one{d}", i32) for d, e in enumerate(place))
    members = [op for op in group.operators if op in region.index]
    steps = tuple(RowStep(renamed(op, shared), region.index[op]) for op in members)
    second = renamed(group.anchor, shared)
    found = factors(second)
    assert found is not None
    load: Expr = found[0].a if isinstance(found[0], Cast) else found[0]
    assert isinstance(load, Load)
    rows = Rows(axes[:-1], extents[:-1], axes[-1:], extents[-1:], steps, (load.tensor,))
    return Attention(renamed(first, shared), rows, second)


def _say(of: Gathered, parts: tuple[Group, Group, Group], reason: str) -> None:
    first, rows, last = parts
    for op in rows.operators:
        if first.output in op.inputs:
            of.reasons[first.output, op] = reason
    of.reasons[rows.output, last.anchor] = reason
