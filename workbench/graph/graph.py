"""A graph as data: operators in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.graph.operator import Operator
from workbench.graph.symbolic.tape import traced
from workbench.graph.tensor import Tensor

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Operators, what they read and what they give.

    Attributes
    ----------
    name : str
        As the model calls itself; any text.
    inputs : tuple of Tensor
        What a call passes.
    outputs : tuple of Tensor
        What a call gives; may repeat, may be an input or a constant.
    output_names : tuple of str
        The names under which a call gives them, one each.
    operators : tuple of Operator
        Each after all that it depends on.
    constants : mapping of Tensor to numpy.ndarray
        Weights and other values known before the call, C-contiguous.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    output_names: tuple[str, ...]
    operators: tuple[Operator, ...]
    constants: Mapping[Tensor, np.ndarray]

    @property
    def weights(self) -> frozenset[Tensor]:
        """Constants that are the same for all extents, so that they may be laid out anew."""
        return frozenset(t for t, a in self.constants.items() if not traced(a))


def producers(operators: Iterable[Operator]) -> dict[Tensor, Operator]:
    """Which operator makes each tensor."""
    return {tensor: op for op in operators for tensor in op.outputs}


def users(operators: Iterable[Operator]) -> dict[Tensor, list[Operator]]:
    """Which operators read each tensor, in order; a tensor nobody reads is absent."""
    found: dict[Tensor, list[Operator]] = {}
    for op in operators:
        for tensor in dict.fromkeys(op.inputs):
            found.setdefault(tensor, []).append(op)
    return found
