"""Support vector machines against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.graph.cases import agree, floats
from tests.graph.test_ml import TARGET, ml, reals


def machine(classes: int, seed: int) -> dict[str, Any]:
    """The attributes of random support vectors of 3 features."""
    sizes = np.random.default_rng(seed).integers(1, 4, classes).tolist()
    return {
        "vectors_per_class": sizes,
        "support_vectors": reals(sum(sizes), 3, seed=seed),
        "coefficients": reals(classes - 1, sum(sizes), seed=seed + 1),
        "rho": reals(classes * (classes - 1) // 2, seed=seed + 2),
        "classlabels_ints": list(range(10, 10 + classes)),
    }


@pytest.mark.parametrize("kernel", ["LINEAR", "POLY", "RBF", "SIGMOID"])
@pytest.mark.parametrize("one", [0, 1])
def test_support_vectors_for_numbers(kernel: str, one: int) -> None:
    x = floats(7, 3)
    made = ml(
        "SVMRegressor",
        {"x": x},
        kernel_type=kernel,
        kernel_params=[0.4, 0.3, 3.0],
        n_supports=5,
        support_vectors=reals(5, 3, seed=1),
        coefficients=reals(5, seed=2),
        rho=[0.2],
        one_class=one,
    )
    agree(made, {"x": x}, TARGET)


@pytest.mark.parametrize("post", ["NONE", "LOGISTIC", "SOFTMAX"])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_support_vectors_for_classes(classes: int, post: str) -> None:
    x = floats(9, 3)
    made = ml(
        "SVMClassifier",
        {"x": x},
        "label scores",
        kernel_type="RBF",
        kernel_params=[0.5, 0.0, 3.0],
        post_transform=post,
        **machine(classes, classes),
    )
    agree(made, {"x": x}, TARGET)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_support_vectors_with_shares(classes: int) -> None:
    x, pairs = floats(20, 3), classes * (classes - 1) // 2
    made = ml(
        "SVMClassifier",
        {"x": x},
        "label scores",
        kernel_type="LINEAR",
        kernel_params=[0.5, 0.0, 3.0],
        prob_a=[-0.7] * pairs,
        prob_b=[0.1] * pairs,
        **machine(classes, classes),
    )
    agree(made, {"x": x}, TARGET, atol=1e-4)
