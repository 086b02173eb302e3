"""C8: a kernel that another process has compiled, from its definition to the result.

Every sample is a process of its own. The script is read and translated again; the machine code
comes from the disk, found by the text of the IR. Passes and code generation, which wait until
somebody looks at the stages, are timed apart.
"""

from __future__ import annotations

from workbench.bench.figure import Figure, Goal, Settings, duration
from workbench.bench.fresh import empty_cache, in_process, measured

_CHILD = """
import json, time
start = time.perf_counter()
import numpy, llvmlite.binding, workbench, workbench.lang
import workbench.driver.cpu, workbench.passes.default
from workbench.bench.samples import program
from workbench.runtime.cache import default_cache
imported = time.perf_counter()
add = program("vector_add")
a = numpy.ones(4096, numpy.float32)
c = numpy.zeros_like(a)
add(a, a, c)
done = time.perf_counter()
assert (c == 2).all()
kernel = add.kernel_for((a, a, c))
stats = default_cache().stats
print(json.dumps({
    "import": (imported - start) * 1e3,
    "kernel": (done - imported) * 1e3,
    "passes": sum(stage.ms for stage in kernel.stages[:-1]),
    "code": kernel.stages[-1].ms,
    "hits": stats.hits,
    "misses": stats.misses,
}))
"""


def second_process(settings: Settings) -> list[Figure]:
    """Definition to result with a filled cache, and with an empty one."""
    count = settings.processes
    cold: list[float] = []
    in_process(_CHILD)  # leaves the byte code behind
    for _ in range(count):
        with empty_cache():
            cold.append(in_process(_CHILD)["kernel"])
    with empty_cache():
        in_process(_CHILD)
        warm = [in_process(_CHILD) for _ in range(count)]
    assert all(each["hits"] == 1 and each["misses"] == 0 for each in warm), "not from the cache"
    facts = {
        "passes when looked at [ms]": sorted(each["passes"] for each in warm)[count // 2],
        "code when looked at [ms]": sorted(each["code"] for each in warm)[count // 2],
    }
    kernel = measured("from the cache", [each["kernel"] for each in warm])
    return [
        duration("definition to result, from the cache", kernel, Goal(5), facts),
        duration("definition to result, compiled", measured("compiled", cold)),
        duration("imports before", measured("imports", [each["import"] for each in warm])),
    ]
