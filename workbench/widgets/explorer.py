"""What all widgets share: where their scripts lie, and what stands for them without a kernel."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from workbench.base.errors import WorkbenchError
from workbench.view.bundle import MIME, html_of, svg_of, text_of
from workbench.view.model import View, as_json
from workbench.widgets.export import page
from workbench.widgets.links import Place, link_text

if TYPE_CHECKING:
    from collections.abc import Callable

STATIC = Path(__file__).parent / "static"


class Explorer(anywidget.AnyWidget):
    """A live view.

    The browser asks by `ask`, ``{"id": number, "type": word, …}``. What comes of it is a new
    `view`, an `answer`, or an `error` that leaves the view as it was; `answered` then is the
    number. A screen says what it answers in :meth:`asked`.

    Attributes
    ----------
    view : dict
        The view as JSON-ready data; what the browser draws.
    selection : dict
        What is picked, in keys that all screens share: ``worker``, ``step``, ``task``,
        ``mapping``, ``link``, ``panes``, ``group``, ``node``, ``edge``, ``trial``, ``stage``. A
        screen changes its own and keeps the others; `workbench.link` joins two screens.
    error : dict or None
        Of the last question: ``type``, ``message``, ``hint``, and the place in its text,
        ``start`` to ``end`` [characters].
    """

    _css = STATIC / "workbench.css"
    view = traitlets.Dict().tag(sync=True)
    selection = traitlets.Dict().tag(sync=True)
    ask = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)
    error = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, shown: View) -> None:
        self.shown = shown
        super().__init__(view=as_json(shown))

    def select(self, **keys: Any) -> None:
        """Pick something, such as ``worker=5, step=2``; other keys stay."""
        self.selection = {**self.selection, **keys}

    def link_text(self) -> str:
        """What is shown and picked, as a short text that `explore` restores.

        ``explore(text)`` for a mapping, ``explore(thing, at=text)`` for anything else.
        """
        return link_text(Place(self.shown.kind, self.link_state(), self.selection))

    def link_state(self) -> dict[str, str]:
        """What a link holds beside the selection."""
        return {}

    def restore(self, place: Place) -> None:
        """Show and pick what a link names.

        Raises
        ------
        WorkbenchError
            The link is of another kind of screen, or what it names cannot be.
        """
        if place.kind != self.shown.kind:
            raise WorkbenchError(
                f"the link is to a {place.kind} screen, and this is a {self.shown.kind} screen"
            )
        self.select(**place.selection)

    def asked(self, kind: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Answer the browser.

        Parameters
        ----------
        kind : str
            What it asks for.
        request : dict
            With what; it may have any form.

        Returns
        -------
        dict or None
            What the browser reads as `answer`, JSON-ready.

        Raises
        ------
        WorkbenchError
            What is wrong; it becomes `error`.
        """
        del request
        raise WorkbenchError(f"this screen has no answer to {kind[:40]!r}")

    @traitlets.observe("ask")
    def _on_ask(self, change: Any) -> None:
        request = dict(change["new"])
        number, kind = request.pop("id", None), request.pop("type", None)
        if not isinstance(number, int) or not isinstance(kind, str):
            return
        answer: dict[str, Any] = {}
        # Stands where a fault of ours gets through: the browser must not wait for ever.
        error: dict[str, Any] | None = {**_FAULT, "type": kind}
        with self.hold_sync():
            try:
                answer, error = self.reply(kind, request), None
            except WorkbenchError as wrong:
                error = {**error_json(wrong), "type": kind}
            finally:
                self.answer, self.error, self.answered = answer, error, number

    def reply(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        """What :meth:`asked` answers, or a form of what is shown.

        Raises
        ------
        WorkbenchError
            What is wrong.
        """
        return self._export(request) if kind == "export" else self.asked(kind, request) or {}

    def then(self, told: Callable[[], None]) -> None:
        """Call when all that was asked for so far is done: here at once."""
        told()

    def _export(self, request: dict[str, Any]) -> dict[str, Any]:
        """The text of one form of what is shown."""
        forms: dict[str, Callable[[], str]] = {
            "svg": lambda: svg_of(self.shown),
            "html": lambda: html_of(self.shown, svg_of(self.shown)),
            "text": lambda: text_of(self.shown),
            "link": self.link_text,
            "page": lambda: page(self.shown, self.selection),
        }
        form = request.get("form")
        if not isinstance(form, str) or form not in forms:
            raise WorkbenchError(
                f"a view has no form {str(form)[:40]!r}", hint=f"it has {', '.join(forms)}"
            )
        return {"text": forms[form]()}

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
        """The widget; beside it its view, picture and text, for where no widget can be drawn."""
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, *rest = shown if isinstance(shown, tuple) else (shown,)
        picture = html_of(self.shown, svg_of(self.shown))
        data = {**data, MIME: self.view, "text/html": picture, "text/plain": repr(self)}
        return (data, *rest) if rest else data


_FAULT = {
    "message": "Python could not answer",
    "hint": "this is a fault of the workbench; its log has the trace",
    "start": 0,
    "end": 0,
}


def error_json(error: WorkbenchError) -> dict[str, str | int]:
    """An error as a screen shows it; the place is empty where there is none."""
    span = error.span
    return {
        "message": error.message,
        "hint": error.hint or "",
        "start": span.col if span else 0,
        "end": span.end_col if span else 0,
    }
