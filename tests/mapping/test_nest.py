"""The shape of a nest: as few loops and digits as there can be, attributes kept, guards exact."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from workbench.mapping import (
    NO_DIM,
    WORKER,
    Digit,
    Guard,
    Lookup,
    Loop,
    TaskMapping,
    auto_map,
    parse_mapping,
    predicated_auto_map,
    repeat,
    spatial,
)


def test_copy_is_one_loop():
    nest = (repeat(4, 1) * spatial(16, 8)).nest()
    assert nest.loops == (Loop(4, None, 0),)
    assert nest.index == (
        (Digit(16, 0), Digit(1, WORKER, 8)),
        (Digit(1, WORKER, 1, 8),),
    )
    assert nest.guards == ()


@pytest.mark.parametrize(
    ("text", "nest"),
    [
        ("spatial(4) * spatial(2)", "i = w"),
        ("repeat(4) * repeat(2)", "for r in 8\ni = r"),
        ("spatial(2, 2) * spatial(2, 2)", "i = (w//8)*2 + w//2%2\nj = (w//4%2)*2 + w%2"),
        ("spatial(2, 1) * repeat(1, 4) * spatial(8, 1)", "for r in 4\ni = w\nj = r"),
        ("repeat(2, 1) * repeat(3, 1) * spatial(1, 4)", "for r in 6\ni = r\nj = w"),
        ("repeat(2, 1) * spatial(2, 1) * repeat(3, 1)", "for r0 in 2\nfor r1 in 3\n"
         "i = r0*6 + r1 + w*3\nj = 0"),
        ("spatial(1, 1)", "i = 0\nj = 0"),
        ("spatial(2, 3, 4).projection({0: 0, 2: 0})", "i = 0\nj = w//4%3\nk = 0"),
        ("spatial(2, 2, 2, 2)", "i0 = w//8\ni1 = w//4%2\ni2 = w//2%2\ni3 = w%2"),
        ("(repeat(2, 2) * repeat(2, 3)).projection({1: 0})", "for r0 in 2\nfor r1 in 2\n"
         "for r2 in 2\nfor r3 in 3\ni = r0*2 + r2\nj = 0"),
        ("repeat(3, 4, 5).projection({1: 0, 2: 0})",
         "for r0 in 3\nfor r1 in 20\ni = r0\nj = 0\nk = 0"),
        ("predicated_auto_map(100, workers=32)", "for r in 4\nif r*32 + w < 100\ni = r*32 + w"),
        ("predicated_auto_map(8, 41, workers=64)", "for r in 8\nif w < 41\ni = r\nj = w"),
        ("predicated_auto_map(9, 7, workers=32)",
         "for r in 3\nif r*4 + w//7 < 9\nif w < 28\ni = r*4 + w//7\nj = w%7"),
        ("predicated_auto_map(2, 3, workers=6)", "i = w//3\nj = w%3"),
    ],
)  # fmt: skip
def test_nest_in_words(text: str, nest: str):
    assert str(parse_mapping(text).nest()) == nest


def test_attributes_reach_their_loops():
    mapping = spatial(2, 2) * repeat(3, 5, attrs=["unroll", 4]) * repeat(2, 1, attrs="no_unroll")
    assert [(loop.extent, loop.attr, loop.dim) for loop in mapping.nest().loops] == [
        (3, "unroll", 0),
        (5, 4, 1),
        (2, "no_unroll", 0),
    ]
    assert str(mapping) == (
        'spatial(2, 2) * repeat(3, 5, attrs=["unroll", 4]) * repeat(2, 1, attrs="no_unroll")'
    )
    assert parse_mapping(str(mapping)) == mapping


def test_loops_merge_only_with_equal_attributes():
    assert len((repeat(2, attrs="unroll") * repeat(3, attrs="unroll")).nest().loops) == 1
    assert len((repeat(2, attrs="unroll") * repeat(3)).nest().loops) == 2
    # An unroll factor counts rounds of its own loop.
    assert len((repeat(2, attrs=2) * repeat(3, attrs=2)).nest().loops) == 2


def test_attributes_of_projected_loops_stay():
    nest = repeat(3, 4, attrs="unroll").projection({0: 0}).nest()
    assert nest.loops == (Loop(3, "unroll", NO_DIM), Loop(4, "unroll", 1))


def test_ragged_function_has_a_table_and_a_guard():
    nest = TaskMapping((4, 4), 4, lambda w: [(w, i) for i in range(w + 1)]).nest()
    assert nest.loops == (Loop(4, None, NO_DIM),)
    worker = Digit(1, WORKER)
    assert nest.guards == (Guard((Digit(1, 0),), (Lookup(1, (1, 2, 3, 4), (worker,)),)),)
    rows, columns = nest.index
    assert isinstance(columns[0], Lookup)
    assert columns[0].position == (Digit(1, 0), Digit(4, WORKER))
    assert columns[0].table == (0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0, 1, 2, 3)
    assert isinstance(rows[0], Lookup)
    assert rows[0].table == (0, 0, 0, 0, 1, 1, 0, 0, 2, 2, 2, 0, 3, 3, 3, 3)


def test_function_without_tasks_has_a_loop_that_never_runs():
    nest = TaskMapping((4,), 2, lambda w: []).nest()
    assert nest.loops[0].extent == 0
    assert nest.tasks(1) == []


def test_idle_workers_inside_a_composition():
    """41 of 64 workers: no digit of the launch's worker, so a table stands in."""
    mapping = spatial(2, 2) * predicated_auto_map(8, 41, workers=64) * spatial(1, 2)
    tables = [term for terms in mapping.nest().index for term in terms if isinstance(term, Lookup)]
    assert [len(table.table) for table in tables] == [64]
    for worker in range(mapping.workers):
        assert mapping.nest().tasks(worker) == mapping(worker)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 256))
def test_predicated_nest_of_any_extent(m: int, n: int, workers: int):
    mapping = predicated_auto_map(m, n, workers=workers)
    nest = mapping.nest()
    if m * n % workers == 0:
        assert nest == auto_map(m, n, workers=workers).nest()
    for worker in {0, 1, workers // 2, workers - 1} & set(range(workers)):
        assert nest.tasks(worker) == mapping(worker)
