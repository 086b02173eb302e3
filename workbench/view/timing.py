"""A measurement as a view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.runtime.timing import time_text

if TYPE_CHECKING:
    from workbench.runtime.timing import Measurement


@dataclass(frozen=True, slots=True)
class TimingView:
    """What a timing screen knows; times are of one call [µs].

    Attributes
    ----------
    name : str
        What was timed.
    samples_us : tuple of float
        In the order taken.
    median_us, low_us, high_us, min_us : float
        Median, bounds of the middle half, shortest.
    median, spread : str
        The same in words.
    conditions : str
        How it was measured.
    """

    name: str
    samples_us: tuple[float, ...]
    median_us: float
    low_us: float
    high_us: float
    min_us: float
    median: str
    spread: str
    conditions: str
    kind: Literal["timing"] = "timing"
    version: Literal[1] = 1


def timing_view(measurement: Measurement) -> TimingView:
    """The view of a measurement.

    Examples
    --------
    >>> from workbench.runtime.timing import Measurement
    >>> timing_view(Measurement("copy", (10.0, 12.0, 11.0))).median
    '11.0 µs'
    """
    low, high = measurement.quartiles_us
    return TimingView(
        name=measurement.name,
        samples_us=tuple(round(sample, 4) for sample in measurement.samples_us),
        median_us=measurement.median_us,
        low_us=low,
        high_us=high,
        min_us=measurement.min_us,
        median=time_text(measurement.median_us),
        spread=f"middle half {time_text(low)} to {time_text(high)}",
        conditions=measurement.conditions,
    )
