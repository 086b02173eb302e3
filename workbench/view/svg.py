"""Elements of SVG as text; every value is escaped here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

# Characters that XML 1.0 does not allow at all.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def plain(text: object) -> str:
    """A text safe in XML, quotes included.

    Examples
    --------
    >>> plain('<script>"')
    '&lt;script&gt;&quot;'
    """
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text)))


def element(tag: str, *children: str, **attributes: object) -> str:
    """An element; children are markup already, attributes are values.

    A trailing ``_`` is dropped from a name, others become ``-``; None leaves the attribute out.

    Examples
    --------
    >>> element("text", plain("a < b"), x=1.25, text_anchor="end", class_="soft")
    '<text x="1.25" text-anchor="end" class="soft">a &lt; b</text>'
    """
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(children)
    return f"<{tag}{said}>{inside}</{tag}>" if inside else f"<{tag}{said}/>"


def text(x: float, y: float, said: object, **attributes: object) -> str:
    """A line of text with its foot at `y`."""
    return element("text", plain(said), x=x, y=y, **attributes)


def rect(x: float, y: float, width: float, height: float, **attributes: object) -> str:
    """A box."""
    return element("rect", x=x, y=y, width=width, height=height, **attributes)


def path(d: str, **attributes: object) -> str:
    """A path."""
    return element("path", d=d, **attributes)


def group(children: Iterable[str], **attributes: object) -> str:
    """Elements together."""
    return element("g", *children, **attributes)


def number(value: float) -> str:
    """A number as short as it may be.

    Examples
    --------
    >>> number(2.0), number(1.23456)
    ('2', '1.23')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else plain(value)
