"""A figure, its goal, and how both are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from workbench.runtime.timing import Measurement, Ratio

Fact: TypeAlias = int | float | str


@dataclass(frozen=True, slots=True)
class Settings:
    """How much time an entry may take.

    Attributes
    ----------
    quick : bool
        True takes the fewest samples of the smallest sizes: it shows that an entry works, and its
        figures mean nothing.
    """

    quick: bool = False

    @property
    def budget_s(self) -> float:
        """Time to spend on the samples of one thing [s]."""
        return 0.01 if self.quick else 1.0

    @property
    def processes(self) -> int:
        """Fresh processes to start where one gives one sample."""
        return 1 if self.quick else 15


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be.

    Attributes
    ----------
    bound : float
        In the figure's unit.
    at_least : bool
        Whether more is better; else the figure should be at most `bound`.

    Examples
    --------
    >>> Goal(50).met(49.9), Goal(3, at_least=True).met(2.9)
    (True, False)
    """

    bound: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether `value` is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound

    def text(self, unit: str) -> str:
        """In words: ``≤ 50 ms``."""
        return f"{'≥' if self.at_least else '≤'} {number(self.bound)} {unit}".strip()


@dataclass(frozen=True, slots=True)
class Figure:
    """One result.

    Attributes
    ----------
    name : str
        What was measured or counted.
    value : float or None
        The median where there are samples; None when it was not measured.
    unit : str
        Of `value`, `low`, `high` and the goal.
    low, high : float or None
        Bounds of the middle half of the samples.
    goal : Goal or None
        What it should be.
    conditions : str
        How it was measured; or, of what was not measured, why.
    facts : mapping of str to int, float or str
        What else is worth keeping.
    """

    name: str
    value: float | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    goal: Goal | None = None
    conditions: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a value."""
        if self.goal is None or self.value is None:
            return None
        return self.goal.met(self.value)

    def json(self) -> dict[str, object]:
        """All fields, ready for ``json.dumps``."""
        goal = self.goal
        return {
            "figure": self.name,
            "value": self.value,
            "unit": self.unit,
            "q1": self.low,
            "q3": self.high,
            "goal": goal.text(self.unit) if goal else None,
            "met": self.met,
            "conditions": self.conditions,
            "facts": dict(self.facts),
        }


Bench: TypeAlias = Callable[[Settings], list[Figure]]
"""What an entry runs."""


def duration(
    name: str, of: Measurement, goal: Goal | None = None, facts: Mapping[str, Fact] | None = None
) -> Figure:
    """A measured time [ms]."""
    low, high = (us / 1e3 for us in of.quartiles_us)
    spread = (low, high) if len(of.samples_us) > 1 else (None, None)
    return Figure(name, of.median_us / 1e3, "ms", *spread, goal, of.conditions, facts or {})


def times(name: str, of: Ratio, goal: Goal | None = None) -> Figure:
    """How many times longer one thing takes than another, from samples taken in turns."""
    conditions = "ratio of samples taken side by side"
    return Figure(name, of.median, "×", of.low, of.high, goal, conditions)


def absent(name: str, why: str, goal: Goal | None = None, unit: str = "") -> Figure:
    """A figure that could not be had here."""
    return Figure(name, None, unit, goal=goal, conditions=why)


def number(value: float) -> str:
    """Three digits, or all of a whole number.

    Examples
    --------
    >>> number(0.01234), number(3.0), number(49.96), number(65536.0), number(2.5e-7)
    ('0.0123', '3', '50.0', '65536', '2.50e-07')
    """
    if value == int(value):
        return str(int(value))
    if abs(value) < 1e-3:
        return f"{value:.2e}"
    decimals = 4 if abs(value) < 0.1 else 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1
    return f"{value:.{decimals}f}" if abs(value) < 100 else f"{value:.0f}"


def report(title: str, figures: list[Figure]) -> str:
    """The figures of an entry as an aligned table, each beside its goal.

    Examples
    --------
    >>> print(report("C0  nothing", [Figure("empty call", 0.5, "ms", goal=Goal(0.4))]))
    C0  nothing
      empty call  0.500 ms   goal ≤ 0.400 ms: NOT MET
    """
    values = [_value(each) for each in figures]
    name_width = max((len(each.name) for each in figures), default=0)
    value_width = max((len(value) for value in values), default=0)
    rows = [
        f"  {each.name:{name_width}}  {value:{value_width}}   {_remark(each)}".rstrip()
        for each, value in zip(figures, values, strict=True)
    ]
    return "\n".join([title, *rows])


def _value(figure: Figure) -> str:
    if figure.value is None:
        return "not measured"
    text = f"{number(figure.value)} {figure.unit}".rstrip()
    if figure.low is None or figure.high is None:
        return text
    return f"{text} ({number(figure.low)}–{number(figure.high)})"


def _remark(figure: Figure) -> str:
    parts: list[str] = []
    if figure.goal is not None:
        verdict = {True: ": met", False: ": NOT MET", None: ""}[figure.met]
        parts.append(f"goal {figure.goal.text(figure.unit)}{verdict}")
    if figure.value is None:
        parts.append(figure.conditions)
    parts += [
        f"{name} {number(fact) if isinstance(fact, float) else fact}"
        for name, fact in figure.facts.items()
    ]
    return "; ".join(parts)
