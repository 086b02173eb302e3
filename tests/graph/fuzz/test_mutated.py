"""Models made wrong, by chance and by hand: an error in words or the right answer, never worse.

Each mutant is judged in a process of its own kind (`child`), which this one watches: a crash, a
hang and a file opened outside the model's folder are seen, and known by the mutant's number.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.graph.fuzz.hostile import cases
from tests.graph.fuzz.mutate import mutant
from tests.graph.fuzz.seeds import seeds

ROOT = Path(__file__).parents[3]
MUTANTS = 2000
WORKERS = 2
SILENCE_S = 120
"""Without a word from a child for so long it is ended; it counts its own 10 s of work."""


def judged(what: str, first: int, last: int, step: int) -> list[dict[str, Any]]:
    """What children found of these numbers; a child that dies is replaced by another."""
    found: list[dict[str, Any]] = []
    while first < last:
        lines = _child(what, first, last, step)
        done = {line["number"]: line for line in lines if "found" in line}
        begun = {line["number"]: line for line in lines if "what" in line}
        found += [{**begun.get(n, {}), **line} for n, line in done.items()]
        died = next((n for n in range(first, last, step) if n not in done), None)
        if died is None:
            return found
        found.append({"number": died, **begun.get(died, {}), "found": "", "bad": "the end of it"})
        first = died + step
    return found


def _child(what: str, first: int, last: int, step: int) -> list[dict[str, Any]]:
    """The lines of one child until it ends, dies or says nothing more."""
    command = [sys.executable, "-m", "tests.graph.fuzz.child", what, *map(str, (first, last, step))]
    # one thread: what numpy sets aside for others is no memory of the model
    own = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with (
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as child,
        ThreadPoolExecutor(1) as pool,
    ):
        assert child.stdout is not None
        lines: list[dict[str, Any]] = []
        try:
            while line := pool.submit(child.stdout.readline).result(SILENCE_S):
                lines.append(json.loads(line))
        except (TimeoutError, json.JSONDecodeError):
            pass  # it hangs, or died in the middle of a line
        finally:
            child.kill()
        return lines


def told(found: list[dict[str, Any]]) -> str:
    """The findings, each with what was done to which model."""
    return "\n".join(
        f"{f['number']} {f.get('seed', '')} {f.get('what', '')}\n{f['bad']}"
        for f in found
        if f["bad"]
    )


def test_mutated_models() -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        parts = list(pool.map(lambda n: judged("mutants", n, MUTANTS, WORKERS), range(WORKERS)))
    found = [line for part in parts for line in part]
    assert len(found) == MUTANTS
    assert not told(found), told(found)
    # the mutants are neither all refused nor all as good as before
    refused = sum("Error" in f["found"] or "Unsupported" in f["found"] for f in found)
    assert 0.2 * MUTANTS < refused < 0.9 * MUTANTS
    assert sum(f["found"] == "ran" for f in found) > MUTANTS / 40


def test_models_made_by_hand() -> None:
    found = judged("hand", 0, len(cases()), 1)
    assert len(found) == len(cases())
    assert not told(found), told(found)


def test_a_child_that_dies_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        [{"number": 0, "what": "a"}, {"number": 0, "found": "ran", "bad": ""}],
        [{"number": 1, "what": "b"}],
        [{"number": 2, "what": "c"}, {"number": 2, "found": "ran", "bad": ""}],
    ]
    dying = iter([[*lines[0], *lines[1]], lines[2]])
    monkeypatch.setattr("tests.graph.fuzz.test_mutated._child", lambda *_: next(dying))
    found = judged("mutants", 0, 3, 1)
    assert [f["number"] for f in found] == [0, 1, 2]
    assert told(found).startswith("1  b")


def test_a_number_is_always_the_same_mutant() -> None:
    seed = seeds()[100]
    first, again = (mutant(seed.data, random.Random(7)) for _ in range(2))
    assert first == again
