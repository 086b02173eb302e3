"""The passes of a kernel as a view: each step, what it changed, and the options it has."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

from workbench.base.errors import PassError, WorkbenchError
from workbench.driver.build import compile_module
from workbench.ir.module import Module
from workbench.ir.text import doc
from workbench.passes.default import parse_pass, run
from workbench.view.diff import DiffRow, difference, whole
from workbench.view.pane import trimmed
from workbench.view.resources import Figure, figures_of
from workbench.view.rules import RuleUse, Uses, uses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.base.doc import Line
    from workbench.driver.kernel import Kernel
    from workbench.ir.target import Target
    from workbench.passes.base import Pass, StageRecord

EAGER_LINES = 1200
"""Lines of all steps together up to which a view brings every difference."""


@dataclass(frozen=True, slots=True)
class OptionView:
    """An option of a pass; a bool counts as 0 and 1."""

    name: str
    kind: Literal["int", "bool"]
    value: int
    default: int


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the compiler.

    Attributes
    ----------
    name, spec : str
        Of the pass; and its text with the options that are not the default.
    title : str
        What it does, in a sentence.
    ms : float
        Its time, verification included [ms].
    changes : int
        Nodes of the result that were not there before.
    options : tuple of OptionView
        What can be set.
    state : str
        ``done``, ``failed``, ``off`` (left out), ``waits`` (a step before it failed), ``begin`` or
        ``end`` (no pass: the module as written, the text of the target).
    fixed : bool
        Whether the pass is not one of ours, and so can be neither set nor left out here.
    rows : tuple of DiffRow
        What changed.
    cut : int
        How many rows more there are.
    asked : bool
        Whether `rows` are made when somebody asks for them.
    problem, hint : str
        Why it failed, and what to do.
    rules : tuple of RuleUse
        What its rules made of what, where that can be told; rows say which are theirs.
    """

    name: str
    spec: str
    title: str
    ms: float
    changes: int
    options: tuple[OptionView, ...]
    state: Literal["begin", "done", "failed", "off", "waits", "end"]
    fixed: bool = False
    rows: tuple[DiffRow, ...] = ()
    cut: int = 0
    asked: bool = False
    problem: str = ""
    hint: str = ""
    rules: tuple[RuleUse, ...] = ()


@dataclass(frozen=True, slots=True)
class PassesView:
    """What a passes screen knows.

    Attributes
    ----------
    ms : float
        Of all steps [ms].
    figures : tuple of Figure
        What the kernel takes in the end.
    note : str
        What changed of these by the options that are set; empty for the first view.
    """

    name: str
    signature: str
    target: str
    steps: tuple[StepView, ...]
    ms: float
    figures: tuple[Figure, ...] = ()
    note: str = ""
    kind: Literal["passes"] = "passes"
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class _Made:
    """A step, and the texts before and after it; None where it has none."""

    step: StepView
    before: Sequence[Line] | None = None
    after: Sequence[Line] | None = None
    record: StageRecord | None = None


class Steps:
    """The steps of one compilation, from which differences are made when somebody looks.

    Parameters
    ----------
    kernel : Kernel
        Whose steps.
    specs : sequence of (str, bool), optional
        Texts of the passes, and whether each is done; the kernel's own when not given.

    Raises
    ------
    PassError
        When there is no such pass or option.
    """

    def __init__(self, kernel: Kernel, specs: Sequence[tuple[str, bool]] | None = None) -> None:
        self.kernel = kernel
        self.figures: tuple[Figure, ...] = ()
        if specs is None:
            self._made = [*_done(kernel), _end(kernel)]
            self.figures = figures_of(kernel)[0]
        else:
            self._made = self._again([(parse_pass(spec), on) for spec, on in specs])
        texts = (text for made in self._made for text in (made.before, made.after))
        self._eager = sum(len(text) for text in texts if text) <= EAGER_LINES

    def view(self, note: str = "") -> PassesView:
        """All steps; with their differences where these are small."""
        steps = tuple(
            self.step(k) if self._eager or made.step.state == "begin" else _asked(made)
            for k, made in enumerate(self._made)
        )
        return PassesView(
            name=self.kernel.name,
            signature=", ".join(f"{p.name}: {p.type}" for p in self.kernel.params),
            target=str(self.kernel.target),
            steps=steps,
            ms=round(sum(step.ms for step in steps), 3),
            figures=self.figures,
            note=note,
        )

    def step(self, number: int) -> StepView:
        """One step with what it changed."""
        made = self._made[number]
        if made.before is not None and made.after is not None:
            rows, cut = difference(made.before, made.after)
        else:
            rows, cut = whole(made.after or made.before or ())
        if made.record is None or not made.step.changes or made.step.fixed:
            return replace(made.step, rows=rows, cut=cut)
        each = parse_pass(made.record.name)
        uses = uses_of(each, made.record.before, self.kernel.target)
        rows = tuple(replace(row, rules=_rules(row, made, uses)) for row in rows)
        return replace(made.step, rows=rows, cut=cut, rules=uses.rules)

    def _again(self, passes: Sequence[tuple[Pass, bool]]) -> list[_Made]:
        """The steps with other passes; one that fails is shown, and those after it wait."""
        begin = _done(self.kernel)[0]
        module, on = _written(self.kernel), [each for each, keep in passes if keep]
        records: list[StageRecord] = []
        end = _Made(StepView("code", "", "The text of the target", 0, 0, (), "waits"))
        failed: Exception | None = None
        try:
            run(module, self.kernel.target, on, records.append)
            again = compile_module(module, self.kernel.target, passes=on)
            end, self.figures = _end(again), figures_of(again)[0]
        except Exception as error:  # any pipeline may be tried, also one that makes no sense
            failed = error
        if failed is not None and len(records) == len(on):
            end = replace(end, step=_with(end.step, failed), before=_text(_last(records, module)))
            failed = None
        steps = [begin]
        left = list(records)
        for each, keep in passes:
            if not keep:
                steps.append(_Made(_step(each, "off")))
            elif left:
                steps.append(_record(left.pop(0), each))
            else:
                steps.append(_waiting(each, failed, _last(records, module), self.kernel.target))
                failed = None
        return [*steps, end]


def _rules(row: DiffRow, made: _Made, uses: Uses) -> tuple[int, ...]:
    """Rules that worked on the statement of a row."""
    if row.kind == "gone" and made.before is not None:
        return uses.before.get(made.before[row.before - 1].node, ())
    if row.kind == "new" and made.after is not None:
        return uses.after.get(made.after[row.after - 1].node, ())
    return ()


def passes_view(kernel: Kernel) -> PassesView:
    """The passes of a kernel."""
    return Steps(kernel).view()


def _done(kernel: Kernel) -> list[_Made]:
    """The module as written, and each pass."""
    said = "What the script says, before any pass"
    begin = _Made(StepView("module", "", said, 0, 0, (), "begin"), None, _text(_written(kernel)))
    return [begin, *(_record(stage.record) for stage in kernel.stages if stage.record)]


def _end(kernel: Kernel) -> _Made:
    source, stage = kernel.compilation.source, kernel.stages[-1]
    said = "What its compiler gets; the time is that of both"
    step = StepView(source.language, "", said, round(stage.ms, 3), 0, (), "end")
    return _Made(step, None, source.lines)


def _record(record: StageRecord, each: Pass | None = None) -> _Made:
    before, after = _text(record.before), _text(record.module)
    if each is None:
        try:
            each = parse_pass(record.name)
        except PassError:  # a pass that somebody wrote for this kernel
            step = StepView(record.name, record.name, "", 0, 0, (), "done", fixed=True)
            step = replace(step, ms=round(record.ms, 3), changes=record.changes)
            return _Made(step, before, after)
    step = replace(_step(each, "done"), ms=round(record.ms, 3), changes=record.changes)
    return _Made(step, before, after, record)


def _step(each: Pass, state: Literal["done", "off", "waits"]) -> StepView:
    options = tuple(
        OptionView(
            field.name,
            "bool" if isinstance(field.default, bool) else "int",
            int(getattr(each, field.name)),
            int(field.default),  # pyright: ignore[reportArgumentType]  options have defaults
        )
        for field in fields(each)
    )
    (title, *_) = (type(each).__doc__ or "").strip().split("\n\n")
    return StepView(each.name, each.spec(), " ".join(title.split()), 0, 0, options, state)


def _waiting(each: Pass, failed: Exception | None, before: Module, target: Target) -> _Made:
    """A pass that failed, with what it made if that is why; or one that waits for it."""
    if failed is None:
        return _Made(_step(each, "waits"))
    try:
        after = _text(each(before, target))
    except Exception:  # it is `failed`
        after = None
    return _Made(_with(_step(each, "waits"), failed), _text(before), after)


def _with(step: StepView, failed: Exception) -> StepView:
    """The step with the reason why it failed."""
    if isinstance(failed, WorkbenchError):
        said, hint = failed.message, failed.hint or ""
    else:
        said, hint = f"{type(failed).__name__}: {failed}".rstrip(": "), ""
    return replace(step, state="failed", problem=said, hint=hint)


def _asked(made: _Made) -> StepView:
    has = made.before is not None or made.after is not None
    return replace(made.step, asked=has)


def _last(records: Sequence[StageRecord], module: Module) -> Module:
    return records[-1].module if records else module


def _written(kernel: Kernel) -> Module:
    return next(s.artifact for s in kernel.stages if isinstance(s.artifact, Module))


def _text(module: Module) -> Sequence[Line]:
    return trimmed(doc(module).lines)
