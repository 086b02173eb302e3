"""A kernel as a view: its texts side by side, lines of one origin linked, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.base.doc import Line
    from workbench.base.span import Span
    from workbench.driver.kernel import Kernel
    from workbench.driver.program import Program
    from workbench.driver.stages import Stage


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a text.

    Attributes
    ----------
    text : str
        As it stands.
    link : int
        The same number in every pane for what comes from one place; 0 where there is none.
    group : int
        Which top-level statement of the script it belongs to, counted from 1; 0 for none.
    """

    text: str
    link: int = 0
    group: int = 0


@dataclass(frozen=True, slots=True)
class PaneView:
    """One text.

    Attributes
    ----------
    name, aside : str
        Such as ``CUDA``, and what is said beside it.
    language : str
        ``python``, ``ir``, ``cuda`` or ``llvm``.
    first : int
        Number of the first line.
    """

    name: str
    aside: str
    language: str
    lines: tuple[LineView, ...]
    first: int = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it is, what it means, and whether that is a reason to look."""

    label: str
    value: str
    note: str = ""
    warn: bool = False


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
    """

    name: str
    signature: str
    target: str
    panes: tuple[PaneView, ...]
    figures: tuple[Figure, ...] = ()
    stages: tuple[StageView, ...] = ()
    problem: str = ""
    launch: str = ""
    kind: Literal["program"] = "program"
    version: Literal[1] = 1


def program_view(program: Program, target: str = "cuda") -> ProgramView:
    """The view of a program: compiled for `target` when no extent is open, else as written.

    A script or an installation that does not get as far leaves the reason in `problem`.
    """
    lines = program._lines()
    script = _script_pane(lines, {}, [])
    if program.dims:
        said = f"{', '.join(program.dims)} open: bound by the arguments of a call"
        return ProgramView(program.name, _signature(program.params), "", (script,), problem=said)
    try:
        return kernel_view(program.compile(target))
    except WorkbenchError as error:
        signature = _signature(program.params)
        return ProgramView(program.name, signature, "", (script,), problem=str(error))


def kernel_view(kernel: Kernel) -> ProgramView:
    """The view of a kernel: script where there is one, lowered IR, and the target's text."""
    stages = kernel.stages
    script = stages[0].lines if stages and stages[0].name == "script" else ()
    lowered = next(
        (s for s in reversed(stages) if s.name != kernel.compilation.source.language), None
    )
    source = kernel.compilation.source
    texts: list[tuple[str, str, str, Sequence[Line]]] = []
    if lowered is not None:
        texts.append(("IR", f"after {lowered.name}", "ir", _trimmed(lowered.lines)))
    if source.language != "ir":
        name = {"cuda": "CUDA", "llvm": "LLVM"}.get(source.language, source.language)
        texts.append((name, str(kernel.target), source.language, source.lines))
    groups = _groups(script)
    panes = [_pane(*text, groups, bool(script)) for text in texts]
    if script:
        panes.insert(0, _script_pane(script, groups, panes))
    figures, problem = _figures(kernel)
    return ProgramView(
        name=kernel.name,
        signature=_signature(kernel.params),
        launch=f"grid {_extents(kernel.launch.grid)}  ·  block {_extents(kernel.launch.block)}",
        target=str(kernel.target),
        panes=tuple(panes),
        figures=figures,
        stages=tuple(map(_stage, stages)),
        problem=problem,
    )


def _stage(stage: Stage) -> StageView:
    return StageView(stage.name, round(stage.ms, 3), stage.changes)


def _signature(params: Sequence[object]) -> str:
    return ", ".join(f"{getattr(p, 'name', '')}: {getattr(p, 'type', '')}" for p in params)


def _extents(extents: tuple[int, int, int]) -> str:
    used = [e for k, e in enumerate(extents) if any(x > 1 for x in extents[k:]) or k == 0]
    return " × ".join(map(str, used))


def _trimmed(lines: Sequence[Line]) -> Sequence[Line]:
    """The IR without the line that names its level."""
    start = next((k for k, line in enumerate(lines) if line.span or line.node), 0)
    return lines[start:]


def _pane(
    name: str,
    aside: str,
    language: str,
    lines: Sequence[Line],
    groups: dict[int, int],
    script: bool,
) -> PaneView:
    views: list[LineView] = []
    for line in lines:
        place = _place(line.span, groups) if script else line.node
        views.append(LineView(line.text, place, groups.get(place, 0)))
    while views and not views[-1].text.strip():
        views.pop()
    return PaneView(name, aside, language, tuple(views))


def _place(span: Span | None, groups: dict[int, int]) -> int:
    return span.line if span is not None and span.line in groups else 0


def _script_pane(
    script: Sequence[Line], groups: dict[int, int], others: Sequence[PaneView]
) -> PaneView:
    """The script; a line is linked where another text has something from it."""
    linked = {line.link for pane in others for line in pane.lines}
    views: list[LineView] = []
    for line in script:
        number = line.span.line if line.span else 0
        group = groups.get(number, 0) if line.text.strip() else 0
        views.append(LineView(line.text, number if number in linked else 0, group))
    span = script[0].span if script else None
    aside = PurePath(span.file).name if span else ""
    return PaneView("Python", aside, "python", tuple(views), span.line if span else 1)


def _groups(script: Sequence[Line]) -> dict[int, int]:
    """The top-level statement of each line of the body, counted from 1; 0 for what is before."""
    groups: dict[int, int] = {}
    group, body = 0, None
    started = False
    for line in script:
        text = line.text.strip()
        indent = len(line.text) - len(line.text.lstrip())
        if started and text and body is None:
            body = indent
        # A closing bracket alone ends the statement before it.
        if body is not None and text and indent == body and text[0] not in ")]}#":
            group += not text.startswith("launch(")
        started = started or text.endswith(":")
        if line.span is not None:
            groups[line.span.line] = group
    return groups


def _figures(kernel: Kernel) -> tuple[tuple[Figure, ...], str]:
    """Registers, spills, shared memory and occupancy, as the compiler gave them; or why not."""
    try:
        resources, occupancy = kernel.resources, kernel.occupancy
    except WorkbenchError as error:
        return (), str(error)
    if resources is None:
        return (), ""
    spilled = resources.spill_bytes
    shared = resources.shared_bytes + resources.dynamic_shared_bytes
    kind = "static" if not resources.dynamic_shared_bytes else "with the launch's part"
    figures = [
        Figure("registers", str(resources.registers), "a thread"),
        Figure("spills", f"{spilled} B", "to memory" if spilled else "none", spilled > 0),
        Figure("shared memory", f"{shared} B", kind if shared else "none"),
    ]
    if occupancy is not None:
        said = f"limited by {occupancy.limiter}"
        note = f"{said}; {occupancy.next_step}" if occupancy.next_step else said
        figures.append(Figure("occupancy", f"{100 * occupancy.fraction:.0f} %", note))
    return tuple(figures), ""
