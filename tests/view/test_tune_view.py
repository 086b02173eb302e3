"""Searches, comparisons and rooflines as views."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import workbench as wb
from workbench.base.errors import WorkbenchError
from workbench.bench.peers import comparison_view
from workbench.lang import blockIdx, f32, launch, threadIdx
from workbench.runtime.timing import Measurement
from workbench.tune import Candidate, Space, Status, Trial, Tuning, tune
from workbench.view import as_json, bundle, svg_of, text_of, timing_view, tune_view
from workbench.view.execution import CellWrite, ExecutionView, IntervalView
from workbench.view.memory import AccessView, MemoryView
from workbench.view.roofline import roofline
from workbench.view.tune import MOST_LINES, MOST_TRIALS, compared_view, diff_view, running_view

EVIL = "<script>alert(1)</script>"


def scale(threads: int, way: str = "times") -> wb.Program:
    if way == "wrong":
        raise WorkbenchError(f"{EVIL} is no way")

    @wb.script
    def scale(a: f32[512], b: f32[512]):
        launch(grid=512 // threads, block=threads)
        i = blockIdx.x * threads + threadIdx.x
        b[i] = a[i] * 2.0

    return scale


def searched() -> Tuning:
    space = Space.of(threads=[32, 64, 128], way=["times", "wrong"])
    return tune(scale, space, sample_s=0.001, top=5)


def test_a_search_names_every_trial_with_what_became_of_it():
    tuning = searched()
    view = tune_view(tuning)
    assert view.knobs == ("threads", "way")
    assert len(view.trials) == len(tuning.trials) == 6
    best = view.trials[view.best]
    assert best.median_us == min(t.median_us for t in view.trials if t.median_us)
    assert best.knobs[0] == str(tuning.best.candidate["threads"])
    failed = [t for t in view.trials if t.status == "failed"]
    assert len(failed) == 3
    assert all(EVIL in t.reason for t in failed)
    assert [(r.status, r.count) for r in view.reasons] == [("failed", 3)]
    said = bundle(view)
    json.dumps(said)
    assert "<script" not in said["image/svg+xml"] + said["text/html"]
    assert ET.fromstring(svg_of(view)).tag.endswith("svg")
    text = text_of(view)
    assert "threads 32" in text
    assert "registers" not in text  # of which nothing is known on a CPU
    assert f"3 × failed: {EVIL}" in text


def test_registers_spills_and_occupancy_stand_where_they_are_known():
    trials = [
        Trial(Candidate.of(k=1), Status.MEASURED, "", 2.0, "", 3.0, 2.5, 3.5, 5, 1.0, 40, 8, 0.5),
        Trial(Candidate.of(k=2), Status.FAILED, "spills 8 bytes of registers", 1.0, registers=255),
    ]
    view = tune_view(Tuning("k", "cuda", "a GPU", tuple(trials)))
    assert (view.trials[0].registers, view.trials[0].occupancy) == (40, 0.5)
    text = text_of(view)
    for said in ("registers", "40", "8 B", "50 %", "1 × failed: spills 8 bytes"):
        assert said in text


@pytest.mark.parametrize("times", [(), (1.0,), (1e-3, 1e7), (5.0, 5.0, 5.0)])
def test_any_times_can_be_drawn(times: tuple[float, ...]):
    trials = [
        Trial(Candidate.of(k=k), Status.MEASURED, "", t * 2, "", t, t, t, 5)
        for k, t in enumerate(times)
    ]
    picture = ET.fromstring(svg_of(tune_view(Tuning("k", "cpu", "a CPU", tuple(trials)))))
    dots = [e for e in picture.iter() if e.get("class") == "dot"]
    assert len(dots) == len(times)


def test_a_large_search_is_a_window_and_says_so():
    trials = [Trial(Candidate.of(k=k), Status.SKIPPED, "others") for k in range(MOST_TRIALS + 7)]
    view = tune_view(Tuning("k", "cpu", "a CPU", tuple(trials)))
    assert len(view.trials) == MOST_TRIALS
    assert view.note == f"the first {MOST_TRIALS} of {MOST_TRIALS + 7}"
    assert view.reasons[0].count == MOST_TRIALS + 7


def test_time_left_follows_from_the_pace():
    trials = searched().trials[:2]
    view = running_view(trials, "k", "cpu", "a CPU", 6, 3.0)
    assert (view.state, view.done, view.planned, view.left_s) == ("running", 2, 6, 6.0)
    assert running_view((), "k", "cpu", "a CPU", 6, 3.0).left_s is None


def test_a_search_can_be_stopped_and_keeps_what_it_has():
    seen: list[Trial] = []
    space = Space.of(threads=[8, 16, 32, 64, 128, 256, 512, 1, 2, 4], way=["times"])
    found = tune(
        scale, space, sample_s=0.001,
        observer=lambda trial, done, planned: seen.append(trial), stop=lambda: len(seen) > 0,
    )  # fmt: skip
    assert found.stopped == "stopped"
    assert found.count(Status.MEASURED) == 8  # the heat that had begun
    assert {t.reason for t in found.trials if t.status is Status.SKIPPED} == {"stopped"}
    none = tune(scale, space, stop=lambda: True)
    assert none.count(Status.MEASURED) == 0
    assert none.stopped == "stopped"


def test_two_trials_are_compared_by_their_text():
    tuning = searched()
    best, other = 0, next(k for k, t in enumerate(tuning.trials) if k and t.median_us)
    view = compared_view(tuning, best, other)
    assert view.language == "llvm"
    signs = {line.sign for line in view.lines}
    assert {"-", "+"} <= signs
    same = compared_view(tuning, best, best)
    assert (same.lines, same.note) == ((), "both have the same text")
    failed = next(k for k, t in enumerate(tuning.trials) if t.status is Status.FAILED)
    with pytest.raises(WorkbenchError, match="is no way"):
        compared_view(tuning, best, failed)


def test_a_comparison_can_be_put_back_together():
    old = [f"line {k}" for k in range(3000)]
    new = [*old[:5], "new", *old[7:2990], "end", *old[2990:]]
    view = diff_view("a", "b", "cuda", old, new)
    assert [line.text for line in view.lines if line.sign == "-"] == ["line 5", "line 6"]
    assert [line.text for line in view.lines if line.sign == "+"] == ["new", "end"]
    skipped = [int(line.text.split()[0]) for line in view.lines if line.sign == "…"]
    shown_old = sum(line.sign in "-=" for line in view.lines)
    assert sum(skipped) + shown_old <= 3000
    whole = diff_view("a", "b", "cuda", old, [f"other {k}" for k in range(3000)])
    assert len(whole.lines) == MOST_LINES
    assert "of 6000 lines" in whole.note


def test_peers_are_held_against_the_first_sample_by_sample():
    first = Measurement("ours", (2.0, 4.0, 8.0), beside=("numpy",))
    other = Measurement("numpy", (1.0, 1.0, 8.0), beside=("ours",))
    view = timing_view(first, [other], around="2 threads")
    peer = view.peers[0]
    assert peer.ratio == 0.5
    assert (peer.ratio_low, peer.ratio_high) == (0.375, 0.75)
    assert "interleaved with numpy" in view.conditions
    assert "2 threads" in view.conditions
    assert "0.50 × (0.38 to 0.75)" in text_of(view)
    assert "numpy" in svg_of(view)
    json.dumps(as_json(view))


def test_compare_times_what_can_be_called():
    a = np.ones((32, 32))
    found = wb.compare({"ours": lambda: a @ a, EVIL: lambda: a + a}, budget_s=0.01)
    assert [m.name for m in found.measurements] == ["ours", EVIL]
    assert found.ratio(EVIL).median > 0
    assert "numpy" in found.around
    assert "thread" in found.around
    view = comparison_view(found)
    assert "<script" not in bundle(view)["image/svg+xml"]
    for wrong in ({}, {"ours": 3}):
        with pytest.raises(WorkbenchError, match="calls without arguments"):
            wb.compare(wrong)


def test_a_roofline_counts_what_the_kernel_does():
    kernel = scale(64).compile("cpu")
    line = roofline(kernel, 10.0)
    figures = {f.label: f for f in line.figures}
    assert figures["operations"].value == "512 op"
    assert figures["bytes that must move"].value == "4.10 kB"
    assert line.intensity == 512 / 4096
    assert line.achieved == pytest.approx(512 / 10 / 1e3)
    assert {f.source for f in line.figures} == {"measured", "counted", "predicted"}
    assert figures["peak"].formula.startswith("12 chains of fused multiply-adds on ")
    assert all(f.formula for f in line.figures)
    share = line.achieved / min(line.peak, line.bandwidth * line.intensity)
    assert figures["of the roof"].value == f"{100 * share:.3g} %"
    cached = {f.label: f for f in roofline(kernel, 1e-3).figures}["of the roof"]
    assert cached.formula.endswith("above it: the data lie in a cache")
    assert "cache" not in figures["of the roof"].formula
    gpu = roofline(scale(64).compile("cuda:sm_90a"), 10.0)
    stated = {f.label: f for f in gpu.figures}["peak"]
    assert (stated.source, "data sheet" in stated.formula) == ("stated", True)


def test_a_kernel_that_only_moves_is_held_against_memory():
    @wb.script
    def move(a: f32[64], b: f32[64]):
        launch(grid=1, block=64)
        b[threadIdx.x] = a[threadIdx.x]

    line = roofline(move.compile("cpu"), 1.0)
    assert line.intensity == 0
    assert "of the memory" in {f.label for f in line.figures}
    ET.fromstring(svg_of(timing_view(Measurement("move", (1.0,)), kernel=move.compile("cpu"))))


def test_views_that_nothing_makes_yet_have_a_form():
    write = CellWrite("tile", (0, 3), 7.0, 5, 12)
    run = ExecutionView("k", (0, 0, 0), 32, (IntervalView(13, (write,), (31,)),))
    access = AccessView("a", "global", False, 9, (0, 4, -1), 32, 8, 1)
    for view in (run, MemoryView("k", (access,))):
        data = json.loads(json.dumps(as_json(view)))
        assert data["kind"] in ("execution", "memory")
        assert data["version"] == 1
