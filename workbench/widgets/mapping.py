"""MappingExplorer: a mapping that can be edited, stepped through and looked at worker by worker."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

from typing import Any

import traitlets

from workbench.base.errors import WorkbenchError
from workbench.mapping import TaskMapping, parse_mapping
from workbench.view.mapping import mapping_view
from workbench.widgets.explorer import STATIC, Explorer


class MappingExplorer(Explorer):
    """The mapping screen.

    The browser sends the text of the expression box as `ask`; the answer is either a new `view`
    or an `error` that leaves the view as it was. Nothing in the text is run.

    Parameters
    ----------
    mapping : TaskMapping
        What to begin with.

    Attributes
    ----------
    mapping : TaskMapping
        The last one that could be read; edits in the browser change it.
    error : dict or None
        Message, hint and place (characters) of what is wrong with the text.
    selection : dict
        ``worker``, and ``step`` or None for all steps.
    """

    _esm = STATIC / "mapping.js"
    ask = traitlets.Dict().tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)
    error = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    selection = traitlets.Dict({"worker": 0, "step": None}).tag(sync=True)

    def __init__(self, mapping: TaskMapping) -> None:
        self.mapping = mapping
        super().__init__(mapping_view(mapping))

    def said(self) -> str:
        """The expression."""
        return str(self.mapping)

    @traitlets.observe("ask")
    def _answer(self, change: Any) -> None:
        asked = change["new"]
        text, number = asked.get("text"), asked.get("id")
        if not isinstance(text, str) or not isinstance(number, int):
            return
        with self.hold_sync():
            try:
                mapping = parse_mapping(text)
                self.show(mapping_view(mapping))
                self.mapping = mapping
                self.error = None
            except WorkbenchError as error:
                self.error = error_json(error)
            self.answered = number


def error_json(error: WorkbenchError) -> dict[str, str | int]:
    """An error as the screen shows it; the place is empty where there is none."""
    span = error.span
    return {
        "message": error.message,
        "hint": error.hint or "",
        "start": span.col if span else 0,
        "end": span.end_col if span else 0,
    }
