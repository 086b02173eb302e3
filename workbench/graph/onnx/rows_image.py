"""Rows of the registry for pictures: sampling, regions, sizes."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.errors import LaunchError, ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.ops import resize, sample
from workbench.graph.ops.regions import Regions, roi_align
from workbench.graph.ops.resize import Resizing
from workbench.graph.ops.sample import Sampling
from workbench.graph.symbolic.array import computed, reals
from workbench.graph.symbolic.number import steady
from workbench.ir.types import u8

_LONGEST = 2**24
"""Places along an axis that are computed while compiling."""

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

pillow: Any = lazy("PIL.Image", "pillow")


def _one_of(node: Node, key: str, default: str, known: str) -> str:
    """A text attribute that is one of the words of `known`."""
    text = node.text(key, default)
    if text not in known.split():
        raise ModelError(f"{node.op}: {key} is {text!r}, not one of {', '.join(known.split())}")
    return text


def _grid_sample(node: Node, b: Builder, x: Tensor, where: Tensor) -> Tensor:
    known = "nearest linear cubic bilinear bicubic"
    mode = _one_of(node, "mode", "linear", known).removeprefix("bi")
    padding = _one_of(node, "padding_mode", "zeros", "zeros border reflection")
    corners = bool(node.number("align_corners", 0))
    return sample.grid_sample(b, x, where, Sampling(mode, padding, corners))


def _affine_grid(node: Node, b: Builder, theta: Tensor, size: Tensor) -> Tensor:
    shape = node.ints(b, size, "size") or []
    dims = len(shape) - 2
    if dims not in (2, 3) or theta.extents != (shape[0], dims, dims + 1) or min(shape) < 1:
        raise ModelError(f"AffineGrid: {theta} does not fit a size of {shape}")
    return sample.affine_grid(b, theta, shape[2:], bool(node.number("align_corners", 0)))


def _roi_align(node: Node, b: Builder, x: Tensor, regions: Tensor, batch: Tensor) -> Tensor:
    default = "half_pixel" if node.opset >= 16 else "output_half_pixel"
    known = "half_pixel output_half_pixel"
    half = _one_of(node, "coordinate_transformation_mode", default, known) == "half_pixel"
    how = Regions(
        (node.number("output_height", 1), node.number("output_width", 1)),
        node.number("sampling_ratio", 0),
        node.real("spatial_scale", 1.0),
        half,
        _one_of(node, "mode", "avg", "avg max") == "max",
    )
    if min(*how.size, how.samples + 1) < 1:
        raise ModelError(f"RoiAlign: {how.size} and {how.samples} must not be so small")
    return roi_align(b, x, regions, batch, how)


def _resize(
    node: Node,
    b: Builder,
    x: Tensor,
    roi: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
) -> Tensor:
    axes = [axis_of(a, x.rank) for a in node.numbers("axes", list(range(x.rank)))]
    box = node.known(b, roi, "roi")
    how = Resizing(
        _one_of(node, "mode", "nearest", "nearest linear cubic"),
        node.text("coordinate_transformation_mode", "half_pixel"),
        node.text("nearest_mode", "round_prefer_floor"),
        node.real("cubic_coeff_a", -0.75),
        bool(node.number("exclude_outside", 0)),
        bool(node.number("antialias", 0)),
        node.real("extrapolation_value", 0.0),
    )
    factors = node.known(b, scales, "scales")
    extents = node.ints(b, sizes, "sizes")
    inputs = [x.extents[a] for a in axes]
    if extents:
        policy = _one_of(
            node, "keep_aspect_ratio_policy", "stretch", "stretch not_larger not_smaller"
        )
        factors, extents = _fitted(inputs, extents, policy)
    elif factors is not None and factors.size:
        factors = reals(factors)
        extents = _multiplied(inputs, factors)
    else:
        raise ModelError("Resize needs scales or sizes")
    if not all(0 <= e <= _LONGEST for e in extents):
        raise ModelError(f"a picture cannot be resized to {extents}")
    return _resized(b, x, axes, factors, extents, how, [] if box is None else box.tolist())


def _multiplied(inputs: Sequence[int], factors: Sequence[float]) -> list[int]:
    """Extents by scales, in single precision: 10 elements by 1.3 are 13, not 12."""
    if not all(0 < f < 2**31 for f in factors):
        raise ModelError(f"scales {list(factors)} are not above 0")
    pairs = zip(inputs, factors, strict=False)
    return [steady(computed(_part, e, f)) for e, f in pairs]


def _part(extent: int, factor: float) -> int:
    return int(np.floor(np.float32(extent) * np.float32(factor)))


def _nearest(real: float) -> int:
    return int(np.floor(real + 0.5))


def _fitted(inputs: list[int], sizes: list[int], policy: str) -> tuple[list[float], list[int]]:
    """Scale of each axis, and its extent."""
    if 0 in inputs or not inputs or len(sizes) != len(inputs):
        raise ModelError(f"Resize: sizes {sizes} do not fit extents {inputs}")
    scales = [s / e for s, e in zip(sizes, inputs, strict=False)]
    if policy == "stretch":
        return scales, sizes
    scale = min(scales) if policy == "not_larger" else max(scales)
    return [scale] * len(scales), [steady(computed(_nearest, scale * e)) for e in inputs]


def _resized(
    b: Builder,
    x: Tensor,
    axes: list[int],
    scales: list[float],
    extents: list[int],
    how: Resizing,
    box: list[float],
) -> Tensor:
    if len(scales) != len(axes) or len(extents) != len(axes):
        raise ModelError(f"Resize: {len(scales)} scales do not fit {len(axes)} axes")
    if min(scales, default=1) <= 0 or min(extents, default=1) < 0:
        raise ModelError(f"Resize: scales {scales} must be positive")
    if how.coordinates == "tf_crop_and_resize" and len(box) != 2 * len(axes):
        raise ModelError(f"Resize: roi has {len(box)} numbers, not {2 * len(axes)}")
    starts, ends = box[: len(axes)], box[len(axes) :]
    parts = [
        (axis, scale, extent, (starts[n], ends[n]) if how.crops else (0.0, 1.0))
        for n, (axis, scale, extent) in enumerate(zip(axes, scales, extents, strict=True))
    ]
    return resize.resize(b, x, parts, how)


def _upsample(node: Node, b: Builder, x: Tensor, scales: Tensor | None = None) -> Tensor:
    values = node.attributes.get("scales") if scales is None else node.known(b, scales, "scales")
    if values is None and node.has("height_scale"):
        # opset 1 scales pictures only
        values = [1, 1, node.real("height_scale"), node.real("width_scale")]
    if values is None:
        raise ModelError(f"{node.op} needs scales")
    factors = reals(values)
    mode = _one_of(node, "mode", "nearest", "nearest linear bilinear").removeprefix("bi")
    extents = _multiplied(x.extents, factors)
    how = Resizing(mode, "asymmetric", "floor")
    return _resized(b, x, list(range(x.rank)), factors, extents, how, [])


def _decode(node: Node, b: Builder, data: Tensor) -> tuple[Tensor, ...]:
    known = {"RGB": "RGB", "BGR": "RGB", "Grayscale": "L"}
    form = _one_of(node, "pixel_format", "RGB", " ".join(known))
    if data.rank != 1 or data.dtype != u8:
        raise ModelError(f"ImageDecoder takes the bytes of a file, not {data}")
    if importlib.util.find_spec("PIL") is None:
        raise UnsupportedOp("ImageDecoder needs Pillow", hint="pip install pillow")
    return b.data(partial(_pixels, mode=known[form], mirrored=form == "BGR"), [data])


def _pixels(data: Array, *, mode: str, mirrored: bool) -> tuple[Array]:
    """The pixels [rows, columns, channels] (u8) of a picture's file."""
    try:
        picture = np.asarray(pillow.open(io.BytesIO(data.tobytes())).convert(mode))
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:
        raise LaunchError(
            "ImageDecoder: the bytes are no picture", notes=[type(error).__name__]
        ) from None
    pixels = picture if picture.ndim == 3 else picture[:, :, None]
    return (np.ascontiguousarray(pixels[:, :, ::-1] if mirrored else pixels),)


ROWS = (
    Row("ImageDecoder", 20, _decode),
    Row("GridSample", 16, _grid_sample),
    Row("AffineGrid", 20, _affine_grid),
    Row("RoiAlign", 10, _roi_align),
    Row("Upsample", 1, _upsample, last=9),
    Row("Resize", 10, _upsample, last=10),
    Row("Resize", 11, _resize),
)
