"""What the registry is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.graph.tensor import Tensor

Lower = Callable[..., "Tensor | tuple[Tensor | None, ...]"]
"""(node, builder, *inputs) → the outputs; an input that is left out is None."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operator in a range of opsets.

    Attributes
    ----------
    op : str
        Name of the operator.
    first : int
        First opset of its domain in which the row holds.
    lower : callable
        (node, builder, *inputs) → tensor, or a tuple of them.
    last : int or None
        Last opset; None when it still holds.
    domain : str
        Empty for ONNX itself.
    """

    op: str
    first: int
    lower: Lower
    last: int | None = None
    domain: str = ""

    def holds(self, opset: int) -> bool:
        """Whether the row speaks of this opset."""
        return self.first <= opset and (self.last is None or opset <= self.last)
