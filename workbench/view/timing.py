"""A measurement as a view, alone or beside others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.runtime.timing import ratio, time_text
from workbench.view.roofline import Roofline, roofline

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.runtime.timing import Measurement

MOST_SAMPLES = 2000
"""Samples of a view; of more every so many is kept."""


@dataclass(frozen=True, slots=True)
class PeerView:
    """What was timed in turns with the first; times are of one call [µs].

    Attributes
    ----------
    samples_us : tuple of float
        In the order taken.
    median_us, low_us, high_us, min_us : float
        Median, bounds of the middle half, shortest.
    ratio, ratio_low, ratio_high : float
        How many times longer it takes than the first: median and middle half of the ratios of
        samples taken side by side.
    """

    name: str
    samples_us: tuple[float, ...]
    median_us: float
    low_us: float
    high_us: float
    min_us: float
    ratio: float
    ratio_low: float
    ratio_high: float


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
    peers : tuple of PeerView
        Others that were timed in turns with it.
    roofline : Roofline or None
        How near it comes to what the machine can do.
    note : str
        What is not shown, in words.
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
    peers: tuple[PeerView, ...] = ()
    roofline: Roofline | None = None
    note: str = ""
    kind: Literal["timing"] = "timing"
    version: Literal[1] = 1


def timing_view(
    measurement: Measurement,
    peers: Sequence[Measurement] = (),
    kernel: Kernel | None = None,
    around: str = "",
) -> TimingView:
    """The view of a measurement.

    Parameters
    ----------
    peers : sequence of Measurement
        Taken in turns with it: as many samples of each.
    kernel : Kernel, optional
        What was timed, for its roofline.
    around : str
        More conditions, in words.

    Examples
    --------
    >>> from workbench.runtime.timing import Measurement
    >>> timing_view(Measurement("copy", (10.0, 12.0, 11.0))).median
    '11.0 µs'
    """
    low, high = measurement.quartiles_us
    count = len(measurement.samples_us)
    every = -(-count // MOST_SAMPLES)
    return TimingView(
        name=measurement.name,
        samples_us=_kept(measurement, every),
        median_us=measurement.median_us,
        low_us=low,
        high_us=high,
        min_us=measurement.min_us,
        median=time_text(measurement.median_us),
        spread=f"middle half {time_text(low)} to {time_text(high)}",
        conditions="; ".join(filter(None, (measurement.conditions, around))),
        peers=tuple(_peer(each, measurement, every) for each in peers),
        roofline=roofline(kernel, measurement.median_us) if kernel is not None else None,
        note=f"every {every}. of {count} samples is drawn" if every > 1 else "",
    )


def _kept(measurement: Measurement, every: int) -> tuple[float, ...]:
    return tuple(round(sample, 4) for sample in measurement.samples_us[::every])


def _peer(measurement: Measurement, first: Measurement, every: int) -> PeerView:
    low, high = measurement.quartiles_us
    beside = ratio(measurement, first)
    return PeerView(
        measurement.name, _kept(measurement, every), measurement.median_us, low, high,
        measurement.min_us, beside.median, beside.low, beside.high,
    )  # fmt: skip
