"""How many blocks share a multiprocessor, and what bounds them.

Source: NVIDIA, CUDA C++ Programming Guide, "Multiprocessor Level" and "Compute Capabilities";
registers are given to warps in units of 256, warps in units of 4, shared memory in units of
128 bytes (256 before sm_80).
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.errors import LaunchError
from workbench.ir.arch import ARCHS, Arch, arch

_REGISTER_UNIT = 256
_WARP_UNIT = 4
_WARP = 32


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Blocks that are resident on one multiprocessor at once.

    Attributes
    ----------
    blocks, warps : int
        Resident blocks and their warps.
    fraction : float
        Of the warps that a multiprocessor can hold.
    limiter : str
        What bounds it: ``threads``, ``blocks``, ``registers`` or ``shared memory``.
    next_step : str
        What would fit one more block, in words; empty when nothing would.
    bounds : dict of str to int
        How many blocks each of them allows.
    """

    blocks: int
    warps: int
    fraction: float
    limiter: str
    next_step: str
    bounds: dict[str, int]


def occupancy(arch_name: str, threads: int, registers: int, shared_bytes: int = 0) -> Occupancy:
    """Occupancy of a kernel.

    Parameters
    ----------
    arch_name : str
        ``sm_90a`` …
    threads : int
        Threads of a block.
    registers : int
        32-bit registers of a thread.
    shared_bytes : int
        Shared memory of a block, dynamic part included [byte].

    Raises
    ------
    LaunchError
        When no figures of the architecture are published, or when not one block fits.

    Examples
    --------
    >>> occupancy("sm_80", 256, 64).fraction
    0.5
    >>> occupancy("sm_80", 256, 64).limiter
    'registers'
    """
    limits = arch(arch_name)
    if limits is None:
        known = ", ".join(f"sm_{n}" for n in ARCHS)
        raise LaunchError(f"no occupancy figures are known for {arch_name}", hint=f"of {known}")
    bounds = _bounds(limits, threads, registers, shared_bytes)
    blocks = min(bounds.values())
    limiter = min(bounds, key=lambda name: bounds[name])
    if blocks == 0:
        raise LaunchError(
            f"not one block of {threads} threads fits on {arch_name}: {limiter} "
            f"({registers} registers a thread, {shared_bytes} bytes of shared memory)"
        )
    warps = blocks * _warps(threads)
    most = limits.threads_per_sm // _WARP
    step = _next_step(limits, threads, blocks + 1, registers, shared_bytes)
    return Occupancy(blocks, warps, warps / most, limiter, step, bounds)


def _warps(threads: int) -> int:
    return -(-threads // _WARP)


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _bounds(limits: Arch, threads: int, registers: int, shared_bytes: int) -> dict[str, int]:
    """How many blocks each resource allows."""
    warps = _warps(threads)
    by_threads = limits.threads_per_sm // _WARP // warps
    per_warp = _up(max(registers, 1) * _WARP, _REGISTER_UNIT)
    resident = limits.registers_per_sm // per_warp // _WARP_UNIT * _WARP_UNIT
    return {
        "threads": by_threads,
        "blocks": limits.blocks_per_sm,
        "registers": resident // warps,
        "shared memory": _by_shared(limits, shared_bytes),
    }


def _by_shared(limits: Arch, shared_bytes: int) -> int:
    if shared_bytes > limits.shared_bytes_per_block:
        return 0
    unit = 256 if limits.number < 80 else 128
    block = _up(shared_bytes + limits.shared_reserved_bytes, unit)
    return limits.shared_bytes_per_sm // block if block else limits.blocks_per_sm


def _next_step(limits: Arch, threads: int, blocks: int, registers: int, shared_bytes: int) -> str:
    """What must change so that `blocks` blocks fit."""
    warps = _warps(threads)
    if blocks > limits.blocks_per_sm or blocks * warps > limits.threads_per_sm // _WARP:
        return ""
    steps: list[str] = []
    bounds = _bounds(limits, threads, registers, shared_bytes)
    if bounds["registers"] < blocks:
        per_warp = limits.registers_per_sm // _up(blocks * warps, _WARP_UNIT)
        most = per_warp // _REGISTER_UNIT * _REGISTER_UNIT // _WARP
        steps.append(f"{registers - most} registers fewer (at most {most} a thread)")
    if bounds["shared memory"] < blocks:
        unit = 256 if limits.number < 80 else 128
        most = limits.shared_bytes_per_sm // blocks // unit * unit - limits.shared_reserved_bytes
        steps.append(f"{shared_bytes - most} B fewer of shared memory (at most {most} a block)")
    return f"{' and '.join(steps)} would fit {blocks} blocks" if steps else ""
