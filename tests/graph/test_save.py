"""Compiled graphs in files: the same answers after loading, and what is refused."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, parser
from onnx.external_data_helper import set_external_data

import workbench as wb
from workbench.base.errors import ModelError
from workbench.driver import build
from workbench.graph.save import MAGIC, VERSION
from workbench.runtime import jit
from workbench.runtime.cache import Cache

TEXT = """
<ir_version: 9, opset_import: ["" : 18]>
net (float[n, 8] x) => (float[n, 5] y) <float[8, 5] w = {WEIGHTS}>
{
    m = MatMul (x, w)
    r = Relu (m)
    y = Softmax (r)
}
""".replace("WEIGHTS", ", ".join(str(k % 7 / 7) for k in range(40)))
X = np.random.default_rng(0).uniform(-1, 1, (3, 8)).astype(np.float32)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_cache(tmp_path / "cache", monkeypatch)


def fresh_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """Another folder for the compile cache, as on another machine."""
    cache = Cache(folder)
    for module in ("workbench.driver.build", "workbench.graph.save"):
        monkeypatch.setattr(f"{module}.default_cache", lambda: cache)
    return cache


def model() -> onnx.ModelProto:
    return parser.parse_model(TEXT)


def wanted() -> np.ndarray:
    w = numpy_helper.to_array(model().graph.initializer[0]).astype(np.float64)
    e = np.exp(np.maximum(X @ w, 0))
    return e / e.sum(axis=1, keepdims=True)


def saved(tmp_path: Path, **options: Any) -> Path:
    """A file of a graph that ran once."""
    flow = wb.from_onnx(model()).optimize(options.get("dims"), fuse=options.get("fuse", True))
    compiled = flow.compile(options.get("target", "cpu"))
    compiled({"x": X})
    compiled.save(tmp_path / "net.kwb")
    return tmp_path / "net.kwb"


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        wb.load_graph(path)
    return caught.value.message


@pytest.mark.parametrize("dims", [None, {"n": 3}])
@pytest.mark.parametrize("target", ["cpu", "interp"])
def test_it_gives_the_same_after_loading(tmp_path: Path, dims: Any, target: str) -> None:
    loaded = wb.load_graph(saved(tmp_path, dims=dims, target=target))
    np.testing.assert_allclose(loaded({"x": X})["y"], wanted(), rtol=1e-5)
    assert str(loaded.target) == target
    if dims is None:
        assert loaded({"x": X[:1]})["y"].shape == (1, 5)


def test_what_was_chosen_stays_chosen(tmp_path: Path) -> None:
    apart = wb.load_graph(saved(tmp_path, dims={"n": 3}, fuse=False))
    fused = wb.load_graph(saved(tmp_path, dims={"n": 3}))
    assert len(apart.steps) > len(fused.steps)
    plain = wb.from_onnx(model()).compile("cpu", {"n": 3})
    plain.save(tmp_path / "plain.kwb")
    assert len(wb.load_graph(tmp_path / "plain.kwb").steps) == len(plain.steps)


@pytest.mark.parametrize("dims", [None, {"n": 3}])
def test_here_it_is_loaded_without_llvm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dims: Any
) -> None:
    path = saved(tmp_path, dims=dims)
    # the entries are gone, the key is not
    build.default_cache().clear()
    monkeypatch.setattr(jit, "_optimised", lambda _: pytest.fail("LLVM was asked"))
    np.testing.assert_allclose(wb.load_graph(path)({"x": X})["y"], wanted(), rtol=1e-5)


def test_elsewhere_it_is_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, dims={"n": 3})
    cache = fresh_cache(tmp_path / "elsewhere", monkeypatch)
    loaded = wb.load_graph(path)
    np.testing.assert_allclose(loaded({"x": X})["y"], wanted(), rtol=1e-5)
    assert cache.stats.hits == 0
    assert cache.stats.misses > 0


def test_machine_code_with_another_signature_is_never_used(tmp_path: Path) -> None:
    path = saved(tmp_path, dims={"n": 3})
    header, sections = taken_apart(path)
    # the code of a stranger, under the right keys and digest
    code = bytearray(sections["code"])
    code[-200:] = b"\xcc" * 200
    put_together(path, header, {**sections, "code": bytes(code)})
    build.default_cache().clear()
    np.testing.assert_allclose(wb.load_graph(path)({"x": X})["y"], wanted(), rtol=1e-5)


def taken_apart(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    body = path.read_bytes()[44:]
    (length,) = struct.unpack_from("<I", body)
    header, place = json.loads(body[4 : 4 + length]), 4 + length
    sections: dict[str, bytes] = {}
    for name, size in header["sections"]:
        sections[name] = body[place : place + size]
        place += size
    return header, sections


def put_together(path: Path, header: dict[str, Any], sections: dict[str, bytes]) -> None:
    header = {**header, "sections": [[n, len(s)] for n, s in sections.items()]}
    rewritten(path, json.dumps(header).encode(), b"".join(sections.values()))


def rewritten(path: Path, text: bytes, rest: bytes, version: int = VERSION) -> None:
    """A file whose digest fits whatever is in it."""
    body = struct.pack("<I", len(text)) + text + rest
    head = struct.pack("<8sI32s", MAGIC, version, hashlib.sha256(body).digest())
    path.write_bytes(head + body)


def test_what_is_damaged_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, dims={"n": 3})
    whole = path.read_bytes()
    places = [*range(12, 60), *range(60, len(whole), len(whole) // 50), len(whole) - 1]
    for place in places:
        bad = bytearray(whole)
        bad[place] ^= 1
        path.write_bytes(bad)
        assert "is damaged or cut short" in refused(path), place
    for size in (0, 7, 8, 43, 44, 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert "no saved graph" in refused(path) or "cut short" in refused(path)
    path.write_bytes(whole + b"\0")
    assert "is damaged or cut short" in refused(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.kwb"
    path.write_bytes(model().SerializeToString())
    assert refused(path) == "'net.kwb' is no saved graph"
    assert "cannot read" in refused(tmp_path / "nowhere")
    rewritten(path, b"{}", b"", version=VERSION + 1)
    assert refused(path) == f"'net.kwb' is of format 2; this version reads up to {VERSION}"


@pytest.mark.parametrize(
    "change",
    [
        {"sections": [["model", -1]]},
        {"sections": [["model", 10**12]]},
        {"sections": []},
        {"sections": "model"},
        {"target": 3},
        {"optimized": "yes"},
        {"shapes": [1]},
        {"signature": None},
    ],
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, change: Any) -> None:
    path = saved(tmp_path, dims={"n": 3})
    header, sections = taken_apart(path)
    text = json.dumps({**header, **change}).encode()
    rewritten(path, text, b"".join(sections.values()))
    assert refused(path) == "'net.kwb' is no sound saved graph"


@pytest.mark.parametrize("text", [b"", b"null", b"[" * 100_000, b"\xff", b'{"sections": 1}'])
def test_a_header_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "net.kwb"
    rewritten(path, text, b"")
    assert refused(path) == "'net.kwb' is no sound saved graph"


def test_a_bad_target_or_model_in_a_sound_file_is_an_error(tmp_path: Path) -> None:
    path = saved(tmp_path, dims={"n": 3})
    header, sections = taken_apart(path)
    put_together(path, {**header, "target": "toaster"}, sections)
    with pytest.raises(wb.WorkbenchError):
        wb.load_graph(path)
    put_together(path, header, {**sections, "model": b"nonsense"})
    assert "no ONNX model" in refused(path)


def test_weights_in_other_files_come_along(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.arange(4, dtype=np.float32), "w")
    raw = weight.raw_data
    (tmp_path / "w.bin").write_bytes(raw)
    set_external_data(weight, "w.bin", 0, len(raw))
    weight.ClearField("raw_data")
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [4]) for n in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weight]
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    (tmp_path / "m.onnx").write_bytes(whole.SerializeToString())
    compiled = wb.from_onnx(tmp_path / "m.onnx").compile("cpu")
    compiled.save(tmp_path / "m.kwb")
    again = wb.from_onnx(tmp_path / "m.onnx").compile("cpu")
    (tmp_path / "w.bin").write_bytes(raw[::-1])
    loaded = wb.load_graph(tmp_path / "m.kwb")
    assert loaded({"x": np.ones(4, np.float32)})["y"].tolist() == [1, 2, 3, 4]
    with pytest.raises(ModelError, match="has changed since the model was read"):
        again.save(tmp_path / "m.kwb")


def test_loops_and_data_dependent_graphs(tmp_path: Path) -> None:
    text = """
    <ir_version: 9, opset_import: ["" : 18]>
    net (float[n] x) => (int64[1, k] y) { y = NonZero (x) }
    """
    compiled = wb.from_onnx(parser.parse_model(text)).optimize().compile("cpu")
    x = np.array([0, 1, 0, 2, 3], np.float32)
    assert compiled({"x": x})["y"].tolist() == [[1, 3, 4]]
    compiled.save(tmp_path / "n.kwb")
    assert wb.load_graph(tmp_path / "n.kwb")({"x": x})["y"].tolist() == [[1, 3, 4]]


def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = wb.from_onnx(model()).compile("cpu", {"n": 3})
    with pytest.raises(ModelError, match=r"cannot write .net\.kwb."):
        compiled.save(tmp_path / "nowhere" / "net.kwb")
    # no key, no signature: the code is compiled again
    (tmp_path / "file").write_text("")
    fresh_cache(tmp_path / "file" / "cache", monkeypatch)
    with pytest.warns(wb.WorkbenchWarning):
        compiled = wb.from_onnx(model()).compile("cpu", {"n": 3})
    compiled.save(tmp_path / "net.kwb")
    assert taken_apart(tmp_path / "net.kwb")[0]["signature"] == ""
    fresh_cache(tmp_path / "cache", monkeypatch)
    loaded = wb.load_graph(tmp_path / "net.kwb")
    np.testing.assert_allclose(loaded({"x": X})["y"], wanted(), rtol=1e-5)


def test_a_graph_of_no_model_cannot_be_saved(tmp_path: Path) -> None:
    compiled = wb.from_onnx(model()).compile("interp", {"n": 3})
    compiled.recipe = None
    with pytest.raises(ModelError, match="comes from an ONNX model"):
        compiled.save(tmp_path / "net.kwb")
