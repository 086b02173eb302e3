"""Random modules: their CUDA C++ compiles, and computes what the interpreter does."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings

from tests.codegen import emulate
from tests.ir.strategies import arguments, modules
from workbench.codegen.cuda import generate
from workbench.interp import run as interpret
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.passes.default import run as lower
from workbench.runtime import nvrtc

SM_80 = Target.parse("cuda:sm_80")
GENERATE = (Phase.explicit, Phase.generate)  # an example takes a second: no time to shrink it


@pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
@settings(max_examples=25, phases=GENERATE)
@given(modules())
def test_random_modules_compile(module: Module) -> None:
    source = generate(lower(module, SM_80), SM_80)
    cubin = nvrtc.compile(source.text, source.name, "sm_80", lines=source.lines)
    assert cubin.resources.registers > 0


@pytest.mark.skipif(emulate.GXX is None, reason="g++ is not on PATH")
@settings(max_examples=15, phases=GENERATE)
@given(modules())
def test_random_modules_compute_what_the_interpreter_does(module: Module) -> None:
    expected, found = arguments(module), arguments(module)
    report = interpret(module, expected)
    assert report.ok, report.faults
    with tempfile.TemporaryDirectory() as folder:
        emulate.run(lower(module, SM_80), found, Path(folder))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(one, float), np.asarray(other, float))
