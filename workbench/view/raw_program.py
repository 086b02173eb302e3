"""A kernel of CUDA that a person wrote, as a program view: its lines link by their number."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.base.doc import Line
from workbench.base.errors import WorkbenchError
from workbench.view.listing import ptx_lines, sass_lines
from workbench.view.pane import PaneView, pane_of
from workbench.view.program import ProgramView
from workbench.view.resources import resource_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.view.raw import RawKernel


def raw_view(kernel: RawKernel) -> ProgramView:
    """The view of a kernel that a person wrote; its lines link by their number."""
    threads = prod(kernel.entry.block) if kernel.entry.block else 0
    panes = (raw_pane(kernel, "CUDA"), *(_asked(name) for name in ("PTX", "SASS")))
    figures = resource_figures(kernel.resources, kernel.arch, threads)
    signature = ", ".join(kernel.entry.params)
    warned = "\n".join(f"line {each.line}: {each.message}" for each in kernel.complaints)
    return ProgramView(kernel.name, signature, f"cuda:{kernel.arch}", panes, figures, (), warned)


def raw_pane(kernel: RawKernel, name: str) -> PaneView:
    """One of its texts: ``CUDA``, ``PTX`` or ``SASS``."""
    rows = kernel.text.splitlines()
    source = [Line(row, node=number) for number, row in enumerate(rows, 1)]
    try:
        lines: Sequence[Line] = source
        if name == "PTX":
            lines = ptx_lines(kernel.ptx, source)
        elif name == "SASS":
            lines = tuple(sass_lines(kernel.sass, source))
    except WorkbenchError as error:
        said = "\n".join(filter(None, (error.message, error.hint)))
        return PaneView(name, "", name.lower(), (), asked=True, problem=said)
    return pane_of(name, kernel.arch, name.lower(), lines, {}, False)


def _asked(name: str) -> PaneView:
    return PaneView(name, "", name.lower(), (), asked=True)
