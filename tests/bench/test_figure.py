"""Figures, goals, tables and files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench import cli
from workbench.base.errors import WorkbenchError
from workbench.bench import record
from workbench.bench.entries import ENTRIES, Entry, chosen
from workbench.bench.figure import Figure, Goal, Settings, absent, duration, report, times
from workbench.runtime.timing import Measurement, ratio

ONE = Measurement("one", (1000.0, 2000.0, 3000.0, 4000.0, 50_000.0), clock="a clock")
TWO = Measurement("two", (2000.0, 4000.0, 6000.0, 8000.0, 100_000.0), clock="a clock")


def test_a_table(golden: Callable[[str, str], None]) -> None:
    figures = [
        duration("met", ONE, Goal(5)),
        duration("not met", TWO, Goal(5), {"modules": 12, "passes [ms]": 0.51234}),
        times("two ÷ one", ratio(TWO, ONE), Goal(3, at_least=True)),
        Figure("bytes spilled", 0, goal=Goal(0)),
        absent("peer", "it is not installed", Goal(2, at_least=True), "×"),
    ]
    golden("table.txt", report("C0   an entry", figures))


def test_a_duration_is_the_median_with_the_middle_half() -> None:
    figure = duration("one", ONE)
    assert (figure.value, figure.low, figure.high) == (3.0, 2.0, 4.0)
    assert "5 samples" in figure.conditions
    assert duration("one", Measurement("one", (7.0,))).low is None


def test_a_goal_on_its_edge_is_met() -> None:
    assert Goal(0).met(0)
    assert Goal(3, at_least=True).met(3)
    assert not Goal(3, at_least=True).met(2.999)


def test_entries_have_names_and_labels_of_their_own() -> None:
    names = [entry.name for entry in ENTRIES]
    labels = [entry.label for entry in ENTRIES if entry.label]
    assert len(set(names)) == len(names)
    assert len(set(labels)) == len(labels)
    assert {"C1", "C5", "C8", "C9", "C10", "C11"} <= set(labels)
    assert chosen([]) == ENTRIES
    assert [entry.name for entry in chosen(["C10", "import"])] == ["import"]


def test_an_unknown_name(golden: Callable[[str, str], None]) -> None:
    with pytest.raises(WorkbenchError) as caught:
        chosen(["c8", "c99"])
    golden("unknown.txt", str(caught.value))


def test_lines_are_added_to_the_entry_s_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    entry = Entry("thing", "C0", "", lambda _: [])
    for value in (1.0, 2.0):
        path = record.save(entry, record.lines(entry, [Figure("f", value)], Settings()))
    assert path == tmp_path / "results" / "thing.jsonl"
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [each["value"] for each in found] == [1.0, 2.0]
    assert all("commit" in each for each in found)


def test_results_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").write_text("a file in the way")
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    with pytest.raises(WorkbenchError, match=r"thing\.jsonl cannot be written"):
        record.save(Entry("thing", "", "", lambda _: []), ["{}"])


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "--quick", "C11"]) == 0
    assert capsys.readouterr().out.startswith(
        "C11  from a mapping's text to its picture\n  text to"
    )
    assert cli.main(["bench", "--quick", "--json", "mapping_edit"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["entry"] for row in rows] == ["mapping_edit"] * 2
    assert cli.main(["bench", "nothing"]) == 1
    assert "no entry of the bench is called nothing" in capsys.readouterr().err
    assert cli.main(["bench", "--quick", "--save"]) == 1
    assert "mean nothing" in capsys.readouterr().err


def test_kept_results_are_whole() -> None:
    for path in sorted(record.RESULTS.glob("*.jsonl")):
        assert path.stem in {entry.name for entry in ENTRIES}
        for line in path.read_text(encoding="utf-8").splitlines():
            each = json.loads(line)
            assert each["quick"] is False
            assert {"figure", "value", "unit", "conditions", "device", "versions", "date"} <= set(
                each
            )
            assert each["commit"]
