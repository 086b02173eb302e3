"""The six kernels of the notebooks: sizes, arrays, references."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.driver.program import Program

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_PACKAGE = Path(__file__).parents[1]
Extents = tuple[int, ...]
Array = Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One kernel; its output is the last parameter.

    Attributes
    ----------
    name : str
        Of the kernel and of its file.
    dims : tuple of str
        Names of its extents, in the order of the sizes.
    small, odd, large : tuple of int
        Extents for the interpreter, for the CPU (none a multiple of a tile), and for a GPU.
    shapes : callable
        From extents to the shapes of all arrays.
    reference : callable
        From the inputs to the output, in their own precision.
    bytes_moved, operations : callable
        From extents to the least that must be moved [byte] and computed.
    """

    name: str
    dims: tuple[str, ...]
    small: Extents
    odd: Extents
    large: Extents
    shapes: Callable[..., list[Extents]]
    reference: Callable[..., Array]
    bytes_moved: Callable[..., int]
    operations: Callable[..., int]

    def program(self) -> Program:
        """The kernel as its file has it."""
        return program(self.name)

    def extents(self, size: Extents) -> dict[str, int]:
        """By name."""
        return dict(zip(self.dims, size, strict=True))

    def arrays(self, size: Extents) -> list[Array]:
        """Random float32 inputs, and an output full of nan."""
        random = np.random.default_rng(sum(size))
        *inputs, out = self.shapes(*size)
        given = [random.standard_normal(shape, dtype=np.float32) for shape in inputs]
        return [*given, np.full(out, np.nan, np.float32)]

    def error(self, inputs: list[Array], out: Array) -> float:
        """Largest error of `out` against float64, relative to the largest element there."""
        exact = self.reference(*(each.astype(np.float64) for each in inputs))
        return float(np.abs(out - exact).max() / np.abs(exact).max())


def _softmax(x: Array) -> Array:
    power = np.exp(x - x.max(axis=1, keepdims=True))
    return power / power.sum(axis=1, keepdims=True)


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "vector_add", ("N",), (1009,), (1_000_003,), (1 << 26,),
        lambda n: [(n,), (n,), (n,)],
        lambda a, b: a + b,
        lambda n: 12 * n,
        lambda n: n,
    ),
    Sample(
        "copy_2d", ("M", "N"), (67, 101), (1021, 509), (8192, 8192),
        lambda m, n: [(m, n), (m, n)],
        lambda a: a,
        lambda m, n: 8 * m * n,
        lambda m, n: 0,
    ),
    Sample(
        "transpose", ("M", "N"), (67, 101), (1021, 509), (8192, 8192),
        lambda m, n: [(m, n), (n, m)],
        lambda a: a.T,
        lambda m, n: 8 * m * n,
        lambda m, n: 0,
    ),
    Sample(
        "matmul", ("M", "N", "K"), (131, 139, 37), (509, 521, 257), (4096, 4096, 4096),
        lambda m, n, k: [(m, k), (k, n), (m, n)],
        lambda a, b: a @ b,
        lambda m, n, k: 4 * (m * k + k * n + m * n),
        lambda m, n, k: 2 * m * n * k,
    ),
    Sample(
        "softmax", ("M", "N"), (13, 101), (257, 1009), (8192, 4096),
        lambda m, n: [(m, n), (m, n)],
        _softmax,
        lambda m, n: 8 * m * n,
        lambda m, n: 5 * m * n,
    ),
    Sample(
        "block_sum", ("M", "N"), (3, 1009), (257, 10_007), (8192, 8192),
        lambda m, n: [(m, n), (m,)],
        lambda x: x.sum(axis=1),
        lambda m, n: 4 * (m * n + m),
        lambda m, n: m * n,
    ),
)  # fmt: skip
"""As many as notebooks/kernels has."""

BY_NAME = {each.name: each for each in SAMPLES}


def kernels_folder() -> Path:
    """Where the kernels' files are: in the checkout, or in the installed package.

    Raises
    ------
    WorkbenchError
        When this installation has none.
    """
    for root in (_PACKAGE.parent, _PACKAGE):
        folder = root / "notebooks" / "kernels"
        if (folder / "matmul.py").exists():
            return folder
    raise WorkbenchError("this installation has no notebooks/kernels", hint="install it again")


@cache
def program(name: str) -> Program:
    """The kernel `name` as ``notebooks/kernels/<name>.py`` has it, unmodified."""
    path = kernels_folder() / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"workbench_kernels_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
