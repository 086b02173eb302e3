"""What a kernel takes of a GPU: each figure with who counted it, and how it comes about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.driver.occupancy import occupancy
from workbench.ir.arch import arch as limits_of

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.driver.occupancy import Occupancy
    from workbench.runtime.nvrtc import Resources

PTXAS = "counted by ptxas"
PREDICTED = "predicted from the limits of the architecture"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it is, what it means, and whether that is a reason to look.

    Attributes
    ----------
    basis : str
        ``measured``, ``counted`` or ``predicted``, and by whom.
    formula : str
        How it comes about, with the numbers filled in.
    """

    label: str
    value: str
    note: str = ""
    warn: bool = False
    basis: str = ""
    formula: str = ""


def figures_of(kernel: Kernel) -> tuple[tuple[Figure, ...], str]:
    """Registers, spills, shared memory and occupancy of a CUDA kernel; or why there are none."""
    try:
        used = kernel.resources
        if used is None:
            return (), ""
        return resource_figures(used, kernel.target.arch, kernel.launch.threads), ""
    except WorkbenchError as error:
        return (), str(error)


def resource_figures(used: Resources, arch: str, threads: int = 0) -> tuple[Figure, ...]:
    """The same from what ptxas reports.

    Parameters
    ----------
    used : Resources
        Of the kernel.
    arch : str
        ``sm_90a`` …
    threads : int
        Threads of a block; 0 where that is not known, then there is no occupancy.

    Raises
    ------
    LaunchError
        When the limits of the architecture are not known, or not one block fits.
    """
    spilled = used.spill_bytes
    shared = used.shared_bytes + used.dynamic_shared_bytes
    kind = "static" if not used.dynamic_shared_bytes else "with the launch's part"
    block = f": {used.registers * threads} for a block of {threads} threads" if threads else ""
    figures = (
        Figure(
            "registers",
            str(used.registers),
            "a thread",
            basis=PTXAS,
            formula=f"{used.registers} registers of 32 bits a thread{block}",
        ),
        Figure(
            "spills",
            f"{spilled} B",
            "to memory" if spilled else "none",
            spilled > 0,
            PTXAS,
            f"{spilled} B stored and loaded by a thread, stack frame {used.stack_bytes} B",
        ),
        Figure(
            "shared memory",
            f"{shared} B",
            kind if shared else "none",
            basis=PTXAS,
            formula=_shared(used, arch),
        ),
    )
    if not threads:
        return figures
    found = occupancy(arch, threads, used.registers, shared)
    said = f"limited by {found.limiter}"
    note = f"{said}; {found.next_step}" if found.next_step else said
    value = f"{100 * found.fraction:.0f} %"
    formula = _fraction(found)
    return (*figures, Figure("occupancy", value, note, basis=PREDICTED, formula=formula))


def _shared(used: Resources, arch: str) -> str:
    parts = f"{used.shared_bytes} B static + {used.dynamic_shared_bytes} B added by the launch"
    limits = limits_of(arch)
    most = f", of at most {limits.shared_bytes_per_block} B a block" if limits else ""
    return parts + most


def _fraction(found: Occupancy) -> str:
    """How the blocks come about: the least that any resource allows."""
    allowed = ", ".join(f"{name} {count}" for name, count in found.bounds.items())
    most = round(found.warps / found.fraction)
    return (
        f"blocks that fit: {allowed}; the least is {found.blocks}, that is {found.warps} of {most} "
        f"warps: {found.warps} / {most} = {found.fraction:.2f}"
    )
