"""The passes of a kernel: steps, differences word by word, other options, a pass that fails."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.base.doc import Line
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.lang import f32, launch, register, repeat, threadIdx
from workbench.passes.base import Pass
from workbench.passes.default import PIPELINE
from workbench.view import as_json, bundle, diff, passes_view, svg_of, text_of
from workbench.view import passes as passes_room
from workbench.view.diff import difference, whole
from workbench.view.passes import PassesView, Steps


@wb.script
def scale(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    held = register(f32, 4)
    for n in range(4):
        held[n] = 2.0
    for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
        b[i, j] = a[i, j] * held[0]


@pytest.fixture(scope="module")
def kernel() -> wb.Kernel:
    return scale.compile("cuda:sm_90a")


@pytest.fixture(scope="module")
def view(kernel: wb.Kernel) -> PassesView:
    return passes_view(kernel)


def specs(view: PassesView, **off: bool) -> list[tuple[str, bool]]:
    return [(s.spec, not off.get(s.name)) for s in view.steps if s.state not in ("begin", "end")]


def test_every_pass_is_a_step_with_its_time_and_changes(view: PassesView, kernel: wb.Kernel):
    names = [step.name for step in view.steps]
    assert names == ["module", *(each.name for each in PIPELINE), "cuda"]
    records = [stage.record for stage in kernel.stages if stage.record]
    assert [step.changes for step in view.steps[1:-1]] == [record.changes for record in records]
    assert [step.ms for step in view.steps[1:-1]] == [round(record.ms, 3) for record in records]
    assert all(step.title for step in view.steps)
    (option,) = next(step for step in view.steps if step.name == "unroll").options
    assert (option.name, option.kind, option.value, option.default) == ("limit", "int", 64, 64)


def sides(rows: tuple[diff.DiffRow, ...]) -> tuple[list[str], list[str]]:
    def text(row: diff.DiffRow) -> str:
        return "".join(part.text for part in row.parts)

    return (
        [text(row) for row in rows if row.kind in ("same", "gone")],
        [text(row) for row in rows if row.kind in ("same", "new")],
    )


LINES = st.lists(st.sampled_from(["a = b", "a = c", "  if x < 4:", "", "f(x, 1)", "x"]), max_size=9)


@given(LINES, LINES)
def test_a_difference_holds_both_texts(before: list[str], after: list[str]):
    limit, diff.CONTEXT = diff.CONTEXT, 99
    try:
        rows, cut = difference(*([Line(text) for text in side] for side in (before, after)))
    finally:
        diff.CONTEXT = limit
    assert cut == 0
    if before == after:  # nothing changed, so nothing is near a change
        assert sum(row.before for row in rows if row.kind == "skip") in (0, len(before))
        return
    assert sides(rows) == (before, after)
    assert [row.before for row in rows if row.before] == list(range(1, len(before) + 1))
    assert [row.after for row in rows if row.after] == list(range(1, len(after) + 1))
    assert any(row.kind != "same" for row in rows)


def test_words_that_stay_are_not_marked():
    rows, _ = difference([Line("b[i, j] = a[i, j] * 2")], [Line("b[i * 8 + j] = a[i, j] * 2")])
    gone, new = ([p.text for p in row.parts if p.changed] for row in rows)
    assert gone == [","]
    assert new == ["* 8 +"]


def test_far_lines_and_long_texts_are_left_out_and_counted():
    lines = [Line(f"line {k}") for k in range(50)]
    rows, cut = difference(lines, [*lines[:25], Line("new"), *lines[25:]])
    assert [row.before for row in rows if row.kind == "skip"] == [22, 22]
    assert len(rows) == 9
    assert cut == 0
    many = [Line(f"line {k}") for k in range(diff.MOST_LINES + 10)]
    other = [Line(f"other {k}") for k in range(diff.MOST_LINES + 10)]
    rows, cut = difference(many, other)
    assert len(rows) == diff.MOST_ROWS
    assert cut == 10 + 2 * diff.MOST_LINES - diff.MOST_ROWS
    rows, cut = whole(many)
    assert len(rows) + cut == len(many)


def test_other_options_change_what_comes_out(kernel: wb.Kernel, view: PassesView):
    passes = [(spec if spec != "unroll" else "unroll{limit=2}", on) for spec, on in specs(view)]
    again = Steps(kernel, passes).view()
    unroll = next(step for step in again.steps if step.name == "unroll")
    assert unroll.spec == "unroll{limit=2}"
    assert unroll.options[0].value == 2
    assert unroll.changes == 0
    assert next(step for step in view.steps if step.name == "unroll").changes > 0
    text = "".join("".join(p.text for p in row.parts) for row in again.steps[-1].rows)
    assert "#pragma unroll" not in text


def test_a_pass_that_fails_is_shown_with_its_ir_and_what_waits(kernel: wb.Kernel, view: PassesView):
    broken = Steps(kernel, specs(view, lower_tasks=True)).view()
    states = {step.name: step.state for step in broken.steps}
    assert states["lower_tasks"] == "off"
    assert states["lower_tensors"] == "failed"
    assert states["simplify"] == states["code"] == "waits"
    failed = next(step for step in broken.steps if step.state == "failed")
    assert "task loop" in failed.problem
    assert any("for [" in t or "for i, j" in t for t in sides(failed.rows)[0])
    assert "not reached" in text_of(broken)
    ET.fromstring(svg_of(broken))


def test_a_target_that_refuses_the_result_fails_at_the_end(kernel: wb.Kernel, view: PassesView):
    broken = Steps(kernel, specs(view, lower_tensors=True)).view()
    assert broken.steps[-1].state == "failed"
    assert broken.steps[-1].problem


@dataclass(frozen=True)
class Idle(Pass):
    """Does nothing."""

    def __call__(self, module: Module, target: Target) -> Module:
        return module


def test_a_pass_of_ones_own_is_shown_and_cannot_be_set():
    made = wb.compile_module(scale.module(), "cuda:sm_90a", passes=(*PIPELINE, Idle()))
    step = passes_view(made).steps[-2]
    assert (step.name, step.fixed, step.changes) == ("idle", True, 0)
    with pytest.raises(wb.PassError, match="no pass is called 'idle'"):
        Steps(made, [("idle", True)])


def test_large_differences_are_made_when_asked_for(
    kernel: wb.Kernel, view: PassesView, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(passes_room, "EAGER_LINES", 0)
    steps = Steps(kernel)
    shown = steps.view()
    assert all(step.asked and not step.rows for step in shown.steps[1:])
    assert not steps.step(1).asked
    assert steps.step(1).rows == view.steps[1].rows


def test_twins(view: PassesView):
    shown = bundle(view)
    assert "lower_tensors" in shown["text/plain"]
    picture = ET.fromstring(shown["image/svg+xml"])
    assert f"lower_tasks {view.steps[1].changes} changes" in (
        picture.find("{http://www.w3.org/2000/svg}desc").text or ""
    )
    assert as_json(view)["kind"] == "passes"
