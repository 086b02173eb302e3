"""The law of tapes: for other inputs a tape gives what the function would give, or nothing."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.graph.symbolic.array import arange, array, full, integers, taken, wrap
from workbench.graph.symbolic.number import Symbol, marks, place_of, steady, unmarked
from workbench.graph.symbolic.probes import Met, Probes
from workbench.graph.symbolic.tape import Tape, Untraceable, tape_of, traced

Function = Callable[..., Any]


def recorded(function: Function, *inputs: int) -> tuple[Tape, Any]:
    """A tape of what a function does with some inputs, and what it gives."""
    tape = Tape(wrap)
    return tape, function(*map(tape.input, inputs))


def replayed(function: Function, inputs: tuple[int, ...], others: tuple[int, ...]) -> Any:
    """What the tape of a function for some inputs gives for others; None where it does not hold."""
    tape, result = recorded(function, *inputs)
    return tape.program([tape.place(result)]).run(others)


def stands(tape: Tape, place: int) -> Any:
    """What stands in a place."""
    return tape.values[place]


BINARY = [operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, min, max]
COMPARED = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@st.composite
def programs(draw: st.DrawFn) -> Function:
    """Functions of two numbers: sums, quotients, branches, texts, loops."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["binary", "branch", "divides", "truth", "loop", "round", "text"]),
                st.sampled_from(BINARY),
                st.sampled_from(COMPARED),
                st.integers(0, 9),
                st.integers(0, 9),
                st.integers(-3, 7),
            ),
            min_size=1,
            max_size=8,
        )
    )

    def function(a: Any, b: Any) -> Any:
        known: list[Any] = [a, b]
        for kind, combine, compare, first, second, number in steps:
            x, y = known[first % len(known)], known[second % len(known)]
            match kind:
                case "binary":
                    found = combine(x, y)
                case "branch":
                    found = combine(x, number) if compare(x, y) else y
                case "divides":
                    found = x // 3 if x % 3 == 0 else -x
                case "truth":
                    found = number if x else y
                case "loop":
                    found = sum(range(min(abs(int(x)), 5)))
                case "round":
                    found = math.ceil(x / 4) + math.floor(y * 0.5) + math.trunc(x / 3)
                case _:
                    found = len(f"{x}") if x < 0 else abs(y)
            known.append(found)
        return known[-1]

    return function


@settings(max_examples=400)
@given(
    function=programs(),
    inputs=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    others=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=6),
)
def test_a_tape_gives_what_the_function_gives_or_nothing(
    function: Function, inputs: tuple[int, int], others: list[tuple[int, int]]
) -> None:
    try:
        tape, result = recorded(function, *inputs)
    except ZeroDivisionError:
        return
    program = tape.program([tape.place(result)])
    assert program.run(inputs) == [function(*inputs)]
    for other in others:
        found = program.run(other)
        if found is not None:
            assert found == [function(*other)]


def test_what_is_decided_the_same_way_is_replayed() -> None:
    def rows(n: int, m: int) -> Any:
        tiles = -(-n // 8)
        return tiles * m if n > 4 and n % m else [n, (m, tiles)]

    assert replayed(rows, (20, 6), (50, 7)) == [49]
    assert replayed(rows, (20, 5), (35, 5)) == [[35, (5, 5)]]
    assert replayed(rows, (20, 6), (50, 10)) is None
    assert replayed(rows, (20, 6), (3, 2)) is None


def test_c_gets_the_number_and_leaves_a_guard() -> None:
    for function in (
        lambda n: len(list(range(n))),
        lambda n: [1, 2, 3, 4, 5][n],
        lambda n: int(n) + 1,
        math.sqrt,
        lambda n: np.zeros(n).sum(),
        lambda n: 1 if f"{n:>3}" == "  3" else 0,
    ):
        assert replayed(function, (3,), (3,)) == [function(3)]
        assert replayed(function, (3,), (4,)) is None


def test_a_symbol_acts_like_its_number() -> None:
    tape = Tape(wrap)
    n, half = tape.input(7), tape.input(7) / 2
    assert isinstance(n, int)
    assert not isinstance(n, bool | float)
    assert isinstance(half, float)
    assert type(n) is Symbol
    assert (n == 7, n != 7, n == "7", n in (1, 7), divmod(n, 2)[1] == 1) == (
        True,
        False,
        False,
        True,
        True,
    )
    assert math.trunc(half) == 3
    assert round(half + 0.1) == 4
    assert [-n < 0, ~n == -8, n & 3 == 3, 2**n == 128, np.int64(2) * n == 14] == [True] * 5
    match n:
        case int():
            pass
        case _:
            pytest.fail("a symbol is matched as what it stands for")


def test_in_a_set_a_symbol_is_found_by_itself() -> None:
    tape = Tape(wrap)
    n, m = tape.input(5), tape.input(6)
    assert {n, m, n} == {m, n}
    before = tape.guards
    assert len({n: 1, m: 2}) == 2
    assert tape.guards == before


def test_in_a_text_stands_a_mark() -> None:
    tape = Tape(wrap)
    n, real = tape.input(5), tape.input(3) * 0.5
    text = f"for i in range({n}) x[{[n + 1]}] = {real}"
    words = [place for *_, place in marks(text)]
    assert [stands(tape, p) for p in words] == [5, 6, 1.5]
    assert unmarked(text, lambda place: str(stands(tape, place))) == (
        "for i in range(5) x[[6]] = 1.5"
    )
    assert place_of(str(n)) == words[0]
    ((_, _, place),) = marks(str(-n))
    assert str(-n).startswith("-1")
    assert stands(tape, place) == 5
    assert place_of("12") is None


def test_probes_tell_what_depends_on_an_input() -> None:
    tape = Tape(wrap)
    n, m = tape.input(20), tape.input(30)
    places = [tape.place(v) for v in (n * 8, n - n, m, n * m, 4)]
    seen = list(zip(*Probes(tape).seen([places])[0], strict=True))
    assert [len(set(values)) > 1 for values in seen] == [True, False, True, True, False]
    assert seen[0][0] == 160
    assert min(seen[0]) <= 8 * 20 / 4 < 8 * 20 * 4 <= max(seen[0])


def test_a_probe_that_goes_astray_is_left_out() -> None:
    tape = Tape(wrap)
    n = tape.input(6)
    value = 100 // (n - 7)  # of 7 there is no quotient
    assert value == -100
    (seen,) = Probes(tape).seen([[tape.place(n)]])
    assert seen[0] == (6,)
    assert (7,) not in seen


def shapes(n: Any, m: Any) -> Any:
    """What a model computes of a shape."""
    shape = array([1, n, m], np.int64)
    whole = np.concatenate([shape[1:], array([n * m], np.int64)])
    minus = np.where(whole == 6, -1, whole)
    rest = taken(minus * full((3,), np.int64(2)), arange(2) + 1, 0)
    return [*integers(rest), whole.size, *integers(np.prod(shape).reshape(1))]


@given(
    inputs=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    others=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_arrays_of_shapes_are_traced(inputs: tuple[int, int], others: tuple[int, int]) -> None:
    # nothing is decided by the numbers: all others are served
    assert replayed(shapes, inputs, others) == [shapes(*others)]


def test_an_array_whose_shape_is_traced() -> None:
    def rows(n: Any) -> Any:
        table = np.arange(40).reshape(20, 2)
        part = taken(table, arange(n), 0)
        assert traced(part)
        assert part.dtype == np.int64
        assert not (part < 0).any()
        return [part.sum(), part.shape[0] * 2, part.nbytes]

    for n in (3, 11, 20):
        assert replayed(rows, (5,), (n,)) == [[n * (2 * n - 1), 2 * n, 16 * n]]
    # beyond the table there is nothing to take
    assert replayed(rows, (5,), (21,)) is None


def test_what_only_shows_its_elements_leaves_a_guard() -> None:
    for function in (
        lambda n: np.asarray(array([n, 2])).max(),
        lambda n: len(array([n, 2]).tobytes()),
        lambda n: float(array(n)),
        lambda n: [0] * len(arange(n)),
        lambda n: 1 if array([n]) else 0,
    ):
        assert replayed(function, (3,), (3,)) == [function(3)]
        assert replayed(function, (3,), (8,)) in (None, [function(8)])
    # to add up its elements one by one is no reason for one
    assert replayed(lambda n: sum(array([n, 2])), (3,), (8,)) == [10]


def test_what_is_not_known_is_refused() -> None:
    tape = Tape(wrap)
    numbers = array([tape.input(3), 4], np.int64)
    with pytest.raises(Untraceable, match=r"numpy\.copyto"):
        np.copyto(numbers, 1)
    with pytest.raises(Untraceable, match="changes what it is given"):
        np.add(np.ones(2), numbers, out=np.ones(2))
    with pytest.raises(AttributeError, match="has no sort"):
        numbers.sort()
    with pytest.raises(TypeError, match="unhashable"):
        hash(numbers)


def test_nothing_traced_stays_plain() -> None:
    assert tape_of([1, (2, 3)], slice(4)) is None
    assert type(array([1, 2], np.int64)) is np.ndarray
    assert type(full((2,), np.float32(1))) is np.ndarray
    assert integers(np.array([3, 4])) == [3, 4]
    assert taken(np.arange(5), np.array([7]), 0, "clip").tolist() == [4]


def test_a_program_goes_on_from_where_another_has_ended() -> None:
    tape = Tape(wrap)
    n = tape.input(6)
    double, spare = n * 2, n + 7
    assert n > 3
    first = tape.program([double.place])
    m = tape.input(10)
    total = double + m * spare
    assert m != n
    second = tape.program([total.place, double.place], first)
    # what the first has computed is not computed again; what it did not need is now
    assert len(second.entries) == 4
    for a, b in ((6, 10), (5, 2), (4, 4), (3, 9)):
        values: list[Any] = []
        held = first.go_on(values, [a])
        assert held == (a > 3)
        if held and second.go_on(values, [b]):
            assert [values[p] for p in second.results] == [2 * a + b * (a + 7), 2 * a]
        else:
            assert a <= 3 or a == b
    found = tape.everything(first).run([5])
    assert found is not None
    assert found[double.place] == 10
    assert len(found) == first.places_to < len(tape.values)


def test_probes_grow_with_the_tape() -> None:
    tape = Tape(wrap)
    probes = Probes(tape)
    n = tape.input(12)
    assert n % 2 == 0
    (rows,) = probes.seen([[tape.place(n * 3)]])
    assert (36,) in rows
    assert (72,) in rows
    assert probes.hold
    m = tape.input(7)
    whole = n + m
    (rows,) = probes.seen([[n.place, m.place, whole.place]])
    assert all(a + b == c for a, b, c in rows)
    assert {(12, 14), (24, 7), (24, 14), (24, 15)} <= {row[:2] for row in rows}
    assert probes.hold
    assert n == 12
    assert m > 3
    assert probes.hold, "one alone may be another"
    assert m == 7
    assert not probes.hold


def test_what_was_the_same_in_other_calls_is_a_number() -> None:
    tape = Tape(wrap)
    n = tape.input(640)
    tape.steady = Met(tape, [[320], [480]]).steady
    sizes = integers(np.minimum(array([n, n // 320, 4], np.int64), 320))
    assert [traced(s) for s in sizes] == [False, True, False]
    assert steady(n) is n
    assert array([n, 1])[1:].shape == (1,)
    # it holds for no call where it is another one
    program = tape.program([tape.place(sizes[1])])
    assert program.run([330]) == [1]
    assert program.run([300]) is None
