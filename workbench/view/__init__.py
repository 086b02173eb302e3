"""What a person sees of an object: typed data first, then its static twins. No Jupyter here.

What lives here
    model         what every view has in common; a view as JSON-ready data
    mapping       MappingView: facts, nest, canonical form
    cells         who does which cell: the part of a mapping that a picture can show
    bundle        the MIME bundle of a view, and which drawing belongs to which view
    mapping_cells  the cells of one slice: boxes, or a raster
    mapping_svg   the grid of workers as a picture
    mapping_text  the same as a table
    card          the frame, styles and words that all pictures share
    svg           elements, escaped
    palette       worker tones and theme colours, light and dark
    raster        a picture of many small cells as a PNG
    columns       tables as plain text

May import: base … graph, numpy.
Start reading: model, then mapping, then bundle.
Add one more: a frozen dataclass with `kind` and `version` and a function that makes it from the
core object; a drawing and a text for it; its row in bundle.
"""

from workbench.view.bundle import bundle, svg_of, text_of
from workbench.view.mapping import MappingView, mapping_view
from workbench.view.model import View, as_json

__all__ = ["MappingView", "View", "as_json", "bundle", "mapping_view", "svg_of", "text_of"]
