"""Names with a meaning of their own inside a script; `workbench.lang` re-exports them.

The translator knows them as objects, not by their spelling, so they may be imported under any
name. Outside a script they only explain themselves.
"""

from __future__ import annotations

from typing import NoReturn

from workbench.base.errors import ScriptError
from workbench.ir.expr import AtomicOp
from workbench.ir.intrinsic import INTRINSICS


def _outside(name: str) -> ScriptError:
    return ScriptError(
        f"{name} has a meaning only inside a script",
        hint="use it in a function decorated with @wb.script",
    )


class Word:
    """A function of the script language.

    Parameters
    ----------
    name : str
        How messages call it.
    form : str
        How it is written, for the reader and for messages: ``shared(f32, (16, 16))``.
    doc : str
        One sentence for the reader.
    """

    def __init__(self, name: str, form: str, doc: str) -> None:
        self.name = name
        self.form = form
        self.__doc__ = f"``{form}``: {doc}"

    def __call__(self, *args: object, **options: object) -> NoReturn:
        """Say that this works only inside a script."""
        del args, options
        raise _outside(f"{self.name}(...)")

    def __repr__(self) -> str:
        return f"<{self.form}: a word of the script language>"


class Coordinate:
    """A coordinate of the launch with the axes x, y and z, such as ``threadIdx``.

    Parameters
    ----------
    name : str
        As in CUDA.
    doc : str
        One sentence for the reader.
    """

    def __init__(self, name: str, doc: str) -> None:
        self.name = name
        self.__doc__ = doc

    @property
    def x(self) -> NoReturn:
        """The fastest axis, i32."""
        raise _outside(f"{self.name}.x")

    @property
    def y(self) -> NoReturn:
        """The second axis, i32."""
        raise _outside(f"{self.name}.y")

    @property
    def z(self) -> NoReturn:
        """The slowest axis, i32."""
        raise _outside(f"{self.name}.z")

    def __repr__(self) -> str:
        return f"<{self.name}: a coordinate of the launch>"


class MathWord(Word):
    """An intrinsic of the IR as a word of the language."""

    def __init__(self, name: str) -> None:
        row = INTRINSICS[name]
        super().__init__(name, f"{name}({', '.join(row.parameters)})", f"{row.doc}.")


class AtomicWord(Word):
    """An atomic update as a word of the language.

    Parameters
    ----------
    op : AtomicOp
        What it does.
    doc : str
        One sentence for the reader.
    """

    def __init__(self, op: AtomicOp, doc: str) -> None:
        self.op = op
        middle = "compare, " if op is AtomicOp.COMPARE_EXCHANGE else ""
        super().__init__(f"atomic_{op.value}", f"atomic_{op.value}(t[i, j], {middle}value)", doc)


threadIdx = Coordinate("threadIdx", "Place of the thread in its block.")
blockIdx = Coordinate("blockIdx", "Place of the block in the grid.")
blockDim = Coordinate("blockDim", "Threads of a block along each axis.")
gridDim = Coordinate("gridDim", "Blocks of the grid along each axis.")

launch = Word(
    "launch",
    "launch(grid=4, block=(32, 8))",
    "makes the function a kernel; numbers known at translation, up to three axes each, x first.",
)
shared = Word(
    "shared",
    "shared(f32, (16, 16), layout=None)",
    "a tensor that the threads of a block share; an optional layout places its elements.",
)
register = Word(
    "register", "register(f32, (4, 4), layout=None)", "a tensor in the registers of each thread."
)
load = Word(
    "load",
    "load(t[i, j], lanes=4)",
    "neighbours along the last dimension as one short vector; lane k of v is v[k].",
)
store = Word(
    "store",
    "store(t[i, j], vector)",
    "writes a short vector to neighbours along the last dimension.",
)
static_range = Word(
    "static_range",
    "static_range(start, stop, step)",
    "like range, but the loop is written out at translation, its variable known in each turn.",
)
unroll = Word(
    "unroll",
    "unroll(range(8), by=None)",
    "a loop that the compiler is told to unroll, fully or by a factor.",
)

atomic_add = AtomicWord(AtomicOp.ADD, "adds to an element, gives its old value.")
atomic_min = AtomicWord(AtomicOp.MIN, "lowers an element to a value, gives its old value.")
atomic_max = AtomicWord(AtomicOp.MAX, "raises an element to a value, gives its old value.")
atomic_and = AtomicWord(AtomicOp.AND, "keeps common bits, gives the old value.")
atomic_or = AtomicWord(AtomicOp.OR, "sets bits, gives the old value.")
atomic_xor = AtomicWord(AtomicOp.XOR, "flips bits, gives the old value.")
atomic_exchange = AtomicWord(AtomicOp.EXCHANGE, "replaces an element, gives its old value.")
atomic_cas = AtomicWord(
    AtomicOp.COMPARE_EXCHANGE, "replaces an element that equals `compare`, gives its old value."
)


def ceil_div(a: int, b: int) -> int:
    """`a / b`, rounded up; inside a script also of values of the kernel.

    Examples
    --------
    >>> ceil_div(100, 32)
    4
    """
    return -(-a // b)


INTRINSIC_WORDS: dict[str, Word] = {name: MathWord(name) for name in INTRINSICS}
"""One word for each intrinsic of the IR."""

LANGUAGE: frozenset[str] = frozenset(
    {name for name, value in globals().items() if isinstance(value, Word | Coordinate)}
    | set(INTRINSIC_WORDS)
    | {"ceil_div", "inf", "nan", "dims"}
    | {"f16", "bf16", "f32", "f64", "boolean", *(f"{k}{b}" for k in "iu" for b in (8, 16, 32, 64))}
    | {"repeat", "spatial", "column_repeat", "column_spatial", "auto_map", "predicated_auto_map"}
    | {"row_major", "column_major", "strided", "local"}
)
"""Spellings of the language, for hints about a name that was not imported."""
