"""What a compute definition gives, by numpy: for constants known before the call, and for tests.

It knows definitions only: no schedule, no operator by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, cast

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.ir.expr import (
    Binary,
    BinaryOp,
    Call,
    Cast,
    Const,
    Expr,
    Load,
    Select,
    Unary,
    UnaryOp,
    Var,
)
from workbench.ir.node import Node
from workbench.ir.traverse import children
from workbench.ir.types import DType
from workbench.schedules.compute import Compute, Reducer, Reduction

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_AT_ONCE = 2**22
"""Elements of output times reduction times inputs that are computed in one go; more is done in
slices."""

_BINARY: dict[BinaryOp, str] = {
    BinaryOp.ADD: "add",
    BinaryOp.SUB: "subtract",
    BinaryOp.MUL: "multiply",
    BinaryOp.DIV: "divide",
    BinaryOp.FLOORDIV: "floor_divide",
    BinaryOp.FLOORMOD: "mod",
    BinaryOp.MIN: "fmin",
    BinaryOp.MAX: "fmax",
    BinaryOp.BITAND: "bitwise_and",
    BinaryOp.BITOR: "bitwise_or",
    BinaryOp.BITXOR: "bitwise_xor",
    BinaryOp.SHL: "left_shift",
    BinaryOp.SHR: "right_shift",
    BinaryOp.AND: "logical_and",
    BinaryOp.OR: "logical_or",
    BinaryOp.LT: "less",
    BinaryOp.LE: "less_equal",
    BinaryOp.GT: "greater",
    BinaryOp.GE: "greater_equal",
    BinaryOp.EQ: "equal",
    BinaryOp.NE: "not_equal",
}
_UNARY = {UnaryOp.NEG: "negative", UnaryOp.NOT: "logical_not", UnaryOp.INVERT: "invert"}
_CALLS = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "pow": "power",
    "round": "rint",
}

Array = Any
Values = dict[Node, Array]


def evaluate(compute: Compute, arrays: Mapping[Var, np.ndarray]) -> np.ndarray:
    """The output of `compute`.

    Parameters
    ----------
    compute : Compute
        A definition; reductions accumulate in the order and width numpy chooses.
    arrays : mapping of Var to numpy.ndarray
        An array for every input, of the shape and dtype of its variable.

    Returns
    -------
    numpy.ndarray
        Of the output's shape and dtype.

    Examples
    --------
    >>> import numpy
    >>> from workbench.ir import build
    >>> from workbench.graph.ops.define import grid
    >>> from workbench.ir.types import f32
    >>> x = Var("x", f32[3])
    >>> twice = grid("twice", [x], f32[3], lambda i: build.mul(build.load(x, i), 2))
    >>> evaluate(twice, {x: numpy.float32([1, 2, 3])}).tolist()
    [2.0, 4.0, 6.0]
    """
    output = compute.output.tensor
    out = np.empty(output.extents, _dtype(output.dtype))
    inner = compute.reduction.extents if compute.reduction else ()
    wide = prod(output.extents[1:]) * prod(inner) * len(compute.inputs)
    rows = max(1, _AT_ONCE // max(1, wide))
    with np.errstate(all="ignore"):
        for start in range(0, output.extents[0], rows):
            stop = min(start + rows, output.extents[0])
            _slice(compute, arrays, slice(start, stop), out)
    return out


def _slice(
    compute: Compute, arrays: Mapping[Var, np.ndarray], rows: slice, out: np.ndarray
) -> None:
    reduction = compute.reduction
    inner = reduction.extents if reduction else ()
    rank = out.ndim + len(inner)
    ranges = [np.arange(rows.start, rows.stop)] + [np.arange(e) for e in out.shape[1:]]
    ranges += [np.arange(e) for e in inner]
    names = compute.axes + (reduction.axes if reduction else ())
    values: Values = {}
    for place, (var, span) in enumerate(zip(names, ranges, strict=True)):
        shape = [1] * rank
        shape[place] = len(span)
        values[var] = span.astype(_dtype(cast("DType", var.type))).reshape(shape)
    machine = _Evaluator(arrays)
    if reduction:
        term = machine.value(reduction.value, values)
        whole = np.broadcast_to(term, [len(span) for span in ranges])
        flat = whole.reshape(*whole.shape[: out.ndim], -1)
        values = {
            v: a.reshape(a.shape[: out.ndim])
            for v, a in zip(compute.axes, (values[v] for v in compute.axes), strict=True)
        }
        values[reduction.result] = _reduced(reduction, flat)
    result = machine.value(compute.value, values)
    out[rows] = np.broadcast_to(result, out[rows].shape)


def _reduced(reduction: Reduction, flat: np.ndarray) -> np.ndarray:
    names = {
        Reducer.SUM: "add",
        Reducer.PROD: "multiply",
        Reducer.MAX: "fmax",
        Reducer.MIN: "fmin",
    }
    kind = _dtype(cast("DType", reduction.result.type))
    if reduction.reducer in names:
        return getattr(np, names[reduction.reducer]).reduce(flat, axis=-1).astype(kind)
    best = np.argmax if reduction.reducer is Reducer.ARGMAX else np.argmin
    return best(flat, axis=-1).astype(kind)


@dataclass
class _Evaluator:
    arrays: Mapping[Var, np.ndarray]

    def value(self, root: Expr, known: Values) -> Array:
        """`root` for every point of the axes at once, operands first, without recursion."""
        done: Values = dict(known)
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if node in done:
                continue
            if ready:
                done[node] = self._node(cast("Expr", node), done)
            else:
                stack.append((node, True))
                stack.extend((c, False) for c in children(node) if c not in done)
        return done[root]

    def _node(self, node: Expr, done: Values) -> Array:
        match node:
            case Const():
                return np.asarray(node.value).astype(_dtype(node.type))
            case Load():
                return self._load(node, done)
            case Unary():
                return getattr(np, _UNARY[node.op])(done[node.a])
            case Binary():
                function = getattr(np, _BINARY[node.op])
                return function(done[node.a], done[node.b])
            case Cast():
                return _cast(done[node.a], node.type)
            case Select():
                return np.where(done[node.cond], done[node.a], done[node.b])
            case Call():
                return _call(node, [done[a] for a in node.args])
            case _:
                raise WorkbenchError(f"a compute definition cannot hold a {type(node).__name__}")

    def _load(self, node: Load, done: Values) -> Array:
        array = self.arrays[node.tensor]
        # a load in the branch of a Select that is not taken may lie outside; its value is dropped
        index = [
            np.clip(done[i], 0, extent - 1)
            for i, extent in zip(node.index, array.shape, strict=True)
        ]
        if 0 in array.shape:
            return np.zeros((), array.dtype)
        return array[tuple(index)]


def _cast(value: Array, to: DType) -> Array:
    if to.is_int and np.asarray(value).dtype.kind == "f":
        info = np.iinfo(_dtype(to))
        # out of range saturates, not-a-number gives 0, as on the device
        wide = np.nan_to_num(np.trunc(np.asarray(value, np.float64)), nan=0.0)
        low = wide <= float(info.min)
        high = wide >= float(info.max)
        middle = np.where(low | high, 0, wide).astype(_dtype(to))
        return np.where(low, info.min, np.where(high, info.max, middle)).astype(_dtype(to))
    return np.asarray(value).astype(_dtype(to))


def _call(node: Call, args: list[Array]) -> Array:
    kind = _dtype(cast("DType", node.type))
    match node.function:
        case "erf":
            # numpy has no error function of its own
            return np.vectorize(math.erf, otypes=[np.float64])(args[0]).astype(kind)
        case "rsqrt":
            return (1 / np.sqrt(args[0])).astype(kind)
        case "fma":
            return args[0] * args[1] + args[2]
        case name:
            return getattr(np, _CALLS.get(name, name))(*args)


def _dtype(kind: DType) -> np.dtype[Any]:
    return np.dtype(kind.numpy_name)
