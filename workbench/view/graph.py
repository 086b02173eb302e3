"""A flow graph as a view: operators before, kernels after, and why not fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.base.names import shown
from workbench.mapping.check import counted
from workbench.view.graph_parts import Box, Change, EdgeView, GraphView, GroupView, NodeView
from workbench.view.graph_place import placed
from workbench.view.units import bytes_text

if TYPE_CHECKING:
    from workbench.graph import CompiledGraph, FlowGraph, Group, Operator, Tensor

OPERATOR_LIMIT = 400
"""Most operators of a picture in a cell; of a larger graph the first ones, which the view says."""

LIVE_LIMIT = 2000
"""Most operators of a live screen, which can ask for the next ones."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a view is made of."""

    name: str
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    operators: Sequence[Operator]
    groups: Sequence[Group]
    why: Mapping[tuple[Tensor, Operator], str]
    dims: Sequence[str] = ()
    target: str = ""


def compiled_view(
    compiled: CompiledGraph, limit: int = OPERATOR_LIMIT, first: int = 0
) -> GraphView:
    """The view of a compiled graph; `limit` and `first` as for :func:`graph_view`."""
    flow = compiled.graph
    why = {(u.tensor, u.user): u.reason for u in compiled.unfused}
    seen = _Seen(
        flow.name, flow.inputs, flow.outputs, flow.operators, compiled.partition.groups, why,
        target=str(compiled.target),
    )  # fmt: skip
    return _view(seen, limit, first)


def graph_view(graph: FlowGraph, limit: int = OPERATOR_LIMIT, first: int = 0) -> GraphView:
    """The view of a flow graph; with groups once it is optimized and its dims have values.

    Parameters
    ----------
    limit : int
        Operators that are drawn, at most.
    first : int
        Number of the first of them.
    """
    why = {(u.tensor, u.user): u.reason for u in graph.unfused}
    seen = _Seen(
        graph.name, graph.inputs, graph.outputs, graph.operators, graph.groups, why, graph.dims
    )
    return _view(seen, limit, first)


Member = tuple["Operator", int]
"""An operator, and the number of the group that computes it; what is recomputed is in several."""


def _view(seen: _Seen, limit: int, first: int) -> GraphView:
    total = len(seen.operators)
    first = max(0, min(first, total - limit))
    window = set(seen.operators[first : first + limit])
    whole = [k for k, g in enumerate(seen.groups) if all(op in window for op in g.operators)]
    members: list[Member] = [(op, k) for k in whole for op in seen.groups[k].operators]
    if not seen.groups:
        members = [(op, -1) for op in seen.operators[first : first + limit]]
    nodes, edges = _drawn(seen, members)
    why = {edge: _general(reason, edge[0]) for edge, reason in seen.why.items()}
    groups = _groups(nodes, seen.groups, whole)
    number: dict[str, int] = {}
    for _, tensor, user in edges:
        if user is not None and (reason := why.get((tensor, user))):
            number.setdefault(reason, len(number) + 1)
    known = [
        replace(edge, reason=number.get(why.get((tensor, user), ""), 0)) if user else edge
        for edge, tensor, user in edges
    ]
    drawn = len({op for op, _ in members})
    rest = f"operators {first + 1} to {first + drawn} of {total}" if first else ""
    rest = rest or f"the first {drawn} of {total} operators"
    view = GraphView(
        name=_short(seen.name),
        summary=_summary(seen),
        nodes=tuple(nodes),
        edges=tuple(known),
        groups=groups,
        stored=_stored(known, groups),
        reasons=tuple(number),
        changes=changes(seen.operators, seen.groups),
        before=Box(),
        after=Box(),
        note=rest if drawn < total else "",
        first=first,
        total=total,
    )
    return placed(view)


def _summary(seen: _Seen) -> str:
    said = [f"{_short(t.name)} {_type(t)}" for t in seen.inputs[:_LISTED]]
    said += [f"{len(seen.inputs) - _LISTED} more inputs"] * (len(seen.inputs) > _LISTED)
    said.append(counted(len(seen.operators), "operator"))
    if seen.groups:
        said.append(counted(sum(not g.views for g in seen.groups), "kernel"))
    said += [f"for {seen.target}"] * bool(seen.target)
    said += [f"{', '.join(seen.dims)} open"] * bool(seen.dims)
    return "  ·  ".join(said)


_LISTED = 4
"""Inputs that a summary names."""

_LONGEST = 240
"""Characters of a name: a model may call a tensor by a megabyte of text."""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


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


def _drawn(
    seen: _Seen, members: Sequence[Member]
) -> tuple[list[NodeView], list[tuple[EdgeView, Tensor, Operator | None]]]:
    """Inputs, operators and outputs; and the tensors between them, with who reads them."""
    values = {t: k for k, t in enumerate(t for op in seen.operators for t in op.outputs)}
    read = {t for op, _ in members for t in op.inputs}
    part = len({op for op, _ in members}) < len(seen.operators)
    inputs = [t for t in seen.inputs if not part or t in read]
    nodes = [NodeView(_short(t.name), _type(t), "", "input", -1) for t in inputs]
    stored: dict[Tensor, int] = {t: k for k, t in enumerate(inputs)}
    own: dict[tuple[Tensor, int], int] = {}
    for op, number in members:
        group = seen.groups[number] if number >= 0 else None
        for tensor in op.outputs:
            own[tensor, number] = len(nodes)
            if group is None or tensor in group.outputs or tensor not in stored:
                stored[tensor] = len(nodes)
        nodes.append(_node(op, group, number))
    edges: list[tuple[EdgeView, Tensor, Operator | None]] = []

    def edge(source: int, target: int, tensor: Tensor, user: Operator | None) -> None:
        said = f"{_short(tensor.name)} {_type(tensor)}"
        edges.append((EdgeView(source, target, said, value=values.get(tensor, -1)), tensor, user))

    for k, (op, number) in enumerate(members, len(inputs)):
        for t in op.inputs:
            source = own.get((t, number), stored.get(t))
            if source is not None:
                edge(source, k, t, op)
    for t in seen.outputs:
        if t in stored:
            edge(stored[t], len(nodes), t, None)
            nodes.append(NodeView(_short(t.name), _type(t), "", "output", -1))
    return nodes, edges


def _node(op: Operator, group: Group | None, number: int) -> NodeView:
    role = "operator"
    if group is not None:
        own = next(part for part in group.parts if op in part.operators)
        role = "prologue" if op in own.prologue else "epilogue"
        role = "anchor" if op in (own.anchor, own.first) else role
    detail = ", ".join([*(_type(t) for t in op.outputs), *(f"{k} {v}" for k, v in op.attributes)])
    origin = ", ".join(map(_short, op.origin))
    return NodeView(op.name, _short(detail), _short(origin), role, number)


def _stored(edges: Sequence[EdgeView], groups: Sequence[GroupView]) -> tuple[EdgeView, ...]:
    """One edge for each tensor between two groups, however many operators read it."""
    home = {n: g for g, group in enumerate(groups) for n in group.nodes}
    found: dict[tuple[int, int, str, int], EdgeView] = {}
    for edge in edges if groups else ():
        source, to = home[edge.source], home[edge.target]
        if source != to:
            key = source, to, edge.tensor, edge.value
            found.setdefault(key, replace(edge, source=source, target=to))
    return tuple(found.values())


def _groups(
    nodes: Sequence[NodeView], groups: Sequence[Group], whole: Sequence[int]
) -> tuple[GroupView, ...]:
    """The groups in their order, inputs before and outputs after them as boxes of their own."""
    if not groups:
        return ()
    members: dict[int, list[int]] = {k: [] for k in whole}
    for k, node in enumerate(nodes):
        if node.group >= 0:
            members[node.group].append(k)
    views = [GroupView(nodes[k].name, (k,), "") for k in _of_role(nodes, "input")]
    for k in whole:
        group = groups[k]
        moved = "a view" if group.views else bytes_text(group.moved_bytes)
        views.append(GroupView(group.name, tuple(members[k]), moved, saved=_saved(group), number=k))
    views += [GroupView(nodes[k].name, (k,), "") for k in _of_role(nodes, "output")]
    return tuple(views)


def _saved(group: Group) -> str:
    """Launches and bytes that fusion keeps away."""
    launches = len(group.operators) - (not group.views)
    kept = moved_bytes(group.operators) - group.moved_bytes
    said = f"{launches} launch{'es' * (launches != 1)}"
    return f"{said}, {bytes_text(kept)}" if launches else ""


def _of_role(nodes: Sequence[NodeView], role: str) -> list[int]:
    return [k for k, node in enumerate(nodes) if node.role == role]


def changes(operators: Sequence[Operator], groups: Sequence[Group]) -> tuple[Change, ...]:
    """Launches and bytes with a kernel for each operator, and with these groups."""
    if not groups:
        return (Change("operators", "", str(len(operators))),)
    after, run = sum(g.moved_bytes for g in groups), sum(not g.views for g in groups)
    before = moved_bytes(operators)
    return (
        Change("launches", str(len(operators)), str(run)),
        Change("read and written by kernels", bytes_text(before), bytes_text(after)),
    )


def moved_bytes(operators: Sequence[Operator]) -> int:
    """What operators read and write with a kernel each [byte]."""
    return sum(t.size_bytes for op in operators for t in (*op.inputs, *op.outputs))


def _type(tensor: Tensor) -> str:
    shape = "?" if tensor.shape is None else ", ".join(map(str, tensor.shape))
    return f"{tensor.dtype}[{shape}]"
