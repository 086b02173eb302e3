"""Products of quantized numbers as products of integers, bytes times bytes.

Two rules, which look at definitions alone. A product of two dequantized tensors sums the integers
and scales the sum: the scales do not change along what is summed. Zero points leave such a sum:
``Σ (x - a)(w - b) = Σ xw - aΣw - bΣx + kab`` in arithmetic modulo 2**32, and with them the signs:
a signed `x` is an unsigned one less 128. What stays is a plain sum of u8 times i8.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.graph.evaluate import evaluate
from workbench.graph.factor import Dequantized, Factor
from workbench.graph.graph import Graph, producers
from workbench.graph.operator import Operator
from workbench.graph.ops.define import Axes, grid, reduce
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.expr import Binary, BinaryOp, Const, Expr, Load, Var
from workbench.ir.traverse import rewrite, substitute, variables, walk
from workbench.ir.types import DType, TensorType, f32, i8, i32, u8
from workbench.schedules.compute import Reducer, Reduction
from workbench.schedules.matmul_simt import factors

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from workbench.schedules.compute import Compute
else:
    np = lazy("numpy")

LEAST = 8
"""Terms of a sum, or channels, from which on bytes go by fours."""


def multiply_integers(graph: Graph) -> Graph:
    """Products of two dequantized tensors of 8 bits as integer products."""
    makers = producers(graph.operators)
    made = [_scaled_after(op, makers) or op for op in graph.operators]
    if all(a is b for a, b in zip(made, graph.operators, strict=True)):
        return graph
    return replace(graph, operators=tuple(made))


def fold_constants(graph: Graph) -> Graph:
    """What is left of operators on constants, as dequantized weights of other operators."""
    constants = dict(graph.constants)
    kept: list[Operator] = []
    for op in graph.operators:
        known = op.injective and op.inputs and all(t in constants for t in op.inputs)
        if not known or op.output.size > max(t.size for t in op.inputs):
            kept.append(op)
            continue
        stored = (constants[t].reshape(t.storage.extents) for t in op.inputs)
        array = evaluate(op.definition, dict(zip(op.definition.inputs, stored, strict=True)))
        constants[op.output] = np.ascontiguousarray(array.reshape(op.output.extents))
    if len(kept) == len(graph.operators):
        return graph
    return replace(graph, operators=tuple(kept), constants=constants)


def _scaled_after(op: Operator, makers: Mapping[Tensor, Operator]) -> Operator | None:
    """A product of dequantized tensors with the scales after the sum."""
    reduction = op.compute.reduction if op.compute else None
    if reduction is None or reduction.reducer is not Reducer.SUM or op.output.dtype != f32:
        return None
    value = reduction.value
    if not isinstance(value, Binary) or value.op is not BinaryOp.MUL:
        return None
    inputs = dict(zip(op.definition.inputs, op.inputs, strict=True))
    own: dict[Tensor, Var] = {}
    found: list[Expr] = []
    scale: Expr | None = None
    for part in (value.a, value.b):
        factor = Factor.of(part)
        maker = makers.get(inputs[factor.load.tensor]) if factor and not factor.zero else None
        read = maker and Dequantized.of(maker)
        if factor is None or maker is None or read is None:
            return None
        for t, v in zip(maker.inputs, maker.definition.inputs, strict=True):
            own.setdefault(t, t.variable())
            read = read.with_input(v, own[t])
        read = read.at(factor.load.index)
        if variables(read.scale) & set(reduction.axes):
            return None
        found.append(replace(factor, load=read.load, zero=read.zero).value(i32))
        scale = read.scale if scale is None else build.mul(scale, read.scale)
    assert scale is not None
    total = Var("acc", i32)
    whole = replace(reduction, value=build.mul(*found), result=total)
    rest = {v: t for v, t in inputs.items() if v in variables(op.definition.value)}
    for v, t in rest.items():
        own.setdefault(t, v)
    scaled = {reduction.result: build.mul(build.cast(total, f32), scale)}
    renamed = {v: own[t] for v, t in rest.items()}
    result = rewrite(substitute(op.definition.value, scaled), lambda _: None, renamed)
    compute = replace(
        op.definition, inputs=tuple(own.values()), value=result, reduction=whole, inverse=()
    )
    return replace(op, inputs=tuple(own), compute=compute)


def part_zeros(graph: Graph) -> Graph:
    """Integer products as sums of u8 times i8, what zero points make of them after the sum."""
    state = _State(dict(graph.constants))
    for op in graph.operators:
        state.done.append(state.parted(op) or op)
    if all(op in graph.operators for op in state.done):
        return graph
    return replace(graph, operators=tuple(state.done), constants=state.constants)


@dataclass
class _State:
    """The graph so far."""

    constants: dict[Tensor, np.ndarray]
    done: list[Operator] = field(default_factory=list[Operator])
    kept: dict[tuple[object, ...], Tensor] = field(default_factory=dict)

    def parted(self, op: Operator) -> Operator | None:
        """An operator without zero points in its sum, or with floats in it; None as it is."""
        reduction = op.compute.reduction if op.compute else None
        if reduction is None or reduction.reducer is not Reducer.SUM:
            return None
        value = reduction.value
        if not isinstance(value, Binary) or value.op is not BinaryOp.MUL:
            return None
        pair = Factor.of(value.a), Factor.of(value.b)
        if pair[0] is None or pair[1] is None:
            return None
        if any(p.load.type not in (u8, i8) for p in pair if p):
            return None
        inputs = dict(zip(op.definition.inputs, op.inputs, strict=True))
        product = _Product(self, op, reduction, inputs, (pair[0], pair[1]))
        return product.whole() or product.in_floats()

    def emit(self, compute: Compute, inputs: tuple[Tensor, ...], op: Operator) -> Tensor:
        """The output of a new operator before `op`."""
        kind = compute.output.tensor
        output = Tensor(f"{inputs[0].name}.{compute.name}", kind.dtype, kind.extents)
        self.done.append(Operator(compute.name, inputs, (output,), compute, op.origin))
        return output

    def constant(self, name: str, array: np.ndarray) -> Tensor:
        """A new constant."""
        kind = {"int8": i8, "int32": i32}[array.dtype.name]
        tensor = Tensor(name, kind, array.shape)
        self.constants[tensor] = np.ascontiguousarray(array)
        return tensor


@dataclass
class _Product:
    """One product: its factors, that of the rows and that of the columns."""

    state: _State
    op: Operator
    reduction: Reduction
    inputs: dict[Var, Tensor]
    pair: tuple[Factor, Factor]

    def whole(self) -> Operator | None:
        """The operator with corrections after a sum of u8 times i8; None where that is no gain."""
        compute, terms = self.op.definition, set(self.reduction.axes)
        if self._convolves():
            left, right, column = *self.pair, compute.axes[1]
        elif (found := factors(compute)) and prod(self.reduction.extents) >= LEAST:
            left, right = self.pair if found[0] is self.reduction.value.a else self.pair[::-1]  # pyright: ignore
            column = compute.axes[-1]
        else:
            return None
        if right.tests is not None or any(
            p.zero is not None and variables(p.zero) & terms for p in self.pair
        ):
            return None
        zero = left.zero_above(u8)
        if left.tests is not None and not (isinstance(zero, Const) and zero.value == 0):
            return None
        return self._corrected(left, right, column)

    def _convolves(self) -> bool:
        """Whether it is a convolution whose channels fill blocks, by constant weights."""
        compute, (x, w) = self.op.definition, self.pair
        rank, weights = self.op.output.rank, self.inputs[w.load.tensor]
        channel = self.reduction.axes[0]
        return (
            rank >= 3
            and weights in self.state.constants
            and len(w.load.index) == len(x.load.index) == rank
            and w.load.index[0] is compute.axes[1]
            and w.load.index[1] is channel
            and x.load.index[1] is channel
            and min(weights.extents[:2]) >= 2 * LEAST
            and all(e in self.reduction.axes for e in w.load.index[1:])
        )

    def _corrected(self, left: Factor, right: Factor, column: Var) -> Operator | None:
        state, compute = self.state, self.op.definition
        x, weights = self.inputs[left.load.tensor], self.inputs[right.load.tensor]
        shift = left.zero_above(u8)
        known = state.constants.get(weights)
        w, offset = weights, right.zero_above(i8)
        if known is not None:
            w, offset = self._weights(weights, known, right, column)
        elif weights.dtype == u8:
            w = self._shifted(weights, i8, -128)
        zero = isinstance(offset, Const) and offset.value == 0
        if self._convolves() and not zero:
            return None
        own = {t: v for v, t in self.inputs.items() if t not in (x, weights)}
        x = self._shifted(x, u8, 128) if x.dtype == i8 else x
        a, b = x.variable(), w.variable()
        own = {x: a, w: b, **own}
        new = replace(left, load=build.load(a, left.load.index), zero=None)
        other = replace(right, load=build.load(b, right.load.index), zero=None)
        total: Expr = Var("acc", i32)
        result = total
        if not (isinstance(shift, Const) and shift.value == 0):
            total = build.sub(total, self._times(shift, w, other, own))
        if not zero:
            total = build.sub(total, self._times(offset, x, new, own))
            both = build.mul(build.mul(shift, offset), prod(self.reduction.extents))
            total = build.add(total, both)
        kind = self.reduction.result.type
        assert isinstance(kind, DType)
        value = build.mul(new.value(i32), other.value(i32))
        whole = replace(self.reduction, value=value, result=result)
        final = substitute(compute.value, {self.reduction.result: build.cast(total, kind)})
        used = variables(final) | {a, b}
        own = {t: v for t, v in own.items() if v in used}
        done = replace(
            compute, inputs=tuple(own.values()), value=final, reduction=whole, inverse=()
        )
        return replace(self.op, inputs=tuple(own), compute=done)

    def _times(self, number: Expr, tensor: Tensor, factor: Factor, own: dict[Tensor, Var]) -> Expr:
        """A zero point times the sums of the other factor."""
        sums, index = self._sums(tensor, factor)
        array = self.state.constants.get(sums)
        if array is not None and isinstance(number, Const):
            scaled = (array.astype(np.int64) * int(number.value)).astype(np.int32)
            sums = self.state.constant(f"{tensor.name} zero", scaled)
            number = build.const(1)
        own.setdefault(sums, sums.variable())
        return build.mul(number, build.load(own[sums], index))

    def _sums(self, tensor: Tensor, factor: Factor) -> tuple[Tensor, tuple[Expr, ...]]:
        """Sums of a factor along the terms, and where they are read."""
        terms, index = self.reduction.axes, factor.load.index
        over = [d for d, e in enumerate(index) if e in terms]
        rest = [d for d in range(len(index)) if d not in over]
        at = tuple(index[d] for d in rest)
        array = self.state.constants.get(tensor)
        if array is not None:
            sums = array.astype(np.int64).sum(axis=tuple(over)).astype(np.int32)
            return self.state.constant(f"{tensor.name} sums", sums), at
        var = tensor.variable()

        def value(i: Axes, r: Axes) -> Expr:
            place = dict(zip((*rest, *over), (*i, *r), strict=True))
            return build.cast(build.load(var, [place[d] for d in range(len(index))]), i32)

        kind = TensorType(i32, tuple(tensor.extents[d] for d in rest))
        lengths = [tensor.extents[d] for d in over]
        compute = reduce("sums", [var], kind, Reducer.SUM, lengths, value)
        key = "sums", tensor, tuple(over)
        if key not in self.state.kept:
            self.state.kept[key] = self.state.emit(compute, (tensor,), self.op)
        return self.state.kept[key], at

    def _shifted(self, tensor: Tensor, to: DType, by: int) -> Tensor:
        """A tensor in the other 8-bit type, every number moved by 128."""
        key = "shift", tensor, to
        if key not in self.state.kept:
            var = tensor.variable()
            compute = grid(
                "shift",
                [var],
                TensorType(to, tensor.storage.extents),
                lambda i: build.cast(build.add(build.cast(build.load(var, i), i32), by), to),
                inverse={var: list},
            )
            self.state.kept[key] = self.state.emit(compute, (tensor,), self.op)
        return self.state.kept[key]

    def _weights(
        self, weights: Tensor, array: np.ndarray, factor: Factor, column: Var
    ) -> tuple[Tensor, Expr]:
        """Constant weights as i8, and the zero point that is left."""
        wide = array.astype(np.int16)
        zero = self._zeros(factor, column)
        if zero is not None:
            less = wide - zero
            if less.min(initial=0) >= -128 and less.max(initial=0) <= 127:
                return self._named(weights, less), build.const(0)
        if weights.dtype == u8:
            wide = wide - 128
        return self._named(weights, wide), factor.zero_above(i8)

    def _named(self, weights: Tensor, array: np.ndarray) -> Tensor:
        if np.array_equal(array, self.state.constants[weights]) and weights.dtype == i8:
            return weights
        return self.state.constant(weights.name, array.astype(np.int8))

    def _zeros(self, factor: Factor, column: Var) -> np.ndarray | None:
        """The zero point of constant weights, in a shape that broadcasts to them."""
        zero = factor.zero
        if zero is None or isinstance(zero, Const):
            return np.asarray(0 if zero is None else zero.value, np.int16)
        loads = [n for n in walk(zero) if isinstance(n, Load)]
        known = self.state.constants.get(self.inputs[loads[0].tensor]) if len(loads) == 1 else None
        if known is None:
            return None
        known = known.astype(np.int16)
        if known.size == 1:
            return known.reshape(())
        places = [d for d, e in enumerate(factor.load.index) if e is column]
        if len(places) != 1 or known.size != self.inputs[factor.load.tensor].extents[places[0]]:
            return None
        shape = [1] * len(factor.load.index)
        shape[places[0]] = known.size
        return known.reshape(shape)

    def in_floats(self) -> Operator | None:
        """The operator with sums of f32, where they are as exact."""
        kind = self.reduction.value.type
        if kind != i32 or prod(self.reduction.extents) * 255 * 255 > 2**24:
            return None
        total = Var("acc", f32)
        value = build.mul(*(p.value(f32) for p in self.pair))
        compute = replace(
            self.op.definition,
            value=substitute(
                self.op.definition.value, {self.reduction.result: build.cast(total, i32)}
            ),
            reduction=replace(self.reduction, value=value, result=total),
        )
        return replace(self.op, compute=compute)
