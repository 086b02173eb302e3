"""What every view has in common: a kind, a version, and a form that JSON can hold."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Protocol

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class View(Protocol):
    """Typed, immutable data about one object, drawn by twins and by live widgets."""

    @property
    def kind(self) -> str:
        """Which view it is, such as ``mapping``."""
        ...

    @property
    def version(self) -> int:
        """Raised when a field changes its meaning or goes away."""
        ...


def as_json(value: object) -> Json:
    """A view, or a part of one, as what ``json.dumps`` takes.

    Examples
    --------
    >>> from workbench.mapping import spatial
    >>> from workbench.view.mapping import mapping_view
    >>> as_json(mapping_view(spatial(2, 2)))["shape"]
    [2, 2]
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple | list):
        if all(type(item) is int for item in value):
            return list(value)
        return [as_json(item) for item in value]
    assert is_dataclass(value), f"{type(value).__name__} has no place in a view"
    return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
