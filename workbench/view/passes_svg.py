"""The passes of a kernel as a picture and as text: the list, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.view.card import MARGIN, card, clipped, rule, spans
from workbench.view.columns import shown, table
from workbench.view.svg import rect, text

if TYPE_CHECKING:
    from workbench.view.diff import DiffRow
    from workbench.view.passes import PassesView, StepView

WIDTH = 840.0
HEAD = 46
ROW = 24
LINE = 18
MOST = 30
"""Lines of a difference in the picture; the text twin has them all."""

_BAR = 120.0
_SIGNS = {"same": " ", "gone": "-", "new": "+", "skip": " "}
_STATES = {"failed": "failed", "off": "left out", "waits": "not reached"}


def passes_svg(view: PassesView) -> str:
    """The picture: every step with its time, and the difference of the one that says most."""
    marks = _head(view)
    most = max((step.ms for step in view.steps), default=0) or 1.0
    y = float(HEAD)
    for step in view.steps:
        marks += _row(step, y, most)
        y += ROW
    marks.append(rule(0.5, y, WIDTH - 0.5, y))
    told = _told(view)
    if told is not None:
        part, y = _difference(told, y)
        marks += part
    else:
        y += 8
    said = ", ".join(f"{step.spec or step.name} {_outcome(step)}" for step in view.steps)
    return card(WIDTH, y, f"Passes of {view.name}", said, marks, _STYLES)


_STYLES = (
    ".dn{fill:#1a7f48;opacity:.13}.dg{fill:#b3261e;opacity:.11}"
    "@media(prefers-color-scheme:dark){.dn{fill:#57c78a;opacity:.16}.dg{fill:#ff8a80;opacity:.15}}"
)


def passes_text(view: PassesView) -> str:
    """The list as a table, then each difference with its signs."""
    head = f"{view.name}({view.signature})  {view.target}  {view.ms:.1f} ms in all"
    rows = [
        (k, step.spec or step.name, f"{step.ms:.2f}", step.changes or "", _outcome(step))
        for k, step in enumerate(view.steps)
    ]
    parts = [shown(head), table(["", "step", "ms", "changes", ""], rows, "rlrrl")]
    for number, step in enumerate(view.steps):
        if step.problem:
            parts.append(shown(f"{number} {step.name} failed: {step.problem} {step.hint}".rstrip()))
        if step.rows and (step.state in ("begin", "end", "failed") or step.changes):
            parts.append("\n".join([f"── {number} {step.name}", *map(_line, step.rows)]))
            if step.cut:
                parts[-1] += f"\n… {step.cut} more lines"
    return "\n\n".join(parts)


def passes_words(view: PassesView) -> str:
    """One sentence."""
    failed = [step.name for step in view.steps if step.state == "failed"]
    end = f"{failed[0]} fails" if failed else f"{view.ms:.1f} ms in all"
    return f"Passes of {view.name} for {view.target}: {len(view.steps)} steps, {end}"


def _outcome(step: StepView) -> str:
    if step.state in _STATES:
        return _STATES[step.state]
    if step.state in ("begin", "end"):
        return step.title
    return (
        "no change"
        if not step.changes
        else "1 change"
        if step.changes == 1
        else (f"{step.changes} changes")
    )


def _line(row: DiffRow) -> str:
    if row.kind == "skip":
        return f"        … {row.before} equal lines"
    said = shown("".join(part.text for part in row.parts))
    return f"{row.before or '':>4}{row.after or '':>4} {_SIGNS[row.kind]} {said}".rstrip()


def _told(view: PassesView) -> StepView | None:
    """The step whose difference is drawn: that which failed, else the one that changed most."""
    steps = [step for step in view.steps if step.rows and step.state in ("done", "failed")]
    return max(steps, key=lambda s: (s.state == "failed", s.changes, len(s.rows)), default=None)


def _head(view: PassesView) -> list[str]:
    room = WIDTH - 260 - 9 * len(view.name)
    said = clipped(f"{view.signature}  ·  {view.target}", room, 13, 0.58)
    parts = [(view.name, "b m"), (f"   {said}", "soft")]
    total = f"{len(view.steps)} steps, {view.ms:.1f} ms"
    return [
        spans(MARGIN, 28, parts, style="font-size:13.5px"),
        text(WIDTH - MARGIN, 28, total, class_="soft end"),
        rule(0.5, HEAD, WIDTH - 0.5, HEAD),
    ]


def _row(step: StepView, y: float, most: float) -> list[str]:
    kind = "warn m" if step.state == "failed" else "faint m" if step.state in _STATES else "m"
    wide = max(1.0, _BAR * step.ms / most) if step.ms else 0.0
    marks = [
        text(MARGIN, y + 16, clipped(step.spec or step.name, 190), class_=kind),
        text(MARGIN + 200, y + 16, _outcome(step)[:44], class_="soft s"),
        text(MARGIN + 580, y + 16, f"{step.ms:.2f} ms" if step.ms else "", class_="m end"),
    ]
    if wide:
        marks.append(rect(MARGIN + 600, y + 8, wide, 8, rx=2, class_="accent"))
    return marks


def _difference(step: StepView, top: float) -> tuple[list[str], float]:
    name = f"{step.name}: {step.problem}" if step.problem else f"{step.name}: {step.title}"
    kind = "warn b" if step.problem else "soft b"
    marks = [text(MARGIN, top + 20, clipped(name, WIDTH - 40, 12, 0.56), class_=kind)]
    y = top + 32
    for row in step.rows[:MOST]:
        if row.kind in ("gone", "new"):
            marks.append(rect(1, y, WIDTH - 2, LINE, class_="dn" if row.kind == "new" else "dg"))
        said = f"… {row.before} equal lines" if row.kind == "skip" else ""
        marks.append(text(MARGIN, y + 13, _SIGNS[row.kind].strip(), class_="m soft"))
        parts = [(part.text, "b" if part.changed else "") for part in row.parts]
        marks.append(spans(MARGIN + 16, y + 13, [(said, "faint")] if said else parts, class_="m"))
        y += LINE
    more = len(step.rows) - MOST + step.cut
    if more > 0:
        marks.append(text(MARGIN + 16, y + 13, f"… {more} more lines", class_="warn s"))
        y += LINE
    return marks, y + 10
