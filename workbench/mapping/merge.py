"""The smallest nest of the same meaning: neighbours merged by the one-dimensional laws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.mapping.nest import WORKER, Digit, Guard, Lookup, Loop, Nest, Term, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def tidy(nest: Nest, workers: int) -> Nest:
    """Merge loops and digits where every sum stays the same; drop moduli that do nothing.

    Parameters
    ----------
    nest : Nest
        Loop variables appear as digits without divisor and modulus, once per sum at most.
    workers : int
        Number of workers of the whole mapping.
    """
    outer = len(nest.loops) - 2
    while outer >= 0:
        if _mergeable(nest, outer):
            nest = _merge(nest, outer)
            outer = min(outer, len(nest.loops) - 2)
        else:
            outer -= 1
    return _each_sum(nest, lambda terms: _tidy_sum(terms, workers))


def _mergeable(nest: Nest, outer: int) -> bool:
    """Whether loops `outer` and the next can become one.

    An unroll factor counts rounds of its own loop, so a loop that has one stays as it is.
    """
    first, second = nest.loops[outer : outer + 2]
    if first.attr != second.attr or isinstance(first.attr, int) or first.dim != second.dim:
        return False
    return all(
        _coef(terms, outer) == second.extent * _coef(terms, outer + 1) for terms in _sums(nest)
    )


def _coef(terms: Terms, loop: int) -> int:
    return sum(term.coef for term in terms if isinstance(term, Digit) and term.source == loop)


def _sums(nest: Nest) -> Iterator[Terms]:
    """Every sum of the nest: indices, guards, and positions in tables."""
    tops = [*nest.index, *(guard.terms for guard in nest.guards)]
    tops += [guard.bound for guard in nest.guards if not isinstance(guard.bound, int)]
    for terms in tops:
        yield terms
        for term in terms:
            if isinstance(term, Lookup):
                yield term.position


def _each_sum(nest: Nest, change: Callable[[Terms], Terms]) -> Nest:
    """The nest with every sum changed, positions in tables first."""

    def one(terms: Terms) -> Terms:
        return change(tuple(inside(term) for term in terms))

    def inside(term: Term) -> Term:
        if isinstance(term, Digit):
            return term
        digits = change(term.position)
        return replace(term, position=tuple(d for d in digits if isinstance(d, Digit)))

    guards = (
        Guard(one(g.terms), g.bound if isinstance(g.bound, int) else one(g.bound))
        for g in nest.guards
    )
    return Nest(nest.loops, tuple(map(one, nest.index)), tuple(guards))


def _merge(nest: Nest, outer: int) -> Nest:
    """Make loops `outer` and the next one loop, whose variable is ``outer * extent + next``."""
    first, second = nest.loops[outer : outer + 2]

    def change(terms: Terms) -> Terms:
        return tuple(
            term
            if isinstance(term, Lookup) or term.source <= outer
            else replace(term, source=term.source - 1)
            for term in terms
            if isinstance(term, Lookup) or term.source != outer
        )

    loop = Loop(first.extent * second.extent, first.attr, first.dim)
    nest = _each_sum(nest, change)
    return replace(nest, loops=(*nest.loops[:outer], loop, *nest.loops[outer + 2 :]))


def _tidy_sum(terms: Terms, workers: int) -> Terms:
    """Loops by number, then digits of the worker from slow to fast, then tables."""
    digits = [term for term in terms if isinstance(term, Digit) and term.mod != 1]
    loops = sorted((d for d in digits if d.source != WORKER), key=lambda digit: digit.source)
    own = sorted((d for d in digits if d.source == WORKER), key=lambda digit: -digit.div)
    merged: list[Digit] = []
    for digit in own:
        merged.append(digit)
        while len(merged) > 1 and (one := _join(*merged[-2:])) is not None:
            merged[-2:] = [one]
    short = (
        replace(d, mod=None) if d.mod is not None and d.div * d.mod >= workers else d
        for d in merged
    )
    return (*loops, *short, *(term for term in terms if isinstance(term, Lookup)))


def _join(slow: Digit, fast: Digit) -> Digit | None:
    """Two neighbouring digits as one, where ``slow`` counts rounds of ``fast`` in both senses."""
    assert fast.mod is not None
    if slow.div == fast.div * fast.mod and slow.coef == fast.coef * fast.mod:
        return replace(fast, mod=None if slow.mod is None else slow.mod * fast.mod)
    return None
