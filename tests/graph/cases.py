"""What the graph tests share: small ONNX models, and running them beside onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from workbench.graph import CompiledGraph, from_onnx

OPSET = 17
Arrays = Mapping[str, np.ndarray]
Built = Callable[[], int]
"""How many kernels were compiled since it was asked last: the fixture `built`."""


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[Any, Sequence[int | str]]],
    outputs: Sequence[str],
    weights: Arrays | None = None,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """A model; inputs are name → (numpy dtype, shape), the outputs' types are inferred."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.dtype(k)), s)
            for n, (k, s) in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(o) for o in outputs],
        [numpy_helper.from_array(a, n) for n, a in (weights or {}).items()],
    )
    domains = {n.domain for n in nodes} | {""}
    versions = [helper.make_opsetid(d, 1 if d else opset) for d in sorted(domains)]
    made = helper.make_model(graph, opset_imports=versions, ir_version=10)
    return onnx.shape_inference.infer_shapes(made)


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node; names separated by blanks."""
    return helper.make_node(
        op, inputs.split(), outputs.split(), name=f"{op}_{outputs}", **attributes
    )


def simple() -> onnx.ModelProto:
    """A matrix product and what follows it, with weights."""
    return model(
        [node("MatMul", "x w", "p"), node("Relu", "p", "y")],
        {"x": (np.float32, (2, 3))},
        ["y"],
        {"w": floats(3, 4)},
    )


def run(made: onnx.ModelProto, inputs: Arrays, target: str, fuse: bool = True) -> dict[str, Any]:
    """The outputs by our own kernels."""
    return compiled(made, target, fuse)(inputs)


def compiled(made: onnx.ModelProto, target: str, fuse: bool = True) -> CompiledGraph:
    """Kernels for a model."""
    graph = from_onnx(made)
    return (graph.optimize() if fuse else graph).compile(target)


def expected(made: onnx.ModelProto, inputs: Arrays) -> dict[str, np.ndarray]:
    """The outputs by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        made.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def agree(
    made: onnx.ModelProto, inputs: Arrays, target: str, rtol: float = 1e-5, atol: float = 1e-5
) -> CompiledGraph:
    """Fused, unfused and onnxruntime give the same; gives the fused kernels."""
    want = expected(made, inputs)
    fused = compiled(made, target)
    for graph in (fused, compiled(made, target, fuse=False)):
        got = graph(inputs)
        assert list(got) == list(want)
        for name, array in want.items():
            assert got[name].dtype == array.dtype
            assert got[name].shape == array.shape
            np.testing.assert_allclose(got[name], array, rtol, atol)
    return fused


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    """Random numbers around 0."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def tensor_of(path: str) -> np.ndarray:
    """The array in a .pb file of the ONNX suite."""
    proto = TensorProto()
    with open(path, "rb") as stream:
        proto.ParseFromString(stream.read())
    return numpy_helper.to_array(proto)
