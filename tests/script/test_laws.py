"""Random programs mean the same to Python and, translated, to the interpreter."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tests.script.conftest import define
from workbench.base.errors import ScriptError
from workbench.driver.build import compile_module
from workbench.interp import run
from workbench.ir.verify import verify

NAMES = ("p", "q", "r")
MODULUS = 1009
"""Values stay below it, so that nothing wraps round."""

SMALL = st.integers(-9, 9).map(lambda n: f"({n})")
ATOMS = st.one_of(SMALL, st.sampled_from(NAMES), st.sampled_from(["x[0]", "x[1]", "K"]))


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(st.sampled_from("+ - & | ^".split()), pair).map(
            lambda t: f"({t[1][0]} {t[0]} {t[1][1]})"
        ),
        pair.map(lambda t: f"({t[0]} % 31 * ({t[1]} % 29))"),
        pair.map(lambda t: f"({t[0]} // ({t[1]} % 7 + 1))"),
        pair.map(lambda t: f"({t[0]} % ({t[1]} % 7 - 9))"),
        pair.map(lambda t: f"({t[0]} % 64 << {t[1]} % 5)"),
        pair.map(lambda t: f"({t[0]} >> {t[1]} % 5)"),
        inner.map(lambda t: f"({t} % 11) ** 3"),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"~{t}"),
        inner.map(lambda t: f"abs({t})"),
        pair.map(lambda t: f"min({t[0]}, {t[1]}, 5)"),
        pair.map(lambda t: f"max({t[0]}, {t[1]})"),
        st.tuples(conditions(inner), pair).map(lambda t: f"({t[1][0]} if {t[0]} else {t[1][1]})"),
        inner.map(lambda t: f"[2, 3, 5][1] * ({t} % 13)"),
        inner.map(lambda t: f"sum([{t} % 17, K, 1])"),
    )


def conditions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    compare = st.tuples(inner, st.sampled_from("< <= > >= == !=".split()), inner).map(" ".join)
    chain = st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} < {t[1]} <= {t[2]})")
    two = st.tuples(compare, st.sampled_from(["and", "or"]), compare)
    return st.one_of(
        compare,
        chain,
        two.map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        compare.map(lambda t: f"not {t}"),
        inner.map(lambda t: f"(0 <= {t} < 4 and x[{t}] > 0)"),
    )


EXPRESSIONS = st.recursive(ATOMS, combined, max_leaves=8)
TESTS = conditions(ATOMS)


def block(lines: list[str]) -> str:
    return textwrap.indent("\n".join(lines), "    ")


Draw = Callable[..., Any]


def simple(draw: Draw, kind: str) -> list[str]:
    """Statements without others inside."""
    name, other = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    value = draw(EXPRESSIONS)
    return {
        "assign": [f"{name} = ({value}) % {MODULUS}"],
        "augment": [f"{name} += {value} % 3", f"{name} %= {MODULUS}"],
        "swap": [f"{name}, {other} = {other}, {name}"],
        "element": [f"x[{draw(st.integers(0, 3))}] = ({value}) % {MODULUS}"],
    }[kind]


def leave(draw: Draw) -> list[str]:
    return [f"if {draw(TESTS)}:", f"    {draw(st.sampled_from(['break', 'continue']))}"]


def branch(draw: Draw, depth: int, loops: int) -> list[str]:
    lines = [f"if {draw(TESTS)}:", block(draw(statements(depth - 1, loops)))]
    if draw(st.booleans()):
        lines += [f"elif {draw(TESTS)}:", block(draw(statements(depth - 1, loops)))]
    if draw(st.booleans()):
        lines += ["else:", block(draw(statements(depth - 1, loops)))]
    return lines


def loop(draw: Draw, kind: str, depth: int, loops: int, number: int) -> list[str]:
    name = draw(st.sampled_from(NAMES))
    inner = block(draw(statements(depth - 1, 0 if kind == "static" else loops + 1)))
    if kind == "static":
        return [f"for s{number} in (1, 3):", f"    {name} += s{number}", inner]
    if kind == "while":
        test = f"while w{number} < 4 and {draw(TESTS)}:"
        return [f"w{number} = 0", test, f"    w{number} += 1", inner]
    bounds = f"{draw(st.integers(-2, 2))}, {name} % 5, {draw(st.sampled_from([1, 2, -1]))}"
    return [f"for k{number} in range({bounds}):", f"    {name} += k{number}", inner]


@st.composite
def statements(draw: Draw, depth: int = 2, loops: int = 0) -> list[str]:
    lines: list[str] = []
    kinds = ["assign", "assign", "augment", "swap", "element"]
    kinds += ["if", "for", "while", "static"] if depth else []
    kinds += ["leave"] if loops else []
    for place in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(kinds))
        if kind == "leave":
            lines += leave(draw)
        elif kind == "if":
            lines += branch(draw, depth, loops)
        elif kind in ("for", "while", "static"):
            # a name that no enclosing loop has
            lines += loop(draw, kind, depth, loops, place + 10 * depth)
        else:
            lines += simple(draw, kind)
    return lines


def program(lines: list[str]) -> str:
    start = ["launch(grid=1, block=1)", *(f"{n} = x[{k}]" for k, n in enumerate(NAMES))]
    end = [f"out[{k}] = {n}" for k, n in enumerate(NAMES)]
    return "def f(x: i32[4], out: i32[3]):\n" + block([*start, *lines, *end])


def by_python(text: str, x: list[int]) -> tuple[list[int], list[int]]:
    out = [0, 0, 0]
    space: dict[str, object] = {"launch": lambda **_: None, "K": 7}
    exec(compile("from __future__ import annotations\n" + text, "python", "exec"), space)
    x = list(x)
    space["f"](x, out)  # type: ignore[operator]
    return x, out


@settings(max_examples=150)
@given(statements(), st.lists(st.integers(-20, 20), min_size=4, max_size=4))
def test_a_script_means_what_python_means(lines: list[str], x: list[int]) -> None:
    text = program(lines)
    wanted = by_python(text, x)
    module = define("K = 7\n" + text, "f").translate()
    verify(module)
    data, out = np.array(x, np.int32), np.zeros(3, np.int32)
    report = run(module, [data, out])
    assert report.ok, report.faults[0].message
    assert (data.tolist(), out.tolist()) == wanted


FLOATS = st.recursive(
    st.one_of(st.floats(0.25, 4).map(repr), st.sampled_from(["x[0]", "x[1]", "x[2]"])),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({' '.join(t)})"),
        st.tuples(
            st.sampled_from(["math.sqrt", "math.exp2", "math.atan", "math.sin", "abs"]), inner
        ).map(lambda t: f"{t[0]}(abs({t[1]}) * 0.125)"),
        inner.map(lambda t: f"({t}) ** 2"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
    ),
    max_leaves=6,
)


@settings(max_examples=100)
@given(FLOATS, st.lists(st.floats(0.5, 2), min_size=3, max_size=3))
def test_float_expressions_in_double_precision(expression: str, x: list[float]) -> None:
    head = "def f(x: f64[3], out: f64[1]):\n    launch(grid=1, block=1)\n"
    text = f"{head}    out[0] = {expression}\n"
    try:
        wanted = eval(expression, {"math": math, "x": x})
    except ArithmeticError:  # Python raises where floats give inf or nan
        reject()
    data, out = np.array(x), np.zeros(1)
    report = run(define(text, "f").translate(), [data, out])
    assert report.ok
    np.testing.assert_allclose(out[0], wanted, rtol=1e-12)


@settings(max_examples=150)
@given(statements(), st.sets(st.sampled_from(NAMES), min_size=1))
def test_names_first_assigned_anywhere_mean_the_same_or_are_refused(
    lines: list[str], unset: set[str]
) -> None:
    text, x = program(lines), [5, -3, 8, 0]
    for name in unset:
        text = text.replace(f"    {name} = x[{NAMES.index(name)}]\n", "", 1)
    try:
        module = define("K = 7\n" + text, "f").translate()
    except ScriptError:
        return
    data, out = np.array(x, np.int32), np.zeros(3, np.int32)
    report = run(module, [data, out])
    try:
        wanted = by_python(text, x)
    except NameError:  # a name without a value must not go unnoticed
        assert not report.ok
        return
    assert report.ok, report.faults[0].message
    assert (data.tolist(), out.tolist()) == wanted


@settings(max_examples=30)
@given(statements(), st.lists(st.integers(-20, 20), min_size=4, max_size=4))
def test_machine_code_means_what_python_means(lines: list[str], x: list[int]) -> None:
    text = program(lines)
    kernel = compile_module(define("K = 7\n" + text, "f").translate(), "cpu")
    data, out = np.array(x, np.int32), np.zeros(3, np.int32)
    kernel(data, out)
    assert (data.tolist(), out.tolist()) == by_python(text, x)
