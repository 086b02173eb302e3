"""Every pass keeps what a random module means: the interpreter is the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings

from tests.ir.strategies import arguments, modules
from workbench.interp import run as interpret
from workbench.ir.target import Target
from workbench.ir.text import text
from workbench.passes.default import PIPELINE, run
from workbench.passes.eliminate import Eliminate
from workbench.passes.legalize_half import LegalizeHalf
from workbench.passes.simplify import Simplify
from workbench.passes.unroll import Unroll

if TYPE_CHECKING:
    from workbench.ir.module import Module
    from workbench.passes.base import StageRecord


def outcome(module: Module) -> list[Any]:
    """All arguments after a run; faults are none."""
    args = arguments(module)
    report = interpret(module, args)
    assert not report.faults, (report.faults[0], text(module))
    return args


def same(a: list[Any], b: list[Any]) -> bool:
    return all(
        np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in zip(a, b, strict=True)
    )


@given(modules())
@settings(max_examples=60)
def test_every_pass_keeps_the_meaning(module: Module) -> None:
    expected = outcome(module)
    records: list[StageRecord] = []
    run(module, Target("cuda"), observer=records.append)
    before = module
    for record in records:
        if record.module is not before:
            assert same(outcome(record.module), expected), (record.name, text(module))
        before = record.module


@given(modules(shared=False))
@settings(max_examples=30)
def test_passes_in_another_order_keep_the_meaning(module: Module) -> None:
    order = (Simplify(), Unroll(), Eliminate(), LegalizeHalf(), *PIPELINE, Simplify())
    assert same(outcome(run(module, Target("cpu"), order)), outcome(module))


@given(modules())
@settings(max_examples=30)
def test_the_pipeline_twice_is_once(module: Module) -> None:
    once = run(module, Target("cuda"))
    assert run(once, Target("cuda")) is once
