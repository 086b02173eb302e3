"""The named artifacts of one compilation, from the script to the machine code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.doc import Line
from workbench.codegen.source import Source
from workbench.ir.module import Module
from workbench.ir.text import doc

if TYPE_CHECKING:
    from workbench.ir.target import Target
    from workbench.passes.base import StageRecord


@dataclass(frozen=True, slots=True)
class Stage:
    """What one step of the compiler left.

    Attributes
    ----------
    name : str
        ``script``, the text form of a pass, ``cuda``, ``llvm`` …
    artifact : tuple of Line, Module or Source
        The result of the step.
    ms : float
        How long the step took [ms].
    record : StageRecord or None
        What the pass says of itself; None for a step that is no pass.
    """

    name: str
    artifact: tuple[Line, ...] | Module | Source
    ms: float = 0.0
    record: StageRecord | None = None

    @property
    def changes(self) -> int:
        """How many nodes the pass replaced; 0 for a step that is no pass."""
        return self.record.changes if self.record else 0

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its text, each line knowing its place in the script and its IR node."""
        if isinstance(self.artifact, Module):
            return tuple(doc(self.artifact).lines)
        return self.artifact.lines if isinstance(self.artifact, Source) else self.artifact

    @property
    def text(self) -> str:
        """Its text."""
        if isinstance(self.artifact, Source):
            return self.artifact.text
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Compilation:
    """One module on its way to one target.

    Attributes
    ----------
    name : str
        Of the kernel.
    target : Target
        What it was compiled for, architecture included.
    module : Module
        The lowered module.
    source : Source
        What the target's compiler gets.
    stages : tuple of Stage
        In the order they came: the script where there is one, the module as written, the module
        after each pass, the source.
    """

    name: str
    target: Target
    module: Module
    source: Source
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage | None:
        """The last stage called `name`, if there is one."""
        return next((s for s in reversed(self.stages) if s.name == name), None)
