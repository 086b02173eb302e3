"""Random modules: the CPU writes what the interpreter writes, at every number of lanes."""

import numpy as np
from hypothesis import given, settings

from tests.codegen.cpu import copies, interpreted, launcher
from tests.ir.strategies import arguments, modules
from workbench.ir.target import Target
from workbench.passes.default import run as lower

LANES = (4, 8, 16, 32)


@settings(max_examples=25)
@given(module=modules())
def test_random_modules(module):
    # drawing a module takes longer than running it: each runs at every number of lanes
    lowered = lower(module, Target("cpu"))
    args = arguments(module)
    expected = interpreted(module, *args)
    for lanes in LANES:
        found = copies(module, args)
        launcher(lowered, lanes)(*found)
        for one, other in zip(found, expected, strict=True):
            if isinstance(one, np.ndarray):
                np.testing.assert_array_equal(one, other, err_msg=f"{lanes} lanes")
