"""What became of one candidate, and of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from workbench.base.errors import ScheduleError
from workbench.ir.module import Module
from workbench.tune.space import Candidate


class Status(Enum):
    """How far a candidate came.

    REFUSED: the space has a rule against it. FAILED: it could not be built, or its result is
    wrong. SKIPPED: others were predicted to be faster, or the time was up. MEASURED: timed.
    """

    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate and what became of it.

    Attributes
    ----------
    candidate : Candidate
        What was chosen.
    status : Status
        How far it came.
    reason : str
        Why no further; empty for one that was measured.
    predicted_us : float or None
        What the cost model says of a launch [µs]; a prediction, not a measurement.
    limiter : str
        What bounds it, as the model sees it.
    median_us, low_us, high_us : float or None
        Median of a launch and its middle half [µs].
    samples : int
        How many samples they come from.
    compile_ms : float
        What building it took [ms].
    registers, spill_bytes : int or None
        Of a CUDA thread.
    occupancy : float or None
        Resident warps, as a part of those that fit a CUDA multiprocessor.
    """

    candidate: Candidate
    status: Status
    reason: str = ""
    predicted_us: float | None = None
    limiter: str = ""
    median_us: float | None = None
    low_us: float | None = None
    high_us: float | None = None
    samples: int = 0
    compile_ms: float = 0.0
    registers: int | None = None
    spill_bytes: int | None = None
    occupancy: float | None = None

    def json(self) -> dict[str, Any]:
        """All fields, ready for ``json.dumps``."""
        chosen = {name: value for name, value in self.candidate.chosen}
        return asdict(self) | {"candidate": chosen, "status": self.status.value}

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Trial:
        """From what `json` gave; a list is a tuple again."""
        chosen = {n: tuple(v) if isinstance(v, list) else v for n, v in fields["candidate"].items()}
        rest = {n: v for n, v in fields.items() if n not in ("candidate", "status")}
        return cls(Candidate.of(**chosen), Status(fields["status"]), **rest)


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """All trials of one search.

    Attributes
    ----------
    name, target, device : str
        What was tuned, for what, and where it was measured.
    trials : tuple of Trial
        Measured ones first, the fastest at the top; then failed, skipped and refused ones.
    stopped : str
        Why it ended before all that was planned was done; empty when nothing was left out.
    seconds : float
        What the search took [s].
    build : callable or None
        From the choices to a kernel's program, as given.
    module : callable or None
        From a candidate to the module that was measured.
    """

    name: str
    target: str
    device: str
    trials: tuple[Trial, ...]
    stopped: str = ""
    seconds: float = 0.0
    build: Callable[..., Any] | None = None
    module: Callable[[Candidate], Module] | None = None

    @property
    def best(self) -> Trial:
        """The fastest.

        Raises
        ------
        ScheduleError
            When none could be measured; with the most frequent reasons.
        """
        found = next((t for t in self.trials if t.status is Status.MEASURED), None)
        if found is None:
            reasons = Counter(t.reason for t in self.trials).most_common(3)
            raise ScheduleError(
                f"none of the {len(self.trials)} candidates of {self.name} could be measured",
                notes=[f"{count} ×: {reason}" for reason, count in reasons],
            )
        return found

    @property
    def program(self) -> Any:
        """What was built of the best candidate; it serves every size that it is called with."""
        assert self.build is not None, "a tuning read from a record builds nothing"
        return self.build(**self.best.candidate)

    def count(self, status: Status) -> int:
        """How many candidates came that far."""
        return sum(trial.status is status for trial in self.trials)

    def __str__(self) -> str:
        """The fastest ten and the reasons of the others, as a table."""
        counts = ", ".join(f"{n} {s.value}" for s in reversed(Status) if (n := self.count(s)))
        head = f"{self.name} on {self.target}: {counts}, {self.seconds:.1f} s"
        lines = [head + (f" ({self.stopped})" if self.stopped else "")]
        measured = [t for t in self.trials if t.status is Status.MEASURED]
        width = max((len(str(t.candidate)) for t in measured[:_LISTED]), default=0)
        for t in measured[:_LISTED]:
            predicted = f"  predicted {_us(t.predicted_us)}" if t.predicted_us else ""
            spread = f"({_us(t.low_us)} to {_us(t.high_us)})"
            lines.append(f"  {t.candidate!s:{width}}  {_us(t.median_us):>8} {spread}{predicted}")
        if len(measured) > _LISTED:
            lines.append(f"  and {len(measured) - _LISTED} slower ones")
        reasons = Counter(f"{t.status.value}: {t.reason}" for t in self.trials if t.reason)
        lines += [f"  {count} × {reason}" for reason, count in reasons.most_common()]
        return "\n".join(lines)

    __repr__ = __str__


_LISTED = 10


def _us(value: float | None) -> str:
    return "" if value is None else f"{value:.3g} µs" if value < 1e3 else f"{value / 1e3:.3g} ms"
