"""A search for the fastest schedule as a view: trials, predicted against measured, and why not."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.driver.build import compile_module
from workbench.tune import Status, Trial
from workbench.view.columns import shown

if TYPE_CHECKING:
    from workbench.tune import Candidate, Tuning

MOST_TRIALS = 1000
"""Trials of a view: all that were measured, then failed, skipped and refused ones."""

MOST_LINES = 800
"""Lines of a comparison."""

CONTEXT = 4
"""Like lines that stay around what differs."""


@dataclass(frozen=True, slots=True)
class TrialView:
    """One candidate and what became of it.

    Attributes
    ----------
    knobs : tuple of str
        What was chosen, in the order of the view's `knobs`; empty for a knob that it lacks.
    status : str
        ``measured``, ``failed``, ``skipped`` or ``refused``.
    reason : str
        Why no further.
    predicted_us, median_us, low_us, high_us : float or None
        Predicted; measured median and middle half [µs].
    limiter : str
        What bounds it, as the prediction sees it.
    registers, spill_bytes : int or None
        Of a CUDA thread, as its compiler says.
    occupancy : float or None
        Part of the warps that fit a multiprocessor.
    compile_ms : float
        What building it took [ms].
    """

    knobs: tuple[str, ...]
    status: str
    reason: str
    predicted_us: float | None
    median_us: float | None
    low_us: float | None
    high_us: float | None
    limiter: str = ""
    registers: int | None = None
    spill_bytes: int | None = None
    occupancy: float | None = None
    compile_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many trials ended for one reason."""

    status: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class TuneView:
    """What a tuning screen knows.

    Attributes
    ----------
    name, target, device : str
        What is tuned, for what, and where it is measured.
    knobs : tuple of str
        Names of what can be chosen.
    trials : tuple of TrialView
        Measured ones first, the fastest at the top; while it runs in the order in which they end.
    best : int
        Number of the fastest trial, -1 while there is none.
    state : str
        ``running`` or ``done``.
    stopped : str
        Why it ended early; empty where it did not.
    done, planned : int
        Trials that have ended, and that are to be measured.
    seconds : float
        Since the start [s].
    left_s : float or None
        Expected until the end, from the pace so far [s].
    reasons : tuple of ReasonCount
        Why trials were not measured, the most frequent first.
    note : str
        What is not shown, in words.
    """

    name: str
    target: str
    device: str
    knobs: tuple[str, ...]
    trials: tuple[TrialView, ...]
    best: int
    state: str = "done"
    stopped: str = ""
    done: int = 0
    planned: int = 0
    seconds: float = 0.0
    left_s: float | None = None
    reasons: tuple[ReasonCount, ...] = ()
    note: str = ""
    kind: Literal["tune"] = "tune"
    version: Literal[1] = 1


def tune_view(tuning: Tuning) -> TuneView:
    """The view of a search that has ended."""
    done = sum(t.status in (Status.MEASURED, Status.FAILED) for t in tuning.trials)
    return _view(
        tuning.trials, tuning.name, tuning.target, tuning.device,
        stopped=tuning.stopped, done=done, planned=done, seconds=round(tuning.seconds, 1),
    )  # fmt: skip


def running_view(
    trials: Sequence[Trial], name: str, target: str, device: str, planned: int, seconds: float
) -> TuneView:
    """The view of a search that goes on.

    Parameters
    ----------
    trials : sequence of Trial
        Those that have ended, in that order.
    planned : int
        How many are to be measured.
    seconds : float
        Since the start [s].
    """
    done = len(trials)
    left = seconds / done * max(0, planned - done) if done else None
    return _view(
        trials, name, target, device, state="running", done=done, planned=max(planned, done),
        seconds=round(seconds, 1), left_s=None if left is None else round(left, 1),
    )  # fmt: skip


def _view(trials: Sequence[Trial], name: str, target: str, device: str, **rest: object) -> TuneView:
    kept = trials[:MOST_TRIALS]
    knobs = tuple(dict.fromkeys(k for t in kept for k in t.candidate))
    measured = {k: t.median_us for k, t in enumerate(kept) if t.median_us is not None}
    counts = Counter((t.status.value, t.reason) for t in trials if t.reason)
    fields: dict[str, object] = {
        "best": min(measured, key=lambda k: measured[k] or 0.0, default=-1),
        "reasons": tuple(ReasonCount(*key, count) for key, count in counts.most_common()),
        "note": f"the first {len(kept)} of {len(trials)}" if len(kept) < len(trials) else "",
    }
    views = tuple(_trial(t, knobs) for t in kept)
    return TuneView(name, target, device, knobs, views, **fields, **rest)  # pyright: ignore[reportArgumentType]


def _trial(trial: Trial, knobs: Sequence[str]) -> TrialView:
    chosen = trial.candidate
    return TrialView(
        knobs=tuple(_said(chosen[k]) if k in chosen else "" for k in knobs),
        status=trial.status.value,
        reason=trial.reason,
        predicted_us=trial.predicted_us,
        median_us=trial.median_us,
        low_us=trial.low_us,
        high_us=trial.high_us,
        limiter=trial.limiter,
        registers=trial.registers,
        spill_bytes=trial.spill_bytes,
        occupancy=trial.occupancy,
        compile_ms=round(trial.compile_ms, 1),
    )


def _said(value: object) -> str:
    return " × ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a comparison: ``-`` before, ``+`` after, ``=`` in both, ``…`` left out."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class DiffView:
    """Two texts compared line by line.

    Attributes
    ----------
    before, after : str
        What they are.
    language : str
        ``cuda`` or ``llvm``.
    lines : tuple of DiffLine
        What differs, and a few lines around it.
    note : str
        What is not shown, in words.
    """

    before: str
    after: str
    language: str
    lines: tuple[DiffLine, ...]
    note: str = ""


def compared_view(tuning: Tuning, trial: int, other: int) -> DiffView:
    """The target's text of two trials, `other` compared with `trial`.

    Raises
    ------
    WorkbenchError
        When one of them cannot be built, with its reason.
    """
    pair = [tuning.trials[k].candidate for k in (trial, other)]
    texts = [_source(tuning, candidate) for candidate in pair]
    names = [shown(str(candidate)) for candidate in pair]
    return diff_view(names[0], names[1], texts[0][0], texts[0][1], texts[1][1])


def _source(tuning: Tuning, candidate: Candidate) -> tuple[str, list[str]]:
    assert tuning.module is not None, "a tuning read from a record builds nothing"
    source = compile_module(tuning.module(candidate), tuning.target).compilation.source
    return source.language, [line.text for line in source.lines]


def diff_view(
    before: str, after: str, language: str, old: Sequence[str], new: Sequence[str]
) -> DiffView:
    """Two texts compared.

    Examples
    --------
    >>> found = diff_view("a", "b", "cuda", ["x", "y"], ["x", "z"])
    >>> [line.sign + line.text for line in found.lines]
    ['=x', '-y', '+z']
    """
    lines = list(_lines(old, new))
    if all(line.sign == "=" for line in lines):
        return DiffView(before, after, language, (), "both have the same text")
    note = f"the first {MOST_LINES} of {len(lines)} lines" if len(lines) > MOST_LINES else ""
    return DiffView(before, after, language, tuple(lines[:MOST_LINES]), note)


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterable[DiffLine]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 4000)
    last = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if skipped := group[0][1] - last:
            yield DiffLine("…", f"{skipped} like line{'s' * (skipped != 1)}")
        for kind, a, b, c, d in group:
            if kind == "equal":
                yield from (DiffLine("=", text) for text in old[a:b])
                continue
            yield from (DiffLine("-", text) for text in old[a:b])
            yield from (DiffLine("+", text) for text in new[c:d])
        last = group[-1][2]
