"""A compiled graph in one file: the model, how it was compiled, and its machine code.

The file holds data only: nothing in it is unpickled or evaluated. Machine code is different,
whoever runs it hands over the process. So it is used again only on the machine that made it: it
carries a signature with a key that lies in the folder of the compile cache and goes nowhere else.
In a file from elsewhere, or without its signature, it is passed over, and the model is compiled.

Layout: 8 bytes of magic, the version of the format, the SHA-256 of all that follows; then the
length of a JSON header, the header, and the sections it names one after the other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.version import __version__
from workbench.driver.cpu import KIND, CpuBackend
from workbench.runtime.cache import default_cache

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.graph.tensor import Tensor
    from workbench.ir.target import Target

MAGIC = b"KWBGRAPH"
VERSION = 1
_HEAD = struct.Struct("<8sI32s")
_COUNT = struct.Struct("<I")
_ENTRY = struct.Struct("<64sI")
_MOST_HEADER_BYTES = 2**24
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a compiled graph came about, so that it can be again.

    Attributes
    ----------
    model : callable
        Gives the ONNX model with its weights.
    optimized, fuse : bool
        Whether it was rewritten, and whether operators share kernels.
    """

    model: Callable[[], bytes]
    optimized: bool
    fuse: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file holds.

    Attributes
    ----------
    model : bytes
        ONNX, with its weights.
    target : str
        What it was compiled for.
    optimized, fuse : bool
        As in `Recipe`.
    shapes : mapping of str to list
        Of each input: extents, and a name where it was left open; None where nothing is known.
    code : mapping of str to bytes
        Machine code by its key in the compile cache; empty unless this machine made it.
    """

    model: bytes
    target: str
    optimized: bool
    fuse: bool
    shapes: Mapping[str, list[int | str] | None]
    code: Mapping[str, bytes]


def write(
    path: str | os.PathLike[str],
    recipe: Recipe | None,
    inputs: Sequence[Tensor],
    target: Target,
    kernels: Sequence[Kernel],
) -> None:
    """Write a compiled graph to a file; it is there as a whole or not at all.

    Raises
    ------
    ModelError
        When it does not come from an ONNX model, the model's file has changed since, or the file
        cannot be written.
    """
    if recipe is None:
        raise ModelError("only a graph that comes from an ONNX model can be saved")
    code = _code(kernels)
    model = recipe.model()
    header = {
        "workbench": __version__,
        "target": str(target),
        "optimized": recipe.optimized,
        "fuse": recipe.fuse,
        "shapes": {
            t.name: None
            if t.shape is None
            else [e if isinstance(e, int) else e.name for e in t.shape]
            for t in inputs
        },
        "sections": [["model", len(model)], ["code", len(code)]],
        "signature": _signature(code),
    }
    text = json.dumps(header).encode()
    parts = (_COUNT.pack(len(text)), text, model, code)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    _replace(Path(path), (_HEAD.pack(MAGIC, VERSION, digest.digest()), *parts))


def read(path: str | os.PathLike[str]) -> Saved:
    """What a file holds, checked.

    Raises
    ------
    ModelError
        When it cannot be read, is no saved graph, is damaged, or is of a newer format.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {file.name!r}: {error}") from None
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise ModelError(
            f"{file.name!r} is no saved graph", hint="an ONNX model is read by from_onnx"
        )
    _, version, digest = _HEAD.unpack_from(data)
    if version > VERSION:
        raise ModelError(
            f"{file.name!r} is of format {version}; this version reads up to {VERSION}",
            hint="a newer kernel-workbench reads it",
        )
    body = memoryview(data)[_HEAD.size :]
    if hashlib.sha256(body).digest() != digest:
        raise ModelError(
            f"{file.name!r} is damaged or cut short: its {len(data)} bytes do not fit its digest",
            hint="save the graph again",
        )
    try:
        return _parsed(body)
    except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
        raise ModelError(f"{file.name!r} is no sound saved graph", notes=[repr(error)]) from None


def adopt(saved: Saved) -> None:
    """Give the machine code of a file to the compile cache, where compiling finds it."""
    cache = default_cache()
    for key, payload in saved.code.items():
        cache.get_or_build(key, lambda payload=payload: payload, KIND)


def _parsed(body: memoryview) -> Saved:
    (length,) = _COUNT.unpack_from(body)
    if length > _MOST_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes")
    place = _COUNT.size + length
    header: dict[str, Any] = json.loads(bytes(body[_COUNT.size : place]))
    sections: dict[str, bytes] = {}
    for name, size in header["sections"]:
        if not isinstance(size, int) or not 0 <= size <= len(body) - place:
            raise ValueError(f"a section of {size} bytes")
        sections[name] = bytes(body[place : place + size])
        place += size
    if place != len(body):
        raise ValueError(f"{len(body) - place} bytes too many")
    return Saved(
        sections["model"],
        _typed(header["target"], str),
        _typed(header["optimized"], bool),
        _typed(header["fuse"], bool),
        dict(_typed(header["shapes"], dict)),
        _entries(sections["code"], _typed(header["signature"], str)),
    )


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r:.40} is no {kind.__name__}")
    return value


def _code(kernels: Sequence[Kernel]) -> bytes:
    """Machine code of kernels, each with its key before it."""
    backends = [k.backend for k in kernels]
    found = dict(b.kept for b in backends if isinstance(b, CpuBackend) and b.kept is not None)
    return b"".join(_ENTRY.pack(k.encode(), len(data)) + data for k, data in found.items())


def _entries(code: bytes, signature: str) -> dict[str, bytes]:
    """The machine code of a section; nothing unless this machine signed it."""
    own = _signature(code)
    if not own or not hmac.compare_digest(own.encode(), signature.encode()):
        return {}
    found: dict[str, bytes] = {}
    place = 0
    while place < len(code):
        key, size = _ENTRY.unpack_from(code, place)
        place += _ENTRY.size
        found[key.decode()] = code[place : place + size]
        place += size
    return found


def _signature(code: bytes) -> str:
    """Of machine code, by the key of this machine; empty where no key can be kept."""
    key = _key()
    return hmac.new(key, code, "sha256").hexdigest() if key else ""


def _key() -> bytes | None:
    """The key of this machine's user, made the first time it is asked for."""
    file = default_cache().folder / "signature.key"
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, (secrets.token_bytes(_KEY_BYTES),), 0o600)
        key = file.read_bytes()
    except (OSError, ModelError):
        return None
    return key if len(key) == _KEY_BYTES else None


def _replace(path: Path, parts: Sequence[bytes], mode: int = 0o666) -> None:
    """A file with this content, in one step."""
    part = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}")
    try:
        handle = os.open(
            part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode
        )
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(parts)
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot write {path.name!r}: {error}") from None
