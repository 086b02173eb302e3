"""Launches in a row as one piece of machine code, its blocks shared with other host threads.

The thread that calls leads: it goes through the launches in order. Others follow: they look which
launch is due and take pieces of it until none are left. Nobody has to come: a follower that wakes
up late, or never, only helps less. For a while after a call followers stay awake, each at a box in
which a leader posts the next one: a thread that sleeps is woken in some 20 to 200 µs. Linux often
wakes it on the processor of who woke it, where it would wait milliseconds for its turn: until it
is awake it is kept off that one.
"""

from __future__ import annotations

import ctypes
import os
import platform
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from workbench.runtime import jit
from workbench.runtime.cache import default_cache

PATIENCE_NS = 1_000_000
"""How long a follower stays awake when nothing comes [ns]."""

_LINE = 64
_ALIGN = 128  # processors fetch two cache lines at a time
_MOST = 62  # followers: one bit each in a word
_HEAD, _ENTRY, _BOX, _CALL = 48, 16, 16, 10  # words of each
_CURRENT = 32  # word of the head that tells which launch is due
_FIRST, _LAST, _SCRATCH, _REST, _BOXES, _COUNT = range(2, 8)  # words of a call
_BOX_SCRATCH, _BOX_REST, _BOX_PATIENCE = range(3, 6)  # words of a box
_ASLEEP = 4
_POST, _LEAD, _END, _FOLLOW = range(4)

_PAUSES = {
    "x86_64": ("call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"),
    "aarch64": ("call void @llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)"),
}
_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}
"""What other systems call the same processors."""


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Scratch(threading.local):
    """Scratch memory of each host thread, grown when a kernel needs more."""

    buffer: object = None
    size: int = -1
    address: int = 0

    def of(self, size: int) -> int:
        """Address of `size` bytes, aligned to 64."""
        if size > self.size:
            self.buffer, self.address = _memory(size)
            self.size = size
        return self.address


SCRATCH = _Scratch()


def _memory(size: int, align: int = _LINE) -> tuple[object, int]:
    buffer = ctypes.create_string_buffer(size + align)
    start = ctypes.addressof(buffer)
    return buffer, start + -start % align


class _Code(NamedTuple):
    """What the compiler of a kernel's code wants of a text."""

    name: str
    text: str
    scratch_bytes: int = 0
    straight: bool = False


@cache
def _native() -> tuple[Callable[[int, int], int], int]:
    """The machine code, and the system's call that lets others run."""
    processor = platform.machine().lower()
    pause, declared = _PAUSES.get(_NAMES.get(processor, processor), ("", ""))
    text = Path(__file__).with_name("launches.ll").read_text(encoding="utf-8")
    text = text.replace("  PAUSE\n", f"  {pause}\n").replace("\nDECLARED", f"\n{declared}")
    binary = jit.compile(_Code("launches", text), cache=default_cache())
    function: Any = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(
        binary.address()
    )
    # whoever has the function has its code: two threads may come here at the same time
    function.kept = binary
    rest = 0
    if hasattr(os, "sched_yield"):
        rest = ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value or 0
    return function, rest


_getcpu = getattr(ctypes.CDLL(None), "sched_getcpu", None) if sys.platform == "linux" else None
"""Linux's call that tells which processor the caller runs on."""


def _kept_off(thread: int, processor: int) -> set[int]:
    """Keep a thread off a processor; gives where it may run when it is awake, empty if anywhere."""
    with suppress(OSError):  # of a system that forbids it
        usual = os.sched_getaffinity(thread)
        if others := usual - {processor}:
            os.sched_setaffinity(thread, others)
            return usual
    return set()


class _Followers:
    """Host threads that wait, awake for a while, to be asked."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._function, rest = _native()
        self._memory, self.boxes = _memory(8 * _BOX * count, _ALIGN)
        self._words = (ctypes.c_int64 * (_BOX * count)).from_address(self.boxes)
        self._kept: list[object] = []  # who still works with a smaller one has it in use
        self._size, self._lock = -1, threading.Lock()
        self._calls = [queue.SimpleQueue[set[int]]() for _ in range(count)]
        self._threads: list[threading.Thread] = []
        # how often one looks in that time: an empty box, looked at some times
        looks = 2000
        self._words[_BOX_REST], self._words[_BOX_PATIENCE] = rest, looks
        start = time.perf_counter_ns()
        self._function(self.boxes, _FOLLOW)
        patience = looks * PATIENCE_NS // max(1, time.perf_counter_ns() - start)
        for n in range(count):
            self._words[_BOX * n] = _ASLEEP
            self._words[_BOX * n + _BOX_REST] = rest
            self._words[_BOX * n + _BOX_PATIENCE] = patience
            name = f"workbench-{n}"
            self._threads.append(
                threading.Thread(target=self._serve, args=(n,), name=name, daemon=True)
            )
            self._threads[n].start()

    def ask(self, call: int, scratch_bytes: int) -> None:
        """Have those who are free take part in a call, with so much scratch memory."""
        if scratch_bytes > self._size:
            self._grow(scratch_bytes)
        asleep = self._function(call, _POST)
        if asleep:
            self._wake(asleep)

    def _wake(self, asleep: int) -> None:
        """Wake the followers of these bits, on other processors than the caller's."""
        here = _getcpu() if _getcpu else -1
        while asleep:
            n = (asleep & -asleep).bit_length() - 1
            thread = self._threads[n].native_id
            self._calls[n].put(_kept_off(thread, here) if here >= 0 and thread else set())
            asleep &= asleep - 1

    def _grow(self, size: int) -> None:
        with self._lock:
            size = max(size, 2 * self._size)
            each = size + -size % _ALIGN
            buffer, start = _memory(each * self.count)
            self._kept.append(buffer)
            for n in range(self.count):
                self._words[_BOX * n + _BOX_SCRATCH] = start + each * n
            self._size = size

    def _serve(self, number: int) -> None:
        calls, box = self._calls[number], self.boxes + 8 * _BOX * number
        while True:
            if usual := calls.get():
                with suppress(OSError):
                    os.sched_setaffinity(0, usual)
            self._function(box, _FOLLOW)


@cache
def _followers(count: int) -> _Followers:
    return _Followers(count)


if hasattr(os, "register_at_fork"):
    # a forked process has the objects, but none of their threads
    os.register_at_fork(after_in_child=_followers.cache_clear)


class Row:
    """A table of launches that are run in order, one call at a time.

    Parameters
    ----------
    count : int
        How many there is room for.
    scratch_bytes : int
        What the greediest of them needs on each host thread [byte].
    threads : int
        Host threads that share a launch: 1 for none but the caller's.
    """

    def __init__(self, count: int, scratch_bytes: int, threads: int) -> None:
        self._scratch_bytes = scratch_bytes
        self._threads = threads
        self._function, rest = _native()
        self._memory, head = _memory(8 * (_HEAD + _ENTRY * count), _ALIGN)
        entries = head + 8 * _HEAD
        self._table = (ctypes.c_int64 * (_ENTRY * count)).from_address(entries)
        ctypes.c_int64.from_address(head + 8 * _CURRENT).value = -1
        self._words = (ctypes.c_int64 * _CALL)(head, entries)
        self._words[_REST] = rest
        self._call = ctypes.addressof(self._words)

    def set(
        self, n: int, code: int, arguments: int, blocks: int, grain: int, start: int = 0
    ) -> None:
        """Launch `n`.

        Parameters
        ----------
        code, arguments : int
            Addresses of the kernel and of its pointers.
        blocks, grain, start : int
            So many blocks from `start` on, `grain` at a time; all at once on the caller's thread
            where `grain` is no less.
        """
        self._table[_ENTRY * n : _ENTRY * n + 5] = [code, arguments, blocks, grain, start]

    def alone(self, first: int, last: int) -> None:
        """Launches `first` to before `last` on this host thread."""
        self._begin(first, last)
        self._function(self._call, _LEAD)

    def together(self, first: int, last: int) -> None:
        """The same, with followers."""
        followers = _followers(min(max(cores() - 1, 1), _MOST))
        self._begin(first, last)
        self._words[_BOXES] = followers.boxes
        self._words[_COUNT] = min(self._threads - 1, followers.count)
        try:
            followers.ask(self._call, self._scratch_bytes)
            self._function(self._call, _LEAD)
        except BaseException:
            # an interrupt before the first launch: who was asked is not to wait for ever
            self._function(self._call, _END)
            raise

    def _begin(self, first: int, last: int) -> None:
        words = self._words
        words[_FIRST], words[_LAST] = first, last
        words[_SCRATCH] = SCRATCH.of(self._scratch_bytes)
