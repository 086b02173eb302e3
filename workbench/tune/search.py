"""The search: rank what is legal, compile and time the best, keep every trial."""

from __future__ import annotations

import functools
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ScheduleError, WorkbenchError
from workbench.driver.content import content
from workbench.driver.cuda import resolve
from workbench.driver.program import Program
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.ir.text import text
from workbench.passes.default import run as lower
from workbench.runtime.arguments import bind
from workbench.runtime.devices import cpu
from workbench.tune.cost import predict
from workbench.tune.measure import Heat, HeatResult, Outcome, differs, random_args, run_heat
from workbench.tune.record import Record
from workbench.tune.space import Candidate, Space
from workbench.tune.trial import Status, Trial, Tuning

if TYPE_CHECKING:
    import os

    import numpy as np

HEAT = 8
"""Candidates that are timed in turns with one another."""

FINALISTS = 3
"""The fastest are timed once more, in turns and for longer: one of them is the best."""

Build = Callable[..., "Program | Module"]
Observer = Callable[[Trial, int, int], None]
"""Called after each trial with it, the number done, and the number planned."""


def tune(
    build: Build,
    space: Space,
    args: Sequence[Any] | None = None,
    *,
    target: Target | str = "cpu",
    expected: Mapping[str, np.ndarray] | None = None,
    tolerance: float = 1e-3,
    top: int = 32,
    sample_s: float = 0.05,
    budget_s: float | None = None,
    record: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    observer: Observer | None = None,
    stop: Callable[[], bool] | None = None,
) -> Tuning:
    """Find the fastest candidate of a space.

    Parameters
    ----------
    build : callable
        Takes the choices by name; gives a Program or a Module. It may raise a WorkbenchError for
        choices that do not go together: that is a failed trial.
    space : Space
        What can be chosen.
    args : sequence, optional
        NumPy arrays and numbers to measure with; random ones when not given, which takes a build
        whose extents are numbers.
    target : Target or str
        ``cpu``, ``cuda`` or ``cuda:sm_90a``.
    expected : mapping of str to numpy.ndarray, optional
        What the kernel must store, by parameter. When not given, the candidates must agree.
    tolerance : float
        Largest difference allowed, relative to the largest expected value.
    top : int
        How many are compiled and timed: those predicted to be fastest.
    sample_s : float
        Time for the samples of each candidate [s].
    budget_s : float, optional
        When to stop [s]; the heat that has begun is finished.
    record : path, optional
        File of trials; what is known there is not measured again, what is measured is added.
    executor : concurrent.futures.Executor, optional
        Runs the heats elsewhere, such as ``dask_client.get_executor()``; all are submitted at
        once, so it should have one worker per device.
    observer : callable, optional
        Called after each trial.
    stop : callable, optional
        Asked before each candidate is predicted and before each heat; True ends the search early.

    Returns
    -------
    Tuning
        Every candidate with what became of it. An interrupt (Ctrl-C) ends the search early and
        keeps what it has.

    Raises
    ------
    ScheduleError
        When the space has no legal candidate.

    Examples
    --------
    >>> from workbench.driver.program import script
    >>> from workbench.lang import blockIdx, f32, launch, threadIdx
    >>> def scale(threads):
    ...     @script
    ...     def scale(a: f32[512], b: f32[512]):
    ...         launch(grid=512 // threads, block=threads)
    ...         i = blockIdx.x * threads + threadIdx.x
    ...         b[i] = a[i] * 2.0
    ...     return scale
    >>> found = tune(scale, Space.of(threads=[32, 64, 128]), sample_s=0.001)
    >>> found.count(Status.MEASURED), found.best.candidate["threads"] in (32, 64, 128)
    (3, True)
    """
    goal = target if isinstance(target, Target) else Target.parse(target)
    goal = resolve(goal) if goal.kind == "cuda" else goal
    start = time.perf_counter()
    refused = [Trial(r.candidate, Status.REFUSED, r.reason) for r in space.refused]
    if not (legal := space.candidates):
        raise ScheduleError(
            f"none of the {len(refused)} combinations of the space is legal",
            notes=sorted({t.reason for t in refused}),
        )
    log = _Log(observer, Record(record) if record else None, min(top, len(legal)))
    known = dict(expected) if expected else None
    heats = _Heats(goal, args, known, tolerance, sample_s, executor, stop)
    end = None if budget_s is None else start + budget_s
    try:
        planned = itertools.takewhile(lambda _: not heats.late(end), legal)
        log.entries += (_entry(build, candidate, goal, args) for candidate in planned)
        log.stopped = _run(log, heats, top, end)
    except KeyboardInterrupt:
        log.stopped = "interrupted"
    trials = (*log.settled(legal), *refused)
    name = next((e.module.kernel.name for e in log.entries if e.module), "kernel")
    seconds = time.perf_counter() - start
    made = functools.partial(_module, build, args)
    return Tuning(name, str(goal), cpu().name, trials, log.stopped, seconds, build, made)


def _module(build: Build, args: Sequence[Any] | None, candidate: Candidate) -> Module:
    """What a candidate stands for."""
    made = build(**candidate)
    if isinstance(made, Program):
        return made.module(**(bind(made.name, made.params, args) if args is not None else {}))
    return made


@dataclass
class _Entry:
    """A candidate on its way."""

    trial: Trial
    module: Module | None = None
    key: str = ""


@dataclass
class _Log:
    """What is known so far, told to whoever listens."""

    observer: Observer | None
    record: Record | None
    planned: int
    entries: list[_Entry] = field(default_factory=list[_Entry])
    done: int = 0
    stopped: str = ""

    def settle(self, entry: _Entry, trial: Trial, *, known: bool = False) -> None:
        """Keep what became of an entry."""
        entry.trial = trial
        self.done += 1
        if self.record and entry.key and not known:
            self.record.add(entry.key, trial, {"device": cpu().name})
        if self.observer:
            self.observer(trial, self.done, self.planned)

    def settled(self, legal: Sequence[Candidate]) -> list[Trial]:
        """All legal candidates, the fastest first."""
        trials = [e.trial for e in self.entries]
        rest = legal[len(trials) :]
        trials += [Trial(c, Status.SKIPPED, self.stopped or "not reached") for c in rest]
        order = [Status.MEASURED, Status.FAILED, Status.SKIPPED]
        return sorted(
            trials,
            key=lambda t: (order.index(t.status), t.median_us or t.predicted_us or float("inf")),
        )


def _entry(
    build: Build, candidate: Candidate, target: Target, args: Sequence[Any] | None
) -> _Entry:
    """The candidate's module and its predicted time."""
    try:
        made = _module(build, args, candidate)
        prediction = predict(lower(made, target), target)
    except WorkbenchError as error:
        return _Entry(Trial(candidate, Status.FAILED, error.message))
    trial = Trial(
        candidate,
        Status.SKIPPED,
        "others are predicted to be faster",
        predicted_us=prediction.us,
        limiter=prediction.limiter,
    )
    return _Entry(trial, made, _key(made, target, args))


def _key(module: Module, target: Target, args: Sequence[Any] | None) -> str:
    """What a trial on disk is found by: kernel, target, device, sizes; empty for no content."""
    body = content(module)
    if body is None:
        return ""
    sizes = [f"{getattr(a, 'dtype', type(a).__name__)}{getattr(a, 'shape', a)}" for a in args or ()]
    parts = "\0".join((body, str(target), cpu().name, *sizes))
    return hashlib.sha256(parts.encode()).hexdigest()


def _run(log: _Log, heats: _Heats, top: int, end: float | None) -> str:
    """Time the best predicted; gives why it ended early, if it did."""
    for entry in log.entries:
        if entry.module is None:
            log.settle(entry, entry.trial)
    new = _unknown(log, top)
    groups = [new[i : i + HEAT] for i in range(0, len(new), HEAT)]
    for entries, result in heats.run(groups, end):
        for entry, outcome in zip(entries, result.outcomes, strict=True):
            log.settle(entry, _trial(entry.trial, outcome))
    if heats.late(end):
        for entry in new:
            if entry.trial.status is Status.SKIPPED:
                entry.trial = replace(entry.trial, reason=heats.why)
        return heats.why
    _final(new, heats)
    return ""


def _unknown(log: _Log, top: int) -> list[_Entry]:
    """The best predicted that are not on record; those that are, are settled."""
    known = log.record.known() if log.record else {}
    ranked = [e for e in log.entries if e.module is not None]
    ranked.sort(key=lambda e: e.trial.predicted_us or 0.0)
    new: list[_Entry] = []
    for entry in ranked[:top]:
        before = known.get(entry.key)
        if before is None:
            new.append(entry)
        else:
            log.settle(entry, replace(before, candidate=entry.trial.candidate), known=True)
    return new


def _final(entries: Sequence[_Entry], heats: _Heats) -> None:
    """Time the fastest against one another once more."""
    timed = [e for e in entries if e.trial.median_us is not None]
    timed.sort(key=lambda e: e.trial.median_us or 0.0)
    if len(timed) < 2:
        return
    longer = replace(heats, sample_s=FINALISTS * heats.sample_s)
    for group, result in longer.run([timed[:FINALISTS]], None):
        for entry, outcome in zip(group, result.outcomes, strict=True):
            if not outcome.reason:
                entry.trial = _trial(entry.trial, outcome)


def _trial(planned: Trial, outcome: Outcome) -> Trial:
    found = replace(
        planned,
        status=Status.FAILED,
        reason=outcome.reason,
        compile_ms=outcome.compile_ms or planned.compile_ms,
        registers=outcome.registers,
        spill_bytes=outcome.spill_bytes,
        occupancy=outcome.occupancy,
    )
    if outcome.timed is None:
        return found
    low, high = outcome.timed.quartiles_us
    return replace(
        found,
        status=Status.MEASURED,
        reason="",
        median_us=outcome.timed.median_us,
        low_us=low,
        high_us=high,
        samples=len(outcome.timed.samples_us),
    )


@dataclass
class _Heats:
    """Heats run here or elsewhere, one result after the other."""

    target: Target
    args: Sequence[Any] | None
    expected: dict[str, np.ndarray] | None
    tolerance: float
    sample_s: float
    executor: Executor | None
    stop: Callable[[], bool] | None = None
    why: str = "the time was up"

    def late(self, end: float | None) -> bool:
        """Whether the time is up, or the search was stopped."""
        if self.stop is not None and self.stop():
            self.why = "stopped"
        return self.why == "stopped" or (end is not None and time.perf_counter() >= end)

    def run(
        self, groups: Sequence[list[_Entry]], end: float | None
    ) -> Iterator[tuple[list[_Entry], HeatResult]]:
        """The results of the groups, each checked against the ones before."""
        if self.executor is None:
            for group in groups:
                if self.late(end):
                    return
                yield group, self._checked(run_heat(self._heat(group)))
            return
        waiting = {self.executor.submit(run_heat, self._heat(g)): g for g in groups}
        try:
            for future in as_completed(waiting):
                yield waiting[future], self._checked(future.result())
                if self.late(end):
                    return
        finally:
            for future in waiting:
                future.cancel()

    def _checked(self, result: HeatResult) -> HeatResult:
        """Hold what a heat stored against what the first one did."""
        if self.expected is None:
            self.expected = result.stored
        elif result.stored and (reason := differs(result.stored, self.expected, self.tolerance)):
            for outcome in result.outcomes:
                outcome.reason, outcome.timed = outcome.reason or reason, None
        return result

    def _heat(self, group: Sequence[_Entry]) -> Heat:
        kernels: list[tuple[str, Module | str]] = []
        for number, entry in enumerate(group):
            assert entry.module is not None
            there: Module | str = entry.module
            if self.executor is not None:
                if not entry.key:
                    raise ScheduleError(
                        "a mapping given by a Python function cannot be measured elsewhere",
                        hint="leave the executor out to measure here",
                    )
                there = text(entry.module)
            kernels.append((f"{number}: {entry.trial.candidate}", there))
        args = self.args
        if args is None:
            assert group[0].module is not None
            args = random_args([p.type for p in group[0].module.kernel.params])
        return Heat(
            tuple(kernels),
            str(self.target),
            tuple(args),
            self.expected,
            self.tolerance,
            self.sample_s,
        )
