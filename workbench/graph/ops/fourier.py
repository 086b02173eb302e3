"""Discrete Fourier transforms as products with a matrix known now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.graph.ops.define import Axes, grid
from workbench.graph.ops.matmul import matmul
from workbench.graph.ops.shape import reshape, transpose
from workbench.ir import build
from workbench.ir.expr import Expr
from workbench.ir.types import TensorType

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

_MATRIX = 2**21
"""Elements of a matrix up to which the transform is a product; longer ones are numpy's."""


@dataclass(frozen=True, slots=True)
class Transform:
    """What is transformed into what.

    Attributes
    ----------
    length : int
        Of the signal; one that is shorter counts as filled up with zeros.
    inverse : bool
        Whether from frequencies to the signal.
    half : bool
        Whether of the frequencies only those up to the middle are given, as those of a real
        signal; the inverse then gives a real signal.
    """

    length: int
    inverse: bool
    half: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Places of the result, and numbers (1 or 2) of each."""
        if self.half and self.inverse:
            return self.length, 1
        return (self.length // 2 + 1 if self.half else self.length), 2

    def matrix(self, places: int, parts: int) -> Array:
        """What to multiply a signal [places * parts] by, to get the result [rows * 1 or 2].

        Parameters
        ----------
        places, parts : int
            Extents of the signal: its elements, and 1 for real or 2 for complex ones.
        """
        rows, numbers = self.shape
        n, k = np.arange(places)[:, None], np.arange(rows)[None, :]
        # whole turns taken off first, so that large products lose nothing
        angle = 2 * np.pi * (n * k % self.length) / self.length * (1 if self.inverse else -1)
        real, imaginary = np.cos(angle), np.sin(angle)
        # [places, parts, rows, numbers]
        whole = np.stack([np.stack([real, imaginary], -1), np.stack([-imaginary, real], -1)], 1)
        if self.half and self.inverse:
            # each frequency but the first and the middle one stands for two
            twice = np.where((n == 0) | (2 * n == self.length), 1, 2)
            whole = whole * twice[:, None, :, None] * (n <= self.length // 2)[:, None, :, None]
        whole = np.where((n < self.length)[:, None, :, None], whole, 0)
        scale = self.length if self.inverse else 1
        return whole[:, :parts, :, :numbers].reshape(places * parts, -1) / scale

    def by_numpy(self, x: Array, axis: int) -> tuple[Array]:
        """The transform of a whole array, whose last dimension holds the parts."""
        signal = x[..., 0] if x.shape[-1] == 1 else x[..., 0] + 1j * x[..., 1]
        back = np.fft.irfft if self.half else np.fft.ifft
        found = (back if self.inverse else np.fft.fft)(signal, self.length, axis)
        if self.half and not self.inverse:
            found = np.take(found, range(self.shape[0]), axis)
        parts = [found] if self.shape[1] == 1 else [found.real, found.imag]
        return (np.stack(parts, -1).astype(x.dtype),)


def transform(b: Builder, x: Tensor, axis: int, how: Transform) -> Tensor:
    """The transform of `x` [..., 1 or 2] along `axis`, which is not the last."""
    rows, numbers = how.shape
    if x.extents[axis] * x.extents[-1] * rows * numbers > _MATRIX:
        shape = (*x.extents[:axis], rows, *x.extents[axis + 1 : -1], numbers)
        function = partial(how.by_numpy, axis=axis)
        return b.host("dft", function, [x], [(x.dtype, shape)])[0]
    order = [d for d in range(x.rank - 1) if d != axis]
    moved = transpose(b, x, [*order, axis, x.rank - 1])
    lead, (places, parts) = moved.extents[:-2], moved.extents[-2:]
    weights = how.matrix(places, parts).astype(x.dtype.numpy_name)
    flat = reshape(b, moved, (prod(lead), places * parts))
    out = reshape(b, matmul(b, flat, b.constant(weights)), (*lead, rows, numbers))
    back = [*range(axis), x.rank - 2, *range(axis, x.rank - 2), x.rank - 1]
    return transpose(b, out, back)


def frames(b: Builder, x: Tensor, size: int, step: int, window: Tensor | None) -> Tensor:
    """Pieces of `size` elements, `step` apart, of signals [n, length, parts], times a window."""
    count = 1 + (x.extents[1] - size) // step
    source = x.variable()
    weight = window.variable() if window is not None else None

    def value(i: Axes) -> Expr:
        at = build.add(build.mul(i[1], step), i[2])
        element = build.load(source, [i[0], at, i[3]])
        return element if weight is None else build.mul(element, build.load(weight, [i[2]]))

    kind = TensorType(x.dtype, (x.extents[0], count, size, x.extents[2]))
    read: Sequence[Tensor] = [x] if window is None else [x, window]
    given = [source] if weight is None else [source, weight]
    return b.emit(grid("frames", given, kind, value), read)
