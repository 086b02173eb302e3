"""Which rule of a pass made what: each kind of rule at a statement that shows it."""

from __future__ import annotations

import sys

import pytest

import workbench as wb
from workbench.ir.target import Target
from workbench.ir.text import doc
from workbench.lang import f32, launch, repeat, spatial, threadIdx
from workbench.passes.base import StageRecord
from workbench.passes.default import PIPELINE
from workbench.view import rules
from workbench.view.passes import passes_view
from workbench.view.rules import RuleUse, Uses, uses_of

ROWS = repeat(2, 1).spatial(16, 8)
TARGET = Target.parse("cuda:sm_90a")


@wb.script
def every(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for once in range(1):
        b[once + 5, 0] = 1.0
    for never in range(4, 4):
        b[never, 0] = 2.0
    if threadIdx.x < 4:  # noqa: SIM102  this is what the rule is for
        if threadIdx.x < 2:
            b[3, 3] = 4.0
    if threadIdx.x > 200:
        b[0, 0] = 3.0
    for i, j in ROWS.on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0


def record(name: str, program: wb.Program = every) -> StageRecord:
    stages = program.compile(TARGET).stages
    return next(s.record for s in stages if s.record and s.record.name == name)


@pytest.fixture(scope="module")
def uses() -> Uses:
    each = next(each for each in PIPELINE if each.name == "simplify")
    return uses_of(each, record("simplify").before, TARGET)


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("division", "threadIdx.x // 8", "threadIdx.x tdiv 8"),
        ("comparison", "threadIdx.x < 128", "True"),
        ("logical", "True and True", "True"),
        ("neutral", "0 + 5", "5"),
        ("loop", "for once in range(1)", "its body"),
        ("loop", "for never in range(4, 4)", "nothing"),
        ("guard", "if 0 <= threadIdx.x and threadIdx.x < 128", "its body"),
        ("guard", "if threadIdx.x > 200", "nothing"),
        ("guard", "if threadIdx.x < 4", "its body"),
        ("definition", "i * 8 + j", "threadIdx.x + r * 128"),
    ],
)
def test_each_rule_is_told_where_it_works(uses: Uses, rule: str, before: str, after: str):
    found = [
        use for use in uses.rules if (use.rule, use.before, use.after) == (rule, before, after)
    ]
    assert len(found) == 1
    assert found[0].said.endswith(".")


def test_rules_stand_at_their_statements_in_both_texts(uses: Uses):
    told = record("simplify")

    def at(module: object, numbers: dict[int, tuple[int, ...]], words: str) -> list[RuleUse]:
        (line,) = (line for line in doc(module).lines if words in line.text)  # pyright: ignore[reportArgumentType]
        return [uses.rules[k] for k in numbers[line.node]]

    for use in at(told.before, uses.before, "let j"):
        assert (use.rule, use.before) == ("division", "threadIdx.x % 8")
    for use in at(told.module, uses.after, "let j"):
        assert (use.rule, use.after) == ("division", "threadIdx.x tmod 8")


def test_watching_changes_nothing_and_ends():
    each = next(each for each in PIPELINE if each.name == "simplify")
    told, seen = record("simplify"), []

    def outer(*_: object) -> None:
        seen.append(1)

    sys.setprofile(outer)
    try:
        uses_of(each, told.before, TARGET)
        assert sys.getprofile() is outer
    finally:
        sys.setprofile(None)
    assert doc(each(told.before, TARGET)).text() == doc(told.module).text()


def test_a_pass_that_is_one_rule_and_a_module_that_is_large_have_none(
    uses: Uses, monkeypatch: pytest.MonkeyPatch
):
    each = next(each for each in PIPELINE if each.name == "lower_tasks")
    assert uses_of(each, record("lower_tasks").before, TARGET) == Uses()
    monkeypatch.setattr(rules, "MOST_NODES", 3)
    each = next(each for each in PIPELINE if each.name == "simplify")
    assert uses_of(each, record("simplify").before, TARGET) == Uses()


@wb.script
def plain(a: f32[64, 64], b: f32[64, 64]):
    launch(grid=1, block=64)
    for i, j in (repeat(4, 1) * spatial(4, 16)).on(threadIdx.x):
        b[j, i] = a[i, j]


def test_every_changed_row_of_simplify_has_its_rules():
    for step in passes_view(plain.compile(TARGET)).steps:
        for row in step.rows:
            if step.name != "simplify":
                assert row.rules == ()
            elif any(part.changed for part in row.parts) and row.kind in ("gone", "new"):
                assert row.rules
                assert max(row.rules) < len(step.rules)
