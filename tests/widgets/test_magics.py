"""The magics in a shell: what they bind and show, and what they say of mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx.parser
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import workbench as wb
from workbench.driver.program import Program
from workbench.runtime.nvrtc import installed
from workbench.runtime.timing import Measurement
from workbench.view.raw import RawKernel
from workbench.widgets import timed as timed_room

needs_nvrtc = pytest.mark.skipif(not installed(), reason="NVRTC is not installed")

DOUBLE = """from workbench.lang import f32, launch, threadIdx
def double(a: f32[64], b: f32[64]):
    launch(grid=1, block=64)
    b[threadIdx.x] = a[threadIdx.x] * 2.0
"""
CUDA = """extern "C" __global__ void __launch_bounds__(64) twice(float* a, int n) {
  int i = threadIdx.x;
  if (i < n) a[i] = a[i] * 2.0f;
}
"""


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "workbench")
    yield made
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> tuple[Any, list[dict[str, str]], str]:
    """The result of a cell, what it displayed, and what it printed of an error."""
    with capture_output() as said:
        result = shell.run_cell(cell, store_history=True)
    return result, [output.data for output in said.outputs], said.stdout


def fault(shell: InteractiveShell, cell: str) -> tuple[BaseException, str]:
    result, _, printed = run(shell, cell)
    error = result.error_in_exec or result.error_before_exec
    assert error is not None
    assert "Traceback" not in printed
    assert "site-packages" not in printed
    assert ".py" not in printed.replace("In [", "")
    return error, printed


def test_a_cell_of_plain_functions_becomes_kernels(shell: InteractiveShell):
    result, shown, _ = run(shell, f"%%kernel --target cpu\n{DOUBLE}")
    assert result.success
    double = shell.user_ns["double"]
    assert isinstance(double, Program)
    a, b = np.ones(64, np.float32), np.zeros(64, np.float32)
    double(a, b)
    assert (b == 2).all()
    (bundle,) = shown
    assert "b[threadIdx.x] = a[threadIdx.x] * 2.0" in bundle["text/plain"]
    # The line of the magic is the first of the cell.
    assert re.search(r"^ +5 │ +b\[threadIdx\.x\]", bundle["text/plain"], re.MULTILINE)


def test_a_function_with_its_own_decorator_and_one_without_a_launch(shell: InteractiveShell):
    cell = (
        "import workbench as wb\nfrom workbench.lang import f32\n"
        "def half(x: f32) -> f32:\n    return x * 0.5\n"
        "@wb.script\n" + DOUBLE.partition("\n")[2].replace("* 2.0", "+ half(a[threadIdx.x])")
    )
    head = DOUBLE.partition("\n")[0]
    result, shown, _ = run(shell, f"%%kernel --target cpu\n{head}\n{cell}")
    assert result.success, result.error_in_exec
    assert len(shown) == 1
    assert isinstance(shell.user_ns["half"], Program)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (DOUBLE.replace("* 2.0", "* two"), r"name 'two' is not defined[\s\S]*In \[1\]:5"),
        (DOUBLE.replace("f32[64], b", "f33[64], b"), r"name 'f33' is not defined[\s\S]*In \[1\]:3"),
        (DOUBLE.replace("block=64)", "block=64"), r"this is not Python[\s\S]*In \[1\]:"),
        ("x = 3\n", "there is no function in this cell"),
        (f"raise ValueError('no')\n{DOUBLE}", r"ValueError: no[\s\S]*In \[1\]:2"),
    ],
)
def test_mistakes_in_a_kernel_cell_are_told_at_their_line(
    shell: InteractiveShell, cell: str, said: str
):
    error, printed = fault(shell, f"%%kernel --target cpu\n{cell}")
    assert isinstance(error, wb.WorkbenchError)
    assert re.search(said, printed), printed


@needs_nvrtc
def test_a_cell_of_cuda_is_compiled_and_bound(shell: InteractiveShell):
    result, (bundle,), _ = run(shell, f"%%cuda --arch sm_90a mine\n{CUDA}")
    assert result.success
    mine = shell.user_ns["mine"]
    assert isinstance(mine, RawKernel)
    assert (mine.name, mine.arch, mine.entry.params) == ("twice", "sm_90a", ("u64", "u32"))
    assert f"registers {mine.resources.registers}" in bundle["text/plain"]
    assert "occupancy" in bundle["text/plain"]  # the source says its block
    assert ".entry twice" in mine.ptx
    run(shell, f"%%cuda\n{CUDA}")
    assert isinstance(shell.user_ns["twice"], RawKernel)


@needs_nvrtc
def test_errors_in_cuda_stand_at_their_line_and_column(shell: InteractiveShell):
    bad = CUDA.replace("a[i] * 2.0f", "\n      b[i] + c")
    error, printed = fault(shell, f"%%cuda mine\n{bad}")
    plain = re.sub(r"\x1b\[\d*m", "", printed)
    assert isinstance(error, wb.BuildError)
    assert "2 errors" in str(error)
    lines = plain.splitlines()
    at = next(k for k, line in enumerate(lines) if 'identifier "c"' in line)
    assert lines[at].strip().startswith("In [1]:5:")
    assert lines[at + 1].endswith("      b[i] + c;")
    assert lines[at + 2].index("^") == lines[at + 1].index("c;")
    assert "mine" not in shell.user_ns


@needs_nvrtc
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%cuda\n__device__ int x;\n", "there is no kernel in this source"),
        (f"%%cuda\n{CUDA}{CUDA.replace('twice', 'again')}", "several kernels: twice, again"),
        (f"%%cuda --arch sm_1\n{CUDA}", "does not compile for sm_1"),
        (f"%%cuda 3x\n{CUDA}", "'3x' is no name for a variable"),
        (f"%%cuda --fast\n{CUDA}", "unrecognized arguments: --fast"),
        ("%%cuda\n#include <no_such_header.h>\n", "no_such_header"),
    ],
)
def test_what_no_cuda_cell_can_be_is_said(shell: InteractiveShell, cell: str, said: str):
    error, printed = fault(shell, cell)
    assert isinstance(error, wb.WorkbenchError)
    assert said in re.sub(r"\x1b\[\d*m", "", printed)


@needs_nvrtc
def test_one_of_several_kernels_is_named(shell: InteractiveShell):
    run(shell, f"%%cuda again\n{CUDA}{CUDA.replace('twice', 'again')}")
    assert shell.user_ns["again"].name == "again"


def test_a_call_is_timed(shell: InteractiveShell):
    run(shell, f"%%kernel --target cpu\n{DOUBLE}")
    run(shell, "import numpy as np\nx, y = np.ones(64, np.float32), np.zeros(64, np.float32)")
    result, _, _ = run(shell, "%time_kernel --budget 0.02 double(x, b=y)")
    assert isinstance(result.result, Measurement)
    assert len(result.result.samples_us) >= 5
    assert result.result.name == "double on cpu"
    result, _, _ = run(shell, "%time_kernel --budget=0.02 sum(*[[1, 2]])")
    assert result.result.name == "sum"


def test_an_interrupt_keeps_the_samples(monkeypatch: pytest.MonkeyPatch):
    calls = []

    def work() -> None:
        calls.append(1)
        if len(calls) == 40:
            raise KeyboardInterrupt

    class Slow:
        name, device, least_us = "steps", "none", 1.0

        def elapsed_us(self, run: Any, count: int) -> float:
            for _ in range(count):
                run()
            return 1e4 * count

    monkeypatch.setattr(timed_room, "CpuClock", lambda _: Slow())
    found = timed_room.timed((work, (), {}), 60.0)
    assert len(calls) == 40
    assert 5 <= len(found.samples_us) < 40


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%time_kernel double", "%time_kernel times a call"),
        ("%time_kernel double(", "is no call"),
        ("%time_kernel nothing(1)", "name 'nothing' is not defined"),
        ("%time_kernel --budget no sum([1])", "invalid float value"),
        ("%time_kernel --budget=-1 sum([1])", "a time above 0"),
        ("%explain nothing", "name 'nothing' is not defined"),
        ("%explain no_such.onnx", "no_such.onnx"),
        ("%explain 3", "a int cannot be explained"),
        ("%explain --dims n x.onnx", "--dims takes name=number"),
        ("%explain", "the following arguments are required"),
    ],
)
def test_bad_lines_are_refused_in_words(shell: InteractiveShell, line: str, said: str):
    error, printed = fault(shell, line)
    assert isinstance(error, wb.WorkbenchError)
    assert said in printed


def test_explaining_a_model_a_graph_and_a_kernel(shell: InteractiveShell, tmp_path: Path):
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> net (float[n, 4] x) => (float[n, 4] y)'
        " { h = Relu(x) y = Exp(h) }"
    )
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    _, _, printed = run(shell, f"%explain {path} --dims n=2")
    assert "2 operators as 1 kernel" in printed
    shell.user_ns["flow"] = wb.from_onnx(path)
    _, _, again = run(shell, "%explain flow --dims n=2")
    assert again == printed
    run(shell, f"%%kernel --target cpu\n{DOUBLE}")
    _, _, passes = run(shell, "%explain double")
    assert "lower_tensors" in passes
