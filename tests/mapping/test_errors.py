"""What a person reads after a mistake; the whole wording is a golden file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from workbench.base.errors import MappingError, ParseError, WorkbenchError
from workbench.mapping import (
    TaskMapping,
    auto_map,
    column_major,
    column_spatial,
    parse_layout,
    parse_mapping,
    predicated_auto_map,
    repeat,
    row_major,
    spatial,
    strided,
)


def forever(worker: int):
    while True:
        yield (worker,)


def one_task(*task: object) -> Callable[[int], object]:
    def function(worker: int) -> object:
        return [task]

    return function


COPY = repeat(4, 1) * spatial(16, 8)
LONG = predicated_auto_map(10**9, workers=7)

IN_PYTHON: dict[str, Callable[[], object]] = {
    "ranks that do not match": lambda: repeat(4) * spatial(16, 8),
    "extent 0": lambda: spatial(16, 0),
    "negative extent": lambda: repeat(4, 1).column_spatial(-2, 8),
    "extent that is no int": lambda: repeat(2.0, 3),
    "extent that is a bool": lambda: spatial(True, 2),
    "a shape as one extent": lambda: spatial((16, 8)),
    "no extents": spatial,
    "ranks that are no permutation": lambda: spatial(2, 3, ranks=[0, 2]),
    "too few ranks": lambda: spatial(2, 3, ranks=[0]),
    "ranks that are no list": lambda: spatial(2, 3, ranks=1),
    "unknown attribute": lambda: repeat(2, 3, attrs="rolled"),
    "unroll factor 0": lambda: repeat(2, 3, attrs=[0, None]),
    "too few attributes": lambda: repeat(2, 3, attrs=["unroll"]),
    "no multiple": lambda: auto_map(8, 41, workers=64),
    "no workers": lambda: auto_map(8, 41, workers=0),
    "workers that are no int": lambda: predicated_auto_map(8, 41, workers=2.5),
    "worker past the last": lambda: COPY(128),
    "worker below 0": lambda: COPY.on(-1),
    "worker that is no int": lambda: COPY("3"),
    "table of a worker past the last": lambda: COPY.table([3, 200]),
    "table of no workers": lambda: COPY.table(["a"]),
    "table too large": (repeat(2**20, 2**20) * spatial(16, 8)).table,
    "list too large": lambda: repeat(2**20, 2**20)(0),
    "domain too large": lambda: spatial(2**31, 1) * repeat(2**31, 2),
    "extent too large": lambda: spatial(10**30),
    "projection to 1": lambda: COPY.projection({1: 1}),
    "projection of no dim": lambda: COPY.projection({2: 0}),
    "projection that is no dict": lambda: COPY.projection([1]),
    "function outside the domain": lambda: TaskMapping((4, 4), 2, one_task(0, 4)),
    "function of another rank": lambda: TaskMapping((4, 4), 2, one_task(0)),
    "function with fractions": lambda: TaskMapping((4, 4), 2, one_task(0, 1.5)),
    "function with bare ints": lambda: TaskMapping((4,), 2, range),
    "function that gives nothing": lambda: TaskMapping((4,), 2, lambda w: None),
    "function without end": lambda: TaskMapping((4,), 2, forever),
    "function of too many workers": lambda: TaskMapping((4,), 10**9, forever),
    "no function": lambda: TaskMapping((4,), 2, [(0,), (1,)]),
    "comparison too large": lambda: predicated_auto_map(10**9, workers=7).same_as(
        predicated_auto_map(10**9, workers=7) * repeat(1)
    ),
    "lowering needs too large a table": (
        spatial(2, 1) * predicated_auto_map(3, 10**7, workers=10**7 + 1)
    ).nest,
    "layouts of other ranks": lambda: row_major(4) * row_major(4, 4),
    "layout index outside": lambda: row_major(4, 4)(0, 4),
    "layout index missing": lambda: row_major(4, 4)(0),
    "layout stride": lambda: strided((4, 4), (-4, 1)),
    "layout strides": lambda: strided((4, 4), (4,)),
    "layout extent": lambda: column_major(4, 0),
    "layout table too large": lambda: row_major(2**20, 2**20).table(),
    "swizzle of an odd size": lambda: row_major(3, 5).swizzle(1),
    "swizzle that reads its own bits": lambda: row_major(16, 16).swizzle(3, 0, 2),
    "swizzle of no bits": lambda: row_major(16, 16).swizzle(0),
    "swizzled tile that reads past itself": lambda: row_major(2, 2) * row_major(4, 4).swizzle(2, 2),
    "swizzle over a tile of odd size": lambda: row_major(4, 4).swizzle(2) * row_major(3, 1),
}

IN_TEXT = [
    "repeat(4, 1) * spatal(16, 8)",
    "repeat(4, 1) * spatial(16, 0)",
    "repeat(4, 1).spatial(16, 2 * 3 - 6)",
    "repeat(4) * spatial(16, 8) * repeat(2)",
    "repeat(2, 2).repaet(3, 3)",
    "repeat(2, 2).table()",
    "repeat(n, 2)",
    "repeat(2, 2",
    "repeat(2, 2) *",
    "repeat(2, 2) + spatial(2, 2)",
    "2 * spatial(2, 2)",
    "spatial(2, 2, ranks=[0, 0])",
    "spatial(2, 2, rank=[0, 1])",
    "spatial(2, 2, attrs='unroll')",
    "repeat(2, 2, attrs='rolled')",
    "repeat(4 / 2, 2)",
    "repeat(4 // 0, 2)",
    "repeat(2 ** 9, 2)",
    "repeat('4', 2)",
    "repeat(*[4, 2])",
    "repeat(...)",
    "auto_map(8, 41, workers=64)",
    "auto_map(8, 41)",
    "auto_map(8, 41, workers='all')",
    "(repeat(2, 2) * spatial(2, 2)).projection({2: 0})",
    "spatial",
    "__import__('os').system('true')",
    "lambda: spatial(2)",
    "TaskMapping((4, 4), 2, <lambda>)",
    "TaskMapping((4, 4), 2, f)",
    "",
    "spatial(4)\n  * repeat(0)",
    "row_major(4, 4)",
    "spatial(²)",
    "repeat(4) * spätial(4)",
]

LAYOUT_TEXT = [
    "row_major(4, 0)",
    "rowmajor(4, 4)",
    "strided((4, 4), (4,))",
    "row_major(4).swizzle(9)",
]


def told(make: Callable[[], object]) -> str:
    with pytest.raises(WorkbenchError) as caught:
        make()
    assert isinstance(caught.value, MappingError | ParseError)
    return f"{type(caught.value).__name__}: {caught.value}"


def test_messages_of_python_calls(golden: Callable[[str, str], None]):
    golden("errors.txt", "\n\n".join(f"# {case}\n{told(make)}" for case, make in IN_PYTHON.items()))


def test_messages_of_texts(golden: Callable[[str, str], None]):
    texts = [told(lambda text=text: parse_mapping(text)) for text in IN_TEXT]
    texts += [told(lambda text=text: parse_layout(text)) for text in LAYOUT_TEXT]
    golden("text_errors.txt", "\n\n".join(texts))


@pytest.mark.parametrize("text", ["(" * 3000, "-" * 9000 + "1", "9" * 9000, "a" * 20_000, 3, "\0"])
def test_hostile_texts_are_errors(text: str):
    with pytest.raises(ParseError) as caught:
        parse_mapping(text)
    assert len(str(caught.value)) < 300


def test_error_points_at_the_factor():
    with pytest.raises(MappingError) as caught:
        parse_mapping("repeat(4, 1) * spatial(16, 0)")
    span = caught.value.span
    assert span is not None
    assert (span.file, span.line, span.col, span.end_col) == ("<mapping>", 1, 27, 28)
    assert span.source_line() == "repeat(4, 1) * spatial(16, 0)"


def test_error_of_a_users_function_stays_what_it_is():
    with pytest.raises(ZeroDivisionError) as caught:
        TaskMapping((4,), 2, lambda w: [(1 // (1 - w),)])
    assert any("tasks of worker 1" in note for note in caught.value.__notes__)


def test_only_mappings_compose():
    for other in (3, None, np.arange(3), row_major(4)):
        with pytest.raises(TypeError):
            spatial(4) * other


def test_mapping_is_immutable():
    mapping = spatial(4)
    with pytest.raises(AttributeError):
        mapping.shape = (5,)
    with pytest.raises(AttributeError):
        del mapping.workers


def test_numpy_integers_are_integers():
    assert spatial(np.int64(4), np.int32(2)) == spatial(4, 2)
    assert str(spatial(np.int64(4))) == "spatial(4)"
    assert column_spatial(2, 3)(np.uint8(1)) == [(1, 0)]
    assert TaskMapping((4,), np.int64(2), lambda w: [(np.int64(w),)])(1) == [(1,)]


def test_only_mappings_are_compared():
    with pytest.raises(MappingError, match=r"spatial\(4\) is compared with a mapping, not with 3"):
        spatial(4).same_as(3)
