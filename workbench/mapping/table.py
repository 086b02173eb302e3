"""A mapping as an array [workers, tasks, rank], straight from the definition of composition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import MappingError
from workbench.base.lazy import lazy
from workbench.mapping.check import ENTRY_LIMIT, counted
from workbench.mapping.factor import (
    Factor,
    Factors,
    Predicated,
    Primitive,
    Projection,
    UserFunction,
    most_tasks,
    shape_of,
    text_of,
    workers_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy("numpy")

ABSENT = -1
"""Stands in every coordinate where a worker has no further task."""


def table_of(
    factors: Factors, workers: NDArray[np.int64] | None = None
) -> NDArray[np.signedinteger]:
    """The tasks of every worker, or of the given ones.

    Parameters
    ----------
    factors : tuple of Factor
        The mapping.
    workers : ndarray of int64, shape [n], optional
        Which workers; all when absent.

    Returns
    -------
    ndarray, shape [n, tasks, rank]
        int32, or int64 when an extent does not fit. Workers with fewer tasks than others have
        ``-1`` at the end.

    Raises
    ------
    MappingError
        The table would have more than ``ENTRY_LIMIT`` numbers.
    """
    shape = shape_of(factors)
    count = workers_of(factors) if workers is None else len(workers)
    check_entries(factors, count)
    dtype = np.int32 if max(shape) < 2**30 else np.int64
    if workers is None:
        workers = np.arange(count, dtype=np.int64)
    rows = _full(_compose(factors, workers, dtype), count)
    if not any(map(_ragged, factors)):
        return rows
    absent = rows[:, :, 0] == ABSENT
    order = np.argsort(absent, axis=1, kind="stable")
    rows = np.take_along_axis(rows, order[:, :, None], axis=1)
    return rows[:, : int((~absent).sum(axis=1).max(initial=0))]


def check_entries(factors: Factors, workers: int, limit: int = ENTRY_LIMIT) -> None:
    """Raise when the table or list of so many workers would be too large.

    Raises
    ------
    MappingError
        More numbers than `limit`.
    """
    tasks, rank = most_tasks(factors), len(factors[0].shape)
    if workers * tasks * rank > limit:
        raise MappingError(
            f"{text_of(factors)}: {counted(workers, 'worker')} × {counted(tasks, 'task')} × "
            f"{counted(rank, 'dim')} are {workers * tasks * rank} numbers, more than the "
            f"{limit} that are enumerated at once",
            hint="nest() describes the mapping without enumerating it",
        )


def _ragged(factor: Factor) -> bool:
    match factor:
        case Primitive():
            return False
        case Projection():
            return any(map(_ragged, factor.factors))
        case Predicated():
            return True
        case UserFunction():
            return len(set(map(len, factor.tasks))) > 1


def _compose(
    factors: Factors, workers: NDArray[np.int64], dtype: type[np.signedinteger]
) -> NDArray[np.signedinteger]:
    """Rows of the product; one row alone stands for every worker."""
    inner = workers_of(factors)
    rows: NDArray[np.signedinteger] | None = None
    for factor in factors:
        inner //= factor.workers
        own = _rows(factor, workers // inner % factor.workers, dtype)
        rows = own if rows is None else _product(rows, own, factor.shape)
    assert rows is not None
    return rows


def _product(
    outer: NDArray[np.signedinteger], inner: NDArray[np.signedinteger], shape: tuple[int, ...]
) -> NDArray[np.signedinteger]:
    """[n, a, rank] and [n, b, rank] give [n, a*b, rank]; the tasks of `inner` run faster."""
    scaled = outer * np.array(shape, dtype=outer.dtype)
    rows = scaled[:, :, None, :] + inner[:, None, :, :]
    no_outer, no_inner = outer[:, :, None, :1] == ABSENT, inner[:, None, :, :1] == ABSENT
    if no_outer.any() or no_inner.any():
        np.copyto(rows, ABSENT, where=no_outer | no_inner)
    return rows.reshape(len(rows), outer.shape[1] * inner.shape[1], len(shape))


def _full(rows: NDArray[np.signedinteger], workers: int) -> NDArray[np.signedinteger]:
    return rows if len(rows) == workers else np.repeat(rows, workers, axis=0)


def _rows(
    factor: Factor, workers: NDArray[np.int64], dtype: type[np.signedinteger]
) -> NDArray[np.signedinteger]:
    """Rows of one factor; `workers` are its own, from 0."""
    match factor:
        case Primitive():
            return _primitive(factor, workers, dtype)
        case Projection():
            rows = _compose(factor.factors, workers, dtype)
            absent = rows[:, :, :1] == ABSENT
            rows[:, :, list(factor.dims)] = np.where(absent, ABSENT, 0)
            return rows
        case Predicated():
            rows = _compose((factor.steps, factor.busy), workers % factor.busy.workers, dtype)
            rows = _full(rows, len(workers))
            outside = (rows >= np.array(factor.shape, dtype=dtype)).any(axis=2)
            outside |= (workers >= factor.busy.workers)[:, None]
            rows[outside] = ABSENT
            return rows
        case UserFunction():
            return _given(factor, dtype)[workers]


def _primitive(
    factor: Primitive, workers: NDArray[np.int64], dtype: type[np.signedinteger]
) -> NDArray[np.signedinteger]:
    """The number of the task (`repeat`) or of the worker (`spatial`), written in mixed radix."""
    count = most_tasks((factor,))
    number = workers[:, None] if factor.kind == "spatial" else np.arange(count)[None, :]
    rows = np.empty((*number.shape, len(factor.shape)), dtype=dtype)
    for dim in reversed(factor.order):
        rows[:, :, dim] = number % factor.shape[dim]
        number = number // factor.shape[dim]
    return rows


def _given(factor: UserFunction, dtype: type[np.signedinteger]) -> NDArray[np.signedinteger]:
    rows = np.full((factor.workers, most_tasks((factor,)), len(factor.shape)), ABSENT, dtype=dtype)
    for worker, tasks in enumerate(factor.tasks):
        if tasks:
            rows[worker, : len(tasks)] = tasks
    return rows
