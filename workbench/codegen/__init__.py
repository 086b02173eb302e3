"""From lowered IR to the text of a target.

What lives here
    source  Source, generated text whose lines know where they came from
    clike   what languages of C's family share
    half    numbers rounded to f32, and as the bits of a half
    cuda    CUDA C++: readable, header-free
    llvm    LLVM IR for the CPU: threads as vectors

May import: base, mapping, ir; no compiler and no driver.
Start reading: source, then cuda.
Add one more: a target is a package with `generate(module, …) -> Source` and one rule for every
intrinsic of ir.intrinsic; a test names those that are missing.
"""
