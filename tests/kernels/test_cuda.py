"""The kernels as CUDA: the text as golden files, cubins without spills; needs no GPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kernels.cases import BY_NAME, program

# the last size of each: odd or prime extents
SIZES = [(case.name, case.sizes[-1]) for case in BY_NAME.values()]


def extents(name: str, size: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(BY_NAME[name].dims, size, strict=True))


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_text(name: str, size: tuple[int, ...], golden: Callable[[str, str], None]) -> None:
    kernel = program(name).compile("cuda:sm_80", **extents(name, size))
    golden(f"{name}.cu", kernel.source)


@pytest.mark.parametrize("arch", ["sm_80", "sm_90a"])
@pytest.mark.parametrize(("name", "size"), SIZES)
def test_cubin_without_spills(name: str, size: tuple[int, ...], arch: str) -> None:
    pytest.importorskip("cuda.bindings.nvrtc", reason="NVRTC is not installed")
    kernel = program(name).compile(f"cuda:{arch}", **extents(name, size))
    found = kernel.resources
    assert kernel.binary[:4] == b"\x7fELF"
    assert found is not None
    assert found.spill_bytes == 0
    assert found.stack_bytes == 0
    assert found.registers <= 128, "two blocks of 256 threads on a multiprocessor"


@pytest.mark.parametrize("size", [(131, 139, 37), (1024, 1024, 1024)])
def test_matmul_reads_shared_memory_by_vectors(size: tuple[int, ...]) -> None:
    pytest.importorskip("cuda.bindings.nvrtc", reason="NVRTC is not installed")
    pytest.importorskip("cuda.pathfinder", reason="the disassembler is not found")
    kernel = program("matmul").compile("cuda:sm_80", **extents("matmul", size))
    sass = kernel.sass
    # 64 sums for each step of k, from 16 numbers of shared memory: four loads of four
    steps = sass.count("FFMA") // 64
    assert steps >= 1
    assert sass.count("LDS.128") == 4 * steps
