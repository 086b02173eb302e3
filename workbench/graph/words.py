"""Matrix products of bytes in words: four terms of a sum at a time, by `dot4`.

The rows are read as they lie, four neighbours along what is summed; the columns come in panels as
wide as a register tile, ``w[n // width, k // 4, n % width, k % 4]``. Of constants panels are made
now; what is not constant is packed by an operator. Past the end of a sum a word holds zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.graph.derived import derived
from workbench.graph.evaluate import evaluate
from workbench.graph.operator import Operator
from workbench.graph.ops.define import Axes, grid
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.expr import Cast, Expr, Load, Var
from workbench.ir.traverse import substitute, variables
from workbench.ir.types import TensorType, i8, i32, u8
from workbench.runtime.jit import host
from workbench.schedules.matmul_simt import factors
from workbench.schedules.matmul_words import tile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from workbench.graph.graph import Graph
    from workbench.schedules.compute import Compute
else:
    np = lazy("numpy")


WORD = 4
"""Terms of a word."""


def multiply_words(graph: Graph) -> Graph:
    """Matrix products of u8 by i8 as sums of words."""
    state = _State(dict(graph.constants))
    for op in graph.operators:
        state.done.append(state.words(op) or op)
    if len(state.done) == len(graph.operators) and all(
        a is b for a, b in zip(state.done, graph.operators, strict=True)
    ):
        return graph
    return replace(graph, operators=tuple(state.done), constants=state.constants)


def _byte(value: Expr) -> Load | None:
    load = value.a if isinstance(value, Cast) and value.type == i32 else None
    return load if isinstance(load, Load) and load.type in (u8, i8) else None


@dataclass
class _State:
    """The graph so far."""

    constants: dict[Tensor, np.ndarray]
    done: list[Operator] = field(default_factory=list[Operator])
    packed: dict[tuple[object, ...], Tensor] = field(default_factory=dict)

    def words(self, op: Operator) -> Operator | None:
        """A product in words; None for any other operator."""
        found = None if op.compute is None else factors(op.compute)
        pair = [_byte(f) for f in found] if found else []
        x, w = pair if len(pair) == 2 else (None, None)
        if x is None or w is None or (x.type, w.type) != (u8, i8) or x.tensor is w.tensor:
            return None
        compute = op.definition
        reduction = compute.reduction
        assert reduction is not None
        inputs = dict(zip(compute.inputs, op.inputs, strict=True))
        depth = -(-reduction.extents[0] // 4)
        four = Var(f"{reduction.axes[0].name}4", i32)
        rows, row_at = self._rows(op, inputs[x.tensor], x, depth)
        columns, column_at = self._columns(op, inputs[w.tensor], w, depth)
        a, b = rows.variable(), columns.variable()
        value = build.call(
            "dot4",
            build.load(a, (*row_at, build.mul(four, 4)), lanes=4),
            build.load(b, column_at(four), lanes=4),
            build.const(0),
        )
        own = {rows: a, columns: b}
        own |= {t: v for v, t in inputs.items() if v not in (x.tensor, w.tensor)}
        whole = replace(reduction, axes=(four,), extents=(depth,), value=value)
        done = replace(compute, inputs=tuple(own.values()), reduction=whole)
        return replace(op, inputs=tuple(own), compute=done)

    def _rows(
        self, op: Operator, tensor: Tensor, load: Load, depth: int
    ) -> tuple[Tensor, tuple[Expr, ...]]:
        """A tensor whose last dimension is a whole number of words of the sum."""
        compute = op.definition
        assert compute.reduction is not None
        k, extent = compute.reduction.axes[0], compute.reduction.extents[0]
        inner = any(k in variables(e) for e in load.index[:-1])
        if load.index[-1] is k and not inner and tensor.extents[-1] == extent == 4 * depth:
            return tensor, load.index[:-1]
        used = [a for a in compute.axes if a in variables(load)]
        sizes = dict(zip(compute.axes, compute.output.tensor.extents, strict=True))
        shape = (*(sizes[a] for a in used), 4 * depth)
        var = tensor.variable()

        def value(i: Axes) -> Expr:
            place = dict(zip((*used, k), i, strict=True))
            element = build.load(var, [substitute(e, place) for e in load.index])
            if extent == 4 * depth:
                return element
            return build.select(build.less(i[-1], extent), element, build.const(0, u8))

        made = grid("rows of words", [var], TensorType(u8, shape), value)
        return self._packed(op, tensor, made), tuple(used)

    def _columns(
        self, op: Operator, tensor: Tensor, load: Load, depth: int
    ) -> tuple[Tensor, Callable[[Expr], tuple[Expr, ...]]]:
        """A tensor in panels of words, and where the words of an element lie."""
        compute = op.definition
        assert compute.reduction is not None
        k, column = compute.reduction.axes[0], compute.axes[-1]
        sizes = dict(zip(compute.axes, compute.output.tensor.extents, strict=True))
        n, terms = sizes[column], compute.reduction.extents[0]
        _, vectors = tile(compute, host().lanes)
        width = vectors * host().lanes
        lead = [a for a in compute.axes[:-1] if a in variables(load)]
        shape = (*(sizes[a] for a in lead), -(-n // width), depth, width, 4)

        def at(four: Expr) -> tuple[Expr, ...]:
            high, low = build.floordiv(column, width), build.floormod(column, width)
            return (*lead, high, four, low, build.const(0))

        array = self.constants.get(tensor)
        if array is not None and load.index in ((k, column), (column, k)):
            turned = load.index == (column, k)
            made = derived([array], ("words", width, turned), lambda: panels(array, width, turned))
            key = tensor, shape, turned
            if key not in self.packed:
                self.packed[key] = Tensor(f"{tensor.name} in words", i8, made.shape)
                self.constants[self.packed[key]] = made
            return self.packed[key], at
        of = (*lead, column, k), (*(sizes[a] for a in lead), n, terms)
        made = _in_panels(tensor, load, of, width)
        return self._packed(op, tensor, made), at

    def _packed(self, op: Operator, tensor: Tensor, compute: Compute) -> Tensor:
        """What an operator in between gives, or a constant."""
        kind = compute.output.tensor
        output = Tensor(f"{tensor.name} in words", kind.dtype, kind.extents)
        if tensor in self.constants:
            array = self.constants[tensor].reshape(tensor.storage.extents)
            self.constants[output] = evaluate(compute, {compute.inputs[0]: array})
        else:
            self.done.append(Operator(compute.name, (tensor,), (output,), compute, op.origin))
        return output


def _in_panels(
    tensor: Tensor, load: Load, of: tuple[tuple[Var, ...], tuple[int, ...]], width: int
) -> Compute:
    """What lays a factor out in panels of words; `of` are its axes and their extents."""
    places, (*lead, n, terms) = of
    var, depth = tensor.variable(), -(-terms // WORD)

    def value(i: Axes) -> Expr:
        *front, panel, four, place, byte = i
        spot = build.add(build.mul(panel, width), place)
        term = build.add(build.mul(four, WORD), byte)
        where = dict(zip(places, (*front, spot, term), strict=True))
        element = build.load(var, [substitute(e, where) for e in load.index])
        tests = [build.less(spot, n)] if n % width else []
        tests += [build.less(term, terms)] if terms % WORD else []
        zero = build.const(0, i8)
        return build.select(build.all_of(*tests), element, zero) if tests else element

    shape = (*lead, -(-n // width), depth, width, WORD)
    return grid("columns of words", [var], TensorType(i8, shape), value)


def panels(weights: np.ndarray, width: int, turned: bool) -> np.ndarray:
    """Weights ``[k, n]``, or ``[n, k]`` when turned, as ``[panels, k / 4, width, 4]``.

    Examples
    --------
    >>> import numpy
    >>> panels(numpy.arange(6, dtype="i1").reshape(2, 3), 2, False).tolist()
    [[[[0, 3, 0, 0], [1, 4, 0, 0]]], [[[2, 5, 0, 0], [0, 0, 0, 0]]]]
    """
    matrix = weights.T if turned else weights
    k, n = matrix.shape
    whole = np.zeros((-(-k // 4) * 4, -(-n // width) * width), weights.dtype)
    whole[:k, :n] = matrix
    split = whole.reshape(whole.shape[0] // 4, 4, whole.shape[1] // width, width)
    return np.ascontiguousarray(split.transpose(2, 0, 3, 1))
