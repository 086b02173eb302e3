"""Trials on disk: one JSON line each, added when it is done, so that nothing is lost."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

from workbench.base.errors import WorkbenchWarning
from workbench.tune.trial import Trial

FORMAT = 1
"""Of a line; lines of another format are passed by."""


class Record:
    """A file of trials.

    Parameters
    ----------
    path : path
        Made when the first trial is added; several searches and processes may share it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def known(self) -> dict[str, Trial]:
        """Every trial by its key, the latest of each.

        A line that cannot be read, such as the last one of a process that was killed, is passed by
        with a warning.
        """
        found: dict[str, Trial] = {}
        for number, line in enumerate(self._lines(), 1):
            try:
                fields: dict[str, Any] = json.loads(line)
                if fields.get("format") == FORMAT:
                    found[fields["key"]] = Trial.read(fields["trial"])
            except (ValueError, TypeError, KeyError, AttributeError):
                warnings.warn(
                    f"line {number} of {self.path} is no trial and is passed by",
                    WorkbenchWarning,
                    stacklevel=2,
                )
        return found

    def add(self, key: str, trial: Trial, conditions: dict[str, str]) -> None:
        """Write one line, as a whole.

        Raises
        ------
        OSError
            When the file cannot be written.
        """
        entry = {"format": FORMAT, "key": key, **conditions, "trial": trial.json()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
        # one write to a file opened for appending: lines of several processes do not mix
        with self.path.open("ab", buffering=0) as file:
            if file.tell() and not self._ends_whole():
                data = b"\n" + data
            file.write(data)

    def _lines(self) -> list[str]:
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return [line for line in text.splitlines() if line.strip()]

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
