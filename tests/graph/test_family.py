"""Kernels that serve several shapes: what a new shape builds, and that results stay right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import Built, floats, model, node
from workbench.driver.cpu import CpuBackend
from workbench.graph import CompiledGraph, from_onnx
from workbench.graph.dynamic import DynamicGraph

F, L = np.float32, np.int64
Arrays = Mapping[str, np.ndarray]


def encoder() -> Any:
    """Attention over a sequence and a layer after it, as small as they get; two open dims."""
    return model(
        [
            node("MatMul", "x wq", "q"),
            node("MatMul", "x wk", "k0"),
            node("Transpose", "k0", "k", perm=[0, 2, 1]),
            node("MatMul", "q k", "s0"),
            node("Mul", "s0 scale", "s1"),
            node("Softmax", "s1", "s", axis=-1),
            node("MatMul", "s x", "a"),
            node("Add", "a x", "r"),
            node("LayerNormalization", "r gain bias", "n", axis=-1),
            node("MatMul", "n wo", "o"),
            node("Relu", "o", "y"),
            node("ReduceMean", "y", "z", axes=[1], keepdims=0),
        ],
        {"x": (F, ("batch", "length", 24))},
        ["y", "z"],
        {
            "wq": floats(24, 24) / 5,
            "wk": floats(24, 24) / 5,
            "wo": floats(24, 40) / 5,
            "scale": np.full(1, 0.2, np.float32),
            "gain": floats(24),
            "bias": floats(24),
        },
        opset=17,
    )


def peer(made: Any) -> Callable[[Arrays], Any]:
    """The same model in onnxruntime."""
    session = onnxruntime.InferenceSession(made.SerializeToString())
    return lambda inputs: session.run(None, dict(inputs))


def check(compiled: CompiledGraph, wanted: Callable[[Arrays], Any], x: Arrays) -> None:
    """Both give the same."""
    for found, other in zip(compiled(x).values(), wanted(x), strict=True):
        np.testing.assert_allclose(found, other, rtol=2e-4, atol=2e-5)


def random(*shape: int) -> np.ndarray:
    """Other numbers for every shape."""
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


def test_a_later_shape_builds_nothing(built: Built) -> None:
    compiled, wanted = from_onnx(encoder()).optimize().compile("cpu"), peer(encoder())
    counts: list[int] = []
    for length in (37, 43, 39, 41, 45, 47, 38):
        check(compiled, wanted, {"x": random(1, length, 24)})
        counts.append(built())
    assert counts[0] >= 5
    assert counts[1] <= counts[0] + 2, "one for several instead of one for itself"
    # the tiles of attention depend on the length in two ways
    assert max(counts[2:4]) <= 1
    assert counts[4:] == [0] * 3


def test_a_served_kernel_tells_how_it_came_about(built: Built) -> None:
    del built
    compiled = from_onnx(encoder()).optimize().compile("cpu")
    for length in (37, 43):
        compiled({"x": random(1, length, 24)})
    kernel = next(k for k in reversed(compiled.kernels) if "generic" in [s.name for s in k.stages])
    assert "given_0" in kernel.source
    stages = {stage.name: stage.text for stage in kernel.stages}
    assert "given_0" in stages["generic"]
    assert "given_0" not in stages["module"]
    assert kernel.binary
    assert "given_0" in kernel.llvm


@settings(max_examples=15)
@given(shapes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 70)), min_size=3, max_size=6))
def test_any_sequence_of_shapes_gives_what_onnxruntime_gives(shapes: list[tuple[int, int]]) -> None:
    compiled = from_onnx(encoder()).optimize().compile("cpu")
    for batch, length in shapes:
        check(compiled, ENCODER, {"x": random(batch, length, 24)})


ENCODER = peer(encoder())


@pytest.mark.parametrize("fuse", [True, False])
def test_broadcasting_and_empty_shapes_are_not_mixed_up(fuse: bool) -> None:
    made = model(
        [node("Add", "a b", "s"), node("Exp", "s", "e"), node("ReduceSum", "e", "y", keepdims=0)],
        {"a": (F, ("n", "m")), "b": (F, ("k", "m"))},
        ["e", "y"],
        opset=13,
    )
    compiled, wanted = from_onnx(made).optimize(fuse=fuse).compile("cpu"), peer(made)
    shapes = [(7, 5, 7), (9, 5, 9), (9, 5, 1), (1, 5, 9), (1, 5, 1), (8, 1, 8), (8, 1, 1)]
    for n, m, k in [*shapes, (0, 5, 0), (3, 0, 3), (6, 6, 6), (7, 11, 1), *shapes]:
        check(compiled, wanted, {"a": random(n, m), "b": random(k, m)})


def test_numbers_that_were_equal_by_chance_are_told_apart() -> None:
    made = model(
        [node("MatMul", "a b", "p"), node("Relu", "p", "y")],
        {"a": (F, ("m", "k")), "b": (F, ("k", "n"))},
        ["y"],
    )
    compiled, wanted = from_onnx(made).optimize().compile("cpu"), peer(made)
    for m, k, n in ((37, 37, 37), (41, 41, 41), (37, 41, 43), (43, 37, 41), (41, 41, 37)):
        check(compiled, wanted, {"a": random(m, k), "b": random(k, n)})


def test_what_is_larger_than_a_kernel_was_made_for_is_built_anew(built: Built) -> None:
    made = model([node("Softmax", "x", "y", axis=1)], {"x": (F, ("n", "m"))}, ["y"])
    compiled, wanted = from_onnx(made).optimize().compile("cpu"), peer(made)
    for shape in ((50, 70), (51, 71)):
        check(compiled, wanted, {"x": random(*shape)})
    built()
    check(compiled, wanted, {"x": random(52, 69)})
    assert built() == 0
    for shape in ((5000, 75), (70, 3011), (52, 79)):
        check(compiled, wanted, {"x": random(*shape)})
    assert built() > 0
    check(compiled, wanted, {"x": random(4000, 2007)})
    assert built() == 0


@pytest.mark.parametrize("tries", [9, 0], ids=["replayed", "made anew"])
def test_an_array_of_one_element_has_a_kernel_of_its_own(built: Built, tries: int) -> None:
    made = model([node("Concat", "x c", "y", axis=0)], {"x": (F, ("n",))}, ["y"], {"c": floats(4)})
    compiled, wanted = from_onnx(made).optimize().compile("cpu"), peer(made)
    assert isinstance(compiled, DynamicGraph)
    compiled.ways.tries = tries
    for n in (3, 1, 5, 1, 7, 2):
        check(compiled, wanted, {"x": random(n)})
    # its own, one for the first, one for the others and what does not fit there
    assert built() <= 5


def test_segments_behind_a_cut_share_kernels_too(built: Built) -> None:
    made = model(
        [
            node("NonZero", "mask", "at0"),
            node("Transpose", "at0", "at", perm=[1, 0]),
            node("GatherND", "x at", "rows"),
            node("MatMul", "rows w", "p"),
            node("Relu", "p", "y"),
        ],
        {"x": (F, ("n", 8)), "mask": (L, ("n",))},
        ["y"],
        {"w": floats(8, 20)},
        opset=13,
    )
    compiled, wanted = from_onnx(made).optimize().compile("cpu"), peer(made)
    counts: list[int] = []
    for n, count in ((40, 19), (44, 21), (47, 23), (51, 22), (53, 20)):
        mask = np.zeros(n, L)
        mask[:count] = 1
        check(
            compiled,
            wanted,
            {"x": random(n, 8), "mask": np.random.default_rng(n).permutation(mask)},
        )
        counts.append(built())
    assert counts[0] > 0
    assert counts[3:] == [0, 0]


def test_families_do_not_keep_what_no_specialisation_uses(built: Built) -> None:
    del built
    compiled = from_onnx(encoder()).optimize().compile("cpu")
    codes: set[int] = set()
    for length in range(33, 48, 2):
        compiled({"x": random(1, length, 24)})
    for kernel in compiled.kernels:
        assert isinstance(kernel.backend, CpuBackend)
        codes.add(id(kernel.backend._binary))
    assert len(codes) < len(compiled.kernels) / 2
