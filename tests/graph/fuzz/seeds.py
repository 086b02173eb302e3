"""Right models to start from: the small ones of ONNX's own suite."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnx

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
MOST_BYTES = 20_000
SMALL = 16


@dataclass(frozen=True)
class Seed:
    """A model of the suite; its shapes, axes and the like are weights, not inputs."""

    name: str
    data: bytes


@cache
def seeds() -> list[Seed]:
    """At most 20 kB each: a case of every operator, nets of a few layers, control flow."""
    files = sorted(p for p in DATA.glob("*/*/model.onnx") if p.stat().st_size <= MOST_BYTES)
    return [Seed(p.parent.name, _baked(p)) for p in files]


def _baked(path: Path) -> bytes:
    """The model with its small whole-number inputs as weights, as far as they are tensors."""
    proto = onnx.ModelProto.FromString(path.read_bytes())
    kept: list[onnx.ValueInfoProto] = []
    for place, value in enumerate(proto.graph.input):
        kind = value.type.tensor_type
        file = path.parent / "test_data_set_0" / f"input_{place}.pb"
        small = len(kind.shape.dim) <= 1 and all(d.dim_value <= SMALL for d in kind.shape.dim)
        whole = kind.elem_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
        if small and whole and file.exists():
            tensor = onnx.TensorProto.FromString(file.read_bytes())
            tensor.name = value.name
            proto.graph.initializer.append(tensor)
        else:
            kept.append(value)
    if len(kept) == len(proto.graph.input):
        return path.read_bytes()
    del proto.graph.input[:]
    proto.graph.input.extend(kept)
    return proto.SerializeToString()
