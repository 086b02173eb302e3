"""A model that no one here wrote, end to end: does a picture of text stand upside down?

rapidocr 3.10.0 brings the model; onnxruntime tells what it should say.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageDraw, ImageFont

from workbench.graph import CompiledGraph, FlowGraph, from_onnx
from workbench.ir.verify import verify

DIMS = {"x_0": 1, "x_2": 48, "x_3": 192}


def model_path() -> Path:
    found = importlib.util.find_spec("rapidocr")
    assert found is not None, "rapidocr is among the test dependencies"
    assert found.origin is not None
    return Path(found.origin).parent / "models" / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"


def picture(text: str, turned: bool) -> np.ndarray:
    """A line of text as the model wants it: [1, 3, 48, 192], from −1 to 1, padded with 0."""
    font = ImageFont.load_default(36)
    width = int(font.getlength(text)) + 16
    image = Image.new("RGB", (width, 48), "white")
    ImageDraw.Draw(image).text((8, 2), text, "black", font)
    if turned:
        image = image.rotate(180)
    image = image.resize((min(192, width), 48), Image.Resampling.BILINEAR)
    pixels = (np.asarray(image, np.float32) / 255 - 0.5) / 0.5
    whole = np.zeros((1, 3, 48, 192), np.float32)
    whole[0, :, :, : pixels.shape[1]] = pixels.transpose(2, 0, 1)
    return whole


@cache
def flow() -> FlowGraph:
    return from_onnx(model_path())


@cache
def compiled(target: str, fuse: bool = True) -> CompiledGraph:
    graph = flow().optimize() if fuse else flow()
    return graph.compile(target, DIMS)


def reference(x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model_path(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("target", ["interp", "cpu"])
@pytest.mark.parametrize("turned", [False, True])
def test_it_tells_which_way_up(target: str, turned: bool) -> None:
    x = picture("Hello GPU 2026", turned)
    (got,) = compiled(target)({"x": x}).values()
    np.testing.assert_allclose(got, reference(x), atol=1e-4)
    # class 0 is upright, class 1 is turned by 180 degrees
    assert int(got.argmax()) == int(turned)


@pytest.mark.parametrize("target", ["interp", "cpu"])
def test_fused_equals_unfused(target: str) -> None:
    x = picture("orientation", turned=False)
    (fused,) = compiled(target)({"x": x}).values()
    (plain,) = compiled(target, fuse=False)({"x": x}).values()
    np.testing.assert_allclose(fused, plain, atol=1e-5)


def test_before_and_after() -> None:
    graph = compiled("interp")
    assert flow().dims == ("x_0", "x_2", "x_3")
    assert graph.launches == (237, 66)
    assert len(graph.kernels) == 53
    before, after = graph.traffic_bytes
    assert graph.saved_bytes == before - after
    assert before > 4 * after
    assert graph.memory.arena_bytes < graph.memory.total_bytes / 5
    # the rewrites of shapes at the end are computed while importing, and all edges have a reason
    assert not {"shape", "slice", "cast"} & {op.name for op in graph.graph.operators}
    assert all(u.reason for u in graph.unfused)
    for step in graph.steps:
        verify(step.kernel.module)


def test_every_kernel_becomes_a_cubin() -> None:
    pytest.importorskip("cuda.bindings.nvrtc", reason="needs NVRTC, which has no wheel here")
    graph = compiled("cuda:sm_90a")
    for kernel in graph.kernels:
        resources = kernel.resources
        assert resources is not None
        assert resources.spill_bytes == 0, kernel.name
        assert kernel.binary[:4] == b"\x7fELF"


@pytest.mark.gpu
def test_on_a_gpu() -> None:
    import cupy

    x = picture("Hello GPU 2026", turned=True)
    (got,) = compiled("cuda")({"x": cupy.asarray(x)}).values()
    np.testing.assert_allclose(cupy.asnumpy(got), reference(x), atol=1e-4)
