"""What ONNX infers of shapes before a call, and that no model makes it take all memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.graph.cases import model, node
from workbench.graph import from_onnx

F, L = np.float32, np.int64
GIANT = 10**9
TWO = helper.make_tensor("two", TensorProto.INT64, [1], [2])


def numbers(*values: int) -> np.ndarray:
    return np.array(values, L)


def fill(*then: Any, x: tuple[int, ...] = (2, 3), size: int | None = GIANT, **weights: Any) -> Any:
    """A vector of 10**9 numbers, and what is done to it; without a size it comes from x."""
    first = [] if size is not None else [node("Shape", "x", "s")]
    given = {} if size is None else {"s": numbers(size)}
    nodes = [*first, node("ConstantOfShape", "s", "big", value=TWO), *then]
    return model(nodes, {"x": (F, x)}, ["y"], {**given, **weights}, 17)


# each was seen to take gigabytes by onnx 1.22 itself
BOMBS: dict[str, Callable[[], Any]] = {
    "as a shape": lambda: fill(node("Expand", "x big", "y")),
    "cast, as a shape": lambda: fill(node("Cast", "big", "i", to=7), node("Reshape", "x i", "y")),
    "cast": lambda: fill(node("Cast", "big", "y", to=6)),
    "with a dimension more": lambda: fill(node("Unsqueeze", "big zero", "y"), zero=numbers(0)),
    "twice": lambda: fill(node("Concat", "big big", "y", axis=0)),
    "added": lambda: fill(node("Add", "big big", "y")),
    "of the shape of an input": lambda: fill(node("Cast", "big", "y", to=6), x=(GIANT,), size=None),
    "of a product of shapes": lambda: model(
        [
            node("Size", "x", "n"),
            node("Unsqueeze", "n zero", "s"),
            node("ConstantOfShape", "s", "big", value=TWO),
            node("Cast", "big", "y", to=6),
        ],
        {"x": (F, (4096, 4096, 64))},
        ["y"],
        {"zero": numbers(0)},
    ),
    "doubled 30 times": lambda: model(
        [node("Concat", f"t{n} t{n}", f"t{n + 1}", axis=0) for n in range(30)],
        {"x": (F, (2,))},
        ["t30"],
        {"t0": numbers(1)},
    ),
    "a shape doubled 30 times": lambda: model(
        [
            node("Shape", "x", "t0"),
            *(node("Concat", f"t{n} t{n}", f"t{n + 1}", axis=0) for n in range(30)),
            node("Expand", "x t30", "y"),
        ],
        {"x": (F, (2,))},
        ["y"],
    ),
}

LOOK = """
import sys
from pathlib import Path
from workbench.graph import from_onnx
import onnx, onnx.shape_inference
def bytes_now(): return int(Path("/proc/self/statm").read_text().split()[0]) * 4096
before = bytes_now()
flow = from_onnx(Path(sys.argv[1]))
print(bytes_now() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_inference_takes_no_memory_for_shapes_that_are_none(name: str, tmp_path: Path) -> None:
    made = bare(BOMBS[name])
    path = tmp_path / "bomb.onnx"
    path.write_bytes(made.SerializeToString())

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=bounded,
    )
    assert done.returncode == 0, done.stderr[-500:]
    # the libraries that are loaded by then are a part of it
    assert int(done.stdout) < 600 << 20


def bare(made: Callable[[], Any]) -> Any:
    """A model without the shapes that the helper infers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("onnx.shape_inference.infer_shapes", lambda whole: whole)
        return made()


def test_shapes_that_nodes_compute_are_known_before_a_call() -> None:
    made = model(
        [
            node("Shape", "x", "shape"),
            node("Gather", "shape zero", "n", axis=0),
            node("Unsqueeze", "n axis", "n1"),
            node("Concat", "n1 rest", "s", axis=0),
            node("Reshape", "x s", "r"),
            node("Shape", "s", "count"),
            node("ConstantOfShape", "count", "ones", value=TWO),
            node("Mul", "ones minus", "m"),
            node("Equal", "s m", "e"),
            node("Where", "e ones s", "w"),
            node("Expand", "r w", "y"),
        ],
        {"x": (F, ("n", 12))},
        ["y"],
        {
            "zero": np.array(0, L),
            "axis": numbers(0),
            "rest": numbers(3, 4),
            "minus": numbers(-1),
        },
        17,
    )
    graph = from_onnx(made).graph
    shapes = {t.name: str(t.shape) for op in graph.operators for t in op.outputs}
    assert shapes["r"].endswith(", 3, 4)")
    assert shapes["y"].endswith(", 3, 4)")
    assert shapes["w"] == "(3,)"
