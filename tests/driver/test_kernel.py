"""What a kernel shows of itself, target by target."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.driver import kernels
from workbench.codegen.source import Source
from workbench.ir.module import Level, Module
from workbench.runtime import devices, nvrtc

ROOT = Path(__file__).parents[2]
needs_nvrtc = pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
needs_nvdisasm = pytest.mark.skipif(
    isinstance(devices.program("nvdisasm"), devices.Missing), reason="nvdisasm is not installed"
)


@needs_nvrtc
def test_a_cuda_kernel() -> None:
    kernel = kernels.scale.compile("cuda:sm_90a")
    assert str(kernel.target) == "cuda:sm_90a"
    assert kernel.source.startswith("// scale")
    assert kernel.binary[:4] == b"\x7fELF"
    resources = kernel.resources
    assert resources is not None
    assert resources.registers > 0
    assert resources.spill_bytes == 0
    assert ".target sm_90a" in kernel.ptx
    assert ".entry scale" in kernel.ptx
    occupancy = kernel.occupancy
    assert occupancy is not None
    assert occupancy.blocks == 16
    assert repr(kernel) == "Kernel(scale, cuda:sm_90a, grid 1, block 128)"
    with pytest.raises(wb.LaunchError, match="has no asm"):
        _ = kernel.asm


@needs_nvrtc
@needs_nvdisasm
def test_sass() -> None:
    sass = kernels.scale.compile("cuda:sm_90a").sass
    assert "FADD" in sass or "FMUL" in sass
    assert "EXIT" in sass


def test_stages_lead_from_the_script_to_the_source() -> None:
    kernel = kernels.scale.compile("cuda:sm_80")
    names = [stage.name for stage in kernel.stages]
    assert names[:3] == ["script", "module", "lower_tasks"]
    assert names[-1] == "cuda"
    script, module, *passes, source = kernel.stages
    assert script.text == kernels.scale.source.rstrip("\n")
    assert isinstance(module.artifact, Module)
    assert module.artifact.level is Level.SCRIPT
    assert all(isinstance(stage.artifact, Module) for stage in passes)
    assert kernel.module.level is Level.LOWERED
    assert isinstance(source.artifact, Source)
    assert source.text == kernel.source
    # the store has its line in every stage
    wanted = kernels.scale.span.line + 3
    for stage in kernel.stages:
        assert any(line.span is not None and line.span.line == wanted for line in stage.lines)


def test_too_much_shared_memory() -> None:
    with pytest.raises(wb.CodegenError) as caught:
        kernels.greedy.compile("cuda:sm_75")
    assert caught.value.message == (
        "greedy needs 200 KB (204800 bytes) of shared memory; "
        "a block on sm_75 has 64 KB (65536 bytes)"
    )
    assert caught.value.hint == "tile takes 200 KB (204800 bytes): make it smaller"
    assert caught.value.span is not None
    assert "shared(f32, (51200,))" in caught.value.span.source_line()


@needs_nvrtc
def test_much_shared_memory_where_there_is_enough() -> None:
    kernel = kernels.greedy.compile("cuda:sm_90a")
    assert kernel.resources is not None
    assert kernel.resources.dynamic_shared_bytes == 204800
    assert kernel.occupancy is not None
    assert (kernel.occupancy.blocks, kernel.occupancy.limiter) == (1, "shared memory")


@needs_nvrtc
def test_an_architecture_that_nvrtc_does_not_know() -> None:
    with pytest.raises(wb.BuildError, match="does not compile for sm_35"):
        kernels.scale.compile("cuda:sm_35")


def test_the_interpreter_as_a_target() -> None:
    kernel = kernels.scale.compile("interp")
    assert kernel.binary == b""
    assert kernel.resources is None
    assert kernel.occupancy is None
    assert "for i, j in (repeat(4, 1) * spatial(16, 8)).on(threadIdx.x)" in kernel.source
    measurement = kernel.time(np.ones((64, 8), "f4"), np.ones((64, 8), "f4"), budget_s=0.01)
    assert measurement.name == "scale on interp"
    assert measurement.median_us > 0


WITHOUT_NVRTC = """
import sys
sys.modules["cuda"] = sys.modules["cuda.bindings"] = None
import workbench as wb
from tests.driver.kernels import scale
kernel = scale.compile("cuda:sm_90a")
assert "__global__" in kernel.source
for look in (lambda: kernel.binary, lambda: kernel.resources, lambda: kernel.ptx):
    try:
        look()
    except wb.BuildError as error:
        print(error)
"""


def test_without_nvrtc_the_source_is_shown_and_the_binary_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NVRTC],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    once = (
        "NVRTC, the compiler of CUDA C++, is not installed\n"
        '  hint: python -m pip install "kernel-workbench[toolchain]" brings it\n'
    )
    assert done.stdout == once * 3


def test_a_launch_without_a_gpu() -> None:
    if not isinstance(devices.driver(), devices.Missing):
        pytest.skip("this machine has an NVIDIA driver")
    kernel = kernels.scale.compile("cuda:sm_90a")
    a = np.ones((64, 8), np.float32)
    with pytest.raises(wb.LaunchError, match="this kernel runs on the GPU, got a NumPy array"):
        kernel(a, a.copy())


def test_what_a_program_tells() -> None:
    assert kernels.add.dims == ("M", "N")
    assert kernels.add.name == "add"
    assert [p.name for p in kernels.add.params] == ["a", "b", "c"]
    assert kernels.add.source.startswith("@wb.script\ndef add(")
    assert repr(kernels.add) == "Program(add(a: f32[M, N], b: f32[M, N], c: f32[M, N]))"
