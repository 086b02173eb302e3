"""A picture of many small cells as a PNG with a palette."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy("numpy")

Colour = tuple[int, int, int]


def png(cells: NDArray[np.uint8], colours: list[Colour]) -> bytes:
    """The file.

    Parameters
    ----------
    cells : ndarray of uint8, shape [rows, columns]
        The colour of each pixel, as an index.
    colours : list of (red, green, blue)
        At most 256.

    Source: "Portable Network Graphics", W3C, third edition.
    """
    rows, columns = cells.shape
    padded = np.zeros((rows, columns + 1), np.uint8)  # each row begins with its filter: none
    padded[:, 1:] = cells
    palette = bytes(part for colour in colours for part in colour)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            _chunk(b"IDAT", zlib.compress(padded.tobytes(), 6)),
            _chunk(b"IEND", b""),
        )
    )


def data_url(kind: str, content: bytes) -> str:
    """A file as a URL that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check
