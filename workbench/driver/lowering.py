"""A module on its way to one target; the way is gone when somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from workbench.base.doc import Line
from workbench.driver.stages import Stage
from workbench.ir.effects import alignments, written
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.ir.verify import verify
from workbench.passes.base import Pass, StageRecord
from workbench.passes.default import run as run_passes
from workbench.runtime.arguments import Parameter


class Lowering:
    """The passes over a module, each kept as a stage.

    A kernel whose machine code is on the disk already needs none of them to run, so they are done
    when they are first looked at.

    Parameters
    ----------
    module : Module
        As written.
    target : Target
        With its architecture.
    passes : sequence of Pass
        In order; the interpreter takes the module as it is.
    script : sequence of Line
        The text it was translated from, if there is one.
    """

    def __init__(
        self, module: Module, target: Target, passes: Sequence[Pass], script: Sequence[Line]
    ) -> None:
        self.module = module
        self.target = target
        self.passes = tuple(passes)
        self._script = tuple(script)
        self._done: tuple[Module, tuple[Stage, ...]] | None = None
        self._lock = threading.Lock()

    @property
    def lowered(self) -> Module:
        """The module after all passes.

        Raises
        ------
        VerifyError, PassError
            When it breaks a rule, or a pass cannot do its work.
        """
        return self._run()[0]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The script where there is one, the module as written, the module after each pass."""
        return self._run()[1]

    def _run(self) -> tuple[Module, tuple[Stage, ...]]:
        with self._lock:
            if self._done is None:
                stages = [Stage("script", self._script)] if self._script else []
                stages.append(Stage("module", self.module))
                lowered = self.module
                if self.target.kind == "interp":
                    verify(lowered)
                else:
                    lowered = run_passes(
                        lowered, self.target, self.passes, lambda r: stages.append(_stage(r))
                    )
                self._done = lowered, tuple(stages)
            return self._done


def parameters_of(module: Module) -> tuple[Parameter, ...]:
    """What the arguments of a module's kernel must be."""
    stored = written(module)[module.kernel.name]
    aligned = alignments(module)
    return tuple(
        Parameter(p.name, p.type, p in stored, aligned.get(p, 0), p.span)
        for p in module.kernel.params
    )


def _stage(record: StageRecord) -> Stage:
    return Stage(record.name, record.module, record.ms, record)
