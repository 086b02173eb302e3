"""A report as a picture and as text: no fault, or each with its place and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.view.card import MARGIN, card, clipped, rule, spans
from workbench.view.code import words
from workbench.view.columns import shown, wrapped
from workbench.view.svg import rect, text

if TYPE_CHECKING:
    from workbench.view.report import FaultView, ReportView

WIDTH = 840
FAULTS = 8


def report_svg(view: ReportView) -> str:
    """The picture."""
    kind = "warn b" if view.faults else "good b"
    parts = [(headline(view), kind), (f"  ·  {view.steps} steps", "soft")]
    marks = [spans(MARGIN, 28, parts, style="font-size:14px")]
    y = 46.0
    for number, fault in enumerate(view.faults[:FAULTS]):
        part, y = _fault(number + 1, fault, y)
        marks += part
    if len(view.faults) > FAULTS:
        marks.append(text(MARGIN, y + 18, f"… {len(view.faults) - FAULTS} more", class_="warn s"))
        y += 28
    return card(WIDTH, max(y, 46), "Checked run", report_words(view), marks)


def report_text(view: ReportView) -> str:
    """The same as text.

    Examples
    --------
    >>> from workbench.view.report import ReportView
    >>> print(report_text(ReportView((), 9)))
    no fault · 9 steps
    """
    rows = [f"{headline(view)} · {view.steps} steps"]
    for number, fault in enumerate(view.faults, 1):
        rows.append(f"{number}. {shown(fault.what)}: {shown(fault.message)}")
        if fault.place:
            rows.append(f"   at {shown(fault.place)}: {shown(fault.code)}")
        who = f"   {fault.who}" + (f", and {shown(fault.other)}" if fault.other else "")
        rows.append(f"{who}; {fault.count} times" if fault.count > 1 else who)
        rows += [f"   {fault.hint}"] * bool(fault.hint)
    return "\n".join(rows)


def report_words(view: ReportView) -> str:
    """One sentence."""
    said = "; ".join(fault.message for fault in view.faults)
    return f"{headline(view)}: {said}" if said else headline(view)


def headline(view: ReportView) -> str:
    """How many faults."""
    count = len(view.faults)
    return "no fault" if not count else f"{count} fault{'s' * (count > 1)}"


def _fault(number: int, fault: FaultView, y: float) -> tuple[list[str], float]:
    marks = [rule(0.5, y, WIDTH - 0.5, y)]
    y += 24
    times = f"  ·  {fault.count} times" if fault.count > 1 else ""
    marks.append(spans(MARGIN, y, [(f"{number}  ", "warn b"), (fault.what, "b"), (times, "soft")]))
    for line in wrapped(fault.message, 116):
        y += 19
        marks.append(text(MARGIN + 20, y, line))
    if fault.code:
        y += 8
        marks.append(rect(MARGIN + 16, y, WIDTH - 2 * MARGIN - 16, 24, rx=4, class_="panel"))
        said = clipped(fault.code, WIDTH - 200, 12)
        marks.append(spans(MARGIN + 26, y + 16, words(said, "python"), class_="m"))
        marks.append(text(WIDTH - MARGIN - 10, y + 16, fault.place, class_="faint s end"))
        y += 24
    who = fault.who + (f"  and  {fault.other}" if fault.other else "")
    y += 19
    marks.append(text(MARGIN + 20, y, who, class_="soft"))
    if fault.hint:
        y += 19
        marks.append(text(MARGIN + 20, y, fault.hint, class_="accent"))
    return marks, y + 14
