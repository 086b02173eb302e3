"""Several threads per output element: long reductions with few results."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import BinaryOp, Builtin, Expr, Var
from workbench.ir.stmt import Allocate, Declare, Evaluate, For, ForTask, If, Seq, Stmt, Store
from workbench.ir.traverse import substitute
from workbench.ir.types import Scope, TensorType, i32
from workbench.mapping import spatial
from workbench.schedules.axes import kernel
from workbench.schedules.combine import State, unflat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.ir.compute import Compute, Reduction
    from workbench.ir.module import Module
    from workbench.ir.types import DType

WARP = 32


@dataclass(frozen=True, slots=True)
class ReduceBlock:
    """The knobs of the template: a block makes `rows` results, each by `warps` warps.

    Attributes
    ----------
    rows : int
        Results of a block.
    warps : int
        Warps that work on one result; their partial results meet in shared memory.
    """

    rows: int = 8
    warps: int = 1

    def build(self, compute: Compute) -> Module:
        """The scheduled program."""
        reduction = compute.reduction
        assert reduction is not None, f"{compute.name} reduces nothing"
        shape = compute.output.tensor.extents
        results = prod(shape)
        blocks, width = -(-results // self.rows), self.warps * WARP
        row, worker = Var("row", i32), Var("worker", i32)
        result = build.add(build.mul(Builtin("blockIdx.x"), self.rows), row)
        # rows past the end work on the last result and store nothing: all threads must meet
        inside = build.less(result, results)
        clipped = result
        if results % self.rows:
            clipped = build.binary(BinaryOp.MIN, result, results - 1)
        at = dict(zip(compute.axes, unflat(clipped, shape), strict=True))
        state = State.of(reduction)
        steps: list[Stmt] = [
            *state.start(),
            _strided(reduction, state, at, worker, width),
            *_across_lanes(state, WARP),
        ]
        if self.warps > 1:
            steps += self._across_warps(state, row, worker)
        value = substitute(compute.value, {**at, reduction.result: state.result})
        first = build.binary(BinaryOp.EQ, worker, 0)
        guard = build.all_of(first, inside) if results % self.rows else first
        index = tuple(at[a] for a in compute.axes)
        steps.append(If(guard, Store(compute.output, index, value)))
        mapping = spatial(self.rows, width)
        body = ForTask((row, worker), mapping, Builtin("threadIdx.x"), Seq(tuple(steps)))
        note = f"{width} threads per result, {self.rows} results per block"
        return kernel(compute, body, blocks, self.rows * width, (note,))

    def _across_warps(self, state: State, row: Var, worker: Var) -> list[Stmt]:
        """Partial results of the warps, through shared memory into every lane of the first."""
        warp, lane = build.floordiv(worker, WARP), build.floormod(worker, WARP)
        shape = (self.rows, self.warps)
        parts = [
            Var(f"{v.name}_of_warp", TensorType(_dtype(v), shape, Scope.SHARED)) for v in state.vars
        ]
        first = build.binary(BinaryOp.EQ, lane, 0)
        stores = [Store(p, (row, warp), v) for p, v in zip(parts, state.vars, strict=True)]
        step = Var("w", i32)
        take = _take(state, [build.load(p, (row, step)) for p in parts])
        return [
            *map(Allocate, parts),
            If(first, Seq(tuple(stores))),
            Evaluate(build.call("syncthreads")),
            # the first warp has its own part already
            For(step, build.const(1), build.const(self.warps), build.const(1), take),
        ]


def _strided(
    reduction: Reduction, state: State, at: dict[Var, Expr], worker: Var, width: int
) -> Stmt:
    """Every thread takes each `width`-th value."""
    total = prod(reduction.extents)
    step = Var("step", i32)
    position: Expr = build.add(build.mul(step, width), worker)
    axes = dict(zip(reduction.axes, unflat(position, reduction.extents), strict=True))
    take = state.take(substitute(reduction.value, {**at, **axes}), position)
    if total % width:
        take = If(build.less(position, total), take)
    rounds = -(-total // width)
    return For(step, build.const(0), build.const(rounds), build.const(1), take)


def _across_lanes(state: State, lanes: int) -> list[Stmt]:
    """A butterfly of shuffles: afterwards every lane holds the warp's result."""
    found: list[Stmt] = []
    mask = lanes // 2
    while mask:
        others = [build.call("shfl_xor", v, mask) for v in state.vars]
        found.append(_take(state, others))
        mask //= 2
    return found


def _take(state: State, values: Sequence[Expr]) -> Stmt:
    """Put in the state of another thread."""
    if len(values) == 1:
        return state.take(values[0], None)
    # both are read before either is changed
    names = [Var(f"other_{v.name}", v.type) for v in state.vars]
    declared = [Declare(n, v) for n, v in zip(names, values, strict=True)]
    return Seq((*declared, state.take(names[0], names[1])))


def _dtype(var: Var) -> DType:
    return var.type  # pyright: ignore[reportReturnType]
