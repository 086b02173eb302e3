"""What all widgets share: where their scripts lie, and what stands for them without a browser."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

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

    def said(self) -> str:
        """What it shows, as text."""
        return str(self.view.get("kind", ""))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.said()})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, with its text instead of an address for where no widget can be drawn."""
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, *rest = shown if isinstance(shown, tuple) else (shown,)
        data = {**data, "text/plain": repr(self)}
        return (data, *rest) if rest else data
