"""ONNX's number types, and arrays from its tensors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.tensor import text
from workbench.ir.types import DType, dtype

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from workbench.graph.onnx.node import Node
else:
    np = lazy("numpy")
    onnx = lazy("onnx")

_NAMES = {
    "FLOAT": "f32",
    "DOUBLE": "f64",
    "FLOAT16": "f16",
    "BOOL": "bool",
    **{f"{u}INT{bits}": f"{u.lower() or ''}{bits}" for u in ("U", "") for bits in (8, 16, 32, 64)},
}

_SPELLED = {"float32": "float", "float64": "double", "object": "string"}


def dtype_of_elem(elem: int, node: Node | None = None) -> DType:
    """The number type with ONNX's number `elem`.

    Raises
    ------
    UnsupportedOp
        For bf16, fp8, int4 and the like.
    """
    try:
        name = onnx.TensorProto.DataType.Name(elem)
    except ValueError:
        raise ModelError(f"there is no element type {elem}") from None
    if name == "STRING":
        return text
    if name not in _NAMES:
        where = f"{node.op}: " if node else ""
        raise UnsupportedOp(
            f"{where}tensors of {name} are not supported",
            op=node.op if node else "",
            opset=node.opset if node else 0,
        )
    short = _NAMES[name]
    return dtype(short if short[0] in "fbu" else f"i{short}")


def spelled(kind: DType) -> str:
    """The type of a tensor of these numbers, as ONNX's descriptions of operators spell it.

    Examples
    --------
    >>> from workbench.ir.types import f32, i64
    >>> spelled(f32), spelled(i64)
    ('tensor(float)', 'tensor(int64)')
    """
    return f"tensor({_SPELLED.get(kind.numpy_name, kind.numpy_name)})"


def array_of(tensor: onnx.TensorProto, folder: Path | None) -> np.ndarray:
    """The numbers of an initializer.

    Parameters
    ----------
    folder : Path or None
        Where the model lies, for numbers kept in files beside it; None when it has no place.

    Raises
    ------
    ModelError
        When the data do not fit the shape, or lie outside the model's folder.
    """
    if isinstance(tensor.name, bytes):  # as protobuf hands out what is no text
        raise ModelError(f"the name {tensor.name!r:.80} is no UTF-8", hint="is the file damaged?")
    name = shown(tensor.name or "a constant")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        tensor = with_external(tensor, name, folder)
    kind = dtype_of_elem(tensor.data_type)
    try:
        array = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:
        raise ModelError(
            f'the data of "{name}" do not fit its shape {list(tensor.dims)}', notes=[str(error)]
        ) from None
    return np.ascontiguousarray(array, np.dtype(kind.numpy_name)).reshape(array.shape)


def with_external(tensor: onnx.TensorProto, name: str, folder: Path | None) -> onnx.TensorProto:
    """A tensor whose numbers lie in a file of their own, with them inside; see `array_of`."""
    entries = {e.key: e.value for e in tensor.external_data}
    location = entries.get("location", "")
    where = repr(shown(location, 200))
    if folder is None:
        raise ModelError(
            f'"{name}" lies in the file {where}, but the model has no folder',
            hint="pass the path of the model instead of its bytes",
        )
    base = Path(os.path.realpath(folder))
    try:
        file = Path(os.path.realpath(base / location))
        inside, found = file.is_relative_to(base), file.is_file()
    except (OSError, ValueError) as error:  # a name too long, or with a zero in it
        raise ModelError(f'"{name}" lies in {where}, which is no name of a file') from error
    if not location or not inside:
        raise ModelError(f'"{name}" lies in {where}, outside the folder of the model')
    if not found:
        raise ModelError(f'"{name}" lies in {where}, which is missing')
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError:
        raise ModelError(f'"{name}" has no valid place in {where}') from None
    size = file.stat().st_size
    length = length or size - offset
    if offset < 0 or length < 0 or offset + length > size:
        raise ModelError(
            f'"{name}" needs bytes {offset} to {offset + length} of {where}, which has {size}'
        )
    with file.open("rb") as stream:
        stream.seek(offset)
        data = stream.read(length)
    whole = onnx.TensorProto()
    whole.CopyFrom(tensor)
    whole.ClearField("external_data")
    whole.data_location = onnx.TensorProto.DEFAULT
    whole.raw_data = data
    return whole
