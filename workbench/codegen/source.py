"""What every code generator gives: text, line by line, that knows where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.base.doc import Line


@dataclass(frozen=True, slots=True)
class Source:
    r"""Generated code of one module.

    Attributes
    ----------
    language : str
        ``cuda`` or ``llvm``.
    name : str
        Symbol of the kernel.
    text : str
        The whole text; it is ``"\n".join(line.text for line in lines)``.
    lines : tuple of Line
        Each line with the span and the node number it came from.
    scratch_bytes : int
        Memory beside the arguments that a launch must bring [byte]: dynamic shared memory per
        block for CUDA, shared memory and spilled values per host thread for the CPU.
    """

    language: str
    name: str
    text: str
    lines: tuple[Line, ...]
    scratch_bytes: int = 0
