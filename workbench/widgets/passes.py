"""PassesExplorer: the pipeline of a kernel, one pass at a time, with other options tried."""

# Traits are descriptors whose types traitlets only knows at run time.
# pyright: standard

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.view.passes import PassesView, Steps
from workbench.view.raw import RawKernel
from workbench.widgets.explorer import STATIC, Explorer
from workbench.widgets.links import Place


class PassesExplorer(Explorer):
    """The passes screen.

    The browser asks for ``step`` (with a `number`: what that step changed) and ``passes`` (with
    `passes`, a list of ``{"spec": text, "on": bool}``: the kernel again by these).

    Parameters
    ----------
    program : Program or Kernel
        What to look into; a program is compiled for CUDA.
    **extents : int
        A number for each open extent of a program.

    Attributes
    ----------
    selection : dict
        ``stage``: number of the step that is shown; ``link``: line of the script.

    Raises
    ------
    WorkbenchError
        When a program cannot be compiled.
    """

    _esm = STATIC / "passes.js"
    shown: PassesView

    def __init__(self, program: Program | Kernel, **extents: int) -> None:
        self.kernel = compiled(program, extents)
        self._first = self.steps = Steps(self.kernel)
        super().__init__(self.steps.view())

    def said(self) -> str:
        """Name, target and the pipeline."""
        passes = [step.spec for step in self.shown.steps if step.state == "done"]
        return f"{self.shown.name} {self.shown.target}: {', '.join(passes)}"

    def asked(self, kind: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Show a step, or the kernel by other passes."""
        number, passes = request.get("number"), request.get("passes")
        if kind == "step" and isinstance(number, int) and 0 <= number < len(self.shown.steps):
            steps = list(self.shown.steps)
            steps[number] = self.steps.step(number)
            return self.show(replace(self.shown, steps=tuple(steps)))
        if kind == "passes" and isinstance(passes, list) and all(map(_is_pass, passes)):
            specs = [(each["spec"], bool(each.get("on"))) for each in passes]
            self.steps = Steps(self.kernel, specs)
            return self.show(self.steps.view(self._note()))
        return super().asked(kind, request)

    def link_state(self) -> dict[str, str]:
        """The passes, where they are not those of the kernel; ``-`` before one that is left out."""
        if self.steps is self._first:
            return {}
        steps = [step for step in self.shown.steps if step.spec]
        return {"text": ";".join("-" * (step.state == "off") + step.spec for step in steps)}

    def restore(self, place: Place) -> None:
        """Show the step that a link names, by the passes that it names."""
        super().restore(place)
        if "text" in place.state:
            texts = place.state["text"].split(";")
            passes = [{"spec": text.lstrip("-"), "on": text[:1] != "-"} for text in texts]
            self.asked("passes", {"passes": passes})

    def _note(self) -> str:
        """What the kernel takes now, where that is not what it took at first."""
        now = {figure.label: figure.value for figure in self.steps.figures}
        changed = [
            f"{figure.label} {figure.value} → {now[figure.label]}"
            for figure in self._first.figures
            if figure.label in now and now[figure.label] != figure.value
        ]
        same = "it takes as much as before" if now and self._first.figures else ""
        return ", ".join(changed) or same


def compiled(program: Program | Kernel | RawKernel, extents: dict[str, int]) -> Kernel:
    """The kernel itself, or that of a program for CUDA.

    Raises
    ------
    WorkbenchError
        Extents of a kernel, which has none open; or the program cannot be compiled.
    """
    if isinstance(program, Program):
        return program.compile("cuda", **extents)
    if extents or not isinstance(program, Kernel):
        raise WorkbenchError(
            f"{program.name} is compiled: it has no open extent {next(iter(extents), '')}",
            hint="give extents together with the program",
        )
    return program


def _is_pass(each: object) -> bool:
    return isinstance(each, dict) and isinstance(each.get("spec"), str)
