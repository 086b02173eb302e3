"""Gathering, scattering, sorting and running sums, swept over shapes, axes and number types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator

from tests.graph.cases import agree, compiled, expected, model, node, run
from workbench.base.errors import LaunchError, ModelError

F = np.float32
TARGET = "cpu"
KINDS = ["float32", "float64", "int32", "int64", "uint8", "int8", "float16", "bool"]
EXAMPLES = settings(max_examples=25)


def numbers(shape: tuple[int, ...], kind: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 9, shape).astype(kind)


def checked(
    op: str, inputs: dict[str, np.ndarray], fixed: bool, opset: int = 18, **attributes: Any
) -> None:
    """Against onnxruntime, with the inputs after the first from the call or known before."""
    names = list(inputs)
    weights = {n: inputs[n] for n in names[1:]} if fixed else {}
    given_ = {n: a for n, a in inputs.items() if n not in weights}
    made = model(
        [node(op, " ".join(names), "y", **attributes)],
        {n: (a.dtype, a.shape) for n, a in given_.items()},
        ["y"],
        weights,
        opset,
    )
    agree(made, given_, TARGET)


@st.composite
def elements(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """A tensor, indices of as many dimensions into it, and the axis they count along."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    reach = [draw(st.integers(1, e)) for e in shape]
    reach[axis] = draw(st.integers(1, 5))
    seed = draw(st.integers(0, 99))
    at = np.random.default_rng(seed).integers(-shape[axis], shape[axis], reach)
    kind = draw(st.sampled_from(["int32", "int64"]))
    return numbers(shape, draw(st.sampled_from(KINDS)), seed), at.astype(kind), axis


@EXAMPLES
@given(elements(), st.booleans())
def test_gather_elements(found: tuple[np.ndarray, np.ndarray, int], fixed: bool) -> None:
    x, at, axis = found
    checked("GatherElements", {"x": x, "at": at}, fixed, axis=axis)


@EXAMPLES
@given(elements(), st.sampled_from(["none", "add", "mul", "max", "min"]), st.booleans())
def test_scatter_elements(
    found: tuple[np.ndarray, np.ndarray, int], reduction: str, fixed: bool
) -> None:
    x, at, axis = found
    x = x.astype("float32" if x.dtype.kind in "bf" else "int64")
    new = numbers(at.shape, x.dtype.name, 7)
    inputs = {"x": x, "new": new, "at": at}
    names = "x at new"
    weights = {"at": at} if fixed else {}
    given_ = {n: a for n, a in inputs.items() if n not in weights}
    made = model(
        [node("ScatterElements", names, "y", axis=axis, reduction=reduction)],
        {n: (a.dtype, a.shape) for n, a in given_.items()},
        ["y"],
        weights,
        18,
    )
    agree(made, given_, TARGET)


@st.composite
def places(draw: st.DrawFn, batches: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """A tensor, places in it, and how many leading dimensions both have in common."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    batch = draw(st.integers(0, min(1, len(shape) - 1))) if batches else 0
    depth = draw(st.integers(1, len(shape) - batch))
    lead = draw(st.lists(st.integers(1, 3), min_size=0, max_size=2))
    seed = draw(st.integers(0, 99))
    random = np.random.default_rng(seed)
    rows = (*shape[:batch], *lead)
    own = shape[batch : batch + depth]
    at = np.stack([random.integers(-e, e, rows) for e in own], -1)
    return numbers(shape, draw(st.sampled_from(["float32", "int64"])), seed), at, batch


@EXAMPLES
@given(places(batches=True), st.booleans())
def test_gather_nd(found: tuple[np.ndarray, np.ndarray, int], fixed: bool) -> None:
    x, at, batch = found
    checked("GatherND", {"x": x, "at": at}, fixed, batch_dims=batch)


@EXAMPLES
@given(places(batches=False), st.sampled_from(["none", "add", "mul", "max", "min"]), st.booleans())
def test_scatter_nd(found: tuple[np.ndarray, np.ndarray, int], reduction: str, fixed: bool) -> None:
    x, at, _ = found
    new = numbers((*at.shape[:-1], *x.shape[at.shape[-1] :]), x.dtype.name, 7)
    weights = {"at": at} if fixed else {}
    given_ = {"x": x, "new": new} | ({} if fixed else {"at": at})
    made = model(
        [node("ScatterND", "x at new", "y", reduction=reduction)],
        {n: (a.dtype, a.shape) for n, a in given_.items()},
        ["y"],
        weights,
        18,
    )
    if reduction == "none" and len(np.unique(at % x.shape[: at.shape[-1]], axis=0)) < at.size:
        # which of several updates stays is not said: ours is the last, as in a loop
        want = x.copy()
        for where in np.ndindex(at.shape[:-1]):
            want[tuple(at[where])] = new[where]
        np.testing.assert_array_equal(run(made, given_, TARGET)["y"], want)
        return
    agree(made, given_, TARGET)


@EXAMPLES
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.integers(0, 99),
    st.booleans(),
    st.sampled_from(["float32", "int64", "int32", "float64"]),
    st.data(),
)
def test_top_k(shape: list[int], seed: int, largest: bool, kind: str, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    k = data.draw(st.integers(1, shape[axis]))
    x = numbers(tuple(shape), kind, seed)
    made = model(
        [node("TopK", "x k", "v i", axis=axis, largest=int(largest))],
        {"x": (kind, shape)},
        ["v", "i"],
        {"k": np.array([k])},
    )
    agree(made, {"x": x}, TARGET)


@pytest.mark.parametrize("largest", [True, False])
def test_the_best_of_long_rows_without_sorting_them(largest: bool) -> None:
    # few different numbers: of equals the first ones count
    x = np.random.default_rng(3).integers(0, 40, (3, 2000)).astype(F)
    made = model(
        [node("TopK", "x k", "v i", largest=int(largest))],
        {"x": (F, x.shape)},
        ["v", "i"],
        {"k": np.array([77])},
    )
    agree(made, {"x": x}, TARGET)
    x[1, 5] = np.nan
    got = run(made, {"x": x}, TARGET)
    assert np.isnan(got["v"]).sum() == int(largest)


@EXAMPLES
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["float32", "int32", "float64", "int64"]),
    st.data(),
)
def test_running_sums(
    shape: list[int], exclusive: bool, reverse: bool, kind: str, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    if data.draw(st.booleans()):
        # beyond what a kernel does
        shape[axis] = 130
    inputs = {"x": numbers(tuple(shape), kind), "axis": np.array(axis)}
    checked("CumSum", inputs, True, exclusive=int(exclusive), reverse=int(reverse))


@EXAMPLES
@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from(["int64", "float32"]),
    st.integers(0, 9),
)
def test_reverse_sequence(batch: int, time: int, first: bool, kind: str, seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(1, time + 1, batch)
    shape = (batch, time, 2) if first else (time, batch, 2)
    axes = {"batch_axis": 0, "time_axis": 1} if first else {"batch_axis": 1, "time_axis": 0}
    checked("ReverseSequence", {"x": numbers(shape, kind), "n": lengths}, False, **axes)


@EXAMPLES
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=2),
    st.sampled_from(["int64", "int32", "float32"]),
    st.data(),
)
def test_one_hot(shape: list[int], kind: str, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    at = np.random.default_rng(1).integers(-6, 6, shape).astype(kind)
    made = model(
        [node("OneHot", "at depth pair", "y", axis=axis)],
        {"at": (kind, shape), "pair": (F, (2,))},
        ["y"],
        {"depth": np.array(4).astype(kind)},
    )
    agree(made, {"at": at, "pair": F([-1, 3])}, TARGET)


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize("starts", [None, [0, 2], [3, 1], [5, 4]])
def test_tensor_scatter(circular: bool, starts: list[int] | None) -> None:
    x, new = numbers((2, 3, 6, 2), "float32"), numbers((2, 3, 4, 2), "float32", 5)
    if not circular and starts and max(starts) > 2:
        starts = [0, 2]
    names = "x new" if starts is None else "x new at"
    inputs = {"x": x, "new": new} | ({} if starts is None else {"at": np.array(starts)})
    made = model(
        [node("TensorScatter", names, "y", mode="circular" if circular else "linear")],
        {n: (a.dtype, a.shape) for n, a in inputs.items()},
        ["y"],
        opset=24,
    )
    (want,) = ReferenceEvaluator(made).run(None, inputs)
    np.testing.assert_array_equal(run(made, inputs, TARGET)["y"], want)


@EXAMPLES
@given(st.lists(st.integers(0, 5), min_size=2, max_size=3), st.integers(-6, 6), st.booleans())
def test_trilu(shape: list[int], offset: int, upper: bool) -> None:
    inputs = {"x": numbers(tuple(shape), "float32", 1) + F(1), "k": np.array(offset)}
    checked("Trilu", inputs, True, upper=int(upper))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (1, 1)])
@pytest.mark.parametrize("offset", [0, 1, -2, 9])
def test_eye_like(shape: tuple[int, int], offset: int) -> None:
    checked("EyeLike", {"x": numbers(shape, "float32")}, False, k=offset, dtype=7)


@EXAMPLES
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.lists(st.integers(1, 3), min_size=0, max_size=2),
    st.sampled_from(KINDS),
    st.booleans(),
    st.data(),
)
def test_gather(
    shape: list[int], lead: list[int], kind: str, fixed: bool, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    at = np.random.default_rng(2).integers(-shape[axis], shape[axis], lead)
    checked("Gather", {"x": numbers(tuple(shape), kind), "at": at}, fixed, axis=axis)


def test_an_index_outside_is_an_error_or_drawn_inside() -> None:
    x, at = F([1, 2, 3]), np.array([-9, 9])
    gathers = model([node("Gather", "x at", "y")], {"x": (F, (3,)), "at": ("int64", (2,))}, ["y"])
    assert run(gathers, {"x": x, "at": at}, TARGET)["y"].tolist() == [1, 3]
    inputs = {"x": (F, (3,)), "new": (F, (2,))}
    nodes = [node("ScatterElements", "x at new", "y")]
    with pytest.raises(ModelError, match="index -9 is not among 3 elements"):
        compiled(model(nodes, inputs, ["y"], {"at": at}), TARGET)
    free = compiled(model(nodes, inputs | {"at": ("int64", (2,))}, ["y"]), TARGET)
    with pytest.raises(LaunchError, match="index -9 is not among 3 elements"):
        free({"x": x, "at": at, "new": x[:2]})


@pytest.mark.parametrize("op", ["GatherElements", "ScatterElements", "TopK", "CumSum", "Trilu"])
def test_nothing(op: str) -> None:
    x, at = np.zeros((0, 3), F), np.zeros((0, 3), np.int64)
    inputs: dict[str, np.ndarray] = {
        "GatherElements": {"x": x, "at": at},
        "ScatterElements": {"x": x, "at": at, "new": x},
        "TopK": {"x": x, "k": np.array([2])},
        "CumSum": {"x": x, "axis": np.array(0)},
        "Trilu": {"x": x},
    }[op]
    outputs = "y at2" if op == "TopK" else "y"
    made = model(
        [node(op, " ".join(inputs), outputs)],
        {"x": (F, x.shape)},
        outputs.split(),
        {n: a for n, a in inputs.items() if n != "x"},
    )
    got = run(made, {"x": x}, TARGET)
    for name, want in expected(made, {"x": x}).items():
        assert got[name].shape == want.shape
        assert got[name].dtype == want.dtype


def test_bits_seen_as_another_type() -> None:
    x = F([[1.5, -2], [np.inf, 0]])
    made = model([node("BitCast", "x", "y", to=6)], {"x": (F, (2, 2))}, ["y"], opset=26)
    np.testing.assert_array_equal(run(made, {"x": x}, TARGET)["y"], x.view(np.int32))
    with pytest.raises(ModelError, match=r"the 32 bits of x: f32.* are no i64"):
        run(model([node("BitCast", "x", "y", to=7)], {"x": (F, (2,))}, ["y"], opset=26), {}, TARGET)


def test_a_sparse_constant() -> None:
    values = helper.make_tensor("v", 1, [2], [3.0, 4.0])
    for where, shape in (([1, 5], [2]), ([0, 1, 1, 2], [2, 2])):
        at = helper.make_tensor("i", 7, shape, where)
        sparse = helper.make_sparse_tensor(values, at, [2, 3])
        made = model(
            [node("Constant", "", "c", sparse_value=sparse), node("Add", "x c", "y")],
            {"x": (F, (2, 3))},
            ["y"],
        )
        got = run(made, {"x": np.zeros((2, 3), F)}, TARGET)["y"]
        assert got.tolist() == [[0, 3, 0], [0, 0, 4]]


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("skips", [0, 2])
@pytest.mark.parametrize("least", [1, 2])
def test_counted_runs(mode: str, skips: int, least: int) -> None:
    made = model(
        [
            node(
                "TfIdfVectorizer",
                "x",
                "y",
                mode=mode,
                min_gram_length=least,
                max_gram_length=3,
                max_skip_count=skips,
                ngram_counts=[0, 2, 6],
                ngram_indexes=[0, 4, 1, 2, 3],
                pool_int64s=[2, 3, 1, 2, 3, 3, 1, 2, 3],
                weights=[0.5, 2.0, 3.0, 4.0, 5.0],
            )
        ],
        {"x": (np.int64, (2, 12))},
        ["y"],
    )
    x = np.random.default_rng(0).integers(0, 4, (2, 12))
    agree(made, {"x": x}, TARGET)


def test_runs_counted_too_far_away() -> None:
    attributes = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0}
    attributes |= {"ngram_counts": [0], "ngram_indexes": [2**40], "pool_int64s": [1]}
    made = model([node("TfIdfVectorizer", "x", "y", **attributes)], {"x": (np.int64, (3,))}, ["y"])
    with pytest.raises(ModelError, match="ngram_indexes up to 1099511627776 are too large"):
        run(made, {"x": np.array([1, 2, 1])}, TARGET)
