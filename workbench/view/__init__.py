"""What a person sees of an object: typed data first, then its static twins. No Jupyter here.

What lives here
    model         what every view has in common; a view as JSON-ready data
    mapping       MappingView: facts, nest, canonical form
    cells         who does which cell: the part of a mapping that a picture can show
    program       ProgramView: texts side by side, lines linked, resources
    graph         a flow graph as a GraphView: operators before, kernels after, reasons
    graph_parts   what a GraphView is made of
    graph_place   where its boxes and edges lie, before and after
    layout        where the boxes of a graph lie, by Graphviz or in columns
    layers        the columns: quick for any graph
    what_if       what cuts in a graph change; the program of one group
    onnx_file     an ONNX file as a graph
    timing        TimingView: samples, median, spread, conditions, peers
    roofline      a kernel against what its machine can do
    tune          TuneView: trials, predicted against measured; two texts compared
    execution     ExecutionView: the form of a run step by step, which nothing makes yet
    memory        MemoryView: the form of accesses, which nothing makes yet
    pane          one of the texts: lines, their links, their groups
    listing       PTX, SASS and the texts of other targets, made when asked for
    passes        PassesView: every step of the compiler, options, what failed
    passes_svg    the same as a picture and as text
    diff          two texts line by line and word by word
    rules         which rule of a pass made what, found by watching it once more
    raw           RawKernel: CUDA as a person typed it, complaints at their places
    raw_program   the same as a ProgramView
    fork          an edited text beside the original: resources, difference, times
    resources     registers, spills, shared memory, occupancy, each with its formula
    task_loops    which lines are the task loops of which mapping
    report        ReportView: faults, each with its place
    bundle        the MIME bundle of a view, and which drawing belongs to which view
    typescript    the same dataclasses as the browser's types
    mapping_cells  the cells of one slice: boxes, or a raster
    mapping_svg   the grid of workers as a picture
    mapping_text  the same as a table
    program_svg   a kernel as a picture, as text, as HTML that folds out
    graph_svg     a flow graph as a picture and as text
    explain       a model in words: its kernels, what is stored between them, and why
    graph_rows    a long graph cut into rows, and how its edges go on
    timing_svg    a measurement as a picture and as text
    tune_svg      a search as a picture and as text
    report_svg    a report as a picture and as text
    code          words of a line of code, for colour
    card          the frame, styles and words that all pictures share
    svg           elements, escaped
    palette       worker tones and theme colours, light and dark
    raster        a picture of many small cells as a PNG
    units         quantities in words
    columns       tables as plain text

May import: base … graph, numpy.
Start reading: model, then mapping, then bundle.
Add one more: a frozen dataclass with `kind` and `version` and a function that makes it from the
core object; a drawing and a text for it; its row in bundle; then
`python -m pytest tests/view --update-golden` writes its type for the browser.
"""

from workbench.view.bundle import bundle, svg_of, text_of
from workbench.view.graph import compiled_view, graph_view
from workbench.view.graph_parts import GraphView
from workbench.view.mapping import MappingView, mapping_view
from workbench.view.model import View, as_json
from workbench.view.onnx_file import onnx_view
from workbench.view.passes import PassesView, passes_view
from workbench.view.program import ProgramView, kernel_view, program_view
from workbench.view.report import ReportView, report_view
from workbench.view.timing import TimingView, timing_view
from workbench.view.tune import TuneView, tune_view

__all__ = [
    "GraphView",
    "MappingView",
    "PassesView",
    "ProgramView",
    "ReportView",
    "TimingView",
    "TuneView",
    "View",
    "as_json",
    "bundle",
    "compiled_view",
    "graph_view",
    "kernel_view",
    "mapping_view",
    "onnx_view",
    "passes_view",
    "program_view",
    "report_view",
    "svg_of",
    "text_of",
    "timing_view",
    "tune_view",
]
