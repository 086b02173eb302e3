"""``%load_ext workbench``: kernels as cells, timing and explaining as one line."""

# IPython's magics and namespaces are untyped.
# pyright: standard

from __future__ import annotations

import argparse
import ast
import shlex
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.display_functions import display
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from workbench.base.errors import ScriptError, WorkbenchError
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program, script
from workbench.graph import CompiledGraph, FlowGraph, from_onnx
from workbench.runtime.timing import Measurement
from workbench.view.bundle import text_of
from workbench.view.explain import explanation
from workbench.view.explain import text as explained
from workbench.view.graph import compiled_view
from workbench.view.passes import passes_view
from workbench.widgets.cuda_cell import compile_cell
from workbench.widgets.script_cell import run_cell
from workbench.widgets.timed import timed


class MagicError(WorkbenchError):
    """A magic that is written wrongly."""


class _Parser(argparse.ArgumentParser):
    """Arguments of a magic; it raises instead of leaving Python."""

    def error(self, message: str) -> NoReturn:
        raise MagicError(message, hint=self.format_usage().removeprefix("usage: ").strip())

    def read(self, line: str) -> Any:
        try:
            return self.parse_args(shlex.split(line))
        except ValueError as error:  # a quotation that does not end
            self.error(str(error).lower())


def _parser(name: str, **options: Any) -> _Parser:
    return _Parser(prog=name, add_help=False, allow_abbrev=False, **options)


_KERNEL = _parser("%%kernel")
_KERNEL.add_argument("--target", default="cuda", help="cpu, cuda or cuda:sm_90a")

_CUDA = _parser("%%cuda")
_CUDA.add_argument("--arch", default="", help="sm_90a …")
_CUDA.add_argument("name", nargs="?", default="")

_TIME = _parser("%time_kernel", usage="%%time_kernel [--budget seconds] kernel(arguments)")
_TIME.add_argument("--budget", type=float, default=0.5)

_CALL = "%time_kernel f(x, y)"

_EXPLAIN = _parser("%explain")
_EXPLAIN.add_argument("--target", default="", help="cpu, interp, cuda or cuda:sm_90a")
_EXPLAIN.add_argument("--dims", action="append", default=[], metavar="n=1,…")
_EXPLAIN.add_argument("thing", nargs="+")


@magics_class
class WorkbenchMagics(Magics):
    """The magics of the workbench."""

    shell: Any

    @cell_magic
    def kernel(self, line: str, cell: str) -> None:
        """Make a script of each function in the cell, and show what it becomes.

        ``%%kernel [--target cuda:sm_90a]``: the functions need no decorator, their names are
        theirs in the notebook. Mistakes are told at their line of the cell.
        """
        target = _KERNEL.read(line).target
        programs = run_cell(self.shell, cell, script)
        if not programs:
            raise ScriptError("there is no function in this cell", hint="def name(a: f32[64]): …")
        for program, launches in programs:
            if launches and program.dims:
                display(program)
            elif launches:
                display(program.compile(target))

    @cell_magic
    def cuda(self, line: str, cell: str) -> None:
        """Compile the cell as CUDA C++, and show what it takes.

        ``%%cuda [--arch sm_90a] [name]``: the kernel is bound to `name`, to its own name without
        one. It can be explored, and launched where there is a GPU: ``name(grid, block, …)``.
        """
        given = _CUDA.read(line)
        if given.name and not given.name.isidentifier():
            _CUDA.error(f"{given.name!r} is no name for a variable")
        made = compile_cell(self.shell, cell, given.name, given.arch)
        self.shell.user_ns[given.name or made.name] = made
        display(made)

    @line_magic
    def time_kernel(self, line: str) -> Measurement:
        """Time a kernel: ``%time_kernel [--budget seconds] f(x, y)``.

        The arguments are evaluated once. An interrupt ends it and keeps the samples there are.
        """
        head, call = _split(line)
        return timed(self._call(call), _TIME.read(head).budget)

    @line_magic
    def explain(self, line: str) -> None:
        """Say in words what a model, a graph, a program or a kernel becomes.

        ``%explain model.onnx [--dims n=1] [--target cpu]``, or the name of an object.
        """
        given = _EXPLAIN.read(line)
        print(self._explained(" ".join(given.thing), given.target, _dims(given.dims)))

    def _explained(self, said: str, target: str, dims: dict[str, int]) -> str:
        path = Path(said)
        if said.endswith(".onnx"):
            return explained(explanation(from_onnx(path), target or "cpu", dims))
        thing = self._evaluated(said)
        if isinstance(thing, FlowGraph):
            return explained(explanation(thing, target or "cpu", dims))
        if isinstance(thing, CompiledGraph):
            return text_of(compiled_view(thing))
        if isinstance(thing, Program):
            return text_of(passes_view(thing.compile(target or "cuda", **dims)))
        if isinstance(thing, Kernel):
            return text_of(passes_view(thing))
        raise MagicError(
            f"a {type(thing).__name__} cannot be explained",
            hint="a file model.onnx, a graph, a program or a kernel can",
        )

    def _evaluated(self, said: str) -> Any:
        try:
            tree = ast.parse(said.strip(), mode="eval")
        except SyntaxError as error:
            raise MagicError(f"{said!r} is no expression: {error.msg}") from None
        return self._value(tree.body)

    def _value(self, node: ast.expr) -> Any:
        """The value of an expression in the notebook; what it raises is the user's own."""
        code = compile(ast.Expression(node), "<magic>", "eval")
        try:
            return eval(code, self.shell.user_ns)
        except NameError as error:
            raise MagicError(str(error), hint="run the cell that defines it first") from None

    def _call(self, said: str) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """A call that is written: what is called, and with what."""
        try:
            node = ast.parse(said.strip(), mode="eval").body
        except SyntaxError as error:
            raise MagicError(
                f"{said.strip()!r} is no call: {error.msg}", hint=_TIME.usage
            ) from None
        if not isinstance(node, ast.Call):
            raise MagicError("%time_kernel times a call", hint="%time_kernel f(x, y)")
        plain = [self._value(a.value if isinstance(a, ast.Starred) else a) for a in node.args]
        args: list[Any] = []
        for value, each in zip(plain, node.args, strict=True):
            args += value if isinstance(each, ast.Starred) else [value]
        named: dict[str, Any] = {}
        for each in node.keywords:
            value = self._value(each.value)
            named |= value if each.arg is None else {each.arg: value}
        return self._value(node.func), tuple(args), named


def _split(line: str) -> tuple[str, str]:
    """The options in front of a call, and the call."""
    words = line.split()
    count = 0
    while count < len(words) and words[count].startswith("--"):
        count += 1 if "=" in words[count] else 2
    rest = line
    for word in words[:count]:
        rest = rest.partition(word)[2]
    return " ".join(words[:count]), rest


def _dims(parts: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, ",".join(parts).split(",")):
        name, equals, value = part.rpartition("=")
        if not equals or not value.strip().isdecimal():
            raise MagicError(f"--dims takes name=number, not {part!r}", hint="--dims n=1,k=64")
        found[name.strip()] = int(value)
    return found
