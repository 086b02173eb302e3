"""Memory for packed weights: in large pieces, which the system can back with large pages.

A network streams its weights by once in a call. Spread over thousands of small pages, each of
which has to be looked up, that takes up to a tenth longer.
"""

from __future__ import annotations

import threading
from math import prod
from operator import index
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
else:
    np = lazy("numpy")

SLAB_BYTES = 2**24
"""Size of a piece [byte]; numpy asks for large pages from 4 MiB on."""

ALIGN = 256
"""Arrays start at multiples of this [byte]."""


class _Slabs(threading.local):
    """The piece that is being filled, of each host thread, and how far it is."""

    piece: np.ndarray | None = None
    used: int = 0


_SLABS = _Slabs()


def empty(shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """A C-contiguous array, nothing in it yet.

    A piece lives as long as an array in it; no place is used twice.

    Examples
    --------
    >>> import numpy
    >>> a, b = (empty((3, 5), numpy.dtype("float32")) for _ in range(2))
    >>> a.flags.c_contiguous, a.ctypes.data % ALIGN, numpy.shares_memory(a, b)
    (True, 0, False)
    """
    # plain numbers: how far the piece is filled outlives every graph
    shape = tuple(map(index, shape))
    size = prod(shape) * dtype.itemsize
    if 4 * size > SLAB_BYTES:
        return np.empty(shape, dtype)
    if _SLABS.piece is None or _SLABS.used + size > len(_SLABS.piece):
        _SLABS.piece = np.empty(SLAB_BYTES, np.uint8)
        _SLABS.used = -_SLABS.piece.ctypes.data % ALIGN
    start = _SLABS.used
    _SLABS.used += -(-size // ALIGN) * ALIGN
    return _SLABS.piece[start : start + size].view(dtype).reshape(shape)
