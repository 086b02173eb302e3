"""Launches as one piece of machine code: right with any number of host threads, in any order."""

from __future__ import annotations

import gc
import signal
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest

from tests.graph.cases import compiled, floats, model, node
from tests.graph.test_host import doubled, graph, split
from workbench.base.errors import LaunchError
from workbench.graph import CompiledGraph, sequence
from workbench.graph.build import Builder
from workbench.graph.tensor import Tensor
from workbench.ir.types import f32, i64
from workbench.runtime import following
from workbench.runtime.following import Row

STEPS = 6
CALLS = 25


@pytest.fixture(params=[1, 2, 5])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Every launch of several blocks is shared, also with more threads than there are cores."""
    monkeypatch.setattr(sequence, "cores", lambda: request.param)
    monkeypatch.setattr(following, "cores", lambda: request.param)
    monkeypatch.setattr(sequence, "WORTH_SHARING_NS", 0)
    monkeypatch.setattr(sequence, "WORTH_WAKING_NS", 1)
    monkeypatch.setattr(sequence, "_PIECE_NS", 1)
    return request.param


def chain() -> CompiledGraph:
    """Matrix products, one after the other, each of what the one before gave."""
    nodes = [node("MatMul", f"x{n} w{n}", f"x{n + 1}") for n in range(STEPS)]
    weights = {f"w{n}": floats(96, 96, seed=n) / 10 for n in range(STEPS)}
    return compiled(model(nodes, {"x0": (np.float32, (512, 96))}, [f"x{STEPS}"], weights), "cpu")


@cache
def product() -> np.ndarray:
    """All matrices as one."""
    whole = np.eye(96)
    for n in range(STEPS):
        whole = whole @ (floats(96, 96, seed=n) / 10).astype(np.float64)
    return whole


def wanted(x: np.ndarray) -> np.ndarray:
    return x @ product()


def test_each_call_gives_what_its_inputs_give(threads: int) -> None:
    graph_ = chain()
    for n in range(CALLS):
        x = floats(512, 96, seed=n)
        (got,) = graph_({"x0": x}).values()
        np.testing.assert_allclose(got, wanted(x), rtol=1e-4, atol=1e-4)
    (space,) = graph_._idle
    assert space.launches is not None
    assert [p.sharable for p in space.launches._parts] == [threads > 1]


def test_calls_from_several_threads(threads: int) -> None:
    graph_ = chain()

    def call(seed: int) -> None:
        x = floats(512, 96, seed=seed)
        want = wanted(x)
        for _ in range(10):
            (got,) = graph_({"x0": x}).values()
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(6)))


def test_a_result_of_before_stays(threads: int) -> None:
    graph_ = chain()
    results = [graph_({"x0": floats(512, 96, seed=n)})[f"x{STEPS}"] for n in range(8)]
    for n, got in enumerate(results):
        np.testing.assert_allclose(got, wanted(floats(512, 96, seed=n)), rtol=1e-4, atol=1e-4)


def test_host_calls_stand_between(threads: int) -> None:
    b, x = Builder(), Tensor("x", f32, (40, 33))
    values, order = b.host("sort", split, [doubled(b, x)], [(f32, (40, 33)), (i64, (40, 33))])
    graph_ = graph(b, [x], [doubled(b, values), order]).optimize().compile("cpu")
    for n in range(20):
        a = floats(40, 33, seed=n)
        got = graph_({"x": a})
        np.testing.assert_array_equal(got["out0"], np.sort(a * 2, -1) * 2)
        np.testing.assert_array_equal(got["out1"], np.argsort(a, -1, kind="stable"))


def test_one_call_that_was_held_up_decides_nothing() -> None:
    part = sequence._Part(0, 1, True)
    ways: list[bool] = []
    for n in range(200):
        ways.append(part.wide)
        part.note(part.wide, 50_000 if n == 100 else 1_000 if part.wide else 2_000)
    assert sum(ways) > 190
    # a machine on which followers hold up all: they are tried now and then
    ways.clear()
    for _ in range(200):
        ways.append(part.wide)
        part.note(part.wide, 9_000 if part.wide else 2_000)
    assert 10 < sum(ways) < 24


def test_a_call_that_fits_does_not_excuse_the_next() -> None:
    graph_ = chain()
    x = floats(512, 96)
    for _ in range(3):
        graph_({"x0": x})
    for wrong in (x[:4], x.astype(np.float64), x.T, np.ma.masked_array(x), x[:, ::2]):
        with pytest.raises(LaunchError):
            graph_({"x0": wrong})
    with pytest.raises(LaunchError, match="missing"):
        graph_({"y": x})
    x.flags.writeable = False
    (got,) = graph_({"x0": x}).values()
    np.testing.assert_allclose(got, wanted(x), rtol=1e-4, atol=1e-4)


def test_a_call_holds_no_arrays_of_another() -> None:
    graph_ = chain()
    held = [floats(512, 96, seed=n) for n in range(4)]
    held += [graph_({"x0": x})[f"x{STEPS}"] for x in list(held)]
    alive = [weakref.ref(a) for a in held]
    held.clear()
    gc.collect()
    assert not [ref for ref in alive if ref() is not None]


@pytest.mark.parametrize("array", [np.zeros((0, 3), np.float32), np.float32(2), np.zeros(())])
def test_arrays_that_cannot_be_written_or_hold_nothing(array: np.ndarray) -> None:
    made = model(
        [node("Add", "x x", "y"), node("Cast", "k", "z", to=1)],
        {"x": (np.float32, np.shape(array)), "k": (np.int64, (2, 2))},
        ["y", "z"],
    )
    graph_ = compiled(made, "cpu")
    x, k = np.asarray(array, np.float32), np.arange(4).reshape(2, 2)
    x.flags.writeable = k.flags.writeable = False
    for _ in range(4):
        got = graph_({"x": x, "k": k})
        np.testing.assert_array_equal(got["y"], x + x)
        np.testing.assert_array_equal(got["z"], k)
        assert got["y"].shape == x.shape


def rows(monkeypatch: pytest.MonkeyPatch) -> tuple[CompiledGraph, sequence.Launches]:
    """A chain that has been arranged as if every launch took long."""
    monkeypatch.setattr(sequence, "LONGEST_NS", 1)
    graph_ = chain()
    for _ in range(3):
        graph_({"x0": floats(512, 96)})
    (space,) = graph_._idle
    assert space.launches is not None
    return graph_, space.launches


def test_a_row_ends_after_long_work(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph_, launches = rows(monkeypatch)
    assert [(p.first, p.last) for p in launches._parts] == [(n, n + 1) for n in range(STEPS)]
    x = floats(512, 96, seed=1)
    np.testing.assert_allclose(graph_({"x0": x})[f"x{STEPS}"], wanted(x), rtol=1e-4, atol=1e-4)


def test_an_interrupt_is_seen_between_rows(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph_, _ = rows(monkeypatch)
    done: list[int] = []
    for name in ("alone", "together"):
        run = getattr(Row, name)

        def watched(self: Row, first: int, last: int, run: Callable[..., None] = run) -> None:
            run(self, first, last)
            done.append(first)
            if len(done) == 2:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(Row, name, watched)
    with pytest.raises(KeyboardInterrupt):
        graph_({"x0": floats(512, 96)})
    assert done == [0, 1]
    x = floats(512, 96, seed=1)
    for _ in range(3):
        np.testing.assert_allclose(graph_({"x0": x})[f"x{STEPS}"], wanted(x), rtol=1e-4, atol=1e-4)
