"""What cuts in a graph would change, by dividing it anew; and the program of one group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.driver.build import compile_module
from workbench.graph.flow import FlowGraph
from workbench.graph.programs import scheduled_group
from workbench.graph.tuned import Choices
from workbench.passes.default import run as lower
from workbench.runtime.timing import time_text
from workbench.schedules import choose
from workbench.tune.cost import predict
from workbench.view.graph import changes, graph_view
from workbench.view.graph_parts import Change, GraphView, KernelChange, WhatIf
from workbench.view.program import Figure, ProgramView, kernel_view
from workbench.view.units import bytes_text

if TYPE_CHECKING:
    from workbench.graph import CompiledGraph, Group
    from workbench.graph.tensor import Tensor
    from workbench.ir.target import Target

TIMED = 24
"""Kernels that come or go, at most, whose times are predicted: each is scheduled for it."""


def flow_of(compiled: CompiledGraph) -> FlowGraph:
    """The optimized graph that a compiled one was made of."""
    kind = compiled.target.kind
    return FlowGraph(compiled.graph, partition=compiled.partition, optimized=True, made_for=kind)


def cut_view(
    flow: FlowGraph, values: Iterable[int], target: Target, limit: int, first: int = 0
) -> tuple[FlowGraph, GraphView]:
    """The graph with some tensors stored, and its view, which says what that changes.

    Parameters
    ----------
    flow : FlowGraph
        Optimized; cuts that it has are forgotten.
    values : iterable of int
        Numbers of the tensors, as `EdgeView.value` gives them.
    target : Target
        What times are predicted for.
    limit, first : int
        As for :func:`workbench.view.graph.graph_view`.

    Raises
    ------
    ModelError
        When a number stands for no tensor of the graph.
    """
    whole = flow.cut(()) if flow.cuts else flow
    made = [t for op in flow.operators for t in op.outputs]
    chosen = sorted(set(values))
    if any(not 0 <= value < len(made) for value in chosen):
        raise ModelError(f"the graph makes {len(made)} tensors; there is none of number {chosen}")
    cut = whole.cut([made[value] for value in chosen]) if chosen else whole
    view = graph_view(cut, limit, first)
    if not chosen:
        return cut, view
    told = compared(whole, cut, target)
    tensors = tuple(str(made[value]) for value in chosen)
    return cut, replace(view, what_if=replace(told, values=tuple(chosen), tensors=tensors))


def compared(before: FlowGraph, after: FlowGraph, target: Target) -> WhatIf:
    """Figures and kernels of two divisions of one graph."""
    had, has = _kernels(before), _kernels(after)
    gone = [(k, g) for key, (k, g) in had.items() if key not in has]
    come = [(k, g) for key, (k, g) in has.items() if key not in had]
    figures = [
        Change(a.label, a.after, b.after)
        for a, b in zip(
            changes(before.operators, before.groups),
            changes(after.operators, after.groups),
            strict=True,
        )
    ]
    figures[1] = _with_delta(figures[1], before, after)
    times = [_predicted([g for _, g in each], target) for each in (gone, come)]
    if None not in times:
        said = [time_text(us) for us in times if us is not None]
        figures.append(Change("those kernels, predicted", said[0], said[1]))
    kernels = [KernelChange(g.name, bytes_text(g.moved_bytes), k, False) for k, g in gone]
    kernels += [KernelChange(g.name, bytes_text(g.moved_bytes), k, True) for k, g in come]
    return WhatIf((), (), tuple(figures), tuple(kernels))


def _with_delta(change: Change, before: FlowGraph, after: FlowGraph) -> Change:
    """Bytes with what is added: a large total hides it."""
    more = sum(g.moved_bytes for g in after.groups) - sum(g.moved_bytes for g in before.groups)
    sign = "+" if more >= 0 else "−"
    return replace(change, after=f"{change.after} ({sign}{bytes_text(abs(more))})")


_Key = tuple[frozenset[object], frozenset["Tensor"]]


def _kernels(flow: FlowGraph) -> Mapping[_Key, tuple[int, Group]]:
    """Each kernel with its number, by what it computes and stores."""
    return {
        (frozenset(g.operators), frozenset(g.outputs)): (k, g)
        for k, g in enumerate(flow.groups)
        if not g.views
    }


def _predicted(groups: Iterable[Group], target: Target) -> float | None:
    """What the cost model says of some kernels together [µs]; None where it cannot."""
    chosen = list(groups)
    if len(chosen) > TIMED or any(callable(g.host) for g in chosen):
        return None
    return sum(
        predict(lower(scheduled_group(g, target, Choices()).module, target), target).us
        for g in chosen
    )


def group_view(flow: FlowGraph, number: int, target: Target) -> ProgramView:
    """The kernel of a group, with how it is scheduled and what it moves.

    Parameters
    ----------
    number : int
        Of the group in the order in which they run.

    Raises
    ------
    ModelError
        When there is no such group, or it needs no kernel.
    """
    if not 0 <= number < len(flow.groups):
        raise ModelError(f"there is no kernel {number}; the graph has {len(flow.groups)}")
    group = flow.groups[number]
    if group.views:
        raise ModelError(f"{group.name} needs no kernel: its tensor lies where what it reads does")
    if callable(group.host):
        raise ModelError(f"{group.name} runs on the host, between kernels")
    kernel = compile_module(scheduled_group(group, target, Choices()).module, target)
    view = kernel_view(kernel)
    said = predict(lower(kernel.module, target), target)
    figures = (
        Figure("schedule", schedule_of(group, target)),
        Figure("reads and writes", bytes_text(group.moved_bytes), "counted, each tensor once"),
        Figure("predicted", time_text(said.us), f"by the cost model; limited by {said.limiter}"),
    )
    return replace(view, figures=(*figures, *view.figures))


def schedule_of(group: Group, target: Target) -> str:
    """How a group is scheduled, in a word or with its knobs."""
    if group.host is not None:
        return "written by hand"
    if group.first is not None:
        return "attention, blocks of rows"
    if group.rows is not None:
        return "rows, one after the other"
    return str(choose(group.anchor.definition, target))
