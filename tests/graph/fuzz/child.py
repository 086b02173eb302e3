"""A process of its own that judges mutants one after the other, and may die of it.

It writes a JSON line before and after each, so that whoever watches knows which one it was.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from tests.graph.fuzz.files import lay_traps
from tests.graph.fuzz.hostile import UNCALLED, cases
from tests.graph.fuzz.judge import Finding, judge
from tests.graph.fuzz.mutate import mutant
from tests.graph.fuzz.seeds import seeds

MOST_BYTES = 2 << 30
MOST_SECONDS = 10.0
RUN_EVERY = 4


def bounded() -> None:
    """From now on the process may take 2 GiB more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def watched(folder: Path) -> None:
    """Files that are opened for reading from here on lie in `folder`, or belong to Python."""
    ours = tuple(
        os.path.realpath(p)
        for p in (folder, sys.prefix, sys.base_prefix, Path(__file__).parents[3],
                  os.environ["WORKBENCH_CACHE"])
    )  # fmt: skip

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            path = os.path.realpath(arguments[0])
            if folder.exists() and not path.startswith(
                (*ours, "/proc/", "/sys/", "/dev/null", "/usr/")
            ):
                raise Finding(f"opens {path}")

    sys.addaudithook(hook)


def _mutant(number: int, folder: Path) -> str:
    """What comes of the mutant with this number."""
    rng = random.Random(number)
    seed = rng.choice(seeds())
    made = mutant(seed.data, rng)
    say({"number": number, "seed": seed.name, "what": made.what})
    file = folder / "model.onnx"
    file.write_bytes(made.data)
    target = "cpu" if number % 8 else "interp"
    return judge(file if number % 2 else made.data, run=number % RUN_EVERY == 0, target=target)


def _by_hand(number: int, folder: Path) -> str:
    """What comes of a case made by hand."""
    name, make = list(cases().items())[number]
    say({"number": number, "seed": "", "what": name})
    return judge(make(folder), run=name not in UNCALLED, target="cpu")


def peak() -> int:
    """The most memory that was held since it was last asked for [byte]."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def say(line: dict[str, Any]) -> None:
    """One line for who watches."""
    print(json.dumps(line), flush=True)


def main(what: str, first: int, last: int, step: int) -> None:
    """Judge the mutants, or the cases made by hand, of these numbers."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        folder.mkdir()
        lay_traps(folder)
        one = _mutant if what == "mutants" else _by_hand
        seeds()
        bounded()
        watched(folder)
        for number in range(first, last, step):
            start = time.process_time()
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
            try:
                found, bad = one(number, folder), ""
            except BaseException as error:  # everything that escapes is a finding
                found, bad = type(error).__name__, traceback.format_exc()[-1500:]
            seconds = time.process_time() - start
            if seconds > MOST_SECONDS and not bad:
                bad = f"took {seconds:.0f} s"
            say(
                {
                    "number": number,
                    "found": found,
                    "bad": bad,
                    "seconds": round(seconds, 2),
                    "peak_bytes": peak(),
                }
            )
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
