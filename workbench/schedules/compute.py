"""Compute definitions: what an operator means, apart from any schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from workbench.ir.expr import Expr, Var
from workbench.ir.node import REF, Node


class Reducer(Enum):
    """How the values of a reduction are put together; the value is the text form."""

    SUM = "sum"
    PROD = "prod"
    MAX = "max"
    MIN = "min"
    ARGMAX = "argmax"
    ARGMIN = "argmin"


@dataclass(frozen=True, slots=True, eq=False)
class Reduction(Node):
    """`reducer` over `axes` of `value`.

    Attributes
    ----------
    axes : tuple of Var
        Integer variables, the slowest first.
    extents : tuple of int
        One each.
    value : Expr
        What is reduced; may use these axes, the output's axes and loads of inputs.
    result : Var
        Stands for the outcome in `Compute.value`. For ARGMAX and ARGMIN it is the flat position
        of the first best value.
    """

    reducer: Reducer
    axes: tuple[Var, ...] = field(metadata=REF)
    extents: tuple[int, ...]
    value: Expr
    result: Var = field(metadata=REF)


@dataclass(frozen=True, slots=True, eq=False)
class InverseMap(Node):
    """Where the element of an input goes, for an operator that is bijective in it.

    Attributes
    ----------
    axes : tuple of Var
        The index in the input.
    index : tuple of Expr
        The index in the output, in terms of `axes`.
    """

    axes: tuple[Var, ...] = field(metadata=REF)
    index: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Compute(Node):
    """`output[axes] = value`, element by element.

    Attributes
    ----------
    inputs : tuple of Var
        Global tensors that `value` and the reduction load.
    output : Var
        Global tensor.
    axes : tuple of Var
        Integer variables, one per dimension of the output.
    value : Expr
        One element; may use the reduction's result.
    reduction : Reduction or None
        None makes the operator injective.
    inverse : tuple of (Var, InverseMap)
        For each input in which the operator is bijective, its inverse map.
    """

    name: str
    inputs: tuple[Var, ...] = field(metadata=REF)
    output: Var = field(metadata=REF)
    axes: tuple[Var, ...] = field(metadata=REF)
    value: Expr
    reduction: Reduction | None = None
    inverse: tuple[tuple[Var, InverseMap], ...] = ()

    @property
    def injective(self) -> bool:
        """Whether there is no reduction inside."""
        return self.reduction is None
