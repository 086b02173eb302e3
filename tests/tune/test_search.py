"""The search: right results win, every candidate is accounted for, nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster

import workbench as wb
from workbench.lang import blockIdx, ceil_div, f32, launch, threadIdx
from workbench.tune import Space, Status, Trial, Tuning, tune
from workbench.tune.record import Record

(N,) = (wb.dims("N"),)


def scale(threads: int, each: int) -> wb.Program:
    if threads * each > 512:
        raise wb.ScheduleError("more than 512 elements in a block")

    @wb.script
    def scale(a: f32[N], b: f32[N]):
        launch(grid=ceil_div(N, threads * each), block=threads)
        for n in range(each):
            i = (blockIdx.x * each + n) * threads + threadIdx.x
            if i < N:
                b[i] = a[i] * 2.0

    return scale


SPACE = Space.of(threads=[32, 64, 128, 256], each=[1, 2, 4]).where(
    "too small a block", lambda threads, each: threads * each >= 64
)
A = np.arange(1000, dtype=np.float32)
ARGS = (A, np.zeros_like(A))
QUICK = {"sample_s": 0.001}


def names(found: Tuning, status: Status) -> set[str]:
    return {str(t.candidate) for t in found.trials if t.status is status}


def test_every_candidate_is_accounted_for() -> None:
    seen: list[tuple[int, int]] = []
    found = tune(
        scale,
        SPACE,
        ARGS,
        top=5,
        observer=lambda _, done, planned: seen.append((done, planned)),
        **QUICK,
    )
    assert len({str(t.candidate) for t in found.trials}) == len(found.trials) == 12
    assert found.count(Status.MEASURED) == 5
    assert names(found, Status.REFUSED) == {"threads=32, each=1"}
    assert names(found, Status.FAILED) == {"threads=256, each=4"}
    failed = next(t for t in found.trials if t.status is Status.FAILED)
    assert failed.reason == "more than 512 elements in a block"
    assert found.count(Status.SKIPPED) == 5
    measured = [t for t in found.trials if t.median_us is not None]
    assert measured == list(found.trials[:5])
    assert [t.median_us for t in measured] == sorted(t.median_us or 0 for t in measured)
    assert all(t.predicted_us and t.samples >= 5 for t in measured)
    assert seen[-1][0] == 6  # five measured, one that could not be built
    assert (ARGS[1] == 0).all()  # the caller's arrays are left alone


def test_the_best_serves_every_size() -> None:
    program = tune(scale, SPACE, ARGS, **QUICK).program
    for n in (1, 63, 5000):
        a, b = np.arange(n, dtype=np.float32), np.zeros(n, np.float32)
        program(a, b)
        assert (b == 2 * a).all()


def broken(kind: str, threads: int) -> wb.Program:
    end, factor = (500, 2.0) if kind == "half" else (1000, 3.0 if kind == "wrong" else 2.0)

    @wb.script
    def scale(a: f32[1000], b: f32[1000]):
        launch(grid=ceil_div(1000, threads), block=threads)
        i = blockIdx.x * threads + threadIdx.x
        if i < end:
            b[i] = a[i] * factor

    return scale


def test_wrong_results_never_win() -> None:
    space = Space.of(kind=["right", "wrong", "half"], threads=[64])
    found = tune(broken, space, ARGS, expected={"b": 2 * A}, **QUICK)
    assert names(found, Status.MEASURED) == {"kind='right', threads=64"}
    reasons = {t.candidate["kind"]: t.reason for t in found.trials if t.reason}
    assert reasons["wrong"] == "b differs by up to 999"
    assert reasons["half"] == "b differs by up to nan"


def test_without_expectation_the_candidates_must_agree() -> None:
    found = tune(broken, Space.of(kind=["right", "wrong"], threads=[64]), ARGS, **QUICK)
    assert found.count(Status.MEASURED) == found.count(Status.FAILED) == 1
    left_out = tune(broken, Space.of(kind=["half"], threads=[64]), ARGS, **QUICK)
    with pytest.raises(wb.ScheduleError, match="none of the 1 candidates of scale"):
        _ = left_out.best
    assert "not stored" in left_out.trials[0].reason


def test_a_record_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    first = tune(scale, SPACE, ARGS, top=3, record=path, **QUICK)
    assert len(path.read_text().splitlines()) == 3
    second = tune(scale, SPACE, ARGS, record=path, **QUICK)
    assert len(path.read_text().splitlines()) == second.count(Status.MEASURED) == 10
    assert names(first, Status.MEASURED) <= names(second, Status.MEASURED)
    third = tune(scale, SPACE, ARGS, record=path, **QUICK)
    assert len(path.read_text().splitlines()) == 10
    assert third.best.candidate in {t.candidate for t in second.trials[:10]}
    # other sizes are other trials
    tune(scale, SPACE, (A[:500].copy(), ARGS[1][:500].copy()), top=1, record=path, **QUICK)
    assert len(path.read_text().splitlines()) == 11


def test_a_damaged_record_loses_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    tune(scale, SPACE, ARGS, top=2, record=path, **QUICK)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(wb.WorkbenchWarning, match="line 2 of .* is no trial"):
        assert len(Record(path).known()) == 1
    with pytest.warns(wb.WorkbenchWarning):
        tune(scale, SPACE, ARGS, top=2, record=path, **QUICK)
    with pytest.warns(wb.WorkbenchWarning):
        assert len(Record(path).known()) == 2


def test_trials_survive_the_file() -> None:
    for trial in tune(scale, SPACE, ARGS, top=2, **QUICK).trials:
        assert Trial.read(json.loads(json.dumps(trial.json()))) == trial


def interrupt_after(count: int) -> Callable[[Trial, int, int], None]:
    def observe(_: Trial, done: int, __: int) -> None:
        if done == count:
            raise KeyboardInterrupt

    return observe


def test_an_interrupt_keeps_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    found = tune(scale, SPACE, ARGS, record=path, observer=interrupt_after(4), **QUICK)
    assert found.stopped == "interrupted"
    assert found.count(Status.MEASURED) == len(path.read_text().splitlines()) == 3
    assert found.best.median_us
    assert "interrupted" in str(found)


def test_the_time_is_up() -> None:
    found = tune(scale, SPACE, ARGS, budget_s=0.0, **QUICK)
    assert found.stopped == "the time was up"
    assert found.count(Status.MEASURED) == 0
    assert {t.reason for t in found.trials if t.status is Status.SKIPPED} == {"the time was up"}


def test_threads_and_processes_measure() -> None:
    with (
        ThreadPoolExecutor(1) as threads,
        ProcessPoolExecutor(1, get_context("spawn")) as processes,
    ):
        for executor in (threads, processes):
            found = tune(scale, SPACE, ARGS, executor=executor, **QUICK)
            assert found.count(Status.MEASURED) == 10
            assert found.program is not None


def test_dask_measures() -> None:
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        found = tune(scale, SPACE, ARGS, executor=executor, **QUICK)
    assert found.count(Status.MEASURED) == 10


def test_random_arguments_when_none_are_given() -> None:
    found = tune(broken, Space.of(kind=["right"], threads=[32, 64]), **QUICK)
    assert found.count(Status.MEASURED) == 2
    with pytest.raises(wb.ScheduleError) as caught:
        _ = tune(scale, SPACE, **QUICK).best
    assert any("needs a number for N" in note for note in caught.value.notes)


def test_a_space_without_legal_candidates() -> None:
    space = Space.of(threads=[32], each=[1]).where("never", lambda threads: threads < 0)
    with pytest.raises(wb.ScheduleError, match="none of the 1 combinations") as caught:
        tune(scale, space, ARGS)
    assert caught.value.notes == ("never",)


def test_cubins_are_judged_without_a_gpu() -> None:
    found = tune(scale, SPACE, ARGS, target="cuda:sm_90a", top=2, **QUICK)
    tried = [t for t in found.trials if t.compile_ms]
    assert len(tried) == 2
    assert all(t.status is Status.MEASURED or t.reason for t in tried)
