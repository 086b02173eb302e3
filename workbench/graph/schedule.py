"""From a group of operators to one program: schedule the anchor, fuse the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.graph.attention import attention
from workbench.graph.fuse import fuse
from workbench.graph.operator import Program
from workbench.graph.shared import Scheduled, renamed, shared_variables
from workbench.ir.expr import Var
from workbench.runtime.jit import host
from workbench.schedules import schedule
from workbench.schedules.attention_cpu import fitted
from workbench.schedules.axes import kernel_name
from workbench.schedules.row_block import fitting
from workbench.schedules.rows import Rows, RowStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.graph.group import Group
    from workbench.graph.rows import Region
    from workbench.graph.tensor import Tensor
    from workbench.ir.module import Module
    from workbench.ir.target import Target
    from workbench.schedules import Template
    from workbench.schedules.attention_block import Attention

_LONGEST = 40
_ODD = re.compile(r"[^\w .:/\"-]", re.ASCII)


def program(group: Group, target: Target, template: Template | None = None) -> Scheduled:
    """Schedule the anchor of a group and fuse the other operators into it.

    Parameters
    ----------
    target : Target
        What the program will run on.
    template : Template, optional
        How to schedule the anchor; `schedules.choose` decides when not given.
    """
    if isinstance(group.host, Program):
        op = group.anchor
        tensors = (*op.inputs, *op.outputs)
        return Scheduled(_noted(group.host.build(target), group), tensors, len(op.outputs))
    shared = shared_variables(group.operators)
    anchor = renamed(group.anchor, shared)
    outputs = [shared[t] for t in group.outputs]
    prologue, epilogue = group.prologue, group.epilogue
    if group.first is not None and group.rows is not None:
        module = _attention(group, attention(group, shared))
        prologue = [op for op in prologue if op not in (*group.rows.index, group.first)]
    elif group.rows is None:
        module = schedule(anchor, target, template)
    else:
        rows = _rows(group, group.rows, shared)
        module = fitting(rows, target).build_rows(rows, group.name)
        prologue = [op for op in prologue if op not in group.rows.index]
        epilogue = ()
    fused = fuse(
        module,
        anchor.output,
        [renamed(op, shared) for op in prologue],
        [renamed(op, shared) for op in epilogue],
        kernel_name(group.name),
        outputs,
    )
    owners = {var: tensor for tensor, var in shared.items()}
    whole = _noted(fused, group)
    tensors = tuple(owners[p] for p in whole.kernel.params)
    return Scheduled(whole, tensors, len(outputs))


def _attention(group: Group, whole: Attention) -> Module:
    """Two products with rows between them."""
    knobs = fitted(whole, host().lanes)
    assert knobs is not None, "the group was made because it fits"
    return knobs.build(whole, group.name)


def _noted(module: Module, group: Group) -> Module:
    """A program that says which nodes of the model it comes from."""
    origin = [name for op in group.operators for name in op.origin]
    kernel = replace(module.kernel, notes=(*module.kernel.notes, f"from {_listed(origin)}"))
    return replace(module, functions=(*module.functions[:-1], kernel))


def _rows(group: Group, region: Region, shared: Mapping[Tensor, Var]) -> Rows:
    """The operators over the same rows, with the group's variables."""
    members = [op for op in group.operators if op in region.index]
    steps = tuple(RowStep(renamed(op, shared), region.index[op]) for op in members)
    outputs = tuple(shared[t] for t in group.outputs)
    return Rows(region.axes, region.extents, region.inner, region.lengths, steps, outputs)


def _listed(origin: list[str]) -> str:
    # a comment: no line end, and no backslash, which would join it with the next line in C
    names = [_ODD.sub("_", n[:_LONGEST]) for n in dict.fromkeys(origin)]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
