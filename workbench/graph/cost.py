"""What it costs to compute something again instead of storing it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.ir.expr import Binary, Call, Load, Select
from workbench.ir.traverse import walk
from workbench.ir.types import DType

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor

COSTLY = frozenset(
    "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh "
    "atanh erf pow atan2 fmod".split()
)
"""Functions that cost so much that computing them several times is worse than storing once."""

REREADS = 4
"""A prologue with a costly function is fused only where no element is read more often."""

CHEAP = 4
"""Operations on an element, at most, that are done again for each user instead of stored."""


def rereads(op: Operator, tensor: Tensor) -> float:
    """How often, on average, `op` reads an element of its input `tensor`."""
    compute = op.definition
    inner = prod(compute.reduction.extents) if compute.reduction else 1
    return loads(op, tensor) * op.output.size * inner / max(1, tensor.size)


def loads(op: Operator, tensor: Tensor) -> int:
    """In how many places the definition of `op` loads its input `tensor`."""
    compute = op.definition
    var = compute.inputs[op.inputs.index(tensor)]
    roots = [compute.value] + ([compute.reduction.value] if compute.reduction else [])
    return sum(isinstance(n, Load) and n.tensor is var for root in roots for n in walk(root))


def costly(op: Operator) -> str:
    """The name of a function that the definition calls and that costs much; empty if none."""
    calls = (n.function for n in walk(op.definition.value) if isinstance(n, Call))
    return next((name for name in calls if name in COSTLY), "")


def cheap(op: Operator) -> bool:
    """Whether the element of an injective operator takes a few additions and no more."""
    nodes = list(walk(op.definition.value))
    work = sum(
        isinstance(n, Binary | Select) and isinstance(n.type, DType) and n.type.is_float
        for n in nodes
    )
    divisions = sum(isinstance(n, Binary) and n.op.value in ("//", "%", "/") for n in nodes)
    return not costly(op) and work <= CHEAP and divisions == 0


def repays(op: Operator, times: int) -> bool:
    """Whether computing an operator in each of `times` kernels moves fewer bytes than storing."""
    read = sum(t.size_bytes for t in op.inputs)
    return times * read < read + (times + 1) * op.output.size_bytes
