"""ProgramExplorer: the texts of a kernel, lines of one origin linked."""

from __future__ import annotations

from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.view.program import kernel_view, program_view
from workbench.widgets.explorer import STATIC, Explorer


class ProgramExplorer(Explorer):
    """The program screen.

    Parameters
    ----------
    program : Program or Kernel
        What to look into; a program is compiled for CUDA where none of its extents is open.

    Attributes
    ----------
    selection : dict
        ``link``: the number of the linked lines that are picked, 0 for none.
    """

    _esm = STATIC / "program.js"

    def __init__(self, program: Program | Kernel) -> None:
        view = kernel_view(program) if isinstance(program, Kernel) else program_view(program)
        self._said = f"{view.name}({view.signature}) {view.target}".rstrip()
        super().__init__(view)

    def said(self) -> str:
        """Name, parameters and target."""
        return self._said
