"""ProgramExplorer: the texts of a kernel, lines of one origin linked; its CUDA can be edited."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.view.fork import ForkView, fork_view, raw_fork
from workbench.view.listing import on_cuda
from workbench.view.pane import PaneView
from workbench.view.program import ProgramView, kernel_view, pane_view, program_view
from workbench.view.raw import RawKernel
from workbench.view.raw_program import raw_pane, raw_view
from workbench.widgets.explorer import STATIC, Explorer
from workbench.widgets.links import Place
from workbench.widgets.passes import compiled
from workbench.widgets.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CHARACTERS = 1_000_000
"""Of an edited text."""

FAULT = "Python could not make it; this is a fault of the workbench, and its log has the trace"


class ProgramExplorer(Explorer):
    """The program screen.

    The browser asks for ``pane`` (with a `name`), ``fork`` (with a `text`) and ``extents`` (with
    `extents`, a number for each that is open). Compilers of other texts run in a thread, one after
    the other; what they give comes as a new view.

    Parameters
    ----------
    program : Program, Kernel or RawKernel
        What to look into; a program is compiled for CUDA where none of its extents is open.
    **extents : int
        A number for each open extent of a program; without, the screen asks for them.

    Attributes
    ----------
    selection : dict
        ``link``: the number of the linked lines that are picked, 0 for none. With ``mapping`` and
        ``worker`` the task loops of that mapping light up. ``panes``: names of the open texts.

    Raises
    ------
    WorkbenchError
        Extents that the program does not have, or that are no positive integers.
    """

    _esm = STATIC / "program.js"
    shown: ProgramView

    def __init__(self, program: Program | Kernel | RawKernel, **extents: int) -> None:
        self.script = program if isinstance(program, Program) else None
        self.extents = extents
        if extents:
            program = compiled(program, extents)
        elif isinstance(program, Program) and not program.dims:
            with suppress(WorkbenchError):  # the view of the program says why
                program = program.compile("cuda")
        self.program = program
        if isinstance(program, Kernel):
            view = kernel_view(program)
        else:
            view = raw_view(program) if isinstance(program, RawKernel) else program_view(program)
        self._said = f"{view.name}({view.signature}) {view.target}".rstrip()
        self.work = Work()
        self.tries = 0
        super().__init__(view)

    def said(self) -> str:
        """Name, parameters and target."""
        return self._said

    def asked(self, kind: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Make a text, or compile an edited one."""
        text, name = request.get("text"), request.get("name")
        known = [pane.name for pane in self.shown.panes if pane.asked]
        extents = request.get("extents")
        if kind == "extents" and isinstance(extents, dict):
            return self.bind(extents)
        if isinstance(self.program, Program):  # without a kernel there is only its script
            return super().asked(kind, request)
        if kind == "pane" and name in known:
            failed = PaneView(str(name), "", "", (), asked=True, problem=FAULT)
            self.work.put(
                lambda: self._show_pane(self._pane(str(name))), lambda: self._show_pane(failed)
            )
        elif kind == "fork" and isinstance(text, str) and len(text) <= MOST_CHARACTERS:
            self.work.put(
                lambda: self._show_fork(self._fork(text)), lambda: self._show_fork(ForkView(FAULT))
            )
        else:
            return super().asked(kind, request)
        return {"later": True}

    def bind(self, extents: dict[str, int]) -> None:
        """Compile the program with these extents, and show that.

        Raises
        ------
        WorkbenchError
            The program does not have them, or it cannot be compiled.
        """
        if self.script is None:
            raise WorkbenchError(f"{self.shown.name} has no open extents")
        kernel = compiled(self.script, extents)
        self.program, self.extents = kernel, extents
        self.show(kernel_view(kernel))
        self._said = f"{self.shown.name}({self.shown.signature}) {self.shown.target}"

    def link_state(self) -> dict[str, str]:
        """The numbers of its open extents."""
        given = ",".join(f"{name}={value}" for name, value in self.extents.items())
        return {"text": given} if given else {}

    def restore(self, place: Place) -> None:
        """Show what a link names, with its extents."""
        given = place.state.get("text", "")
        if given and not re.fullmatch(r"\w+=\d{1,18}(,\w+=\d{1,18})*", given):
            raise WorkbenchError(f"{given[:60]!r} in the link are no extents", hint="like N=1024")
        super().restore(place)
        if given:
            pairs = (each.split("=") for each in given.split(","))
            self.bind({name: int(value) for name, value in pairs})

    def then(self, told: Callable[[], None]) -> None:
        """Call when the compilers have ended."""
        self.work.put(told)

    def _show_pane(self, made: PaneView) -> None:
        panes = tuple(made if pane.name == made.name else pane for pane in self.shown.panes)
        self.show(replace(self.shown, panes=panes))

    def _show_fork(self, fork: ForkView) -> None:
        self.tries += 1
        self.show(replace(self.shown, fork=replace(fork, number=self.tries)))

    def _pane(self, name: str) -> PaneView:
        if isinstance(self.program, Kernel):
            return pane_view(self.program, name)
        assert isinstance(self.program, RawKernel), "a program without a kernel has one text"
        return raw_pane(self.program, name)

    def _fork(self, text: str) -> ForkView:
        try:
            if isinstance(self.program, RawKernel):
                return raw_fork(self.program, text)
            assert isinstance(self.program, Kernel), "a program without a kernel has no CUDA"
            return fork_view(on_cuda(self.program), text)
        except WorkbenchError as error:
            return ForkView(error.message, error.hint or "")
