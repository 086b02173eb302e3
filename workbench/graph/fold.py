"""Scales of channels go into the weights of the product that they follow.

A sum of products with constant weights, times numbers that differ between the output's channels
only, is the sum with other weights. Found by structure: convolutions, in groups or not, products
of matrices and their like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.graph.evaluate import evaluate
from workbench.graph.graph import Graph, users
from workbench.graph.operator import Operator
from workbench.graph.ops.define import axes, grid
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.expr import Binary, BinaryOp, Expr, Load, Var
from workbench.ir.traverse import substitute, variables, walk
from workbench.ir.types import TensorType, f32, f64
from workbench.schedules.compute import Compute, Reducer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
else:
    np = lazy("numpy")

_Line = tuple[Expr, Expr]
"""What an element is multiplied by, and what is added then."""


def fold_scales(graph: Graph) -> Graph:
    """Products with constants by channel, as of a batch normalisation, go into the weights before.

    What is added by channel on the way becomes one sum. Weights are rounded once more, so results
    may differ in their last digits; that is why it happens to floats of 32 bits and more only, and
    only with scales that are finite and not zero, and weights that stay finite.
    """
    using, outputs = users(graph.operators), set(graph.outputs)
    constants, weights = dict(graph.constants), {t: graph.constants[t] for t in graph.weights}
    instead: dict[Operator, tuple[Operator, ...]] = {}
    for op in graph.operators:
        weight = _weight(op, graph)
        if weight is None:
            continue
        chain: list[_Step] = []
        tensor = op.output
        while tensor not in outputs and len(following := using.get(tensor, ())) == 1:
            step = _step(following[0], tensor, weight.axis, weights)
            if step is None:
                break
            chain.append(step)
            tensor = step.op.output
        if any((step.factor != 1).any() for step in chain):
            made = _folded(op, weight, chain, constants)
            instead |= {**{step.op: () for step in chain}, op: made} if made else {}
    if not instead:
        return graph
    operators = tuple(new for op in graph.operators for new in instead.get(op, (op,)))
    used = {t for op in operators for t in op.inputs} | outputs
    constants = {t: a for t, a in constants.items() if t in used}
    return replace(graph, operators=operators, constants=constants)


@dataclass(frozen=True, slots=True, eq=False)
class _Weight:
    """The constant factor of a sum of products; `dim` of it is `axis` of the output."""

    tensor: Tensor
    var: Var
    dim: int
    axis: int


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """An operator that gives factor * x + shift, by channel, in f64."""

    op: Operator
    factor: np.ndarray
    shift: np.ndarray


def _weight(op: Operator, graph: Graph) -> _Weight | None:
    """The weights of a product, of which each belongs to one channel of the output."""
    compute = op.compute
    if compute is None or compute.reduction is None or op.output.dtype not in _TYPES:
        return None
    value = compute.reduction.value
    if (
        compute.reduction.reducer is not Reducer.SUM
        or compute.value is not compute.reduction.result
    ):
        return None
    if not isinstance(value, Binary) or value.op is not BinaryOp.MUL:
        return None
    loads = [n for n in walk(value) if isinstance(n, Load)]
    for load in (value.b, value.a):
        if not isinstance(load, Load) or sum(n.tensor is load.tensor for n in loads) != 1:
            continue
        tensor = op.inputs[compute.inputs.index(load.tensor)]
        own = [(d, compute.axes.index(e)) for d, e in enumerate(load.index) if e in compute.axes]
        if tensor in graph.weights and own and op.output.rank > 1:
            # a batch comes first: what is left of several is the channel
            return _Weight(tensor, load.tensor, *max(own, key=lambda pair: pair[1]))
    return None


_TYPES = (f32, f64)


def _step(
    op: Operator, tensor: Tensor, axis: int, constants: Mapping[Tensor, np.ndarray]
) -> _Step | None:
    """An operator as factor and shift by channel; None where it is anything else."""
    same = op.injective and op.output.extents == tensor.extents and op.output.dtype == tensor.dtype
    if not same or any(t is not tensor and t not in constants for t in op.inputs):
        return None
    compute = op.definition
    source = compute.inputs[op.inputs.index(tensor)]
    line = _line(compute.value, source, compute.axes)
    if line is None:
        return None
    arrays = {
        var: constants[t].reshape(t.storage.extents)
        for var, t in zip(compute.inputs, op.inputs, strict=True)
        if t is not tensor
    }
    factor, shift = (_by_channel(each, compute, axis, arrays) for each in line)
    return None if factor is None or shift is None else _Step(op, factor, shift)


def _line(value: Expr, source: Var, index: tuple[Var, ...]) -> _Line | None:
    """A value as a line in the element of `source` in the same place."""
    if isinstance(value, Load) and value.tensor is source:
        return (build.const(1.0, f64), build.const(0.0, f64)) if value.index == index else None
    if not isinstance(value, Binary) or value.op not in _LINEAR:
        return None
    mine, other = (value.a, value.b) if source in variables(value.a) else (value.b, value.a)
    turned = mine is value.b and value.op in (BinaryOp.SUB, BinaryOp.DIV)
    if turned or source in variables(other) or (line := _line(mine, source, index)) is None:
        return None
    factor, shift, number = *line, build.cast(other, f64)
    if value.op in (BinaryOp.ADD, BinaryOp.SUB):
        return factor, build.binary(value.op, shift, number)
    return build.binary(value.op, factor, number), build.binary(value.op, shift, number)


_LINEAR = (BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.DIV)


def _by_channel(
    value: Expr, compute: Compute, axis: int, arrays: Mapping[Var, np.ndarray]
) -> np.ndarray | None:
    """A value for each channel; None where it differs between other places of the output."""
    extents = compute.output.tensor.extents
    own = axes(1)
    places: dict[Var, Expr] = {
        a: build.const(0) for a, e in zip(compute.axes, extents, strict=True) if e == 1
    }
    places[compute.axes[axis]] = own[0]
    placed = substitute(value, places)
    if variables(placed) & set(compute.axes):
        return None
    output = Var("out", TensorType(f64, (extents[axis],)))
    return evaluate(Compute("by_channel", tuple(arrays), output, own, placed), arrays)


def _folded(
    op: Operator, weight: _Weight, chain: Sequence[_Step], constants: dict[Tensor, np.ndarray]
) -> tuple[Operator, ...] | None:
    """The product with other weights, and the sum that is left; None where numbers get too large.

    New constants are added to those that there are.
    """
    factor, shift = np.ones_like(chain[0].factor), np.zeros_like(chain[0].shift)
    for step in chain:
        factor, shift = factor * step.factor, shift * step.factor + step.shift
    old = constants[weight.tensor].reshape(weight.tensor.storage.extents)
    wide = [1] * old.ndim
    wide[weight.dim] = len(factor)
    with np.errstate(over="ignore", invalid="ignore"):
        array = (old * factor.reshape(wide)).astype(old.dtype)
        offset = shift.astype(old.dtype)
    if not (factor.all() and np.isfinite(array).all() and np.isfinite(offset).all()):
        return None
    scaled = Tensor(f"{weight.tensor.name} scaled", weight.tensor.dtype, weight.tensor.shape)
    constants[scaled] = array.reshape(scaled.extents)
    last = chain[-1].op
    inputs = tuple(scaled if t is weight.tensor else t for t in op.inputs)
    origin = (*op.origin, *(name for step in chain for name in step.op.origin))
    if not offset.any():
        return (replace(op, inputs=inputs, outputs=last.outputs, origin=origin),)
    added = Tensor(f"{last.output.name}.shift", last.output.dtype, offset.shape)
    constants[added] = offset
    return replace(op, inputs=inputs), _sum(last, op.output, added, weight.axis, origin)


def _sum(
    last: Operator, tensor: Tensor, shift: Tensor, axis: int, origin: tuple[str, ...]
) -> Operator:
    """What `last` gives, as the sum of a tensor and numbers by channel."""
    x, y = tensor.variable(), shift.variable()
    compute = grid(
        "add",
        [x, y],
        tensor.storage,
        lambda i: build.add(build.load(x, i), build.load(y, [i[axis]])),
        inverse={x: lambda e: e},
    )
    return Operator("add", (tensor, shift), last.outputs, compute, origin)
