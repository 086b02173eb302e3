"""A lowered module as one CUDA C++ source."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from workbench.base.doc import Line
from workbench.base.names import safe_name
from workbench.codegen.clike import Rows
from workbench.codegen.cuda.expr import Expressions
from workbench.codegen.cuda.memory import check_shared, shared_plan
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.cuda.stmt import DYNAMIC, Statements, assigned, basename, loop_notes
from workbench.codegen.cuda.types import c_type, constant
from workbench.codegen.cuda.words import RESERVED
from workbench.codegen.source import Source
from workbench.ir.arch import arch_number
from workbench.ir.effects import alignments, written
from workbench.ir.expr import Var
from workbench.ir.module import Function, Level, Module, Table
from workbench.ir.naming import names
from workbench.ir.target import Target
from workbench.ir.text import number
from workbench.ir.types import Scope, TensorType

_WIDTH = 100
_PLACE_COLUMN = 52


def generate(module: Module, target: Target) -> Source:
    """CUDA C++ of a lowered module.

    Parameters
    ----------
    module : Module
        Lowered; its last function is the kernel.
    target : Target
        ``cuda`` with an architecture.

    Returns
    -------
    Source
        Header-free text; its name is that of the kernel in it, which is extern "C".

    Raises
    ------
    CodegenError
        When the module asks for what the architecture or CUDA does not have.
    """
    assert module.level is Level.LOWERED, "lower the module first"
    assert target.arch, "a CUDA target needs an architecture here"
    check_shared(module, target, shared_plan(module))
    return _Writer(module, target).source()


class _Writer:
    def __init__(self, module: Module, target: Target) -> None:
        self._module = module
        self._called = _function_names(module)
        self._names = names(module, RESERVED | set(self._called.values()))
        self._prelude = Prelude()
        self._arch = arch_number(target.arch)
        self._plan = shared_plan(module)
        self._written = written(module)
        self._aligned = alignments(module)
        self._numbers = number(module)

    def source(self) -> Source:
        parts = [self._table(t) for t in self._module.tables]
        if self._plan.dynamic:
            parts.append((Line(f"extern __shared__ __align__(16) unsigned char {DYNAMIC}[];"),))
        parts += [self._function(f) for f in self._module.functions]
        prelude = tuple(Line(text) for text in self._prelude.lines)
        lines: list[Line] = []
        for part in (prelude, *parts):
            if lines and part:
                lines.append(Line(""))
            lines.extend(part)
        text = "\n".join(line.text for line in lines) + "\n"
        return Source("cuda", self._called[self._module.kernel.name], text, tuple(lines))

    def _table(self, table: Table) -> tuple[Line, ...]:
        kind = table.var.tensor
        head = f"__constant__ {c_type(kind.dtype, self._prelude)} {self._names[table.var]}"
        head += f"[{len(table.values)}] = {{"
        values = [constant(v, kind.dtype, self._prelude).text for v in table.values]
        text = ", ".join(values)
        if len(head) + len(text) + 2 <= _WIDTH:
            return (Line(f"{head}{text}}};"),)
        rows = textwrap.wrap(text, _WIDTH - 2, break_long_words=False)
        return (Line(head), *(Line(f"  {row}") for row in rows), Line("};"))

    def _function(self, function: Function) -> tuple[Line, ...]:
        rows = Rows()
        place = f"{basename(function.span.file)}:{function.span.line}" if function.span else ""
        node = self._numbers.get(function, 0)
        title = f"// {function.name}"
        rows.add(f"{title:<{_PLACE_COLUMN}}{place}".rstrip(), function.span, node)
        for note in function.notes:
            rows.add(f"// {note}", function.span, node)
        for row in self._head(function):
            rows.add(row, function.span, node)
        notes = list(loop_notes(function.body))
        statements = Statements(
            rows=rows,
            expr=self._expressions(function),
            numbers=self._numbers,
            home=function.span,
            assigned=assigned(function.body),
            aligned=self._aligned,
            plan=self._plan,
            show_notes=len(notes) > 1,
        )
        with rows.indent():
            statements.body(function.body)
        rows.add("}")
        return rows.lines()

    def _expressions(self, function: Function) -> Expressions:
        launch = self._module.kernel.launch
        assert launch is not None, "the last function has no launch"
        functions: Mapping[str, tuple[str, Function]] = {
            f.name: (self._called[f.name], f) for f in self._module.functions
        }
        return Expressions(
            names=self._names,
            functions=functions,
            prelude=self._prelude,
            launch=launch,
            arch=self._arch,
            readonly=self._readonly(function),
        )

    def _readonly(self, function: Function) -> frozenset[Var]:
        stored = self._written[function.name]
        return frozenset(p for p in function.params if p not in stored)

    def _head(self, function: Function) -> list[str]:
        kind = function.launch
        if kind is not None:
            head = f'extern "C" __global__ void __launch_bounds__({kind.threads}) '
        else:
            result = c_type(function.result, self._prelude) if function.result else "void"
            head = f"__device__ {result} "
        head += f"{self._called[function.name]}("
        readonly = self._readonly(function)
        params = [self._param(p, p in readonly, kind is not None) for p in function.params]
        whole = f"{head}{', '.join(params)}) {{"
        # The signature of a few parameters stays on one line even when it is somewhat long.
        if len(whole) <= _WIDTH or len(params) <= 2:
            return [whole]
        rows = textwrap.wrap(
            ", ".join(p.replace(" ", "\0") for p in params) + ") {",
            _WIDTH - 4,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return [head, *(f"    {row.replace(chr(0), ' ')}" for row in rows)]

    def _param(self, param: Var, readonly: bool, kernel: bool) -> str:
        name = self._names[param]
        if not isinstance(param.type, TensorType):
            return f"{c_type(param.type, self._prelude)} {name}"
        const = "const " if readonly else ""
        restrict = " __restrict__" if kernel and param.type.scope is Scope.GLOBAL else ""
        return f"{const}{c_type(param.type.dtype, self._prelude)}*{restrict} {name}"


def _function_names(module: Module) -> dict[str, str]:
    """What each function is called in C: its own name where CUDA leaves that free."""
    called: dict[str, str] = {}
    for function in module.functions:
        base = safe_name(function.name, "kernel")
        name, n = base, 0
        while name in RESERVED or name in called.values():
            n += 1
            name = f"{base}_{n}"
        called[function.name] = name
    return called
