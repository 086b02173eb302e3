"""Weights in the order in which a product on a CPU reads them: panels as wide as register tiles.

A program would copy such a factor in every call; of a constant the copy is made once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.graph.derived import derived
from workbench.graph.graph import Graph
from workbench.graph.slabs import empty
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.expr import Cast, Expr, Load, Var
from workbench.ir.target import Target
from workbench.ir.traverse import references, rewrite, walk
from workbench.schedules import choose
from workbench.schedules.matmul_cpu import MatmulCpu
from workbench.schedules.matmul_simt import factors

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.operator import Operator
    from workbench.schedules.compute import Compute
else:
    np = lazy("numpy")


def pack_weights(graph: Graph) -> Graph:
    """Constant right factors of matrix products in panels.

    A product that reads its right factor only once gains nothing, and keeps it as it is.
    """
    constants = dict(graph.constants)
    packed: dict[tuple[Tensor, int, bool], Tensor] = {}
    operators: list[Operator] = []
    for op in graph.operators:
        found = None if op.host is not None else _weight(op, graph)
        if found is None:
            operators.append(op)
            continue
        load, tensor, width, turned = found
        place = tensor, width, turned
        if place not in packed:
            array = panels(constants[tensor].reshape(tensor.extents), width, turned=turned)
            packed[place] = Tensor(f"{tensor.name} in panels", tensor.dtype, array.shape)
            constants[packed[place]] = array
        operators.append(_reading(op, load, tensor, packed[place]))
    if not packed:
        return graph
    used = {t for op in operators for t in op.inputs} | set(graph.outputs)
    constants = {t: a for t, a in constants.items() if t in used}
    return replace(graph, operators=tuple(operators), constants=constants)


def _weight(op: Operator, graph: Graph) -> tuple[Load, Tensor, int, bool] | None:
    """The constant right factor of a product, the width of its panels, whether it is [n, k]."""
    compute = op.definition
    found = factors(compute)
    if found is None or compute.reduction is None:
        return None
    load = found[1].a if isinstance(found[1], Cast) else found[1]
    if not isinstance(load, Load) or load.tensor not in compute.inputs:
        return None
    tensor = op.inputs[compute.inputs.index(load.tensor)]
    axes = compute.reduction.axes[0], compute.axes[-1]
    if tensor not in graph.weights or load.index not in (axes, axes[::-1]):
        return None
    if sum(load.tensor in references(n) for n in walk(compute) if isinstance(n, Load)) != 1:
        return None
    template = choose(compute, Target("cpu"))
    if not isinstance(template, MatmulCpu):
        return None
    return load, tensor, template.each[1] * template.lanes, load.index == axes[::-1]


def _reading(op: Operator, load: Load, old: Tensor, new: Tensor) -> Operator:
    """`op` with a weight in panels."""
    compute = op.definition
    assert compute.reduction is not None
    k, column = compute.reduction.axes[0], compute.axes[-1]
    width = new.extents[-1]
    var = Var(load.tensor.name, new.storage)
    index = build.floordiv(column, width), k, build.floormod(column, width)
    value = build.load(var, index)

    def here(root: Expr) -> Expr:
        return rewrite(root, lambda n: value if n is load else None)

    inputs = tuple(var if v is load.tensor else v for v in compute.inputs)
    reduction = replace(compute.reduction, value=here(compute.reduction.value))
    whole: Compute = replace(compute, inputs=inputs, reduction=reduction)
    tensors = tuple(new if t is old else t for t in op.inputs)
    return replace(op, inputs=tensors, compute=whole)


def panels(weights: np.ndarray, width: int, *, turned: bool) -> np.ndarray:
    """Weights ``[k, n]``, or ``[n, k]`` when turned, as ``[panels, k, width]``, 0 past the end.

    Examples
    --------
    >>> import numpy
    >>> panels(numpy.arange(6).reshape(2, 3), 2, turned=False).tolist()
    [[[0, 1], [3, 4]], [[2, 0], [5, 0]]]
    """
    how = "panels", width, turned
    return derived([weights], how, lambda: _panels(weights, width, turned))


def _panels(weights: np.ndarray, width: int, turned: bool) -> np.ndarray:
    matrix = weights.T if turned else weights
    k, n = matrix.shape
    found = empty((-(-n // width), k, width), weights.dtype)
    found[-1] = 0
    for panel, part in enumerate(found):
        columns = matrix[:, panel * width : (panel + 1) * width]
        part[:, : columns.shape[1]] = columns
    return found
