"""Mappings that are found from a domain and a number of workers."""

from __future__ import annotations

from math import gcd, prod
from typing import TYPE_CHECKING

from workbench.base.errors import MappingError
from workbench.mapping.check import check_ranks, check_shape, check_workers
from workbench.mapping.factor import Kind, Predicated, Primitive, commas
from workbench.mapping.task import TaskMapping

if TYPE_CHECKING:
    from collections.abc import Sequence


def auto_map(*shape: int, workers: int, ranks: Sequence[int] | None = None) -> TaskMapping:
    """Give the tasks of a domain to all workers alike: `repeat` of the rest, times `spatial`.

    From the fastest rank to the slowest, each dim is spread over as many of the workers that
    remain as divide its extent.

    Parameters
    ----------
    *shape : int
        Extents of the domain.
    workers : int
        Number of workers.
    ranks : sequence of int, optional
        ``ranks[dim]`` is the place of the dim, from slowest (0) to fastest.

    Raises
    ------
    MappingError
        The number of tasks is no multiple of the number of workers.

    Examples
    --------
    >>> auto_map(8, 96, workers=64)
    repeat(4, 3) * spatial(2, 32)
    """
    call = _call("auto_map", shape, workers)
    extents = check_shape(call, shape)
    count, places = check_workers(call, workers), check_ranks(call, len(extents), ranks)
    tasks = prod(extents)
    if tasks % count:
        fit = max(n for n in range(1, min(count, tasks) + 1) if tasks % n == 0)
        raise MappingError(
            f"{call}: {tasks} tasks are no multiple of {count} workers",
            hint=f"{fit} workers divide them; predicated_auto_map takes any number",
        )
    spread = _spread_exactly(extents, count, places)
    steps = tuple(d // s for d, s in zip(extents, spread, strict=True))
    return TaskMapping.of((_grid("repeat", steps, places), _grid("spatial", spread, places)))


def predicated_auto_map(
    *shape: int, workers: int, ranks: Sequence[int] | None = None
) -> TaskMapping:
    """Give the tasks of a domain of any extent to any number of workers, with predicates.

    Where the tasks are a multiple of the workers, this is :func:`auto_map`'s mapping. Otherwise,
    from the fastest rank to the slowest, each dim is spread over as many of the remaining workers
    as it has tasks; what lies past an extent is left out, and workers that are left over are idle.

    Parameters
    ----------
    *shape : int
        Extents of the domain.
    workers : int
        Number of workers.
    ranks : sequence of int, optional
        ``ranks[dim]`` is the place of the dim, from slowest (0) to fastest.

    Raises
    ------
    MappingError
        Extents, workers or ranks that cannot be.

    Examples
    --------
    >>> mapping = predicated_auto_map(100, workers=64)
    >>> mapping(35), mapping(36)
    ([(35,), (99,)], [(36,)])
    """
    call = _call("predicated_auto_map", shape, workers)
    extents = check_shape(call, shape)
    count, places = check_workers(call, workers), check_ranks(call, len(extents), ranks)
    exact = prod(extents) % count == 0
    spread = (_spread_exactly if exact else _spread_widely)(extents, count, places)
    steps = tuple(-(-d // s) for d, s in zip(extents, spread, strict=True))
    busy = _grid("spatial", spread, places)
    return TaskMapping.of(
        (Predicated(extents, count, places, _grid("repeat", steps, places), busy),)
    )


def _call(name: str, shape: tuple[int, ...], workers: int) -> str:
    return f"{name}({commas((*map(repr, shape), f'workers={workers!r}'))})"


def _grid(kind: Kind, shape: tuple[int, ...], ranks: tuple[int, ...]) -> Primitive:
    return Primitive(kind, shape, ranks, (None,) * len(shape))


def _spread_exactly(
    shape: tuple[int, ...], workers: int, ranks: tuple[int, ...]
) -> tuple[int, ...]:
    """Workers per dim, by greatest common divisors; uses all workers when they divide the tasks."""
    spread = [1] * len(shape)
    for dim in sorted(range(len(shape)), key=ranks.__getitem__, reverse=True):
        spread[dim] = gcd(workers, shape[dim])
        workers //= spread[dim]
    return tuple(spread)


def _spread_widely(shape: tuple[int, ...], workers: int, ranks: tuple[int, ...]) -> tuple[int, ...]:
    """Workers per dim, as many as there are tasks."""
    spread = [1] * len(shape)
    for dim in sorted(range(len(shape)), key=ranks.__getitem__, reverse=True):
        spread[dim] = min(workers, shape[dim])
        workers //= spread[dim]
    return tuple(spread)
