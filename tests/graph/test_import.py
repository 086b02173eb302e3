"""Models that cannot be imported, each with its message; and what the importer works out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.graph.cases import agree, floats, model, node, run, simple
from workbench.base.errors import ModelError, UnsupportedOp, WorkbenchError
from workbench.graph import from_onnx

F = np.float32


def refused(source: object, **dims: Any) -> str:
    with pytest.raises(ModelError) as error:
        from_onnx(source).compile("interp", dims or None)
    return str(error.value)


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    data = simple().SerializeToString()
    file = tmp_path / "cut.onnx"
    file.write_bytes(data[: len(data) - 20])
    assert refused(file).splitlines()[:2] == [
        f"'cut.onnx' ({len(data) - 20} bytes) is no ONNX model, or is cut short",
        "  hint: download or export it again",
    ]


def test_every_cut_is_an_error_or_a_whole_model() -> None:
    data = simple().SerializeToString()
    for length in range(len(data)):
        try:
            from_onnx(data[:length])
        except WorkbenchError as error:
            assert error.message  # noqa: PT017


@pytest.mark.parametrize("data", [b"", b"GIF89a not a model at all", b"\x00" * 64, b"{}"])
def test_bytes_that_are_no_model(data: bytes) -> None:
    assert "no ONNX model" in refused(data)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.onnx") == "cannot read 'none.onnx': No such file or directory"
    assert refused(42) == "a model is a path, bytes or a ModelProto, not int"


def test_all_unknown_operators_at_once() -> None:
    made = model(
        [
            node("Frobnicate", "x", "a"),
            node("Relu", "a", "b"),
            node("Frobnicate", "b", "c"),
            helper.make_node("Mystery", ["c"], ["y"], domain="com.example"),
        ],
        {"x": (F, (2, 3))},
        ["y"],
    )
    with pytest.raises(UnsupportedOp) as error:
        from_onnx(made)
    assert str(error.value) == (
        "2 operators are not supported\n"
        "  note: Frobnicate of opset 17: Frobnicate_a, Frobnicate_c\n"
        '  note: com.example.Mystery of opset 1: Mystery of "y"'
    )
    assert (error.value.op, error.value.opset) == ("Frobnicate", 17)


def test_an_operator_in_an_opset_that_is_not_known() -> None:
    made = model([node("Gelu", "x", "y")], {"x": (F, (2,))}, ["y"], opset=19)
    with pytest.raises(UnsupportedOp) as error:
        from_onnx(made)
    assert str(error.value) == (
        "the operator Gelu is not supported\n"
        "  note: Gelu of opset 19: Gelu_y; known for opset 20 and later"
    )


def test_an_opset_from_the_future() -> None:
    made = simple()
    made.opset_import[0].version = 99
    assert refused(made).startswith("the model asks for opset 99; the newest known is ")


def test_a_missing_initializer() -> None:
    made = simple()
    del made.graph.initializer[:]
    assert refused(made) == (
        'node "MatMul_p" (MatMul) reads "w", which is no input, no initializer and no output of a '
        "node\n  hint: is an initializer missing from the file?"
    )


def test_nodes_that_wait_for_one_another() -> None:
    made = model(
        [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Neg", "b", "y")],
        {"x": (F, (2,))},
        ["y"],
    )
    assert refused(made) == "these nodes wait for one another: Add_a, Relu_b, Neg_y"


def test_nodes_out_of_order_are_sorted() -> None:
    made = simple()
    nodes = [made.graph.node[1], made.graph.node[0]]
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    x = floats(2, 3)
    want = np.maximum(x @ floats(3, 4), 0)
    np.testing.assert_allclose(run(made, {"x": x}, "interp")["y"], want, rtol=1e-5)


def test_a_name_that_is_made_twice() -> None:
    made = model([node("Relu", "x", "y"), node("Neg", "x", "y")], {"x": (F, (2,))}, ["y"])
    assert refused(made) == '"y" is made twice, the second time by node "Neg_y"'


def test_dims_without_a_value() -> None:
    made = model([node("Relu", "x", "y")], {"x": (F, ("batch", 3, "width"))}, ["y"])
    graph = from_onnx(made)
    assert graph.dims == ("batch", "width")
    assert str(graph.inputs[0]) == "x: f32[batch, 3, width]"
    with pytest.raises(ModelError) as error:
        graph.bind()
    assert str(error.value) == (
        "the dynamic dims have no value: batch, width\n"
        '  hint: pass dims={"batch": 1, "width": ...}, the extents of the arrays you will call it '
        "with\n"
        "  note: batch is dimension 0 of x\n"
        "  note: width is dimension 2 of x"
    )
    assert refused(made, batch=2).startswith("the dynamic dim has no value: width\n")
    assert refused(made, batch=2, depth=3) == (
        "no input has a dim called depth\n  hint: the dims are batch, width"
    )
    assert refused(made, batch=-1, width=1) == (
        "the dim batch cannot be -1; give a whole number from 0"
    )


def test_dims_that_are_no_extents() -> None:
    made = model([node("Relu", "x", "y")], {"x": (F, ("n", 3))}, ["y"])
    graph = from_onnx(made)
    for value in (1.5, "3", None, True, -4):
        assert refused(made, n=value) == (
            f"the dim n cannot be {value!r}; give a whole number from 0"
        )
    assert refused(made, n=2**40) == (
        "x: f32[1099511627776, 3] has 3298534883328 elements; kernels count up to 2**31 - 1"
    )
    assert graph.bind({"n": np.int64(4)}).inputs[0].extents == (4, 3)
    assert graph.compile("interp", {"n": 0})({"x": floats(0, 3)})["y"].shape == (0, 3)
    with pytest.raises(ModelError) as error:
        graph.compile("interp", [4])  # pyright: ignore[reportArgumentType]
    assert str(error.value) == (
        'dims is a dict from names to extents, not list\n  hint: pass dims={"n": 1}'
    )
    with pytest.raises(WorkbenchError, match="a target is a name or a Target, not NoneType"):
        graph.compile(None, {"n": 4})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("early", [False, True])
def test_dims_bound_early_or_late(early: bool) -> None:
    made = model(
        [
            node("Shape", "x", "s"),
            node("Gather", "s zero", "n"),
            node("Unsqueeze", "n axes", "u"),
            node("Concat", "u minus", "shape", axis=0),
            node("Reshape", "x shape", "r"),
            node("Relu", "r", "y"),
        ],
        {"x": (F, ("n", 3, 2))},
        ["y"],
        {"zero": np.array(0), "axes": np.array([0]), "minus": np.array([-1])},
    )
    dims = {"n": 5}
    graph = from_onnx(made)
    done = (
        graph.optimize(dims).compile("interp")
        if early
        else (graph.optimize().compile("interp", dims))
    )
    # the shape is arithmetic on constants, and is gone
    assert [g.name for g in done.groups] == ["reshape_relu"]
    x = floats(5, 3, 2)
    np.testing.assert_array_equal(done({"x": x})["y"], np.maximum(x, 0).reshape(5, 6))


def test_a_dim_of_no_name_is_called_after_its_input() -> None:
    made = model([node("Relu", "x", "y")], {"x": (F, ("?", "?"))}, ["y"])
    assert from_onnx(made).dims == ("x_0", "x_1")


def test_external_data_stay_in_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "secret.bin"
    weights = floats(3, 4)
    outside.write_bytes(weights.tobytes())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "w.bin").write_bytes(b"\x00" * 16 + weights.tobytes())
    (folder / "link.bin").symlink_to(outside)

    def stored(location: str, **entries: int) -> Path:
        made = simple()
        tensor = made.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **entries}.items():
            tensor.external_data.add(key=key, value=str(value))
        (folder / "model.onnx").write_bytes(made.SerializeToString())
        return folder / "model.onnx"

    x = floats(2, 3)
    graph = from_onnx(stored("w.bin", offset=16, length=48)).compile("interp")
    np.testing.assert_allclose(graph({"x": x})["y"], np.maximum(x @ weights, 0), rtol=1e-5)
    for place in ("../secret.bin", str(outside), "link.bin"):
        assert refused(stored(place)) == f'"w" lies in {place!r}, outside the folder of the model'
    assert refused(stored("gone.bin")) == "\"w\" lies in 'gone.bin', which is missing"
    assert refused(stored("w.bin", offset=32, length=48)) == (
        "\"w\" needs bytes 32 to 80 of 'w.bin', which has 64"
    )
    assert refused(stored("w.bin").read_bytes()).startswith("\"w\" lies in the file 'w.bin', but")


def test_weights_that_do_not_fit_their_shape() -> None:
    made = simple()
    made.graph.initializer[0].dims[0] = 1000
    assert refused(made).startswith('the data of "w" do not fit its shape [1000, 4]')


def test_number_types_that_are_not_supported() -> None:
    made = model([node("Relu", "x", "y")], {"x": (F, (2,))}, ["y"])
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.BFLOAT16
    with pytest.raises(UnsupportedOp, match="tensors of BFLOAT16 are not supported"):
        from_onnx(made)


def test_a_node_that_does_not_fit_is_named() -> None:
    made = model([node("MatMul", "x w", "y")], {"x": (F, (2, 5))}, ["y"])
    made.graph.initializer.append(numpy_helper.from_array(floats(3, 4), "w"))
    assert refused(made) == (
        'node "MatMul_y" (MatMul): matmul: x: f32[2, 5] times w: f32[3, 4] has inner extents 5 '
        "and 3"
    )
    made = model([node("Relu", "x x", "y")], {"x": (F, (2,))}, ["y"])
    assert refused(made) == ('node "Relu_y" (Relu): has 2 inputs; the operator takes 1')


def test_an_input_that_is_left_out() -> None:
    made = model(
        [helper.make_node("Clip", ["x", "", "top"], ["y"])],
        {"x": (F, (3,))},
        ["y"],
        {"top": np.float32(1)},
    )
    agree(made, {"x": F([-3, 0, 2])}, "interp")
    made.graph.node[0].input[0] = ""
    assert refused(made) == (
        'node "Clip of "y"" (Clip): its input "input" is left out; the operator needs it'
    )


def test_attributes_of_another_kind() -> None:
    made = model([node("Concat", "x x", "y", axis=0)], {"x": (F, (2,))}, ["y"])
    made.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("axis", "one"))
    assert refused(made) == (
        "node \"Concat_y\" (Concat): the attribute axis is 'one', not a whole number"
    )
    made.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("axis", [1, 2]))
    assert refused(made).endswith("the attribute axis is [1, 2], not a whole number")


def test_number_types_that_do_not_go_together() -> None:
    made = model([node("Div", "x w", "y")], {"x": (F, (2,))}, ["y"])
    made.graph.initializer.append(numpy_helper.from_array(np.array([1, 2]), "w"))
    assert refused(made) == (
        'node "Div_y" (Div): x: f32[2] and w: i64[2] must have one number type'
    )


def test_an_output_that_its_node_does_not_give() -> None:
    made = model([node("Relu", "x", "y extra")], {"x": (F, (2,))}, ["y", "extra"])
    assert refused(made) == '"extra" is an output that its node does not give'


@pytest.mark.parametrize(("extent", "step"), [(-1, 1), (0, -1)])
def test_slices_that_onnx_itself_cannot_take(extent: int, step: int) -> None:
    """onnx 1.22 ends the whole process when it infers the shapes of these."""
    made = model(
        [node("Slice", "x from to axes steps", "y")],
        {"x": (F, (1, "n"))},
        ["y"],
        {
            "from": np.array([0]),
            "to": np.array([9]),
            "axes": np.array([0]),
            "steps": np.array([step]),
        },
    )
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = extent
    graph = from_onnx(made)
    dims = dict.fromkeys(graph.dims, 3)
    x = floats(3, 3) if extent else floats(0, 3)
    np.testing.assert_array_equal(graph.compile("interp", dims)({"x": x})["y"], x[0:9:step])


def test_a_shape_that_depends_on_the_call() -> None:
    made = model([node("Reshape", "x s", "y")], {"x": (F, (2, 3)), "s": (np.int64, (1,))}, ["y"])
    graph = from_onnx(made)
    assert graph.by_data
    x, compiled = floats(2, 3), graph.compile("interp")
    for shape in ([6], [-1]):
        np.testing.assert_array_equal(
            compiled({"x": x, "s": np.array(shape)})["y"], x.reshape(shape)
        )
    with pytest.raises(ModelError) as error:
        compiled({"x": x, "s": np.array([5])})
    assert str(error.value).startswith('node "Reshape_y" (Reshape): ')


def test_a_huge_fill_eats_no_memory() -> None:
    made = model(
        [node("ConstantOfShape", "s", "f"), node("ReduceSum", "f", "y", keepdims=0)],
        {"x": (F, (1,))},
        ["y"],
        {"s": np.array([10**5, 10**4])},
    )
    graph = from_onnx(made)
    assert [op.name for op in graph.operators] == ["fill", "reduce_sum"]
    assert graph.optimize().groups[0].name == "fill_reduce_sum"
    made = model(
        [node("ConstantOfShape", "s", "y")],
        {"x": (F, (1,))},
        ["y"],
        {"s": np.array([10**9, 10**9])},
    )
    assert refused(made) == (
        'node "ConstantOfShape_y" (ConstantOfShape): a tensor of shape '
        "[1000000000, 1000000000] is too large"
    )


def test_names_that_stand_twice() -> None:
    made = simple()
    made.graph.input.append(made.graph.input[0])
    assert refused(made) == 'the input "x" is listed twice'
    made = simple()
    made.graph.initializer.append(made.graph.initializer[0])
    assert refused(made) == 'the initializer "w" is listed twice'


def test_damaged_models_are_refused_or_run() -> None:
    """400 models with bytes changed: a WorkbenchError or an answer, nothing else."""
    made = model(
        [
            node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
            node("Relu", "c", "r"),
            node("Reshape", "r s", "f"),
            node("Softmax", "f", "y"),
        ],
        {"x": (F, (1, 2, 5, 5))},
        ["y"],
        {"w": floats(3, 2, 3, 3), "s": np.array([1, -1])},
    )
    data = made.SerializeToString()
    random = np.random.default_rng(11)
    ran = 0
    for _ in range(400):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), random.integers(1, 5)):
            damaged[place] = random.integers(0, 256)
        try:
            graph = from_onnx(bytes(damaged))
            done = graph.optimize().compile("interp", dict.fromkeys(graph.dims, 2))
            done({t.name: np.ones(t.extents, t.dtype.numpy_name) for t in done.graph.inputs})
        except WorkbenchError as error:
            assert error.message  # noqa: PT017
            continue
        ran += 1
    assert 0 < ran < 400
