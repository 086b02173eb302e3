"""The canonical form decides equality: shown on every short word, not on samples."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import pytest

from workbench.mapping import (
    NO_DIM,
    TaskMapping,
    canonical,
    predicated_auto_map,
    repeat,
    same_as,
    spatial,
)
from workbench.mapping.check import ENTRY_LIMIT

ONE = repeat(1, 1)
ATOMS = [make(*shape) for make in (repeat, spatial) for shape in ((2, 1), (4, 1), (1, 2), (1, 4))]
GONE = [make(2, 1).projection({0: 0}) for make in (repeat, spatial)]


def words(atoms: list[TaskMapping], most: int) -> list[TaskMapping]:
    found = [ONE]
    for length in range(1, most + 1):
        for word in product(atoms, repeat=length):
            mapping = word[0]
            for atom in word[1:]:
                mapping = mapping * atom
            found.append(mapping)
    return found


@pytest.mark.parametrize(("atoms", "most"), [(ATOMS, 4), (ATOMS[::2] + GONE, 4)])
def test_canonical_forms_are_equal_exactly_when_functions_are(atoms: list[TaskMapping], most: int):
    forms: dict[object, set[str]] = defaultdict(set)
    functions: dict[str, set[object]] = defaultdict(set)
    for mapping in words(atoms, most):
        function = (mapping.shape, mapping.workers, mapping.table().tobytes())
        form = str(mapping.canonical())
        forms[function].add(form)
        functions[form].add(function)
    assert len(functions) > 100
    assert all(len(texts) == 1 for texts in forms.values())
    assert all(len(tables) == 1 for tables in functions.values())


def test_canonical_form_is_short():
    long = spatial(2, 1) * repeat(1, 2) * spatial(4, 1) * repeat(1, 3)
    assert str(canonical(long)) == "repeat(1, 6) * spatial(8, 1)"
    assert str(canonical(repeat(4, 1) * spatial(16, 8))) == "repeat(4, 1) * spatial(16, 8)"
    assert str(canonical(spatial(1, 1, 1))) == "repeat(1, 1, 1)"


def test_attributes_count_for_value_but_not_for_function():
    plain, unrolled = repeat(4, 1) * spatial(2, 2), repeat(4, 1, attrs="unroll") * spatial(2, 2)
    assert plain != unrolled
    assert same_as(plain, unrolled)
    assert canonical(unrolled) == plain


def test_a_function_that_is_a_composition_is_recognised():
    given = TaskMapping((64, 8), 128, lambda w: [(w // 8 + 16 * r, w % 8) for r in range(4)])
    verdict = given.same_as(repeat(4, 1) * spatial(16, 8))
    assert verdict
    assert str(verdict) == "the same mapping: both are repeat(4, 1) * spatial(16, 8)"
    assert given.nest() != (repeat(2, 1) * spatial(16, 8)).nest()


@pytest.mark.parametrize(
    ("shape", "function"),
    [
        ((4, 4), lambda w: [(w, w)]),
        ((8,), lambda w: [(2 * w,)]),
        ((4,), lambda w: [(3 - w,)]),
        ((4,), lambda w: [(w % 2,), (w % 2 + 2,)]),
        ((8,), lambda w: [(w,)]),
        ((4,), lambda w: [(w ^ 1,)]),
        ((4,), lambda w: [(w,)] * 3),
        ((4,), lambda w: []),
        ((7,), lambda w: [((0, 1, 3, 4)[w],)]),
        ((4, 4), lambda w: [(w, 0), (w, 1), (w, 3)]),
    ],
)
def test_functions_with_strides_of_their_own(shape: tuple[int, ...], function: object):
    """A diagonal, gaps, a reversal, duplicates: digits or tables, but the same tasks."""
    assert callable(function)
    one, two = (1,) * len(shape), (2,) * len(shape)
    for inner in (repeat(*one), spatial(*two).repeat(*two)):
        mapping = TaskMapping(shape, 4, function) * inner
        nest = mapping.nest()
        for worker in range(mapping.workers):
            assert nest.tasks(worker) == mapping(worker)
        assert mapping.same_as(mapping.canonical())


def test_a_diagonal_needs_no_table():
    nest = TaskMapping((4, 4), 4, lambda w: [(w, w)]).nest()
    assert str(nest) == "i = w\nj = w"


def test_duplicates_are_a_loop_along_no_dim():
    nest = repeat(3, 4).projection({1: 0}).nest()
    assert [(loop.extent, loop.dim) for loop in nest.loops] == [(3, 0), (4, NO_DIM)]


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (spatial(4, 8), spatial(8, 4), "the domains differ: (4, 8) and (8, 4)"),
        (spatial(4), spatial(2) * repeat(2), "4 workers and 2 workers"),
        (
            spatial(2, 2) * spatial(2, 2),
            spatial(4, 4),
            "worker 2 differs at position 0: (1, 0) against (0, 2)",
        ),
        (
            TaskMapping((4,), 2, lambda w: [(w,)]),
            TaskMapping((4,), 2, lambda w: [(w,)] * (w + 1)),
            "worker 1 differs at position 1: no further task against (1,)",
        ),
        (
            repeat(2**20, 2**20) * spatial(2, 2),
            spatial(2, 2) * repeat(2**20, 2**20),
            "different mappings; too large to name the first difference",
        ),
        (
            spatial(2**20, 2**20).repeat(2, 1).spatial(1, 2),
            spatial(2**20, 2**20).spatial(1, 2).repeat(2, 1),
            "the same mapping: both are spatial(1048576, 2097152) * repeat(2, 1)",
        ),
        (
            predicated_auto_map(5, workers=4),
            predicated_auto_map(5, workers=4) * repeat(1),
            "the same mapping: every worker has the same tasks in order",
        ),
    ],
)
def test_verdict_in_words(left: TaskMapping, right: TaskMapping, words: str):
    verdict = left.same_as(right)
    assert str(verdict) == words
    assert bool(verdict) == words.startswith("the same")


def test_large_mappings_are_compared_without_enumerating():
    left = spatial(1024, 1024) * repeat(1024, 1) * spatial(1, 1024)
    right = spatial(1024, 1024) * spatial(1, 1024) * repeat(1024, 1)
    assert left.workers * left.most_tasks > ENTRY_LIMIT
    assert left.same_as(right)
    assert not left.same_as(spatial(1024, 1024) * repeat(1024, 2) * spatial(1, 512))
