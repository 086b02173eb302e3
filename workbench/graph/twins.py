"""Groups that do the same to other tensors: they are scheduled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.graph.operator import Program
from workbench.graph.shared import Scheduled
from workbench.ir.alike import alike

if TYPE_CHECKING:
    from workbench.graph.group import Group
    from workbench.graph.tensor import Tensor


def schedule_once(
    groups: Sequence[Group], schedule: Callable[[Group], Scheduled]
) -> list[Scheduled]:
    """The program of each group; one that does the same as an earlier one gets its program.

    Parameters
    ----------
    groups : sequence of Group
        Those that have a kernel.
    schedule : callable
        Group to program.
    """
    known: dict[object, list[tuple[Group, Scheduled]]] = {}
    found: list[Scheduled] = []
    for group in groups:
        if isinstance(group.host, Program):
            found.append(schedule(group))
            continue
        rivals = known.setdefault(_outside(group), [])
        twin = next(((g, s) for g, s in rivals if _fits(g, group) and _same(g, group)), None)
        if twin is None:
            rivals.append((group, schedule(group)))
            found.append(rivals[-1][1])
            continue
        instead = dict(zip(_tensors(twin[0]), _tensors(group), strict=True))
        tensors = tuple(instead[t] for t in twin[1].tensors)
        found.append(replace(twin[1], tensors=tensors))
    return found


def _tensors(group: Group) -> list[Tensor]:
    """All tensors of a group, each once, in an order that its wiring alone decides."""
    every = (t for op in group.operators for t in (*op.inputs, *op.outputs))
    return list(dict.fromkeys(every))


def _outside(group: Group) -> object:
    """What two groups must have in common before their definitions are compared."""
    tensors = _tensors(group)
    place = {t: n for n, t in enumerate(tensors)}
    return (
        group.name,
        tuple((t.dtype, t.rank) for t in tensors),
        tuple(tuple(place[t] for t in (*op.inputs, *op.outputs)) for op in group.operators),
        len(group.prologue),
        group.first and group.operators.index(group.first),
        tuple(map(_outside, group.beside)),
        tuple(place[t] for t in group.outputs),
        group.rows and tuple(op in group.rows.index for op in group.operators),
    )


def _fits(a: Group, b: Group) -> bool:
    """Whether all tensors of two groups have the same extents."""
    pairs = zip(_tensors(a), _tensors(b), strict=True)
    return all(x.extents == y.extents for x, y in pairs)


def _same(a: Group, b: Group) -> bool:
    """Whether the definitions of two groups, one by one, are the same."""
    pairs = zip(a.operators, b.operators, strict=True)
    return all(alike(x.definition, y.definition) for x, y in pairs)
