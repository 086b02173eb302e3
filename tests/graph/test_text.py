"""Strings: labels of classifiers, and what little a graph does with them, against onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.graph.cases import expected, floats, model, node, run
from tests.graph.test_ml import MODES, TARGET, forest, ml, reals
from workbench.base.errors import ModelError, UnsupportedOp


def worded(made: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> None:
    """Against onnxruntime, which gives strings as well."""
    got, want = run(made, inputs, TARGET), expected(made, inputs)
    for name, array in want.items():
        assert got[name].shape == array.shape
        if array.dtype == object:
            assert got[name].tolist() == array.tolist()
        else:
            assert got[name].dtype == array.dtype
            np.testing.assert_allclose(got[name], array, rtol=1e-5)


def test_labels_that_are_strings() -> None:
    x = floats(6, 3)
    made = ml(
        "LinearClassifier",
        {"x": x},
        "label scores",
        coefficients=reals(3, 3, seed=1),
        intercepts=[0.1, 0.2, 0.3],
        classlabels_strings=["a", "b", "ü"],
    )
    worded(made, {"x": x})
    attributes = forest(3, MODES[:1], 3, 1, "class", False)
    made = ml(
        "TreeEnsembleClassifier",
        {"x": x},
        "label scores",
        classlabels_strings=["no", "yes"],
        **attributes,
    )
    worded(made, {"x": x})


def test_strings_for_numbers_and_back() -> None:
    x, words = np.array([[3, 1], [4, 1]]), np.array([["b", "c"], ["a", "b"]], object)
    pairs = {"keys_int64s": [1, 4], "values_strings": ["one", "four"], "default_string": "other"}
    worded(ml("LabelEncoder", {"x": x}, **pairs), {"x": x})
    pairs = {"keys_strings": ["a", "b"], "values_floats": [0.5, 1.5], "default_float": -2.0}
    worded(ml("LabelEncoder", {"x": words}, **pairs), {"x": words})
    for own in (words, np.array([[0, 2]])):
        worded(ml("LabelEncoder", {"x": own}, version=1, classes_strings=["a", "b"]), {"x": own})


def test_strings_elsewhere_are_not_supported() -> None:
    words = np.array(["a", "b"], object)
    made = ml("LabelEncoder", {"x": words}, keys_strings=["a"], values_strings=["c"])
    made.graph.node.append(helper.make_node("Concat", ["y", "y"], ["z"], axis=0))
    made.graph.output[0].name = "z"
    with pytest.raises(UnsupportedOp, match="Concat of strings is not supported"):
        run(made, {"x": words}, TARGET)


@pytest.mark.parametrize("case", ["LOWER", "UPPER", "NONE"])
@pytest.mark.parametrize("exact", [0, 1])
def test_words_left_out(case: str, exact: int) -> None:
    made = model(
        [
            node(
                "StringNormalizer",
                "x",
                "y",
                case_change_action=case,
                is_case_sensitive=exact,
                stopwords=["Monday", "the"],
                locale="C",
            )
        ],
        {"x": (object, (3,))},
        ["y"],
    )
    worded(made, {"x": np.array(["monday", "The", "Monday"], object)})
    # an empty list is one empty string
    worded(made, {"x": np.array(["Monday", "the", "the"], object)})


def test_strings_are_no_numbers() -> None:
    made = model([node("Relu", "x", "y")], {"x": (object, (2,))}, [])
    made.graph.output.append(helper.make_tensor_value_info("y", 1, [2]))
    with pytest.raises(ModelError, match='its input "X" is x: text'):
        run(made, {"x": np.array(["a", "b"], object)}, TARGET)
