"""A screen as one HTML file: it works from a disk, without a kernel and without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from workbench.base.errors import WorkbenchError
from workbench.view.bundle import VIEWS, html_of, svg_of, text_of, words_of
from workbench.view.model import View, as_json
from workbench.view.svg import element, plain
from workbench.widgets.formatters import view_for

STATIC = Path(__file__).parent / "static"

# Nothing may be asked of any host, whatever a view holds.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
_PAGE_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:16px;background:#fff;color:#1b1f24;font:13px/1.45 system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){body{background:#0e1013;color:#e6e9ed}}"
)


def export_html(thing: object, path: str | Path) -> Path:
    """Write a screen as one HTML file that needs nothing else.

    Parameters
    ----------
    thing : object
        Whatever shows itself as a picture in a notebook; a view; or a screen made by `explore`,
        whose selection then comes along.
    path : str or Path
        The file, which is written anew.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WorkbenchError
        There is no view of such a thing, or the file cannot be written.
    """
    view, selection = _shown(thing)
    place = Path(path)
    try:
        place.write_text(page(view, selection), encoding="utf-8")
    except OSError as error:
        raise WorkbenchError(f"{place} cannot be written: {error.strerror}") from None
    return place


def page(view: View, selection: Mapping[str, Any] | None = None) -> str:
    """The text of the file."""
    picture, table = svg_of(view), text_of(view)
    twins = {"text": table, "svg": picture, "html": html_of(view, picture)}
    data = {"view": as_json(view), "selection": dict(selection or {}), "twins": twins}
    style = _PAGE_STYLE + _static("workbench.css")
    parts = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", plain(words_of(view)[:200])),
        f"<style>{style}</style></head><body>",
        '<div id="kw-view"></div>',
        element("noscript", element("pre", plain(table))),
        f'<script type="application/json" id="kw-data">{_json_in_html(data)}</script>',
        f"<script>{_static('standalone.js')}</script></body></html>\n",
    ]
    return '<!doctype html>\n<html lang="en"><head>' + "\n".join(parts)


def _shown(thing: object) -> tuple[View, Mapping[str, Any]]:
    # A screen is known by what it shows, without importing the widgets for it.
    shown: Any = getattr(thing, "shown", thing)
    if isinstance(shown, VIEWS):
        return cast("View", shown), getattr(thing, "selection", {})
    return view_for(thing), {}


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _json_in_html(data: object) -> str:
    """JSON that no HTML parser takes for markup: ``<`` stands only inside strings."""
    return json.dumps(data).replace("<", "\\u003c")
