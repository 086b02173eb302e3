"""The tasks of one worker, straight from the definition, without arrays."""

from __future__ import annotations

from itertools import product

from workbench.mapping.factor import (
    Factor,
    Factors,
    Predicated,
    Primitive,
    Projection,
    UserFunction,
    shape_of,
    workers_of,
)

Task = tuple[int, ...]


def tasks_of(factors: Factors, worker: int) -> list[Task]:
    """The definition, word for word: outer task times inner shape, plus inner task."""
    head, *tail = factors
    if not tail:
        return _own_tasks(head, worker)
    inner = tuple(tail)
    scale, count = shape_of(inner), workers_of(inner)
    within = tasks_of(inner, worker % count)
    return [
        tuple(a * s + b for a, s, b in zip(outer, scale, task, strict=True))
        for outer in _own_tasks(head, worker // count)
        for task in within
    ]


def _own_tasks(factor: Factor, worker: int) -> list[Task]:
    match factor:
        case Primitive():
            if factor.kind == "repeat":
                return _grid(factor)
            return [_split(factor, worker)]
        case Projection():
            return [
                tuple(0 if dim in factor.dims else t for dim, t in enumerate(task))
                for task in tasks_of(factor.factors, worker)
            ]
        case Predicated():
            if worker >= factor.busy.workers:
                return []
            tasks = tasks_of((factor.steps, factor.busy), worker)
            return [t for t in tasks if all(a < b for a, b in zip(t, factor.shape, strict=True))]
        case UserFunction():
            return list(factor.tasks[worker])


def _grid(factor: Primitive) -> list[Task]:
    order, ranks = factor.order, factor.ranks
    steps = product(*(range(factor.shape[dim]) for dim in order))
    return [tuple(step[place] for place in ranks) for step in steps]


def _split(factor: Primitive, worker: int) -> Task:
    task = [0] * len(factor.shape)
    for dim in reversed(factor.order):
        worker, task[dim] = divmod(worker, factor.shape[dim])
    return tuple(task)
