"""Graphs with schedules found by trying: right results, one choice for all sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import workbench as wb
from workbench.graph.tuned import Choices, signature
from workbench.ir.target import Target
from workbench.tune import Status

QUICK = {"top": 3, "sample_s": 0.001}


def net(rows: str = "40") -> onnx.ModelProto:
    return onnx.parser.parse_model(f"""
        <ir_version: 8, opset_import: ["": 17]>
        net (float[{rows}, 64] x, float[64, 48] w, float[48] bias, float[48, 80] v)
            => (float[{rows}, 48] y, float[{rows}, 80] z) {{
            product = MatMul(x, w)
            sum = Add(product, bias)
            y = Relu(sum)
            z = MatMul(y, v)
        }}
    """)


def feeds(rows: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(rows)
    shapes = {"x": (rows, 64), "w": (64, 48), "bias": (48,), "v": (48, 80)}
    return {n: random.standard_normal(s).astype(np.float32) for n, s in shapes.items()}


def check(compiled: wb.CompiledGraph, rows: int) -> None:
    given = feeds(rows)
    found = compiled(given)
    wide = {n: a.astype(np.float64) for n, a in given.items()}
    expected = np.maximum(wide["x"] @ wide["w"] + wide["bias"], 0)
    np.testing.assert_allclose(found["y"], expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found["z"], expected @ wide["v"], rtol=1e-3, atol=1e-2)


def test_every_definition_is_tuned_with_what_is_fused_to_it() -> None:
    graph = wb.from_onnx(net()).optimize()
    seen: list[str] = []
    tuning = graph.tune(observer=lambda name, *_: seen.append(name), **QUICK)
    assert len(tuning.tunings) == 2
    assert set(seen) == set(tuning.tunings)
    assert all(t.count(Status.MEASURED) == 3 for t in tuning.tunings.values())
    assert "relu" in next(t.name for t in tuning.tunings.values() if "relu" in t.name)
    assert str(tuning).startswith("2 definitions tuned")
    for group in graph.groups:
        name = signature(group.anchor.definition)
        assert tuning.choices.exact[name] == tuning.choices.of(group, Target("cpu"))
    check(graph.compile(choices=tuning.choices), 40)


def test_the_choices_serve_every_size() -> None:
    choices = wb.from_onnx(net()).optimize().tune(**QUICK).choices
    compiled = wb.from_onnx(net("n")).optimize().compile(choices=choices)
    for rows in (1, 33, 40, 100):
        check(compiled, rows)


def conv(channels: int, size: int) -> onnx.ModelProto:
    random = np.random.default_rng(channels)
    weights = random.standard_normal((channels, 16, 3, 3)).astype(np.float32)
    model = onnx.parser.parse_model(f"""
        <ir_version: 8, opset_import: ["": 17]>
        net (float[1, 16, {size}, {size}] x) => (float[1, {channels}, {size}, {size}] y) {{
            y = Conv<pads = [1, 1, 1, 1]>(x, w)
        }}
    """)
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    return model


def test_what_does_not_fit_another_size_is_not_taken_there() -> None:
    choices = wb.from_onnx(conv(96, 24)).optimize().tune(top=6, sample_s=0.001).choices
    for channels, size in ((96, 24), (32, 7), (80, 13), (16, 1)):
        graph = wb.from_onnx(conv(channels, size))
        x = np.random.default_rng(0).standard_normal((1, 16, size, size)).astype(np.float32)
        tuned = graph.optimize().compile(choices=choices)({"x": x})["y"]
        plain = graph.compile("interp" if size < 8 else "cpu")({"x": x})["y"]
        np.testing.assert_allclose(tuned, plain, rtol=1e-3, atol=1e-3)


def test_nothing_known_is_the_usual_choice() -> None:
    graph = wb.from_onnx(net()).optimize()
    plain = graph.compile()
    assert [k.source for k in graph.compile(choices=Choices()).kernels] == [
        k.source for k in plain.kernels
    ]


def test_a_record_is_gone_on_with_and_the_time_ends_it(tmp_path: Path) -> None:
    graph = wb.from_onnx(net()).optimize()
    path = tmp_path / "trials.jsonl"
    graph.tune(record=path, **QUICK)
    count = len(path.read_text().splitlines())
    graph.tune(record=path, **QUICK)
    assert len(path.read_text().splitlines()) == count == 6
    short = graph.tune(budget_s=0.0, **QUICK)
    assert short.stopped == "the time was up"
    check(graph.compile(choices=short.choices), 40)


def test_open_dims_cannot_be_tuned() -> None:
    with pytest.raises(wb.ModelError, match="depend on the call cannot be tuned"):
        wb.from_onnx(net("n")).tune()
