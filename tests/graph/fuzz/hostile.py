"""Models that are meant to do harm, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.graph.fuzz.files import externals, names, structures, weights
from tests.graph.fuzz.sizes import depths, extents

UNCALLED = frozenset({"a loop without end", "a loop that fills the memory"})
"""What does as it says when it is called."""


def cases() -> dict[str, Callable[[Path], Any]]:
    """Every case by name: a function from the folder of the model to a source."""
    found: dict[str, Callable[[Path], Any]] = {}
    for part in (depths, extents, externals, weights, names, structures):
        found.update(part())
    return found
