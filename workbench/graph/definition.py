"""A compute definition as a person writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.names import safe_name
from workbench.ir.expr import Var
from workbench.ir.text import text
from workbench.ir.traverse import substitute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.graph.operator import Operator
    from workbench.ir.expr import Expr
    from workbench.ir.node import Node

_AXES = "ijklmn"


def told(op: Operator) -> str:
    """What an operator means: one element of its output, and where elements of inputs go.

    Parameters
    ----------
    op : Operator
        Bound; one with a host call has no definition.

    Returns
    -------
    str
        A line for the element, one for a reduction, one for each inverse map.

    Examples
    --------
    >>> from workbench.graph.build import Builder
    >>> from workbench.graph.ops.shape import transpose
    >>> from workbench.graph.tensor import Tensor
    >>> from workbench.ir.types import f32
    >>> b = Builder()
    >>> turned = transpose(b, Tensor("x", f32, (2, 3)), [1, 0])
    >>> print(told(b.operators[0]))
    transpose[i, j] = x[j, i]
    x[i, j] goes to transpose[j, i]
    """
    compute = op.definition
    names = _axes(compute.axes, _AXES)
    lines = [f"{op.name}[{_index(compute.axes, names)}] = {_said(compute.value, names)}"]
    if compute.reduction is not None:
        each = compute.reduction
        over = ", ".join(f"{a.name} < {e}" for a, e in zip(each.axes, each.extents, strict=True))
        lines.append(
            f"  {each.result.name} = {each.reducer.value} over {over} of {_said(each.value, names)}"
        )
    for tensor, inverse in compute.inverse:
        own = _axes(inverse.axes, _AXES)
        place = ", ".join(_said(each, own) for each in inverse.index)
        lines.append(
            f"{safe_name(tensor.name)}[{_index(inverse.axes, own)}] goes to {op.name}[{place}]"
        )
    return "\n".join(lines)


def _axes(axes: Sequence[Var], letters: str) -> Mapping[Var, Node]:
    """A letter for each axis; beyond the letters they keep their names."""
    return {axis: Var(letter, axis.type) for axis, letter in zip(axes, letters, strict=False)}


def _index(axes: Sequence[Var], names: Mapping[Var, Node]) -> str:
    return ", ".join(_said(axis, names) for axis in axes)


def _said(value: Expr, names: Mapping[Var, Node]) -> str:
    return text(substitute(value, names))
