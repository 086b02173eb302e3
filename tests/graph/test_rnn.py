"""LSTM, GRU and RNN in all their forms, beside onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import agree, floats, model, node
from workbench.base.errors import ModelError, UnsupportedOp
from workbench.graph import from_onnx

F = np.float32
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def layer(
    op: str,
    steps: int,
    batch: int,
    inputs: int,
    hidden: int,
    *,
    way: str = "forward",
    optional: str = "",
    layout: int = 0,
    **attributes: Any,
) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """A layer with random weights, and inputs; `optional` lists B, L, h, c, P."""
    ways, wide = 2 if way == "bidirectional" else 1, GATES[op] * hidden
    shape = (batch, steps, inputs) if layout else (steps, batch, inputs)
    state = (batch, ways, hidden) if layout else (ways, batch, hidden)
    weights = {"w": floats(ways, wide, inputs), "r": floats(ways, wide, hidden, seed=1) * F(0.5)}
    arrays = {"x": floats(*shape, seed=2)}
    if "B" in optional:
        weights["b"] = floats(ways, 2 * wide, seed=3)
    if "P" in optional:
        weights["p"] = floats(ways, 3 * hidden, seed=4)
    if "h" in optional:
        arrays["h"] = floats(*state, seed=5)
    if "c" in optional:
        arrays["c"] = floats(*state, seed=6)
    if "L" in optional:
        arrays["l"] = np.random.default_rng(7).integers(0, steps + 1, batch).astype(np.int32)
    names = ["x", "w", "r", "b", "l", "h", "c", "p"][: 8 if op == "LSTM" else 6]
    known = {**weights, **arrays}
    given_ = [n if n in known else "" for n in names]
    outputs = ["y", "yh", "yc"][: 3 if op == "LSTM" else 2]
    made = onnx.helper.make_node(
        op, given_, outputs, hidden_size=hidden, direction=way, layout=layout, **attributes
    )
    kinds = {n: (a.dtype, a.shape) for n, a in arrays.items()}
    return model([made], kinds, outputs, weights), arrays


@pytest.mark.parametrize("op", GATES)
@given(
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 20),
    st.sampled_from(["forward", "reverse", "bidirectional"]),
    st.sets(st.sampled_from("BLhcP")),
    st.sampled_from([0.0, 0.4]),
    st.booleans(),
)
@settings(max_examples=12)
def test_layers(
    op: str,
    steps: int,
    batch: int,
    hidden: int,
    way: str,
    optional: set[str],
    clip: float,
    flag: bool,
) -> None:
    more: dict[str, Any] = {"clip": clip} if clip else {}
    if op == "GRU":
        more["linear_before_reset"] = int(flag)
    if op != "LSTM":
        optional -= {"c", "P"}
    made, arrays = layer(op, steps, batch, 3, hidden, way=way, optional="".join(optional), **more)
    agree(made, arrays, "cpu", atol=1e-4)


@pytest.mark.parametrize(
    ("op", "names", "numbers"),
    [
        ("RNN", ["Relu"], {}),
        ("RNN", ["Affine"], {"activation_alpha": [0.7], "activation_beta": [0.1]}),
        ("RNN", ["LeakyRelu"], {"activation_alpha": [0.2]}),
        ("RNN", ["ThresholdedRelu"], {"activation_alpha": [0.3]}),
        ("RNN", ["ScaledTanh"], {"activation_alpha": [1.2], "activation_beta": [0.5]}),
        ("RNN", ["Elu"], {"activation_alpha": [0.8]}),
        ("GRU", ["HardSigmoid", "Softsign"], {}),
        ("GRU", ["Sigmoid", "Softplus"], {}),
        (
            "LSTM",
            ["HardSigmoid", "Elu", "Tanh"],
            {"activation_alpha": [0.3, 0.9], "activation_beta": [0.4]},
        ),
    ],
)
def test_activations(op: str, names: list[str], numbers: Mapping[str, list[float]]) -> None:
    made, arrays = layer(op, 4, 2, 3, 6, optional="B", activations=names, **numbers)
    agree(made, arrays, "cpu", atol=1e-4)


def test_each_direction_may_have_activations_of_its_own() -> None:
    made, arrays = layer(
        "GRU",
        4,
        2,
        3,
        6,
        way="bidirectional",
        optional="BL",
        activations=["Sigmoid", "Tanh", "HardSigmoid", "Softsign"],
    )
    agree(made, arrays, "cpu", atol=1e-4)


def test_the_batch_may_come_first() -> None:
    swapped, arrays = layer("LSTM", 4, 2, 3, 5, optional="Bhc", layout=1, way="bidirectional")
    plain, _ = layer("LSTM", 4, 2, 3, 5, optional="Bhc", way="bidirectional")
    session = onnxruntime.InferenceSession(plain.SerializeToString())
    y, h, c = session.run(None, {n: a.swapaxes(0, 1) for n, a in arrays.items()})
    got = from_onnx(swapped).optimize().compile("cpu")(arrays)
    np.testing.assert_allclose(got["y"], y.transpose(2, 0, 1, 3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got["yh"], h.swapaxes(0, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got["yc"], c.swapaxes(0, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op", GATES)
def test_on_the_checked_machine(op: str) -> None:
    made, arrays = layer(op, 3, 2, 3, 5, optional="BLh", way="bidirectional")
    agree(made, arrays, "interp", atol=1e-4)


def test_many_steps_are_one_kernel() -> None:
    made, arrays = layer("LSTM", 80, 1, 16, 48, optional="Bhc", way="bidirectional")
    graph = from_onnx(made).optimize()
    assert sum(g.anchor.name == "lstm" for g in graph.groups) == 1
    agree(made, arrays, "cpu", atol=1e-4)


def test_what_does_not_fit() -> None:
    made, _ = layer("LSTM", 3, 2, 4, 5, activations=["Tanh", "Sine", "Tanh"])
    with pytest.raises(UnsupportedOp, match="the activation Sine is not supported"):
        from_onnx(made)
    made, _ = layer("GRU", 3, 2, 4, 5)
    next(a for a in made.graph.node[0].attribute if a.name == "direction").s = b"sideways"
    with pytest.raises(ModelError, match="there is no direction 'sideways'"):
        from_onnx(made)
    made = model(
        [node("RNN", "x w r", "y", hidden_size=3)],
        {"x": (F, (2, 1, 4))},
        ["y"],
        {"w": floats(1, 3, 5), "r": floats(1, 3, 3)},
    )
    with pytest.raises(ModelError, match=r"should have the shape \[1, 3, 4\]"):
        from_onnx(made)
