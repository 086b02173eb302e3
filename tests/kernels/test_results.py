"""Every kernel on every target that needs no GPU: odd and prime extents, against float64."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.kernels.cases import BY_NAME, EVERY, FOLDER, load_file, program
from workbench.ir.types import Scope


@pytest.mark.parametrize(("name", "size"), EVERY)
@pytest.mark.parametrize("target", ["interp", "cpu"])
def test_result(name: str, size: tuple[int, ...], target: str) -> None:
    case = BY_NAME[name]
    inputs = case.arrays(size)
    kept = [a.copy() for a in inputs]
    out = np.full(case.reference(*inputs)[0].shape, np.nan, np.float32)
    kernel = program(name).kernel_for((*inputs, out), target)
    kernel(*inputs, out)
    case.check(inputs, out)
    for before, after in zip(kept, inputs, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(("name", "size"), EVERY)
def test_shared_memory_is_read_and_written_without_bank_conflicts(
    name: str, size: tuple[int, ...]
) -> None:
    case = BY_NAME[name]
    inputs = case.arrays(size)
    out = np.zeros(case.reference(*inputs)[0].shape, np.float32)
    report = wb.interpret(program(name), *inputs, out, log_accesses=True)
    assert report.ok
    for access in report.accesses:
        if access.scope is Scope.SHARED:
            assert access.conflicts == 0, access.span


@pytest.mark.parametrize(
    ("name", "size"), [("copy_2d", (32, 64)), ("transpose", (32, 64)), ("vector_add", (256,))]
)
def test_every_sector_that_moves_is_used(name: str, size: tuple[int, ...]) -> None:
    case = BY_NAME[name]
    inputs = case.arrays(size)
    out = np.zeros(case.reference(*inputs)[0].shape, np.float32)
    report = wb.interpret(program(name), *inputs, out, log_accesses=True)
    moved = [a for a in report.accesses if a.scope is Scope.GLOBAL]
    assert len(moved) == len(inputs) + 1
    for access in moved:
        assert access.sectors == access.ideal_sectors
        assert access.bytes_used == access.bytes_fetched


@pytest.mark.parametrize(
    ("name", "size", "tensor"),
    [
        ("transpose", (32, 32), "tile"),
        ("matmul", (128, 128, 16), "tile_"),
        ("block_sum", (1, 256), "partial"),
    ],
)
def test_without_its_barriers_the_interpreter_names_two_threads(
    name: str, size: tuple[int, ...], tensor: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = (FOLDER / f"{name}.py").read_text()
    path = tmp_path_factory.mktemp("broken") / f"{name}.py"
    path.write_text(text.replace(" syncthreads()\n", " pass\n"))
    broken = getattr(load_file(path), name)
    case = BY_NAME[name]
    inputs = case.arrays(size)
    out = np.zeros(case.reference(*inputs)[0].shape, np.float32)
    report = wb.interpret(broken, *inputs, out)
    races = [f for f in report.faults if f.kind == "race"]
    assert races
    for fault in races:
        assert fault.tensor.startswith(tensor)
        assert fault.other_thread is not None
        assert fault.other_thread != fault.thread
        assert f"thread ({', '.join(map(str, fault.thread))})" in fault.message
