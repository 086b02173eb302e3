"""What all widgets share: where their scripts lie, and what stands for them without a kernel."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from workbench.view.bundle import html_of, svg_of
from workbench.view.model import View, as_json

STATIC = Path(__file__).parent / "static"


class Explorer(anywidget.AnyWidget):
    """A live view.

    Attributes
    ----------
    view : dict
        The view as JSON-ready data; what the browser draws.
    """

    _css = STATIC / "workbench.css"
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, shown: View) -> None:
        self.shown = shown
        super().__init__(view=as_json(shown))

    def show(self, shown: View) -> None:
        """Draw another view in its place."""
        self.shown = shown
        self.view = as_json(shown)

    def said(self) -> str:
        """What it shows, as text."""
        return self.shown.kind

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.said()})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget; beside it its picture and its text, for where no widget can be drawn."""
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, *rest = shown if isinstance(shown, tuple) else (shown,)
        picture = html_of(self.shown, svg_of(self.shown))
        data = {**data, "text/html": picture, "text/plain": repr(self)}
        return (data, *rest) if rest else data
