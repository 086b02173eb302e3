"""Two products with rows between them: one kernel that stores nothing of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import model, node
from tests.graph.suite import cases, outcome
from workbench.driver.build import compile_module
from workbench.graph import Group, from_onnx
from workbench.graph import attention as rule
from workbench.graph.schedule import program
from workbench.graph.twins import schedule_once
from workbench.ir.stmt import Store
from workbench.ir.target import Target
from workbench.ir.traverse import walk
from workbench.ir.types import Scope

F = np.float32


@pytest.fixture(autouse=True, scope="module")
def _whatever_the_size() -> Iterator[None]:
    """Small ones too, so that many shapes are tried."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "SMALL", 0)
        yield


def attention(
    batch: int = 1,
    heads: int = 2,
    queries: int = 9,
    keys: int = 21,
    depth: int = 8,
    wide: int = 8,
    mask: str = "key",
    kind: Any = F,
) -> onnx.ModelProto:
    """Softmax attention; the mask is added for each key, for all pairs, chosen by, or none."""
    shape = {"key": (batch, 1, 1, keys), "pairs": (1, 1, queries, keys)}.get(mask)
    inputs: dict[str, tuple[Any, tuple[int, ...]]] = {
        "q": (kind, (batch, heads, queries, depth)),
        "k": (kind, (batch, heads, keys, depth)),
        "v": (kind, (batch, heads, keys, wide)),
    }
    nodes = [node("Transpose", "k", "kt", perm=[0, 1, 3, 2]), node("MatMul", "q kt", "s")]
    nodes.append(node("Mul", "s scale", "scores"))
    last = "scores"
    if shape:
        inputs["mask"] = (kind, shape)
        nodes.append(node("Add", "scores mask", "masked"))
        last = "masked"
    elif mask == "where":
        inputs["mask"] = (np.bool_, (batch, 1, queries, keys))
        nodes.append(node("Where", "mask scores lowest", "masked"))
        last = "masked"
    nodes += [
        node("Softmax", last, "p", axis=-1),
        node("MatMul", "p v", "o"),
        node("Transpose", "o", "y", perm=[0, 2, 1, 3]),
    ]
    weights = {"scale": kind(depth**-0.5), "lowest": kind(-np.inf)}
    return model(nodes, inputs, ["y"], weights)


def arrays(made: onnx.ModelProto, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}
    for t in from_onnx(made).inputs:
        values = random.standard_normal(t.extents)
        kind = t.dtype.numpy_name
        found[t.name] = values > 0 if kind == "bool" else values.astype(kind)
    return found


def exact(given: dict[str, np.ndarray]) -> np.ndarray:
    """By numpy in double precision."""
    q, k, v = (given[n].astype(np.float64) for n in "qkv")
    scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
    mask = given.get("mask")
    if mask is not None:
        chosen = mask.dtype == np.bool_
        scores = np.where(mask, scores, -np.inf) if chosen else scores + mask.astype(np.float64)
    with np.errstate(invalid="ignore"):
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return (weights / weights.sum(-1, keepdims=True) @ v).swapaxes(1, 2)


def groups(made: onnx.ModelProto, target: str = "cpu") -> tuple[Group, ...]:
    return from_onnx(made).optimize(target=target).groups


def check(made: onnx.ModelProto, given: dict[str, np.ndarray], tolerance: float = 2e-5) -> None:
    """One kernel that gives what three give, and what double precision gives."""
    graph = from_onnx(made)
    fused = graph.optimize()
    assert [g.first is not None for g in fused.groups] == [True]
    assert not fused.unfused
    got = fused.compile()(given)["y"]
    alone = graph.optimize(fuse=False).compile()(given)["y"]
    np.testing.assert_allclose(got, exact(given), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(got, alone, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("mask", ["none", "key", "pairs", "where"])
@pytest.mark.parametrize(
    ("queries", "keys", "depth", "wide"),
    [(128, 128, 64, 64), (197, 197, 64, 64), (5, 33, 7, 3), (4, 2, 8, 70), (61, 300, 20, 65)],
)
def test_sizes(queries: int, keys: int, depth: int, wide: int, mask: str) -> None:
    made = attention(2, 3, queries, keys, depth, wide, mask)
    given = arrays(made)
    if mask == "where":
        given["mask"][..., 0] = True
    check(made, given)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.tuples(
        st.integers(1, 3), st.integers(1, 3), st.integers(4, 70), st.integers(2, 90),
        st.integers(1, 40), st.integers(1, 80),
    ),
    mask=st.sampled_from(["none", "key", "pairs"]),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_any_size(sizes: tuple[int, ...], mask: str, seed: int) -> None:
    batch, heads, queries, keys, depth, wide = sizes
    made = attention(batch, heads, queries, max(keys, 2), depth, wide, mask)
    if len(groups(made)) == 1:  # with a depth of one the first product may be no product
        check(made, arrays(made, seed))


def test_long_rows_and_short_stretches() -> None:
    check(attention(1, 1, 100, 3000, 16, 20), arrays(attention(1, 1, 100, 3000, 16, 20)))


def test_rows_without_any_key_are_not_a_number() -> None:
    """As the three kernels say, and ONNX's own definition."""
    made = attention(2, 2, 7, 19, mask="where")
    given = arrays(made)
    given["mask"][0, 0, 3] = False
    given["mask"][0, 0, [0, 1, 2, 4, 5, 6], 0] = True
    given["mask"][1, ..., 0] = True
    got = from_onnx(made).optimize().compile()(given)["y"]
    want = exact(given)
    assert np.isnan(want[0, 3]).all()
    assert not np.isnan(np.delete(want[0], 3, 0)).any()
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def test_half_precision() -> None:
    made = attention(1, 2, 33, 45, 16, 16, kind=np.float16)
    given = arrays(made)
    graph = from_onnx(made)
    fused = graph.optimize()
    got = fused.compile()(given)["y"].astype(np.float64)
    np.testing.assert_allclose(got, exact(given), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("mask", ["key", "pairs"])
def test_the_interpreter_runs_the_same_program(mask: str) -> None:
    """With shadow memory: nothing is read before it is written, nobody races."""
    made = attention(1, 2, 13, 19, 5, 6, mask)
    (group,) = groups(made)
    found = program(group, Target("cpu"))
    given = arrays(made)
    constants = from_onnx(made).optimize().constants
    by_name = {t.name: a for t, a in constants.items()} | given
    out = np.full(group.output.extents, np.nan, F)
    held = [by_name[t.name].reshape(t.storage.extents) for t in found.tensors[:-1]]
    compile_module(found.module, Target("interp"))(*held, out)
    np.testing.assert_allclose(out.reshape(exact(given).shape), exact(given), rtol=1e-5, atol=1e-5)


def test_scores_are_never_stored() -> None:
    (group,) = groups(attention())
    module = program(group, Target("cpu")).module
    stored = {n.tensor for n in walk(module.kernel.body) if isinstance(n, Store)}
    outside = [t for t in stored if t.tensor.scope is Scope.GLOBAL]
    assert [t.tensor.size for t in outside] == [group.output.size]


def test_bytes_and_launches_that_are_saved() -> None:
    made = attention(1, 12, 128, 128, 64, 64)
    compiled = from_onnx(made).optimize().compile()
    assert compiled.launches[1] == 1
    ends = sum(t.size_bytes for t in (*compiled.graph.inputs, *compiled.graph.outputs))
    assert compiled.traffic_bytes[1] == ends


def reason(made: onnx.ModelProto, target: str = "cpu") -> list[str]:
    found = from_onnx(made).optimize(target=target)
    assert all(g.first is None for g in found.groups)
    return [u.reason for u in found.unfused]


def test_why_not() -> None:
    assert "cuda has no schedule for both products in one kernel" in reason(attention(), "cuda")
    assert "rows of 20000 are too long for scratch memory" in reason(attention(1, 1, 64, 20000))
    few = reason(attention(queries=3))
    assert "matmul has too few rows for one kernel with matmul" in few


def test_weights_that_somebody_else_needs() -> None:
    made = attention()
    made.graph.output.append(onnx.ValueInfoProto(name="p"))
    made = onnx.shape_inference.infer_shapes(made)
    assert any("somebody else needs what the rows" in r for r in reason(made))


def test_products_with_weights_stay_apart() -> None:
    """What is packed ahead for a product of its own would be copied for each block of rows."""
    nodes = [node("MatMul", "x a", "s"), node("Softmax", "s", "p"), node("MatMul", "p b", "y")]
    random = np.random.default_rng(1)
    weights = {"a": random.random((64, 64), F), "b": random.random((64, 64), F)}
    made = model(nodes, {"x": (F, (32, 64))}, ["y"], weights)
    assert "matmul has weights, which each block of rows would copy" in reason(made)


def test_anything_along_the_rows_will_do() -> None:
    """Not softmax: rows that are normalised by their mean square."""
    nodes = [
        node("MatMul", "q k", "s"),
        node("Mul", "s s", "squares"),
        node("ReduceMean", "squares", "mean", axes=[-1]),
        node("Sqrt", "mean", "root"),
        node("Div", "s root", "p"),
        node("MatMul", "p v", "y"),
    ]
    inputs = {"q": (F, (2, 10, 6)), "k": (F, (2, 6, 40)), "v": (F, (2, 40, 5))}
    made = model(nodes, inputs, ["y"])
    given = arrays(made)
    assert [g.first is not None for g in groups(made)] == [True]
    got = from_onnx(made).optimize().compile()(given)["y"]
    scores = given["q"].astype(float) @ given["k"]
    want = scores / np.sqrt((scores**2).mean(-1, keepdims=True)) @ given["v"]
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def test_layers_that_are_alike_share_a_kernel() -> None:
    nodes: list[onnx.NodeProto] = []
    last = "q"
    for n in range(3):
        nodes += [
            node("MatMul", f"{last} k", f"s{n}"),
            node("Softmax", f"s{n}", f"p{n}", axis=-1),
            node("MatMul", f"p{n} v", f"q{n}"),
        ]
        last = f"q{n}"
    inputs = {"q": (F, (2, 12, 8)), "k": (F, (2, 8, 20)), "v": (F, (2, 20, 8))}
    found = groups(model(nodes, inputs, [last]))
    assert [g.first is not None for g in found] == [True] * 3
    made = schedule_once(found, lambda g: program(g, Target("cpu")))
    assert len({s.module for s in made}) == 1


def test_small_scores_stay_in_the_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    made = attention(1, 12, 32, 32, 32, 32)
    assert [g.first is not None for g in groups(made)] == [True]
    monkeypatch.setattr(rule, "SMALL", 2**14)
    assert "12288 scores stay in the caches between three kernels" in reason(made)


def test_attention_of_the_suite() -> None:
    """ONNX's operator, as its own function body says: with heads that share keys, masks, caches."""
    found = [c for c in cases("core") if c.name.startswith("test_attention")]
    assert len(found) > 50
    assert {c.name: o for c in found if (o := outcome(c)) != "passed"} == {}
    whole = [c for c in found if any(g.first for g in groups(onnx.load(c / "model.onnx")))]
    assert len(whole) > len(found) // 2
