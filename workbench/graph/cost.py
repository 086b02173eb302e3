"""What it costs to compute something again instead of storing it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.graph.graph import Graph, producers, users
from workbench.ir.expr import Binary, BinaryOp, Call, Cast, Load, Select, Unary
from workbench.ir.traverse import variables, walk
from workbench.ir.types import DType
from workbench.schedules.extents import rough
from workbench.schedules.window import Sliding

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

OVER_AND_OVER = 8
"""A window over blocks of channels reads its input as it is where it reads elements more often."""

FEW = 1
"""Choices between inputs, at most, that a window makes itself where what it reads is the same for
all lanes."""

_DIVISIONS = (BinaryOp.DIV, BinaryOp.FLOORDIV, BinaryOp.FLOORMOD)


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


WIDEST = 16
"""Channels of a block, at most; a last axis of more is no block, and what ends in it no window."""


def operations(op: Operator) -> int:
    """Additions or so that an element of an injective operator takes; moving it costs nothing."""
    total = 0
    for node in walk(op.definition.value):
        if isinstance(node, Call):
            total += 4 * CHEAP if node.function in COSTLY else 2
        elif isinstance(node, Binary) and node.op in _DIVISIONS:
            total += CHEAP
        elif isinstance(node, Binary | Select | Cast) and node.type.is_float:
            total += 1
    return total


def too_often(anchor: Operator, maker: Operator, times: float) -> str:
    """What of a prologue would be computed too often; empty where it may be fused.

    Parameters
    ----------
    anchor : Operator
        What is scheduled.
    times : float
        How often its program computes an element of what `maker` gives.
    """
    if in_words(anchor, maker.output):
        return f"{maker.name}, which is read four at a time,"
    if rough(times) > REREADS and (call := costly(maker)):
        return call
    compute = anchor.compute
    if compute is None or rough(times) <= OVER_AND_OVER:
        return ""
    if rough(compute.output.tensor.extents[-1]) > WIDEST:
        return ""
    window = Sliding.of(compute, flat=False)
    if window is None:
        return ""
    moves = operations(maker) > FEW if window.shared else _scatters(maker)
    return maker.name if moves or works(maker) else ""


def in_words(op: Operator, tensor: Tensor) -> bool:
    """Whether `op` reads its input `tensor` in short vectors, which takes no prologue."""
    compute = op.compute
    if compute is None or compute.reduction is None or tensor not in op.inputs:
        return False
    var = compute.inputs[op.inputs.index(tensor)]
    loads = (n for n in walk(compute.reduction.value) if isinstance(n, Load) and n.tensor is var)
    return any(load.type.lanes > 1 for load in loads)


def _scatters(op: Operator) -> bool:
    """Whether neighbours along the last axis do not stand side by side in what is read."""
    lane = op.definition.axes[-1]
    loads = [n for n in walk(op.definition.value) if isinstance(n, Load)]
    return any(lane in variables(n) and n.index[-1] is not lane for n in loads)


def works(op: Operator) -> bool:
    """Whether an injective operator computes or compares, more than choosing and moving."""
    for node in walk(op.definition.value):
        kinds = [node.a.type] if isinstance(node, Binary | Unary) else []
        kinds += [node.type] if isinstance(node, Call) else []
        if any(isinstance(kind, DType) and kind.is_float for kind in kinds):
            return True
    return False


def recomputed(graph: Graph) -> set[Operator]:
    """Injective operators with several users, each of which is to compute them for itself.

    That is where it takes few operations, no program would do them over and over, and it moves
    fewer bytes than storing once and reading.
    """
    using, makers = users(graph.operators), producers(graph.operators)
    outputs = set(graph.outputs)
    found: set[Operator] = set()
    often: dict[Operator, float] = {}

    def passed(op: Operator) -> float:
        """How often a program that `op` is fused into as a prologue would compute it."""
        stored = len(using.get(op.output, ())) != 1 and op not in found
        if stored or op.output in outputs or (costly(op) and rough(often[op]) > REREADS):
            return 1
        return often[op]

    for op in reversed(graph.operators):
        if op.injective:
            readers = using.get(op.output, ())
            rates = [
                passed(u) if u.injective else rereads(u, op.output) for u in readers if not u.host
            ]
            often[op] = max(rates, key=rough, default=1)
            several = len(readers) > 1
            # what follows a reduction is its epilogue, and stored
            follows = any(t in makers and not makers[t].injective for t in op.inputs)
            several = several or (any(u in found for u in readers) and not follows)
            if op.output in outputs or not several or any(u.host for u in readers):
                continue
            if (
                rough(often[op]) <= REREADS
                and operations(op) <= CHEAP
                and _repays(op, len(readers))
            ):
                found.add(op)
    return _short(graph, found)


def _short(graph: Graph, found: set[Operator]) -> set[Operator]:
    """Those of `found` that are still few operations with what is recomputed for them."""
    makers = producers(graph.operators)
    work: dict[Operator, int] = {}
    for op in graph.operators:
        if op in found:
            before = (work.get(makers[t], 0) for t in op.inputs if t in makers)
            total = operations(op) + sum(before)
            if total <= CHEAP:
                work[op] = total
    return set(work)


def _repays(op: Operator, times: int) -> bool:
    """Whether computing an operator in each of `times` kernels moves fewer bytes than storing."""
    read = sum(t.size_bytes for t in op.inputs)
    return rough(times * read) < rough(read + (times + 1) * op.output.size_bytes)
