"""Laws of mappings, against the definition written out once more, as plainly as it can be.

A spec is a nested tuple that says how a mapping is made; `define` gives its meaning by the
definition of 1-task-mapping, `build` makes it with the library.
"""

from __future__ import annotations

import pickle
from itertools import product
from math import gcd, prod

import hypothesis.strategies as st
import numpy as np
from hypothesis import assume, given

from workbench.mapping import TaskMapping, parse_mapping, predicated_auto_map, repeat, spatial

Spec = tuple
Meaning = tuple[tuple[int, ...], list[list[tuple[int, ...]]]]


def order_tasks(shape, ranks):
    """All tasks, sorted by the definition: compared first in the slowest dim."""
    slow_to_fast = [list(ranks).index(place) for place in range(len(shape))]
    return sorted(product(*map(range, shape)), key=lambda task: [task[d] for d in slow_to_fast])


def define(spec: Spec) -> Meaning:
    match spec:
        case ("repeat", shape, ranks):
            return shape, [order_tasks(shape, ranks)]
        case ("spatial", shape, ranks):
            return shape, [[task] for task in order_tasks(shape, ranks)]
        case ("times", outer, inner):
            (df, f), (dg, g) = define(outer), define(inner)
            rows = []
            for w in range(len(f) * len(g)):
                left, right = f[w // len(g)], g[w % len(g)]
                rows.append(
                    [
                        tuple(a * d + b for a, d, b in zip(s, dg, t, strict=True))
                        for s in left
                        for t in right
                    ]
                )
            return tuple(a * b for a, b in zip(df, dg, strict=True)), rows
        case ("project", base, dims):
            shape, rows = define(base)
            shape = tuple(1 if d in dims else e for d, e in enumerate(shape))
            return shape, [
                [tuple(0 if d in dims else x for d, x in enumerate(t)) for t in row] for row in rows
            ]
        case ("user", shape, rows):
            return shape, rows
        case ("predicated", shape, workers, ranks):
            return define_predicated(shape, workers, ranks)
    raise AssertionError(spec)


def define_predicated(shape, workers, ranks) -> Meaning:
    take = gcd if prod(shape) % workers == 0 else min
    spread, remain = [1] * len(shape), workers
    for place in reversed(range(len(shape))):
        dim = list(ranks).index(place)
        spread[dim] = take(remain, shape[dim])
        remain //= spread[dim]
    steps = tuple(-(-d // s) for d, s in zip(shape, spread, strict=True))
    _, rows = define(("times", ("repeat", steps, ranks), ("spatial", tuple(spread), ranks)))
    rows = [
        [task for task in row if all(x < d for x, d in zip(task, shape, strict=True))]
        for row in rows
    ]
    return shape, rows + [[] for _ in range(workers - len(rows))]


def build(spec: Spec) -> TaskMapping:
    match spec:
        case ("repeat", shape, ranks):
            return repeat(*shape, ranks=list(ranks))
        case ("spatial", shape, ranks):
            return spatial(*shape, ranks=list(ranks))
        case ("times", outer, inner):
            return build(outer) * build(inner)
        case ("project", base, dims):
            return build(base).projection(dict.fromkeys(dims, 0))
        case ("user", shape, rows):
            return TaskMapping(shape, len(rows), rows.__getitem__)
        case ("predicated", shape, workers, ranks):
            return predicated_auto_map(*shape, workers=workers, ranks=list(ranks))
    raise AssertionError(spec)


def shapes(rank: int, most: int = 4):
    return st.tuples(*[st.integers(1, most)] * rank)


def primitives(rank: int):
    return st.tuples(
        st.sampled_from(["repeat", "spatial"]),
        shapes(rank, 3),
        st.permutations(range(rank)).map(tuple),
    )


def users(rank: int):
    def rows(shape):
        task = st.tuples(*(st.integers(0, extent - 1) for extent in shape))
        lists = st.lists(st.lists(task, max_size=3), min_size=1, max_size=4)
        return st.tuples(st.just("user"), st.just(shape), lists)

    return shapes(rank).flatmap(rows)


def predicated(rank: int):
    ranks = st.permutations(range(rank)).map(tuple)
    return st.tuples(st.just("predicated"), shapes(rank, 7), st.integers(1, 12), ranks)


def compositions(rank: int, leaves):
    """One to four leaves; any part may be projected."""

    def join(specs):
        whole = specs[0]
        for spec in specs[1:]:
            whole = ("times", whole, spec)
        return whole

    def project(spec):
        dims = st.sets(st.integers(0, rank - 1), min_size=1).map(sorted).map(tuple)
        return st.one_of(st.just(spec), dims.map(lambda d: ("project", spec, d)))

    inner = st.one_of(leaves, st.lists(leaves, min_size=2, max_size=2).map(join).flatmap(project))
    return st.lists(inner, min_size=1, max_size=3).map(join).filter(small)


def small(spec: Spec) -> bool:
    mapping = build(spec)
    return mapping.workers * mapping.most_tasks <= 4096


RANKS = st.integers(1, 3)
PURE = RANKS.flatmap(lambda rank: st.lists(primitives(rank), min_size=1, max_size=4)).filter(
    lambda specs: small(nested(specs))
)
ANY = RANKS.flatmap(
    lambda rank: compositions(rank, st.one_of(primitives(rank), users(rank), predicated(rank)))
)


def nested(specs):
    whole = specs[0]
    for spec in specs[1:]:
        whole = ("times", whole, spec)
    return whole


def rows_of(table: np.ndarray) -> list[list[tuple[int, ...]]]:
    return [[tuple(map(int, task)) for task in row if task[0] >= 0] for row in table]


@given(ANY)
def test_tasks_table_and_nest_are_the_definition(spec: Spec):
    shape, rows = define(spec)
    mapping = build(spec)
    assert mapping.shape == shape
    assert mapping.workers == len(rows)
    assert [mapping(worker) for worker in range(mapping.workers)] == rows
    assert rows_of(mapping.table()) == rows
    nest = mapping.nest()
    assert [nest.tasks(worker) for worker in range(mapping.workers)] == rows
    assert all(loop.extent != 1 for loop in nest.loops)


@given(ANY)
def test_absent_tasks_stand_at_the_end(spec: Spec):
    table = build(spec).table()
    absent = (table < 0).any(axis=2)
    assert np.array_equal(absent, (table == -1).all(axis=2))
    assert not (absent[:, :-1] & ~absent[:, 1:]).any()


@given(ANY)
def test_canonical_form_is_the_same_function(spec: Spec):
    mapping = build(spec)
    form = mapping.canonical()
    assert rows_of(form.table()) == define(spec)[1]
    assert form.shape == mapping.shape
    assert form.canonical() == form
    assert mapping.same_as(form)


@given(PURE)
def test_composition_is_associative(specs: list[Spec]):
    mappings = [build(spec) for spec in specs]
    right = mappings[-1]
    for mapping in reversed(mappings[:-1]):
        right = mapping * right
    left = build(nested(specs))
    assert left == right
    assert hash(left) == hash(right)


@given(PURE)
def test_one_is_the_identity(specs: list[Spec]):
    mapping = build(nested(specs))
    ones = (1,) * mapping.rank
    for one in (spatial(*ones), repeat(*ones)):
        assert (one * mapping).same_as(mapping)
        assert (mapping * one).same_as(mapping)


@given(PURE)
def test_compositions_cover_every_task_once(specs: list[Spec]):
    mapping = build(nested(specs))
    table = mapping.table()
    assert table.shape[1] == prod(mapping.shape) // mapping.workers
    seen = np.zeros(mapping.shape, dtype=int)
    np.add.at(seen, tuple(table.reshape(-1, mapping.rank).T), 1)
    assert (seen == 1).all()


@given(RANKS.flatmap(primitives))
def test_ranks_are_sugar(spec: Spec):
    """Every primitive is the composition of its one-dimensional atoms, slowest first."""
    kind, shape, ranks = spec
    make = {"repeat": repeat, "spatial": spatial}[kind]
    whole = make(*(1,) * len(shape))
    for place in range(len(shape)):
        dim = ranks.index(place)
        whole = whole * make(*(shape[dim] if d == dim else 1 for d in range(len(shape))))
    assert define(spec)[1] == rows_of(whole.table())


@given(st.integers(1, 6), st.integers(1, 6))
def test_repeat_and_spatial_on_different_dims_commute(a: int, b: int):
    left, right = repeat(a, 1) * spatial(1, b), spatial(1, b) * repeat(a, 1)
    assert np.array_equal(left.table(), right.table())
    assert left.same_as(right)


@given(st.integers(1, 6), st.integers(1, 6))
def test_one_dimension_merges(a: int, b: int):
    assert np.array_equal((spatial(a) * spatial(b)).table(), spatial(a * b).table())
    assert np.array_equal((repeat(a) * repeat(b)).table(), repeat(a * b).table())
    assert not (a > 1 and b > 1) or not (spatial(a, b) * spatial(b, a)).same_as(
        spatial(a * b, a * b)
    )


@given(ANY, ANY)
def test_same_as_is_equality_of_functions(first: Spec, second: Spec):
    left, right = build(first), build(second)
    assert bool(left.same_as(right)) == (define(first) == define(second))


@given(ANY, st.data())
def test_first_difference_is_the_first(spec: Spec, data: st.DataObject):
    shape, rows = define(spec)
    worker = data.draw(st.integers(0, len(rows) - 1))
    assume(rows[worker])
    position = data.draw(st.integers(0, len(rows[worker]) - 1))
    changed = [list(row) for row in rows]
    task = rows[worker][position]
    other = ((task[0] + 1) % shape[0], *task[1:])
    assume(other != task)
    changed[worker][position] = other
    difference = build(spec).same_as(build(("user", shape, changed)))
    assert not difference
    assert (difference.worker, difference.position) == (worker, position)
    assert (difference.left, difference.right) == (task, other)
    assert str(task) in str(difference)


@given(ANY.filter(lambda spec: "user" not in str(spec)))
def test_text_reads_back(spec: Spec):
    mapping = build(spec)
    again = parse_mapping(str(mapping))
    assert again == mapping
    assert str(again) == str(mapping) == repr(mapping)
    assert pickle.loads(pickle.dumps(mapping)) == mapping


@given(RANKS.flatmap(lambda rank: st.tuples(shapes(rank, 12), st.integers(1, 64))))
def test_predicated_map_covers_every_task_once(case: tuple[tuple[int, ...], int]):
    shape, workers = case
    mapping = predicated_auto_map(*shape, workers=workers)
    tasks = [task for worker in range(workers) for task in mapping(worker)]
    assert sorted(tasks) == list(product(*map(range, shape)))
