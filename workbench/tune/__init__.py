"""Tuning: which of many schedules is the fastest here, found by trying the likely ones.

What lives here
    space    what can be chosen, and which combinations are legal
    cost     how long a kernel should take, from its IR alone
    machine  what devices can do at most
    roof     what this CPU can do at most, measured
    measure  one heat: compiled, checked, timed in turns; runs on any Executor
    search   rank, measure, keep every trial
    trial    what became of a candidate; the result of a search
    record   trials on disk, so that a search can go on

May import: base … driver.
Start reading: space, then search.
Add one more: a device is a row in machine; a figure of a kernel that the prediction should know
is counted in cost.
"""

from workbench.tune.search import tune
from workbench.tune.space import Candidate, Space
from workbench.tune.trial import Status, Trial, Tuning

__all__ = ["Candidate", "Space", "Status", "Trial", "Tuning", "tune"]
