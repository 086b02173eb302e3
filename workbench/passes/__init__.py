"""From a script to lowered IR, one step at a time, each step shown.

What lives here
    base           what a pass is, its text, the record it leaves
    default        the pipeline, one visible tuple, and `run`
    lower_tasks    task loops become loops, guards and coordinates
    lower_tensors  indices become one flat address
    simplify       integers in order, guards that are proved gone
    eliminate      what nobody reads is gone
    legalize_half  16-bit floats compute in f32
    unroll         loops over register tensors are marked
    pure           which expressions may be left out

May import: base, mapping, ir.
Start reading: default, then lower_tasks.
Add one more: a frozen dataclass in a file of its own that is a Pass; put it in `default.PASSES`,
so that its text can be read, and in `PIPELINE` where it belongs. A test holds every pass to keep
what a random module means.
"""
