"""The nodes of a flow graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.graph.tensor import Tensor
    from workbench.ir.compute import Compute, InverseMap


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """What is done to some tensors.

    Attributes
    ----------
    name : str
        What it does, such as ``conv``; many operators share it.
    inputs, outputs : tuple of Tensor
        Without repetition. A bound operator has exactly one output.
    compute : Compute or None
        Its meaning, input by input in the order of `inputs`; None until the shapes are bound.
    origin : tuple of str
        Names of the model's nodes it comes from.
    attributes : tuple of (str, str)
        What a reader should know of it: kernel size, axis, …
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    compute: Compute | None = None
    origin: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def output(self) -> Tensor:
        """The output of a bound operator."""
        assert len(self.outputs) == 1, f"{self.name} has {len(self.outputs)} outputs"
        return self.outputs[0]

    @property
    def definition(self) -> Compute:
        """The compute definition of a bound operator."""
        assert self.compute is not None, f"{self.name} is not bound"
        return self.compute

    @property
    def injective(self) -> bool:
        """Whether there is no reduction inside."""
        return self.definition.injective

    def inverse(self, tensor: Tensor) -> InverseMap | None:
        """The inverse map for `tensor`, if the operator is one-to-one in it."""
        var = self.definition.inputs[self.inputs.index(tensor)]
        return next((inverse for v, inverse in self.definition.inverse if v is var), None)

    def __str__(self) -> str:
        inputs = ", ".join(t.name for t in self.inputs)
        return f"{', '.join(map(str, self.outputs))} = {self.name}({inputs})"
