"""Every case of ONNX's own node suite whose operators are known, through import, fusion, kernels.

The data come from onnx 1.22.0 itself, with its runner's tolerances.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.graph.cases import tensor_of
from workbench.base.errors import ModelError, UnsupportedOp
from workbench.graph import FlowGraph, from_onnx

ROOT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
SHARDS = 8

# Known operators in forms that are not supported, and say so in a ModelError.
EXCLUDED = {
    "training_mode": "batch normalisation and dropout for training",
    "training_dropout": "dropout for training",
    "maxpool_with_argmax": "the second output of MaxPool",
}
# Cases of each shard that pass, 1203 together; fewer means that something was lost.
PASSING = (146, 149, 149, 154, 154, 151, 149, 151)


def cases() -> list[Path]:
    return sorted(ROOT.iterdir())


def arrays(folder: Path, kind: str) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    while (file := folder / f"{kind}_{len(found)}.pb").exists():
        found.append(tensor_of(str(file)))
    return found


def known(model: onnx.ModelProto) -> FlowGraph | None:
    """The graph, None where something it needs is an input of the call."""
    try:
        return from_onnx(model)
    except UnsupportedOp:
        raise
    except ModelError:
        return None


def folded(model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> FlowGraph:
    """The graph with shapes, axes and the like, which are inputs, as initializers."""
    first = model.graph.input[0].name
    for name, array in list(inputs.items()):
        small = array.ndim <= 1 and array.size <= 16
        if small and (name != first or array.ndim == 0 or len(inputs) == 1):
            model.graph.initializer.append(numpy_helper.from_array(array, name))
            del inputs[name]
    return from_onnx(model)


def outcome(case: Path, target: str) -> str:
    """``passed``, ``unsupported``, or what went wrong."""
    model = onnx.load(case / "model.onnx")
    folder = case / "test_data_set_0"
    try:
        # before its data are read: those of sequences and optionals are no tensors
        graph = known(model)
        inputs = dict(
            zip((i.name for i in model.graph.input), arrays(folder, "input"), strict=False)
        )
        graph = graph or folded(model, inputs)
        got = graph.optimize().compile(target)(inputs)
    except UnsupportedOp:
        return "unsupported"
    except ModelError as error:
        return f"ModelError: {error.message}"
    for name, want in zip(
        (o.name for o in model.graph.output), arrays(folder, "output"), strict=True
    ):
        if got[name].dtype != want.dtype or got[name].shape != want.shape:
            return f"{name}: {got[name].dtype}{got[name].shape}, not {want.dtype}{want.shape}"
        if not np.allclose(got[name], want, rtol=1e-3, atol=1e-7, equal_nan=True):
            return f"{name} differs"
    return "passed"


# The checked interpreter takes all cases; machine code, which takes longer to make, one in eight.
@pytest.mark.parametrize(("shard", "target"), [*((n, "interp") for n in range(SHARDS)), (3, "cpu")])
def test_node_cases(shard: int, target: str) -> None:
    wrong: dict[str, str] = {}
    passed = 0
    for case in cases()[shard::SHARDS]:
        found = outcome(case, target)
        passed += found == "passed"
        excused = any(part in case.name for part in EXCLUDED) and found.startswith("ModelError")
        if found not in ("passed", "unsupported") and not excused:
            wrong[case.name] = found
    assert not wrong
    assert passed >= PASSING[shard]
