"""The interp target: the module as written, every access checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.base.doc import Doc
from workbench.codegen.source import Source
from workbench.driver.backend import Run, lacks
from workbench.interp import raise_on_fault
from workbench.interp import run as interpret
from workbench.ir.module import Module
from workbench.ir.text import doc


class CheckedBackend:
    """One kernel in the interpreter; a call raises the first fault, with the others as notes.

    Parameters
    ----------
    module : Module
        At any level.
    """

    on_gpu = False
    ms = 0.0

    def __init__(self, module: Module) -> None:
        self._module = module
        text: Doc = doc(module)
        self._source = Source.of("ir", module.kernel.name, text)

    @property
    def source(self) -> Source:
        """The IR's own text."""
        return self._source

    def binary(self) -> bytes:
        """Nothing: the interpreter has no machine code."""
        return b""

    def resources(self) -> None:
        """Nothing."""
        return

    def occupancy(self) -> None:
        """Nothing."""
        return

    def listing(self, kind: str) -> str:
        """Nothing; raises LaunchError."""
        raise lacks("interp", kind)

    def prepare(self, args: Sequence[Any]) -> Run:
        """A run that raises at the end when there was a fault."""

        def run() -> None:
            raise_on_fault(interpret(self._module, args))

        return run

    def clock(self) -> None:
        """The wall clock."""
        return
