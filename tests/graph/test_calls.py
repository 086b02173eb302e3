"""Compiled graphs as their callers meet them: names, arrays, results, how they show themselves."""

from __future__ import annotations

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.graph.cases import agree, floats, model, node, simple
from workbench.base.errors import LaunchError
from workbench.graph import from_onnx, workspace
from workbench.graph.compile import CompiledGraph

F = np.float32


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3)])
def test_scalars_and_empty_tensors(shape: tuple[int, ...]) -> None:
    made = model(
        [node("Mul", "x x", "p"), node("Relu", "p", "y"), node("ReduceSum", "y", "s", keepdims=0)],
        {"x": (F, shape)},
        ["y", "s"],
    )
    agree(made, {"x": np.array(floats(*shape), F)}, "interp")


def test_names_of_the_model_do_not_reach_the_source() -> None:
    evil = 'x"; } system("rm -rf /"); //\n'
    made = model([node("Relu", "a", "y")], {"a": (F, (2,))}, ["y"])
    made.graph.input[0].name = made.graph.node[0].input[0] = evil
    made.graph.node[0].name = "*/ evil /*\n#include <x>"
    graph = from_onnx(made).optimize().compile("interp")
    np.testing.assert_array_equal(graph({evil: F([-1, 2])})["y"], [0, 2])
    for kernel in graph.kernels:
        assert "system(" not in kernel.source
        assert "*/" not in kernel.source
        assert "#include" not in kernel.source


@pytest.mark.parametrize(
    "name",
    [
        'a"b',
        "a'b",
        "two\nlines",
        "<script>alert(1)</script>",
        "float",
        "threadIdx",
        "acc",
        "i0",
        "λ→µ",
        "*/",
        "%s{}",
        "\\",
        "\u202e",
        "x\x00y",
        "0",
        "n" * 5000,
    ],
)
def test_any_name_will_do(name: str) -> None:
    made = model([node("Relu", "x", "y")], {"x": (F, (2,))}, ["y"])
    made.graph.name = made.graph.node[0].name = name
    made.graph.input[0].name = made.graph.node[0].input[0] = name
    graph = from_onnx(made).optimize()
    done = graph.compile("interp")
    np.testing.assert_array_equal(done({name: F([-1, 2])})["y"], [0, 2])
    for shown in (repr(graph), repr(done), repr(done.groups), str(done.graph.inputs[0])):
        assert shown.isprintable()
        assert len(shown) < 200
    with pytest.raises(LaunchError) as error:
        done({})
    assert len(error.value.message.splitlines()) == 1


def test_graphs_as_they_show_themselves() -> None:
    graph = from_onnx(simple())
    assert repr(graph) == "FlowGraph(test: 2 operators; x: f32[2, 3] → y: f32[2, 4])"
    done = graph.optimize().compile("interp")
    assert repr(done) == "CompiledGraph(test, interp: 2 operators as 1 kernel, run 1 time)"
    assert repr(done.groups) == "(Group(matmul_relu: x, w → y: f32[2, 4]),)"
    assert [k.name for k in done.kernels] == ["matmul_relu"]
    made = model([node("Relu", "x", "y")], {"x": (F, ("n", 3))}, ["y"])
    assert repr(from_onnx(made)) == (
        "FlowGraph(test: 1 operator, open dims n; x: f32[n, 3] → y: f32[n, 3])"
    )


def test_inputs_of_a_call() -> None:
    graph = from_onnx(simple()).compile("interp")
    x = floats(2, 3)

    def wrong(inputs: Any) -> str:
        with pytest.raises(LaunchError) as error:
            graph(inputs)
        return str(error.value)

    assert wrong({}) == "x: f32[2, 3] is missing from the inputs\n  hint: got nothing"
    assert wrong({"x": x, "z": x}) == "the graph has no input z\n  hint: its inputs are x"
    assert wrong({"x": x, 7: x}).startswith("the graph has no input 7\n")
    assert wrong({"x": x.astype(np.float64)}) == (
        "argument x: expected f32[2, 3], got float64[2, 3]\n  hint: pass x.astype(np.float32)"
    )
    assert wrong({"x": x.T}).startswith("argument x: expected f32[2, 3], got float32[3, 2]\n")
    assert wrong({"x": x.tolist()}) == (
        "argument x: expected f32[2, 3], got list\n  hint: pass np.asarray(x, dtype=np.float32)"
    )
    assert wrong({"x": np.asfortranarray(x)}) == (
        "argument x: expected f32[2, 3] in C order without gaps, got strides (4, 8) [byte]\n"
        "  hint: pass np.ascontiguousarray(x)"
    )
    assert wrong({"x": x.astype(">f4")}).startswith("argument x: expected f32[2, 3], got float32[")
    assert wrong({"x": np.ma.masked_less(x, 0)}).startswith("argument x: kernels know no masks")
    assert wrong([x]) == (
        'a graph is called with a dict of arrays, not list\n  hint: pass {"x": …}'
    )


def test_arrays_that_look_different_and_fit() -> None:
    graph = from_onnx(simple()).compile("interp")
    x = floats(2, 3)
    want = graph({"x": x})["y"]
    fixed = x.copy()
    fixed.setflags(write=False)
    with warnings.catch_warnings():
        # numpy itself advises against its matrix
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        matrix = np.asmatrix(x)
    for array in (fixed, matrix):
        got = graph({"x": array})["y"]
        assert type(got) is np.ndarray
        np.testing.assert_array_equal(got, want)


def test_calls_do_not_share_what_they_give() -> None:
    graph = from_onnx(simple()).optimize().compile("interp")
    first = graph({"x": floats(2, 3)})["y"]
    kept = first.copy()
    graph({"x": floats(2, 3, seed=9)})
    np.testing.assert_array_equal(first, kept)


LONG = (64, 2048)  # longer than memory that is given out anew each time


def _doubling() -> CompiledGraph:
    made = model([node("Add", "x x", "y"), node("Neg", "x", "z")], {"x": (F, LONG)}, ["y", "z"])
    return from_onnx(made).optimize().compile("cpu")


def test_the_memory_of_dropped_results_is_used_again() -> None:
    graph, x = _doubling(), np.ones(LONG, F)
    places: list[int] = []
    for _ in range(20):
        y = graph({"x": x})["y"]  # the last one is still there while the next is made
        places.append(y.ctypes.data)
        np.testing.assert_array_equal(y, x + x)
    assert len(set(places[4:])) <= 4  # two outputs, and those of the call before


def test_memory_that_is_kept_for_results_is_bounded() -> None:
    spared = workspace._Spared()
    sizes = [2**26, 2**25, 2**26, 2**27 + 1, 2**24]
    raws = [spared.take(size) for size in sizes]
    assert [raw.nbytes for raw in raws] == sizes
    assert [raw.nbytes for raw in spared._kept] == [2**25, 2**26, 2**24]
    place = raws[1].ctypes.data
    del raws
    assert spared.take(2**25 - 2**20).ctypes.data == place
    assert spared.take(2**23).ctypes.data != place  # too small for any that is free


@pytest.mark.parametrize("first", ["workbench", "numpy"])
def test_long_results_begin_with_a_page(first: str) -> None:
    """Whichever package is loaded first: a package that is loaded late is another object."""
    script = f"""
import {first}
from tests.graph.test_calls import F, LONG, _doubling, np
for _ in range(4):
    assert not any(y.ctypes.data % 4096 for y in _doubling()({{"x": np.ones(LONG, F)}}).values())
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    "hold",
    [
        lambda y: y,
        lambda y: y[3:, ::2],
        lambda y: y.reshape(-1)[-1:],
        memoryview,
        np.from_dlpack,
        lambda y: [y.T],
    ],
    ids=["itself", "part", "last number", "memoryview", "dlpack", "in a list"],
)
def test_what_is_held_of_a_result_is_never_written_again(hold: Any) -> None:
    graph = _doubling()

    def call(n: int) -> list[tuple[Any, Any]]:
        x = np.full(LONG, n, F)
        found = graph({"x": x})
        return [(hold(found["y"]), hold(x + x)), (hold(found["z"]), hold(-x))]

    with ThreadPoolExecutor(4) as pool:
        held = [pair for pairs in pool.map(call, range(40)) for pair in pairs]
    for mine, want in held:
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(want))


def test_outputs_share_no_memory() -> None:
    """One tensor under two names, what another kernel reads too, what two nodes make alike."""
    made = model(
        [
            node("Relu", "x", "y"),
            node("Identity", "y", "again"),
            node("Exp", "y", "e"),
            node("Relu", "x", "twin"),
            node("Identity", "x", "same"),
        ],
        {"x": (F, (2, 3))},
        ["y", "again", "e", "twin", "same"],
    )
    graph = agree(made, {"x": floats(2, 3)}, "interp")
    x = floats(2, 3)
    arrays = [x, *graph({"x": x}).values(), *graph({"x": x}).values()]
    for n, one in enumerate(arrays):
        assert not any(np.shares_memory(one, other) for other in arrays[n + 1 :])


def test_outputs_that_are_inputs_or_constants() -> None:
    made = model(
        [
            node("Identity", "x", "same"),
            node("Identity", "w", "fixed"),
            node("Relu", "x", "y"),
            node("Identity", "y", "again"),
        ],
        {"x": (F, (2,))},
        ["same", "fixed", "y", "again"],
        {"w": floats(3)},
    )
    graph = agree(made, {"x": floats(2)}, "interp")
    x = floats(2)
    got = graph({"x": x})
    got["same"][:] = 0
    got["fixed"][:] = 0
    np.testing.assert_array_equal(graph({"x": x})["fixed"], floats(3))
    np.testing.assert_array_equal(x, floats(2))
