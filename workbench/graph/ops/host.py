"""What is done between kernels by numpy: sorting, and writing where data say.

Plain functions from arrays to a tuple of arrays, to be called through `Builder.host` where the
shapes of the outputs are known and through `Builder.data` where they depend on the data.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from workbench.base.errors import LaunchError
from workbench.base.lazy import lazy

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

Arrays = tuple["Array", ...]
_SORTED_WHOLE = 512
"""Rows up to this length are sorted as they are when only their best elements are asked for."""


def top_k(x: Array, *, k: int, axis: int, largest: bool) -> Arrays:
    """The `k` best elements along `axis`, the best first, and their places (i64).

    Of equals the one that stands first comes first; NaN counts as greatest.

    Examples
    --------
    >>> import numpy
    >>> [a.tolist() for a in top_k(numpy.array([3, 1, 3, 2]), k=2, axis=0, largest=True)]
    [[3, 3], [0, 2]]
    """
    rows = np.moveaxis(x, axis, -1)
    shape, n = rows.shape[:-1], rows.shape[-1]
    flat = np.ascontiguousarray(rows).reshape(prod(shape), n)
    if k == 0 or n <= _SORTED_WHOLE or flat.shape[0] > n or _has_nan(flat):
        places = _order(flat, largest)[:, :k]
    else:
        places = np.stack([_best(row, k, largest) for row in flat])
    values = np.take_along_axis(flat, places, 1)
    return tuple(
        np.ascontiguousarray(np.moveaxis(a.reshape(*shape, k), -1, axis))
        for a in (values, places.astype(np.int64))
    )


def _has_nan(x: Array) -> bool:
    return x.dtype.kind == "f" and bool(np.isnan(x).any())


def _order(x: Array, largest: bool) -> Array:
    """Places along the last axis in order; of equals the first one first."""
    if not largest:
        return np.argsort(x, axis=-1, kind="stable")
    # a stable sort of the mirror image, read backwards
    return x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]


def _best(row: Array, k: int, largest: bool) -> Array:
    """Places of the `k` best of one row: only what can be among them is sorted."""
    n = row.shape[0]
    if largest:
        found = np.flatnonzero(row >= np.partition(row, n - k)[n - k])
    else:
        found = np.flatnonzero(row <= np.partition(row, k - 1)[k - 1])
    return found[_order(row[found], largest)[:k]]


def scatter(
    x: Array, indices: Array, updates: Array, *, axis: int | None, reduction: str
) -> Arrays:
    """`x` with `updates` written, or put together with what is there, where `indices` say.

    Parameters
    ----------
    axis : int or None
        The dimension the indices count in (ScatterElements); None when their last dimension
        holds whole places (ScatterND).
    reduction : str
        ``none``, ``add``, ``mul``, ``max`` or ``min``; for none, of several the last counts.

    Raises
    ------
    LaunchError
        For an index outside.
    """
    where = places(indices, x.shape, axis)
    out = x.copy()
    if reduction == "none":
        out[where] = updates
    else:
        functions = {"add": "add", "mul": "multiply", "max": "maximum", "min": "minimum"}
        getattr(np, functions[reduction]).at(out, where, updates)
    return (out,)


def places(indices: Array, shape: tuple[int, ...], axis: int | None) -> Arrays:
    """One array of indices per dimension, none of them negative; see `scatter`."""
    if axis is None:
        found = tuple(np.moveaxis(indices, -1, 0))
        return tuple(inside(a, shape[d]) for d, a in enumerate(found))
    grid = list(np.indices(indices.shape, sparse=True))
    grid[axis] = inside(indices, shape[axis])
    return tuple(np.broadcast_arrays(*grid))


def inside(indices: Array, extent: int) -> Array:
    """Indices counted from the front.

    Raises
    ------
    LaunchError
        For one outside.
    """
    wrong = (indices < -extent) | (indices >= extent)
    if wrong.any():
        raise LaunchError(f"index {indices[wrong][0]} is not among {extent} elements")
    return np.where(indices < 0, indices + extent, indices)


def among(x: Array, numbers: Array) -> Arrays:
    """`x` as it is.

    Raises
    ------
    LaunchError
        When it holds something that is not among `numbers`.
    """
    wrong = ~np.isin(x, numbers)
    if wrong.any():
        raise LaunchError(f"{x[wrong].flat[0]} is not among {len(numbers)} categories")
    return (x,)


def flat(rows: Array, shape: tuple[int, ...]) -> Array:
    """Row-major positions in `shape` of the places that the rows of a matrix hold."""
    if rows.ndim != 2 or rows.shape[1] != len(shape):
        raise LaunchError(f"indices of shape {list(rows.shape)} for a tensor of {list(shape)}")
    found = np.zeros(rows.shape[0], np.int64)
    for d, extent in enumerate(shape):
        found = found * extent + inside(rows[:, d], extent)
    return found


def cumulate(x: Array, *, axis: int, function: str, exclusive: bool, reverse: bool) -> Arrays:
    """Running sums (``add``) or products (``multiply``) along `axis`, in the type of `x`."""
    ufunc = getattr(np, function)
    flipped = np.flip(x, axis) if reverse else x
    out = ufunc.accumulate(flipped, axis=axis, dtype=x.dtype)
    if exclusive:
        moved = np.full_like(out, ufunc.identity)
        last = [slice(None)] * x.ndim
        first = last.copy()
        first[axis], last[axis] = slice(1, None), slice(None, -1)
        moved[tuple(first)] = out[tuple(last)]
        out = moved
    return (np.ascontiguousarray(np.flip(out, axis) if reverse else out),)


def bit_cast(x: Array, *, to: str) -> Arrays:
    """The same bits as another number type of the same width, called as numpy calls it."""
    return (np.ascontiguousarray(x).view(to).reshape(x.shape),)


def nonzero(x: Array) -> Arrays:
    """Where elements are not zero: i64[rank, count], row-major."""
    return (np.ascontiguousarray(np.argwhere(x).T.astype(np.int64)),)


def compress(x: Array, keep: Array, *, axis: int | None) -> Arrays:
    """The slices along `axis` (elements of the flat tensor for None) that are to be kept."""
    extent = x.size if axis is None else x.shape[axis]
    where = np.flatnonzero(keep)
    return (np.take(x, inside(where, extent), axis=axis),)


def unique(x: Array, *, axis: int | None, ordered: bool) -> Arrays:
    """Each element, or slice along `axis`, once; where it first stood, which one each is, and
    how often it came (i64 all three). In order of size, or of coming.
    """
    values, first, which, count = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    which = which.reshape(-1)
    if not ordered:
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        values = np.take(values, order, axis=axis)
        first, which, count = first[order], rank[which], count[order]
    return np.ascontiguousarray(values), *(a.astype(np.int64) for a in (first, which, count))


def non_max_suppression(
    boxes: Array, scores: Array, *, most: int, overlap: float, least: float | None, center: bool
) -> Arrays:
    """The best boxes of each class that overlap no better one by more than `overlap`.

    Parameters
    ----------
    boxes : float[batch, n, 4]
        Two opposite corners (y, x, y, x); with `center` middle and size (x, y, w, h).
    scores : float[batch, classes, n]
        Those at most `least` do not count.
    most : int
        Boxes kept of each class of each batch.

    Returns
    -------
    tuple of numpy.ndarray
        One i64[kept, 3]: batch, class, box; within a class the best first.
    """
    found: list[tuple[int, int, int]] = []
    for n, (own, classes) in enumerate(zip(boxes, scores, strict=True)):
        sides = _sides(own, center)
        for c, row in enumerate(classes):
            rest = _order(row, True)
            rest = rest if least is None else rest[row[rest] > least]
            found += ((n, c, box) for box in _far_apart(sides, rest, most, overlap))
    return (np.asarray(found, np.int64).reshape(-1, 3),)


_AT_ONCE = 32
"""Boxes that are held against all others in one go."""


def _far_apart(sides: Array, rest: Array, most: int, overlap: float) -> list[int]:
    """Those boxes of `rest`, the best first, that overlap no earlier one by more than `overlap`."""
    kept: list[int] = []
    while rest.size and len(kept) < most:
        first, rest = rest[:_AT_ONCE], rest[_AT_ONCE:]
        near = _overlaps(sides[:, first], sides[:, first]) > overlap
        free = np.ones(first.size, bool)
        chosen: list[int] = []
        for k in range(first.size):
            if free[k]:
                chosen.append(k)
                free &= ~near[k]
        best = first[chosen[: most - len(kept)]]
        kept += best.tolist()
        rest = rest[~(_overlaps(sides[:, best], sides[:, rest]) > overlap).any(axis=0)]
    return kept


def _sides(boxes: Array, center: bool) -> Array:
    """The lower corners, upper corners and areas of boxes [n, 4]: [5, n]."""
    one, other = boxes[:, :2], boxes[:, 2:]
    if center:
        low, high = one - other / 2, one + other / 2
    else:
        low, high = np.minimum(one, other), np.maximum(one, other)
    return np.ascontiguousarray(np.stack([*low.T, *high.T, (high - low).prod(axis=1)]))


def _overlaps(some: Array, others: Array) -> Array:
    """Intersection over union of boxes [5, n] and others [5, m], 0 for boxes of no area: [n, m]."""
    one = some[:, :, None]
    both = np.ones((), some.dtype)
    for d in range(2):
        side = np.minimum(one[2 + d], others[2 + d])
        side -= np.maximum(one[d], others[d])
        both = both * np.maximum(side, 0, out=side)
    whole = one[4] + others[4] - both
    return np.divide(both, whole, out=np.zeros_like(whole), where=whole > 0)


def unpool(x: Array, indices: Array, *, shape: tuple[int, ...], whole: tuple[int, ...]) -> Arrays:
    """Zeros of shape `whole`, with `x` at the flat positions that count in `shape`.

    Raises
    ------
    LaunchError
        For a position outside.
    """
    out = np.zeros(whole, x.dtype)
    count = int(np.prod(shape))
    if indices.size and not (indices.min() >= 0 and indices.max() < count):
        raise LaunchError(f"MaxUnpool: an index lies outside of the {count} elements")
    out[np.unravel_index(indices.reshape(-1), shape)] = x.reshape(-1)
    return (out,)


def determinant(x: Array) -> Arrays:
    """Determinants of the matrices in the last two dimensions."""
    wide = x.astype(np.float64) if x.dtype != np.float32 else x
    return (np.asarray(np.linalg.det(wide)).astype(x.dtype),)


def count_grams(
    x: Array,
    *,
    grams: tuple[tuple[int, ...], ...],
    places: tuple[int, ...],
    most: int,
    skips: int,
    width: int,
) -> Arrays:
    """How often each row of `x` [rows, n] holds each of the `grams`: f32[rows, width].

    Parameters
    ----------
    grams : tuple of tuple of int
        Runs of numbers, of at most `most`.
    places : tuple of int
        Where in the output each of them is counted.
    skips : int
        Numbers that may lie between two neighbours of a run, as many everywhere in it.
    """
    out = np.zeros((x.shape[0], width), np.float32)
    table = dict(zip(grams, places, strict=True))
    for row, counts in zip(x.tolist(), out, strict=True):
        for length in range(1, most + 1):
            # single numbers have nothing between them
            for step in range(1, (skips if length > 1 else 0) + 2):
                for start in range(len(row) - step * (length - 1)):
                    place = table.get(tuple(row[start : start + step * length : step]))
                    if place is not None:
                        counts[place] += 1
    return (out,)


def coupled(likely: Array, *, classes: int) -> Arrays:
    """Shares of classes [n, classes] from how likely one of each pair beats the other [n, pairs].

    Pairs are in the order of `itertools.combinations`. It stops where LIBSVM does, so that its
    models give what they gave when they were made.

    Source: Wu, Lin, Weng, "Probability Estimates for Multi-class Classification by Pairwise
    Coupling", JMLR 5 (2004), algorithm 2.
    """
    first, second = np.triu_indices(classes, 1)
    rate = np.zeros((len(likely), classes, classes), np.float64)
    rate[:, first, second], rate[:, second, first] = likely, 1 - likely
    # q[t, t] = sum over j of rate[j, t]², q[t, j] = -rate[j, t] rate[t, j]
    q = -rate * rate.transpose(0, 2, 1)
    each = np.arange(classes)
    q[:, each, each] = (rate**2).sum(axis=1)
    share = np.full((len(likely), classes), 1 / classes)
    open_ = np.ones(len(likely), bool)
    for _ in range(max(100, classes)):
        part = np.einsum("ntj,nj->nt", q, share)
        total = (share * part).sum(axis=1)
        open_ &= np.abs(part - total[:, None]).max(axis=1) >= 0.005 / classes
        if not open_.any():
            break
        new = share.copy()
        for t in range(classes):
            step = (total - part[:, t]) / q[:, t, t]
            new[:, t] += step
            scale = 1 + step
            # the total of all shares stays 1, and what follows from it is kept along
            part = (part + step[:, None] * q[:, t]) / scale[:, None]
            new /= scale[:, None]
            total = (new * part).sum(axis=1)
        share = np.where(open_[:, None], new, share)
    return (share.astype(np.float32),)
