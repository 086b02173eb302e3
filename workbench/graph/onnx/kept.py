"""The bytes of a model, to be had again when a graph made of it is saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.onnx.types import with_external

if TYPE_CHECKING:
    import onnx

else:
    onnx = lazy("onnx")

Source = str | os.PathLike[str] | bytes | Any
"""A path, the bytes of a file, or a ModelProto."""

_Stamp = tuple[int, int]
_LARGEST = 2**31  # bytes of a message of protobuf


def kept(source: Source, proto: onnx.ModelProto) -> Callable[[], bytes]:
    """How to get the whole model later, weights in other files included.

    Of a file only its place, size and time of change are kept, not its content; other sources
    may change any time, so their bytes are kept.
    """
    if isinstance(source, bytes):
        return lambda: source
    if isinstance(source, str | os.PathLike):
        path = Path(source).resolve()
        names = {_location(t) for t in _tensors(proto)} - {""}
        files = [path, *(path.parent / name for name in sorted(names))]
        return partial(_read, path, {file: _stamp(file) for file in files})
    if proto.ByteSize() >= _LARGEST:
        return _too_large
    data = proto.SerializeToString()
    return lambda: data


def _too_large() -> bytes:
    raise ModelError("the model is too large for one file of ONNX, which ends at 2 GiB")


def _read(path: Path, stamps: dict[Path, _Stamp | None]) -> bytes:
    for file, stamp in stamps.items():
        if stamp is None or _stamp(file) != stamp:
            raise ModelError(
                f"{file.name!r} has changed since the model was read",
                hint="read it again by from_onnx, then save it",
            )
    if len(stamps) == 1:
        return path.read_bytes()
    proto = onnx.ModelProto.FromString(path.read_bytes())
    for tensor in list(_tensors(proto)):
        if _location(tensor):
            tensor.CopyFrom(with_external(tensor, tensor.name, path.parent))
    return _too_large() if proto.ByteSize() >= _LARGEST else proto.SerializeToString()


def _stamp(file: Path) -> _Stamp | None:
    try:
        status = file.stat()
    except (OSError, ValueError):  # not there, or no name that a file can have
        return None
    return status.st_size, status.st_mtime_ns


def _location(tensor: onnx.TensorProto) -> str:
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return ""
    return next((e.value for e in tensor.external_data if e.key == "location"), "")


def _tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of the graph and the graphs inside it."""
    graphs = [proto.graph]
    for graph in graphs:
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                yield from ([attribute.t] if attribute.HasField("t") else [])
                yield from attribute.tensors
                graphs += [attribute.g] if attribute.HasField("g") else []
                graphs += list(attribute.graphs)
