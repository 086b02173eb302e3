"""From factors to a nest: each factor's loops, indices and guards, then merging where exact."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.base.errors import MappingError
from workbench.mapping.check import FUNCTION_LIMIT
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
from workbench.mapping.merge import tidy
from workbench.mapping.nest import NO_DIM, WORKER, Digit, Guard, Lookup, Loop, Nest, Term, Terms
from workbench.mapping.recover import Part, recover
from workbench.mapping.table import table_of


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a factor stands: its worker is ``worker // div % workers``, its steps are scaled.

    The parts below are nests whose loops are numbered from `first`, the number of loops outside.
    """

    div: int
    scale: tuple[int, ...]
    total: int


def nest_of(factors: Factors, attrs: bool = True) -> Nest:
    """Lower the factors to the smallest nest: no unit loops, neighbours merged where exact.

    Parameters
    ----------
    factors : tuple of Factor
        The mapping, outermost first.
    attrs : bool
        Whether loops keep their attributes, which also keep loops from merging.

    Returns
    -------
    Nest

    Raises
    ------
    MappingError
        A part that needs a table of more than ``FUNCTION_LIMIT`` numbers.
    """
    place = _Place(1, (1,) * len(factors[0].shape), workers_of(factors))
    nest = _compose(factors, place, 0)
    if not attrs:
        nest = replace(nest, loops=tuple(replace(loop, attr=None) for loop in nest.loops))
    return tidy(nest, place.total)


def _compose(factors: Factors, place: _Place, first: int) -> Nest:
    """Parts of the factors side by side; loops of the outer ones come first."""
    rank = len(place.scale)
    div, scale = place.div * workers_of(factors), place.scale
    inner = shape_of(factors)
    whole = Nest((), ((),) * rank)
    for factor in factors:
        div //= factor.workers
        inner = tuple(a // b for a, b in zip(inner, factor.shape, strict=True))
        here = _Place(div, tuple(a * b for a, b in zip(scale, inner, strict=True)), place.total)
        part = _lower(factor, here, first + len(whole.loops))
        whole = Nest(
            whole.loops + part.loops,
            tuple(a + b for a, b in zip(whole.index, part.index, strict=True)),
            whole.guards + part.guards,
        )
    return whole


def _lower(factor: Factor, place: _Place, first: int) -> Nest:
    match factor:
        case Primitive():
            return (
                _repeat(factor, place, first)
                if factor.kind == "repeat"
                else _spatial(factor, place)
            )
        case Projection():
            return _projection(factor, place, first)
        case Predicated():
            return _predicated(factor, place, first)
        case UserFunction():
            return _function(factor, place, first)


def _repeat(factor: Primitive, place: _Place, first: int) -> Nest:
    loops: list[Loop] = []
    index: list[Terms] = [()] * len(factor.shape)
    for dim in factor.order:
        if factor.shape[dim] > 1:
            index[dim] = (Digit(place.scale[dim], first + len(loops)),)
            loops.append(Loop(factor.shape[dim], factor.attrs[dim], dim))
    return Nest(tuple(loops), tuple(index))


def _spatial(factor: Primitive, place: _Place) -> Nest:
    index: list[Terms] = [()] * len(factor.shape)
    div = place.div
    for dim in reversed(factor.order):
        if factor.shape[dim] > 1:
            index[dim] = (Digit(place.scale[dim], WORKER, div, factor.shape[dim]),)
        div *= factor.shape[dim]
    return Nest((), tuple(index))


def _projection(factor: Projection, place: _Place, first: int) -> Nest:
    part = _compose(factor.factors, place, first)
    loops = (replace(loop, dim=NO_DIM) if loop.dim in factor.dims else loop for loop in part.loops)
    index = (() if dim in factor.dims else terms for dim, terms in enumerate(part.index))
    return Nest(tuple(loops), tuple(index), part.guards)


def _predicated(factor: Predicated, place: _Place, first: int) -> Nest:
    """Steps times busy workers, a guard per dim that is not covered exactly, one for idle ones."""
    own = Digit(1, WORKER, place.div, factor.workers)
    part = _compose((factor.steps, factor.busy), place, first)
    if factor.busy.workers < factor.workers:
        # Digits of the busy workers, read off the launch's worker, are only right where the
        # workers of this factor are the slowest part of it, or where their extents divide.
        part = replace(part, index=tuple(_exact(t, factor, own, place) for t in part.index))
    guards: list[Guard] = []
    for dim, extent in enumerate(factor.shape):
        if factor.steps.shape[dim] * factor.busy.shape[dim] > extent:
            scale = place.scale[dim]
            terms = (replace(term, coef=term.coef // scale) for term in part.index[dim])
            guards.append(Guard(tuple(terms), extent))
    if factor.busy.workers < factor.workers:
        guards.append(Guard((own,), factor.busy.workers))
    return replace(part, guards=tuple(guards))


def _exact(terms: Terms, factor: Predicated, own: Digit, place: _Place) -> Terms:
    """`terms` with a table in place of every digit that is no digit of the launch's worker."""
    if own.div * factor.workers >= place.total:
        # The guard keeps the worker below the busy ones: the slowest digit needs no modulus.
        end = place.div * factor.busy.workers
        return tuple(
            replace(t, mod=None) if isinstance(t, Digit) and t.div * (t.mod or 1) == end else t
            for t in terms
        )
    exact: list[Term] = []
    for term in terms:
        assert isinstance(term, Digit)
        assert term.mod is not None or term.source != WORKER
        div = term.div // place.div
        if term.source != WORKER or factor.workers % (div * (term.mod or 1)) == 0:
            exact.append(term)
            continue
        _check_table(str(factor), factor.workers)
        table = tuple(w // div % (term.mod or 1) for w in range(factor.workers))
        exact.append(Lookup(term.coef, table, (own,)))
    return tuple(exact)


def _function(factor: UserFunction, place: _Place, first: int) -> Nest:
    """Digits where the function is a sum of them, else tables."""
    counts = set(map(len, factor.tasks))
    if len(counts) == 1 and 0 not in counts:
        found = recover(table_of((factor,)))
        if found is not None:
            return _digits(*found, place, first)
    return _tables(factor, place, first)


def _digits(workers: list[Part], positions: list[Part], place: _Place, first: int) -> Nest:
    index: list[Terms] = [()] * len(place.scale)
    loops: list[Loop] = []
    for extent, strides in positions:
        dims = [dim for dim, stride in enumerate(strides) if stride]
        for dim in dims:
            digit = Digit(strides[dim] * place.scale[dim], first + len(loops))
            index[dim] = (*index[dim], digit)
        loops.append(Loop(extent, None, dims[0] if len(dims) == 1 else NO_DIM))
    div = place.div
    for extent, strides in reversed(workers):
        for dim, stride in enumerate(strides):
            if stride:
                index[dim] = (*index[dim], Digit(stride * place.scale[dim], WORKER, div, extent))
        div *= extent
    return Nest(tuple(loops), tuple(index))


def _tables(factor: UserFunction, place: _Place, first: int) -> Nest:
    """A table per dim, read at worker * tasks + step, and a guard where workers differ."""
    counts = tuple(map(len, factor.tasks))
    most = max(counts)
    _check_table(str(factor), most * factor.workers)
    own = Digit(1, WORKER, place.div, factor.workers)
    loops = (Loop(most),) if most != 1 else ()
    step = (Digit(1, first),) if loops else ()
    position = (replace(own, coef=most), *step)
    blank = ((0,) * len(factor.shape),)
    rows = [task for tasks in factor.tasks for task in tasks + blank * (most - len(tasks))]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(factor.shape)
    index = tuple(
        (Lookup(scale, column, position),) if any(column) else ()
        for column, scale in zip(columns, place.scale, strict=True)
    )
    if min(counts) == most:
        return Nest(loops, index)
    return Nest(loops, index, (Guard(step, (Lookup(1, counts, (own,)),)),))


def _check_table(text: str, entries: int) -> None:
    if entries > FUNCTION_LIMIT:
        raise MappingError(
            f"{text}: lowering needs a table of {entries} numbers, more than {FUNCTION_LIMIT}",
            hint="write it as a composition of repeat and spatial, which needs no table",
        )
