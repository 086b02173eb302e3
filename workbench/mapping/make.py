"""Factors from what a person wrote, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from operator import index
from typing import TYPE_CHECKING

from workbench.base.errors import MappingError
from workbench.mapping.check import (
    FUNCTION_LIMIT,
    check_attrs,
    check_ranks,
    check_shape,
    check_workers,
    counted,
)
from workbench.mapping.factor import Attr, Kind, Primitive, UserFunction, commas

if TYPE_CHECKING:
    from collections.abc import Callable

Attrs = Attr | Sequence[Attr]
Task = tuple[int, ...]


def primitive(
    kind: Kind,
    shape: Sequence[int],
    ranks: Sequence[int] | None = None,
    attrs: Attrs = None,
    column: bool = False,
) -> Primitive:
    """A `repeat` or `spatial`, in column-major order if `column`.

    Raises
    ------
    MappingError
        Extents, ranks or attributes that cannot be.
    """
    call = f"{'column_' * column}{kind}({commas(map(repr, shape))})"
    good = check_shape(call, shape)
    places = check_ranks(call, len(good), ranks)
    places = places[::-1] if column else places
    return Primitive(kind, good, places, check_attrs(call, len(good), attrs))


def user_function(
    shape: Sequence[int], workers: int, function: Callable[[int], Iterable[Task]]
) -> UserFunction:
    """A factor from a function, which is called once for every worker.

    Raises
    ------
    MappingError
        A task that is no tuple of ints, has another rank or lies outside the domain; more than
        ``FUNCTION_LIMIT`` numbers; a function that cannot be called.
    """
    name = getattr(function, "__name__", type(function).__name__)
    call = f"TaskMapping({shape!r}, {workers!r}, {name})"
    extents = check_shape(call, tuple(shape) if isinstance(shape, Sequence) else (shape,))
    count = check_workers(call, workers)
    if not callable(function):
        raise MappingError(
            f"{call}: {function!r} cannot be called", hint="give a function of the worker"
        )
    if count > FUNCTION_LIMIT:
        raise MappingError(
            f"{call}: {count} workers are more than a function is called for ({FUNCTION_LIMIT})",
            hint="write large mappings as a composition of repeat and spatial",
        )
    room = FUNCTION_LIMIT // len(extents)
    lists: list[tuple[Task, ...]] = []
    for worker in range(count):
        tasks = _tasks(call, extents, function, worker, room)
        room -= len(tasks)
        lists.append(tasks)
    return UserFunction(extents, count, function, tuple(lists))


def _tasks(
    call: str,
    shape: tuple[int, ...],
    function: Callable[[int], Iterable[Task]],
    worker: int,
    room: int,
) -> tuple[Task, ...]:
    try:
        given: object = function(worker)
        if not isinstance(given, Iterable):
            raise MappingError(
                f"{call}: worker {worker} gave {given!r}, which is no list of tasks",
                hint="return a list of tuples, or yield them",
            )
        tasks = list(islice(given, max(0, room) + 1))
    except MappingError:
        raise
    except Exception as error:
        error.add_note(f"while {call} gave the tasks of worker {worker}")
        raise
    if len(tasks) > room:
        raise MappingError(
            f"{call}: by worker {worker} there are more than {FUNCTION_LIMIT} numbers in its tasks",
            hint="a mapping given by a function is kept as a table; write large ones as a "
            "composition of repeat and spatial",
        )
    if _plain(tasks, shape):
        return tuple(tasks)
    return tuple(_task(call, shape, worker, task) for task in tasks)


def _plain(tasks: list[Task], shape: tuple[int, ...]) -> bool:
    """Whether all are tuples of ints inside the domain: the quick answer to the usual case."""
    if set(map(type, tasks)) != {tuple} or set(map(len, tasks)) != {len(shape)}:
        return False
    return all(
        set(map(type, column)) == {int} and min(column) >= 0 and max(column) < extent
        for column, extent in zip(zip(*tasks, strict=True), shape, strict=True)
    )


def _task(call: str, shape: tuple[int, ...], worker: int, task: object) -> Task:
    """One task that the function gave, as a tuple of ints inside the domain."""
    if not isinstance(task, Sequence) or isinstance(task, str):
        raise MappingError(
            f"{call}: worker {worker} gave {task!r}, which is no tuple of coordinates",
            hint="a function gives tuples, one coordinate per dim, also for one dim: (i,)",
        )
    if len(task) != len(shape):
        raise MappingError(
            f"{call}: worker {worker} gave {tuple(task)!r}, which has "
            f"{counted(len(task), 'coordinate')} where the domain {shape} has {len(shape)}"
        )
    if any(isinstance(x, bool) or not hasattr(x, "__index__") for x in task):
        raise MappingError(
            f"{call}: worker {worker} gave {tuple(task)!r}, whose coordinates are not all ints"
        )
    place = tuple(map(index, task))
    if not all(0 <= x < extent for x, extent in zip(place, shape, strict=True)):
        raise MappingError(f"{call}: worker {worker} gave {place}, outside the domain {shape}")
    return place
