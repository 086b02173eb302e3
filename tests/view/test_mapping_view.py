"""A mapping as data, as a table and as a picture; what is drawn is what the mapping says."""

from __future__ import annotations

import base64
import json
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.mapping import (
    TaskMapping,
    auto_map,
    column_spatial,
    parse_mapping,
    predicated_auto_map,
    repeat,
    spatial,
)
from workbench.view import as_json, bundle, mapping_view, svg_of, text_of
from workbench.view.cells import NOBODY, evaluate, window
from workbench.view.palette import DARK, LIGHT, tone

FRAGMENT = repeat(2, 1) * spatial(8, 4) * repeat(1, 2)
CASES = {
    "fragment": FRAGMENT,
    "matmul": spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4),
    "projection": (spatial(2, 2) * repeat(2, 2)).projection({1: 0}),
    "function": TaskMapping((4, 4), 4, lambda w: [(w, i) for i in range(w + 1)]),
    "predicates": predicated_auto_map(5, 7, workers=8),
    "rank3": auto_map(2, 4, 8, workers=16),
    "strip": repeat(3) * spatial(8),
}


def facts(mapping: TaskMapping) -> str:
    return " · ".join(f"{f.value} {f.words}".strip() for f in mapping_view(mapping).facts)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (FRAGMENT, "16 × 8 tasks · 32 workers · 4 tasks each · every task once"),
        (repeat(3), "3 tasks · 1 worker · 3 tasks each · every task once"),
        (spatial(3), "3 tasks · 3 workers · 1 task each · every task once"),
        (CASES["projection"], "4 × 1 tasks · 4 workers · 4 tasks each · every task 4 times"),
        (CASES["function"], "4 × 4 tasks · 4 workers · 1 to 4 tasks each · 6 done by nobody"),
        (CASES["predicates"], "5 × 7 tasks · 8 workers · 5 tasks each · 1 idle · every task once"),
        (
            TaskMapping((3,), 2, lambda w: [(0,), (w,)]),
            "3 tasks · 2 workers · 2 tasks each · 1 done by nobody · 1 done up to 3 times",
        ),
    ],
)
def test_facts_in_words(mapping: TaskMapping, words: str):
    assert facts(mapping) == words


@pytest.mark.parametrize("name", CASES)
def test_data_and_table_and_picture(golden: Callable[[str, str], None], name: str):
    view = mapping_view(CASES[name])
    golden(f"mapping-{name}.json", json.dumps(as_json(view), indent=1, ensure_ascii=False))
    golden(f"mapping-{name}.txt", text_of(view))
    # How a raster is packed depends on the machine's zlib; its pixels have a test of their own.
    golden(f"mapping-{name}.svg", re.sub(r"base64,[^\"]+", "base64,…", svg_of(view)))
    ET.fromstring(svg_of(view))


small = st.lists(
    st.tuples(
        st.sampled_from([repeat, spatial, column_spatial]), st.integers(1, 3), st.integers(1, 4)
    ),
    min_size=1,
    max_size=4,
)


def product(parts: list[tuple[Callable[..., TaskMapping], int, int]]) -> TaskMapping:
    mapping = parts[0][0](*parts[0][1:])
    for make, rows, columns in parts[1:]:
        mapping = mapping * make(rows, columns)
    return mapping


@given(small)
def test_the_nest_of_a_view_gives_the_tasks_of_the_mapping(
    parts: list[tuple[Callable[..., TaskMapping], int, int]],
):
    mapping = product(parts)
    nest = mapping_view(mapping).nest
    assert nest is not None
    tasks = evaluate(nest, np.arange(mapping.workers))
    for worker in range(mapping.workers):
        assert list(map(tuple, tasks.place[worker][tasks.done[worker]].tolist())) == mapping(worker)


@pytest.mark.parametrize("name", CASES)
def test_a_cell_names_the_worker_that_does_it(name: str):
    mapping = CASES[name]
    view = mapping_view(mapping)
    assert view.nest is not None
    seen = window(view.nest, view.shape, view.workers, (99, 999, 999))
    first: dict[tuple[int, ...], tuple[int, int]] = {}
    times: dict[tuple[int, ...], int] = {}
    for worker in range(mapping.workers):
        for order, task in enumerate(mapping(worker)):
            first.setdefault(task, (worker, order))
            times[task] = times.get(task, 0) + 1
    for part in seen.slices:
        for (row, column), owner in np.ndenumerate(part.owner):
            task = (*part.at, row, column)[-len(mapping.shape) :]
            assert (owner, part.order[row, column]) == first.get(task, (NOBODY, NOBODY))
            assert part.times[row, column] == times.get(task, 0)


def test_labels_of_the_picture_are_the_workers_of_the_cells():
    tree = ET.fromstring(svg_of(mapping_view(FRAGMENT)))
    rows = [
        [t.text for t in text if re.fullmatch(r"w\d+", t.text or "")]
        for text in tree.iter("{http://www.w3.org/2000/svg}text")
        if text.get("class") == "m c"
    ]
    expected = [["" for _ in range(8)] for _ in range(16)]
    for worker in range(32):
        for row, column in FRAGMENT(worker):
            expected[row][column] = f"w{worker}"
    assert rows == expected


def test_pixels_of_a_raster_are_the_tones_of_the_workers():
    mapping = CASES["matmul"]
    picture = svg_of(mapping_view(mapping))
    light, dark = (base64.b64decode(part) for part in re.findall(r'png;base64,([^"]+)', picture))
    for file, theme in ((light, LIGHT), (dark, DARK)):
        size, pixels, palette = read_png(file)
        assert size == (128, 128)
        for worker in range(0, 256, 37):
            for row, column in mapping(worker):
                assert palette[pixels[row][column]] == tone(worker // 8 % 32, theme)


def read_png(file: bytes) -> tuple[tuple[int, int], list[bytes], list[tuple[int, ...]]]:
    """Size, rows of indices, palette; only what the format's simplest files have."""
    place, parts = 8, {}
    while place < len(file):
        (length,) = struct.unpack(">I", file[place : place + 4])
        kind, body = file[place + 4 : place + 8], file[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", file[place + 8 + length :][:4])[0]
        parts[kind], place = body, place + 12 + length
    columns, rows = struct.unpack(">II", parts[b"IHDR"][:8])
    raw = zlib.decompress(parts[b"IDAT"])
    lines = [raw[r * (columns + 1) : (r + 1) * (columns + 1)] for r in range(rows)]
    assert all(line[0] == 0 for line in lines)
    colours = [tuple(parts[b"PLTE"][k : k + 3]) for k in range(0, len(parts[b"PLTE"]), 3)]
    return (rows, columns), [line[1:] for line in lines], colours


def test_addresses_are_row_major():
    text = svg_of(mapping_view(FRAGMENT))
    assert re.findall(r">(\d+ B)<", text) == ["0 B", "4 B", "256 B", "260 B"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("repeat(64, 64) * spatial(32, 32)", "the first 512 × 512 of 2048 × 2048 cells"),
        ("repeat(2048, 1024) * spatial(32, 32)", "the first 1 of 1024 workers"),
        ("repeat(8192, 8192)", "one worker alone has up to 67108864 tasks"),
        ("auto_map(64, 16, 32, workers=32)", "the first 4 of 64 slices"),
    ],
)
def test_what_is_not_drawn_is_said(text: str, note: str):
    picture = svg_of(mapping_view(parse_mapping(text)))
    assert note in picture
    assert len(picture) < 400_000


def test_a_function_with_a_large_table_is_not_drawn_and_says_so():
    rng = np.random.default_rng(0)
    places = rng.permutation(2**17)
    view = mapping_view(TaskMapping((2**17,), 2**17, lambda w: [(int(places[w]),)]))
    assert view.nest is None
    assert "it needs a large table of constants" in svg_of(view)
    assert len(json.dumps(as_json(view))) < 10_000


def test_a_bundle_has_every_form_and_no_widget():
    shown = bundle(mapping_view(FRAGMENT))
    assert list(shown) == [
        "application/vnd.kernel-workbench.view+json",
        "text/html",
        "image/svg+xml",
        "text/plain",
    ]
    assert shown["text/html"].startswith('<img src="data:image/svg+xml;base64,')
    assert 'alt="repeat(2, 1) * spatial(8, 4) * repeat(1, 2): 16 × 8 tasks' in shown["text/html"]
    json.dumps(shown)


def test_names_of_functions_are_no_markup():
    def evil(worker: int) -> list[tuple[int]]:
        return [(worker,)]

    evil.__name__ = '<script>"&\x07'
    shown = bundle(mapping_view(TaskMapping((2,), 2, evil)))
    assert "<script>" not in shown["image/svg+xml"]
    assert "<script>" not in shown["text/html"]
    assert "\x07" not in shown["text/plain"]
    ET.fromstring(shown["image/svg+xml"])
