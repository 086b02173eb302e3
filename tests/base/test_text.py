"""Names, lines and lazy modules."""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.base.doc import Doc
from workbench.base.lazy import lazy
from workbench.base.names import C_KEYWORDS, safe_name
from workbench.base.span import Span
from workbench.graph.names import NameScope

ROOT = Path(__file__).parents[2]


@given(st.text(max_size=12))
def test_a_safe_name_is_an_identifier_of_c(text: str):
    name = safe_name(text)
    assert name.isidentifier()
    assert name.isascii()
    assert name not in C_KEYWORDS
    assert not re.match("_[_A-Z]", name)
    assert safe_name(name) == name


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "a_1", "int", "", "é"]))))
def test_a_scope_gives_each_key_one_name_and_no_name_twice(wishes: list[tuple[int, str]]):
    scope = NameScope({"a_2"})
    given_names: dict[int, str] = {}
    for key, wish in wishes:
        name = scope.name(key, wish)
        assert given_names.setdefault(key, name) == name
    assert len(set(given_names.values())) == len(given_names)
    assert "a_2" not in given_names.values()


def test_c_keywords_hold_those_that_c_and_python_share():
    assert {"if", "else", "for", "while", "return"} <= C_KEYWORDS & set(keyword.kwlist)


def test_lines_know_where_they_came_from():
    doc, span = Doc(), Span("k.py", 3)
    doc.line("for (;;) {", span, 7)
    with doc.indent():
        doc.line("")
        doc.line("x;")
    doc.line("}")
    assert doc.text() == "for (;;) {\n\n  x;\n}"
    assert (doc.lines[0].span, doc.lines[0].node) == (span, 7)


def test_the_indentation_returns_after_an_error():
    doc = Doc()
    with pytest.raises(ZeroDivisionError), doc.indent():
        raise ZeroDivisionError
    assert doc.depth == 0


def test_a_missing_package_says_what_brings_it():
    missing = lazy("no_such_package", "no-such-package")
    with pytest.raises(ModuleNotFoundError) as caught:
        _ = missing.anything
    assert str(caught.value) == (
        "no_such_package is not installed; `pip install no-such-package` brings it"
    )
    assert not hasattr(missing, "__path__")


def test_a_lazy_package_loads_at_its_first_use():
    script = (
        "import sys; from workbench.base.lazy import lazy; np = lazy('numpy');"
        "print('numpy._core' in sys.modules, np.arange(3).sum(), 'numpy._core' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "3", "True"]
