"""MappingExplorer: a mapping that can be edited, stepped through and looked at worker by worker."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.mapping import TaskMapping, parse_mapping
from workbench.view.mapping import mapping_view
from workbench.widgets.explorer import STATIC, Explorer
from workbench.widgets.links import Place


class MappingExplorer(Explorer):
    """The mapping screen.

    The browser sends the text of the expression box; nothing in the text is run.

    Parameters
    ----------
    mapping : TaskMapping
        What to begin with.
    """

    _esm = STATIC / "mapping.js"

    def __init__(self, mapping: TaskMapping) -> None:
        self._mapping = mapping
        super().__init__(mapping_view(mapping))
        self.select(worker=0, step=None)

    @property
    def mapping(self) -> TaskMapping:
        """The mapping that is shown; edits in the browser change it, and to set it redraws."""
        return self._mapping

    @mapping.setter
    def mapping(self, mapping: TaskMapping) -> None:
        if not isinstance(mapping, TaskMapping):
            raise WorkbenchError(
                f"a mapping screen shows a TaskMapping, not a {type(mapping).__name__}",
                hint="parse_mapping reads one from text",
            )
        self.show(mapping_view(mapping))
        self._mapping = mapping

    def said(self) -> str:
        """The expression."""
        return str(self.mapping)

    def link_state(self) -> dict[str, str]:
        """The expression."""
        return {"text": self.said()}

    def restore(self, place: Place) -> None:
        """Show the mapping of a link and pick what it names."""
        if "text" in place.state and place.kind == self.shown.kind:
            self.mapping = parse_mapping(place.state["text"])
        super().restore(place)

    def asked(self, kind: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """``compose`` shows the mapping of a ``text``; ``equal`` compares it with the one shown."""
        text = request.get("text", "")
        match kind:
            case "compose":
                self.mapping = parse_mapping(text)
                return None
            case "equal":
                return asdict(self.mapping.same_as(parse_mapping(text)))
            case _:
                return super().asked(kind, request)
