"""Live widgets on the Python side, how IPython shows our objects, and the built bundles."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import workbench as wb
from workbench import view as views
from workbench.view.bundle import MIME
from workbench.widgets.formatters import register
from workbench.widgets.mapping import MappingExplorer

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "workbench" / "widgets" / "static"
MOST_BYTES = 100_000  # of an instance, which holds its script and the style sheet of all
MOST_OF_A_BUNDLE = 150_000
FRAGMENT = wb.repeat(2, 1) * wb.spatial(8, 4) * wb.repeat(1, 2)


def test_an_edit_is_answered_with_a_view():
    explorer = MappingExplorer(FRAGMENT)
    explorer.ask = {"id": 1, "type": "compose", "text": "repeat(4, 1) * spatial(16, 8)"}
    assert explorer.answered == 1
    assert explorer.error is None
    assert explorer.view["shape"] == [64, 8]
    assert explorer.mapping == wb.repeat(4, 1) * wb.spatial(16, 8)


@pytest.mark.parametrize(
    ("text", "message", "hint", "place"),
    [
        ("spatial(4, 0)", "spatial(4, 0): extent 0 of dim 1 is below 1", "extents start at 1", "0"),
        (" repaet(4)", "unknown name repaet", "did you mean repeat?", "repaet"),
        ("", "the text of the mapping is empty", "", ""),
        ("__import__('os')", "unknown name __import__", "known here", "__import__"),
    ],
)
def test_a_bad_edit_is_answered_with_its_place_and_loses_nothing(
    text: str, message: str, hint: str, place: str
):
    explorer = MappingExplorer(FRAGMENT)
    before = explorer.view
    explorer.ask = {"id": 1, "type": "compose", "text": text}
    assert explorer.answered == 1
    assert explorer.error["message"] == message
    assert explorer.error["hint"].startswith(hint)
    assert text[explorer.error["start"] : explorer.error["end"]] == place
    assert explorer.view is before
    assert explorer.mapping == FRAGMENT
    explorer.ask = {"id": 2, "type": "compose", "text": "spatial(4)"}
    assert explorer.error is None


@pytest.mark.parametrize(
    "ask", [{}, {"id": "1", "type": "compose"}, {"id": 1, "text": "spatial(4)"}]
)
def test_a_message_of_another_form_is_not_answered(ask: dict[str, object]):
    explorer = MappingExplorer(FRAGMENT)
    explorer.ask = ask
    assert explorer.answered == 0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ({"type": "compose", "text": 3}, "a mapping is read from a str, not a int"),
        ({"type": "compose"}, "the text of the mapping is empty"),
        ({"type": "fly"}, "this screen has no answer to 'fly'"),
    ],
)
def test_a_question_without_an_answer_is_an_error(ask: dict[str, object], message: str):
    explorer = MappingExplorer(FRAGMENT)
    explorer.ask = {"id": 7, **ask}
    assert explorer.answered == 7
    assert explorer.error == {
        "type": ask["type"],
        "message": message,
        "hint": "",
        "start": 0,
        "end": 0,
    }


def test_a_fault_of_ours_ends_the_wait_and_is_not_swallowed():
    class Broken(MappingExplorer):
        def asked(self, kind: str, request: dict[str, object]) -> None:
            raise ZeroDivisionError

    explorer = Broken(FRAGMENT)
    with pytest.raises(ZeroDivisionError):
        explorer.ask = {"id": 7, "type": "compose"}
    assert explorer.answered == 7
    assert explorer.error["message"] == "Python could not answer"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("repeat(2, 1) * spatial(8, 4) * repeat(1, 1) * repeat(1, 2)", {"same": True}),
        (
            "spatial(8, 4) * repeat(2, 2)",
            {"same": False, "worker": 0, "position": 2, "left": (8, 0), "right": (1, 0)},
        ),
        ("spatial(4)", {"same": False, "worker": None}),
    ],
)
def test_equal_or_the_first_difference(text: str, answer: dict[str, object]):
    explorer = MappingExplorer(FRAGMENT)
    explorer.ask = {"id": 1, "type": "equal", "text": text}
    assert explorer.error is None
    assert answer.items() <= explorer.answer.items()
    assert explorer.answer["words"]
    assert explorer.mapping == FRAGMENT


def test_a_comparison_with_what_is_no_mapping_is_an_error():
    explorer = MappingExplorer(FRAGMENT)
    explorer.ask = {"id": 1, "type": "equal", "text": "spatial(4"}
    assert explorer.error["type"] == "equal"
    assert explorer.answer == {}


def test_a_mapping_set_in_python_is_shown():
    explorer = MappingExplorer(FRAGMENT)
    explorer.mapping = wb.spatial(4)
    assert explorer.view["text"] == "spatial(4)"
    with pytest.raises(wb.WorkbenchError, match="shows a TaskMapping, not a str"):
        explorer.mapping = "spatial(4)"
    assert explorer.mapping == wb.spatial(4)


def test_linked_screens_have_one_selection():
    a, b = MappingExplorer(FRAGMENT), MappingExplorer(wb.spatial(4))
    b.select(group=2, worker=3)
    a.select(worker=1)
    joined = wb.link(a, b)
    assert a.selection == b.selection == {"worker": 1, "step": None, "group": 2}
    b.select(worker=9, step=1)
    assert a.selection == {"worker": 9, "step": 1, "group": 2}
    joined.unlink()
    a.select(worker=0)
    assert b.selection["worker"] == 9


def test_links_that_meet_in_a_ring_come_to_rest():
    a, b, c = (MappingExplorer(FRAGMENT) for _ in range(3))
    links = [wb.link(a, b), wb.link(b, c), wb.link(c, a)]
    c.select(worker=5)
    assert [x.selection["worker"] for x in (a, b, c)] == [5, 5, 5]
    assert len(links) == 3


def test_what_cannot_be_linked_is_refused_in_words():
    a = MappingExplorer(FRAGMENT)
    for things, message in (((a,), "two screens"), ((a, a), "twice"), ((a, 3), "a int is none")):
        with pytest.raises(wb.WorkbenchError, match=message):
            wb.link(*things)


def test_a_widget_has_a_text_of_its_own_and_a_small_state():
    explorer = MappingExplorer(FRAGMENT)
    shown = explorer._repr_mimebundle_()
    data = shown[0] if isinstance(shown, tuple) else shown
    assert data["text/plain"] == f"MappingExplorer({FRAGMENT})"
    assert "application/vnd.jupyter.widget-view+json" in data
    # reopened without its kernel, it is drawn from what was saved
    saved = views.bundle(views.mapping_view(FRAGMENT))
    assert [data[kind] == saved[kind] for kind in ("text/html", MIME)] == [True, True]
    assert len(str(explorer.get_state())) < MOST_BYTES


def test_what_has_no_screen_is_refused_in_words():
    with pytest.raises(wb.WorkbenchError, match="there is no screen for a int"):
        wb.explore(3)


def test_a_shell_shows_pictures():
    shell = InteractiveShell()
    register(shell)
    assert shell.display_formatter is not None
    data, _ = shell.display_formatter.format(FRAGMENT)
    assert set(data) >= {
        "text/html",
        "image/svg+xml",
        "text/plain",
        MIME,
    }
    assert data["text/plain"].startswith(str(FRAGMENT))
    register(None)


def test_import_in_a_shell_registers_and_loads_no_widget():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "import sys; s = S.instance(); import workbench as wb\n"
        "shown = s.display_formatter.format(wb.spatial(2))[0]\n"
        "print('text/html' in shown, 'anywidget' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    "name", ["mapping.js", "program.js", "graph.js", "workbench.css", "standalone.js"]
)
def test_bundles_are_small_and_ask_no_other_host(name: str):
    text = (STATIC / name).read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_OF_A_BUNDLE
    hosts = set(re.findall(r"https?://[^\"'`)\s]+", text))
    assert hosts <= {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in text


def test_bundles_are_what_their_sources_build(tmp_path: Path):
    if shutil.which("npm") is None:
        pytest.skip("npm is not on PATH; .ci/run rebuilds the bundles too")
    tree = tmp_path / "extension"
    shutil.copytree(ROOT / "extension", tree, ignore=shutil.ignore_patterns("node_modules"))
    installed = ROOT / "extension" / "node_modules"
    if installed.exists():
        (tree / "node_modules").symlink_to(installed)
    else:
        done = subprocess.run(["npm", "ci"], cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot fetch esbuild here: {done.stderr[-200:]}")
    golden = ROOT / "tests" / "view" / "golden"  # the tests of the browser's part read views there
    shutil.copytree(golden, tmp_path / "tests" / "view" / "golden")
    (tmp_path / "workbench" / "widgets").mkdir(parents=True)
    subprocess.run(["npm", "run", "build"], cwd=tree, capture_output=True, check=True)
    subprocess.run(["npm", "run", "check"], cwd=tree, capture_output=True, check=True)
    built = tmp_path / "workbench" / "widgets" / "static"
    assert {p.name: p.read_bytes() for p in built.iterdir()} == {
        p.name: p.read_bytes() for p in STATIC.iterdir()
    }
