"""What the registry is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from workbench.graph.build import Builder
    from workbench.graph.segment import Runner
    from workbench.graph.tensor import Tensor

Outputs = tuple["Tensor | None", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Enter:
    """What a row gives whose outputs are those of a body: import the body here, then `then`.

    Attributes
    ----------
    body : onnx.GraphProto
        Its outer names are visible inside.
    inputs : tuple of Tensor
        For the body's inputs.
    then : callable
        (builder, the body's outputs) → the node's outputs, or what to enter next.
    held : tuple of Tensor
        What `then` needs beside the body's outputs.
    """

    body: onnx.GraphProto
    inputs: tuple[Tensor, ...]
    then: Callable[[Builder, Outputs], Result]
    held: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """What a row gives that runs a body many times: the body is compiled by itself.

    Attributes
    ----------
    body : onnx.GraphProto
        Compiled for whatever shapes it meets.
    kinds : tuple of Tensor
        What the body's inputs are like.
    inputs : tuple of Tensor
        What the call reads.
    run : callable
        (compiled body, arrays of `inputs`, arrays the body reads from outside) → outputs. The
        compiled body takes its inputs, then what it reads from outside.
    """

    body: onnx.GraphProto
    kinds: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...]
    run: Callable[[Runner, Sequence[np.ndarray], Sequence[np.ndarray]], Sequence[np.ndarray]]


Result = Outputs | Enter | Apart

Lower = Callable[..., "Tensor | Result"]
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
