"""Occupancy against figures worked out by hand from the rules of the CUDA programming guide."""

from __future__ import annotations

import pytest

from workbench.base.errors import LaunchError
from workbench.driver.occupancy import occupancy


@pytest.mark.parametrize(
    ("arch", "threads", "registers", "shared", "blocks", "limiter"),
    [
        ("sm_80", 256, 32, 0, 8, "threads"),
        ("sm_80", 256, 64, 0, 4, "registers"),
        ("sm_80", 128, 255, 0, 2, "registers"),
        ("sm_80", 32, 16, 0, 32, "blocks"),
        ("sm_80", 128, 32, 48 * 1024, 3, "shared memory"),
        ("sm_86", 128, 40, 0, 12, "threads"),
        ("sm_75", 256, 64, 32 * 1024, 2, "shared memory"),
        ("sm_90a", 384, 168, 0, 1, "registers"),
        ("sm_90a", 1024, 64, 0, 1, "registers"),
        ("sm_90a", 128, 128, 100 * 1024, 2, "shared memory"),
    ],
)
def test_blocks(
    arch: str, threads: int, registers: int, shared: int, blocks: int, limiter: str
) -> None:
    found = occupancy(arch, threads, registers, shared)
    assert (found.blocks, found.limiter) == (blocks, limiter)


def test_the_next_step_is_what_it_takes() -> None:
    before = occupancy("sm_80", 256, 64)
    assert before.next_step == "16 registers fewer (at most 48 a thread) would fit 5 blocks"
    assert occupancy("sm_80", 256, 48).blocks == 5
    assert occupancy("sm_80", 256, 49).blocks == 4
    shared = occupancy("sm_80", 128, 32, 48 * 1024)
    fewer = "8192 B fewer of shared memory (at most 40960 a block) would fit 4 blocks"
    assert shared.next_step == fewer
    assert occupancy("sm_80", 128, 32, 40960).blocks == 4
    assert occupancy("sm_80", 256, 32).next_step == ""


def test_what_does_not_fit_or_is_not_known() -> None:
    with pytest.raises(LaunchError, match="not one block of 1024 threads fits on sm_80: registers"):
        occupancy("sm_80", 1024, 128)
    with pytest.raises(LaunchError, match="no occupancy figures are known for sm_107"):
        occupancy("sm_107", 128, 32)
