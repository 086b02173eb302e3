"""Spaces: what is legal, what is refused and why."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.tune import Candidate, Space

values = st.lists(st.integers(1, 64), min_size=1, max_size=5, unique=True)


@given(a=values, b=values, limit=st.integers(1, 4096))
def test_every_combination_is_legal_or_refused(a: list[int], b: list[int], limit: int) -> None:
    space = Space.of(a=a, b=b).where("too much", lambda b, a: a * b <= limit)
    legal, refused = space.candidates, space.refused
    assert len(legal) + len(refused) == len(a) * len(b)
    assert {(c["a"], c["b"]) for c in legal} == {(x, y) for x in a for y in b if x * y <= limit}
    assert {r.reason for r in refused} <= {"too much"}


def test_the_first_broken_rule_is_the_reason() -> None:
    space = Space.of(n=[1, 2, 3]).where("odd", lambda n: n % 2 == 0).where("small", lambda n: n > 2)
    assert [(dict(r.candidate), r.reason) for r in space.refused] == [
        ({"n": 1}, "odd"),
        ({"n": 2}, "small"),
        ({"n": 3}, "odd"),
    ]


def test_a_template_lists_its_own_candidates() -> None:
    @dataclass(frozen=True)
    class Tiled:
        tile: tuple[int, int] = (4, 4)
        depth: int = 8

    space = Space.over([Tiled(), Tiled((8, 4)), Tiled(depth=16)])
    assert [Tiled(**c) for c in space.candidates] == [Tiled(), Tiled((8, 4)), Tiled(depth=16)]
    assert space.choices == (("tile", ((4, 4), (8, 4))), ("depth", (8, 16)))
    assert len(space.where("deep", lambda depth: depth < 16)) == 2


def test_candidates_compare_by_value() -> None:
    one, other = Candidate.of(n=1, m=(2, 3)), Candidate.of(n=1, m=(2, 3))
    assert one == other
    assert len({one, other}) == 1
    with pytest.raises(KeyError):
        one["k"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Space.of(n=[]), "the choice n has no values"),
        (lambda: Space.of(n="abc"), "the choice n has no values"),
        (lambda: Space.of(n=3), "the choice n has no values"),
        (lambda: Space.of(n=[1, 2, 1]), "the choice n lists a value twice"),
        (
            lambda: Space.of(a=range(1000), b=range(1000)),
            "the space has 1000000 combinations; at most 100000 can be listed",
        ),
        (
            lambda: Space.of(n=[1]).where("x", lambda m: m),
            "the rule asks for m, which the space does not have",
        ),
    ],
)
def test_mistakes(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(wb.WorkbenchError) as caught:
        make()
    assert caught.value.message == message
