"""A kernel as a view: its texts side by side, lines of one origin linked, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.base.errors import WorkbenchError
from workbench.view.fork import ForkView
from workbench.view.listing import absent, listing
from workbench.view.pane import LineView, PaneView, groups_of, pane_of, script_pane, trimmed
from workbench.view.resources import Figure, figures_of
from workbench.view.task_loops import MappingUse, uses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.base.doc import Line
    from workbench.driver.kernel import Kernel
    from workbench.driver.program import Program
    from workbench.driver.stages import Stage

__all__ = [
    "Figure",
    "LineView",
    "MappingUse",
    "PaneView",
    "ProgramView",
    "StageView",
    "kernel_view",
    "pane_view",
    "program_view",
]

ORDER = ("Python", "IR", "CUDA", "PTX", "SASS", "LLVM")
"""In which texts stand beside one another."""


@dataclass(frozen=True, slots=True)
class StageView:
    """A step of the compiler: its name, its time [ms], and how many nodes it changed."""

    name: str
    ms: float
    changes: int


@dataclass(frozen=True, slots=True)
class ProgramView:
    """What a program screen knows.

    Attributes
    ----------
    name, signature, launch : str
        Of the kernel; its parameters; its grid and block in words.
    target : str
        What it is compiled for; empty when it is not.
    problem : str
        Why a part is missing, in words; empty when none is.
    mappings : tuple of MappingUse
        Each mapping that its task loops use.
    fork : ForkView or None
        What became of an edited text; None until somebody tries one.
    extents : tuple of str
        Names of those that are open, for which a number is needed.
    """

    name: str
    signature: str
    target: str
    panes: tuple[PaneView, ...]
    figures: tuple[Figure, ...] = ()
    stages: tuple[StageView, ...] = ()
    problem: str = ""
    launch: str = ""
    mappings: tuple[MappingUse, ...] = ()
    fork: ForkView | None = None
    extents: tuple[str, ...] = ()
    kind: Literal["program"] = "program"
    version: Literal[1] = 1


def program_view(program: Program, target: str = "cuda") -> ProgramView:
    """The view of a program: compiled for `target` when no extent is open, else as written.

    A script or an installation that does not get as far leaves the reason in `problem`.
    """
    script = script_pane(program._lines(), {}, [])
    if program.dims:
        said = f"{', '.join(program.dims)} open: bound by the arguments of a call"
        signature = _signature(program.params)
        return ProgramView(
            program.name, signature, "", (script,), problem=said, extents=program.dims
        )
    try:
        return kernel_view(program.compile(target))
    except WorkbenchError as error:
        signature = _signature(program.params)
        return ProgramView(program.name, signature, "", (script,), problem=str(error))


def kernel_view(kernel: Kernel) -> ProgramView:
    """The view of a kernel: script where there is one, lowered IR, and the target's text.

    Texts that cost another compilation are named, and made by `pane_view`.
    """
    stages, source = kernel.stages, kernel.compilation.source
    script = _script(kernel)
    groups = groups_of(script)
    lowered = next((s for s in reversed(stages) if s.name != source.language), None)
    panes: list[PaneView] = []
    if lowered is not None:
        lines = trimmed(lowered.lines)
        panes.append(pane_of("IR", f"after {lowered.name}", "ir", lines, groups, bool(script)))
    if source.language != "ir":
        panes.append(pane_view(kernel, source.language.upper()))
    panes += [PaneView(name, "", name.lower(), (), asked=True) for name in absent(kernel)]
    if script:
        panes.append(script_pane(script, groups, panes))
    figures, problem = figures_of(kernel)
    return ProgramView(
        name=kernel.name,
        signature=_signature(kernel.params),
        launch=f"grid {_extents(kernel.launch.grid)}  ·  block {_extents(kernel.launch.block)}",
        target=str(kernel.target),
        panes=tuple(sorted(panes, key=lambda pane: ORDER.index(pane.name))),
        figures=figures,
        stages=tuple(map(_stage, stages)),
        problem=problem,
        mappings=uses(kernel) if script else (),
    )


def pane_view(kernel: Kernel, name: str) -> PaneView:
    """One text of a kernel: ``CUDA``, ``PTX``, ``SASS`` or ``LLVM``.

    Where it cannot be made, the pane says why and what to do.
    """
    script = _script(kernel)
    own = name == kernel.compilation.source.language.upper()
    try:
        source = kernel.compilation.source
        aside, lines = (str(kernel.target), source.lines) if own else listing(kernel, name)
    except WorkbenchError as error:
        said = "\n".join(filter(None, (error.message, error.hint)))
        return PaneView(name, "", name.lower(), (), asked=True, problem=said)
    return pane_of(name, aside, name.lower(), lines, groups_of(script), bool(script))


def _script(kernel: Kernel) -> Sequence[Line]:
    stages = kernel.stages
    return stages[0].lines if stages and stages[0].name == "script" else ()


def _stage(stage: Stage) -> StageView:
    return StageView(stage.name, round(stage.ms, 3), stage.changes)


def _signature(params: Sequence[object]) -> str:
    return ", ".join(f"{getattr(p, 'name', '')}: {getattr(p, 'type', '')}" for p in params)


def _extents(extents: tuple[int, int, int]) -> str:
    used = [e for k, e in enumerate(extents) if any(x > 1 for x in extents[k:]) or k == 0]
    return " × ".join(map(str, used))
