"""The MIME bundle of a view: data for a live renderer, and twins for everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.view.execution import ExecutionView
from workbench.view.graph_parts import GraphView
from workbench.view.graph_svg import graph_svg, graph_text, graph_words
from workbench.view.mapping import MappingView
from workbench.view.mapping_svg import mapping_svg
from workbench.view.mapping_text import facts_text, mapping_text
from workbench.view.memory import MemoryView
from workbench.view.model import View, as_json
from workbench.view.passes import PassesView
from workbench.view.passes_svg import passes_svg, passes_text, passes_words
from workbench.view.program import ProgramView
from workbench.view.program_svg import program_details, program_svg, program_text, program_words
from workbench.view.raster import data_url
from workbench.view.report import ReportView
from workbench.view.report_svg import report_svg, report_text, report_words
from workbench.view.svg import element
from workbench.view.timing import TimingView
from workbench.view.timing_svg import timing_svg, timing_text, timing_words
from workbench.view.tune import DiffView, TuneView
from workbench.view.tune_svg import tune_svg, tune_text, tune_words

MIME = "application/vnd.kernel-workbench.view+json"

Draw = Callable[[Any], str]

# View, picture, table, and one sentence for who cannot see the picture.
_TWINS: dict[type[Any], tuple[Draw, Draw, Draw]] = {
    MappingView: (mapping_svg, mapping_text, lambda view: f"{view.text}: {facts_text(view)}"),
    ProgramView: (program_svg, program_text, program_words),
    PassesView: (passes_svg, passes_text, passes_words),
    TimingView: (timing_svg, timing_text, timing_words),
    GraphView: (graph_svg, graph_text, graph_words),
    TuneView: (tune_svg, tune_text, tune_words),
    ReportView: (report_svg, report_text, report_words),
}

VIEWS = (*_TWINS, ExecutionView, MemoryView, DiffView)
"""Every class of view; those of execution and memory, which nothing makes yet, have a form only."""


def bundle(view: View) -> dict[str, Any]:
    """All forms of a view, by MIME type.

    The HTML holds the picture as an image: notebooks that are not trusted strip SVG from HTML,
    but leave images.

    Examples
    --------
    >>> from workbench.mapping import spatial
    >>> from workbench.view.mapping import mapping_view
    >>> sorted(bundle(mapping_view(spatial(2, 2))))[1:]
    ['image/svg+xml', 'text/html', 'text/plain']
    """
    picture = svg_of(view)
    return {
        MIME: as_json(view),
        "text/html": html_of(view, picture),
        "image/svg+xml": picture,
        "text/plain": text_of(view),
    }


def svg_of(view: View) -> str:
    """The picture."""
    return _TWINS[type(view)][0](view)


def text_of(view: View) -> str:
    """The table."""
    return _TWINS[type(view)][1](view)


def words_of(view: View) -> str:
    """One sentence."""
    return _TWINS[type(view)][2](view)


def html_of(view: View, picture: str) -> str:
    """The picture as an image that scales down with the page."""
    image = element(
        "img",
        src=data_url("image/svg+xml", picture.encode()),
        alt=words_of(view),
        style="max-width:100%;height:auto",
    )
    return image + program_details(view) if isinstance(view, ProgramView) else image
