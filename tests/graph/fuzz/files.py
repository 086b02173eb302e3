"""Models with bad weights, names and structure, and weights that lie where they should not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from tests.graph.fuzz.models import OPSET, floats, ints, model, node, scalar
from tests.graph.fuzz.mutate import MARK, NAMES

Source = Any


def _external(location: str, **entries: str) -> Callable[[Path], Source]:
    def make(folder: Path) -> Source:
        weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
        weight.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **entries}.items():
            weight.external_data.add(key=key, value=value.replace("FOLDER", str(folder)))
        weight.external_data[0].value = location.replace("FOLDER", str(folder))
        path = folder / "model.onnx"
        path.write_bytes(
            model([node("Add", "x w")], [weight], inputs={"x": [4]}).SerializeToString()
        )
        return path

    return make


def lay_traps(folder: Path) -> None:
    """What stands in and beside the folder of a model with weights in files of their own."""
    beside = folder.parent / "secret.bin"
    beside.write_bytes(bytes(64))
    (folder / "good.bin").write_bytes(bytes(64))
    (folder / "empty.bin").write_bytes(b"")
    (folder / "sub").mkdir()
    os.symlink(beside, folder / "link.bin")
    os.symlink(folder.parent, folder / "up")
    os.symlink("loop.bin", folder / "loop.bin")
    os.symlink("/dev/zero", folder / "zero.bin")
    os.mkfifo(folder / "pipe.bin")


def externals() -> Iterator[tuple[str, Callable[[Path], Source]]]:
    for location in (
        "good.bin",
        "../secret.bin",
        "FOLDER/../secret.bin",
        "link.bin",
        "up/secret.bin",
        "loop.bin",
        "zero.bin",
        "pipe.bin",
        "sub",
        "",
        ".",
        "missing",
        "a\x00b",
        "x" * 5000,
        "/etc/passwd",
        "/proc/self/environ",
        "sub/../../secret.bin",
        "~/x",
        "file:///etc/passwd",
        "*",
        "good.bin/",
    ):
        yield f"weights in {location[:30]!r}", _external(location)
    for entries in (
        {"offset": "-4"},
        {"offset": str(2**63)},
        {"length": str(2**62)},
        {"offset": "4", "length": "-1"},
        {"offset": "1e3"},
        {"offset": "٣"},
        {"length": "0"},
        {"offset": "9" * 5000},
        {"offset": "61"},
    ):
        yield f"weights at {str(entries)[:40]}", _external("good.bin", **entries)
    yield "weights in an empty file", _external("empty.bin")


def weights() -> Iterator[tuple[str, Callable[[Path], Source]]]:
    def lies(**fields: Any) -> Callable[[Path], Source]:
        return lambda _: model([node("Add", "x w")], [TensorProto(name="w", **fields)])

    one, raw = TensorProto.FLOAT, bytes(16)
    yield "10**9 of 4 numbers", lies(data_type=one, dims=[10**9], raw_data=raw)
    yield "2**64 of 4 numbers", lies(data_type=one, dims=[2**32, 2**32], raw_data=raw)
    yield "2**64 of no numbers", lies(data_type=one, dims=[2**32, 2**32])
    yield "0 times 2**62", lies(data_type=one, dims=[0, 2**62])
    yield "a negative extent", lies(data_type=one, dims=[-1], raw_data=raw)
    yield "two negative extents", lies(data_type=one, dims=[-2, -2], raw_data=raw)
    yield "half a number", lies(data_type=one, dims=[4], raw_data=raw[:-1])
    yield "numbers of another kind", lies(data_type=one, dims=[2], int64_data=[1, 2])
    yield "both kinds of numbers", lies(data_type=one, dims=[4], raw_data=raw, float_data=[1, 2])
    yield "no kind", lies(dims=[4], raw_data=raw)
    yield "kind 999", lies(data_type=999, dims=[4], raw_data=raw)
    yield "texts", lies(data_type=TensorProto.STRING, dims=[1], string_data=[b"\xff"])
    yield "rank 100", lies(data_type=one, dims=[1] * 100, raw_data=raw[:4])
    yield "a bool of 7", lies(data_type=TensorProto.BOOL, dims=[4], raw_data=b"\x07\xff\x01\x00")
    yield "int4", lies(data_type=TensorProto.INT4, dims=[5], raw_data=b"123")
    yield "a segment", lambda _: _segmented()


def _segmented() -> onnx.ModelProto:
    weight = TensorProto(name="w", data_type=1, dims=[4], raw_data=bytes(16))
    weight.segment.begin, weight.segment.end = 0, 2**62
    return model([node("Add", "x w")], [weight])


def names() -> Iterator[tuple[str, Callable[[Path], Source]]]:
    for name in NAMES:
        yield f"everything is called {name[:20]!r}", lambda _, name=name: named(name)


def named(name: str) -> onnx.ModelProto:
    """A model in which everything has this name, as far as names may be alike."""
    nodes = [
        helper.make_node("MatMul", [f"{name}x", f"{name}w"], [f"{name}m"], name=name),
        helper.make_node("Relu", [f"{name}m"], [f"{name}y"], name=f"{name}{MARK}"),
    ]
    nodes[0].doc_string = name
    shape: list[Any] = [f"{name}", 3]
    return model(
        nodes,
        [floats(f"{name}w", 3, 5)],
        inputs={f"{name}x": shape},
        outputs=(f"{name}y",),
        name=name,
    )


def structures() -> Iterator[tuple[str, Callable[[Path], Source]]]:
    relu = node("Relu", "x")
    cases: dict[str, Callable[[], Source]] = {
        "nothing": lambda: b"",
        "zeros": lambda: bytes(1000),
        "a text": lambda: b"<html>404 not found</html>" * 30,
        "no ModelProto": onnx.GraphProto,
        "a number": lambda: 7,
        "None": lambda: None,
        "no nodes": lambda: model([], outputs=("x",)),
        "no outputs": lambda: model([relu], outputs=()),
        "an output twice": lambda: model([relu], outputs=("y", "y")),
        "an output without a name": lambda: model([relu], outputs=("y", "")),
        "an input twice": _twice,
        "a node that reads itself": lambda: model([node("Add", "x y")]),
        "a cycle of 1000": lambda: model(
            [node("Add", f"x t{(n + 1) % 1000}", f"t{n}") for n in range(1000)]
            + [node("Relu", "t0")]
        ),
        "nodes in the wrong order": lambda: model([node("Relu", "t"), node("Neg", "x", "t")]),
        "a name made twice": lambda: model([relu, node("Neg", "x")]),
        "a missing input": lambda: model([node("Add", "x nowhere")]),
        "too many inputs": lambda: model([node("Relu", "x " * 500)]),
        "no inputs": lambda: model([node("Add", "")]),
        "too many outputs": lambda: model(
            [node("Relu", "x", "y " + " ".join(map(str, range(500))))]
        ),
        "an attribute of another kind": lambda: model([node("Softmax", "x", axis="0")]),
        "an attribute that is a list": lambda: model([node("Softmax", "x", axis=[0])]),
        "an attribute twice": _attribute_twice,
        "an attribute of no kind": _attribute_of_no_kind,
        "a reference to an attribute": _dangling,
        "opset 0": lambda: _opset(0),
        "opset -1": lambda: _opset(-1),
        "opset 1": lambda: _opset(1),
        "opset 10**12": lambda: _opset(10**12),
        "two opsets": lambda: _opset(13, 7),
        "no opset": _opset,
        "an unknown operator": lambda: model([node("Nonsense", "x")]),
        "100 unknown operators": lambda: model(
            [node(f"Nonsense{n}", "x", f"y{n}") for n in range(100)], outputs=("y3",)
        ),
        "a sequence": lambda: model(
            [node("SequenceConstruct", "x x", "s"), node("SequenceAt", "s i")], [scalar("i", 5)]
        ),
        "a sparse constant": _sparse,
        "a constant of nothing": lambda: model([node("Constant", "", "c"), node("Add", "x c")]),
        "a constant of all": lambda: model(
            [node("Constant", "", "c", value_float=1.0, value_int=2), node("Add", "x c")]
        ),
        "a function without nodes": _empty_function,
        "a cast to 99": lambda: model([node("Cast", "x", to=99)]),
        "an equation": lambda: model([node("Einsum", "x x", equation="ij,jk->" + "z" * 999)]),
        "an equation of 60 letters": lambda: model(
            [node("Einsum", "x", equation="..." * 9 + "ij->" + MARK)]
        ),
    }
    for name, make in cases.items():
        yield name, lambda _, make=make: make()
    yield "a folder", lambda folder: folder
    yield "a missing file", lambda folder: folder / "not here.onnx"
    yield "a path with a zero", lambda folder: f"{folder}/a\0b"


def _twice() -> onnx.ModelProto:
    whole = model([node("Relu", "x")])
    whole.graph.input.append(whole.graph.input[0])
    return whole


def _attribute_twice() -> onnx.ModelProto:
    whole = model([node("Softmax", "x", axis=0)])
    whole.graph.node[0].attribute.append(helper.make_attribute("axis", 1))
    return whole


def _attribute_of_no_kind() -> onnx.ModelProto:
    whole = model([node("Softmax", "x")])
    whole.graph.node[0].attribute.add(name="axis", i=1)
    return whole


def _dangling() -> onnx.ModelProto:
    whole = model([node("Softmax", "x", axis=0)])
    whole.graph.node[0].attribute[0].ref_attr_name = "nowhere"
    return whole


def _opset(*versions: int) -> onnx.ModelProto:
    whole = model([node("Relu", "x")])
    del whole.opset_import[:]
    whole.opset_import.extend(helper.make_opsetid("", v) for v in versions)
    return whole


def _sparse() -> onnx.ModelProto:
    value = helper.make_sparse_tensor(
        helper.make_tensor("", TensorProto.FLOAT, [1], [1.0]), ints("", 10**12), [10**9, 10**9]
    )
    whole = model([onnx.NodeProto(op_type="Constant", output=["c"]), node("Add", "x c")])
    a = whole.graph.node[0].attribute.add(
        name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR
    )
    a.sparse_tensor.CopyFrom(value)
    return whole


def _empty_function() -> onnx.ModelProto:
    opsets = [helper.make_opsetid("", OPSET)]
    function = helper.make_function("own", "F", ["a"], ["b"], [], opsets)
    call = helper.make_node("F", ["x"], ["y"], domain="own", name="call")
    return model([call], functions=[function])
