"""Sums of products by Einstein's notation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.define import Axes, accumulator, grid, reduce
from workbench.ir import build
from workbench.ir.build import Operand
from workbench.ir.expr import Expr
from workbench.ir.types import TensorType
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

Labels = tuple[str, ...]
"""One name per dimension."""


def parse(equation: str, ranks: Sequence[int]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the result; what an ellipsis stands for gets numbers.

    Raises
    ------
    ModelError
        When the equation is none, or does not fit the operands.

    Examples
    --------
    >>> parse("...ij, jk", [3, 2])
    ([('0', 'i', 'j'), ('j', 'k')], ('0', 'i', 'k'))
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ModelError(f"{equation!r} speaks of {len(terms)} operands, not of {len(ranks)}")
    wide = 0
    for term, rank in zip(terms, ranks, strict=True):
        letters = term.replace("...", "", 1)
        spare = rank - len(letters)
        if not all(c.isascii() and c.isalpha() for c in letters) or spare < 0:
            raise ModelError(f"{term!r} of {equation!r} does not fit {rank} dimensions")
        if spare and "..." not in term:
            raise ModelError(f"{term!r} of {equation!r} does not fit {rank} dimensions")
        wide = max(wide, spare)
    operands = [
        _labels(term, rank - len(term.replace("...", "")), wide)
        for term, rank in zip(terms, ranks, strict=True)
    ]
    if not arrow:
        seen = Counter("".join(terms).replace(".", ""))
        right = "..." * bool(wide) + "".join(sorted(c for c, n in seen.items() if n == 1))
    result = _labels(right, wide, wide)
    known = {label for labels in operands for label in labels}
    if len(set(result)) < len(result) or not known.issuperset(result):
        raise ModelError(f"the result of {equation!r} names a dimension twice, or one not known")
    return operands, result


def _labels(term: str, spare: int, wide: int) -> Labels:
    before, dots, after = term.partition("...")
    middle = [str(n) for n in range(wide - spare, wide)] if dots else []
    return (*before, *middle, *after)


def einsum(b: Builder, equation: str, *tensors: Tensor) -> Tensor:
    """The sum of products that `equation` describes; operands are taken two by two, in order."""
    operands, result = parse(equation, [t.rank for t in tensors])
    (x, *rest), (own, *others) = tensors, operands
    if not rest:
        return _contract(b, [x], [own], result)
    while rest:
        y, labels = rest.pop(0), others.pop(0)
        wanted = {*result, *(label for other in others for label in other)}
        kept = tuple(label for label in dict.fromkeys((*own, *labels)) if label in wanted)
        goal = kept if rest else result
        x, own = _contract(b, [x, y], [own, labels], goal), goal
    return x


def _contract(
    b: Builder, tensors: Sequence[Tensor], operands: Sequence[Labels], result: Labels
) -> Tensor:
    """The sum over all labels that `result` does not name."""
    extents = _extents(tensors, operands)
    summed = [label for label in extents if label not in result]
    names = {t: t.variable() for t in tensors}
    wide = accumulator(tensors[0].dtype)

    def value(i: Axes, r: Axes) -> Expr:
        place = dict(zip((*result, *summed), (*i[: len(result)], *r), strict=True))
        factors: list[Expr] = []
        for t, labels in zip(tensors, operands, strict=True):
            index: list[Operand] = [
                0 if e == 1 else place[label] for e, label in zip(t.extents, labels, strict=True)
            ]
            factors.append(build.cast(build.load(names[t], index or [0]), wide))
        return build.mul(*factors)

    shape = tuple(extents[label] for label in result)
    kind = TensorType(tensors[0].dtype, shape or (1,))
    inputs = tuple(names.values())
    if summed:
        over = [extents[label] for label in summed]
        compute = reduce("einsum", inputs, kind, Reducer.SUM, over, value)
    else:
        compute = grid("einsum", inputs, kind, lambda i: value(i, ()))
    return b.emit(compute, tuple(names), shape)


def _extents(tensors: Sequence[Tensor], operands: Sequence[Labels]) -> dict[str, int]:
    """Extent of each label; where one operand has 1, it is broadcast."""
    found: dict[str, int] = {}
    for t, labels in zip(tensors, operands, strict=True):
        for extent, label in zip(t.extents, labels, strict=True):
            before = found.get(label, 1)
            if 1 not in (before, extent) and before != extent:
                raise ModelError(f"einsum: {label} is both {before} and {extent}, in {t}")
            found[label] = extent if before == 1 else before
    return found
