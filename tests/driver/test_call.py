"""Calls: what runs, and every mistake in words."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import ml_dtypes
import numpy as np
import pytest

import workbench as wb
from tests.driver import kernels

Golden = Callable[[str, str], None]


def f32(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_extents_are_bound_by_the_call_and_compiled_once_for_each() -> None:
    for shape in ((3, 5), (2, 7), (3, 5)):
        a, b, c = f32(*shape), f32(*shape), f32(*shape)
        kernel = kernels.add.kernel_for([a, b, c], "interp")
        kernel(a, b, c)
        np.testing.assert_array_equal(c, a + b)
    assert kernels.add.compile("interp", M=3, N=5) is kernels.add.compile("interp", N=5, M=3)
    assert kernels.add.compile("interp", M=2, N=7) is not kernels.add.compile("interp", M=3, N=5)


def test_scalars_of_every_kind() -> None:
    x = np.array([1.0, 2.0])
    kernel = kernels.axpy.compile("interp", N=2)
    kernel(-100, 2**32 - 1, 0.5, False, 1.5, x)
    np.testing.assert_array_equal(x, [0.5 - 100 + 2**32 - 1 + 1.5, 1 - 100 + 2**32 - 1 + 1.5])
    kernel(np.int8(0), np.uint32(0), np.float32(2), np.bool_(True), ml_dtypes.bfloat16(0.5), x)
    assert x[0] < -(2**32)


SCALE_MISTAKES: dict[str, Callable[[], list[object]]] = {
    "dtype": lambda: [f32(64, 8), np.zeros((64, 8))],
    "shape": lambda: [f32(64, 8), f32(64, 9)],
    "flat": lambda: [f32(64 * 8), f32(64, 8)],
    "rank": lambda: [f32(64, 8), f32(64, 8, 1)],
    "fortran": lambda: [np.asfortranarray(f32(64, 8)), f32(64, 8)],
    "strided": lambda: [f32(64, 16)[:, ::2], f32(64, 8)],
    "byte order": lambda: [f32(64, 8).astype(">f4"), f32(64, 8)],
    "list": lambda: [[1.0, 2.0], f32(64, 8)],
    "number": lambda: [f32(64, 8), 3.0],
    "count": lambda: [f32(64, 8)],
    "read-only": lambda: [f32(64, 8), frozen(f32(64, 8))],
    "overlap": lambda: [(x := f32(65, 8))[1:], x[:64]],
    "same": lambda: [x := f32(64, 8), x],
    "masked": lambda: [np.ma.masked_array(f32(64, 8)), f32(64, 8)],
}
AXPY_MISTAKES: dict[str, Callable[[], list[object]]] = {
    "range": lambda: [128, 0, 1.0, False, 0.0, np.zeros(2)],
    "negative": lambda: [1, -1, 1.0, False, 0.0, np.zeros(2)],
    "float for int": lambda: [1.0, 0, 1.0, False, 0.0, np.zeros(2)],
    "bool for float": lambda: [1, 0, True, False, 0.0, np.zeros(2)],
    "int for bool": lambda: [1, 0, 1.0, 1, 0.0, np.zeros(2)],
    "string": lambda: [1, 0, "1", False, 0.0, np.zeros(2)],
    "array for number": lambda: [1, 0, np.ones(1), False, 0.0, np.zeros(2)],
}


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def message(call: Callable[[], object]) -> str:
    """The error as a cell shows it, without the place, which is tested elsewhere."""
    with pytest.raises(wb.LaunchError) as caught:
        call()
    error = caught.value
    assert error.span is not None or "arguments (" in error.message or "argument (" in error.message
    return "\n".join([error.message, *([f"  hint: {error.hint}"] if error.hint else [])])


def test_mistakes_of_a_call(golden: Golden) -> None:
    scale, axpy = kernels.scale.compile("interp"), kernels.axpy.compile("interp", N=2)
    found = [f"{n}: {message(lambda a=a: scale(*a()))}" for n, a in SCALE_MISTAKES.items()]
    found += [f"{n}: {message(lambda a=a: axpy(*a()))}" for n, a in AXPY_MISTAKES.items()]
    golden("call_mistakes.txt", "\n".join(found))


def test_reading_one_array_twice_is_no_mistake() -> None:
    a, c = f32(2, 3), f32(2, 3)
    kernels.add.compile("interp", M=2, N=3)(a, a, c)
    np.testing.assert_array_equal(c, a + a)


def test_short_vectors_need_aligned_arrays() -> None:
    raw = np.zeros(64 * 4 + 64, np.uint8)
    start = (-raw.ctypes.data) % 16
    kernel = kernels.fill.compile("interp")
    kernel(raw[start : start + 256].view(np.float32))
    text = message(lambda: kernel(raw[start + 4 : start + 260].view(np.float32)))
    assert text == (
        "argument a: an access of 16 bytes at once needs an address that is a multiple of 16 "
        "bytes, got one 4 bytes past\n  hint: pass a.copy()"
    )


def test_mistakes_about_extents(golden: Golden) -> None:
    add = kernels.add
    found = [
        message(lambda: add(f32(2, 3), f32(2, 4), f32(2, 3))),
        message(lambda: add(f32(2, 3), f32(2, 3), f32(2))),
        message(lambda: add.compile("interp", M=3)),
        message(lambda: add.compile("interp", M=3, N=4, K=5)),
        message(lambda: add.compile("interp", M=3, N=0)),
        message(lambda: add.compile("interp", M=3, N=2.0)),  # pyright: ignore
    ]
    golden("extent_mistakes.txt", "\n".join(found))


def test_an_error_points_at_the_parameter() -> None:
    with pytest.raises(wb.LaunchError) as caught:
        kernels.scale.compile("interp")(f32(64, 8), np.zeros((64, 8)))
    assert "def scale(a: f32[64, 8], b: f32[64, 8]):" in str(caught.value)
    assert caught.value.message == "argument b: expected f32[64, 8], got float64[64, 8]"
    assert caught.value.hint == "pass b.astype(np.float32)"


def test_interpret_reports_and_the_interp_kernel_raises() -> None:
    a, b = f32(64), f32(64)
    report = wb.interpret(kernels.past_the_end, a, b)
    fault = report.faults[0]
    assert (fault.kind, fault.block, fault.thread) == ("out_of_bounds", (1, 0, 0), (0, 0, 0))
    with pytest.raises(wb.WorkbenchError, match=r"a\[64\]"):
        kernels.past_the_end.compile("interp")(a, b)
    assert wb.interpret(kernels.scale, f32(64, 8), f32(64, 8)).ok
    with pytest.raises(wb.LaunchError, match="expected f32"):
        wb.interpret(kernels.past_the_end, a, b.astype(np.float64))


@pytest.mark.parametrize("target", ["gpu", None, 3])
def test_an_unknown_target(target: str) -> None:
    with pytest.raises(wb.WorkbenchError, match=f"no target is called {target!r}"):
        kernels.scale.compile(target)
    with pytest.raises(wb.WorkbenchError, match=f"no target is called {target!r}"):
        wb.compile_module(kernels.scale.module(), target)


def test_arguments_by_name() -> None:
    a, b = f32(64, 8), f32(64, 8)
    kernel = kernels.scale.compile("interp")
    for call in (kernels.scale, kernel):
        b[...] = 0
        call(b=b, a=a)
        np.testing.assert_array_equal(b, a * 2)
        call(a, b=b)
    assert kernel.time(a, b=b, budget_s=0.0).median_us > 0


def test_mistakes_about_names(golden: Golden) -> None:
    a, scale = f32(64, 8), kernels.scale
    calls = (lambda: scale(a, bb=a), lambda: scale(a, a=a), lambda: scale(b=a))
    found: list[str] = []
    for call in calls:
        with pytest.raises(wb.LaunchError) as caught:
            call()
        found.append(str(caught.value))
    golden("name_mistakes.txt", "\n".join(found))


def test_what_is_no_kernel_is_refused_in_words() -> None:
    with pytest.raises(wb.LaunchError, match="list is no kernel; give what @script made"):
        wb.interpret([], f32(3))  # pyright: ignore[reportArgumentType]
    for wrong in (wb.script, lambda: wb.script(grid=1)):
        with pytest.raises(wb.ScriptError, match="@script takes no options"):
            wrong()


def test_a_while_without_end_is_stopped_where_the_call_says() -> None:
    with pytest.raises(wb.WorkbenchError, match="stopped a while after 7 turns"):
        wb.interpret(kernels.forever, f32(1), turn_limit=7)


def test_programs_and_kernels_are_copied_and_sent_like_functions() -> None:
    program = kernels.scale
    assert copy.deepcopy([program])[0] is copy.copy(program) is program
    assert pickle.loads(pickle.dumps(program)) is program
    for target in ("cpu", "interp", "cuda:sm_90a"):
        kernel = program.compile(target)
        assert copy.deepcopy([kernel])[0] is copy.copy(kernel) is kernel
        with pytest.raises(wb.LaunchError, match="belongs to this process"):
            pickle.dumps(kernel)


def test_nothing_is_computed_with_an_extent_that_has_no_number() -> None:
    (m, n) = (kernels.M, kernels.N)
    computed = (lambda: m * 2, lambda: 2 * m, lambda: m + n, lambda: 1 - m, lambda: m // 4)
    for each in (*computed, lambda: m < n, lambda: m % 2, lambda: m / 2):
        with pytest.raises(wb.WorkbenchError, match=r"the extent [MN] has no number before"):
            each()
