"""Constants computed by a definition that holds traced numbers, or reads traced arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.graph.evaluate import evaluate
from workbench.graph.symbolic.array import array
from workbench.graph.symbolic.settled import Settled
from workbench.graph.symbolic.tape import Tape, Traced, traced
from workbench.ir.expr import Binary, BinaryOp, Const, Expr, Select, Var
from workbench.ir.traverse import walk
from workbench.ir.types import i64

if TYPE_CHECKING:
    import numpy as np

    from workbench.schedules.compute import Compute


def evaluated(tape: Tape | None, compute: Compute, arrays: Mapping[Var, Any]) -> Any:
    """What `evaluate` gives, traced where numbers or arrays are; None where nothing is."""
    numbers = _numbers(compute) if tape else []
    if tape is None or not (numbers or traced(list(arrays.values()))):
        return None
    single = _single(compute)
    if single is not None:
        return array([single], compute.output.tensor.dtype.numpy_name)
    return tape.call(_Definition(compute, numbers), numbers, [arrays[v] for v in compute.inputs])


def _numbers(compute: Compute) -> list[Traced]:
    """The traced numbers in a definition, each once."""
    found: list[object] = [n.value for n in walk(compute) if isinstance(n, Const)]
    found += (e for v in (*compute.inputs, compute.output) for e in v.tensor.shape)
    found += compute.reduction.extents if compute.reduction else ()
    found += (
        n.value for _, inverse in compute.inverse for n in walk(inverse) if isinstance(n, Const)
    )
    return list({n.place: n for n in found if isinstance(n, Traced)}.values())


def _single(compute: Compute) -> Any:
    """The one number that a definition gives, computed of whole numbers; else None."""
    kind = compute.output.tensor
    if compute.inputs or compute.reduction or kind.dtype != i64 or kind.shape != (1,):
        return None
    return _whole(compute.value)


def _whole(value: Expr) -> Any:
    match value:
        case Const() if value.type == i64:
            return value.value
        case Binary() if value.op in _WHOLE and value.type == i64:
            a, b = _whole(value.a), _whole(value.b)
            if a is None or b is None:
                return None
            # wrapped as the type is: within its range for now, by a guard
            return i64.wrap(_WHOLE[value.op](a, b))
        case Select() if isinstance(value.cond, Const):
            return _whole(value.a if value.cond.value else value.b)
        case _:
            return None


_WHOLE = {
    BinaryOp.ADD: lambda a, b: a + b,
    BinaryOp.SUB: lambda a, b: a - b,
    BinaryOp.MUL: lambda a, b: a * b,
    BinaryOp.MIN: min,
    BinaryOp.MAX: max,
}


class _Definition:
    """A definition as a function of its numbers and arrays."""

    def __init__(self, compute: Compute, numbers: Sequence[Traced]) -> None:
        self._compute = compute
        self._places = [n.place for n in numbers]

    def __call__(self, numbers: Sequence[Any], arrays: Sequence[np.ndarray]) -> np.ndarray:
        """The output for other numbers and arrays."""
        values = dict(zip(self._places, numbers, strict=True))
        whole = Settled(values).compute(self._compute)
        return evaluate(whole, dict(zip(whole.inputs, arrays, strict=True)))
