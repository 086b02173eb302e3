"""A model explained: its kernels in words, what is stored between them, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.base.names import shown
from workbench.graph.flow import FlowGraph
from workbench.mapping.check import counted
from workbench.view.units import bytes_text

if TYPE_CHECKING:
    from workbench.graph import Group, Operator

WIDTH = 80
_LISTED = 6
"""Model nodes and tensors that a line of text names; the data name them all."""


@dataclass(frozen=True, slots=True)
class KernelText:
    """One kernel, or one call on the host.

    Attributes
    ----------
    name, role : str
        What it does; ``kernel``, ``host``, ``rows`` for a kernel of several reductions over the
        same rows, ``attention`` for two products with rows between them, or ``view`` for what
        needs no kernel.
    anchor : str
        The operator that is scheduled.
    before, after : tuple of str
        Operators computed where it loads, and where it stores.
    nodes : tuple of str
        The model's nodes it comes from.
    reads, gives : tuple of str
        Tensors with their types.
    moved_bytes : int
        Size of all of them [byte].
    between : tuple of str
        The first product and what is made of its rows, which is not stored.
    beside : tuple of KernelText
        What other blocks of the same launch do.
    """

    name: str
    role: str
    anchor: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    nodes: tuple[str, ...]
    reads: tuple[str, ...]
    gives: tuple[str, ...]
    moved_bytes: int
    between: tuple[str, ...] = ()
    beside: tuple[KernelText, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredText:
    """A tensor that is stored between two kernels, and why."""

    tensor: str
    size_bytes: int
    producer: str
    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is told of a model.

    Attributes
    ----------
    model, target : str
        Its name; what it is compiled for.
    dims : mapping of str to int
        What was chosen for open dims.
    inputs, outputs : tuple of str
        Tensors with their types.
    rewrites : tuple of str
        Names of the rewrites that changed the graph.
    launches, moved_bytes : (int, int)
        With a kernel for every operator, and as it is.
    kernels, stored : tuple
        In the order in which they run.
    cut : str
        What must be seen in a call before the rest is known; empty where all is known now.
    """

    model: str
    target: str
    dims: Mapping[str, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rewrites: tuple[str, ...]
    launches: tuple[int, int]
    moved_bytes: tuple[int, int]
    kernels: tuple[KernelText, ...]
    stored: tuple[StoredText, ...]
    cut: str = ""
    kind: Literal["explanation"] = "explanation"
    version: Literal[1] = 1


def explanation(flow: FlowGraph, target: str, dims: Mapping[str, int]) -> Explanation:
    """What a model becomes for a target.

    Raises
    ------
    ModelError
        When dims have no value, or a node does not fit.
    """
    bound = flow.bind(dims) if flow.dims or dims else flow
    cut, ends = "", (bound.inputs, bound.outputs)
    if bound.origin is not None:
        # data decide how it goes on: what runs before they are seen is known
        segment = bound.origin.begin([t.extents for t in bound.inputs])
        cut = segment.cut.why if segment.cut else ""
        bound = FlowGraph(segment.graph)
    graph = bound.optimize(target=target)
    operators = graph.operators
    return Explanation(
        model=flow.name,
        target=target,
        dims=dict(dims),
        inputs=tuple(map(str, ends[0])),
        outputs=tuple(map(str, ends[1])),
        rewrites=graph.rules,
        launches=(len(operators), sum(not g.views for g in graph.groups)),
        moved_bytes=(_moved(operators), sum(g.moved_bytes for g in graph.groups)),
        kernels=tuple(map(_kernel, graph.groups)),
        stored=tuple(
            StoredText(str(u.tensor), u.tensor.size_bytes, u.producer.name, u.user.name, u.reason)
            for u in graph.unfused
        ),
        cut=cut,
    )


def _moved(parts: Iterable[Operator]) -> int:
    return sum(t.size_bytes for part in parts for t in (*part.inputs, *part.outputs))


def _kernel(group: Group) -> KernelText:
    between = (group.first, *(group.rows.index if group.rows else ())) if group.first else ()
    return KernelText(
        name=group.name,
        role=_role(group),
        anchor=group.anchor.name,
        before=tuple(op.name for op in group.prologue if op not in between),
        between=tuple(op.name for op in group.prologue if op in between),
        after=tuple(op.name for op in group.epilogue),
        nodes=tuple(dict.fromkeys(n for op in group.operators for n in op.origin)),
        reads=tuple(map(str, group.inputs)),
        gives=tuple(map(str, group.outputs)),
        moved_bytes=group.moved_bytes,
        beside=tuple(map(_kernel, group.beside)),
    )


def _role(group: Group) -> str:
    if group.views:
        return "view"
    if group.first:
        return "attention"
    return "rows" if group.rows else "host" if callable(group.host) else "kernel"


def text(found: Explanation) -> str:
    """The explanation for a terminal, at most 80 columns wide."""
    chosen = "".join(f", {shown(name)} = {extent}" for name, extent in found.dims.items())
    lines = [f"{shown(found.model) or 'the model'} for {found.target}{chosen}", ""]
    lines += _wrapped("reads   ", found.inputs)
    lines += _wrapped("gives   ", found.outputs)
    if found.rewrites:
        lines += _wrapped("rewrites", found.rewrites)
    if found.kernels:
        lines += ["", *_figures(found), ""]
    for number, kernel in enumerate(found.kernels, 1):
        lines += _kernel_lines(number, kernel)
    if found.cut:
        lines += ["", *_paragraph(f"Then data decide how it goes on: {found.cut}.")]
    if found.stored or not found.cut:
        lines += ["", *_stored_lines(found.stored)]
    return "\n".join(lines)


def _figures(found: Explanation) -> Iterator[str]:
    alone, fused = found.launches
    before, after = found.moved_bytes
    yield from _paragraph(
        f"{counted(alone, 'operator')} as {counted(fused, 'kernel')}: "
        f"{_launches(alone - fused)} saved."
    )
    less = f", {100 * (before - after) / before:.0f} % less" if after < before else ""
    yield from _paragraph(
        f"Kernels read and write {bytes_text(after)}; a kernel for each operator "
        f"{bytes_text(before)}{less}."
    )


def _launches(count: int) -> str:
    return f"{count} launch{'es' * (count != 1)}"


def _kernel_lines(number: int, kernel: KernelText) -> list[str]:
    title = f"{number:3}  {kernel.name}"
    moved = bytes_text(kernel.moved_bytes)
    if len(title) + len(moved) + 2 > WIDTH:
        title = f"{title[: WIDTH - len(moved) - 3]}…"
    lines = [f"{title}{moved:>{WIDTH - len(title)}}"]
    for each in _said(kernel):
        lines += _paragraph(each, "     ")
    return lines


def _said(kernel: KernelText) -> list[str]:
    """A kernel in words, line by line."""
    said: list[str] = []
    if kernel.role == "host":
        said.append("runs on the host, between kernels")
    if kernel.role == "view":
        said.append("no kernel: what it gives lies where what it reads does")
    if kernel.role == "rows":
        every = (*kernel.before, kernel.anchor, *kernel.after)
        said.append(f"over the same rows: {_listed(every)}")
    elif kernel.before:
        anchor = "it" if kernel.between else kernel.anchor
        said.append(f"where {anchor} loads: {_listed(kernel.before)}")
    if kernel.between:
        first, *rows = kernel.between
        said.append(f"{first}, over its rows {_listed(rows)}, then {kernel.anchor}; none stored")
    if kernel.after and kernel.role != "rows":
        said.append(f"where {kernel.anchor} stores: {_listed(kernel.after)}")
    for each in kernel.beside:
        said.append(f"other blocks, beside it: {each.name}")
        said += _said(each)[:-1]
    return [*said, f"from {_listed(kernel.nodes)}"]


def _stored_lines(stored: Sequence[StoredText]) -> list[str]:
    """Every stored tensor, those with like reasons together."""
    if not stored:
        return ["Nothing is stored between kernels."]
    alike: dict[str, list[StoredText]] = {}
    for each in stored:
        alike.setdefault(_general(each), []).append(each)
    lines = ["Stored between kernels, and why:"]
    for reason, edges in alike.items():
        size = bytes_text(sum({e.tensor: e.size_bytes for e in edges}.values()))
        lines += ["", *_paragraph(f"{reason} ({counted(len(edges), 'edge')}, {size})", "  ")]
        said = [f"{e.tensor} ({e.producer} → {e.user})" for e in edges[:_LISTED]]
        for each in said:
            lines += _paragraph(each, "     ")
        if len(edges) > _LISTED:
            lines.append(f"     and {len(edges) - _LISTED} more")
    return lines


def _general(each: StoredText) -> str:
    """The reason without the name of the tensor, which stands at its begin or its end."""
    name = each.tensor.rpartition(": ")[0]
    if each.reason.startswith(f"{name} "):
        return f"the tensor{each.reason.removeprefix(name)}"
    if each.reason.endswith(f" in {name}"):
        return f"{each.reason.removesuffix(name)}the tensor"
    return each.reason


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(shown, names[:_LISTED])) + more


def _wrapped(title: str, items: Sequence[str]) -> list[str]:
    more = [f"and {len(items) - _LISTED} more"] if len(items) > _LISTED else []
    lines: list[str] = []
    for each in (*items[:_LISTED], *more):
        lines += _paragraph(each, f"{title if not lines else '':8}  ")
    return lines


def _paragraph(said: str, indent: str = "") -> list[str]:
    hanging = " " * len(indent)
    return textwrap.wrap(
        said, WIDTH, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False
    )
