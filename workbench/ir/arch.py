"""What GPU architectures allow: the figures that bound a launch and decide occupancy.

Source: NVIDIA, CUDA C++ Programming Guide, "Compute Capabilities", technical specifications per
compute capability.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arch:
    """Limits of one compute capability.

    Attributes
    ----------
    number : int
        Compute capability times ten: 90 is sm_90.
    shared_bytes_per_block : int
        Most shared memory of one block, dynamic part opted in [byte].
    shared_bytes_per_sm : int
        Shared memory of a streaming multiprocessor [byte].
    threads_per_sm, blocks_per_sm : int
        Most resident threads and blocks.
    registers_per_sm : int
        32-bit registers.
    shared_reserved_bytes : int
        What the system takes of shared memory for each block [byte].
    """

    number: int
    shared_bytes_per_block: int
    shared_bytes_per_sm: int
    threads_per_sm: int
    blocks_per_sm: int
    registers_per_sm: int = 65536
    shared_reserved_bytes: int = 1024


STATIC_SHARED_BYTES = 48 * 1024
"""Most shared memory that a block has without opting in to dynamic shared memory [byte]."""


def _row(number: int, block_kb: int, sm_kb: int, threads: int, blocks: int) -> Arch:
    reserved = 0 if number < 80 else 1024
    return Arch(
        number, block_kb << 10, sm_kb << 10, threads, blocks, shared_reserved_bytes=reserved
    )


ARCHS: dict[int, Arch] = {
    row.number: row
    for row in (
        _row(75, 64, 64, 1024, 16),
        _row(80, 163, 164, 2048, 32),
        _row(86, 99, 100, 1536, 16),
        _row(87, 163, 164, 1536, 16),
        _row(89, 99, 100, 1536, 24),
        _row(90, 227, 228, 2048, 32),
        _row(100, 227, 228, 2048, 32),
        _row(103, 227, 228, 2048, 32),
        _row(110, 227, 228, 1536, 24),
        _row(120, 99, 100, 1536, 24),
        _row(121, 99, 100, 1536, 24),
    )
}
"""All architectures whose figures are published, by number."""


def arch_number(name: str) -> int:
    """The compute capability in ``sm_90a``, times ten.

    Examples
    --------
    >>> arch_number("sm_90a")
    90
    """
    match = re.fullmatch(r"sm_(\d+)[af]?", name)
    assert match, f"no architecture: {name!r}"
    return int(match.group(1))


def arch(name: str) -> Arch | None:
    """Figures of ``sm_90a`` …; None where none are published.

    Examples
    --------
    >>> arch("sm_75").shared_bytes_per_block
    65536
    """
    return ARCHS.get(arch_number(name))
