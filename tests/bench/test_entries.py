"""Every entry runs and gives figures of the right form; how fast this machine is, no test says."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable

import pytest

from workbench.base.errors import WorkbenchError
from workbench.bench import entries
from workbench.bench.entries import ENTRIES, Entry
from workbench.bench.figure import Figure, Settings
from workbench.bench.new_kernel import new_kernel
from workbench.bench.record import lines

QUICK = Settings(quick=True)


@pytest.fixture(scope="module")
def results() -> Callable[[str], list[Figure]]:
    """The figures of an entry, measured once."""
    known: dict[str, list[Figure]] = {}

    def of(name: str) -> list[Figure]:
        if name not in known:
            ((_, known[name]),) = entries.run(entries.chosen([name]), QUICK)
        return known[name]

    return of


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_gives_well_formed_figures(
    entry: Entry, results: Callable[[str], list[Figure]]
) -> None:
    figures = results(entry.name)
    assert figures
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        if figure.value is None:
            assert figure.conditions, "what was not measured says why"
            assert not figure.conditions.startswith("failed"), figure.conditions
            assert figure.met is None
        else:
            assert math.isfinite(figure.value)
            assert figure.value >= 0
        if figure.low is not None:
            assert figure.high is not None
            assert figure.value is not None
            assert figure.low <= figure.value <= figure.high


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_line_of_json_tells_all(entry: Entry, results: Callable[[str], list[Figure]]) -> None:
    figures = results(entry.name)
    found = [json.loads(line) for line in lines(entry, figures, QUICK)]
    assert [each["figure"] for each in found] == [figure.name for figure in figures]
    for each, figure in zip(found, figures, strict=True):
        assert each["entry"] == entry.name
        assert each["quick"] is True
        assert each["value"] == figure.value
        assert (each["goal"] is None) == (figure.goal is None)
        assert each["device"]
        assert each["date"].endswith("+00:00")
        assert {"python", "workbench", "numpy"} <= set(each["versions"])


@pytest.mark.parametrize(
    ("name", "goals"),
    [
        ("import", ["≤ 400 ms", "≤ 0"]),
        ("new_kernel", ["≤ 50 ms", "≥ 3 ×"]),
        ("second_process", ["≤ 5 ms"]),
        ("mapping_edit", ["≤ 50 ms", "≤ 50 ms"]),
        ("mapping_paint", ["≤ 16 ms"]),
        ("program_paint", ["≤ 300 ms"]),
        ("gpu_on_cpu", ["≥ 0.300 ×", "≥ 100 ×"]),
        ("nvrtc", ["≤ 100 ms", "≤ 300 ms"]),
        ("models", ["≤ 1 × onnxruntime", "≤ 1 ×"]),
    ],
)
def test_the_goals_are_those_agreed_on(
    name: str, goals: list[str], results: Callable[[str], list[Figure]]
) -> None:
    assert [each.goal.text(each.unit) for each in results(name) if each.goal] == goals


def test_nothing_heavy_came_along(results: Callable[[str], list[Figure]]) -> None:
    (heavy,) = (each for each in results("import") if each.name == "heavy packages loaded")
    assert heavy.value == 0, heavy.facts


def test_kernels_are_right_on_every_target(results: Callable[[str], list[Figure]]) -> None:
    figures = results("targets")
    errors = [each for each in figures if each.unit == "largest error"]
    assert len(errors) == 12
    assert all(each.value is not None and each.value < 1e-5 for each in errors)
    where = {each.name.rpartition(" ")[2] for each in figures}
    assert where == {"interp", "cpu", "sm_80", "sm_90a"}


def test_without_numba_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.bench.new_kernel.importlib.util.find_spec", lambda _: None)
    figures = new_kernel(QUICK)
    assert [each.name for each in figures if each.value is None] == ["numba", "numba ÷ workbench"]
    assert "[bench]" in figures[-1].conditions


def test_an_entry_that_fails_does_not_stop_the_others() -> None:
    def broken(_: Settings) -> list[Figure]:
        raise WorkbenchError("no such thing")

    def sound(_: Settings) -> list[Figure]:
        return [Figure("one", 1.0)]

    rows = [Entry("broken", "", "", broken), Entry("sound", "", "", sound)]
    (_, failed), (_, fine) = entries.run(rows, QUICK)
    assert (failed[0].value, failed[0].conditions) == (None, "failed: no such thing")
    assert fine == [Figure("one", 1.0)]


def test_running_leaves_the_user_s_cache_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def look(_: Settings) -> list[Figure]:
        import os

        seen.append(os.environ["WORKBENCH_CACHE"])
        return []

    monkeypatch.setenv("WORKBENCH_CACHE", "mine")
    list(entries.run([Entry("look", "", "", look)] * 2, QUICK))
    assert len({"mine", *seen}) == 3


def test_no_entry_loads_its_peers_before_it_runs() -> None:
    # they are imported here, in this process, only if an earlier test measured beside them
    for name, module in list(sys.modules.items()):
        if name.startswith("workbench.bench"):
            assert not {"numba", "onnxruntime", "torch", "cupy"} & set(vars(module))
