"""A second model that no one here wrote: it reads a line of text.

Nothing was made for it; it is here to show that the graph room is general. rapidocr 3.10.0
brings it, with its characters in the metadata.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from PIL import Image, ImageDraw, ImageFont

from tests.graph.test_classifier import model_path
from workbench.graph import from_onnx

TEXT = "Hello GPU 2026"


def picture(width: int) -> np.ndarray:
    """The text black on white, [1, 3, 48, width], from −1 to 1."""
    image = Image.new("RGB", (width, 48), "white")
    ImageDraw.Draw(image).text((8, 2), TEXT, "black", ImageFont.load_default(36))
    pixels = (np.asarray(image, np.float32) / 255 - 0.5) / 0.5
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def read(scores: np.ndarray, characters: list[str]) -> str:
    """Best class of each step, repetitions once, class 0 for nothing."""
    best = scores[0].argmax(axis=-1)
    kept = [c for c, before in zip(best, [-1, *best], strict=False) if c not in (0, before)]
    table = ["", *characters, " "]
    return "".join(table[c] for c in kept)


def test_it_reads() -> None:
    path = model_path().with_name("PP-OCRv6_rec_small.onnx")
    graph = from_onnx(path).optimize()
    batch, width = graph.dims
    compiled = graph.compile("cpu", {batch: 1, width: 320})
    x = picture(320)
    (got,) = compiled({"x": x}).values()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (want,) = session.run(None, {"x": x})
    np.testing.assert_allclose(got, want, atol=1e-4)
    properties = {p.key: p.value for p in onnx.load(path).metadata_props}
    assert read(got, properties["character"].split("\n")) == TEXT
    before, after = compiled.launches
    assert after < before / 3
