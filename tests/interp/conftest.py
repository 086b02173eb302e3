"""What the tests of the interpreter share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import numpy as np
import pytest

from workbench import interp
from workbench.ir.parse import parse

Runner = Callable[..., interp.Report]


@pytest.fixture
def run() -> Runner:
    """Run a kernel given as text; the arrays are written in place."""

    def go(text: str, *args: object, **options: object) -> interp.Report:
        return interp.run(parse(textwrap.dedent(text), "k"), args, **options)

    return go


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
