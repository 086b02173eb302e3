"""The pipeline: from a script to lowered IR, one visible tuple."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.ir.verify import verify
from workbench.passes import base
from workbench.passes.base import Pass, StageRecord
from workbench.passes.eliminate import Eliminate
from workbench.passes.legalize_half import LegalizeHalf
from workbench.passes.lower_tasks import LowerTasks
from workbench.passes.lower_tensors import LowerTensors
from workbench.passes.simplify import Simplify
from workbench.passes.unroll import Unroll

PASSES: tuple[type[Pass], ...] = (
    LowerTasks,
    LowerTensors,
    Simplify,
    Eliminate,
    LegalizeHalf,
    Unroll,
)
"""All passes whose text `parse_pass` reads."""

PIPELINE: tuple[Pass, ...] = (
    LowerTasks(),
    LowerTensors(),
    Simplify(),
    Eliminate(),
    LegalizeHalf(),
    Unroll(),
)
"""What `run` does unless told otherwise, in this order."""


def parse_pass(text: str) -> Pass:
    """The pass that `text` names, such as ``unroll{limit=8}``; see `base.parse_pass`."""
    return base.parse_pass(text, PASSES)


def run(
    module: Module,
    target: Target,
    passes: Sequence[Pass] = PIPELINE,
    observer: Callable[[StageRecord], None] | None = None,
) -> Module:
    """Run `passes` one after the other, and verify before the first and after each.

    Parameters
    ----------
    module : Module
        At level `script` or `lowered`.
    target : Target
        What the module will run on.
    passes : sequence of Pass
        In order.
    observer : callable, optional
        Gets the record of each pass when it is done.

    Raises
    ------
    VerifyError
        The module breaks a rule; after a pass that is a bug of the pass, whose name is noted.
    PassError
        A pass cannot do its work.
    """
    verify(module)
    for each in passes:
        start = time.perf_counter()
        after = each(module, target)
        if after is not module:
            try:
                verify(after)
            except Exception as error:
                error.add_note(f"after the pass {each.spec()}")
                raise
        ms = (time.perf_counter() - start) * 1e3
        if observer is not None:
            observer(StageRecord(each.spec(), ms, after, module))
        module = after
    return module
