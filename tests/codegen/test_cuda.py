"""Generated CUDA C++: readable (golden files), compiled by NVRTC, and right when it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import workbench as wb
from tests.codegen import cuda_kernels as kernels
from tests.codegen import emulate
from workbench.codegen.cuda import generate
from workbench.codegen.cuda.intrinsics import RULES
from workbench.driver import Program
from workbench.interp import run as interpret
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.ir.types import TensorType
from workbench.passes.default import run as lower
from workbench.runtime import devices, nvrtc

needs_nvrtc = pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
needs_gxx = pytest.mark.skipif(emulate.GXX is None, reason="g++ is not on PATH")
each_kernel = pytest.mark.parametrize("program", kernels.ALL, ids=lambda p: p.name)
SM_80 = Target.parse("cuda:sm_80")


def lowered(program: Program) -> Module:
    return lower(program.module(), SM_80)


@each_kernel
def test_text(program: Program, golden: Callable[[str, str], None]) -> None:
    golden(f"{program.name}.cu", generate(lowered(program), SM_80).text)


def test_the_text_of_the_first_example() -> None:
    text = generate(lowered(kernels.scale), SM_80).text
    store = kernels.scale.span.line + 3
    assert text.splitlines()[1:] == [
        "// repeat(4, 1) * spatial(16, 8): 128 workers, 4 tasks each",
        'extern "C" __global__ void __launch_bounds__(128) '
        "scale(const float* __restrict__ a, float* __restrict__ b) {",
        "  for (int r = 0; r < 4; ++r) {",
        f"    b[threadIdx.x + r * 128] = a[threadIdx.x + r * 128] * 2.0f;  // :{store}",
        "  }",
        "}",
    ]


@needs_nvrtc
@each_kernel
def test_cubins_without_spills(program: Program) -> None:
    found = devices.nvrtc()
    assert isinstance(found, devices.Nvrtc)
    newest = max(found.archs)
    for arch in ("sm_75", "sm_80", "sm_90a", f"sm_{newest}"):
        source = generate(lowered(program), Target.parse(f"cuda:{arch}"))
        cubin = nvrtc.compile(source.text, source.name, arch, lines=source.lines)
        assert cubin.data[:4] == b"\x7fELF"
        assert cubin.resources.spill_bytes == 0
        assert cubin.resources.stack_bytes == 0
        assert 0 < cubin.resources.registers <= 64
        assert "warning" not in cubin.log


def arguments(module: Module) -> list[object]:
    """Random arrays, numbers for scalars."""
    rng = np.random.default_rng(7)
    args: list[object] = []
    for param in module.kernel.params:
        if not isinstance(param.type, TensorType):
            args.append(np.int32(37))
            continue
        kind = param.type.dtype
        to = np.dtype(ml_dtypes.bfloat16 if kind.scalar == "bf16" else kind.numpy_name)
        data = rng.standard_normal(param.type.extents) * 3
        args.append((data * 9).astype(to) if kind.is_int else data.astype(to))
    return args


@needs_gxx
@each_kernel
def test_the_text_computes_what_the_interpreter_does(program: Program, tmp_path: Path) -> None:
    module = lowered(program)
    expected, found = arguments(module), arguments(module)
    report = interpret(program.module(), expected)
    assert report.ok, report.faults
    emulate.run(module, found, tmp_path)
    for one, other in zip(found, expected, strict=True):
        # exp of the C library and of numpy may differ in the last place
        np.testing.assert_allclose(
            np.asarray(one, dtype=float), np.asarray(other, dtype=float), rtol=1e-6, atol=1e-6
        )


def test_every_intrinsic_has_a_rule() -> None:
    assert set(RULES) == set(INTRINSICS)


def test_lines_know_where_they_came_from() -> None:
    source = generate(lowered(kernels.control), SM_80)
    at = {line.text.split("//")[0].strip(): line for line in source.lines}
    assert source.text == "\n".join(line.text for line in source.lines) + "\n"
    store = at["y[i] = total;"]
    assert store.span is not None
    assert store.span.source_line().strip() == "y[i] = total"
    numbers = [line.node for line in source.lines if line.text.startswith("    ")]
    assert len(set(numbers)) > 8, "statements have numbers of their own"


@needs_nvrtc
def test_a_complaint_of_nvrtc_leads_to_the_line_of_python() -> None:
    source = generate(lowered(kernels.scale), SM_80)
    text = source.text.replace("* 2.0f", "* two")
    with pytest.raises(wb.BuildError) as caught:
        nvrtc.compile(text, source.name, "sm_80", lines=source.lines)
    assert caught.value.message == 'NVRTC refuses scale: identifier "two" is undefined'
    assert caught.value.span is not None
    assert caught.value.span.source_line().strip() == "b[i, j] = a[i, j] * 2.0"
    assert 'identifier "two" is undefined' in caught.value.log


def test_names_of_cuda_are_left_to_cuda(tmp_path: Path) -> None:
    path = tmp_path / "names.py"
    path.write_text(NAMES)
    scope: dict[str, object] = {}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    program = scope["expf"]
    assert isinstance(program, wb.Program)
    source = generate(lowered(program), SM_80)
    assert source.name == "expf_1"
    assert "float* __restrict__ float4_1" in source.text
    assert "int int_ = threadIdx.x;" in source.text
    if nvrtc.installed():
        nvrtc.compile(source.text, source.name, "sm_80")


NAMES = """
import workbench as wb
from workbench.lang import exp, f32, launch, threadIdx

@wb.script
def expf(float4: f32[32], short: f32[32]):
    launch(grid=1, block=32)
    int = threadIdx.x
    floor_div = exp(short[int])
    __global__ = floor_div * 2.0
    NULL = __global__ - floor_div
    char16_t = NULL * 1.0
    float4[int] = char16_t
    int += 0
"""
