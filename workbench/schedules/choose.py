"""Which template a definition gets: one visible rule, by target and shape alone."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.ir.types import DType
from workbench.runtime.jit import host
from workbench.schedules.extents import rough, varies
from workbench.schedules.injective import Injective
from workbench.schedules.lanes import dtype_of, neighbours
from workbench.schedules.matmul_cpu import MatmulCpu, fitted
from workbench.schedules.matmul_simt import MatmulSimt, factors
from workbench.schedules.matmul_tiles import Product, in_panels
from workbench.schedules.matmul_words import MatmulWords
from workbench.schedules.matvec_cpu import MOST_ROWS, MatvecCpu, few_rows
from workbench.schedules.reduce_serial import ReduceSerial
from workbench.schedules.row_block import WARP, RowBlock
from workbench.schedules.window_cpu import WindowCpu
from workbench.schedules.window_cpu import fitted as window_fitted

if TYPE_CHECKING:
    from workbench.ir.module import Module
    from workbench.ir.target import Target
    from workbench.schedules.compute import Compute

Template = (
    Injective
    | ReduceSerial
    | RowBlock
    | MatmulSimt
    | MatmulCpu
    | MatmulWords
    | MatvecCpu
    | WindowCpu
)


def choose(compute: Compute, target: Target) -> Template:
    """The template and its knobs for a definition.

    Parameters
    ----------
    compute : Compute
        What is to be computed.
    target : Target
        What the program will run on.

    Examples
    --------
    >>> from workbench.ir.expr import Var
    >>> from workbench.ir.types import f32
    >>> from workbench.schedules.compute import Compute
    >>> from workbench.ir.target import Target
    >>> from workbench.ir import build
    >>> i = Var("i", build.i32)
    >>> choose(Compute("one", (), Var("out", f32[8]), (i,), build.const(1.0)), Target("interp"))
    Injective(threads=256)
    """
    reduction = compute.reduction
    if reduction is None:
        return Injective()
    if target.kind == "cpu" and (window := window_fitted(compute, host().lanes)) is not None:
        return window
    if target.kind == "cpu" and (product := MatmulWords.fitted(compute, host().lanes)) is not None:
        return product
    results, length = rough(compute.output.tensor.size), rough(prod(reduction.extents))
    if factors(compute) is not None and (found := _product(compute, target)) is not None:
        return found
    kind = reduction.value.type
    # shuffles move whole registers; shorter types and bools reduce alone
    if isinstance(kind, DType) and kind.bits >= 32:
        if results <= 64 and length >= 4096:
            return RowBlock(rows=1, width=8 * WARP)
        if results <= 4096 and length >= 128:
            return RowBlock()
    return ReduceSerial()


def _product(compute: Compute, target: Target) -> Template | None:
    """How to make a matrix product; None where it is as good as any other sum."""
    found = factors(compute)
    assert found is not None
    assert compute.reduction is not None
    m, n = compute.output.tensor.extents[-2:]
    if target.kind != "cpu":
        large = min(map(rough, (m, n))) >= 32 and rough(compute.reduction.extents[0]) >= 16
        return MatmulSimt() if large else None
    # where steps along k are steps in memory, each result is made of two runs
    runs = neighbours(found[1], compute.reduction.axes[0])
    rows, *_ = Product(compute, *found, 1, (1, 1)).shape
    packed = in_panels(found[1], compute) is not None
    # code for so many rows serves no other number of them
    few = not varies(rows) and m == rows <= MOST_ROWS
    if few and rough(n) >= 8 and not runs and not packed:
        return few_rows(compute, host().lanes)
    if (varies(rows) or rows >= 4) and rough(n) >= 2:
        return fitted(compute, host().lanes)
    return RowBlock() if runs and dtype_of(compute.reduction.value).bits >= 32 else None


def schedule(compute: Compute, target: Target, template: Template | None = None) -> Module:
    """The scheduled program of a definition, level `script`.

    Parameters
    ----------
    template : Template, optional
        How; `choose` decides when not given.
    """
    return (template or choose(compute, target)).build(compute)
