"""Host threads that share the blocks of launches: each block once, whoever comes, or nobody."""

from __future__ import annotations

import ctypes
import gc
import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import workbench as wb
from workbench.lang import blockIdx, i32, launch
from workbench.runtime import following
from workbench.runtime.following import Row

BLOCKS = 1000


@wb.script
def count(total: i32[BLOCKS], by: i32[1]):
    launch(grid=BLOCKS, block=1)
    total[blockIdx.x] += by[0]


@wb.script
def carry(a: i32[BLOCKS], b: i32[BLOCKS]):
    launch(grid=BLOCKS, block=1)
    b[blockIdx.x] = a[BLOCKS - 1 - blockIdx.x] + 1


@pytest.fixture(params=[2, 5])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(following, "cores", lambda: request.param)
    return request.param


def row(threads: int, grain: int, *launches: tuple[wb.Kernel, list[np.ndarray]]) -> Row:
    """A row of these kernels on these arrays, all blocks shared."""
    made = Row(len(launches), 0, threads)
    made.kept = []  # pyright: ignore
    for n, (kernel, arrays) in enumerate(launches):
        run = kernel.prepare(*arrays)
        pointers = ctypes.addressof(run.pointers)
        made.set(n, run.launcher.binary.address(), pointers, BLOCKS, grain)
        made.kept.append(run)  # pyright: ignore
    return made


def counting(threads: int, grain: int) -> tuple[Row, np.ndarray]:
    total = np.zeros(BLOCKS, np.int32)
    return row(threads, grain, (count.compile("cpu"), [total, np.ones(1, np.int32)])), total


@pytest.mark.parametrize("grain", [1, 7, 499, 999])
def test_each_block_runs_once(threads: int, grain: int) -> None:
    made, total = counting(threads, grain)
    for n in range(1, 200):
        made.together(0, 1)
        assert (total == n).all()


def test_a_launch_follows_when_all_of_the_one_before_is_done(threads: int) -> None:
    arrays = [np.zeros(BLOCKS, np.int32) for _ in range(9)]
    kernel = carry.compile("cpu")
    steps = [(kernel, [a, b]) for a, b in itertools.pairwise(arrays)]
    made = row(threads, 3, *steps)
    for n in range(300):
        arrays[0][:] = np.arange(BLOCKS) + n
        made.together(0, 8)
        assert (arrays[8] == arrays[0] + 8).all()


def test_part_of_a_grid(threads: int) -> None:
    total, by = np.zeros(BLOCKS, np.int32), np.ones(1, np.int32)
    run = count.compile("cpu").prepare(total, by)
    made = Row(1, 0, threads)
    code, pointers = run.launcher.binary.address(), ctypes.addressof(run.pointers)
    made.set(0, code, pointers, 100, 9, start=250)
    made.together(0, 1)
    assert (np.flatnonzero(total) == np.arange(250, 350)).all()
    made.set(0, code, pointers, 100, 100, start=300)  # by the caller alone
    made.together(0, 1)
    assert (total[300:350] == 2).all()
    assert (total[350:400] == 1).all()


def test_callers_share_the_followers(threads: int) -> None:
    def call(_: int) -> bool:
        made, total = counting(threads, 7)
        for _ in range(100):
            made.together(0, 1)
        return bool((total == 100).all())

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(call, range(12)))


def test_threads_that_come_first_together(threads: int) -> None:
    """Each may make the code and the followers of its own, and keeps what it got."""
    for _ in range(3):
        following._native.cache_clear()
        following._followers.cache_clear()
        ready = Barrier(6)

        def call(_: int, ready: Barrier = ready) -> bool:
            ready.wait()
            made, total = counting(threads, 113)
            for _ in range(200):
                made.together(0, 1)
            return bool((total == 200).all())

        with ThreadPoolExecutor(6) as pool:
            assert all(pool.map(call, range(6)))
        gc.collect()


def test_followers_fall_asleep_and_wake(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE_NS", 20_000)
    followers = following._Followers(threads - 1)
    monkeypatch.setattr(following, "_followers", lambda _: followers)
    made, total = counting(threads, 7)
    for n in range(1, 60):
        made.together(0, 1)
        assert (total == n).all()
        time.sleep(0.001 * (n % 3))
    _wait(lambda: states(followers) == {following._ASLEEP})


@pytest.mark.skipif(following._getcpu is None, reason="only Linux is told where threads run")
def test_who_was_woken_may_run_where_it_could_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE_NS", 20_000)
    followers, usual = following._Followers(3), os.sched_getaffinity(0)
    monkeypatch.setattr(following, "_followers", lambda _: followers)
    asked: list[set[int]] = []
    kept_off = following._kept_off

    def noted(thread: int, processor: int) -> set[int]:
        asked.append(kept_off(thread, processor))
        return asked[-1]

    monkeypatch.setattr(following, "_kept_off", noted)
    made, total = counting(4, 7)
    for _ in range(10):
        made.together(0, 1)
        _wait(lambda: states(followers) == {following._ASLEEP})
    assert (total == 10).all()
    assert set(map(frozenset, asked)) == {frozenset(usual if len(usual) > 1 else ())}
    masks = [os.sched_getaffinity(thread.native_id or 0) for thread in followers._threads]
    assert masks == [usual] * 3


def test_nobody_comes(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following._Followers, "_serve", lambda self, n: None)
    followers = following._Followers(threads - 1)
    monkeypatch.setattr(following, "_followers", lambda _: followers)
    made, total = counting(threads, 7)
    for n in range(1, 20):
        made.together(0, 1)
        assert (total == n).all()
    assert states(followers) == {0}  # what was posted has been taken back


def test_an_interrupt_once_others_are_asked(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, total = counting(threads, 7)
    made.together(0, 1)
    ask = following._Followers.ask

    def interrupted(self: following._Followers, call: int, scratch_bytes: int) -> None:
        ask(self, call, scratch_bytes)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(following._Followers, "ask", interrupted)
        for _ in range(20):
            with pytest.raises(KeyboardInterrupt):
                made.together(0, 1)
    assert (total == 1).all()
    for n in range(2, 50):
        made.together(0, 1)
        assert (total == n).all()


def test_each_thread_has_scratch_memory_of_the_size_asked_for() -> None:
    followers = following._Followers(3)
    for size in (0, 1000, 100, 5000):
        followers._grow(size) if size > followers._size else None
        places = sorted(followers._words[16 * n + following._BOX_SCRATCH] for n in range(3))
        assert all(b - a >= size for a, b in itertools.pairwise(places))
        assert all(p % 64 == 0 for p in places)


def states(followers: following._Followers) -> set[int]:
    return {followers._words[16 * n] for n in range(followers.count)}


def _wait(done: Callable[[], bool]) -> None:
    for _ in range(500):
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("it takes longer than 5 s")
