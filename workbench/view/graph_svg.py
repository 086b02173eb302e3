"""A flow graph as a picture and as text: kernels, what each is made of, why there are not fewer."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.view.card import MARGIN, card, clipped, mono_width, rule, spans
from workbench.view.columns import shown, table
from workbench.view.graph import PAD, ROW
from workbench.view.palette import DARK, LIGHT, Theme, hex_of, oklch
from workbench.view.svg import element, path, plain, rect, text

if TYPE_CHECKING:
    from workbench.view.graph import Box, Change, EdgeView, GraphView, GroupView, NodeView

HEAD = 46
FOOT = 52
WIDTH = 1140.0
"""Room for a row; a longer graph goes on in the next one, like a line of music."""

ROWS = 4

REASONS = 8
_HUES = (250, 150, 60, 320)


def graph_svg(view: GraphView) -> str:
    """The picture."""
    box = view.after if view.groups else view.before
    boxes = [part.box for part in (view.groups or view.nodes)]
    cuts = _cuts(boxes, box.width)
    left_out = sum(part.x >= cuts[-1] for part in boxes)
    width = max(760.0, max(b - a for a, b in pairwise(cuts)) + 2 * MARGIN)
    y = HEAD + 22.0
    marks = [*_head(view, width), text(MARGIN, y, _LEGEND[bool(view.groups)], class_="soft s")]
    y += 14
    if box.width:
        drawn = _fused(view, cuts[-1]) if view.groups else _plain(view, cuts[-1])
        spans_y = _heights(view, cuts)
        part, y = _rows(drawn, cuts, spans_y, y)
        marks += part
    notes = _notes(view, cuts[-1] if box.width else 0)
    if left_out and box.width:
        what = "kernels and inputs" if view.groups else "operators and inputs"
        said = (
            f"Shown: the first {len(boxes) - left_out} of {len(boxes)} {what}; explore() has all."
        )
        notes.append([(said, "warn")])
    for line in notes:
        y += 20
        marks.append(spans(MARGIN, y, line, style="font-size:12px"))
    y += 16
    marks += _foot(view.changes, width, y)
    said = f"{view.summary}. " + " ".join(f"{c.label} {c.before} {c.after}" for c in view.changes)
    return card(width, y + FOOT, f"Graph {view.name}", said, marks, _styles())


def _cuts(boxes: list[Box], width: float) -> list[float]:
    """Where the rows begin and end: between boxes, each row at most `WIDTH` wide."""
    starts = sorted({box.x - 1.5 for box in boxes})
    cuts = [0.0]
    while cuts[-1] < width and len(cuts) <= ROWS:
        if width - cuts[-1] <= WIDTH:
            cuts.append(width + 1)
            break
        free = [
            x
            for x in starts
            if cuts[-1] < x <= cuts[-1] + WIDTH and not any(b.x < x < b.x + b.width for b in boxes)
        ]
        cuts.append(free[-1] if free else cuts[-1] + WIDTH)
    return cuts if len(cuts) > 1 else [0.0, 0.0]


def _heights(view: GraphView, cuts: list[float]) -> list[tuple[float, float]]:
    """Top and bottom of what each row shows."""
    boxes = [part.box for part in (view.groups or view.nodes)]
    edges = view.stored if view.groups else view.edges
    heights: list[tuple[float, float]] = []
    for left, right in pairwise(cuts):
        inside = [b for b in boxes if b.x < right and b.x + b.width > left]
        ys = [y for b in inside for y in (b.y, b.y + b.height)]
        for edge in edges:
            pairs = zip(edge.route[::2], edge.route[1::2], strict=True)
            ys += [y for x, y in pairs if left <= x <= right]
        heights.append((min(ys, default=0) - 10, max(ys, default=0) + 10))
    return heights


def _rows(
    drawn: list[str], cuts: list[float], heights: list[tuple[float, float]], y: float
) -> tuple[list[str], float]:
    """The drawing once, shown through a window for each row."""
    marks = [element("defs", element("g", *drawn, id="graph"))]
    for row, ((left, right), (top, low)) in enumerate(zip(pairwise(cuts), heights, strict=True)):
        view_box = f"{left:g} {top:g} {right - left:g} {low - top:g}"
        size = {"x": float(MARGIN), "y": y, "width": right - left, "height": low - top}
        if row:
            marks.append(rule(MARGIN, y - 4, MARGIN + 60, y - 4))
        marks.append(element("svg", element("use", href="#graph"), viewBox=view_box, **size))
        y += low - top + 8
    return marks, y


_LEGEND = (
    "one box = one operator",
    "shade = one kernel, its operators in order · thick outline = anchor · "
    "dashed = a tensor that is stored, with its reason",
)


def graph_text(view: GraphView) -> str:
    """Kernels with their operators, or operators, as a table; then reasons."""
    parts = [f"{shown(view.name)}\n{shown(view.summary)}", *map(_change_text, view.changes)]
    if view.groups:
        rows = [
            (group.name, " ".join(_mark(view.nodes[k]) for k in group.nodes), group.moved)
            for group in view.groups
            if view.nodes[group.nodes[0]].group >= 0
        ]
        parts.append(
            "\n" + table(["kernel", "operators, anchor in brackets", "moved"], rows, "llr")
        )
    else:
        counts = Counter(node.name for node in view.nodes if node.role == "operator")
        parts.append("\n" + table(["operator", "count"], counts.most_common(), "lr"))
    counts = Counter(edge.reason for edge in view.stored)
    if view.reasons:
        rows = [(k, shown(said), counts[k]) for k, said in enumerate(view.reasons, 1)]
        parts.append("\n" + table(["", "why a tensor is stored", "tensors"], rows, "rlr"))
    return "\n".join([*parts, *([f"\n{view.note}"] if view.note else [])])


def graph_words(view: GraphView) -> str:
    """One sentence."""
    return f"Graph {view.name}: {view.summary}; " + ", ".join(map(_change_text, view.changes))


def _change_text(change: Change) -> str:
    return (
        f"{change.label} {change.before} → {change.after}"
        if change.before
        else (f"{change.label} {change.after}")
    )


def _mark(node: NodeView) -> str:
    return f"[{shown(node.name)}]" if node.role == "anchor" else shown(node.name)


def _head(view: GraphView, width: float) -> list[str]:
    name = clipped(view.name, width / 3, 14)
    room = width - 3 * MARGIN - mono_width(name, 14)
    said = clipped(view.summary, room, 13, 0.58)
    parts = [(name, "b m"), (f"   {said}", "soft")]
    return [spans(MARGIN, 28, parts, style="font-size:13.5px"), rule(0.5, HEAD, width - 0.5, HEAD)]


def _fused(view: GraphView, limit: float) -> list[str]:
    x = y = 0.0
    marks = [
        _group(group, k, x, y) for k, group in enumerate(view.groups) if _is_kernel(view, group)
    ]
    marks += [_edge(edge, x, y) for edge in view.stored if min(edge.route[:1]) < limit]
    for group in view.groups:
        if group.box.x >= limit:
            continue
        if not _is_kernel(view, group):
            marks += _node(view.nodes[group.nodes[0]], group.box, x, y)
            continue
        for row, k in enumerate(group.nodes):
            marks += _row(view.nodes[k], group.box, row, x, y)
    return marks


def _is_kernel(view: GraphView, group: GroupView) -> bool:
    return view.nodes[group.nodes[0]].group >= 0


def _plain(view: GraphView, limit: float) -> list[str]:
    x = y = 0.0
    marks = [_edge(edge, x, y) for edge in view.edges if min(edge.route[:1]) < limit]
    for node in (node for node in view.nodes if node.box.x < limit):
        marks += _node(node, node.box, x, y)
    return marks


def _group(group: GroupView, number: int, x: float, y: float) -> str:
    box = group.box
    said = element("title", plain(f"{group.name}, moves {group.moved}"))
    return element(
        "g",
        said,
        rect(x + box.x, y + box.y, box.width, box.height, rx=9, class_=f"g{number % len(_HUES)}"),
    )


def _row(node: NodeView, box: Box, row: int, x: float, y: float) -> list[str]:
    """An operator inside its group."""
    left, top = x + box.x + 8, y + box.y + PAD + row * ROW
    anchor = node.role == "anchor"
    marks: list[str] = []
    if anchor:
        marks.append(rect(left, top + 1, box.width - 16, ROW - 3, rx=5, class_="anchor"))
    said = clipped(node.name, box.width - 24, 11.5)
    marks.append(
        text(x + box.x + box.width / 2, top + 15.5, said, class_=f"m n mid{' b' * anchor}")
    )
    return marks


def _node(node: NodeView, box: Box, x: float, y: float) -> list[str]:
    left, top, middle = x + box.x, y + box.y, x + box.x + box.width / 2
    return [
        element("title", plain(f"{node.role} {node.name}: {node.detail}")),
        rect(left, top, box.width, box.height, rx=6, class_="node"),
        text(middle, top + 16, clipped(node.name, box.width - 8, 11.5), class_="m n mid"),
        text(middle, top + 29, clipped(node.detail, box.width - 8, 9.5), class_="m d mid faint"),
    ]


def _edge(edge: EdgeView, x: float, y: float) -> str:
    points = [(x + a, y + b) for a, b in zip(edge.route[::2], edge.route[1::2], strict=True)]
    if len(points) < 4:
        return ""
    d = f"M{points[0][0]:.1f} {points[0][1]:.1f}C" + " ".join(
        f"{a:.1f} {b:.1f}" for a, b in points[1:]
    )
    kind = "why" if edge.reason else "flow"
    marks = [element("title", plain(edge.tensor)), path(d, class_=kind), _arrow(points, kind)]
    if edge.reason:
        a, b = points[len(points) // 2]
        marks.append(element("circle", cx=a, cy=b, r=7.5, class_="ground on-warn-line"))
        marks.append(text(a, b + 3.6, edge.reason, class_="warn mid num"))
    return element("g", *marks)


def _arrow(points: list[tuple[float, float]], kind: str) -> str:
    """A head at the end, along the last piece that has a length."""
    (x, y) = points[-1]
    (a, b) = next(p for p in reversed(points) if p != points[-1])
    length = ((x - a) ** 2 + (y - b) ** 2) ** 0.5
    u, v = (x - a) / length, (y - b) / length
    left = f"{x - 7 * u + 3.2 * v:.1f} {y - 7 * v - 3.2 * u:.1f}"
    right = f"{x - 7 * u - 3.2 * v:.1f} {y - 7 * v + 3.2 * u:.1f}"
    return path(f"M{x:.1f} {y:.1f}L{left}L{right}z", class_=f"{kind}-head")


def _notes(view: GraphView, limit: float) -> list[list[tuple[str, str]]]:
    """Reasons that the picture shows, with what they hold back; what it does not show."""
    seen = [e for e in view.stored if e.reason and (not limit or e.route[0] < limit)]
    counts = Counter(edge.reason for edge in seen)
    lines: list[list[tuple[str, str]]] = []
    for number, _ in counts.most_common(REASONS):
        users = {view.groups[e.target].name for e in seen if e.reason == number}
        said = clipped(view.reasons[number - 1], 520, 12, 0.58)
        where = clipped(", ".join(sorted(users)), 330, 12, 0.58)
        lines.append([(f"{number}  ", "warn b"), (said, ""), (f"  before {where}", "soft")])
    lines.sort(key=lambda line: int(line[0][0]))
    if len(counts) > REASONS:
        lines.append([(f"… {len(counts) - REASONS} more reasons", "soft")])
    if view.note:
        lines.append([(f"Note: {view.note}.", "warn")])
    return lines


def _foot(changes: tuple[Change, ...], width: float, y: float) -> list[str]:
    marks = [rect(1, y, width - 2, FOOT - 1, class_="panel"), rule(0.5, y, width - 0.5, y)]
    x = float(MARGIN)
    for change in changes:
        parts = [(f"{change.before} → ", "faint m")] if change.before else []
        marks.append(text(x, y + 19, change.label, class_="soft s"))
        marks.append(spans(x, y + 39, [*parts, (change.after, "b m")]))
        x += max(110.0, len(change.label) * 6.6) + 30
        marks.append(rule(x - 16, y, x - 16, y + FOOT))
    return marks


def _styles() -> str:
    dark = f"@media(prefers-color-scheme:dark){{{_grounds(DARK)}}}"
    return (
        "text.n{font-size:11.5px}text.d{font-size:9.5px}text.num{font-size:10px;font-weight:700}"
        f".why{{stroke-dasharray:4 3}}{_grounds(LIGHT)}{dark}"
    )


def _grounds(theme: Theme) -> str:
    groups = "".join(
        f".g{k}{{fill:{hex_of(oklch(theme.group_lightness, theme.group_chroma, hue))};"
        f"stroke:{hex_of(oklch(0.64, 0.12, hue))}}}"
        for k, hue in enumerate(_HUES)
    )
    return (
        f"{groups}.node{{fill:{theme.ground};stroke:{theme.line}}}"
        f".anchor{{fill:{theme.ground};stroke:{theme.ink};stroke-width:1.4}}"
        f".flow{{fill:none;stroke:{theme.faint};stroke-width:1.2}}.flow-head{{fill:{theme.faint}}}"
        f".why{{fill:none;stroke:{theme.warn};stroke-width:1.4}}.why-head{{fill:{theme.warn}}}"
        f".on-warn-line{{stroke:{theme.warn};stroke-width:1.2}}"
    )
