"""A measurement as a picture: every sample a dot, the middle half a bar, the median a line."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

from workbench.runtime.timing import time_text
from workbench.view.card import MARGIN, card, clipped, rule, spans
from workbench.view.columns import shown, table, wrapped
from workbench.view.svg import element, rect, text

if TYPE_CHECKING:
    from workbench.view.roofline import Roofline
    from workbench.view.timing import PeerView, TimingView

WIDTH = 720
TOP = 62.0
PLOT = 96
DOTS = 400
"""Most samples that are drawn; more are thinned evenly, the extremes stay."""


def timing_svg(view: TimingView) -> str:
    """The picture."""
    low, high, ticks = _axis(view)
    parts = [(view.median, "b"), ("  median  ·  ", "soft"), (view.spread, "soft")]
    marks = [
        text(MARGIN, 24, clipped(view.name, WIDTH - 2 * MARGIN, 12), class_="m b"),
        spans(MARGIN, 46, parts),
        *_plot(view, low, high, ticks),
    ]
    y = TOP + PLOT + 32
    for each in view.peers:
        marks.append(_peer(each, y))
        y += 19
    if view.roofline is not None:
        marks.append(_figures(view.roofline, y))
        y += 19
    left_out = sum(sample > high for sample in view.samples_us)
    drawn = len(_thinned(view.samples_us))
    which = f"{drawn} of the " if drawn < len(view.samples_us) else ""
    note = f"dots: {which}samples, the first on top · bar: middle half · line: median"
    if left_out:
        note += f" · {left_out} slower than the axis, drawn at its end"
    marks.append(text(MARGIN, y, note, class_="soft s"))
    for line in wrapped(view.conditions, 108):
        y += 18
        marks.append(text(MARGIN, y, line, class_="soft s"))
    said = f"{view.median} median, {view.spread}; {view.conditions}"
    return card(WIDTH, y + 14, f"Time of {view.name}", said, marks, _STYLE)


def _plot(view: TimingView, low: float, high: float, ticks: list[float]) -> list[str]:
    span = WIDTH - 2 * MARGIN - 20

    def x(us: float) -> float:
        return MARGIN + 10 + span * (min(us, high) - low) / (high - low)

    foot = TOP + PLOT
    half = max(1.0, x(view.high_us) - x(view.low_us))
    at = x(view.median_us)
    marks = [
        rect(x(view.low_us), TOP, half, PLOT - 14.0, class_="half"),
        element("line", x1=at, x2=at, y1=TOP, y2=foot - 14, class_="on-accent", stroke_width=2),
        rule(MARGIN, foot - 8, WIDTH - MARGIN, foot - 8),
    ]
    samples = _thinned(view.samples_us)
    for number, sample in enumerate(samples):
        # Spread over the height in the order taken: a drift shows as a slope.
        y = TOP + 6 + (PLOT - 28) * number / max(1, len(samples) - 1)
        marks.append(element("circle", cx=x(sample), cy=y, r=2.2, class_="dot"))
    marks += [text(x(tick), foot + 8, time_text(tick), class_="m s faint mid") for tick in ticks]
    return marks


def _peer(peer: PeerView, y: float) -> str:
    """One that was timed in turns, in a line."""
    parts = [
        (f"{clipped(peer.name, 170, 12):<24}", "m"),
        (f"{time_text(peer.median_us):>9}", "m b"),
        (f"   {_times(peer)} as long", "soft"),
        (f"   middle half {time_text(peer.low_us)} to {time_text(peer.high_us)}", "soft"),
    ]
    return spans(MARGIN, y, parts)


def _times(peer: PeerView) -> str:
    return f"{peer.ratio:.2f} × ({peer.ratio_low:.2f} to {peer.ratio_high:.2f})"


def _figures(roof: Roofline, y: float) -> str:
    """The roofline in a line."""
    wanted = ("rate", "throughput", "of the roof", "of the memory")
    parts: list[tuple[str, str]] = []
    for figure in roof.figures:
        if figure.label in wanted:
            parts += [(f"{figure.value} ", "b"), (f"{figure.label}, {figure.source}   ", "soft")]
    return spans(MARGIN, y, parts)


_STYLE = (
    ".half{fill:#0b65c2;opacity:.14}.dot{fill:#56606c;opacity:.55}"
    "@media(prefers-color-scheme:dark){.half{fill:#6cb2ff;opacity:.2}.dot{fill:#a3acb8}}"
)


def timing_text(view: TimingView) -> str:
    """The figures as a table.

    Examples
    --------
    >>> from workbench.runtime.timing import Measurement
    >>> from workbench.view.timing import timing_view
    >>> print(timing_text(timing_view(Measurement("copy", (10.0, 12.0, 11.0), device="a CPU"))))
    copy
      median  middle half from       to    least
     11.0 µs           10.5 µs  11.5 µs  10.0 µs
    3 samples of 1 call, after 0 warm-up calls, a CPU
    """
    figures = (view.median_us, view.low_us, view.high_us, view.min_us)
    rows = table(
        [" median", "middle half from", "to", "least"],
        [[f" {time_text(figures[0])}", *map(time_text, figures[1:])]],
        "rrrr",
    )
    lines = [shown(view.name), rows]
    if view.peers:
        cells = [(p.name, time_text(p.median_us), _times(p)) for p in view.peers]
        lines.append(table(["beside it", "median", "as long"], cells, "lrr"))
    if view.roofline is not None:
        known = [(f.label, f.value, f.source, f.formula) for f in view.roofline.figures]
        lines.append(table(["figure", "value", "is", "from"], known, "lrll"))
    return "\n".join([*lines, shown(view.conditions)])


def timing_words(view: TimingView) -> str:
    """One sentence."""
    said = f"{view.name}: {view.median} median, {view.spread}"
    return "; ".join([said, *(f"{p.name} {_times(p)} as long" for p in view.peers)])


def _axis(view: TimingView) -> tuple[float, float, list[float]]:
    """From somewhat below the least to the slowest that is no stray, with round numbers."""
    ordered = sorted(view.samples_us)
    stray = view.high_us + 4 * max(view.high_us - view.low_us, 0.01 * view.median_us)
    top = min(ordered[-1], stray)
    room = max(top - ordered[0], 0.02 * view.median_us, 1e-6)
    low, high = max(0.0, ordered[0] - 0.08 * room), top + 0.08 * room
    step = 10 ** floor(log10((high - low) / 2))
    step = next(step * k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= 6)
    first = int(low / step) + 1
    ticks = [k * step for k in range(first, first + 7) if k * step <= high]
    return low, high, ticks


def _thinned(samples: tuple[float, ...]) -> list[float]:
    every = -(-len(samples) // DOTS)
    ends = {samples.index(min(samples)), samples.index(max(samples))}
    return [sample for k, sample in enumerate(samples) if k % every == 0 or k in ends]
