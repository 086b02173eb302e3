"""The frame, styles and words that all pictures share.

A picture is one SVG that brings its own ground and follows light and dark by itself, since it
also has to stand alone: as a file, or as an image in a notebook that was saved without a kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.view.palette import DARK, LIGHT, TONES, Theme, hex_of, tone
from workbench.view.svg import element, plain, rect, text

MONO = "ui-monospace,'JetBrains Mono','SFMono-Regular',Menlo,Consolas,'DejaVu Sans Mono',monospace"
SANS = "system-ui,-apple-system,'Segoe UI',Inter,'DejaVu Sans',sans-serif"
MONO_ADVANCE = 0.605
"""Width of a character of the monospace fonts, in parts of the font size."""

MARGIN = 18

_INKS = ("ground", "ink", "soft", "faint", "line", "panel", "accent", "good", "warn")
_CODE = ("keyword", "number")


def card(
    width: float, height: float, title: str, description: str, body: Iterable[str], extra: str = ""
) -> str:
    """A whole SVG: frame, styles, and what a screen reader says.

    Parameters
    ----------
    width, height : float
        Size [px].
    title, description : str
        Name of the picture, and what it shows in a sentence.
    body : iterable of str
        Markup.
    extra : str
        More CSS, for what only this picture has.
    """
    return element(
        "svg",
        element("title", plain(title), id="t"),
        element("desc", plain(description), id="d"),
        element("style", styles() + extra),
        rect(0.5, 0.5, width - 1, height - 1, rx=8, class_="ground edge"),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        width=float(width),
        height=float(height),
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby="t d",
    )


def styles() -> str:
    """CSS classes for inks and fonts, in both themes."""
    fonts = (
        f"text{{font-family:{SANS};font-size:13px}}.m{{font-family:{MONO};font-size:12px}}"
        "text{white-space:pre}.b{font-weight:600}.s{font-size:11px}.edge{stroke-width:1}"
        ".none{fill:none}.end{text-anchor:end}.mid{text-anchor:middle}"
    )
    return f"{fonts}{_inks(LIGHT)}@media(prefers-color-scheme:dark){{{_inks(DARK)}}}"


def tone_styles() -> str:
    """CSS classes ``w0`` … for the tones of workers, in both themes."""
    return f"{_tones(LIGHT)}@media(prefers-color-scheme:dark){{{_tones(DARK)}}}"


def _inks(theme: Theme) -> str:
    rules = [f".{name}{{fill:{getattr(theme, name)}}}" for name in _INKS]
    rules += [f".{name}{{fill:{getattr(theme, name)}}}" for name in _CODE]
    rules += [f"text{{fill:{theme.ink}}}", f".edge{{stroke:{theme.line}}}"]
    rules += [f"text.{name}{{fill:{getattr(theme, name)}}}" for name in (*_INKS[2:], *_CODE)]
    rules += [f".on-{name}{{stroke:{getattr(theme, name)};fill:none}}" for name in _INKS]
    return "".join(rules)


def _tones(theme: Theme) -> str:
    colours = [hex_of(tone(index, theme)) for index in range(TONES)]
    return "".join(f".w{index}{{fill:{c};stroke:{c}}}" for index, c in enumerate(colours))


def spans(x: float, y: float, parts: Iterable[tuple[str, str]], **attributes: object) -> str:
    """A line of text of parts, each with its own class."""
    inside = (element("tspan", plain(said), class_=kind or None) for said, kind in parts)
    return element("text", *inside, x=float(x), y=float(y), **attributes)


def heading(x: float, y: float, said: str, aside: str = "") -> str:
    """A small heading, with an aside in plain weight."""
    parts = [(said, "soft b")]
    if aside:
        parts.append((f"  {aside}", "soft"))
    return spans(x, y, parts, style="font-size:12px")


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """A quiet line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="edge")


def grid(
    x: float, y: float, head: Sequence[str], rows: Sequence[Sequence[str]], steps: Sequence[float]
) -> tuple[str, float]:
    """A small table, and the y where it ends; `steps` are the widths of the columns [px]."""
    marks: list[str] = []
    for line, cells in enumerate((head, *rows)):
        foot, left = y + 20 * line, x
        for cell, step in zip(cells, steps, strict=True):
            kind = "soft s" if line == 0 else "m"
            marks.append(text(left, foot, cell, class_=kind))
            left += step
        marks.append(rule(x, foot + 6, x + sum(steps), foot + 6))
    return "".join(marks), y + 20 * len(rows) + 6


def mono_width(said: str, size: float = 12) -> float:
    """Width of monospace text [px]."""
    return len(said) * size * MONO_ADVANCE


def clipped(said: str, width: float, size: float = 12, advance: float = MONO_ADVANCE) -> str:
    """The text, cut with an ellipsis where it is wider than `width` [px]."""
    room = max(1, int(width / (size * advance)))
    return said if len(said) <= room else f"{said[: room - 1]}…"
