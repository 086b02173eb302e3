"""What all IR nodes share."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.base.span import Span

REF = {"ref": True}
"""Metadata of a field that names a variable (a binder, or the tensor of an access).

Such fields are no operands: traversal passes them by, and `rewrite(rename=…)` renames them.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A node of the IR: immutable, compared by identity; structure is compared by `alike`."""

    span: Span | None = field(default=None, kw_only=True, repr=False)
