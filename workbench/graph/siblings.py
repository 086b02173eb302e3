"""Which groups share a launch: those that read the same and do not need one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from workbench.graph.group import Group
from workbench.ir.target import Target
from workbench.schedules import choose
from workbench.schedules.extents import rough
from workbench.schedules.matmul_cpu import MatmulCpu
from workbench.schedules.matmul_simt import MatmulSimt
from workbench.schedules.matvec_cpu import MatvecCpu
from workbench.schedules.window_cpu import WindowCpu

if TYPE_CHECKING:
    from workbench.graph.gathered import Gathered
    from workbench.graph.tensor import Tensor
    from workbench.schedules import Template

MOST = 4
"""Groups side by side: their code is in one kernel, whose compile time is the sum."""

SHORT = {"cuda": 2**31}
"""Products of numbers that all siblings of a launch take, at most, by target.

What takes longer fills the machine by its own; the bound is an estimate: a hundred multiprocessors
are filled only by far more blocks. On a CPU launches cost a microsecond, and siblings stay apart:
measured with two threads, SqueezeNet took 48 % longer with its eight pairs in one launch each,
Inception-v2 4 %, and others gained nothing.
"""


def with_siblings(of: Gathered, groups: Sequence[Group], kind: str) -> list[Group]:
    """The groups, in an order in which they can run, with siblings in one launch.

    Parameters
    ----------
    kind : str
        Of target.
    """
    if kind not in SHORT:
        return list(groups)
    readers: dict[Tensor, list[Group]] = {}
    for group in groups:
        tensor = _largest(of, group)
        if tensor is not None:
            readers.setdefault(tensor, []).append(group)
    taken: dict[Group, Group | None] = {}
    for rivals in readers.values():
        if len(rivals) > 1:
            for each in _launches(of, rivals, kind):
                taken |= dict.fromkeys(each)
                taken[each[0]] = replace(each[0], beside=tuple(each[1:]))
                of.reach.join([op for g in each for op in g.operators])
    whole = (taken.get(g, g) for g in groups)
    return [g for g in whole if g is not None]


def _largest(of: Gathered, group: Group) -> Tensor | None:
    """The largest tensor that a product or a window reads and that is no constant."""
    anchor = group.anchor
    if anchor.host is not None or anchor.injective or group.rows is not None:
        return None
    read = [t for t in group.inputs if t not in of.graph.constants]
    return max(read, key=lambda t: rough(t.size_bytes), default=None)


def _launches(of: Gathered, rivals: Sequence[Group], kind: str) -> list[list[Group]]:
    """Groups that read the same, in lists of those that share a launch."""
    found: list[tuple[int, list[Group]]] = []
    for group in rivals:
        threads = block_threads(group, choose(group.anchor.definition, Target(kind)))
        if threads is None:
            continue
        for own, each in found:
            if own == threads and _together(of, [*each, group], kind):
                each.append(group)
                break
        else:
            found.append((threads, [group]))
    return [each for _, each in found if len(each) > 1]


def _together(of: Gathered, groups: Sequence[Group], kind: str) -> bool:
    """Whether some groups may and should share a launch."""
    if len(groups) > MOST or rough(sum(map(_work, groups))) > SHORT[kind]:
        return False
    members = [op for g in groups for op in g.operators]
    made = {t for g in groups for t in g.outputs}
    apart = not any(t in made for g in groups for t in g.inputs)
    return apart and of.reach.between(members) is None


def _work(group: Group) -> int:
    compute = group.anchor.definition
    assert compute.reduction is not None
    return compute.output.tensor.size * prod(compute.reduction.extents)


def block_threads(group: Group, template: Template) -> int | None:
    """Threads of a block of a group's program; None for templates that lay out other grids."""
    match template:
        case MatmulCpu() | MatvecCpu():
            return template.lanes
        case WindowCpu():
            return group.anchor.definition.output.tensor.extents[-1]
        case MatmulSimt():
            return prod(template.threads)
        case _:
            return None
