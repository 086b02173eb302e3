"""The machine code that goes through launches in order, and shares their blocks.

One function for the thread that leads and those that follow; `sequence` calls it.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from workbench.driver.build import default_cache
from workbench.runtime import jit

_TEXT = """
; one argument: ctypes takes a tenth of a microsecond for each
define void @launches(ptr %call) {
  %words = load { ptr, ptr, i64, i64, i64, ptr, ptr }, ptr %call
  %head = extractvalue { ptr, ptr, i64, i64, i64, ptr, ptr } %words, 0
  %entries = extractvalue { ptr, ptr, i64, i64, i64, ptr, ptr } %words, 1
  %first = extractvalue { ptr, ptr, i64, i64, i64, ptr, ptr } %words, 2
  %last = extractvalue { ptr, ptr, i64, i64, i64, ptr, ptr } %words, 3
  %ticket = extractvalue { ptr, ptr, i64, i64, i64, ptr, ptr } %words, 4
  %scratch = extractvalue { ptr, ptr, i64, i64, i64, ptr, ptr } %words, 5
  %yield = extractvalue { ptr, ptr, i64, i64, i64, ptr, ptr } %words, 6
  call void @row(ptr %head, ptr %entries, i64 %first, i64 %last, i64 %ticket, ptr %scratch, \
ptr %yield)
  ret void
}

define internal void @row(ptr %head, ptr %entries, i64 %first, i64 %last, i64 %ticket, \
ptr %scratch, ptr %yield) {
  %inside = getelementptr i64, ptr %head, i64 16
  %current = getelementptr i64, ptr %head, i64 32
  %leads = icmp eq i64 %ticket, 0
  br i1 %leads, label %step, label %enter

; the leader: one launch after the other
step:
  %i = phi i64 [%first, %0], [%i.next, %done]
  %more = icmp slt i64 %i, %last
  br i1 %more, label %launch, label %close
launch:
  %word = mul i64 %i, 16
  %e = getelementptr i64, ptr %entries, i64 %word
  %fn = load ptr, ptr %e
  %args.at = getelementptr i64, ptr %e, i64 1
  %args = load ptr, ptr %args.at
  %blocks.at = getelementptr i64, ptr %e, i64 2
  %blocks = load i64, ptr %blocks.at
  %grain.at = getelementptr i64, ptr %e, i64 3
  %grain = load i64, ptr %grain.at
  %alone = icmp sge i64 %grain, %blocks
  br i1 %alone, label %serial, label %shared
serial:
  call void %fn(ptr %args, i64 0, i64 %blocks, ptr %scratch)
  br label %done
shared:
  store atomic i64 %i, ptr %current release, align 8
  call void @share(ptr %e, ptr %scratch, i64 1)
  %finished.at = getelementptr i64, ptr %e, i64 9
  br label %wait
wait:
  %n = phi i64 [1, %shared], [%n.next, %waiting]
  %finished = load atomic i64, ptr %finished.at acquire, align 8
  %all = icmp sge i64 %finished, %blocks
  br i1 %all, label %clean, label %waiting
waiting:
  call void @breathe(i64 %n, ptr %yield)
  %n.next = add i64 %n, 1
  br label %wait
clean:
  store atomic i64 -1, ptr %current release, align 8
  br label %done
done:
  %i.next = add i64 %i, 1
  br label %step

; nobody may enter now, and all leave
close:
  store atomic i64 0, ptr %head seq_cst, align 8
  br label %empty
empty:
  %m = phi i64 [1, %close], [%m.next, %crowd]
  %here = load atomic i64, ptr %inside seq_cst, align 8
  %gone = icmp eq i64 %here, 0
  br i1 %gone, label %reset, label %crowd
crowd:
  call void @breathe(i64 %m, ptr %yield)
  %m.next = add i64 %m, 1
  br label %empty
reset:
  %r = phi i64 [%first, %empty], [%r.next, %again]
  %unset = icmp slt i64 %r, %last
  br i1 %unset, label %again, label %out
again:
  %r.word = mul i64 %r, 16
  %r.e = getelementptr i64, ptr %entries, i64 %r.word
  %r.next.at = getelementptr i64, ptr %r.e, i64 8
  store i64 0, ptr %r.next.at
  %r.done.at = getelementptr i64, ptr %r.e, i64 9
  store i64 0, ptr %r.done.at
  %r.next = add i64 %r, 1
  br label %reset

; a follower: whichever launch is due
enter:
  %was = atomicrmw add ptr %inside, i64 1 seq_cst
  br label %look
look:
  %seen = phi i64 [-1, %enter], [%seen, %idle], [%c, %help]
  %k = phi i64 [1, %enter], [%k.next, %idle], [1, %help]
  %now = load atomic i64, ptr %head seq_cst, align 8
  %open = icmp eq i64 %now, %ticket
  br i1 %open, label %due, label %leave
due:
  %c = load atomic i64, ptr %current acquire, align 8
  %none = icmp slt i64 %c, 0
  %same = icmp eq i64 %c, %seen
  %nothing = or i1 %none, %same
  br i1 %nothing, label %idle, label %help
idle:
  call void @breathe(i64 %k, ptr %yield)
  %k.next = add i64 %k, 1
  br label %look
help:
  %c.word = mul i64 %c, 16
  %c.e = getelementptr i64, ptr %entries, i64 %c.word
  call void @share(ptr %c.e, ptr %scratch, i64 4294967296)
  br label %look
leave:
  %left = atomicrmw sub ptr %inside, i64 1 seq_cst
  br label %out
out:
  ret void
}

; the leader takes pieces from the front, followers from the back: what one of them has stored is
; in its own cache when it reads that part in the next launch
define internal void @share(ptr %e, ptr %scratch, i64 %step) {
  %fn = load ptr, ptr %e
  %args.at = getelementptr i64, ptr %e, i64 1
  %args = load ptr, ptr %args.at
  %blocks.at = getelementptr i64, ptr %e, i64 2
  %blocks = load i64, ptr %blocks.at
  %grain.at = getelementptr i64, ptr %e, i64 3
  %grain = load i64, ptr %grain.at
  %next.at = getelementptr i64, ptr %e, i64 8
  %finished.at = getelementptr i64, ptr %e, i64 9
  %more = add i64 %blocks, %grain
  %filled = sub i64 %more, 1
  %pieces = sdiv i64 %filled, %grain
  %leads = icmp eq i64 %step, 1
  br label %take
take:
  %old = atomicrmw add ptr %next.at, i64 %step acq_rel
  %front = and i64 %old, 4294967295
  %back = lshr i64 %old, 32
  %taken = add i64 %front, %back
  %have = icmp slt i64 %taken, %pieces
  br i1 %have, label %run, label %out
run:
  %behind = sub i64 %pieces, %back
  %from.back = sub i64 %behind, 1
  %piece = select i1 %leads, i64 %front, i64 %from.back
  %b = mul i64 %piece, %grain
  %end = add i64 %b, %grain
  %over = icmp sgt i64 %end, %blocks
  %stop = select i1 %over, i64 %blocks, i64 %end
  call void %fn(ptr %args, i64 %b, i64 %stop, ptr %scratch)
  %count = sub i64 %stop, %b
  %sum = atomicrmw add ptr %finished.at, i64 %count acq_rel
  br label %take
out:
  ret void
}

; a moment's rest; from time to time another process gets the processor
define internal void @breathe(i64 %n, ptr %yield) {
  PAUSE
  %low = and i64 %n, 255
  %often = icmp ne i64 %low, 0
  %without = icmp eq ptr %yield, null
  %skip = or i1 %often, %without
  br i1 %skip, label %out, label %rest
rest:
  %ignored = call i32 %yield()
  br label %out
out:
  ret void
}
"""

_PAUSES = {
    "x86_64": ("call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"),
    "aarch64": ("call void @llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)"),
}
_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}
"""What other systems call the same processors."""


@dataclass(frozen=True, slots=True)
class _Code:
    """What the compiler of a kernel's code wants of a text."""

    name: str
    text: str
    scratch_bytes: int = 0
    straight: bool = False


Native = Callable[[int], None]


@cache
def native() -> tuple[Native, int, object]:
    """The function above, the system's call that lets others run, and what keeps it in memory."""
    processor = platform.machine().lower()
    pause, declared = _PAUSES.get(_NAMES.get(processor, processor), ("", ""))
    text = _TEXT.replace("PAUSE", pause) + declared + "\n"
    binary = jit.compile(_Code("launches", text), cache=default_cache())
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(binary.address())
    rest = 0
    if hasattr(os, "sched_yield"):
        rest = ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value or 0
    return function, rest, binary
