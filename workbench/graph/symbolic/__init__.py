"""Numbers that remember how they came about, so that what was made of them is made of others.

A graph is made for the extents of one call by thousands of lines that know nothing of this room:
they get extents that act like numbers. What is computed of them is written on a tape, whatever is
decided by looking at them as a guard. For other extents the tape is run: where all guards hold, it
gives what those lines would.

What lives here
    tape        what was computed, and what was decided
    program     the same, ready to be run
    probes      the same for some other inputs, as it grows
    number      a number of a tape
    array       an array of a tape: shapes while a model is read, constants made of them
    operand     what numpy's functions make of both
    definition  constants computed by a definition that holds such numbers
    settled     what holds such numbers, functions too, with those of one call

May import: base, ir, schedules; of graph only evaluate.
Start reading: tape, then number.
Add one more: a function of numpy that a row needs is a word in operand or array. What is neither
written down nor guarded must raise Untraceable: a graph without a tape is made the long way.
"""
