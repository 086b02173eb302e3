"""Layouts: from the index of a tensor's element to its address, counted in elements."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import MappingError
from workbench.base.lazy import lazy
from workbench.mapping.check import ENTRY_LIMIT, as_int, check_shape, check_size, counted
from workbench.mapping.factor import commas

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy("numpy")


@dataclass(frozen=True, slots=True)
class Piece:
    """The part ``stride * ((index // div) % mod)`` of an address; no modulus when mod is None."""

    div: int
    mod: int | None
    stride: int


@dataclass(frozen=True, slots=True)
class Swizzle:
    """Exclusive or of address bits [base, base+bits) with bits [base+shift, base+shift+bits).

    Source: CuTe's ``Swizzle<bits, base, shift>`` (CUTLASS documentation, "CuTe layouts").

    Examples
    --------
    >>> [Swizzle(1, 0, 2)(address) for address in range(8)]
    [0, 1, 2, 3, 5, 4, 7, 6]
    """

    bits: int
    base: int
    shift: int

    def __call__(self, address: int) -> int:
        """The swizzled address."""
        mask = ((1 << self.bits) - 1) << self.base
        return address ^ ((address >> self.shift) & mask)


@dataclass(frozen=True, slots=True)
class Layout:
    """An injective or broadcasting map from an index to an address.

    The address of an index is the sum of all pieces of all dims, handed through the swizzles in
    their order. Layouts are equal when shape, pieces, swizzles and size are; the text they were
    written in does not count.

    Attributes
    ----------
    shape : tuple of int
        Extents of the index.
    pieces : tuple of tuples of Piece
        Per dim, slow to fast; none for extent 1.
    swizzles : tuple of Swizzle
        Applied one after the other.
    size : int
        Number of elements of memory that the layout needs: the highest address plus 1.

    Examples
    --------
    >>> layout = row_major(2, 2) * column_major(4, 4)
    >>> layout.shape, layout.size, layout(5, 1)
    ((8, 8), 64, 37)
    """

    shape: tuple[int, ...]
    pieces: tuple[tuple[Piece, ...], ...]
    swizzles: tuple[Swizzle, ...]
    size: int
    text: str = field(compare=False)

    @property
    def rank(self) -> int:
        """Number of dims."""
        return len(self.shape)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def __call__(self, *index: int) -> int:
        """The address of an element.

        Raises
        ------
        MappingError
            Not one index per dim, or an index outside the shape.
        """
        if len(index) != self.rank:
            raise MappingError(f"{self}: index {index} for {counted(self.rank, 'dim')}")
        address = 0
        for dim, (place, extent) in enumerate(zip(index, self.shape, strict=True)):
            number = as_int(place)
            if number is None or not 0 <= number < extent:
                raise MappingError(
                    f"{self}: index {place!r} of dim {dim} is outside 0 … {extent - 1}"
                )
            address += sum(number // p.div % (p.mod or extent) * p.stride for p in self.pieces[dim])
        for swizzle in self.swizzles:
            address = swizzle(address)
        return address

    def table(self) -> NDArray[np.int64]:
        """Addresses of all elements.

        Returns
        -------
        ndarray of int64, of the layout's shape

        Raises
        ------
        MappingError
            The array would have more than 2**27 numbers.
        """
        if prod(self.shape) > ENTRY_LIMIT:
            raise MappingError(
                f"{self}: {prod(self.shape)} elements are more than a table may have "
                f"({ENTRY_LIMIT})"
            )
        address = np.zeros(self.shape, dtype=np.int64)
        for dim, extent in enumerate(self.shape):
            place = np.arange(extent, dtype=np.int64)
            shape = (-1, *(1,) * (self.rank - dim - 1))
            for p in self.pieces[dim]:
                address += (place // p.div % (p.mod or extent) * p.stride).reshape(shape)
        for s in self.swizzles:
            address ^= (address >> s.shift) & (((1 << s.bits) - 1) << s.base)
        return address

    def __mul__(self, other: Layout) -> Layout:
        """Tile: element ``outer * tile + inner`` is at ``self(outer) * other.size + other(inner)``.

        Raises
        ------
        MappingError
            The ranks do not match, or a swizzle does not stay a swizzle of the whole address.
        """
        if not isinstance(other, Layout):
            return NotImplemented
        if self.rank != other.rank:
            raise MappingError(
                f"{self} has {counted(self.rank, 'dim')} and {other} has {other.rank}: "
                "only layouts of one rank compose",
                hint=f"give both {max(self.rank, other.rank)} extents",
            )
        text = f"{self} * {other}"
        swizzles = _swizzles(text, self, other)
        shape = tuple(a * b for a, b in zip(self.shape, other.shape, strict=True))
        pieces = tuple(
            _tile(self.pieces[dim], other.pieces[dim], other.shape[dim], other.size, extent)
            for dim, extent in enumerate(shape)
        )
        check_size(text, "elements", self.size * other.size)
        return Layout(shape, pieces, swizzles, self.size * other.size, text)

    def swizzle(self, bits: int, base: int = 0, shift: int | None = None) -> Layout:
        """Exclusive-or bits of the address with higher ones, to spread columns over banks.

        Parameters
        ----------
        bits : int
            How many bits change.
        base : int
            Lowest bit that changes; ``2**base`` elements stay neighbours.
        shift : int, optional
            Distance to the bits that are read, at least `bits`; `bits` when absent.

        Raises
        ------
        MappingError
            Bits that are no such numbers, or a size that the swizzle would leave.

        Examples
        --------
        >>> row_major(4, 4).swizzle(2).table().tolist()
        [[0, 1, 2, 3], [5, 4, 7, 6], [10, 11, 8, 9], [15, 14, 13, 12]]
        """
        shift = bits if shift is None else shift
        straight = " * " not in self.text
        call = f"{self.text if straight else f'({self.text})'}.swizzle({bits}, {base}, {shift})"
        _check_swizzle(call, bits, base, shift)
        if self.size % (1 << (base + bits)):
            raise MappingError(
                f"{call}: size {self.size} is no multiple of {1 << (base + bits)}, so the swizzle "
                "would leave it",
                hint="pad the shape or swizzle fewer bits",
            )
        return replace(
            self, swizzles=(*self.swizzles, Swizzle(int(bits), int(base), int(shift))), text=call
        )


def _check_swizzle(call: str, bits: int, base: int, shift: int) -> None:
    for name, value, least in (("bits", bits, 1), ("base", base, 0), ("shift", shift, 1)):
        number = as_int(value)
        if number is None or not least <= number <= 30:
            raise MappingError(f"{call}: {name}={value!r} is no int from {least} to 30")
    if shift < bits:
        raise MappingError(
            f"{call}: shift={shift} is below bits={bits}, so bits would be read that change",
            hint="shift is at least bits",
        )


def _swizzles(text: str, outer: Layout, inner: Layout) -> tuple[Swizzle, ...]:
    """The swizzles of both as swizzles of the whole address."""
    up = inner.size.bit_length() - 1
    if outer.swizzles and inner.size != 1 << up:
        raise MappingError(
            f"{text}: the outer layout is swizzled and the tile's size {inner.size} is no power "
            "of 2",
            hint="swizzle the composition instead",
        )
    for s in inner.swizzles:
        if inner.size % (1 << (s.base + s.bits + s.shift)):
            raise MappingError(
                f"{text}: the tile's swizzle({s.bits}, {s.base}, {s.shift}) reads bits above its "
                f"size {inner.size}",
                hint="swizzle the composition instead",
            )
    return (*(replace(s, base=s.base + up) for s in outer.swizzles), *inner.swizzles)


def _tile(
    outer: Sequence[Piece], inner: Sequence[Piece], tile: int, size: int, extent: int
) -> tuple[Piece, ...]:
    """Pieces of one dim of a tiled layout; neighbours are one where the strides go on."""
    pieces = [Piece(p.div * tile, p.mod, p.stride * size) for p in outer]
    pieces += [replace(p, mod=p.mod or tile // p.div) for p in inner]
    joined: list[Piece] = []
    for piece in pieces:
        joined.append(piece)
        while len(joined) > 1:
            slow, fast = joined[-2:]
            assert fast.mod is not None
            if slow.div != fast.div * fast.mod or slow.stride != fast.stride * fast.mod:
                break
            mod = None if slow.mod is None else slow.mod * fast.mod
            joined[-2:] = [Piece(fast.div, mod, fast.stride)]
    return tuple(
        replace(p, mod=None) if p.mod is not None and p.div * p.mod >= extent else p for p in joined
    )


def strided(shape: Sequence[int], strides: Sequence[int]) -> Layout:
    """The layout with the given strides.

    Parameters
    ----------
    shape : sequence of int
        Extents.
    strides : sequence of int
        Distance in elements between neighbours, per dim; 0 repeats an element.

    Raises
    ------
    MappingError
        Bad extents or strides, or not one stride per dim.

    Examples
    --------
    >>> strided((4, 4), (5, 1)).size
    19
    """
    call = f"strided({_text(shape)}, {_text(strides)})"
    extents = check_shape(call, tuple(shape))
    if len(strides) != len(extents):
        raise MappingError(
            f"{call}: {counted(len(strides), 'stride')} for {counted(len(extents), 'dim')}"
        )
    good: list[int] = []
    for dim, stride in enumerate(strides):
        number = as_int(stride)
        if number is None or number < 0:
            raise MappingError(f"{call}: stride {stride!r} of dim {dim} is no int of at least 0")
        good.append(number)
    return _affine(extents, tuple(good), call)


def row_major(*shape: int) -> Layout:
    """The layout in which the last dim runs fastest.

    Examples
    --------
    >>> row_major(2, 3).table().tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    call = f"row_major({commas(map(repr, shape))})"
    extents = check_shape(call, shape)
    return _affine(extents, tuple(prod(extents[d + 1 :]) for d in range(len(extents))), call)


def column_major(*shape: int) -> Layout:
    """The layout in which the first dim runs fastest.

    Examples
    --------
    >>> column_major(2, 3).table().tolist()
    [[0, 2, 4], [1, 3, 5]]
    """
    call = f"column_major({commas(map(repr, shape))})"
    extents = check_shape(call, shape)
    return _affine(extents, tuple(prod(extents[:d]) for d in range(len(extents))), call)


def local(*shape: int) -> Layout:
    """The layout of a register tensor's dims that are spread over threads: every address is 0.

    It mirrors the spatial factors of a task mapping as `row_major` mirrors the repeated ones, so
    that each thread keeps only the elements that the mapping gives it.

    Examples
    --------
    >>> fragment = row_major(2, 1) * local(8, 4) * row_major(1, 2)
    >>> fragment.shape, fragment.size, fragment(9, 3)
    ((16, 8), 4, 3)
    """
    call = f"local({commas(map(repr, shape))})"
    extents = check_shape(call, shape)
    return _affine(extents, (0,) * len(extents), call)


def _affine(shape: tuple[int, ...], strides: tuple[int, ...], text: str) -> Layout:
    pieces = tuple(
        (Piece(1, None, stride),) if extent > 1 and stride else ()
        for extent, stride in zip(shape, strides, strict=True)
    )
    size = 1 + sum((extent - 1) * stride for extent, stride in zip(shape, strides, strict=True))
    check_size(text, "elements", size)
    return Layout(shape, pieces, (), size, text)


def _text(numbers: Sequence[int]) -> str:
    return f"({commas(map(repr, numbers))}{',' * (len(numbers) == 1)})"
