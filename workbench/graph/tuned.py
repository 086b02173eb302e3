"""Schedules found by trying: which template's knobs suit the operators of a graph on this machine.

Each different definition is tuned with what is fused to it. What was found for one size also
serves the others of its family: the schedules do not depend on the extents.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import TYPE_CHECKING, Any

from workbench.graph.schedule import program
from workbench.mapping.check import counted
from workbench.schedules import choose, space
from workbench.tune import Candidate, Space, Status, Trial, Tuning, tune

if TYPE_CHECKING:
    from workbench.graph.partition import Group
    from workbench.ir.module import Module
    from workbench.ir.target import Target
    from workbench.schedules import Template
    from workbench.schedules.compute import Compute

Observer = Callable[[str, Trial, int, int], None]
"""Called after each trial: what is tuned, the trial, the number done and planned of it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Templates with the knobs that were found to be best.

    Attributes
    ----------
    exact : mapping of str to Template
        By definition, sizes included.
    family : mapping of str to Template
        By kind of definition, for all other sizes.
    """

    exact: Mapping[str, Template] = field(default_factory=dict[str, "Template"])
    family: Mapping[str, Template] = field(default_factory=dict[str, "Template"])

    def of(self, group: Group, target: Target) -> Template | None:
        """How to schedule the anchor of a group; None when nothing is known of its kind."""
        if not self.exact or not _tunable(group):
            return None
        compute = group.anchor.definition
        if (found := self.exact.get(signature(compute))) is not None:
            return found
        kin = self.family.get(_family(compute, choose(compute, target)))
        # tiles of some templates must divide what others leave whole
        return kin if kin in space(compute, target) else None


@dataclass(frozen=True, slots=True, eq=False)
class GraphTuning:
    """What tuning a graph found.

    Attributes
    ----------
    choices : Choices
        The best templates.
    tunings : mapping of str to Tuning
        All trials, by definition.
    stopped : str
        Why not all definitions were tuned; empty when they were.
    """

    choices: Choices
    tunings: Mapping[str, Tuning]
    stopped: str = ""

    def __str__(self) -> str:
        """One line per definition: the best, and how it compares with what is chosen untuned."""
        stopped = self.stopped and f" ({self.stopped})"
        lines = [f"{counted(len(self.tunings), 'definition')} tuned{stopped}"]
        for name, tuning in self.tunings.items():
            if tuning.count(Status.MEASURED):
                best = tuning.best
                lines.append(f"  {name}: {best.candidate}, {best.median_us:.3g} µs")
            else:
                lines.append(f"  {name}: nothing could be measured")
        return "\n".join(lines)

    __repr__ = __str__


def _tunable(group: Group) -> bool:
    """Whether a template schedules its anchor."""
    return group.host is None and group.rows is None and not group.beside


def signature(compute: Compute) -> str:
    """A definition in a line: what it is called, and all its types and extents.

    Examples
    --------
    >>> from workbench.graph.ops.define import grid
    >>> from workbench.ir import build
    >>> from workbench.ir.expr import Var
    >>> from workbench.ir.types import f32
    >>> x = Var("x", f32[4, 8])
    >>> signature(grid("twice", [x], f32[4, 8], lambda i: build.mul(build.load(x, i), 2)))
    'twice(f32[4, 8]) → f32[4, 8]'
    """
    inputs = ", ".join(str(v.type) for v in compute.inputs)
    inner = f" over {list(compute.reduction.extents)}" if compute.reduction else ""
    return f"{compute.name}({inputs}) → {compute.output.type}{inner}"


def _family(compute: Compute, template: Template) -> str:
    term = compute.reduction.value.type if compute.reduction else compute.output.tensor.dtype
    return f"{type(template).__name__} of {term}"


def tune_groups(
    groups: Sequence[Group],
    target: Target,
    *,
    budget_s: float | None = None,
    observer: Observer | None = None,
    top: int = 16,
    sample_s: float = 0.02,
    **how: Any,
) -> GraphTuning:
    """Tune every different definition among the anchors of `groups`, the most frequent first.

    Parameters
    ----------
    budget_s : float, optional
        For all together [s].
    observer : callable, optional
        Called after each trial.
    top, sample_s, **how
        As for :func:`workbench.tune.tune`: ``record``, ``executor``, ``tolerance``.
    """
    found: dict[str, list[Group]] = {}
    for group in filter(_tunable, (part for each in groups for part in each.parts)):
        found.setdefault(signature(group.anchor.definition), []).append(group)
    end = None if budget_s is None else time.perf_counter() + budget_s
    tunings: dict[str, Tuning] = {}
    stopped = ""
    for name in sorted(found, key=lambda n: -len(found[n])):
        group = found[name][0]
        candidates = space(group.anchor.definition, target)
        if len(candidates) < 2:
            continue
        left = None if end is None else max(0.0, end - time.perf_counter())
        build = _builder(group, target, type(candidates[0]))
        tunings[name] = tune(
            build, Space.over(candidates), target=target, budget_s=left, top=top,
            sample_s=sample_s, observer=_named(observer, name), **how,
        )  # fmt: skip
        if stopped := tunings[name].stopped:
            break
    return GraphTuning(_choices(found, tunings, target), tunings, stopped)


def _builder(group: Group, target: Target, kind: type[Template]) -> Callable[..., Module]:
    def build(**knobs: Any) -> Module:
        return program(group, target, kind(**knobs)).module

    return build


def _named(observer: Observer | None, name: str) -> Callable[[Trial, int, int], None] | None:
    if observer is None:
        return None
    return lambda trial, done, planned: observer(name, trial, done, planned)


def _choices(
    groups: Mapping[str, Sequence[Group]], tunings: Mapping[str, Tuning], target: Target
) -> Choices:
    exact: dict[str, Template] = {}
    rivals: dict[str, dict[Candidate, list[float]]] = {}
    kinds: dict[str, type[Template]] = {}
    for name, tuning in tunings.items():
        if not tuning.count(Status.MEASURED):
            continue
        compute = groups[name][0].anchor.definition
        usual = choose(compute, target)
        kind: Any = type(usual)
        exact[name] = kind(**tuning.best.candidate)
        family = _family(compute, usual)
        kinds[family] = kind
        best = tuning.best.median_us or 1.0
        for trial in tuning.trials:
            if trial.median_us is not None:
                ratios = rivals.setdefault(family, {}).setdefault(trial.candidate, [])
                ratios.append(trial.median_us / best)
    # of those that were measured most often, the one that is nearest to the best on average
    chosen: dict[str, Template] = {}
    for family, ratios in rivals.items():
        most = max(map(len, ratios.values()))
        often = {c: r for c, r in ratios.items() if len(r) == most}
        pick = min(often, key=lambda c: exp(sum(map(log, often[c])) / most))
        make: Any = kinds[family]
        chosen[family] = make(**pick)
    return Choices(exact, chosen)
