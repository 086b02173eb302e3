"""How long a thing takes, honestly: warm, interleaved, median with spread, conditions said.

Source: the method of the project's design ("Speed"): ratios are taken between runs interleaved
with one another, never between two sessions.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from workbench.base.lazy import lazy
from workbench.runtime.devices import cpu

if TYPE_CHECKING:
    import statistics
else:
    statistics = lazy("statistics")  # brings fractions, decimals and random numbers with it

Run: TypeAlias = Callable[[], object]
"""What is timed: a call without arguments; what it returns is dropped."""

_LEAST_SAMPLES = 5
_MOST_SAMPLES = 1000
_MOST_CALLS = 1 << 30


class Clock(Protocol):
    """Measures calls on one device; a GPU's is made of its events by whoever owns the stream."""

    @property
    def name(self) -> str:
        """What ticks, in words: ``perf_counter_ns``, ``CUDA events`` …"""
        ...

    @property
    def device(self) -> str:
        """What the calls run on, as its maker names it."""
        ...

    @property
    def least_us(self) -> float:
        """Shortest stretch that it measures to 1 % [µs]; shorter calls are timed in batches."""
        ...

    def elapsed_us(self, run: Run, calls: int) -> float:
        """Time from the start of the first of `calls` calls to the end of the last [µs]."""
        ...


@dataclass(frozen=True, slots=True)
class CpuClock:
    """Wall time of the calling thread's work, the garbage collector held off meanwhile."""

    device: str
    name: str = "perf_counter_ns"
    least_us: float = 20.0

    def elapsed_us(self, run: Run, calls: int) -> float:
        """Time of `calls` calls [µs]."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            repeat = range(calls)
            start = time.perf_counter_ns()
            for _ in repeat:
                run()
            return (time.perf_counter_ns() - start) / 1000
        finally:
            if collecting:
                gc.enable()


@dataclass(frozen=True, slots=True)
class Measurement:
    """Samples of one call's duration, and the conditions they were taken under.

    Attributes
    ----------
    name : str
        What was timed.
    samples_us : tuple of float
        Mean duration of a call in each sample [µs], in the order taken.
    calls : int
        Calls per sample; more than 1 where one call is too short for the clock.
    warmup_calls : int
        Calls before the first sample.
    device, clock : str
        What ran, and what measured it.
    load : float
        Load average of the machine at the start, or -1 where the system has none.
    beside : tuple of str
        Names of what it was interleaved with.
    """

    name: str
    samples_us: tuple[float, ...]
    calls: int = 1
    warmup_calls: int = 0
    device: str = ""
    clock: str = ""
    load: float = -1.0
    beside: tuple[str, ...] = ()

    @property
    def median_us(self) -> float:
        """Median [µs]: half of the samples are at most this."""
        return statistics.median(self.samples_us)

    @property
    def min_us(self) -> float:
        """Shortest sample [µs]."""
        return min(self.samples_us)

    @property
    def quartiles_us(self) -> tuple[float, float]:
        """Bounds of the middle half of the samples [µs]."""
        return _quartiles(self.samples_us)

    @property
    def mad_us(self) -> float:
        """Median distance from the median [µs]."""
        middle = self.median_us
        return statistics.median(abs(sample - middle) for sample in self.samples_us)

    @property
    def conditions(self) -> str:
        """How it was measured, in words."""
        parts = [
            f"{len(self.samples_us)} samples of {_count(self.calls, 'call')}",
            f"after {_count(self.warmup_calls, 'warm-up call')}",
            self.clock,
            self.device,
        ]
        if self.beside:
            parts.append(f"interleaved with {', '.join(self.beside)}")
        if self.load >= 0:
            parts.append(f"load {self.load:.1f}")
        return ", ".join(part for part in parts if part)

    def json(self) -> dict[str, object]:
        """All fields and the derived figures, ready for ``json.dumps``."""
        low, high = self.quartiles_us
        fields: dict[str, object] = asdict(self)
        figures = {"median_us": self.median_us, "min_us": self.min_us, "mad_us": self.mad_us}
        return fields | figures | {"q1_us": low, "q3_us": high}

    def __str__(self) -> str:
        low, high = self.quartiles_us
        head = f"{self.name}: " if self.name else ""
        return (
            f"{head}{time_text(self.median_us)} "
            f"(middle half {time_text(low)} to {time_text(high)}, "
            f"least {time_text(self.min_us)}; {self.conditions})"
        )


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times longer one thing takes than another, from samples taken in turns.

    Attributes
    ----------
    median, low, high : float
        Median and middle half of the ratios of samples taken side by side.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def measure(
    run: Run, name: str = "", clock: Clock | None = None, budget_s: float = 0.2
) -> Measurement:
    """Time one call.

    Parameters
    ----------
    run : callable
        Called without arguments.
    name : str
        What it is, for the report.
    clock : Clock, optional
        The processor's wall clock when not given.
    budget_s : float
        Time to spend on samples [s]; 5 samples are taken even when that takes longer.

    Examples
    --------
    >>> measurement = measure(lambda: sum(range(1000)), "sum", budget_s=0.01)
    >>> measurement.min_us <= measurement.median_us
    True
    """
    return compare({name: run}, clock, budget_s)[name]


def compare(
    runs: Mapping[str, Run], clock: Clock | None = None, budget_s: float = 0.2
) -> dict[str, Measurement]:
    """Time several things in turns, so that a change of the machine's mood meets all of them.

    Each round takes one sample of each, beginning with another one each time.

    Parameters
    ----------
    runs : mapping of str to callable
        What to time, by name.
    clock : Clock, optional
        The processor's wall clock when not given.
    budget_s : float
        Time to spend on the samples of each [s].

    Returns
    -------
    dict of str to Measurement
        As many samples for each, in the order of `runs`.
    """
    clock = clock or CpuClock(cpu().name)
    load = _load()
    batches = {name: _warm_up(run, clock, budget_s / 4) for name, run in runs.items()}
    round_us = sum(batch.sample_us for batch in batches.values())
    rounds = int(budget_s * 1e6 * len(runs) / max(round_us, 1e-3))
    samples: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for turn in range(min(max(rounds, _LEAST_SAMPLES), _MOST_SAMPLES)):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            calls = batches[name].calls
            samples[name].append(clock.elapsed_us(runs[name], calls) / calls)
    return {
        name: Measurement(
            name=name,
            samples_us=tuple(samples[name]),
            calls=batches[name].calls,
            warmup_calls=batches[name].warmup_calls,
            device=clock.device,
            clock=clock.name,
            load=load,
            beside=tuple(other for other in names if other != name),
        )
        for name in names
    }


def ratio(of: Measurement, to: Measurement) -> Ratio:
    """How many times longer `of` takes than `to`; both from one :func:`compare`.

    Examples
    --------
    >>> str(ratio(Measurement("a", (2.0, 4.0, 6.0)), Measurement("b", (1.0, 2.0, 2.0))))
    '2.00 (2.00–2.50)'
    """
    pairs = zip(of.samples_us, to.samples_us, strict=True)
    ratios = [one / max(other, 1e-9) for one, other in pairs]
    return Ratio(statistics.median(ratios), *_quartiles(ratios))


@dataclass(frozen=True, slots=True)
class _Batch:
    calls: int
    sample_us: float
    warmup_calls: int


def _warm_up(run: Run, clock: Clock, budget_s: float) -> _Batch:
    """Call until caches are warm, and find how many calls make a sample that the clock resolves."""
    spent_us = clock.elapsed_us(run, 1)  # may compile or load; says nothing of later calls
    calls, warmup_calls = 1, 1
    while True:
        sample_us = clock.elapsed_us(run, calls)
        warmup_calls += calls
        spent_us += sample_us
        if sample_us < clock.least_us:
            calls *= 2
            assert calls < _MOST_CALLS, "the clock stands still"
        elif spent_us >= budget_s * 1e6:
            return _Batch(calls, sample_us, warmup_calls)


def _quartiles(samples: Iterable[float]) -> tuple[float, float]:
    ordered = sorted(samples)
    if len(ordered) == 1:
        return ordered[0], ordered[0]
    low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
    return low, high


def _load() -> float:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return -1.0


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def time_text(us: float) -> str:
    """Three digits and a unit.

    Examples
    --------
    >>> time_text(0.1234), time_text(12.34), time_text(1234.0), time_text(12_340_000.0)
    ('0.123 µs', '12.3 µs', '1.23 ms', '12.3 s')
    """
    unit, scale = ("µs", 1.0) if us < 1e3 else ("ms", 1e3) if us < 1e6 else ("s", 1e6)
    value = us / scale
    decimals = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{decimals}f} {unit}"
