"""A search as a picture and as text: predicted against measured, the fastest, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from workbench.runtime.timing import time_text
from workbench.view.card import MARGIN, card, clipped, rule, spans
from workbench.view.columns import shown, table
from workbench.view.svg import element, path, rect, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.view.tune import TrialView, TuneView

WIDTH = 840
PLOT = (72.0, 78.0, 360.0, 250.0)
"""Left, top, width and height of the scatter [px]."""

LISTED = 9
REASONS = 4


def tune_svg(view: TuneView) -> str:
    """The picture."""
    parts = [
        (clipped(view.name, 220, 14), "b m"),
        (f"   {clipped(_state(view), 560, 12.5, 0.58)}", "soft"),
    ]
    marks = [
        spans(MARGIN, 28, parts, style="font-size:13.5px"),
        rule(0.5, 44, WIDTH - 0.5, 44),
        text(MARGIN, 64, "measured against predicted, µs, both logarithmic", class_="soft s"),
        *_scatter(view),
        *_fastest(view, PLOT[0] + PLOT[2] + 36),
    ]
    y = PLOT[1] + PLOT[3] + 44
    legend = "filled = measured · ring = the fastest · cross = failed, above · line = as predicted"
    marks.append(text(MARGIN, y, legend, class_="soft s"))
    for each in view.reasons[:REASONS]:
        y += 19
        said = clipped(f"{each.status}: {each.reason}", WIDTH - 120, 12, 0.56)
        marks.append(
            spans(MARGIN, y, [(f"{each.count} × ", "warn b"), (said, "")], style="font-size:12px")
        )
    if view.note:
        y += 19
        marks.append(text(MARGIN, y, f"Note: {view.note}.", class_="warn s"))
    return card(WIDTH, y + 16, f"Tuning of {view.name}", tune_words(view), marks, _STYLE)


_STYLE = (
    ".dot{fill:#0b65c2;fill-opacity:.55}.best{fill:none;stroke:#1b1f24;stroke-width:1.8}"
    ".cross{stroke:#9a5b00;stroke-width:1.6}.even{stroke:#5c6672;stroke-dasharray:4 4}"
    "@media(prefers-color-scheme:dark){.dot{fill:#6cb2ff}.best{stroke:#e6e9ed}"
    ".cross{stroke:#e0a34a}.even{stroke:#98a2ae}}"
)


def _state(view: TuneView) -> str:
    counts = f"{view.done} of {view.planned}" if view.state == "running" else f"{view.done}"
    said = [f"{view.target} on {view.device}", f"{counts} tried in {view.seconds:.1f} s"]
    return "  ·  ".join([*said, *([view.stopped] if view.stopped else [])])


def _scatter(view: TuneView) -> list[str]:
    left, top, width, height = PLOT
    xs, ys = (
        _Axis.of(t.predicted_us for t in view.trials),
        _Axis.of(t.median_us for t in view.trials),
    )
    marks = [rect(left, top, width, height, class_="none edge")]
    for tick in xs.ticks:
        x = left + width * xs.at(tick)
        marks.append(text(x, top + height + 16, time_text(tick), class_="m s faint mid"))
    for tick in ys.ticks:
        y = top + height * (1 - ys.at(tick))
        marks.append(text(left - 8, y + 4, time_text(tick), class_="m s faint end"))
        marks.append(rule(left, y, left + width, y))

    def place(x: float, y: float) -> tuple[float, float]:
        return left + width * xs.at(x), top + height * (1 - ys.at(y))

    low, high = max(xs.low, ys.low), min(xs.high, ys.high)
    if low < high:
        (x1, y1), (x2, y2) = place(low, low), place(high, high)
        marks.append(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="even"))
    for k, t in enumerate(view.trials):
        if not t.predicted_us:
            continue
        if t.median_us:
            x, y = place(t.predicted_us, t.median_us)
            marks.append(element("circle", cx=x, cy=y, r=3.4, class_="dot"))
            if k == view.best:
                marks.append(element("circle", cx=x, cy=y, r=6.5, class_="best"))
        elif t.status == "failed":
            x = left + width * xs.at(t.predicted_us)
            marks.append(path(f"M{x - 3.5:.1f} {top + 6:.1f}l7 7m0 -7l-7 7", class_="cross none"))
    return marks


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis around some values, with round numbers on it."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float | None]) -> _Axis:
        known = [v for v in values if v] or [1.0, 10.0]
        low, high = min(known) / 1.12, max(known) * 1.12
        decades = range(floor(log10(low)), ceil(log10(high)) + 1)
        for steps in (
            (1,),
            (1, 3),
            (1, 2, 5),
            tuple(range(1, 10)),
            tuple(k / 5 for k in range(5, 50)),
            tuple(k / 50 for k in range(50, 500)),
        ):
            ticks = [k * 10.0**d for d in decades for k in steps if low <= k * 10.0**d <= high]
            if len(ticks) >= 3:
                break
        return cls(low, high, tuple(ticks[:: -(-len(ticks) // 7)]))

    def at(self, value: float) -> float:
        """Where a value stands, 0 … 1."""
        return log10(value / self.low) / log10(self.high / self.low)


def _fastest(view: TuneView, x: float) -> list[str]:
    measured = sorted((t for t in view.trials if t.median_us), key=lambda t: t.median_us or 0.0)
    varied = [k for k in range(len(view.knobs)) if len({t.knobs[k] for t in measured}) > 1]
    same = [k for k in range(len(view.knobs)) if k not in varied]
    shared = f", all with {knobs_text(view, measured[0], same)}" if measured and same else ""
    marks = [text(x, 64, clipped(f"the fastest{shared}", 330, 11, 0.56), class_="soft s")]
    y = PLOT[1] + 14
    for t in measured[:LISTED]:
        marks.append(text(x + 62, y, time_text(t.median_us or 0.0), class_="m end"))
        said = clipped(knobs_text(view, t, varied), WIDTH - MARGIN - x - 76, 11)
        marks.append(text(x + 76, y, said, class_="m s soft"))
        y += 25
    if not measured:
        marks.append(text(x, y, "nothing was measured", class_="warn"))
    if len(measured) > LISTED:
        marks.append(text(x, y, f"and {len(measured) - LISTED} slower ones", class_="soft s"))
    return marks


def knobs_text(view: TuneView, trial: TrialView, which: Sequence[int] | None = None) -> str:
    """What a trial chose, in a line; of some knobs only, by their numbers."""
    numbers = range(len(view.knobs)) if which is None else which
    pairs = ((view.knobs[k], trial.knobs[k]) for k in numbers)
    return shown(", ".join(f"{name} {value}" for name, value in pairs if value))


def tune_text(view: TuneView) -> str:
    """The trials as a table; columns of which nothing is known are left out."""
    head = [f"{shown(view.name)}: {shown(_state(view))}", ""]
    measured = [t for t in view.trials if t.median_us is not None]
    known: list[tuple[str, Sequence[str]]] = [
        ("candidate", [knobs_text(view, t) for t in measured]),
        ("measured", [time_text(t.median_us or 0.0) for t in measured]),
        ("predicted", [time_text(t.predicted_us) if t.predicted_us else "" for t in measured]),
        ("registers", [_number(t.registers) for t in measured]),
        ("spills", [_number(t.spill_bytes, " B") for t in measured]),
        (
            "occupancy",
            ["" if t.occupancy is None else f"{100 * t.occupancy:.0f} %" for t in measured],
        ),
    ]
    used = [(name, cells) for name, cells in known if any(cells) or name == "candidate"]
    rows = list(zip(*(cells for _, cells in used), strict=True))
    lines = [*head, table([name for name, _ in used], rows, "l" + "r" * (len(used) - 1))]
    lines += [f"{r.count} × {shown(r.status)}: {shown(r.reason)}" for r in view.reasons]
    return "\n".join([*lines, *([view.note] if view.note else [])])


def _number(value: int | None, unit: str = "") -> str:
    return "" if value is None else f"{value}{unit}"


def progress_words(view: TuneView) -> str:
    """How far a search is, in a few words."""
    count = f"{view.done} of {view.planned}" if view.state == "running" else f"{view.done}"
    best = view.trials[view.best].median_us if view.best >= 0 else None
    fastest = "" if best is None else f", the fastest takes {time_text(best)}"
    return f"{view.stopped or view.state}: {count} tried{fastest}"


def tune_words(view: TuneView) -> str:
    """One sentence."""
    if view.best < 0:
        nothing = "nothing is measured yet" if view.state == "running" else "nothing was measured"
        return f"Tuning of {view.name}: {_state(view)}; {nothing}"
    best = view.trials[view.best]
    return (
        f"Tuning of {view.name}: {_state(view)}; the fastest takes "
        f"{time_text(best.median_us or 0.0)} with {knobs_text(view, best)}"
    )
