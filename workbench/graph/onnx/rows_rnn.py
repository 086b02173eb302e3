"""Rows of the registry for recurrent layers: RNN, GRU, LSTM.

What the inputs contribute to all steps is one matrix product; the steps themselves are one kernel
per direction (`schedules.recurrent`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Outputs, Row
from workbench.graph.operator import Program
from workbench.graph.ops import shape as ops
from workbench.graph.ops.elementwise import convert, elementwise
from workbench.graph.ops.matmul import product
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr, UnaryOp
from workbench.ir.types import i32
from workbench.schedules.recurrent import GATES, Activation, Recurrent, lanes

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def _sigmoid(v: Expr) -> Expr:
    return build.binary(BinaryOp.DIV, 1.0, build.add(_exp(build.unary(UnaryOp.NEG, v)), 1.0))


def _exp(v: Expr) -> Expr:
    return build.call("exp", v)


def _negative(v: Expr, yes: Expr, no: Expr) -> Expr:
    return build.select(build.less(v, 0), yes, no)


def _softsign(v: Expr) -> Expr:
    return build.binary(BinaryOp.DIV, v, build.add(build.call("abs", v), 1.0))


def _softplus(v: Expr) -> Expr:
    tail = build.call("log1p", _exp(build.unary(UnaryOp.NEG, build.call("abs", v))))
    return build.add(build.binary(BinaryOp.MAX, v, 0), tail)


def _hard_sigmoid(v: Expr, alpha: float, beta: float) -> Expr:
    line = build.add(build.mul(v, alpha), beta)
    return build.binary(BinaryOp.MAX, build.binary(BinaryOp.MIN, line, 1.0), 0.0)


_ACTIVATIONS: Mapping[str, tuple[tuple[float | None, ...], Callable[..., Expr]]] = {
    "sigmoid": ((), _sigmoid),
    "tanh": ((), lambda v: build.call("tanh", v)),
    "relu": ((), lambda v: build.select(build.less(v, 0), 0, v)),
    "softsign": ((), _softsign),
    "softplus": ((), _softplus),
    "leakyrelu": ((0.01,), lambda v, a: _negative(v, build.mul(v, a), v)),
    "thresholdedrelu": ((1.0,), lambda v, a: build.select(build.less(a, v), v, 0)),
    "elu": ((1.0,), lambda v, a: _negative(v, build.mul(build.sub(_exp(v), 1.0), a), v)),
    "hardsigmoid": ((0.2, 0.5), _hard_sigmoid),
    "affine": ((None, None), lambda v, a, b: build.add(build.mul(v, a), b)),
    "scaledtanh": (
        (None, None),
        lambda v, a, b: build.mul(build.call("tanh", build.mul(v, b)), a),
    ),
}
"""The activation functions of ONNX: defaults of alpha and beta, as far as they have them."""

_DEFAULTS = {"rnn": ("Tanh",), "gru": ("Sigmoid", "Tanh"), "lstm": ("Sigmoid", "Tanh", "Tanh")}
_SUMMED = 2
"""Activations of a direction whose inputs are sums; the third is that of LSTM's state."""

_WAYS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


def _clipped(function: Activation, limit: float, v: Expr) -> Expr:
    low = build.binary(BinaryOp.MAX, v, -limit)
    return function(build.binary(BinaryOp.MIN, low, limit))


def _activations(node: Node, cell: str, ways: int) -> tuple[tuple[Activation, ...], ...]:
    """The activation functions of each direction, the same object where they are the same."""
    each = len(_DEFAULTS[cell])
    names = list(node.attributes.get("activations") or _DEFAULTS[cell] * ways)
    if len(names) != each * ways:
        raise ModelError(f"{len(names)} activations are given, not {each * ways}")
    given = {k: list(node.attributes.get(f"activation_{k}", ())) for k in ("alpha", "beta")}
    limit = node.real("clip", 0.0)
    found: list[Activation] = []
    known: dict[object, Activation] = {}
    for name in (n.decode() if isinstance(n, bytes) else str(n) for n in names):
        if name.lower() not in _ACTIVATIONS:
            raise UnsupportedOp(f"the activation {name} is not supported", op=node.op)
        defaults, function = _ACTIVATIONS[name.lower()]
        values: list[float] = []
        for key, default in zip(given, defaults, strict=False):
            # a function takes the next number of the list; those without numbers take none
            value = given[key].pop(0) if given[key] else default
            if value is None:
                raise ModelError(f"the activation {name} needs {key}")
            values.append(float(value))
        bound = _with(function, values)
        # as onnxruntime does, of LSTM's state itself nothing is cut off
        cut = bool(limit) and len(found) % each < _SUMMED
        made = partial(_clipped, bound, limit) if cut else bound
        found.append(known.setdefault((name.lower(), *values, cut), made))
    return tuple(tuple(found[n : n + each]) for n in range(0, len(found), each))


def _with(function: Callable[..., Expr], values: Sequence[float]) -> Activation:
    return lambda v: function(v, *values)


@dataclass(frozen=True, slots=True, eq=False)
class _Sizes:
    """Extents of a layer."""

    steps: int
    batch: int
    inputs: int
    hidden: int
    ways: int
    gates: int


def _sizes(node: Node, cell: str, x: Tensor, w: Tensor, r: Tensor) -> _Sizes:
    """The extents, once the weights fit them."""
    way = node.text("direction", "forward")
    if way not in _WAYS:
        raise ModelError(f"there is no direction {way!r}")
    if x.rank != 3 or r.rank != 3:
        raise ModelError(f"{x} and {r} must have 3 dimensions")
    steps, batch, inputs = x.extents
    hidden, ways, gates = r.extents[2], len(_WAYS[way]), GATES[cell]
    sizes = _Sizes(steps, batch, inputs, hidden, ways, gates)
    _expect(w, ways, gates * hidden, inputs)
    _expect(r, ways, gates * hidden, hidden)
    if node.has("hidden_size") and node.number("hidden_size") != hidden:
        raise ModelError(f"hidden_size is {node.number('hidden_size')}, but the weights are {r}")
    return sizes


def _expect(t: Tensor | None, *shape: int) -> None:
    if t is not None and t.extents != shape:
        raise ModelError(f"{t} should have the shape {list(shape)}")


def _layer(
    cell: str,
    node: Node,
    b: Builder,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    bias: Tensor | None = None,
    lengths: Tensor | None = None,
    h0: Tensor | None = None,
    c0: Tensor | None = None,
    peepholes: Tensor | None = None,
) -> Outputs:
    swapped = node.number("layout", 0) != 0
    states = [h0, c0] if cell == "lstm" else [h0]
    if swapped:
        x = ops.transpose(b, x, [1, 0, 2])
        states = [t and ops.transpose(b, t, [1, 0, 2]) for t in states]
    s = _sizes(node, cell, x, w, r)
    _expect(bias, s.ways, 2 * s.gates * s.hidden)
    _expect(lengths, s.batch)
    _expect(peepholes, s.ways, 3 * s.hidden)
    for t in states:
        _expect(t, s.ways, s.batch, s.hidden)
    if lengths is not None:
        lengths = convert(b, lengths, i32)
    how = {
        "activations": _activations(node, cell, s.ways),
        "after": cell == "gru" and node.number("linear_before_reset", 0) != 0,
        "coupled": cell == "lstm" and node.number("input_forget", 0) != 0,
        "reverse": _WAYS[node.text("direction", "forward")],
    }
    whole, *last = _recurrent(cell, b, s, (x, w, r, bias, lengths, peepholes), states, how)
    if swapped:
        whole = ops.transpose(b, whole, [2, 0, 1, 3])
        last = [ops.transpose(b, t, [1, 0, 2]) for t in last]
    return (whole, *last)


def _columns(b: Builder, t: Tensor, start: int, count: int) -> Tensor:
    """`t[:, start : start + count]` of a matrix."""
    return ops.take(b, t, [0, start], [1, 1], [t.extents[0], count])


def _contributed(
    b: Builder, s: _Sizes, x: Tensor, w: Tensor, bias: Tensor | None, after: bool
) -> tuple[Tensor, Tensor | None]:
    """What inputs and biases contribute to all steps; GRU's bias that belongs inside a product."""
    wide = s.gates * s.hidden
    rows = ops.reshape(b, x, (s.steps * s.batch, s.inputs))
    weights = ops.reshape(b, w, (s.ways * wide, s.inputs))
    flat = product(b, "matmul", rows, ops.transpose(b, weights, [1, 0]))
    inner: Tensor | None = None
    if bias is not None:
        add = partial(elementwise, b, "add", build.add)
        recurrent = _columns(b, bias, wide, wide)
        if after:
            inner = _columns(b, recurrent, 2 * s.hidden, s.hidden)
            zero = b.constant(np.zeros((s.ways, s.hidden), x.dtype.numpy_name))
            recurrent = ops.concat(b, [_columns(b, recurrent, 0, 2 * s.hidden), zero], 1)
        both = add(_columns(b, bias, 0, wide), recurrent)
        flat = add(flat, ops.reshape(b, both, (s.ways * wide,)))
    return ops.reshape(b, flat, (s.steps, s.batch, s.ways * wide)), inner


def _packed(b: Builder, s: _Sizes, r: Tensor) -> Tensor:
    """The weights of the state as the steps read them: for a vector of units and each unit of the
    step before the weights of all gates.
    """
    count = -(-s.hidden // lanes())
    gates = ops.reshape(b, r, (s.ways, s.gates, s.hidden, s.hidden))
    if missing := count * lanes() - s.hidden:
        shape = (s.ways, s.gates, missing, s.hidden)
        gates = ops.concat(b, [gates, b.constant(np.zeros(shape, r.dtype.numpy_name))], 2)
    vectors = ops.reshape(b, gates, (s.ways, s.gates, count, lanes(), s.hidden))
    return ops.transpose(b, vectors, [0, 2, 4, 1, 3])


def _recurrent(
    cell: str,
    b: Builder,
    s: _Sizes,
    inputs: Sequence[Tensor | None],
    states: Sequence[Tensor | None],
    how: dict[str, Any],
) -> tuple[Tensor, ...]:
    """Y and the last states."""
    x, w, r, bias, lengths, peepholes = inputs
    assert x is not None
    assert w is not None
    assert r is not None
    state = (s.ways, s.batch, s.hidden)
    started = [t or b.constant(np.zeros(state, x.dtype.numpy_name)) for t in states]
    if 0 in (s.steps, s.batch, s.hidden):
        return (b.constant(np.zeros((s.steps, *state), x.dtype.numpy_name)), *started)
    part, inner = _contributed(b, s, x, w, bias, how["after"])
    layer = Recurrent(
        cell,
        s.steps,
        s.batch,
        s.hidden,
        x.dtype,
        peepholes=peepholes is not None,
        biased=inner is not None,
        lengths=lengths is not None,
        **how,
    )
    optional = [t for t in (peepholes, inner, lengths) if t is not None]
    read = [part, _packed(b, s, r), *started, *optional]
    outputs = [(x.dtype, (s.steps, *state)), *((x.dtype, state) for _ in started)]
    shown = {"hidden": s.hidden, "ways": s.ways}
    return b.program(cell, Program(layer.build), read, outputs, shown)


ROWS = tuple(
    Row(name, first, partial(_layer, name.lower()), last)
    for name in ("RNN", "GRU", "LSTM")
    for first, last in ((1, None),)
)
