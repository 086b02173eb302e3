"""Write, see, check and run GPU kernels: the face of the workbench, re-exports only."""

# The imports are not lazy: the room `script` would else hide the decorator of the same name.
from __future__ import annotations

import sys

from workbench.base.errors import (
    BuildError,
    CodegenError,
    LaunchError,
    MappingError,
    ModelError,
    ParseError,
    PassError,
    ScheduleError,
    ScriptError,
    UnsupportedOp,
    VerifyError,
    WorkbenchError,
    WorkbenchWarning,
)  # fmt: skip
from workbench.base.version import __version__
from workbench.bench.peers import compare
from workbench.driver.build import compile_module
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program, interpret, script
from workbench.graph import CompiledGraph, FlowGraph, from_onnx, load_graph
from workbench.ir.types import dims
from workbench.mapping import (
    TaskMapping,
    auto_map,
    column_repeat,
    column_spatial,
    parse_mapping,
    predicated_auto_map,
    repeat,
    spatial,
)  # fmt: skip
from workbench.tune import Space, Tuning, tune
from workbench.widgets.explore import explore, tune_live
from workbench.widgets.export import export_html
from workbench.widgets.formatters import load_ipython_extension
from workbench.widgets.link import link
from workbench.widgets.panel import register as _register

__all__ = [
    "BuildError", "CodegenError", "CompiledGraph", "FlowGraph", "Kernel", "LaunchError",
    "MappingError", "ModelError", "ParseError", "PassError", "Program", "ScheduleError",
    "ScriptError", "Space", "TaskMapping", "Tuning",
    "UnsupportedOp", "VerifyError", "WorkbenchError", "WorkbenchWarning", "__version__",
    "auto_map", "column_repeat", "column_spatial", "compare", "compile_module", "dims", "explore",
    "export_html", "from_onnx", "interpret", "link", "load_graph", "load_ipython_extension",
    "parse_mapping", "predicated_auto_map", "repeat", "script", "spatial", "tune", "tune_live",
]  # fmt: skip

# Only where IPython runs already: objects then show themselves as pictures.
if "IPython" in sys.modules:
    _register(sys.modules["IPython"].get_ipython())
