"""What can be chosen: named choices, and rules that say which combinations are legal."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import prod
from typing import Any, TypeAlias

from workbench.base.errors import ScheduleError

Value: TypeAlias = "int | float | str | bool | tuple[int, ...]"

MOST = 100_000
"""Combinations of a space, legal or not; more cannot be listed, let alone tried."""


@dataclass(frozen=True, slots=True)
class Candidate(Mapping[str, "Value"]):
    """One value for every choice; a mapping, so that ``build(**candidate)`` works.

    Examples
    --------
    >>> candidate = Candidate.of(tile=(16, 8), depth=4)
    >>> str(candidate), candidate["depth"], dict(candidate)
    ('tile=(16, 8), depth=4', 4, {'tile': (16, 8), 'depth': 4})
    """

    chosen: tuple[tuple[str, Value], ...]

    @classmethod
    def of(cls, **chosen: Value) -> Candidate:
        """From names and values, in this order."""
        return cls(tuple(chosen.items()))

    @classmethod
    def template(cls, template: Any) -> Candidate:
        """The fields of a schedule template (a frozen dataclass)."""
        return cls(tuple((f.name, getattr(template, f.name)) for f in fields(template)))

    def __getitem__(self, name: str) -> Value:
        for each, value in self.chosen:
            if each == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.chosen)

    def __len__(self) -> int:
        return len(self.chosen)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.chosen)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a legal combination must fulfil.

    Attributes
    ----------
    reason : str
        What is wrong with one that does not, in words.
    holds : callable
        Takes the choices that its parameters name.
    reads : tuple of str
        Those names.
    """

    reason: str
    holds: Callable[..., object]
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A combination that is not legal, and why."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that can be chosen for one kernel.

    Attributes
    ----------
    choices : tuple of (str, tuple)
        Names, each with its values.
    rules : tuple of Rule
        What a combination must fulfil.

    Examples
    --------
    >>> space = Space.of(threads=[64, 128, 256], each=[1, 2, 4])
    >>> space = space.where("more than 512 elements", lambda threads, each: threads * each <= 512)
    >>> len(space), len(space.refused)
    (8, 1)
    >>> str(space.refused[0].candidate), space.refused[0].reason
    ('threads=256, each=4', 'more than 512 elements')
    """

    choices: tuple[tuple[str, tuple[Value, ...]], ...]
    rules: tuple[Rule, ...] = ()
    listed: tuple[Candidate, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, **choices: Sequence[Value]) -> Space:
        """A space of all combinations.

        Raises
        ------
        ScheduleError
            When a choice has no values or one twice, or there are too many combinations.
        """
        for name, values in choices.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise ScheduleError(
                    f"the choice {name} has no values", hint=f"pass a list: {name}=[1, 2, 4]"
                )
            if any(a == b for a, b in itertools.combinations(values, 2)):
                raise ScheduleError(f"the choice {name} lists a value twice")
        count = prod(len(values) for values in choices.values())
        if count > MOST:
            raise ScheduleError(
                f"the space has {count} combinations; at most {MOST} can be listed",
                hint="fewer values per choice; a good space has some hundred legal candidates",
            )
        return cls(tuple((name, tuple(values)) for name, values in choices.items()))

    @classmethod
    def over(cls, templates: Sequence[Any]) -> Space:
        """The candidates of a schedule template, as it lists them itself."""
        listed = tuple(Candidate.template(t) for t in templates)
        names = dict.fromkeys(name for each in listed for name in each)
        choices = tuple((n, tuple(dict.fromkeys(c[n] for c in listed))) for n in names)
        return cls(choices, (), listed)

    def where(self, reason: str, holds: Callable[..., object]) -> Space:
        """The space with one rule more.

        Parameters
        ----------
        reason : str
            What is wrong with a combination that breaks it: ``"more than 1024 threads"``.
        holds : callable
            Its parameters are names of choices; true for a legal combination.

        Raises
        ------
        ScheduleError
            For a parameter that is no choice.
        """
        reads = tuple(inspect.signature(holds).parameters)
        known = [name for name, _ in self.choices]
        if unknown := [name for name in reads if name not in known]:
            raise ScheduleError(
                f"the rule asks for {', '.join(unknown)}, which the space does not have",
                hint=f"its choices are {', '.join(known)}",
            )
        return Space(self.choices, (*self.rules, Rule(reason, holds, reads)), self.listed)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The legal ones, the last choice changing fastest."""
        return tuple(c for c in self._all() if self._broken(c) is None)

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The others, each with the first rule that it breaks."""
        pairs = ((c, self._broken(c)) for c in self._all())
        return tuple(Refused(c, reason) for c, reason in pairs if reason is not None)

    def __len__(self) -> int:
        return len(self.candidates)

    def _all(self) -> Iterator[Candidate]:
        if self.listed:
            yield from self.listed
            return
        names = [name for name, _ in self.choices]
        for values in itertools.product(*(values for _, values in self.choices)):
            yield Candidate(tuple(zip(names, values, strict=True)))

    def _broken(self, candidate: Candidate) -> str | None:
        for rule in self.rules:
            if not rule.holds(*(candidate[name] for name in rule.reads)):
                return rule.reason
        return None
