"""The browser's types are made of the dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from workbench.view.typescript import typescript

TYPES = Path(__file__).parents[2] / "extension" / "src" / "viz" / "types.ts"


def test_types_of_the_browser_are_those_of_the_views(request: pytest.FixtureRequest):
    if request.config.getoption("--update-golden"):
        TYPES.write_text(typescript(), encoding="utf-8")
    assert TYPES.read_text(encoding="utf-8") == typescript(), "run pytest --update-golden"


@dataclass(frozen=True)
class Part:
    """A part
    of it.

    More about it.
    """

    many: tuple[int | None, ...]
    pair: tuple[float, str]


@dataclass(frozen=True)
class Whole:
    """All."""

    part: Part | None
    parts: tuple[tuple[Part, ...], ...]
    named: dict[str, Part]
    on: bool
    kind: Literal["whole"] = "whole"
    version: Literal[3] = 3


def test_every_type_has_its_form():
    text = typescript([Whole])
    assert text.index("interface Part") < text.index("interface Whole")
    for line in (
        "/** A part of it. */",
        "many: (number | null)[];",
        "pair: [number, string];",
        "part: Part | null;",
        "parts: Part[][];",
        "named: Record<string, Part>;",
        "on: boolean;",
        'kind: "whole";',
        "version: 3;",
        "export type View = Whole;",
        "{ whole: 3 };",
    ):
        assert line in text


def test_what_json_cannot_hold_is_refused():
    @dataclass(frozen=True)
    class Bad:
        """Bad."""

        raw: bytes

    with pytest.raises(TypeError, match=r"bytes.*no place in a view"):
        typescript([Bad])


def test_two_views_of_one_name_are_refused():
    other = dataclass(frozen=True)(type("Part", (), {"__annotations__": {"x": int}}))
    with pytest.raises(TypeError, match="two views name a Part"):
        typescript([Whole, other])
