"""Another size: each axis by itself, with the places and shares of its neighbours known now.

Coordinates and shares are those of ONNX's text on Resize.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.ops.define import Axes, accumulator, grid, reduce
from workbench.graph.ops.elementwise import convert
from workbench.graph.symbolic.array import computed, decided
from workbench.ir import build
from workbench.ir.expr import Expr
from workbench.ir.types import TensorType
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

_UNROLLED = 4
"""Neighbours up to which the definition lists them, so that it stays injective."""


@dataclass(frozen=True, slots=True)
class Resizing:
    """How elements of the output come from those of the input.

    Attributes
    ----------
    mode : str
        ``nearest``, ``linear`` or ``cubic``.
    coordinates : str
        ONNX's coordinate_transformation_mode.
    rounding : str
        ONNX's nearest_mode.
    curve : float
        The free parameter of cubic convolution.
    exclude : bool
        Whether neighbours outside have no share, instead of that of the edge.
    smooth : bool
        Whether a smaller output takes all of the input into account.
    outside : float
        What stands where the coordinate lies outside of a crop.
    """

    mode: str
    coordinates: str
    rounding: str = "round_prefer_floor"
    curve: float = -0.75
    exclude: bool = False
    smooth: bool = False
    outside: float = 0.0

    @property
    def crops(self) -> bool:
        """Whether a box of the input is what is resized."""
        return self.coordinates == "tf_crop_and_resize"

    def places(self, extent: int, scale: float, out: int, box: tuple[float, float]) -> Array:
        """Coordinate in the input of each of `out` elements.

        Raises
        ------
        ModelError
            For a mode that ONNX does not have.
        """
        # which is nearest can hang on the last digit: in single precision, as in onnxruntime
        real = np.float32 if self.mode == "nearest" else np.float64
        y, step, whole = np.arange(out, dtype=real), real(scale), real(scale * extent)
        half = (y + 0.5) / step - 0.5
        match self.coordinates:
            case "half_pixel":
                return half
            case "pytorch_half_pixel":
                return half if whole != 1 else np.full(out, -0.5)
            case "half_pixel_symmetric":
                return half + extent / 2 * (1 - out / whole) if whole else half
            case "asymmetric":
                return y / step
            case "align_corners":
                return y * (extent - 1) / (whole - 1) if whole != 1 else np.zeros(out)
            case "tf_half_pixel_for_nn":
                return (y + 0.5) / step
            case "tf_crop_and_resize":
                low, high = (e * (extent - 1) for e in box)
                # of a single element the middle of the box
                return low + (y / (whole - 1) if whole != 1 else y * 0 + 0.5) * (high - low)
            case other:
                raise ModelError(f"Resize: {other!r} is no coordinate_transformation_mode")

    def taps(
        self, extent: int, scale: float, out: int, box: tuple[float, float]
    ) -> tuple[Array, Array | None, Array | None]:
        """What `_Taps` holds: index, shares and outside, along one axis."""
        at = self.places(extent, scale, out, box)
        before = np.ceil(at) - 1
        shares = self.shares(at - before, scale)
        index = (before[:, None] + 1 - shares.shape[1] // 2 + np.arange(shares.shape[1])).astype(
            int
        )
        if self.exclude and self.mode != "nearest":
            shares = np.where((index >= 0) & (index < extent), shares, 0.0)
            shares = shares / shares.sum(1, keepdims=True)
        index = np.clip(index, 0, max(extent - 1, 0))
        outside = (at < 0) | (at > extent - 1)
        beyond = outside if self.crops and outside.any() else None
        if self.mode == "nearest":
            return index[np.arange(out), shares.argmax(1)][:, None], None, beyond
        return index, shares, beyond

    def shares(self, part: Array, scale: float) -> Array:
        """Share of each neighbour [out, neighbours] of points `part` in (0, 1] behind one.

        That one is the neighbour before the middle.
        """
        if self.mode == "nearest":
            return self._rounded(part)
        reach = 1 if self.mode == "linear" else 2
        squeeze = min(scale, 1.0) if self.smooth else 1.0
        first = int(np.floor(-reach / squeeze)) + 1
        way = np.abs(np.arange(first, 2 - first) - part[:, None]) * squeeze
        if self.mode == "linear":
            found = np.clip(1 - way, 0, None)
        else:
            a = self.curve
            near = ((a + 2) * way - (a + 3)) * way * way + 1
            far = ((a * way - 5 * a) * way + 8 * a) * way - 4 * a
            found = np.where(way <= 1, near, np.where(way < 2, far, 0.0))
        return found / found.sum(1, keepdims=True) if squeeze < 1 else found

    def _rounded(self, part: Array) -> Array:
        match self.rounding:
            case "round_prefer_floor":
                up = part > 0.5
            case "round_prefer_ceil":
                up = part >= 0.5
            case "floor":
                up = part == 1
            case "ceil":
                up = part > 0
            case other:
                raise ModelError(f"Resize: {other!r} is no nearest_mode")
        return np.stack([~up, up], 1).astype(np.float64)


Part = tuple[int, float, int, tuple[float, float]]
"""An axis, its scale, its new extent, and the box of the input that is taken, from 0 to 1."""


def resize(b: Builder, x: Tensor, parts: Sequence[Part], how: Resizing) -> Tensor:
    """`x` in another size."""
    kind = x.dtype
    for axis, scale, out, box in parts:
        extent = x.extents[axis]
        if scale == 1 and out == extent and not how.crops:
            continue
        if extent == 0 and out:
            raise ModelError(f"Resize: nothing to take {out} elements from along axis {axis}")
        index, shares, outside = computed(how.taps, extent, scale, out, box)
        if shares is not None:
            # of an integer type no digits are lost between the axes
            x = convert(b, x, accumulator(kind) if kind.is_float else build.f32)
        x = _along(b, x, axis, _Taps(index, shares, outside, how.outside))
    return convert(b, x, kind)


@dataclass(frozen=True, slots=True, eq=False)
class _Taps:
    """What each element along an axis is made of.

    Attributes
    ----------
    index : numpy.ndarray
        Places of its neighbours [out, taps].
    shares : numpy.ndarray or None
        What each of them counts; None where there is one alone.
    outside : numpy.ndarray or None
        Which elements lie outside of the crop and are `fill`.
    """

    index: Array
    shares: Array | None
    outside: Array | None
    fill: float

    def tables(self, b: Builder, x: Tensor, step: bool) -> dict[str, Tensor]:
        """What the definition loads."""
        made = {} if step else {"index": b.constant(self.index.astype(np.int32))}
        if self.shares is not None:
            made["shares"] = b.constant(self.shares.astype(x.dtype.numpy_name))
        if self.outside is not None:
            made["outside"] = b.constant(self.outside)
        return made


def _along(b: Builder, x: Tensor, axis: int, taps: _Taps) -> Tensor:
    """Along one axis, the sum of each element's neighbours times their shares."""
    source, (out, count) = x.variable(), taps.index.shape
    step = decided(_regular, taps.index[:, 0]) if taps.shares is None else None
    tables = taps.tables(b, x, step is not None)
    names = {key: table.variable() for key, table in tables.items()}

    def term(i: Axes, r: Sequence[Expr]) -> Expr:
        if step:
            at = build.floordiv(build.mul(i[axis], step[0]), step[1])
        else:
            at = build.load(names["index"], [i[axis], r[0]])
        element = build.load(source, [*i[:axis], at, *i[axis + 1 :]])
        if taps.shares is None:
            return element
        return build.mul(element, build.load(names["shares"], [i[axis], r[0]]))

    def finish(i: Axes, value: Expr) -> Expr:
        if taps.outside is None:
            return value
        kept = build.const(taps.fill if x.dtype.is_float else int(taps.fill), x.dtype)
        return build.select(build.load(names["outside"], [i[axis]]), kept, value)

    def value(i: Axes) -> Expr:
        return finish(i, build.add(*(term(i, [build.const(n)]) for n in range(count))))

    kind = TensorType(x.dtype, (*x.extents[:axis], out, *x.extents[axis + 1 :]))
    inputs = [source, *names.values()]
    if count > _UNROLLED:
        compute = reduce("resize", inputs, kind, Reducer.SUM, [count], term, finish)
    else:
        compute = grid("resize", inputs, kind, value)
    return b.emit(compute, [x, *tables.values()], attributes={"axis": axis})


def _regular(index: Array) -> tuple[int, int] | None:
    """Whole numbers p and q with index[n] = n * p // q, if a simple pair does."""
    n = np.arange(len(index))
    for p, q in ((1, 1), (1, 2), (1, 3), (1, 4), (1, 8), (2, 1), (3, 1), (4, 1)):
        if np.array_equal(index, n * p // q):
            return p, q
    return None
