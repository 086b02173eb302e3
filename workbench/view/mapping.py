"""A task mapping as a view: its facts in words, and the nest from which any task follows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, Literal

from workbench.base.errors import MappingError
from workbench.base.lazy import lazy
from workbench.mapping.factor import Primitive, Projection
from workbench.mapping.factor import _attr as attr_text
from workbench.mapping.nest import Digit, Lookup
from workbench.view.cells import COUNT_LIMIT, evaluate
from workbench.view.nest import GuardView, LoopView, NestView, TermView

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from workbench.mapping.factor import Factor
    from workbench.mapping.nest import Nest, Term
    from workbench.mapping.task import TaskMapping
else:
    np = lazy("numpy")

TABLE_LIMIT = 2**16
"""Most constants that a view carries for a mapping given by a function."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure and what it counts; the figure may be empty."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class FactorView:
    """One factor of a composition.

    Attributes
    ----------
    name : str
        ``repeat``, ``spatial``, ``projection``, ``predicated_auto_map`` or ``function``.
    ranks : tuple of int
        Place of each dim, from slowest (0) to fastest; empty where the factor is no primitive.
    attrs : tuple of str
        Per dim its loop attribute as text, empty where it has none.
    """

    text: str
    name: str
    shape: tuple[int, ...]
    workers: int
    ranks: tuple[int, ...] = ()
    attrs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingView:
    """What a mapping screen knows.

    Attributes
    ----------
    text, canonical : str
        As written; and in the one form that every equal mapping has, empty when it is `text`.
    shape : tuple of int
        Extents of the domain.
    workers, most_tasks : int
        Number of workers, and the most tasks that one has.
    facts : tuple of Fact
        The same in words, with who does what how often.
    nest : NestView or None
        From which each task follows; None when it needs more than ``TABLE_LIMIT`` constants.
    lines : tuple of str
        The nest as text.
    strides : tuple of int
        Elements from one index of a dim to the next, row-major.
    item_bytes : int
        Size of an element [byte], for the addresses.
    layout : str
        Strides and element in words.
    editable : bool
        Whether `text` can be read back; not so for a mapping given by a Python function.
    """

    text: str
    canonical: str
    shape: tuple[int, ...]
    workers: int
    most_tasks: int
    facts: tuple[Fact, ...]
    factors: tuple[FactorView, ...]
    nest: NestView | None
    lines: tuple[str, ...]
    strides: tuple[int, ...]
    item_bytes: int = 4
    layout: str = "row-major f32"
    editable: bool = True
    kind: Literal["mapping"] = "mapping"
    version: Literal[1] = 1


def mapping_view(mapping: TaskMapping) -> MappingView:
    """The view of a mapping.

    Examples
    --------
    >>> from workbench.mapping import repeat, spatial
    >>> view = mapping_view(repeat(2, 1) * spatial(8, 4) * repeat(1, 2))
    >>> " · ".join(f"{fact.value} {fact.words}".strip() for fact in view.facts)
    '16 × 8 tasks · 32 workers · 4 tasks each · every task once'
    """
    try:
        lowered = mapping.nest()
    except MappingError:
        lowered = None
    nest = _nest(lowered) if lowered is not None and _constants(lowered) <= TABLE_LIMIT else None
    text, canonical = str(mapping), str(mapping.canonical())
    strides = tuple(accumulate(mapping.shape[:0:-1], lambda a, b: a * b, initial=1))[::-1]
    return MappingView(
        text=text,
        canonical="" if canonical == text else canonical,
        shape=mapping.shape,
        workers=mapping.workers,
        most_tasks=mapping.most_tasks,
        facts=_facts(mapping, nest),
        factors=tuple(_factor(factor) for factor in mapping.factors),
        nest=nest,
        lines=_indented(str(lowered)) if lowered is not None else (),
        strides=strides,
        editable="TaskMapping(" not in text,
    )


def _indented(nest: str) -> tuple[str, ...]:
    """The lines of a nest, each loop and guard one step deeper than the one around it."""
    lines, depth = nest.splitlines(), 0
    for number, line in enumerate(lines):
        lines[number] = "  " * depth + line
        depth += line.startswith(("for ", "if "))
    return tuple(lines)


def _factor(factor: Factor) -> FactorView:
    text = str(factor)
    if isinstance(factor, Primitive):
        attrs = tuple("" if attr is None else attr_text(attr) for attr in factor.attrs)
        return FactorView(text, factor.kind, factor.shape, factor.workers, factor.ranks, attrs)
    name = "projection" if isinstance(factor, Projection) else "predicated_auto_map"
    name = "function" if text.startswith("TaskMapping(") else name
    return FactorView(text, name, factor.shape, factor.workers)


def _facts(mapping: TaskMapping, nest: NestView | None) -> tuple[Fact, ...]:
    return (
        Fact(" × ".join(map(str, mapping.shape)), "task" if prod(mapping.shape) == 1 else "tasks"),
        Fact(str(mapping.workers), "worker" if mapping.workers == 1 else "workers"),
        *_shares(mapping, nest),
    )


def _shares(mapping: TaskMapping, nest: NestView | None) -> tuple[Fact, ...]:
    """How many tasks a worker has, and how often a task is done; counted where no law says it."""
    most = mapping.most_tasks
    each = Fact(str(most), "task each" if most == 1 else "tasks each")
    if all(isinstance(factor, Primitive) for factor in mapping.factors):
        return (each, Fact("", "every task once"))
    domain = prod(mapping.shape)
    if nest is None or max(mapping.workers * nest.steps, domain) > COUNT_LIMIT:
        return (Fact(f"≤ {most}", "tasks each"), Fact("", "too many to count"))
    tasks = evaluate(nest, np.arange(mapping.workers, dtype=np.int64))
    per_worker = tasks.done.sum(axis=1)
    flat = np.ravel_multi_index(tuple(np.moveaxis(tasks.place[tasks.done], -1, 0)), mapping.shape)
    times = np.bincount(flat, minlength=domain)
    return (*_per_worker(per_worker.tolist()), *_per_task(times.tolist()))


def _per_worker(counts: Sequence[int]) -> tuple[Fact, ...]:
    low, high, idle = min(counts), max(counts), sum(count == 0 for count in counts)
    if low == high:
        return (Fact(str(low), "task each" if low == 1 else "tasks each"),)
    if not idle:
        return (Fact(f"{low} to {high}", "tasks each"),)
    busy = min(count for count in counts if count)
    share = str(high) if busy == high else f"{busy} to {high}"
    return (Fact(share, "tasks each"), Fact(str(idle), "idle"))


def _per_task(times: Sequence[int]) -> tuple[Fact, ...]:
    never, most = sum(count == 0 for count in times), max(times)
    if not never and most == min(times):
        return (Fact("", "every task once" if most == 1 else f"every task {most} times"),)
    facts = [Fact(str(never), "done by nobody")] if never else []
    several = sum(count > 1 for count in times)
    if several:
        facts.append(Fact(str(several), f"done up to {most} times"))
    return tuple(facts)


def _constants(nest: Nest) -> int:
    sums = [*nest.index, *(guard.terms for guard in nest.guards)]
    sums += [guard.bound for guard in nest.guards if not isinstance(guard.bound, int)]
    return sum(len(term.table) for terms in sums for term in terms if isinstance(term, Lookup))


def _nest(nest: Nest) -> NestView:
    names = ["r"] if len(nest.loops) == 1 else [f"r{k}" for k in range(len(nest.loops))]
    dims = "ijk" if len(nest.index) <= len("ijk") else ""
    return NestView(
        loops=tuple(
            LoopView(name, loop.extent, "" if loop.attr is None else str(loop.attr))
            for name, loop in zip(names, nest.loops, strict=True)
        ),
        dims=tuple(dims[d] if dims else f"i{d}" for d in range(len(nest.index))),
        index=tuple(tuple(map(_term, terms)) for terms in nest.index),
        guards=tuple(
            GuardView(
                tuple(map(_term, guard.terms)),
                (TermView(guard.bound, constant=True),)
                if isinstance(guard.bound, int)
                else tuple(map(_term, guard.bound)),
            )
            for guard in nest.guards
        ),
    )


def _term(term: Term) -> TermView:
    match term:
        case Digit():
            return TermView(term.coef, term.source, term.div, term.mod)
        case Lookup():
            return TermView(term.coef, table=term.table, position=tuple(map(_term, term.position)))
