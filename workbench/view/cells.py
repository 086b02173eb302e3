"""Who does which cell: the part of a mapping that a picture can show, computed from its nest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.view.nest import WORKER, NestView, TermView

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy("numpy")

COUNT_LIMIT = 2**21
"""Most tasks that are enumerated for a picture or a count."""

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks of some workers.

    Attributes
    ----------
    place : ndarray of int64, shape [workers, steps, rank]
        Coordinates; without meaning where not `done`.
    done : ndarray of bool, shape [workers, steps]
        Whether the guards let the task pass.
    """

    place: NDArray[np.int64]
    done: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Slice:
    """A window of a two-dimensional slice of the domain.

    Attributes
    ----------
    at : tuple of int
        Coordinates of the leading dims.
    owner, order : ndarray of int64, shape [rows, columns]
        The first worker that does the cell, ``NOBODY`` where none does; and which of its tasks.
    times : ndarray of int64, shape [rows, columns]
        How often the cell is done.
    """

    at: tuple[int, ...]
    owner: NDArray[np.int64]
    order: NDArray[np.int64]
    times: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """What of a mapping is shown, and in words what is not.

    Attributes
    ----------
    left_out : tuple of str
        One sentence for each limit that was met.
    """

    slices: tuple[Slice, ...]
    left_out: tuple[str, ...]


def evaluate(nest: NestView, workers: NDArray[np.int64]) -> Tasks:
    """All tasks of these workers, in order."""
    worker = workers[:, None]
    loops: list[NDArray[np.int64]] = []
    inner = nest.steps
    step = np.arange(inner, dtype=np.int64)[None, :]
    for loop in nest.loops:
        inner //= loop.extent
        loops.append(step // inner % loop.extent)
    whole = (len(workers), nest.steps)
    place = np.empty((*whole, len(nest.index)), np.int64)
    for dim, terms in enumerate(nest.index):
        place[:, :, dim] = _total(terms, worker, loops)
    done = np.ones(whole, np.bool_)
    for guard in nest.guards:
        done &= _total(guard.terms, worker, loops) < _total(guard.bound, worker, loops)
    return Tasks(place, done)


def window(
    nest: NestView, shape: tuple[int, ...], workers: int, most: tuple[int, int, int]
) -> Window:
    """The slices that fit.

    Parameters
    ----------
    nest : NestView
        Of the mapping.
    shape : tuple of int
        Extents of the domain.
    workers : int
        Number of workers.
    most : (slices, rows, columns)
        How much there is room for.
    """
    rows, columns = grid_of(shape)
    many, high, wide = min(prod(shape[:-2]), most[0]), min(rows, most[1]), min(columns, most[2])
    left_out: list[str] = []
    if many < prod(shape[:-2]):
        left_out.append(f"the first {many} of {prod(shape[:-2])} slices")
    if (high, wide) != (rows, columns):
        left_out.append(f"the first {high} × {wide} of {rows} × {columns} cells")
    drawn = min(workers, max(1, COUNT_LIMIT // nest.steps))
    if nest.steps > COUNT_LIMIT:
        return Window((), (f"one worker alone has up to {nest.steps} tasks",))
    if drawn < workers:
        left_out.append(f"the first {drawn} of {workers} workers")
    tasks = evaluate(nest, np.arange(drawn, dtype=np.int64))
    return Window(_slices(tasks, shape, (many, high, wide)), tuple(left_out))


def grid_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of one slice; a domain of one dim is one row."""
    rows, columns = (1, *shape)[-2:]
    return rows, columns


def _slices(tasks: Tasks, shape: tuple[int, ...], size: tuple[int, int, int]) -> tuple[Slice, ...]:
    many, high, wide = size
    place = tasks.place
    if len(shape) == 1:
        place = np.concatenate([np.zeros_like(place), place], axis=2)
    lead = np.zeros(place.shape[:2], np.int64)
    for dim, extent in enumerate(shape[:-2]):
        lead = lead * extent + place[:, :, dim]
    row, column = place[:, :, -2], place[:, :, -1]
    seen = tasks.done & (lead < many) & (row < high) & (column < wide)
    cell = ((lead * high + row) * wide + column)[seen]
    worker = np.broadcast_to(np.arange(len(place), dtype=np.int64)[:, None], seen.shape)[seen]
    order = (np.cumsum(tasks.done, axis=1, dtype=np.int64) - 1)[seen]
    owner_at, order_at = np.full(many * high * wide, NOBODY), np.full(many * high * wide, NOBODY)
    # Written backwards, so that the first to do a cell is the one that stays.
    owner_at[cell[::-1]], order_at[cell[::-1]] = worker[::-1], order[::-1]
    times = np.bincount(cell, minlength=many * high * wide)
    parts = [part.reshape(many, high, wide) for part in (owner_at, order_at, times)]
    leads = islice(product(*(range(extent) for extent in shape[:-2])), many)
    return tuple(
        Slice(at, owner, order_of, count)
        for at, owner, order_of, count in zip(leads, *parts, strict=True)
    )


def _total(
    terms: tuple[TermView, ...], worker: NDArray[np.int64], loops: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    total = np.zeros((1, 1), np.int64)
    for term in terms:
        total = total + _value(term, worker, loops)
    return total


def _value(
    term: TermView, worker: NDArray[np.int64], loops: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    if term.constant:
        return np.full((1, 1), term.coef, np.int64)
    if term.table:
        return term.coef * np.asarray(term.table, np.int64)[_total(term.position, worker, loops)]
    source = worker if term.source == WORKER else loops[term.source]
    digit = source // term.div
    return term.coef * (digit if term.mod is None else digit % term.mod)
