"""Forms that ONNX's suite lacks, drawn by chance with a seed, beside onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tests.graph.cases import agree, floats, model, node, run

Random = np.random.Generator
Case = tuple[str, dict[str, Any], dict[str, np.ndarray], dict[str, np.ndarray]]
"""Operator, attributes, inputs, and inputs that are weights."""


def check(
    case: Case, outputs: str = "y", opset: int = 19, tolerance: float = 1e-4, names: str = ""
) -> None:
    op, attributes, inputs, weights = case
    read = names or " ".join([*inputs, *weights])
    made = model(
        [node(op, read, outputs, **attributes)],
        {n: (a.dtype, a.shape) for n, a in inputs.items()},
        outputs.split(),
        weights,
        opset,
    )
    agree(made, inputs, "cpu", tolerance, tolerance)


def several(random: Random, low: int, high: int, count: int) -> list[int]:
    return random.integers(low, high + 1, count).tolist()


def window(random: Random, dims: int) -> dict[str, Any]:
    """Kernel, strides, dilations and padding, which is smaller than the kernel."""
    kernel = several(random, 1, 4, dims)
    pads = [int(random.integers(0, k)) for k in kernel * 2]
    return {
        "kernel_shape": kernel,
        "strides": several(random, 1, 3, dims),
        "dilations": several(random, 1, 2, dims),
        "pads": pads,
    }


def auto(random: Random, found: dict[str, Any], modes: Sequence[str]) -> dict[str, Any]:
    """Now and then padding by a rule instead."""
    mode = modes[int(random.integers(len(modes)))]
    if mode == "NOTSET":
        return found
    kept = {k: v for k, v in found.items() if k != "pads"}
    return {**kept, "auto_pad": mode, "dilations": [1] * len(found["dilations"])}


def picture(random: Random, dims: int, channels: int = 2) -> np.ndarray:
    shape = [*several(random, 1, 2, 1), channels, *several(random, 8, 11, dims)]
    return random.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("seed", range(12))
def test_conv(seed: int) -> None:
    random = np.random.default_rng(seed)
    dims, group = 1 + seed % 3, int(random.integers(1, 4))
    own, maps = several(random, 1, 3, 2)
    found = auto(random, window(random, dims), ["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER"])
    x = picture(random, dims, own * group)
    w = floats(maps * group, own, *found["kernel_shape"])
    inputs = {"x": x, "b": floats(maps * group)} if seed % 2 else {"x": x}
    names = "x w b" if seed % 2 else "x w"
    check(("Conv", {**found, "group": group}, inputs, {"w": w}), names=names)


@pytest.mark.parametrize("seed", range(16))
def test_conv_transpose(seed: int) -> None:
    random = np.random.default_rng(100 + seed)
    dims, group = 1 + seed % 2, int(random.integers(1, 4))
    own, maps = several(random, 1, 6, 2)
    found: dict[str, Any] = window(random, dims)
    # onnxruntime takes an output_padding below the stride or the dilation only
    found["output_padding"] = [int(random.integers(0, s)) for s in found["strides"]]
    x = picture(random, dims, own * group)
    if seed % 4 == 3:
        found = {k: v for k, v in found.items() if k not in ("pads", "output_padding")}
        found["output_shape"] = [
            (e - 1) * s + d * (k - 1)
            for e, s, k, d in zip(
                x.shape[2:],
                found["strides"],
                found["kernel_shape"],
                found["dilations"],
                strict=True,
            )
        ]
    w = floats(own * group, maps, *found["kernel_shape"])
    check(("ConvTranspose", {**found, "group": group}, {"x": x}, {"w": w}))


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "LpPool"])
@pytest.mark.parametrize("seed", range(6))
def test_pools(op: str, seed: int) -> None:
    random = np.random.default_rng(200 + seed)
    dims = 1 + seed % 3
    found = auto(random, window(random, dims), ["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER"])
    found["ceil_mode"] = int(seed % 2)
    if op == "AveragePool":
        found["count_include_pad"] = int(random.integers(0, 2))
    if op == "LpPool":
        found["p"] = int(random.integers(1, 4))
        found.pop("ceil_mode")
    if found["dilations"] == [1] * dims or op == "LpPool":
        found.pop("dilations")
    outputs = "y i" if op == "MaxPool" else "y"
    check((op, found, {"x": picture(random, dims)}, {}), outputs)


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 0, 0, 1]])
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "AveragePool with padding"])
def test_a_window_larger_than_all_there_is(op: str, pads: list[int]) -> None:
    found: dict[str, Any] = {"kernel_shape": [6, 5], "strides": [6, 5], "ceil_mode": 1}
    if op.endswith("padding"):
        found["count_include_pad"] = 1
    check((op.split(maxsplit=1)[0], {**found, "pads": pads}, {"x": floats(2, 3, 2, 4)}, {}))


@pytest.mark.parametrize("order", [0, 1])
def test_places_of_the_greatest(order: int) -> None:
    x = np.random.default_rng(3).permutation(2 * 3 * 7 * 6).reshape(2, 3, 7, 6).astype(np.float32)
    attributes = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
    check(("MaxPool", {**attributes, "storage_order": order}, {"x": x}, {}), "y i")


COORDINATES = (
    "half_pixel",
    "asymmetric",
    "align_corners",
    "pytorch_half_pixel",
    "half_pixel_symmetric",
)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_resize(mode: str, coordinates: str) -> None:
    random = np.random.default_rng(len(mode) * 10 + len(coordinates))
    x = picture(random, 2)
    # halves and doubles, of which a rounded coordinate cannot fall on the other side
    scales = np.array([1, 1, *random.choice([0.5, 2.0, 3.0], 2)], np.float32)
    if coordinates == "align_corners":
        # the suite counts half elements at the end, onnxruntime does not
        scales = np.maximum(scales, 1)
    attributes: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": coordinates}
    if mode == "nearest":
        attributes["nearest_mode"] = str(
            random.choice(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
        )
    if mode == "cubic":
        attributes |= {"cubic_coeff_a": -0.5, "exclude_outside": int(random.integers(0, 2))}
    weights = {"roi": np.zeros(0, np.float32), "scales": scales}
    check(("Resize", attributes, {"x": x}, weights))


@pytest.mark.parametrize("rounding", ["floor", "ceil"])
@pytest.mark.parametrize("scale", [0.4, 0.6, 1.3, 1.7, 2.3, 3.3])
def test_the_nearest_where_the_last_digit_decides(scale: float, rounding: str) -> None:
    attributes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
    attributes["nearest_mode"] = rounding
    weights = {"roi": np.zeros(0, np.float32), "scales": np.array([1, 1, 1, scale], np.float32)}
    for extent in (7, 10, 24, 30):
        check(("Resize", attributes, {"x": floats(1, 2, 3, extent)}, weights))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("opset", [7, 9])
def test_upsample(mode: str, opset: int) -> None:
    x, scales = floats(1, 2, 3, 4), np.array([1, 1, 2, 3], np.float32)
    if opset == 9:
        check(("Upsample", {"mode": mode}, {"x": x}, {"scales": scales}), opset=9)
    else:
        check(("Upsample", {"mode": mode, "scales": scales.tolist()}, {"x": x}, {}), opset=7)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_of_opset_10(mode: str) -> None:
    x, scales = floats(1, 2, 5, 4), np.array([1, 1, 0.5, 1.5], np.float32)
    check(("Resize", {"mode": mode}, {"x": x}, {"scales": scales}), opset=10)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("corners", [0, 1])
def test_grid_sample(mode: str, padding: str, corners: int) -> None:
    random = np.random.default_rng(5)
    x = picture(random, 2)
    where = random.uniform(-1.6, 1.6, (x.shape[0], 4, 5, 2)).astype(np.float32)
    attributes = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    check(("GridSample", attributes, {"x": x, "grid": where}, {}), opset=16)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("samples", [0, 1, 3])
def test_roi_align(mode: str, samples: int) -> None:
    random = np.random.default_rng(6)
    x = random.standard_normal((2, 3, 12, 10)).astype(np.float32)
    low = random.uniform(0, 10, (5, 2))
    boxes = np.concatenate([low, low + random.uniform(1, 12, (5, 2))], 1).astype(np.float32)
    batch = np.array([0, 1, 1, 0, 1])
    attributes = {
        "mode": mode,
        "sampling_ratio": samples,
        "output_height": 3,
        "output_width": 4,
        "spatial_scale": 0.5,
        "coordinate_transformation_mode": "half_pixel" if samples != 1 else "output_half_pixel",
    }
    check(("RoiAlign", attributes, {"x": x, "r": boxes, "i": batch}, {}), opset=16)


EQUATIONS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "ij,jk->ik": ((3, 4), (4, 5)),
    "bhid,bhjd->bhij": ((2, 3, 4, 5), (2, 3, 6, 5)),
    "...ij,...jk->...ik": ((2, 1, 3, 4), (2, 5, 4, 2)),
    "i,j->ij": ((3,), (4,)),
    "ii->i": ((4, 4),),
    "ii": ((4, 4),),
    "ba": ((2, 3),),
    "ij,ij,ij->": ((2, 3), (2, 3), (2, 3)),
    "ab,bc,cd->ad": ((2, 3), (3, 4), (4, 5)),
    "b...a,a->b...": ((2, 3, 4, 5), (5,)),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation: str) -> None:
    shapes = EQUATIONS[equation]
    inputs = {f"x{n}": floats(*s, seed=n) for n, s in enumerate(shapes)}
    check(("Einsum", {"equation": equation}, inputs, {}), opset=12)


@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("size", [8, 9])
def test_dft(inverse: int, parts: int, size: int) -> None:
    x = floats(2, size, 3, parts)
    check(("DFT", {"inverse": inverse, "axis": 1}, {"x": x}, {}), opset=17)


def test_a_long_dft_is_that_of_numpy() -> None:
    x = floats(1, 3000, 1)
    made = model([node("DFT", "x", "y", onesided=1)], {"x": (x.dtype, x.shape)}, ["y"], opset=17)
    want = np.fft.rfft(x[..., 0])
    got = run(made, {"x": x}, "cpu")["y"]
    np.testing.assert_allclose(got, np.stack([want.real, want.imag], -1), 1e-4, 1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_columns_to_image(seed: int) -> None:
    random = np.random.default_rng(seed)
    found = window(random, 2)
    kernel = found.pop("kernel_shape")
    image = np.array(several(random, 9, 12, 2))
    blocks = [
        (int(e) + found["pads"][d] + found["pads"][2 + d] - found["dilations"][d] * (k - 1) - 1)
        // found["strides"][d]
        + 1
        for d, (e, k) in enumerate(zip(image, kernel, strict=True))
    ]
    x = floats(2, 3 * int(np.prod(kernel)), int(np.prod(blocks)))
    check(("Col2Im", found, {"x": x}, {"image": image, "block": np.array(kernel)}))


def test_gemm_with_one_number_to_add() -> None:
    check(
        (
            "Gemm",
            {"alpha": 0.5, "beta": 2.0},
            {"x": floats(3, 4)},
            {"w": floats(4, 5), "c": floats(1)},
        )
    )
