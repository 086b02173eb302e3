"""The README says what is so: its examples run, its commands are those that CI calls."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from workbench import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEST_COMMAND = ['python -m pip install -e ".[test]"', "python -m pytest"]


def test_its_examples_give_what_it_shows():
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    found = doctest.DocTestParser().get_doctest(README, {}, "README.md", "README.md", 0)
    assert found.examples
    report: list[str] = []
    doctest.DocTestRunner(_Checker(), optionflags=flags).run(found, out=report.append)
    assert "".join(report) == ""


class _Checker(doctest.OutputChecker):
    """The reader has the examples in a notebook."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        got = re.sub(r"<doctest README\.md\[\d+\]>", "In [1]", got)
        return super().check_output(want, got, optionflags)


def test_the_code_it_quotes_is_there():
    quotes = re.findall(r"```python\n# (\S+)\n(.*?)```", README, re.DOTALL)
    assert len(quotes) >= 3
    for place, code in quotes:
        assert code in (ROOT / place).read_text(encoding="utf-8"), place


def test_ci_calls_its_test_command():
    assert f"{' && '.join(TEST_COMMAND)}\n" in README
    rows = [row.strip() for row in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()]
    assert [row for row in rows if row in TEST_COMMAND] == TEST_COMMAND
    assert rows[-1] == TEST_COMMAND[-1]  # its closing line stays in sight


def test_its_commands_exist():
    named = set(re.findall(r"`?workbench (\w+)`", README))
    known = cli._parser().format_help()
    assert named
    assert [name for name in sorted(named) if name not in known] == []


def test_its_extras_exist():
    extras = set(re.findall(r'"\.\[(\w+)\]"', README))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert [name for name in sorted(extras) if f"\n{name} = [" not in project] == []


def test_the_rooms_it_names_are_all():
    row = README.partition("`base` · `mapping`")[2].partition("\n\n")[0]
    named = {"base", "mapping"} | set(re.findall(r"`(\w+)`", row))
    rooms = {path.parent.name for path in (ROOT / "workbench").glob("*/__init__.py")}
    assert rooms <= named


def test_the_files_it_names_are_there():
    named = re.findall(r"`((?:workbench|notebooks|extension|tests|\.ci)/[\w./]+)`", README)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_its_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []
