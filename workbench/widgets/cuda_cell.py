"""A cell of CUDA C++: compiled, its errors shown at their line and column of the cell."""

# IPython's shell is untyped.
# pyright: standard

from __future__ import annotations

from typing import Any

from workbench.base.errors import BuildError
from workbench.base.span import Span
from workbench.view.columns import shown
from workbench.view.raw import Complaint, RawKernel, complaints
from workbench.widgets.script_cell import cell_number

_RED, _YELLOW, _BOLD, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
_MOST = 12


class CudaError(BuildError):
    """CUDA C++ that NVRTC refuses, each complaint with its line and a caret.

    Parameters
    ----------
    label : str
        Of the cell.
    found : tuple of Complaint
        What the compiler says, errors first.
    log : str
        All that it printed.
    """

    def __init__(self, label: str, found: tuple[Complaint, ...], log: str) -> None:
        errors = [each for each in found if each.kind == "error"]
        first = errors[0]
        column = max(0, first.column - 1)
        # One line more: a magic does not get its own line.
        span = Span(label, first.line + 1, column)
        super().__init__(_many(len(errors)), span, log=log)
        self.label = label
        self.complaints = found

    def __str__(self) -> str:
        return "\n".join(self._lines(False))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.label, self.complaints, self.log))

    def _render_traceback_(self) -> list[str]:
        return self._lines(True)

    def _lines(self, coloured: bool) -> list[str]:
        lines = [f"CudaError: {self.message}"]
        for each in self.complaints[:_MOST]:
            red = (_RED if each.kind == "error" else _YELLOW) if coloured else ""
            bold, plain = (_BOLD, _PLAIN) if coloured else ("", "")
            number = each.line + 1
            place = f"{self.label}:{number}" + (f":{each.column}" if each.column else "")
            lines.append(f"  {place}  {red}{each.kind}{plain}: {bold}{each.message}{plain}")
            if each.code.strip():
                code = each.code.expandtabs(4)
                lines.append(f"  {number:>4} | {shown(code)}")
            if each.column:
                before = len(each.code[: each.column - 1].expandtabs(4))
                lines.append(f"       | {' ' * before}{red}^{plain}")
        if len(self.complaints) > _MOST:
            lines.append(f"  and {len(self.complaints) - _MOST} more")
        return lines


def _many(count: int) -> str:
    return "NVRTC refuses this cell: " + ("1 error" if count == 1 else f"{count} errors")


def compile_cell(shell: Any, cell: str, name: str, arch: str) -> RawKernel:
    """Compile the text of a cell.

    Parameters
    ----------
    shell : InteractiveShell
        Whose cell.
    cell : str
        Below the line of the magic.
    name : str
        Of the kernel where the cell has several; otherwise any.
    arch : str
        ``sm_90a`` …; empty for that of this machine's GPU or the default.

    Raises
    ------
    CudaError
        When NVRTC refuses the text.
    BuildError
        When NVRTC is missing or does not know the architecture, or there is no kernel.
    """
    try:
        return RawKernel(cell, name, arch, alone=True)
    except BuildError as error:
        found = complaints(error.log, cell)
        if not any(each.kind == "error" for each in found):
            raise
        raise CudaError(f"In [{cell_number(shell)}]", found, error.log) from None
