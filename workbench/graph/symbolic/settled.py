"""What holds traced numbers, with the numbers of one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.graph.symbolic.number import unmarked
from workbench.graph.symbolic.tape import Traced, traced
from workbench.ir.expr import Const, Var
from workbench.ir.traverse import rewrite
from workbench.ir.types import TensorType

if TYPE_CHECKING:
    from workbench.ir.node import Node
    from workbench.schedules.compute import Compute


class Settled:
    """Traced things as they are for some values of a tape.

    Parameters
    ----------
    values : mapping of int to object, or sequence
        What stands in each place that is asked for.
    """

    def __init__(self, values: Mapping[int, Any] | Sequence[Any]) -> None:
        self._values = values

    def value(self, value: Any) -> Any:
        """A number or array."""
        return self._values[value.place] if isinstance(value, Traced) else value

    def text(self, text: str) -> str:
        """A text in which numbers may stand."""
        return unmarked(text, lambda place: str(self._values[place]))

    def shape(self, extents: Sequence[Any]) -> tuple[int, ...]:
        """Extents."""
        return tuple(map(self.value, extents))

    def compute(self, compute: Compute) -> Compute:
        """A definition."""
        names = {
            v: Var(v.name, TensorType(v.tensor.dtype, self.shape(v.tensor.shape)))
            for v in (*compute.inputs, compute.output)
            if traced(v.tensor.shape)
        }
        whole = rewrite(compute, self._rule, names)
        # the inverse maps stand in pairs, which a rewrite does not enter
        inverse = tuple((names.get(v, v), rewrite(m, self._rule)) for v, m in compute.inverse)
        reduction = whole.reduction
        if reduction is not None:
            reduction = replace(reduction, extents=self.shape(reduction.extents))
        return replace(whole, reduction=reduction, inverse=inverse)

    def _rule(self, node: Node) -> Node | None:
        if isinstance(node, Const) and isinstance(node.value, Traced):
            return Const(self.value(node.value), node.type)
        return None
