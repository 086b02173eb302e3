"""C11: from a mapping's text to its picture, 1,024 workers and 65,536 tasks.

What a keystroke in the expression box costs in Python: read the text, work out who does what,
and either draw the static picture or write the data that the browser draws from.
"""

from __future__ import annotations

import itertools
import json

from workbench.bench.figure import Figure, Goal, Settings, duration
from workbench.mapping import parse_mapping
from workbench.runtime.timing import compare
from workbench.view import as_json, mapping_view, svg_of

TEXTS = (
    "repeat(8, 8) * spatial(32, 32)",
    "spatial(32, 32) * repeat(8, 8)",
    "repeat(4, 16) * spatial(64, 16)",
    "spatial(8, 4) * repeat(4, 4) * spatial(4, 8) * repeat(2, 2)",
)


def mapping_edit(settings: Settings) -> list[Figure]:
    """Text to picture and text to data, another text each time."""
    for text in TEXTS:
        mapping = parse_mapping(text)
        assert mapping.workers == 1024, text
        assert mapping.table().shape[:2] == (1024, 64), text
    drawn, sent = itertools.cycle(TEXTS), itertools.cycle(TEXTS)
    found = compare(
        {"picture": lambda: _picture(next(drawn)), "data": lambda: _data(next(sent))},
        budget_s=settings.budget_s,
    )
    size = {"bytes": len(_picture(TEXTS[0]))}, {"bytes": len(_data(TEXTS[0]))}
    return [
        duration("text to SVG", found["picture"], Goal(50), size[0]),
        duration("text to the live widget's data", found["data"], Goal(50), size[1]),
    ]


def _picture(text: str) -> str:
    return svg_of(mapping_view(parse_mapping(text)))


def _data(text: str) -> str:
    return json.dumps(as_json(mapping_view(parse_mapping(text))))
