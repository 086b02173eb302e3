"""Models made wrong: one or a few small changes to a model that was right.

Everything follows from the seed: the same number gives the same mutant, also in another process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import onnx

MARK = "KWBMARK"
"""Part of every hostile name: where it stands in a source, but not as part of a longer word,
something of the model was taken for code."""

NAMES = (
    "", " ", ".", "..", "a\nb", f"x */ {MARK}(); /* y", f'a" {MARK} "b', f"a'{MARK}'b",
    f"a\\\n{MARK} b", f"a\r{MARK} b", f"a\x00{MARK} b", f"a\u2028{MARK} b", "\u202e gnp",
    "ünï 名前",
    "float", "__shared__", "int", f"%s%n {MARK}", f"${{{MARK}}}", "{0}", "../../etc/passwd",
    "a" * 5000,
    "*/", "//", f"; {MARK}", f"!{MARK}", "0", "-1", "ai.onnx", "ai.onnx.ml", "Relu", "If", "\ud7ff",
)  # fmt: skip
INTS = (
    0, 1, -1, 2, 3, -2, 7, 16, 255, 1000, 10**6, 10**9, 2**31 - 1, 2**31, -(2**31), 2**32,
    2**62, 2**63 - 1, -(2**63),
)  # fmt: skip
FLOATS = (0.0, -1.0, 1e-40, 1e38, -1e38, float("inf"), float("-inf"), float("nan"))

_NAMED_ONLY = {"doc_string", "metadata_props"}


@dataclass(frozen=True)
class Mutant:
    """A model that may be wrong, and what was done to it."""

    data: bytes
    what: str


def mutant(data: bytes, rng: random.Random) -> Mutant:
    """A model with one to three changes; one in four changes bytes of the file."""
    if rng.random() < 0.25:
        return _bytes(data, rng)
    proto = onnx.ModelProto.FromString(data)
    done = [_change(proto, rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    return Mutant(proto.SerializeToString(), "; ".join(done))


def _bytes(data: bytes, rng: random.Random) -> Mutant:
    changed = bytearray(data)
    what: list[str] = []
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(changed) or 1)
        match rng.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([rng.randrange(256)])
                what.append(f"byte {place}")
            case 1:
                del changed[place:]
                what.append(f"cut at {place}")
            case 2:
                changed[place:place] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
                what.append(f"bytes put in at {place}")
            case _:
                size = rng.randrange(1, 32)
                del changed[place : place + size]
                what.append(f"{size} bytes gone at {place}")
    return Mutant(bytes(changed), "; ".join(what))


def _messages(root: Any) -> Iterator[tuple[Any, str]]:
    """Every message of a tree with the way to it."""
    stack: list[tuple[Any, str]] = [(root, root.DESCRIPTOR.name)]
    while stack:
        message, path = stack.pop()
        yield message, path
        for field, value in message.ListFields():
            if field.message_type is None or field.name in _NAMED_ONLY:
                continue
            for n, each in enumerate(value if _repeated(field) else [value]):
                stack.append((each, f"{path}.{field.name}[{n}]"))


def _change(proto: onnx.ModelProto, rng: random.Random) -> str:
    """One change somewhere in a model, in words."""
    found = list(_messages(proto))
    message, path = rng.choice(found)
    fields = [f for f, _ in message.ListFields() if f.name not in _NAMED_ONLY]
    if not fields or rng.random() < 0.1:
        fields = [f for f in message.DESCRIPTOR.fields if f.name not in _NAMED_ONLY]
    field = rng.choice(fields)
    where = f"{path}.{field.name}"
    if _repeated(field):
        return f"{where} {_change_list(message, field, found, rng)}"
    if rng.random() < 0.25:
        message.ClearField(field.name)
        return f"{where} removed"
    if field.message_type is not None:
        other = rng.choice([m for m, _ in found if m.DESCRIPTOR is field.message_type] or [None])
        if other is not None:
            copy = type(other)()
            copy.CopyFrom(other)
            getattr(message, field.name).CopyFrom(copy)
        return f"{where} replaced"
    value = _value(field, getattr(message, field.name), found, rng)
    try:
        setattr(message, field.name, value)
    except (ValueError, TypeError):  # an enum without this number, an int32 without room
        message.ClearField(field.name)
    return f"{where} = {value!r:.60}"


def _change_list(message: Any, field: Any, found: list[tuple[Any, str]], rng: random.Random) -> str:
    values = getattr(message, field.name)
    choice = rng.randrange(5)
    if len(values) and choice == 0:
        place = rng.randrange(len(values))
        del values[place]
        return f"[{place}] removed"
    if len(values) > 1 and choice == 1:
        order = list(values)
        a, b = rng.sample(range(len(order)), 2)
        order[a], order[b] = order[b], order[a]
        copies = [_copied(v) for v in order]
        del values[:]
        values.extend(copies)
        return f"[{a}] and [{b}] exchanged"
    if field.message_type is not None:
        others = [m for m, _ in found if m.DESCRIPTOR is field.message_type]
        if others:
            values.append(_copied(rng.choice(others)))
        return "one more"
    if len(values) and choice < 4:
        place = rng.randrange(len(values))
        value = _value(field, values[place], found, rng)
        try:
            values[place] = value
        except (ValueError, TypeError):
            return f"[{place}] as it was"
        return f"[{place}] = {value!r:.60}"
    try:
        values.append(_value(field, None, found, rng))
    except (ValueError, TypeError):
        return "as it was"
    return "one more"


def _copied(value: Any) -> Any:
    if not hasattr(value, "CopyFrom"):
        return value
    copy = type(value)()
    copy.CopyFrom(value)
    return copy


def _value(field: Any, old: Any, found: list[tuple[Any, str]], rng: random.Random) -> Any:
    """Another value of a field's type."""
    kinds: dict[int, Callable[[], Any]] = {
        field.CPPTYPE_FLOAT: lambda: rng.choice(FLOATS),
        field.CPPTYPE_DOUBLE: lambda: rng.choice(FLOATS),
        field.CPPTYPE_ENUM: lambda: rng.randrange(20),
    }
    if field.cpp_type in kinds:
        return kinds[field.cpp_type]()
    if field.cpp_type != field.CPPTYPE_STRING:
        near = [old + 1, old - 1, -old, 2 * old] if old is not None else []
        return rng.choice([*INTS, *near, *range(1, 22)])
    if field.type == field.TYPE_BYTES:
        return _other_bytes(old or b"", rng)
    return rng.choice(NAMES) if rng.random() < 0.5 else rng.choice(_texts(found))


def _other_bytes(old: bytes, rng: random.Random) -> bytes:
    match rng.randrange(4):
        case 0:
            return old[: rng.randrange(len(old) + 1)]
        case 1:
            return old * 2 + b"\xff"
        case 2:
            return bytes(rng.randrange(256) for _ in old)
        case _:
            return rng.choice(NAMES).encode()


def _texts(found: list[tuple[Any, str]]) -> list[str]:
    """Every text of the model: names exchanged make cycles, missing inputs, double outputs."""
    texts: list[str] = []
    for message, _ in found:
        for field, value in message.ListFields():
            if field.cpp_type == field.CPPTYPE_STRING and field.type != field.TYPE_BYTES:
                texts += list(value) if _repeated(field) else [value]
    return texts or [""]


def _repeated(field: Any) -> bool:
    return bool(field.is_repeated)
