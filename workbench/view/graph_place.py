"""Where the parts of a graph view lie, before and after fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.view.graph_parts import Box, EdgeView, GraphView, GroupView
from workbench.view.layout import Layout, layout

NODE = (112.0, 36.0)
ROW = 24.0
"""Height of an operator inside a group [px]."""

GROUP_WIDTH = 120.0
PAD = 9.0


def placed(view: GraphView) -> GraphView:
    """The view with places for its boxes and edges, before and after fusion."""
    before = layout([NODE] * len(view.nodes), [(e.source, e.target) for e in view.edges])
    sizes = [_size(view, group) for group in view.groups]
    after = layout(sizes, [(e.source, e.target) for e in view.stored])
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
