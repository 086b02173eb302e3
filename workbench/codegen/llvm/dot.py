"""Products of four bytes by four, added to an i32: one instruction where the machine has it.

VNNI multiplies unsigned by signed bytes. Other signs go by way of it: a signed byte is an unsigned
one less 128, an unsigned byte a signed one plus 128, and 128 times the sum of the other factor is
one more such product. Everywhere else four products of whole words are added, which is as exact:
nothing saturates on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from workbench.codegen.llvm.arith import binary, constant
from workbench.codegen.llvm.convert import convert
from workbench.codegen.llvm.emit import Emitter
from workbench.codegen.llvm.frame import Frame, Parts
from workbench.codegen.llvm.memory import load
from workbench.codegen.llvm.place import without_wrapping
from workbench.codegen.llvm.value import Value, varying
from workbench.ir.expr import BinaryOp, Call, Expr, Load
from workbench.ir.types import DType, i8, i32, u8, u32

_HIGH = -0x7F7F7F80  # the highest bit of each byte


def dot4(f: Frame, node: Call, parts: Callable[[Expr], Parts]) -> Value:
    """The value of a call; `parts` evaluates what is no tensor of words."""
    a, b, c = node.args
    signed = [n.type.kind == "i" for n in (a, b)]  # pyright: ignore
    words = [convert(f.e, _word(f, n, parts), i32) for n in (a, b)]
    total = parts(c)[0]
    if "vnni" not in f.e.extras or f.e.lanes > 16 or all(v.uniform for v in words):
        return _by_bytes(f.e, words, signed, total)
    if signed == [True, False]:
        signed, words = signed[::-1], words[::-1]
    fix = None
    if signed[0] == signed[1]:
        words, fix = _mixed(f.e, words, signed=signed[0])
    x, y = (f.e.vector(v) for v in words)
    if fix is not None:
        total = binary(f.e, BinaryOp.SUB, total, fix)
    return varying(i32, _vnni(f.e, f.e.vector(total), x, y))


def _mixed(e: Emitter, words: list[Value], *, signed: bool) -> tuple[list[Value], Value]:
    """An unsigned and a signed factor, and what their product is too large by."""
    high = constant(_HIGH, i32)
    x, y = words
    # a word that all lanes share is flipped before it is spread
    flipped = binary(e, BinaryOp.BITXOR, x if signed else y, high)
    mixed = [flipped, y] if signed else [x, flipped]
    other = (high, y) if signed else (x, high)
    return mixed, varying(i32, _vnni(e, "zeroinitializer", *map(e.vector, other)))


def _vnni(e: Emitter, total: str, x: str, y: str) -> str:
    kind = e.vector_type(i32)
    name = f"llvm.x86.avx512.vpdpbusd.{32 * e.lanes}"
    return e.call(kind, name, [(kind, total), (kind, x), (kind, y)])


def _by_bytes(e: Emitter, words: list[Value], signed: list[bool], total: Value) -> Value:
    for place in range(4):
        x, y = (_byte(e, w, i8 if s else u8, place) for w, s in zip(words, signed, strict=True))
        total = binary(e, BinaryOp.ADD, total, binary(e, BinaryOp.MUL, x, y))
    return total


def _byte(e: Emitter, word: Value, kind: DType, place: int) -> Value:
    moved = binary(e, BinaryOp.SHR, word, constant(8 * place, i32))
    return convert(e, convert(e, moved, kind), i32)


def _word(f: Frame, node: Expr, parts: Callable[[Expr], Parts]) -> Value:
    """Four bytes as one word, the first lowest: read as such where they lie in memory."""
    e = f.e
    if isinstance(node, Load) and not f.places[node.tensor].per_lane:
        place = f.places[node.tensor]
        index = without_wrapping(e, place, parts(node.index[0])[0])
        index = binary(e, BinaryOp.FLOORDIV, index, constant(4, index.type))  # it is aligned
        return load(e, replace(place, dtype=u32, size=place.size // 4), index, f.mask)
    found = constant(0, u32)
    for n, part in enumerate(parts(node)):
        byte = convert(e, convert(e, part, u8), u32)
        found = binary(
            e, BinaryOp.BITOR, found, binary(e, BinaryOp.SHL, byte, constant(8 * n, u32))
        )
    return found
