"""Rows of the registry for operators that look at where an element stands."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops import host
from workbench.graph.ops import index as ops
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.shape import gather, reshape
from workbench.graph.symbolic.array import integers
from workbench.ir import build
from workbench.ir.expr import BinaryOp
from workbench.ir.types import f32, i64
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
    from workbench.ir.expr import Expr
else:
    np = lazy("numpy")


def _gather(node: Node, b: Builder, x: Tensor, indices: Tensor) -> Tensor:
    axis = axis_of(node.number("axis", 0), x.rank)
    _check_known(b, x, indices, x.extents[axis])
    return gather(b, x, indices, axis)


def _check_known(b: Builder, x: Tensor, indices: Tensor, extent: int) -> None:
    """Hold indices known now against what they count; those from the call are drawn inside."""
    known = b.value(indices)
    if known is not None and ((known < -extent) | (known >= extent)).any():
        raise ModelError(f"indices up to {known.max()} into {extent} elements of {x}")
    if extent == 0 and indices.size:
        raise ModelError(f"cannot gather from {x}")


def _gather_elements(node: Node, b: Builder, x: Tensor, indices: Tensor) -> Tensor:
    axis = axis_of(node.number("axis", 0), x.rank)
    _check_beside(x, indices, axis)
    _check_known(b, x, indices, x.extents[axis])
    return ops.gather_elements(b, x, indices, axis)


def _check_beside(x: Tensor, indices: Tensor, axis: int) -> None:
    if indices.rank != x.rank:
        raise ModelError(f"{indices} does not have as many dimensions as {x}")
    pairs = zip(indices.extents, x.extents, strict=True)
    if any(i > e for d, (i, e) in enumerate(pairs) if d != axis):
        raise ModelError(f"{indices} reaches beyond {x}")


def _gather_nd(node: Node, b: Builder, x: Tensor, indices: Tensor) -> Tensor:
    batch = node.number("batch_dims", 0)
    _check_places(x, indices, batch)
    for n, extent in enumerate(x.extents[batch : batch + indices.extents[-1]]):
        known = b.value(indices)
        if known is not None:
            host.inside(known[..., n], extent)
        elif extent == 0 and indices.size:
            raise ModelError(f"cannot gather from {x}")
    return ops.gather_nd(b, x, indices, batch)


def _check_places(x: Tensor, indices: Tensor, batch: int) -> None:
    """Whether the last dimension of `indices` can hold places in `x`."""
    if not 0 <= batch < max(1, min(x.rank, indices.rank)) or indices.rank == 0:
        raise ModelError(f"{indices} does not index {x} with {batch} batch dimensions")
    depth = indices.extents[-1]
    if not 1 <= depth <= x.rank - batch or x.extents[:batch] != indices.extents[:batch]:
        raise ModelError(f"{indices} does not index {x} with {batch} batch dimensions")


def _scatter_elements(
    node: Node, b: Builder, x: Tensor, indices: Tensor, updates: Tensor
) -> Tensor:
    axis = axis_of(node.number("axis", 0), x.rank)
    _check_beside(x, indices, axis)
    if updates.extents != indices.extents:
        raise ModelError(f"{updates} does not have one element for each of {indices}")
    return ops.scatter(b, x, indices, updates, axis, _reduction(node))


def _scatter_nd(node: Node, b: Builder, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    _check_places(x, indices, 0)
    if updates.extents != (*indices.extents[:-1], *x.extents[indices.extents[-1] :]):
        raise ModelError(f"{updates} does not fit what {indices} takes of {x}")
    return ops.scatter(b, x, indices, updates, None, _reduction(node))


def _reduction(node: Node) -> str:
    name = node.text("reduction", "none")
    if name not in ("none", "add", "mul", "max", "min"):
        raise ModelError(f"{name!r} is no reduction; none, add, mul, max and min are")
    return name


def _tensor_scatter(
    node: Node, b: Builder, x: Tensor, update: Tensor, starts: Tensor | None = None
) -> Tensor:
    axis = axis_of(node.number("axis", -2), x.rank)
    mode = node.text("mode", "linear")
    rest = [d for d in range(x.rank) if d != axis]
    if axis == 0 or update.rank != x.rank or update.extents[axis] > x.extents[axis]:
        raise ModelError(f"{update} is no part of {x} along dimension {axis}")
    if any(x.extents[d] != update.extents[d] for d in rest):
        raise ModelError(f"{update} is no part of {x} along dimension {axis}")
    if mode not in ("linear", "circular") or (starts and starts.extents != x.extents[:1]):
        raise ModelError(f"writing {mode!r} from {starts} is not possible")
    return ops.write_sequence(b, x, update, starts, axis, mode == "circular")


def _reverse_sequence(node: Node, b: Builder, x: Tensor, lengths: Tensor) -> Tensor:
    time, batch = node.number("time_axis", 0), node.number("batch_axis", 1)
    if x.rank < 2 or sorted((time, batch)) != [0, 1] or lengths.extents != (x.extents[batch],):
        raise ModelError(f"ReverseSequence of {x} by {lengths} along {time}, batch {batch}")
    return ops.reverse_sequence(b, x, lengths, time, batch)


def _trilu(node: Node, b: Builder, x: Tensor, k: Tensor | None = None) -> Tensor:
    if x.rank < 2:
        raise ModelError(f"Trilu takes matrices, not {x}")
    offset = (node.ints(b, k, "k") or [0])[0]
    # a diagonal outside of the matrix is as good as the one just outside
    offset = max(-x.extents[-2], min(x.extents[-1], offset))
    return ops.band(b, x, offset, bool(node.number("upper", 1)))


def _eye_like(node: Node, b: Builder, x: Tensor) -> Tensor:
    if x.rank != 2:
        raise ModelError(f"EyeLike takes a matrix, not {x}")
    kind = dtype_of_elem(node.number("dtype"), node) if node.has("dtype") else x.dtype
    offset = max(-x.extents[0], min(x.extents[1], node.number("k", 0)))
    return ops.eye(b, x.extents, offset, kind)


def _one_hot(node: Node, b: Builder, indices: Tensor, depth: Tensor, values: Tensor) -> Tensor:
    known = node.known(b, depth, "depth")
    # of any number type
    count = -1 if known is None or known.size != 1 else integers(known.astype(np.int64))[0]
    axis = axis_of(node.number("axis", -1), indices.rank + 1)
    if count < 0 or values.extents != (2,):
        raise ModelError(f"a depth of {count} with the values {values} is not possible")
    return ops.one_hot(b, indices, count, values, axis)


def _top_k(node: Node, b: Builder, x: Tensor, count: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = axis_of(node.number("axis", -1), x.rank)
    k = node.number("k") if count is None else (node.ints(b, count, "K") or [0])[0]
    if not 0 <= k <= x.extents[axis]:
        raise ModelError(f"the {k} best of {x.extents[axis]} elements of {x}")
    shape = (*x.extents[:axis], k, *x.extents[axis + 1 :])
    function = partial(host.top_k, k=k, axis=axis, largest=bool(node.number("largest", 1)))
    kinds = [(x.dtype, shape), (i64, shape)]
    return b.host("top_k", function, [x], kinds, {"k": k, "axis": axis})


def _cumulate(reducer: Reducer, node: Node, b: Builder, x: Tensor, where: Tensor) -> Tensor:
    axes = node.ints(b, where, "axis") or []
    if len(axes) != 1:
        raise ModelError(f"{node.op} along one axis, not {axes}")
    axis = axis_of(axes[0], x.rank)
    exclusive, reverse = bool(node.number("exclusive", 0)), bool(node.number("reverse", 0))
    return ops.cumulate(b, x, axis, reducer, exclusive, reverse)


def _count_grams(node: Node, b: Builder, x: Tensor) -> Tensor:
    if node.attributes.get("pool_strings"):
        raise UnsupportedOp("texts are not supported", op=node.op)
    pool, starts = node.numbers("pool_int64s"), node.numbers("ngram_counts")
    places, mode = node.numbers("ngram_indexes"), node.text("mode")
    least, most = node.number("min_gram_length"), node.number("max_gram_length")
    grams: list[tuple[int, ...]] = []
    for length, (start, end) in enumerate(pairwise((*starts, len(pool))), 1):
        if not 0 <= start <= end <= len(pool) or (end - start) % length:
            raise ModelError(f"ngram_counts {starts} do not fit a pool of {len(pool)}")
        grams += [tuple(pool[n : n + length]) for n in range(start, end, length)]
    if len(grams) != len(places) or min(places, default=0) < 0 or x.rank not in (1, 2):
        raise ModelError(f"{len(places)} ngram_indexes for {len(grams)} runs, counted in {x}")
    weights = np.asarray(node.attributes.get("weights", [1.0] * len(places)), np.float32)
    if mode not in ("TF", "IDF", "TFIDF") or weights.shape != (len(places),):
        raise ModelError(f"the mode {mode!r} with weights of shape {list(weights.shape)}")
    width = max(places, default=-1) + 1
    if width > 2**24:
        raise ModelError(f"ngram_indexes up to {width - 1} are too large")
    chosen = [n for n, g in enumerate(grams) if least <= len(g) <= most]
    function = partial(
        host.count_grams,
        grams=tuple(grams[n] for n in chosen),
        places=tuple(places[n] for n in chosen),
        most=max((len(grams[n]) for n in chosen), default=0),
        skips=node.number("max_skip_count"),
        width=width,
    )
    rows = reshape(b, x, (1, x.size)) if x.rank == 1 else x
    (count,) = b.host("count_grams", function, [rows], [(f32, (rows.extents[0], width))])
    table = np.zeros(width, np.float32)
    table[places] = weights
    if mode == "IDF":
        count = elementwise(b, "idf", _present, count, b.constant(table))
    elif mode == "TFIDF":
        count = elementwise(b, "mul", build.mul, count, b.constant(table))
    return reshape(b, count, (*x.extents[:-1], width))


def _present(count: Expr, weight: Expr) -> Expr:
    return build.select(build.binary(BinaryOp.GT, count, 0.0), weight, build.const(0.0))


ROWS = (
    Row("Gather", 1, _gather),
    Row("GatherElements", 11, _gather_elements),
    Row("GatherND", 11, _gather_nd),
    Row("Scatter", 9, _scatter_elements, last=10),
    Row("ScatterElements", 11, _scatter_elements),
    Row("ScatterND", 11, _scatter_nd),
    Row("TensorScatter", 24, _tensor_scatter),
    Row("ReverseSequence", 10, _reverse_sequence),
    Row("Trilu", 14, _trilu),
    Row("EyeLike", 9, _eye_like),
    Row("OneHot", 9, _one_hot),
    Row("TopK", 1, _top_k),
    Row("TfIdfVectorizer", 9, _count_grams),
    Row("CumSum", 11, partial(_cumulate, Reducer.SUM)),
    Row("CumProd", 26, partial(_cumulate, Reducer.PROD)),
)
