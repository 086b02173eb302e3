"""The six kernels of notebooks/kernels, with sizes, inputs and float64 references."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from workbench.driver.program import Program

FOLDER = Path(__file__).parents[2] / "notebooks" / "kernels"
EPS = float(np.finfo(np.float32).eps)
Array = NDArray[np.float32]
Exact = NDArray[np.float64]


def load_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def program(name: str) -> Program:
    return getattr(load_file(FOLDER / f"{name}.py"), name)


@dataclass(frozen=True)
class Case:
    """One kernel.

    `inputs` makes the shapes of the inputs from the extents; `reference` gives the result and the
    largest error that float32 arithmetic excuses, both in float64.
    """

    name: str
    dims: tuple[str, ...]
    inputs: Callable[..., list[tuple[int, ...]]]
    reference: Callable[..., tuple[Exact, Exact | float]]
    sizes: tuple[tuple[int, ...], ...]

    def arrays(self, size: tuple[int, ...], seed: int = 0) -> list[Array]:
        random = np.random.default_rng(seed)
        return [random.standard_normal(s, dtype=np.float32) for s in self.inputs(*size)]

    def check(self, inputs: list[Array], out: Array) -> None:
        wanted, error = self.reference(*(a.astype(np.float64) for a in inputs))
        assert out.shape == wanted.shape
        assert not np.isnan(out).any(), "an element was never written"
        assert (np.abs(out - wanted) <= error).all(), np.abs(out - wanted).max()


def _softmax(x: Exact) -> tuple[Exact, Exact]:
    low = x - x.max(axis=1, keepdims=True)
    wanted = np.exp(low)
    wanted /= wanted.sum(axis=1, keepdims=True)
    # the difference is rounded before exp, which turns it into a relative error
    return wanted, wanted * EPS * (np.abs(low) + np.log2(x.shape[1]) + 32 + x.shape[1] / 32)


CASES = (
    Case(
        "vector_add",
        ("N",),
        lambda n: [(n,), (n,)],
        lambda a, b: (a + b, np.abs(a + b) * EPS),
        ((1,), (255,), (256,), (1009,)),
    ),
    Case(
        "copy_2d",
        ("M", "N"),
        lambda m, n: [(m, n)],
        lambda a: (a, 0.0),
        ((1, 1), (32, 64), (67, 101)),
    ),
    Case(
        "transpose",
        ("M", "N"),
        lambda m, n: [(m, n)],
        lambda a: (a.T, 0.0),
        ((1, 1), (32, 64), (67, 101), (5, 131)),
    ),
    Case(
        "matmul",
        ("M", "N", "K"),
        lambda m, n, k: [(m, k), (k, n)],
        lambda a, b: (a @ b, (a.shape[1] + 1) * EPS * (np.abs(a) @ np.abs(b))),
        ((1, 1, 1), (128, 128, 16), (131, 139, 37)),
    ),
    Case(
        "softmax",
        ("M", "N"),
        lambda m, n: [(m, n)],
        _softmax,
        ((1, 1), (8, 32), (13, 101), (3, 1009)),
    ),
    Case(
        "block_sum",
        ("M", "N"),
        lambda m, n: [(m, n)],
        lambda x: (x.sum(axis=1), np.abs(x).sum(axis=1) * EPS * (x.shape[1] / 256 + 9)),
        ((1, 1), (4, 256), (3, 1009)),
    ),
)
BY_NAME = {case.name: case for case in CASES}
EVERY = [(case.name, size) for case in CASES for size in case.sizes]
