"""Timing: the statistics are numpy's, the rounds take turns, and no sample is below the clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runtime.timing import CpuClock, Measurement, compare, measure, ratio

SAMPLES = st.lists(st.floats(0.01, 1e7), min_size=1, max_size=40)


@dataclass
class CountingClock:
    """Time passes only where a run says so: what a GPU's event clock looks like from here."""

    now_us: float = 0.0
    least_us: float = 100.0
    name: str = "counting clock"
    device: str = "no device"
    asked: list[tuple[Callable[[], object], int]] = field(default_factory=list)

    def elapsed_us(self, run: Callable[[], object], calls: int) -> float:
        self.asked.append((run, calls))
        start = self.now_us
        for _ in range(calls):
            run()
        return self.now_us - start


def takes(clock: CountingClock, us: float, first_us: float = 0.0) -> Callable[[], None]:
    left = [first_us]

    def run() -> None:
        clock.now_us += us + left[0]
        left[0] = 0.0

    return run


@given(SAMPLES)
def test_figures_are_those_of_numpy(samples: list[float]):
    measurement = Measurement("x", tuple(samples))
    assert measurement.median_us == pytest.approx(np.median(samples))
    assert measurement.quartiles_us == pytest.approx(tuple(np.percentile(samples, [25, 75])))
    assert measurement.min_us == np.min(samples)
    mad = np.median(np.abs(np.array(samples) - np.median(samples)))
    assert measurement.mad_us == pytest.approx(mad)


def test_short_calls_are_batched_until_the_clock_resolves_them():
    clock = CountingClock()
    measurement = measure(takes(clock, 3.0), "short", clock)
    assert measurement.calls * 3.0 >= clock.least_us
    assert measurement.median_us == pytest.approx(3.0)
    assert (measurement.device, measurement.clock) == ("no device", "counting clock")


def test_a_cold_first_call_is_not_among_the_samples():
    clock = CountingClock()
    measurement = measure(takes(clock, 50.0, first_us=1e6), "cold", clock)
    assert max(measurement.samples_us) == pytest.approx(50.0)
    assert measurement.calls >= 2


def test_the_budget_bounds_the_samples_and_a_long_call_still_gets_five():
    clock = CountingClock()
    measurement = measure(takes(clock, 1000.0), "1 ms", clock, budget_s=0.05)
    assert len(measurement.samples_us) == 50
    measurement = measure(takes(clock, 5e6), "5 s", clock, budget_s=0.05)
    assert len(measurement.samples_us) == 5


def test_things_compared_take_turns():
    clock = CountingClock()
    runs = {"a": takes(clock, 200.0), "b": takes(clock, 400.0), "c": takes(clock, 200.0)}
    found = compare(runs, clock, budget_s=0.001)
    letter = {id(run): name for name, run in runs.items()}
    rounds = len(found["a"].samples_us)
    order = "".join(letter[id(run)] for run, _ in clock.asked[-3 * rounds :])
    assert order.startswith("abcbcacab")
    assert found["a"].beside == ("b", "c")
    assert ratio(found["b"], found["a"]).median == pytest.approx(2.0)


def test_a_ratio_follows_the_pairs_not_the_medians():
    slow_half = Measurement("a", (1.0, 1.0, 10.0, 10.0))
    twice = Measurement("b", (2.0, 2.0, 20.0, 20.0))
    found = ratio(twice, slow_half)
    assert (found.low, found.median, found.high) == (2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="shorter"):
        ratio(twice, Measurement("c", (1.0,)))


def test_the_processor_clock_sees_a_sleep():
    measurement = measure(lambda: time.sleep(0.002), "sleep", budget_s=0.01)
    assert measurement.min_us >= 1990  # a sleep is never shorter than asked, bar the clocks' grain
    assert measurement.clock == "perf_counter_ns"
    assert measurement.device


def test_a_run_that_raises_passes_through_and_leaves_the_collector_on():
    import gc

    def run() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        CpuClock("cpu").elapsed_us(run, 1)
    assert gc.isenabled()


def test_json_holds_samples_figures_and_conditions():
    measurement = Measurement("x", (1.0, 2.0, 3.0), calls=4, warmup_calls=9, beside=("y",))
    found = json.loads(json.dumps(measurement.json()))
    assert found["samples_us"] == [1.0, 2.0, 3.0]
    assert (found["median_us"], found["q1_us"], found["q3_us"]) == (2.0, 1.5, 2.5)
    assert (found["calls"], found["warmup_calls"], found["beside"]) == (4, 9, ["y"])


def test_words(golden: Callable[[str, str], None]):
    measurement = Measurement(
        "scale", (1234.0, 1230.0, 1250.0), 4, 9, "a processor", "perf_counter_ns", 0.5, ("numpy",)
    )
    golden("measurement.txt", str(measurement))
