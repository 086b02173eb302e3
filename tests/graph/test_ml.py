"""Classical machine learning, domain ai.onnx.ml, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.graph.cases import agree, floats, run
from workbench.base.errors import LaunchError, ModelError
from workbench.graph import from_onnx

F = np.float32
TARGET = "cpu"
EXAMPLES = settings(max_examples=8)


def ml(
    op: str, inputs: dict[str, np.ndarray], outputs: str = "y", version: int = 3, **attributes: Any
) -> onnx.ModelProto:
    """A model of one node; what its outputs are is for the runtime to find out."""
    node = helper.make_node(
        op, list(inputs), outputs.split(), name=op, domain="ai.onnx.ml", **attributes
    )
    ends = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in inputs.items()
    ]
    graph = helper.make_graph(
        [node], "ml", ends, [helper.make_empty_tensor_value_info(o) for o in outputs.split()]
    )
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", version)]
    made = helper.make_model(graph, opset_imports=sets, ir_version=8)
    return onnx.shape_inference.infer_shapes(made)


def reals(*shape: int, seed: int = 0) -> list[float]:
    return floats(*shape, seed=seed).reshape(-1).tolist()


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "int32"])
@pytest.mark.parametrize("each", [False, True])
def test_scaler(kind: str, each: bool) -> None:
    x = (floats(5, 3) * 9).astype(kind)
    count = 3 if each else 1
    made = ml("Scaler", {"x": x}, offset=reals(count), scale=reals(count, seed=1))
    agree(made, {"x": x}, TARGET)


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
def test_normalizer(norm: str) -> None:
    x = floats(5, 7)
    x[2] = 0
    agree(ml("Normalizer", {"x": x}, norm=norm), {"x": x}, TARGET)


def test_binarizer_and_imputer() -> None:
    x = F([[1, np.nan, 3], [0.5, -1, 2]])
    agree(ml("Binarizer", {"x": F([[1, 0.5, 2]])}, threshold=0.5), {"x": F([[1, 0.5, 2]])}, TARGET)
    for values in ([7.0], [7.0, 8.0, 9.0]):
        for old in (float("nan"), 0.5):
            made = ml("Imputer", {"x": x}, imputed_value_floats=values, replaced_value_float=old)
            agree(made, {"x": x}, TARGET)
    whole = np.array([[1, 2, 3], [2, 2, 5]])
    made = ml("Imputer", {"x": whole}, imputed_value_int64s=[9], replaced_value_int64=2)
    agree(made, {"x": whole}, TARGET)


def test_features_by_number() -> None:
    x, at = floats(4, 6), np.array([5, 0, 3])
    agree(ml("ArrayFeatureExtractor", {"x": x, "at": at}), {"x": x, "at": at}, TARGET)


@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_labels_for_numbers(shape: tuple[int, ...]) -> None:
    x = np.array([3, 1, 4, 1, 5, 9]).reshape(shape)
    pairs = {"keys_int64s": [1, 4, 9], "values_floats": [0.5, 1.5, 2.5]}
    agree(ml("LabelEncoder", {"x": x}, default_float=-2.0, **pairs), {"x": x}, TARGET)
    y = F([1, 2, np.nan, 0, 7, 2]).reshape(shape)
    pairs = {"keys_floats": [2.0, float("nan"), 0.0], "values_int64s": [20, 30, 40]}
    # that NaN is a key like others came with version 4
    agree(ml("LabelEncoder", {"x": y}, version=4, **pairs), {"x": y}, TARGET)


@pytest.mark.parametrize("kind", ["int64", "float32"])
def test_one_hot(kind: str) -> None:
    x = np.array([[1, 5], [7, 3]]).astype(kind)
    agree(ml("OneHotEncoder", {"x": x}, cats_int64s=[3, 1, 8]), {"x": x}, TARGET)
    strict = ml("OneHotEncoder", {"x": x}, cats_int64s=[3, 1, 8, 5], zeros=0)
    with pytest.raises(LaunchError, match=r"7.* is not among 4 categories"):
        run(strict, {"x": x}, TARGET)


def test_vectors_put_together() -> None:
    inputs = {"a": floats(3, 2), "b": np.arange(9).reshape(3, 3).astype("int64")}
    # onnxruntime takes tensors of one type only
    same = {n: a.astype(F) for n, a in inputs.items()}
    made = ml("FeatureVectorizer", same, inputdimensions=[2, 3])
    agree(made, same, TARGET)


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"])
@pytest.mark.parametrize("targets", [1, 3])
def test_linear_regression(post: str, targets: int) -> None:
    x = floats(6, 4)
    made = ml(
        "LinearRegressor",
        {"x": x},
        coefficients=reals(targets, 4, seed=1),
        intercepts=reals(targets, seed=2),
        targets=targets,
        post_transform=post,
    )
    if targets == 3 and post != "PROBIT":
        agree(made, {"x": x}, TARGET)
        return
    # of one target, onnxruntime transforms nothing or takes none
    if post == "PROBIT":
        # scores beyond 0 to 1 have none
        x = np.zeros_like(x)
        made.graph.node[0].attribute[1].floats[:] = [0.3, 0.6, 0.9][:targets]
        want = [-0.5244, 0.25335, 1.28155][:targets]
        np.testing.assert_allclose(run(made, {"x": x}, TARGET)["y"], [want] * 6, rtol=5e-3)
        return
    total = x @ floats(1, 4, seed=1).T + floats(1, seed=2)
    want = {"NONE": total, "LOGISTIC": 1 / (1 + np.exp(-total))}.get(post, np.ones_like(total))
    np.testing.assert_allclose(run(made, {"x": x}, TARGET)["y"], want, rtol=1e-5)


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("classes", [2, 3])
def test_linear_classes(post: str, classes: int) -> None:
    x = floats(9, 4)
    made = ml(
        "LinearClassifier",
        {"x": x},
        "label scores",
        coefficients=reals(classes, 4, seed=1),
        intercepts=reals(classes, seed=2),
        classlabels_ints=[7, 3, 5][:classes],
        post_transform=post,
    )
    agree(made, {"x": x}, TARGET)


@pytest.mark.parametrize("post", ["NONE", "LOGISTIC"])
def test_one_row_of_coefficients_for_two_classes(post: str) -> None:
    x = floats(9, 4)
    made = ml(
        "LinearClassifier",
        {"x": x},
        "label scores",
        coefficients=reals(1, 4, seed=1),
        intercepts=[0.1],
        classlabels_ints=[7, 3],
        post_transform=post,
    )
    agree(made, {"x": x}, TARGET)


MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def forest(
    seed: int,
    modes: list[str],
    features: int,
    targets: int,
    what: str,
    lost: bool,
    full: bool = False,
) -> dict[str, Any]:
    """The attributes of random trees, some of which are a single leaf."""
    random = np.random.default_rng(seed)
    found: dict[str, list[Any]] = {}

    def put(**values: Any) -> None:
        for key, value in values.items():
            found.setdefault(key, []).append(value)

    for tree in range(random.integers(1, 6)):
        names = iter(range(200))
        waiting = [(next(names), 0)]
        while waiting:
            name, depth = waiting.pop()
            branch = depth < 4 and random.random() < (0.9 if depth < 2 else 0.5)
            below = (next(names), next(names)) if branch else (0, 0)
            waiting += [(n, depth + 1) for n in below] if branch else []
            put(
                nodes_treeids=tree,
                nodes_nodeids=name,
                nodes_featureids=int(random.integers(features)) if branch else 0,
                nodes_values=float(random.integers(-2, 3)) if branch else 0.0,
                nodes_modes=modes[random.integers(len(modes))] if branch else "LEAF",
                nodes_truenodeids=below[0],
                nodes_falsenodeids=below[1],
                nodes_missing_value_tracks_true=int(lost and branch and random.random() < 0.5),
            )
            some = targets if full else random.integers(1, targets + 1)
            for target in random.permutation(targets)[:some]:
                if not branch:
                    put(
                        **{
                            f"{what}_treeids": tree,
                            f"{what}_nodeids": name,
                            f"{what}_ids": int(target),
                            f"{what}_weights": float(random.normal()),
                        }
                    )
    return found


def samples(seed: int, rows: int, features: int, lost: bool) -> np.ndarray:
    """Small whole numbers, so that they often meet the numbers of the trees."""
    random = np.random.default_rng(seed)
    x = random.integers(-3, 4, (rows, features)).astype(F)
    if lost:
        x[random.random(x.shape) < 0.2] = np.nan
    return x


@EXAMPLES
@given(
    st.integers(0, 10**6),
    st.sampled_from([MODES[:1], MODES[1:2], MODES, MODES[4:]]),
    st.sampled_from(["SUM", "AVERAGE", "MIN", "MAX"]),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
def test_trees_for_numbers(
    seed: int, modes: list[str], aggregate: str, targets: int, lost: bool, base: bool
) -> None:
    # onnxruntime adds no base value where no leaf speaks of a target
    attributes = forest(seed, modes, 4, targets, "target", lost, full=base)
    if base:
        attributes["base_values"] = reals(targets, seed=3)
    x = samples(seed, 5, 4, lost)
    made = ml(
        "TreeEnsembleRegressor",
        {"x": x},
        aggregate_function=aggregate,
        n_targets=targets,
        **attributes,
    )
    agree(made, {"x": x}, TARGET)


@EXAMPLES
@given(
    st.integers(0, 10**6),
    st.sampled_from(["NONE", "SOFTMAX", "LOGISTIC"]),
    st.booleans(),
)
def test_trees_for_classes(seed: int, post: str, lost: bool) -> None:
    attributes = forest(seed, MODES[:1], 4, 3, "class", lost)
    x = samples(seed, 5, 4, lost)
    # every class has a score, or onnxruntime leaves it out for the label
    attributes["class_weights"] = [abs(w) for w in attributes["class_weights"]]
    made = ml(
        "TreeEnsembleClassifier",
        {"x": x},
        "label scores",
        classlabels_int64s=[4, 2, 9],
        post_transform=post,
        **attributes,
    )
    agree(made, {"x": x}, TARGET)


@EXAMPLES
@given(st.integers(0, 10**6), st.sampled_from(["NONE", "LOGISTIC", "SOFTMAX"]), st.booleans())
def test_trees_that_score_one_of_two_classes(seed: int, post: str, positive: bool) -> None:
    attributes = forest(seed, MODES[:1], 3, 1, "class", False)
    if positive:
        attributes["class_weights"] = [abs(w) for w in attributes["class_weights"]]
    x = samples(seed, 6, 3, False)
    made = ml(
        "TreeEnsembleClassifier",
        {"x": x},
        "label scores",
        classlabels_int64s=[4, 2],
        post_transform=post,
        **attributes,
    )
    agree(made, {"x": x}, TARGET)


@pytest.mark.parametrize("aggregate", [0, 1, 2, 3])
def test_trees_with_sets(aggregate: int) -> None:
    def tensor(values: Any, kind: str = "float32") -> onnx.TensorProto:
        return numpy_helper.from_array(np.asarray(values, kind))

    x = F([[1.2, 3.4], [-0.12, 1.66], [4.14, 1.77], [1.77, 7], [np.nan, 1.2]])
    made = ml(
        "TreeEnsemble",
        {"x": x},
        version=5,
        n_targets=3,
        aggregate_function=aggregate,
        membership_values=tensor([1.2, 3.7, 8, 9, np.nan, 12, 7, np.nan]),
        nodes_missing_value_tracks_true=[0, 1, 0, 1, 0],
        nodes_featureids=[0, 0, 1, 0, 1],
        nodes_modes=tensor([0, 6, 6, 2, 1], "uint8"),
        nodes_splits=tensor([3.14, 0, 0, 1.7, 2]),
        nodes_truenodeids=[1, 0, 1, 2, 3],
        nodes_trueleafs=[0, 1, 1, 1, 1],
        nodes_falsenodeids=[2, 2, 3, 4, 0],
        nodes_falseleafs=[0, 1, 0, 0, 1],
        leaf_targetids=[0, 1, 2, 0],
        leaf_weights=tensor([5.0, 12.0, -12.0, 7.5]),
        tree_roots=[0, 3],
    )
    (want,) = ReferenceEvaluator(made).run(None, {"x": x[:4]})
    if aggregate in (1,):
        np.testing.assert_allclose(run(made, {"x": x}, TARGET)["y"][:4], want, rtol=1e-6)
    agree(made, {"x": x}, TARGET)


def test_a_forest_becomes_few_kernels() -> None:
    attributes = forest(12, MODES[:1], 4, 1, "target", False)
    made = ml("TreeEnsembleRegressor", {"x": floats(64, 4)}, n_targets=1, **attributes)
    graph = from_onnx(made).optimize().compile(TARGET)
    before, after = graph.launches
    assert after < before


def test_what_is_no_tree() -> None:
    attributes = forest(5, MODES[:1], 4, 1, "target", False)
    x = floats(2, 4)
    circle = dict(attributes)
    branch = next(n for n, m in enumerate(circle["nodes_modes"]) if m != "LEAF")
    circle["nodes_truenodeids"] = list(circle["nodes_truenodeids"])
    circle["nodes_truenodeids"][branch] = circle["nodes_nodeids"][branch]
    for wrong, message in (
        (circle, "circle"),
        (
            attributes | {"nodes_falsenodeids": [999] * len(attributes["nodes_modes"])},
            "no such node",
        ),
        (
            attributes | {"nodes_modes": ["WHY"] * len(attributes["nodes_modes"])},
            "'WHY' is no mode",
        ),
        (attributes | {"target_ids": [7] * len(attributes["target_ids"])}, "target 7 of 1"),
        (attributes | {"nodes_featureids": [4] * len(attributes["nodes_modes"])}, "no feature 4"),
    ):
        made = ml("TreeEnsembleRegressor", {"x": x}, n_targets=1, **wrong)
        with pytest.raises(ModelError, match=message):
            run(made, {"x": x}, TARGET)
