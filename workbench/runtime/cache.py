"""A content-addressed cache on disk, safe under several processes.

An entry is one file: a header, a digest over its key and payload, and the payload. It is written
beside its place and moved there in one step, so a reader sees a whole entry or none. An entry
whose digest does not fit is rebuilt with a warning, never used.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from workbench.base.errors import WorkbenchWarning

_MAGIC = b"KWBC\x00\x01"  # the last two bytes count changes of this format
_DIGEST_BYTES = hashlib.sha256().digest_size
_HEADER_BYTES = len(_MAGIC) + _DIGEST_BYTES
_KEY = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z0-9_]+")
_TEMPORARY = ".part"
_ABANDONED_S = 3600.0  # a temporary file older than this belongs to a process that died


def key(*parts: bytes | str) -> str:
    """The address of what is made from `parts`.

    Each part is hashed with its length, so ``("ab", "c")`` and ``("a", "bc")`` differ. Name
    everything that shapes the result: source, flags, architecture, version of the compiler.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Examples
    --------
    >>> key("source", "-arch=sm_90a")[:8]
    '695abdbf'
    >>> key("ab", "c") == key("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(f"{'t' if isinstance(part, str) else 'b'}{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()


def default_folder() -> Path:
    """Where the cache lives: ``WORKBENCH_CACHE``, or the user's cache folder on this system."""
    chosen = os.environ.get("WORKBENCH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "kernel-workbench"


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What one :class:`Cache` object has done so far.

    Attributes
    ----------
    hits, misses : int
        Look-ups that found an entry, and those that had to build.
    damaged : int
        Entries that were found broken and rebuilt (counted in `misses` too).
    evicted : int
        Entries removed to stay under the size bound.
    """

    hits: int = 0
    misses: int = 0
    damaged: int = 0
    evicted: int = 0


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size_bytes: int
    used_s: float  # last use, seconds since the epoch


class Cache:
    """Results of compilers, kept on disk by the content they were made from.

    Parameters
    ----------
    folder : path, optional
        Where the entries lie; :func:`default_folder` when not given. Made when first written to.
        A folder that cannot be written gives one warning, and everything is built anew.
    limit_bytes : int
        Bound on all entries together; the least recently used ones go first.

    Examples
    --------
    >>> folder = tempfile.TemporaryDirectory()
    >>> cache = Cache(folder.name)
    >>> cache.get_or_build(key("x"), lambda: b"built")
    b'built'
    >>> cache.get_or_build(key("x"), lambda: b"not called")
    b'built'
    >>> cache.stats
    CacheStats(hits=1, misses=1, damaged=0, evicted=0)
    >>> folder.cleanup()
    """

    def __init__(self, folder: str | Path | None = None, limit_bytes: int = 1 << 30) -> None:
        self.folder = default_folder() if folder is None else Path(folder)
        self.limit_bytes = limit_bytes
        self._stats = CacheStats()
        self._lock = threading.Lock()
        self._warned = False
        self._size_bytes: int | None = None  # as of the last look at the folder, plus own writes

    @property
    def stats(self) -> CacheStats:
        """Counts since this object was made."""
        return self._stats

    def get_or_build(self, key: str, build: Callable[[], bytes], kind: str = "cubin") -> bytes:
        """The entry `key`, or what `build` returns, which is then kept.

        Parameters
        ----------
        key : str
            From :func:`key`.
        build : callable
            Makes the payload; called when there is no sound entry. What it raises passes through
            and nothing is kept. Two processes that miss together may both build.
        kind : str
            What the payload is, and the ending of the file: ``cubin``, ``object`` …

        Returns
        -------
        bytes
            The payload.
        """
        path = self._path(key, kind)
        found = self._load(path, key, kind)
        if found is not None:
            self._count(hits=1)
            return found
        self._count(misses=1)
        payload = build()
        self._store(path, key, kind, payload)
        return payload

    def size_bytes(self) -> int:
        """Size of all entries on disk, in bytes."""
        return sum(file.size_bytes for file in self._files())

    def clear(self) -> None:
        """Remove every entry; other files in the folder stay."""
        for file in self._files():
            _remove(file.path)
        self._size_bytes = None

    def _path(self, key: str, kind: str) -> Path:
        assert _KEY.fullmatch(key), f"not a key: {key!r}"
        assert _KIND.fullmatch(kind), f"not a kind: {kind!r}"
        return self.folder / key[:2] / f"{key}.{kind}"

    def _count(self, hits: int = 0, misses: int = 0, damaged: int = 0, evicted: int = 0) -> None:
        with self._lock:
            s = self._stats
            self._stats = replace(
                s,
                hits=s.hits + hits,
                misses=s.misses + misses,
                damaged=s.damaged + damaged,
                evicted=s.evicted + evicted,
            )

    def _load(self, path: Path, key: str, kind: str) -> bytes | None:
        try:
            data = path.read_bytes()
        except OSError:
            return None  # absent, or not readable: both mean to build it
        payload = data[_HEADER_BYTES:]
        if data[:_HEADER_BYTES] == _header(key, kind, payload):
            with suppress(OSError):  # evicted meanwhile, or a read-only folder
                os.utime(path)  # a use counts for the order of eviction
            return payload
        self._count(damaged=1)
        warnings.warn(
            f"cache entry {path} is damaged ({len(data)} bytes); it is built again",
            WorkbenchWarning,
            stacklevel=3,
        )
        return None

    def _store(self, path: Path, key: str, kind: str, payload: bytes) -> None:
        size_bytes = _HEADER_BYTES + len(payload)
        if size_bytes > self.limit_bytes:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, _header(key, kind, payload) + payload)
        except OSError as error:
            self._warn_once(error)
            return
        self._make_room(size_bytes)

    def _warn_once(self, error: OSError) -> None:
        if self._warned:
            return
        self._warned = True
        reason = error.strerror or type(error).__name__
        warnings.warn(
            f"the cache folder {self.folder} cannot be written ({reason}); every kernel is "
            "compiled anew. Set WORKBENCH_CACHE to a folder of yours to keep them",
            WorkbenchWarning,
            stacklevel=4,
        )

    def _make_room(self, added_bytes: int) -> None:
        with self._lock:
            if self._size_bytes is not None:
                self._size_bytes += added_bytes
                if self._size_bytes <= self.limit_bytes:
                    return
            files = sorted(self._files(), key=lambda file: file.used_s)
            total = sum(file.size_bytes for file in files)
            # Go somewhat below the bound, or every later write would look at the whole folder.
            goal = total if total <= self.limit_bytes else self.limit_bytes * 3 // 4
            evicted = 0
            for file in files[:-1]:  # the newest is what was just written
                if total <= goal:
                    break
                _remove(file.path)
                total -= file.size_bytes
                evicted += 1
            self._size_bytes = total
        self._count(evicted=evicted)

    def _files(self) -> Iterator[_File]:
        """Every entry; what a dead process left half written is removed on the way."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            try:
                status = path.stat()
            except OSError:
                continue  # evicted by another process
            if path.suffix != _TEMPORARY:
                if _KEY.fullmatch(path.stem):
                    yield _File(path, status.st_size, status.st_mtime)
            elif time.time() - status.st_mtime > _ABANDONED_S:
                _remove(path)


def _header(key: str, kind: str, payload: bytes) -> bytes:
    # The key is part of the digest: an entry under a wrong name is damaged, too.
    return _MAGIC + hashlib.sha256(f"{key}.{kind}:".encode() + payload).digest()


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=_TEMPORARY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except PermissionError:
        _remove(Path(name))
        # Windows refuses to replace a file that another process reads: then it is there already.
        if not path.exists():
            raise
    except BaseException:
        _remove(Path(name))
        raise


def _remove(path: Path) -> None:
    with suppress(OSError):  # in use elsewhere, or a read-only folder: a later look tries again
        path.unlink()


@cache
def default_cache() -> Cache:
    """The cache in the user's folder; one object, so that it warns once."""
    return Cache()
