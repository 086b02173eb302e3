"""`workbench explain`: what it says of a model, in words and as data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

from tests.graph.cases import floats, model, node
from workbench import cli
from workbench.base.errors import WorkbenchError
from workbench.graph import from_onnx, siblings
from workbench.view.explain import (
    WIDTH,
    Explanation,
    KernelText,
    StoredText,
    explanation,
    text,
)

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
BLOCK = """
<ir_version: 9, opset_import: ["" : 18]>
block (float[n, 16, 24, 24] x, float[32, 16, 3, 3] w, float[32] b, float[10, 32] v)
    => (float[n, 10] y, float[n, 32, 1, 1] pooled)
{
    conv = Conv <pads = [1, 1, 1, 1]> (x, w, b)
    gate = HardSigmoid (conv)
    swish = Mul (conv, gate)
    pooled = GlobalAveragePool (swish)
    flat = Flatten (pooled)
    logits = Gemm <transB = 1> (flat, v)
    y = Relu (logits)
}
"""


@pytest.fixture
def block(tmp_path: Path) -> str:
    path = tmp_path / "block.onnx"
    onnx.save(parser.parse_model(BLOCK), path)
    return str(path)


FOUND = Explanation(
    model="a model\nof two lines",
    target="cuda:sm_90a",
    dims={"n": 2, "length": 16},
    inputs=("x: f32[2, 16, 24, 24]", *(f"weights_of_layer_{n}: f32[64, 64]" for n in range(9))),
    outputs=("y: f32[2, 10]",),
    rewrites=("merge alike", "drop dead"),
    launches=(9, 4),
    moved_bytes=(1_420_000, 389_000),
    kernels=(
        KernelText(
            "reshape_conv_add_relu", "kernel", "conv", ("reshape",), ("add", "relu"),
            ('Conv of "conv"', 'Relu of "gate"'), ("x: f32[2, 16, 24, 24]",),
            ("swish: f32[2, 32, 24, 24]",), 240_000,
        ),
        KernelText(
            "reduce_max_sub_exp_reduce_sum_softmax_and_a_name_that_goes_on_and_on_and_on", "rows",
            "reduce_max", (), ("sub", "exp", "reduce_sum", "softmax"),
            ('Softmax of "y"',), ("a: f32[2, 10]",), ("y: f32[2, 10]",), 160,
        ),
        KernelText("non_zero", "host", "non_zero", (), (), ("n1",), (), (), 1_000_000_000),
    ),
    stored=(
        StoredText("swish: f32[2, 32, 24, 24]", 147_456, "mul", "mean", "mean has a reduction"),
        StoredText("a: f32[2, 10]", 80, "gemm", "sub", "a has 2 uses"),
        *(StoredText(f"t{n}: f32[4]", 16, "add", "mul", f"t{n} has 2 uses") for n in range(8)),
    ),
    cut='node "NonZero of "y"" (NonZero): the shape of an output depends on the inputs of the call',
)  # fmt: skip


def test_it_in_words(golden: Callable[[str, str], None]) -> None:
    said = text(FOUND)
    assert max(map(len, said.splitlines())) <= WIDTH
    golden("explain.txt", said)


def test_its_data_are_those_of_the_compiled_graph(
    block: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["explain", block, "--dims", "n=2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    compiled = from_onnx(block).optimize({"n": 2}).compile("cpu")
    assert tuple(told["launches"]) == compiled.launches
    assert tuple(told["moved_bytes"]) == compiled.traffic_bytes
    assert [k["name"] for k in told["kernels"]] == [g.name for g in compiled.groups]
    assert [s["reason"] for s in told["stored"]] == [u.reason for u in compiled.unfused]
    nodes = [n for k in told["kernels"] for n in k["nodes"]]
    assert all(f'"{name}"' in " ".join(nodes) for name in ("conv", "gate", "swish", "logits", "y"))


@pytest.mark.parametrize("name", ["light/light_squeezenet.onnx", "light/light_shufflenet.onnx"])
def test_every_line_fits_a_terminal(name: str) -> None:
    found = explanation(from_onnx(DATA / name), "cpu", {})
    lines = text(found).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert all(line == line.rstrip() and line.isprintable() for line in lines)
    assert sum(bool(re.match(r" *\d+  \w", line)) for line in lines) == len(found.kernels)


def test_where_data_decide(capsys: pytest.CaptureFixture[str]) -> None:
    model = DATA / "node" / "test_nonzero_example" / "model.onnx"
    assert cli.main(["explain", str(model)]) == 0
    assert "Then data decide how it goes on: node " in capsys.readouterr().out


def test_open_dims_are_asked_for(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", block]) == 1
    told = capsys.readouterr().err
    assert "no value: n" in told
    assert 'dims={"n": 1}' in told


def test_dims_may_be_given_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "two.onnx"
    made = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]>'
        "two (float[n, k] x) => (float[n, k] y) { y = Relu(x) }"
    )
    onnx.save(made, path)
    assert cli.main(["explain", str(path), "--dims", "n=2,k=3"]) == 0
    together = capsys.readouterr().out
    assert cli.main(["explain", str(path), "--dims", "n=2", "--dims", "k=3"]) == 0
    assert capsys.readouterr().out == together


def test_all_operators_that_are_not_supported_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = "a = Nonsense (x) b = Nonsense (a) c = More (b) y = Relu (c)"
    whole = f'<ir_version: 9, opset_import: ["" : 18]> g (float[2] x) => (float[2] y) {{ {body} }}'
    path = tmp_path / "bad.onnx"
    onnx.save(parser.parse_model(whole), path)
    assert cli.main(["explain", str(path)]) == 1
    told = capsys.readouterr().err
    assert "2 operators are not supported" in told
    assert 'Nonsense of opset 18: Nonsense of "a", Nonsense of "b"' in told
    assert 'More of opset 18: More of "c"' in told
    assert cli.main(["explain", str(path), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["kind"] == "UnsupportedOp"
    assert len(data["notes"]) == 2


@pytest.mark.parametrize("bad", ["n", "n=", "n=-1", "n=x", "=3x", "n=1,2"])
def test_dims_that_are_none(bad: str) -> None:
    with pytest.raises(WorkbenchError, match="--dims takes name=number"):
        cli.extents(bad)


def test_a_bad_target_or_file(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", block, "--dims", "n=1", "--target", "toaster"]) == 1
    assert "toaster" in capsys.readouterr().err
    assert cli.main(["explain", "nowhere.onnx"]) == 1
    assert "cannot read 'nowhere.onnx'" in capsys.readouterr().err


def test_attention_and_siblings_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not stored is told, and what other blocks of a launch do."""
    monkeypatch.setattr(siblings, "SHORT", {"cpu": 2**25})
    nodes = [node("MatMul", f"x w{n}", f"p{n}") for n in "qkv"]
    nodes += [
        node("Transpose", "pk", "t", perm=[0, 2, 1]),
        node("MatMul", "pq t", "s"),
        node("Softmax", "s", "w", axis=-1),
        node("MatMul", "w pv", "y"),
    ]
    weights = {f"w{n}": floats(32, 32) for n in "qkv"}
    made = model(nodes, {"x": (np.float32, (2, 128, 32))}, ["y"], weights)
    found = explanation(from_onnx(made), "cpu", {})
    assert [k.role for k in found.kernels] == ["kernel", "attention"]
    assert len(found.kernels[0].beside) == 2
    said = " ".join(text(found).split())
    assert "matmul, over its rows reduce_max, sub, exp, reduce_sum, softmax, then matmul" in said
    assert "none stored" in said
    assert said.count("other blocks, beside it: matmul") == 2
