"""The nodes of a flow graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.graph.tensor import Tensor
    from workbench.ir.module import Module
    from workbench.ir.target import Target
    from workbench.schedules.compute import Compute, InverseMap


HostCall = Callable[..., "Sequence[Any]"]
"""What no kernel does: a function from numpy arrays, one per input, to one array per output.

It is called between kernels, perhaps by several threads at a time, and must not change what it
gets. Inputs and outputs have the tensors' own shapes, also ``()``."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A kernel that is written for one operator, for what no definition says.

    Attributes
    ----------
    build : callable
        The program for a target, level `script`; its parameters are the operator's inputs, then
        its outputs.
    """

    build: Callable[[Target], Module]


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """What is done to some tensors.

    Attributes
    ----------
    name : str
        What it does, such as ``conv``; many operators share it.
    inputs, outputs : tuple of Tensor
        Without repetition, but for the inputs of a host call. With a definition there is exactly
        one output.
    compute : Compute or None
        Its meaning, input by input in the order of `inputs`; None until the shapes are bound.
    origin : tuple of str
        Names of the model's nodes it comes from.
    attributes : tuple of (str, str)
        What a reader should know of it: kernel size, axis, …
    host : HostCall, Program or None
        What is run instead of a definition, for what has none.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    compute: Compute | None = None
    origin: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    host: HostCall | Program | None = None

    @property
    def output(self) -> Tensor:
        """The output of an operator with a definition."""
        assert len(self.outputs) == 1, f"{self.name} has {len(self.outputs)} outputs"
        return self.outputs[0]

    @property
    def definition(self) -> Compute:
        """The compute definition of a bound operator."""
        assert self.compute is not None, f"{self.name} is not bound"
        return self.compute

    @property
    def injective(self) -> bool:
        """Whether there is no reduction inside, so that it can be fused before others."""
        return self.host is None and self.definition.injective

    def inverse(self, tensor: Tensor) -> InverseMap | None:
        """The inverse map for `tensor`, if the operator is one-to-one in it."""
        if self.host is not None:
            return None
        var = self.definition.inputs[self.inputs.index(tensor)]
        return next((inverse for v, inverse in self.definition.inverse if v is var), None)

    def __str__(self) -> str:
        inputs = ", ".join(t.name for t in self.inputs)
        return f"{', '.join(map(str, self.outputs))} = {self.name}({inputs})"
