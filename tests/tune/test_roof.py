"""The kernels that measure this machine do the work that is counted for them."""

from __future__ import annotations

import numpy as np

from workbench.tune import roof


def test_every_chain_runs_to_its_end():
    out = np.zeros(3 * 8, np.float32)
    roof._chains(8, 3).compile("cpu")(out)
    # x = 1/4, so that each sum comes to rest at 0.5 / (1 - x)
    np.testing.assert_allclose(out, roof.CHAINS * 2 / 3, rtol=1e-6)


def test_every_element_is_copied():
    there = np.random.default_rng(0).standard_normal(roof.COPIED, dtype=np.float32)
    back = np.full_like(there, np.nan)
    roof._copy(16).compile("cpu")(there, back)
    np.testing.assert_array_equal(back, there)


def test_it_is_measured_once():
    found = roof.cpu_roof()
    assert found is roof.cpu_roof()
    assert found.operations_per_us > found.memory_bytes_per_us > 0
