"""A flow graph as a view: operators before, kernels after, and why not fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from workbench.base.names import shown
from workbench.mapping.check import counted
from workbench.view.layout import Layout, layout
from workbench.view.units import bytes_text

if TYPE_CHECKING:
    from workbench.graph import CompiledGraph, FlowGraph, Group, Operator, Tensor

OPERATOR_LIMIT = 400
"""Most operators that are laid out; of a larger graph the first ones, which the view says."""

NODE = (112.0, 36.0)
ROW = 24.0
"""Height of an operator inside a group [px]."""

GROUP_WIDTH = 120.0
PAD = 9.0


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is drawn, from its top left corner [px]."""

    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class NodeView:
    """An operator, an input or an output.

    Attributes
    ----------
    name, detail, origin : str
        What it does; the tensor it gives and its attributes; the model's nodes it comes from.
    role : str
        ``anchor``, ``prologue``, ``epilogue``, ``operator``, ``input`` or ``output``.
    group : int
        Number of its group, or -1.
    box : Box
        Where it is drawn before fusion.
    """

    name: str
    detail: str
    origin: str
    role: str
    group: int
    box: Box = Box()


@dataclass(frozen=True, slots=True)
class GroupView:
    """Operators that share a kernel; inputs and outputs stand alone.

    Attributes
    ----------
    name : str
        Of the kernel.
    nodes : tuple of int
        Its operators in order.
    moved : str
        What the kernel reads and writes, in words.
    """

    name: str
    nodes: tuple[int, ...]
    moved: str
    box: Box = Box()


@dataclass(frozen=True, slots=True)
class EdgeView:
    """A tensor that flows.

    Attributes
    ----------
    source, target : int
        Nodes before fusion, groups after.
    tensor : str
        Its name and type.
    reason : int
        Number of the reason why it stays, from 1; 0 where there is none.
    route : tuple of float
        x and y of the control points of its curve, one after the other.
    """

    source: int
    target: int
    tensor: str
    reason: int = 0
    route: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after fusion; `before` is empty where nothing is compared."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class GraphView:
    """What a graph screen knows.

    Attributes
    ----------
    name, summary : str
        Of the model; its inputs and sizes in words.
    nodes, edges : tuples
        Operators and tensors before fusion.
    groups, stored : tuples
        Kernels and the tensors stored between them; empty before `optimize`.
    reasons : tuple of str
        Why stored tensors are stored; an edge names its number.
    changes : tuple of Change
        Launches and bytes.
    before, after : Box
        Size of the two drawings; zero where no Graphviz could be had.
    note : str
        What is not drawn, in words.
    """

    name: str
    summary: str
    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    groups: tuple[GroupView, ...]
    stored: tuple[EdgeView, ...]
    reasons: tuple[str, ...]
    changes: tuple[Change, ...]
    before: Box
    after: Box
    note: str = ""
    kind: Literal["graph"] = "graph"
    version: Literal[1] = 1


def compiled_view(compiled: CompiledGraph) -> GraphView:
    """The view of a compiled graph."""
    flow = compiled.graph
    return _view(
        flow.name, flow.inputs, flow.outputs, flow.operators, compiled.partition.groups,
        {(u.tensor, u.user): u.reason for u in compiled.unfused}, (), str(compiled.target),
    )  # fmt: skip


def graph_view(graph: FlowGraph) -> GraphView:
    """The view of a flow graph; with groups once it is optimized and its dims have values."""
    return _view(
        graph.name, graph.inputs, graph.outputs, graph.operators, graph.groups,
        {(u.tensor, u.user): u.reason for u in graph.unfused}, graph.dims, "",
    )  # fmt: skip


def _view(
    name: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    operators: Sequence[Operator],
    groups: Sequence[Group],
    why: dict[tuple[Tensor, Operator], str],
    dims: Sequence[str],
    target: str,
) -> GraphView:
    kept = list(operators[:OPERATOR_LIMIT])
    whole = [group for group in groups if all(op in kept for op in group.operators)]
    if groups:
        kept = [op for group in whole for op in group.operators]
    nodes, at = _nodes(inputs, outputs, kept, whole)
    edges = _edges(inputs, outputs, kept, at)
    why = {edge: _general(reason, edge[0]) for edge, reason in why.items()}
    group_views = _groups(nodes, whole)
    stored, reasons = _stored(edges, group_views, why)
    said = [*(f"{t.name} {_type(t)}" for t in inputs), f"{counted(len(operators), 'operator')}"]
    said += [counted(sum(not g.views for g in groups), "kernel")] * bool(groups) + [
        f"for {target}"
    ] * bool(target)
    said += [f"{', '.join(dims)} open"] * bool(dims)
    left_out = f"the first {len(kept)} of {len(operators)} operators"
    view = GraphView(
        name=name,
        summary="  ·  ".join(said),
        nodes=tuple(nodes),
        edges=tuple(edge for edge, _, _ in edges),
        groups=group_views,
        stored=stored,
        reasons=reasons,
        changes=_changes(operators, groups),
        before=Box(),
        after=Box(),
        note=left_out if len(kept) < len(operators) else "",
    )
    return placed(view)


def _general(reason: str, tensor: Tensor) -> str:
    """The reason without the name of the tensor, so that like reasons are one.

    Fusion names the tensor first or last, and escapes it as `shown` does.
    """
    name = shown(tensor.name)
    if reason.startswith(f"{name} "):
        return f"the tensor{reason.removeprefix(name)}"
    if reason.endswith(f" in {name}"):
        return f"{reason.removesuffix(name)}the tensor"
    return reason


def _stored(
    edges: Sequence[tuple[EdgeView, Tensor, Operator | None]],
    groups: Sequence[GroupView],
    why: dict[tuple[Tensor, Operator], str],
) -> tuple[tuple[EdgeView, ...], tuple[str, ...]]:
    """One edge for each tensor between two groups, however many operators read it; the reasons."""
    if not groups:
        return (), ()
    home = {n: g for g, group in enumerate(groups) for n in group.nodes}
    stored: dict[tuple[int, int, str], tuple[EdgeView, str]] = {}
    for edge, tensor, user in edges:
        source, to = home[edge.source], home[edge.target]
        reason = why.get((tensor, user), "") if user else ""
        if source != to:
            stored.setdefault(
                (source, to, edge.tensor), (EdgeView(source, to, edge.tensor), reason)
            )
    reasons = dict.fromkeys(reason for _, reason in stored.values() if reason)
    number = {reason: k for k, reason in enumerate(reasons, 1)}
    found = (replace(edge, reason=number.get(reason, 0)) for edge, reason in stored.values())
    return tuple(found), tuple(reasons)


def placed(view: GraphView) -> GraphView:
    """The view with places for its boxes and edges, before and after fusion."""
    before = layout([NODE] * len(view.nodes), [(e.source, e.target) for e in view.edges])
    sizes = [_size(view, group) for group in view.groups]
    after = layout(sizes, [(e.source, e.target) for e in view.stored])
    if before is None or after is None:
        note = "drawn as a list: no Graphviz here; pip install pygraphviz brings one"
        return replace(view, note=f"{view.note}; {note}" if view.note else note)
    nodes = (replace(n, box=_box(c, NODE)) for n, c in zip(view.nodes, before.centres, strict=True))
    groups = (
        replace(group, box=_box(centre, size))
        for group, centre, size in zip(view.groups, after.centres, sizes, strict=True)
    )
    return replace(
        view,
        nodes=tuple(nodes),
        groups=tuple(groups),
        edges=_routed(view.edges, before),
        stored=_routed(view.stored, after),
        before=Box(0, 0, before.width, before.height),
        after=Box(0, 0, after.width, after.height),
    )


def _nodes(
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    operators: Sequence[Operator],
    groups: Sequence[Group],
) -> tuple[list[NodeView], dict[object, int]]:
    """Views of inputs, operators and outputs; and the number of each maker of a tensor."""
    home = {op: g for g, group in enumerate(groups) for op in group.operators}
    nodes = [NodeView(t.name, _type(t), "", "input", -1) for t in inputs]
    at: dict[object, int] = {t: k for k, t in enumerate(inputs)}
    for op in operators:
        group = groups[home[op]] if op in home else None
        for tensor in op.outputs:
            at[tensor] = len(nodes)
        nodes.append(_node(op, group, home.get(op, -1)))
    nodes += [NodeView(t.name, _type(t), "", "output", -1) for t in outputs if t in at]
    return nodes, at


def _node(op: Operator, group: Group | None, number: int) -> NodeView:
    role = "operator"
    if group is not None:
        own = next(part for part in group.parts if op in part.operators)
        role = "prologue" if op in own.prologue else "epilogue"
        role = "anchor" if op in (own.anchor, own.first) else role
    detail = ", ".join([*(_type(t) for t in op.outputs), *(f"{k} {v}" for k, v in op.attributes)])
    return NodeView(op.name, detail, ", ".join(op.origin), role, number)


def _edges(
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    operators: Sequence[Operator],
    at: dict[object, int],
) -> list[tuple[EdgeView, Tensor, Operator | None]]:
    edges: list[tuple[EdgeView, Tensor, Operator | None]] = []
    for k, op in enumerate(operators, len(inputs)):
        for t in op.inputs:
            if t in at:
                edges.append((EdgeView(at[t], k, f"{t.name} {_type(t)}"), t, op))
    first = len(inputs) + len(operators)
    for k, t in enumerate((t for t in outputs if t in at), first):
        edges.append((EdgeView(at[t], k, f"{t.name} {_type(t)}"), t, None))
    return edges


def _groups(nodes: Sequence[NodeView], groups: Sequence[Group]) -> tuple[GroupView, ...]:
    """The groups in their order, inputs before and outputs after them as boxes of their own."""
    if not groups:
        return ()
    members: list[list[int]] = [[] for _ in groups]
    for k, node in enumerate(nodes):
        if node.group >= 0:
            members[node.group].append(k)
    views = [GroupView(nodes[k].name, (k,), "") for k in _of_role(nodes, "input")]
    for group, own in zip(groups, members, strict=True):
        moved = "a view" if group.views else bytes_text(group.moved_bytes)
        views.append(GroupView(group.name, tuple(own), moved))
    views += [GroupView(nodes[k].name, (k,), "") for k in _of_role(nodes, "output")]
    return tuple(views)


def _of_role(nodes: Sequence[NodeView], role: str) -> list[int]:
    return [k for k, node in enumerate(nodes) if node.role == role]


def _changes(operators: Sequence[Operator], groups: Sequence[Group]) -> tuple[Change, ...]:
    if not groups:
        return (Change("operators", "", str(len(operators))),)
    before = sum(t.size_bytes for op in operators for t in (*op.inputs, *op.outputs))
    after, run = sum(g.moved_bytes for g in groups), sum(not g.views for g in groups)
    return (
        Change("launches", str(len(operators)), str(run)),
        Change("read and written by kernels", bytes_text(before), bytes_text(after)),
    )


def _size(view: GraphView, group: GroupView) -> tuple[float, float]:
    if view.nodes[group.nodes[0]].group < 0:
        return NODE
    return GROUP_WIDTH, len(group.nodes) * ROW + 2 * PAD


def _box(centre: tuple[float, float], size: tuple[float, float]) -> Box:
    return Box(round(centre[0] - size[0] / 2, 1), round(centre[1] - size[1] / 2, 1), *size)


def _routed(edges: Sequence[EdgeView], drawn: Layout) -> tuple[EdgeView, ...]:
    return tuple(
        replace(edge, route=tuple(part for point in route for part in point))
        for edge, route in zip(edges, drawn.routes, strict=True)
    )


def _type(tensor: Tensor) -> str:
    shape = "?" if tensor.shape is None else ", ".join(map(str, tensor.shape))
    return f"{tensor.dtype}[{shape}]"
