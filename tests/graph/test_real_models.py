"""Models that no one here wrote, with the data that they are made for.

rapidocr is among the test dependencies; tests/graph/models.txt lists the other packages. Each
model is compiled with its dims left open, so that a call decides them; onnxruntime tells what
should come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.graph.test_classifier import picture as line_of_text
from tests.graph.test_recognition import read
from workbench.bench import zoo
from workbench.graph import CompiledGraph, from_onnx

Arrays = Mapping[str, np.ndarray]


class Both:
    """A model as compiled here, beside onnxruntime; each call asserts that they agree."""

    def __init__(self, name: str) -> None:
        (self.model,) = (each for each in zoo.MODELS if each.name == name)
        if self.model.path is None:
            pytest.skip(self.model.wanted)
        source = self.model.load()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(source, options)
        self.graph: CompiledGraph = from_onnx(source).optimize().compile("cpu")

    def __call__(self, x: Arrays, limit: float = 1e-3) -> dict[str, np.ndarray]:
        names = [o.name for o in self.session.get_outputs()]
        arrays: Any = self.session.run(names, dict(x))
        want = dict(zip(names, arrays, strict=True))
        got = self.graph(x)
        assert list(got) == names
        for name in names:
            assert got[name].shape == want[name].shape
            assert got[name].dtype == want[name].dtype
            spread = float(np.ptp(want[name])) or float(abs(want[name]).max()) or 1.0
            np.testing.assert_allclose(got[name], want[name], rtol=0, atol=limit * spread)
        return got


@cache
def both(name: str) -> Both:
    return Both(name)


# -- text in a picture

TEXT = "Hello GPU 2026"
SIZE = (640, 320)


def page() -> Image.Image:
    """A white page with one line of text."""
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).text((150, 130), TEXT, "black", ImageFont.load_default(44))
    return image


def pixels(image: Image.Image) -> np.ndarray:
    """A picture as the models want it: [1, 3, height, width], from −1 to 1."""
    plain = (np.asarray(image, np.float32) / 255 - 0.5) / 0.5
    return np.ascontiguousarray(plain.transpose(2, 0, 1)[None])


def test_text_is_found_and_read() -> None:
    (where,) = both("ocr_det")({"x": pixels(page())}).values()
    rows, columns = np.nonzero(where[0, 0] > 0.3)
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert 140 < left < right < 520
    assert 120 < top < bottom < 200
    # the model marks the inner part of a line
    rim = round(0.8 * (bottom - top))
    found = page().crop((left - rim, top - rim, right + rim, bottom + rim))
    width = round(found.width * 48 / found.height)
    line = found.resize((width, 48), Image.Resampling.BILINEAR)
    (scores,) = both("ocr_rec")({"x": pixels(line)}).values()
    proto = onnx.load_model_from_string(both("ocr_rec").model.load())
    properties = {p.key: p.value for p in proto.metadata_props}
    assert read(scores, properties["character"].split("\n")) == TEXT


@pytest.mark.parametrize("turned", [False, True])
def test_the_way_up(turned: bool) -> None:
    x = line_of_text(TEXT, turned)
    (scores,) = both("ocr_cls")({"x": x}).values()
    assert int(scores.argmax()) == int(turned)


# -- what kind of file

FILES = {
    "python": b"import os\n\n\ndef main(args):\n    for a in args:\n        print(os.sep, a)\n\n\n"
    b'if __name__ == "__main__":\n    main([])\n',
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
    "html": b"<!DOCTYPE html>\n<html><head><title>A</title></head><body><p>B</p></body></html>\n",
    "json": b'{"name": "kernel", "sizes": [1, 2, 3], "nested": {"deep": true, "no": null}}\n',
    "c": b'#include <stdio.h>\n\nint main(void) {\n    printf("%d\\n", 42);\n    return 0;\n}\n',
}


class Session:
    """What magika asks for scores, answered by our kernels."""

    def __init__(self, model: Both) -> None:
        self.model = model

    def run(self, outputs: list[str], inputs: dict[str, Any]) -> list[np.ndarray]:
        given = {name: np.array(values, np.int32) for name, values in inputs.items()}
        found = self.model(given)
        return [found[name] for name in outputs]


def test_file_types() -> None:
    model = both("magika")
    magika = pytest.importorskip("magika").Magika()
    theirs = [magika.identify_bytes(data) for data in FILES.values()]
    magika._onnx_session = Session(model)
    ours = [magika.identify_bytes(data) for data in FILES.values()]
    assert [str(each.output.label) for each in ours] == list(FILES)
    for one, other in zip(ours, theirs, strict=True):
        assert one.dl.label == other.dl.label
        assert one.score == pytest.approx(other.score, abs=1e-4)


# -- speech

RATE = 16_000


def voice(seconds: float) -> np.ndarray:
    """Overtones of a low voice, strongest about 500 and 1500 Hz, four syllables a second."""
    t = np.arange(round(seconds * RATE)) / RATE
    pitch = 2 * np.pi * np.cumsum(120 + 15 * np.sin(2 * np.pi * 2 * t)) / RATE
    tones = 120 * np.arange(1, 30)
    strength = np.exp(-(((tones - 500) / 250) ** 2)) + 0.5 * np.exp(-(((tones - 1500) / 300) ** 2))
    wave = sum(s * np.sin(n * pitch) for n, s in enumerate(strength, 1))
    return (0.15 * wave * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * t))).astype(np.float32)


def chunks(wave: np.ndarray) -> np.ndarray:
    """Pieces of 512 samples, each with the 64 before it."""
    count = len(wave) // 512
    padded = np.concatenate([np.zeros(64, np.float32), wave])
    return np.stack([padded[512 * n : 512 * n + 576] for n in range(count)])


SILERO = [
    "silero_vad",
    "silero_vad_16k_op15",
    "silero_vad_half",
    "silero_vad_op18_ifless",
    "silero_vad_openvino_16k",
]


def probabilities(name: str, wave: np.ndarray) -> np.ndarray:
    """Chance of speech in each piece, the state handed on from one to the next."""
    model, state = both(name), np.zeros((2, 1, 128), np.float32)
    wants_rate = any(t.name == "sr" for t in model.graph.graph.inputs)
    rate = {"sr": np.array(RATE, np.int64)} if wants_rate else {}
    found: list[float] = []
    for piece in chunks(wave):
        got = model({"input": piece[None], "state": state, **rate})
        state = got["stateN"]
        found.append(float(got["output"][0, 0]))
    return np.array(found)


@pytest.mark.parametrize("name", SILERO)
def test_speech_is_told_from_silence(name: str) -> None:
    quiet = np.zeros(RATE // 2, np.float32)
    spoken = probabilities(name, voice(0.5))
    assert spoken.max() > 0.5
    assert probabilities(name, quiet).max() < 0.2


def test_speech_in_one_sequence() -> None:
    model, zero = both("silero_vad_16k_sequence"), np.zeros((1, 1, 128), np.float32)
    for wave, speech in ((voice(0.5), True), (np.zeros(RATE // 2, np.float32), False)):
        got = model({"input": chunks(wave), "h": zero, "c": zero})
        assert (got["speech_probs"].max() > 0.5) == speech


# -- notes


@pytest.mark.parametrize("midi", [57, 69])
def test_the_pitch_of_a_note(midi: int) -> None:
    t = np.arange(43_844) / 22_050
    pitch = 440 * 2 ** ((midi - 69) / 12)
    wave = sum(np.sin(2 * np.pi * pitch * n * t) / n for n in range(1, 6)) * np.exp(-t) * 0.3
    got = both("basic_pitch")({"serving_default_input_2:0": wave.astype(np.float32)[None, :, None]})
    notes = got["StatefulPartitionedCall:1"]
    assert notes.shape == (1, 172, 88)
    # key 0 of a piano is MIDI 21
    assert int(notes[0].mean(0).argmax()) == midi - 21


# -- sentences

# ids in the vocabulary that BERT was published with, lower case
WORDS = {
    "a": 1037, "the": 1996, "man": 2158, "is": 2003, "playing": 2652, "guitar": 2858,
    "someone": 2619, "plays": 3248, "music": 2189, "stock": 4518, "market": 3006,
    "fell": 3062, "today": 2651,
}  # fmt: skip
START, STOP = 101, 102


def direction(sentence: str) -> np.ndarray:
    """What a sentence means, of length 1."""
    ids = np.array([[START, *(WORDS[w] for w in sentence.split()), STOP]], np.int64)
    meaning = both("minilm_l3")({"input_ids": ids, "attention_mask": np.ones_like(ids)})["461"][0]
    return meaning / np.linalg.norm(meaning)


def test_sentences_that_mean_the_same() -> None:
    guitar = direction("a man is playing the guitar")
    music = direction("someone plays music")
    market = direction("the stock market fell today")
    assert guitar @ music > 0.4
    assert max(guitar @ market, music @ market) < 0.2


def test_what_is_masked_does_not_count() -> None:
    ids = np.array([[START, WORDS["music"], STOP, 0, 0], [START, WORDS["guitar"], STOP, 7, 9]])
    mask = np.array([[1, 1, 1, 0, 0]] * 2)
    got = both("minilm_l3")({"input_ids": ids, "attention_mask": mask})["461"]
    alone = both("minilm_l3")({"input_ids": ids[:1, :3], "attention_mask": mask[:1, :3]})["461"]
    np.testing.assert_allclose(got[:1], alone, atol=1e-4)


# -- tables

SKLEARN = [m.name for m in zoo.MODELS if m.name.startswith("sk_")]


@pytest.mark.parametrize("rows", [1, 50])
@pytest.mark.parametrize("name", SKLEARN)
def test_tables(name: str, rows: int) -> None:
    x = np.random.default_rng(rows).normal(0, 3, (rows, 4)).astype(np.float32)
    both(name)({"input": x}, limit=1e-4)
