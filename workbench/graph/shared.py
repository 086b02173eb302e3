"""A group's definitions with one variable for each tensor, and the program made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.base.names import safe_name
from workbench.ir.expr import Var
from workbench.ir.traverse import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor
    from workbench.ir.module import Module
    from workbench.schedules.compute import Compute

_LONGEST = 40


@dataclass(frozen=True, slots=True, eq=False)
class Scheduled:
    """The program of a group.

    Attributes
    ----------
    module : Module
        Level `script`.
    tensors : tuple of Tensor
        What its parameters stand for; the outputs are the last.
    outputs : int
        How many outputs.
    """

    module: Module
    tensors: tuple[Tensor, ...]
    outputs: int = 1


def shared_variables(operators: Iterable[Operator]) -> dict[Tensor, Var]:
    """A variable for each tensor that some operators read or give."""
    shared: dict[Tensor, Var] = {}
    for op in operators:
        for tensor in (*op.inputs, op.output):
            if tensor not in shared:
                shared[tensor] = Var(_name(tensor.name), tensor.storage)
    return shared


def renamed(op: Operator, shared: Mapping[Tensor, Var]) -> Compute:
    """The definition with the group's variable for each tensor."""
    compute = op.definition
    names = dict(zip(compute.inputs, (shared[t] for t in op.inputs), strict=True))
    names[compute.output] = shared[op.output]
    whole = rewrite(compute, lambda _: None, names)
    # the variables beside the inverse maps stand in a pair, which a rewrite does not enter
    inverse = tuple((names.get(v, v), m) for v, m in whole.inverse)
    return replace(whole, inverse=inverse)


def _name(text: str) -> str:
    """A tensor's name as an identifier: what a model says never reaches a source as it is."""
    return safe_name(text[-_LONGEST:], "t")
