"""The programs of a graph: every group scheduled, no two programs alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.graph.beside import side_by_side
from workbench.graph.names import NameScope
from workbench.graph.operator import Program
from workbench.graph.schedule import program
from workbench.graph.siblings import block_threads
from workbench.graph.tuned import Choices
from workbench.graph.twins import schedule_once
from workbench.ir.alike import alike
from workbench.schedules import choose
from workbench.schedules.axes import kernel_name

if TYPE_CHECKING:
    from workbench.graph.group import Group, Partition
    from workbench.graph.shared import Scheduled
    from workbench.graph.tensor import Tensor
    from workbench.ir.module import Module
    from workbench.ir.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The programs of a graph.

    Attributes
    ----------
    partition : Partition
        Which operators share one.
    modules : list of Module
        Programs, no two alike, under names of their own.
    launches : list of (Group, int or None, tuple of Tensor)
        In order: which program, None for a host call, and what it is called with.
    """

    partition: Partition
    modules: list[Module]
    launches: list[tuple[Group, int | None, tuple[Tensor, ...]]]


def schedule_graph(partition: Partition, target: Target, choices: Choices | None) -> Schedule:
    """Schedule every group.

    Parameters
    ----------
    choices : Choices or None
        Templates that a tuning found; else `schedules.choose` decides.
    """
    known = choices or Choices()
    partition = _fitting(partition, known, target)
    run = [g for g in partition.groups if not g.views]
    groups = [g for g in run if g.host is None or isinstance(g.host, Program)]
    scheduled = schedule_once(groups, lambda g: scheduled_group(g, target, known))
    modules, which = _unique(scheduled)
    found: dict[Group, tuple[int | None, tuple[Tensor, ...]]] = {
        g: (n, s.tensors) for n, g, s in zip(which, groups, scheduled, strict=True)
    }
    for g in run:
        found.setdefault(g, (None, (*g.anchor.inputs, *g.anchor.outputs)))
    return Schedule(partition, modules, [(g, *found[g]) for g in run])


def _fitting(partition: Partition, known: Choices, target: Target) -> Partition:
    """The partition, with groups apart whose templates have been told other numbers of threads."""

    def parts(group: Group) -> tuple[Group, ...]:
        chosen = [(g, known.of(g, target)) for g in group.parts if group.beside]
        told = {block_threads(g, t) for g, t in chosen if t is not None}
        usual = {block_threads(g, choose(g.anchor.definition, target)) for g, t in chosen if not t}
        return group.parts if len(told | usual) > 1 else (group,)

    return replace(partition, groups=tuple(p for g in partition.groups for p in parts(g)))


def scheduled_group(group: Group, target: Target, known: Choices) -> Scheduled:
    """The program of a group, or those of its parts in one launch."""
    parts = [program(g, target, known.of(g, target)) for g in group.parts]
    return side_by_side(parts, kernel_name(group.name)) if group.beside else parts[0]


def _unique(scheduled: Sequence[Scheduled]) -> tuple[list[Module], list[int]]:
    """Modules that differ, under names of their own, and which of them each program is."""
    names = NameScope()
    found: dict[str, list[tuple[Module, int]]] = {}
    unique: list[Module] = []
    which: list[int] = []
    for each in scheduled:
        rivals = found.setdefault(each.module.kernel.name, [])
        module = each.module
        number = next((n for m, n in rivals if m is module or alike(m, module)), None)
        if number is None:
            number = len(unique)
            rivals.append((module, number))
            unique.append(_named(module, names.name(number, module.kernel.name)))
        which.append(number)
    return unique, which


def _named(module: Module, name: str) -> Module:
    kernel = replace(module.kernel, name=name)
    return replace(module, functions=(*module.functions[:-1], kernel))
