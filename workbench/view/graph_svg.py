"""A flow graph as a picture and as text: kernels, what each is made of, why there are not fewer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from workbench.view.card import MARGIN, card, clipped, mono_width, rule, spans
from workbench.view.columns import shown, table
from workbench.view.graph_place import PAD, ROW
from workbench.view.graph_rows import height, middle, pieces, rows_of
from workbench.view.palette import DARK, LIGHT, Theme, hex_of, oklch
from workbench.view.svg import element, path, plain, rect, text

if TYPE_CHECKING:
    from workbench.view.graph_parts import Box, Change, GraphView, GroupView, NodeView
    from workbench.view.graph_rows import Piece, Row

WIDTH = 840.0
"""Of the picture: that of a cell's output; a longer graph goes on in the next row."""

SIDE = 56.0
"""Left of a row, where an edge may come from the row before."""

HEAD = 46
FOOT = 52
REASONS = 12
_HUES = (250, 150, 60, 320)


def graph_svg(view: GraphView) -> str:
    """The picture."""
    boxes = [part.box for part in (view.groups or view.nodes)]
    laid_out = bool((view.after if view.groups else view.before).width)
    rows = rows_of(boxes) if laid_out else []
    limit = rows[-1].right if rows else 0.0
    left_out = sum(box.x >= limit for box in boxes) if rows else 0
    width = max(WIDTH, *(row.end - row.begin + 2 * MARGIN for row in rows), 0)
    legend = _LEGEND[bool(view.groups)] + _LETTERS * (len(rows) > 1)
    y = HEAD + 22.0
    marks = [*_head(view, width), text(MARGIN, y, legend, class_="soft s")]
    y += 14
    edges = view.stored if view.groups else view.edges
    for row, parts in zip(rows, pieces(edges, boxes, rows), strict=True):
        if row is not rows[0]:
            marks.append(rule(MARGIN, y, width - MARGIN, y))
            y += 8
        top, low = height((box for box in boxes if row.has(box)), parts)
        drawn = [*_boxes(view, row), *map(_edge, parts)]
        x = (SIDE if len(rows) > 1 else MARGIN) - row.begin
        marks.append(element("g", *drawn, transform=f"translate({x:.1f} {y - top:.1f})"))
        y += low - top + 8
    notes = _notes(view, limit)
    if left_out:
        what = "kernels and inputs" if view.groups else "operators and inputs"
        shown_of = f"the first {len(boxes) - left_out} of {len(boxes)} {what}"
        notes.append([(f"Shown: {shown_of}; explore() has all.", "warn")])
    for line in notes:
        y += 20
        marks.append(spans(MARGIN, y, line, style="font-size:12px"))
    y += 16
    marks += _foot(view.changes, width, y)
    said = f"{view.summary}. " + " ".join(f"{c.label} {c.before} {c.after}" for c in view.changes)
    return card(width, y + FOOT, f"Graph {view.name}", said, marks, _styles())


_LEGEND = (
    "one box = one operator",
    "shade = one kernel, its operators in order · thick outline = anchor · "
    "dashed = a tensor that is stored, with its reason",
)
_LETTERS = " · letter = goes on below"


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


def _boxes(view: GraphView, row: Row) -> list[str]:
    """The kernels of a row with what they are made of; before fusion its operators."""
    if not view.groups:
        inside = [node for node in view.nodes if row.has(node.box)]
        return [mark for node in inside for mark in _node(node, node.box)]
    marks: list[str] = []
    for number, group in enumerate(view.groups):
        if not row.has(group.box):
            continue
        if not _is_kernel(view, group):
            marks += _node(view.nodes[group.nodes[0]], group.box)
            continue
        marks.append(_group(group, number))
        for line, k in enumerate(group.nodes):
            marks += _operator(view.nodes[k], group.box, line)
    return marks


def _is_kernel(view: GraphView, group: GroupView) -> bool:
    return view.nodes[group.nodes[0]].group >= 0


def _group(group: GroupView, number: int) -> str:
    box = group.box
    said = element("title", plain(f"{group.name}, moves {group.moved}"))
    kind = f"g{number % len(_HUES)}"
    return element("g", said, rect(box.x, box.y, box.width, box.height, rx=9, class_=kind))


def _operator(node: NodeView, box: Box, line: int) -> list[str]:
    """An operator inside its group."""
    left, top = box.x + 8, box.y + PAD + line * ROW
    anchor = node.role == "anchor"
    marks: list[str] = []
    if anchor:
        marks.append(rect(left, top + 1, box.width - 16, ROW - 3, rx=5, class_="anchor"))
    said = clipped(node.name, box.width - 20, 11.5)
    kind = f"m n mid{' b' * anchor}"
    return [*marks, text(box.x + box.width / 2, top + 15.5, said, class_=kind)]


def _node(node: NodeView, box: Box) -> list[str]:
    x = box.x + box.width / 2
    return [
        element("title", plain(f"{node.role} {node.name}: {node.detail}")),
        rect(box.x, box.y, box.width, box.height, rx=6, class_="node"),
        text(x, box.y + 16, clipped(node.name, box.width - 8, 11.5), class_="m n mid"),
        text(x, box.y + 29, clipped(_type(node), box.width - 8, 9.5), class_="m d mid faint"),
    ]


def _type(node: NodeView) -> str:
    """Type and shape of what it gives, close together."""
    kind, bracket, _ = node.detail.partition("]")
    return kind.replace(", ", ",") + bracket


def _edge(piece: Piece) -> str:
    edge, route = piece.edge, piece.route
    (x, y), *others = route
    d = f"M{x:.1f} {y:.1f}C" + " ".join(f"{a:.1f} {b:.1f}" for a, b in others)
    kind = "why" if edge.reason else "flow"
    marks = [element("title", plain(edge.tensor)), path(d, class_=kind)]
    if piece.ends:
        marks.append(_arrow(list(route), kind))
    for chip in piece.chips:
        a, b = chip.at
        wide = 10 + 6.5 * len(chip.letter)
        marks.append(rect(a - wide / 2, b - 8, wide, 16, rx=4, class_="panel on-chip"))
        marks.append(text(a, b + 3.6, chip.letter, class_="soft mid num"))
    if edge.reason and piece.ends:
        a, b = middle(route)
        wide = 9 + 6.2 * len(str(edge.reason))
        marks.append(rect(a - wide / 2, b - 7.5, wide, 15, rx=7.5, class_="ground on-warn-line"))
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
        if change is not changes[-1]:
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
        f".on-chip{{stroke:{theme.faint};stroke-width:1}}"
        f".on-warn-line{{stroke:{theme.warn};stroke-width:1.2}}"
    )
