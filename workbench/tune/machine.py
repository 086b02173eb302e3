"""What machines can do at most: the figures that a prediction is made with.

Source: NVIDIA's data sheets and architecture papers of the T4, A100, RTX 3090, RTX 4090, H100 SXM,
B200 and RTX 5090: multiprocessors, boost clock, FP32 lanes, memory bandwidth. The bandwidth of the
second-level caches is nowhere published; it stands at a multiple of the memory's, as measured in
public microbenchmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.ir.arch import arch_number
from workbench.ir.target import Target
from workbench.runtime import jit
from workbench.runtime.following import cores


@dataclass(frozen=True, slots=True)
class Machine:
    """One kind of device.

    Attributes
    ----------
    name : str
        For the reader.
    units : int
        Multiprocessors, or cores.
    operations_per_us : float
        FP32 operations of all units [1/µs].
    memory_bytes_per_us, cache_bytes_per_us, shared_bytes_per_us : float
        Bandwidths of memory, of the last cache, and of all shared memories (first-level caches on
        a CPU) together [byte/µs].
    launch_us, barrier_us : float
        What a launch and a barrier cost at least [µs].
    lanes, registers : int
        Width and number of vector registers; 0 on a GPU, whose registers belong to threads.
    """

    name: str
    units: int
    operations_per_us: float
    memory_bytes_per_us: float
    cache_bytes_per_us: float
    shared_bytes_per_us: float
    launch_us: float
    barrier_us: float
    lanes: int = 0
    registers: int = 0


def _gpu(name: str, units: int, ghz: float, lanes: int, memory_gbs: float, cache: float) -> Machine:
    per_us = units * ghz * 1e3
    shared = per_us * 128
    memory = memory_gbs * 1e3
    return Machine(name, units, per_us * lanes * 2, memory, memory * cache, shared, 2.5, 0.02)


_GPUS = {
    75: _gpu("T4", 40, 1.59, 64, 320, 4),
    80: _gpu("A100", 108, 1.41, 64, 1555, 3),
    86: _gpu("RTX 3090", 82, 1.70, 128, 936, 3),
    89: _gpu("RTX 4090", 128, 2.52, 128, 1008, 5),
    90: _gpu("H100 SXM", 132, 1.83, 128, 3350, 1.7),
    100: _gpu("B200", 148, 1.85, 128, 8000, 1.5),
    120: _gpu("RTX 5090", 170, 2.41, 128, 1792, 4),
}

_CPU_GHZ = 3.5
_CPU_MEMORY_GBS = 20.0  # of one core
_CPU_CACHE_GBS = 80.0


def machine_of(target: Target) -> Machine:
    """The device that a target stands for; of GPUs the best known of the architecture."""
    if target.kind == "cuda":
        number = arch_number(target.arch or "sm_90a")
        return _GPUS[max((n for n in _GPUS if n <= number), default=75)]
    lanes, units = jit.host().lanes, cores()
    per_us = units * _CPU_GHZ * 1e3
    return Machine(
        "this CPU",
        units,
        per_us * 2 * lanes,  # a fused multiply-add of a whole vector per cycle
        units * _CPU_MEMORY_GBS * 1e3,
        units * _CPU_CACHE_GBS * 1e3,
        per_us * 4 * lanes,
        1.0,
        0.0,
        lanes,
        32 if lanes == 16 else 16,
    )
