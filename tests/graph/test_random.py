"""Numbers drawn by chance: their laws, and that seeds and their absence are kept."""

from __future__ import annotations

import numpy as np
import pytest

from tests.graph.cases import compiled, floats, model, node


def test_two_draws_differ_and_so_do_two_calls() -> None:
    nodes = [node("RandomNormal", "", out, shape=[50]) for out in ("a", "b")]
    graph = compiled(model(nodes, {}, ["a", "b"]), "cpu")
    first, second = graph({}), graph({})
    drawn = np.stack([*first.values(), *second.values()])
    assert drawn.dtype == np.float32
    assert len(np.unique(drawn)) == 200


def test_a_seed_gives_the_same_again() -> None:
    made = model([node("RandomUniform", "", "y", shape=[9], seed=3.0)], {}, ["y"])
    one, other = (compiled(made, "cpu")({})["y"] for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, np.random.RandomState(3).uniform(size=9).astype("f4"))


@pytest.mark.parametrize(
    ("op", "attributes", "mean", "spread"),
    [
        ("RandomNormalLike", {"mean": 2.0, "scale": 3.0}, 2, 3),
        ("RandomUniformLike", {"low": -1.0, "high": 5.0}, 2, 3**0.5),
    ],
)
def test_laws(op: str, attributes: dict[str, float], mean: float, spread: float) -> None:
    x = np.zeros((100, 100))
    made = model([node(op, "x", "y", seed=1.0, **attributes)], {"x": (x.dtype, x.shape)}, ["y"])
    y = compiled(made, "cpu")({"x": x})["y"]
    assert y.dtype == np.float64
    # four deviations of the mean of 10,000
    assert abs(y.mean() - mean) < 4 * spread / 100
    assert abs(y.std() - spread) < 0.1


def test_classes_come_as_often_as_their_weights_say() -> None:
    weights = np.log(np.array([[1, 2, 1], [0.1, 0, 0.9]], np.float32) + 1e-30)
    made = model(
        [node("Multinomial", "x", "y", sample_size=4000, seed=0.0)],
        {"x": (weights.dtype, weights.shape)},
        ["y"],
    )
    y = compiled(made, "cpu")({"x": weights})["y"]
    assert y.dtype == np.int32
    shares = np.stack([np.bincount(row, minlength=3) for row in y]) / 4000
    np.testing.assert_allclose(shares, [[0.25, 0.5, 0.25], [0.1, 0, 0.9]], atol=0.04)


def test_dropout_keeps_a_share_and_scales_it() -> None:
    x = np.abs(floats(100, 100)) + 1
    made = model(
        [node("Dropout", "x r t", "y m")],
        {"x": (x.dtype, x.shape)},
        ["y", "m"],
        {"r": np.array(0.25, np.float32), "t": np.array(True)},
    )
    graph = compiled(made, "cpu")
    y, kept = graph({"x": x}).values()
    assert abs(kept.mean() - 0.75) < 0.02
    np.testing.assert_allclose(y, np.where(kept, x / 0.75, 0), 1e-6)
    assert (graph({"x": x})["m"] != kept).any()
