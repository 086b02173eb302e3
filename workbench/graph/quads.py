"""Convolutions of bytes over blocks of channels, in words: four channels of a term at a time.

Channels in blocks are neighbours already; of the weights four channels come innermost, so that
each lane reads a word of its own: ``[k / b, c / b, …, b / 4, b, 4]``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.graph.factor import Factor
from workbench.graph.layout import Blocked, Packing
from workbench.ir import build
from workbench.ir.expr import Binary, BinaryOp, Expr, Var
from workbench.ir.traverse import rewrite, variables
from workbench.ir.types import TensorType, i8, i32, u8

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from workbench.ir.node import Node
    from workbench.schedules.compute import Compute
else:
    np = lazy("numpy")

WORD = 4


@dataclass(frozen=True, slots=True)
class Quads:
    """A packing whose terms come in fours, innermost.

    Attributes
    ----------
    packing : Packing
        What ends in a block of terms and a block of lanes.
    """

    packing: Packing

    def apply(self, array: np.ndarray) -> np.ndarray:
        """The packed array, C-contiguous.

        Examples
        --------
        >>> import numpy
        >>> weights = numpy.arange(16, dtype="i1").reshape(4, 4)
        >>> Quads(Packing((1, 0), 4)).apply(weights).tolist()[0][0][0][1]
        [4, 5, 6, 7]
        """
        packed = self.packing.apply(array)
        *lead, terms, lanes = packed.shape
        split = packed.reshape(*lead, terms // WORD, WORD, lanes)
        return np.ascontiguousarray(np.swapaxes(split, -1, -2))


def quads(found: Blocked, inputs: Sequence[Var]) -> Blocked:
    """A convolution of u8 by i8 over blocks, in words; any other definition as it is.

    Parameters
    ----------
    inputs : sequence of Var
        Of the definition before it came in blocks.
    """
    compute, reduction = found.compute, found.compute.reduction
    value = reduction.value if reduction else None
    if reduction is None or not isinstance(value, Binary) or value.op is not BinaryOp.MUL:
        return found
    x, w = Factor.of(value.a), Factor.of(value.b)
    if x is None or w is None or (x.load.type, w.load.type) != (u8, i8):
        return found
    before = inputs[compute.inputs.index(w.load.tensor)]
    packing = found.packings.get(before)
    lanes = compute.output.tensor.extents[-1]
    channel = reduction.axes[0]
    plain = x.zero is None and w.zero is None and w.tests is None
    split = isinstance(packing, Packing) and len(packing.dims) == 2 and lanes % WORD == 0
    if not plain or not split or channel not in variables(x.load.index[-1]):
        return found
    assert isinstance(packing, Packing)
    done = _words(compute, x, w)
    if done is None:
        return found
    return Blocked(done, {**found.packings, before: Quads(packing)})


def _words(compute: Compute, x: Factor, w: Factor) -> Compute | None:
    """The definition with words of both factors; None where channels are read in another way."""
    reduction, lanes = compute.reduction, compute.output.tensor.extents[-1]
    assert reduction is not None
    channel, size = reduction.axes[0], reduction.extents[0]
    blocks, four = build.floordiv(channel, lanes), Var(f"{channel.name}4", i32)
    high, low = build.floordiv(four, lanes // WORD), build.floormod(four, lanes // WORD)

    def index(old: tuple[Expr, ...]) -> list[Expr]:
        """All dimensions but the channels within a block."""
        return [rewrite(e, lambda n: high if _same(n, blocks) else None) for e in old]

    old, shape = w.load.tensor, w.load.tensor.tensor.extents
    weights = Var(old.name, TensorType(i8, (*shape[:-2], lanes // WORD, lanes, WORD)))
    at = (*index(x.load.index[:-1]), build.mul(low, WORD))
    left: Expr = build.load(x.load.tensor, at, lanes=WORD)
    at = (*index(w.load.index[:-2]), low, w.load.index[-1], build.const(0))
    right = build.load(weights, at, lanes=WORD)
    if any(channel in variables(e) for e in (left, right)):
        return None
    if x.tests is not None:
        left = build.select(x.tests, left, build.cast(build.const(0, u8), u8.vector(WORD)))
    whole = replace(
        reduction,
        axes=(four, *reduction.axes[1:]),
        extents=(-(-size // WORD), *reduction.extents[1:]),
        value=build.call("dot4", left, right, build.const(0)),
    )
    inputs = tuple(weights if v is old else v for v in compute.inputs)
    return replace(compute, inputs=inputs, reduction=whole)


def _same(node: Node, quotient: Expr) -> bool:
    """Whether a node is the same quotient of an axis."""
    return (
        isinstance(node, Binary)
        and isinstance(quotient, Binary)
        and node.op in (quotient.op, BinaryOp.TRUNCDIV)
        and node.a is quotient.a
        and getattr(node.b, "value", None) == getattr(quotient.b, "value", 0)
    )
