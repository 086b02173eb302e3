"""Machine code found by the text of a module: what counts, and that nothing is lost by it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.driver import kernels
from workbench.driver import lowering
from workbench.driver.content import COMPILER, content, fingerprint
from workbench.ir.module import Module
from workbench.ir.parse import parse
from workbench.ir.text import text
from workbench.passes.default import PIPELINE
from workbench.passes.unroll import Unroll
from workbench.runtime.cache import Cache, CacheStats


def everywhere(worker: int) -> list[tuple[int, int]]:
    return [(worker, column) for column in range(8)]


@wb.script
def by_function(a: wb.lang.f32[64, 8], b: wb.lang.f32[64, 8]):
    wb.lang.launch(grid=1, block=64)
    for i, j in wb.TaskMapping((64, 8), 64, everywhere).on(wb.lang.threadIdx.x):
        b[i, j] = a[i, j] + 1.0


@pytest.fixture
def passes_refused(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, no pass may run."""

    def refuse(*_: object) -> Module:
        raise AssertionError("passes ran")

    return lambda: monkeypatch.setattr(lowering, "run_passes", refuse)


def test_a_known_module_runs_without_passes(
    tmp_path: Path, passes_refused: Callable[[], None]
) -> None:
    module = kernels.scale.module()
    first = wb.compile_module(module, "cpu", cache=Cache(tmp_path))
    passes_refused()
    cache = Cache(tmp_path)
    # another module with the same text: what a second process has
    second = wb.compile_module(parse(text(module)), "cpu", cache=cache)
    assert cache.stats == CacheStats(hits=1)
    assert second.binary == first.binary
    assert [replace(p, span=None) for p in second.params] == [
        replace(p, span=None) for p in first.params
    ]
    a = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    out = np.zeros_like(a)
    second(a, out)
    assert (out == a * 2).all()
    frozen = np.zeros_like(a)
    frozen.flags.writeable = False
    with pytest.raises(wb.LaunchError, match="read-only"):
        second(a, frozen)


def test_its_stages_come_when_they_are_looked_at(tmp_path: Path) -> None:
    module = kernels.scale.module()
    first = wb.compile_module(module, "cpu", cache=Cache(tmp_path))
    second = wb.compile_module(module, "cpu", cache=Cache(tmp_path))
    assert [s.name for s in second.stages] == [s.name for s in first.stages]
    assert second.source == first.source
    assert text(second.module) == text(first.module)
    assert second.asm == first.asm


def test_other_passes_are_other_machine_code(tmp_path: Path) -> None:
    module, cache = kernels.scale.module(), Cache(tmp_path)
    wb.compile_module(module, "cpu", cache=cache)
    other = (*PIPELINE[:-1], Unroll(limit=2))
    wb.compile_module(module, "cpu", cache=cache, passes=other)
    assert cache.stats == CacheStats(misses=2)


def test_a_python_function_is_no_content(tmp_path: Path) -> None:
    module = by_function.module()
    assert content(module) is None
    a = np.ones((64, 8), np.float32)
    for _ in range(2):  # then the text of the LLVM IR tells
        cache, b = Cache(tmp_path), np.zeros_like(a)
        wb.compile_module(module, "cpu", cache=cache)(a, b)
        assert (b == 2).all()
    assert cache.stats == CacheStats(hits=1)


def test_a_damaged_entry_is_built_again(tmp_path: Path) -> None:
    module = kernels.scale.module()
    wb.compile_module(module, "cpu", cache=Cache(tmp_path))
    (entry,) = tmp_path.glob("*/*.kernel")
    entry.write_bytes(entry.read_bytes()[:-7])
    with pytest.warns(wb.WorkbenchWarning, match="damaged"):
        kernel = wb.compile_module(module, "cpu", cache=Cache(tmp_path))
    out = np.zeros((64, 8), np.float32)
    kernel(np.ones_like(out), out)
    assert (out == 2).all()


def test_an_edited_compiler_is_another_compiler(tmp_path: Path) -> None:
    file = tmp_path / "passes" / "deep" / "one.py"
    file.parent.mkdir(parents=True)
    file.write_text("LIMIT = 16\n")
    before = fingerprint((tmp_path,))
    assert before == fingerprint((tmp_path,))
    file.write_text("LIMIT = 32\n")
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))
    edited = fingerprint((tmp_path,))
    (file.parent / "two.py").touch()
    assert len({before, edited, fingerprint((tmp_path,))}) == 3


def test_without_files_there_is_no_fingerprint(tmp_path: Path) -> None:
    assert fingerprint((tmp_path / "archive.zip" / "passes",)) is None
    assert COMPILER is not None
