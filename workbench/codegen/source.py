"""Generated text that knows where each of its lines came from."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.doc import Doc, Line


@dataclass(frozen=True, slots=True)
class Source:
    """What a target's compiler gets.

    Attributes
    ----------
    language : str
        ``cuda``, ``llvm`` or ``ir``.
    name : str
        Name of the kernel in the text.
    text : str
        All lines, each ended by a newline.
    lines : tuple of Line
        The same lines, each with its span and the number of its IR statement.
    scratch_bytes : int
        Memory that each host thread of a CPU launch brings for shared tensors and for values
        that live across barriers [byte]; 0 elsewhere.
    straight : bool
        Whether it is LLVM IR for which a few of LLVM's passes do: without a loop but those over
        blocks and threads, or with the threads of a block as the lanes of one vector.
    """

    language: str
    name: str
    text: str
    lines: tuple[Line, ...]
    scratch_bytes: int = 0
    straight: bool = False

    @classmethod
    def of(cls, language: str, name: str, doc: Doc, scratch_bytes: int = 0) -> Source:
        """The source that `doc` holds."""
        return cls(language, name, doc.text() + "\n", tuple(doc.lines), scratch_bytes)
