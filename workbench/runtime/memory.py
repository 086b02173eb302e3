"""Whose arrays a target works on: numpy's, or CuPy's where kernels run on a GPU."""

from __future__ import annotations

from typing import Any

from workbench.base.lazy import lazy
from workbench.runtime.gpu_launch import _cupy

np = lazy("numpy")


def array_module(gpu: bool) -> Any:
    """numpy, or CuPy.

    Raises
    ------
    LaunchError
        When a GPU is asked for and there is none, or no CuPy.
    """
    return _cupy() if gpu else np
