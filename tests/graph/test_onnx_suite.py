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
    "center_crop_pad": "sizes that depend on the values of an input",
    "blackmanwindow": "sizes that depend on the values of an input",
    "hammingwindow": "sizes that depend on the values of an input",
    "hannwindow": "sizes that depend on the values of an input",
}
# Cases of each shard that pass, 1199 together; fewer means that something was lost.
PASSING = (146, 148, 147, 153, 154, 151, 149, 151)


def cases() -> list[Path]:
    return sorted(ROOT.iterdir())


def arrays(folder: Path, kind: str) -> list[np.ndarray]:
    count = len(list(folder.glob(f"{kind}_*.pb")))
    return [tensor_of(str(folder / f"{kind}_{n}.pb")) for n in range(count)]


def imported(model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> FlowGraph:
    """The graph; where shapes, axes and the like are inputs, they become initializers."""
    try:
        return from_onnx(model)
    except UnsupportedOp:
        raise
    except ModelError:
        first = model.graph.input[0].name
        for name, array in list(inputs.items()):
            small = array.ndim <= 1 and array.size <= 16
            if small and (name != first or array.ndim == 0 or len(inputs) == 1):
                model.graph.initializer.append(numpy_helper.from_array(array, name))
                del inputs[name]
        return from_onnx(model)


def from_onnx_or_fold(model: onnx.ModelProto) -> None:
    try:
        from_onnx(model)
    except UnsupportedOp:
        raise
    except ModelError:
        return


def outcome(case: Path, target: str) -> str:
    """``passed``, ``unsupported``, or what went wrong."""
    model = onnx.load(case / "model.onnx")
    folder = case / "test_data_set_0"
    try:
        # before its data are read: those of sequences and optionals are no tensors
        from_onnx_or_fold(model)
        inputs = dict(
            zip((i.name for i in model.graph.input), arrays(folder, "input"), strict=False)
        )
        graph = imported(model, inputs)
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
