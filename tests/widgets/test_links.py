"""A screen as a text that restores it, and as a file that needs nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.view import mapping_view
from workbench.widgets.links import NUMBERS, Place, link_text, parse_link

FRAGMENT = wb.repeat(2, 1) * wb.spatial(8, 4) * wb.repeat(1, 2)
numbers = st.dictionaries(st.sampled_from(NUMBERS), st.integers(-1, 2**40))


@given(st.text(), numbers)
def test_a_link_is_read_as_it_was_written(text: str, selection: dict[str, int]):
    place = Place("mapping", {"text": text}, selection)
    said = link_text(place)
    assert said.isprintable()
    assert parse_link(said) == place


def test_a_link_restores_the_mapping_and_what_is_picked():
    explorer = wb.explore(FRAGMENT)
    explorer.mapping = wb.column_spatial(4, 2)
    explorer.select(worker=5, step=0, group=2)
    link = explorer.link_text()
    assert link == "kw1:mapping?text=column_spatial(4,+2)&worker=5&step=0&group=2"
    for again in (wb.explore(link), wb.explore(FRAGMENT, at=link)):
        assert again.mapping == wb.column_spatial(4, 2)
        assert again.selection == {"worker": 5, "step": 0, "group": 2}


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("kw1:mapping", "is no link to a screen"),
        ("kw2:mapping?text=spatial(4)", "the link has version 2, this workbench reads version 1"),
        ("kw1:mapping?text=spatial(4&worker=1", "the text is no mapping"),
        ("kw1:mapping?text=spatial(4)&worker=x", "worker=x in the link is no whole number"),
        ("kw1:mapping?text=spatial(4)&worker=1&worker=2", "names worker twice"),
        ("kw1:mapping?text=spatial(4)&evil=1", "a link has no 'evil'"),
        ("kw1:mapping?worker=1", "what is picked in a mapping screen, not of which mapping"),
        ("kw1:graph?group=1", "what is picked in a graph screen, not of which graph"),
        ("kw1:mapping?text=" + "9" * 20_000, "characters are no link"),
        ("spatial(4)", "there is no screen for a str"),
    ],
)
def test_a_bad_link_is_refused_in_words(link: str, message: str):
    with pytest.raises(wb.WorkbenchError, match=re.escape(message)):
        wb.explore(link)


def test_a_link_to_another_screen_is_refused_and_changes_nothing():
    explorer = wb.explore(FRAGMENT)
    with pytest.raises(wb.WorkbenchError, match="link is to a graph screen, and this is a mapping"):
        explorer.restore(parse_link("kw1:graph?group=1"))
    with pytest.raises(wb.WorkbenchError, match="no link"):
        wb.explore(FRAGMENT, at="spatial(4)")
    assert explorer.selection == {"worker": 0, "step": None}


def test_the_browser_gets_every_form():
    explorer = wb.explore(FRAGMENT)
    found = {}
    for number, form in enumerate(("svg", "html", "text", "link", "page"), 1):
        explorer.ask = {"id": number, "type": "export", "form": form}
        assert explorer.error is None
        found[form] = explorer.answer["text"]
    assert found["svg"].startswith("<svg ")
    assert found["html"].startswith("<img ")
    assert found["text"].startswith(str(FRAGMENT))
    assert found["link"] == explorer.link_text()
    assert found["page"].startswith("<!doctype html>")
    explorer.ask = {"id": 9, "type": "export", "form": "pdf"}
    assert explorer.error["message"] == "a view has no form 'pdf'"


class Reader(HTMLParser):
    """Elements of a page, and the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["script"]:
            self.scripts.append(data)


def test_a_page_holds_the_view_the_selection_and_the_table(tmp_path: Path):
    explorer = wb.explore(FRAGMENT)
    explorer.select(worker=5)
    path = wb.export_html(explorer, tmp_path / "fragment.html")
    text = path.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    data = json.loads(reader.scripts[0])
    assert data["view"] == json.loads(json.dumps(explorer.view))
    assert data["selection"] == {"worker": 5, "step": None}
    assert data["twins"]["text"] in text.replace("&lt;", "<")
    assert len(text) < 220_000  # the drawings of all screens and their styles are 140 kB of it


@pytest.mark.parametrize("thing", [FRAGMENT, mapping_view(FRAGMENT)])
def test_things_and_views_can_be_exported(thing: object, tmp_path: Path):
    assert wb.export_html(thing, str(tmp_path / "x.html")).exists()


def test_what_cannot_be_exported_is_refused_in_words(tmp_path: Path):
    with pytest.raises(wb.WorkbenchError, match="there is no view of a int"):
        wb.export_html(3, tmp_path / "x.html")
    with pytest.raises(wb.WorkbenchError, match=r"x\.html cannot be written: No such file"):
        wb.export_html(FRAGMENT, tmp_path / "nowhere" / "x.html")


def test_names_in_a_page_are_no_markup(tmp_path: Path):
    def evil(worker: int) -> list[tuple[int]]:
        return [(worker,)]

    evil.__name__ = "</script><script>alert(1)</script><!--\u2028\ud800"
    path = wb.export_html(wb.TaskMapping((2,), 2, evil), tmp_path / "x.html")
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.tags.count("script") == 2
    assert "alert(1)" in json.loads(reader.scripts[0])["view"]["text"]


def test_the_script_of_a_page_can_stand_in_a_page():
    script = (Path(wb.__file__).parent / "widgets" / "static" / "standalone.js").read_text()
    assert not re.search(r"</script|<!--", script)
