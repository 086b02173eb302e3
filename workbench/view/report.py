"""A report of the interpreter as a view: each fault with its place and the threads involved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from workbench.interp.report import HINTS

if TYPE_CHECKING:
    from workbench.base.span import Span
    from workbench.interp.report import Coordinate, Fault, Report


@dataclass(frozen=True, slots=True)
class FaultView:
    """One fault.

    Attributes
    ----------
    what, message, hint : str
        Its kind in words, what happened, what to do.
    place, code : str
        Where in the source, and the line there.
    who, other : str
        Block and thread that did it, and the second party where there is one.
    count : int
        How many threads did it, all times together.
    """

    what: str
    message: str
    hint: str
    place: str
    code: str
    who: str
    other: str
    count: int


@dataclass(frozen=True, slots=True)
class ReportView:
    """What a run found."""

    faults: tuple[FaultView, ...]
    steps: int
    kind: Literal["report"] = "report"
    version: Literal[1] = 1


def report_view(report: Report) -> ReportView:
    """The view of a report.

    Examples
    --------
    >>> from workbench.interp import Report
    >>> report_view(Report((), steps=9)).faults
    ()
    """
    return ReportView(tuple(map(_fault, report.faults)), report.steps)


def _fault(fault: Fault) -> FaultView:
    other = ""
    if fault.other_thread is not None:
        other = _thread(fault.other_block or fault.block, fault.other_thread)
        if fault.other_span is not None:
            other += f" at {_place(fault.other_span)}"
    return FaultView(
        what=fault.kind.replace("_", " "),
        message=fault.message,
        hint=HINTS.get(fault.kind, ""),
        place=_place(fault.span) if fault.span else "",
        code=fault.span.source_line().strip() if fault.span else "",
        who=_thread(fault.block, fault.thread),
        other=other,
        count=fault.count,
    )


def _place(span: Span) -> str:
    return f"{PurePath(span.file).name}:{span.line}"


def _thread(block: Coordinate, thread: Coordinate) -> str:
    return f"block {_short(block)}, thread {_short(thread)}"


def _short(at: Coordinate) -> str:
    """The x alone where y and z are 0."""
    return str(at[0]) if at[1:] == (0, 0) else f"({', '.join(map(str, at))})"
