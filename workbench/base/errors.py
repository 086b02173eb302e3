"""Every error a user can meet, and the one renderer for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.base.span import Span


class WorkbenchError(Exception):
    """A mistake that the user can mend: what is wrong, where, and what to do next.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence that names the numbers and names involved.
    span : Span, optional
        The place that caused it.
    hint : str, optional
        What to do next.
    notes : sequence of str
        Further facts, one line each (a compiler's log, the place of a second cause).
    """

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        hint: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.notes = tuple(notes)

    def __str__(self) -> str:
        return render(self)

    def _render_traceback_(self) -> list[str]:
        """Lines that IPython shows instead of a stack trace."""
        return f"{type(self).__name__}: {render(self)}".splitlines()


class WorkbenchWarning(UserWarning):
    """Something that the work goes on without, such as a cache folder that cannot be written."""


class MappingError(WorkbenchError):
    """A task mapping or layout that cannot be (mapping)."""


class ScriptError(WorkbenchError):
    """A script that uses what the language does not have (script)."""


class VerifyError(WorkbenchError):
    """IR that breaks a rule of its level (ir.verify)."""


class ParseError(WorkbenchError):
    """Text of a mapping, of IR or of a pass that cannot be read (mapping.text, ir.parse)."""


class PassError(WorkbenchError):
    """A pass that cannot do its work or does not converge (passes)."""


class CodegenError(WorkbenchError):
    """IR that a target cannot express (codegen)."""


class BuildError(WorkbenchError):
    """A compiler that is missing or refused the generated source (runtime).

    Attributes
    ----------
    log : str
        What the compiler printed.
    """

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        hint: str | None = None,
        notes: Sequence[str] = (),
        log: str = "",
    ) -> None:
        super().__init__(message, span, hint, notes)
        self.log = log


class LaunchError(WorkbenchError):
    """Arguments or a launch that do not fit the kernel (driver, runtime)."""


class ScheduleError(WorkbenchError):
    """A schedule candidate that is not legal; data for the tuner, not a crash (schedules)."""


class ModelError(WorkbenchError):
    """A model file that cannot be read or is inconsistent (graph.onnx)."""


class UnsupportedOp(WorkbenchError):
    """An operator, or an opset of one, that the registry does not have (graph.onnx).

    Attributes
    ----------
    op : str
        Name of the operator.
    opset : int
        Version of the operator set that the model asks for.
    """

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        hint: str | None = None,
        notes: Sequence[str] = (),
        op: str = "",
        opset: int = 0,
    ) -> None:
        super().__init__(message, span, hint, notes)
        self.op = op
        self.opset = opset


def render(error: WorkbenchError) -> str:
    """Message, place, source line, caret, hint and notes as text.

    Examples
    --------
    >>> print(render(WorkbenchError("extent 0", hint="extents start at 1")))
    extent 0
      hint: extents start at 1
    """
    lines = [error.message]
    if error.span is not None:
        lines += _place(error.span)
    if error.hint:
        lines.append(f"  hint: {error.hint}")
    lines += [f"  note: {note}" for note in error.notes]
    return "\n".join(lines)


def _place(span: Span) -> list[str]:
    lines = [f"  at {span}"]
    text = span.source_line()
    if not text.strip():
        return lines
    indent = len(text) - len(text.lstrip())
    end = span.end_col if span.end_line in (0, span.line) else len(text)
    width = max(1, min(end, len(text)) - span.col)
    number = str(span.line)
    lines.append(f"  {number} | {text[indent:]}")
    lines.append(f"  {' ' * len(number)} | {' ' * max(0, span.col - indent)}{'^' * width}")
    return lines
