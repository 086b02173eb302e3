"""The disk cache: never a wrong byte, whatever happens to its files."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.base.errors import WorkbenchWarning
from workbench.runtime.cache import Cache, default_folder, key

PARTS = st.lists(st.one_of(st.binary(max_size=6), st.text(max_size=6)), max_size=4)


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@given(PARTS, PARTS)
def test_keys_are_equal_only_for_equal_parts(one: list[bytes | str], other: list[bytes | str]):
    assert (key(*one) == key(*other)) == (one == other)


@given(st.binary(max_size=300))
def test_payload_comes_back(tmp_path_factory: pytest.TempPathFactory, payload: bytes):
    folder = tmp_path_factory.mktemp("cache")
    assert Cache(folder).get_or_build(key("a"), lambda: payload) == payload
    again = Cache(folder)
    assert again.get_or_build(key("a"), lambda: b"not this") == payload
    assert (again.stats.hits, again.stats.misses) == (1, 0)


def test_kinds_do_not_mix(tmp_path: Path):
    cache = Cache(tmp_path)
    assert cache.get_or_build(key("a"), lambda: b"one", "cubin") == b"one"
    assert cache.get_or_build(key("a"), lambda: b"two", "object") == b"two"


@given(st.data())
def test_a_flipped_bit_is_rebuilt_with_a_warning(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    folder = tmp_path_factory.mktemp("cache")
    Cache(folder).get_or_build(key("a"), lambda: b"payload")
    (entry,) = entries(folder)
    raw = bytearray(entry.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    entry.write_bytes(raw)
    cache = Cache(folder)
    with pytest.warns(WorkbenchWarning, match="is damaged"):
        assert cache.get_or_build(key("a"), lambda: b"rebuilt") == b"rebuilt"
    assert cache.stats.damaged == 1
    assert cache.get_or_build(key("a"), lambda: b"not this") == b"rebuilt"


@given(st.integers(0, 60))
def test_a_cut_entry_is_rebuilt(tmp_path_factory: pytest.TempPathFactory, length: int):
    folder = tmp_path_factory.mktemp("cache")
    Cache(folder).get_or_build(key("a"), lambda: bytes(40))
    (entry,) = entries(folder)
    raw = entry.read_bytes()
    assert len(raw) > 60
    entry.write_bytes(raw[:length])
    with pytest.warns(WorkbenchWarning, match=f"is damaged \\({length} bytes\\)"):
        assert Cache(folder).get_or_build(key("a"), lambda: b"new") == b"new"


def test_an_entry_under_a_wrong_name_is_damaged(tmp_path: Path):
    cache = Cache(tmp_path)
    cache.get_or_build(key("a"), lambda: b"of a")
    (entry,) = entries(tmp_path)
    wrong = tmp_path / key("b")[:2] / f"{key('b')}.cubin"
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_bytes(entry.read_bytes())
    with pytest.warns(WorkbenchWarning, match="is damaged"):
        assert cache.get_or_build(key("b"), lambda: b"of b") == b"of b"


def test_a_folder_that_cannot_be_written_warns_once_and_works(tmp_path: Path):
    blocked = tmp_path / "a-file"
    blocked.write_text("in the way")
    cache = Cache(blocked / "cache")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert cache.get_or_build(key("a"), lambda: b"one") == b"one"
        assert cache.get_or_build(key("a"), lambda: b"two") == b"two"
    assert {warning.category for warning in caught} == {WorkbenchWarning}
    assert [str(warning.message) for warning in caught] == [
        f"the cache folder {blocked / 'cache'} cannot be written (Not a directory); every kernel "
        "is compiled anew. Set WORKBENCH_CACHE to a folder of yours to keep them"
    ]
    assert caught[0].filename == __file__


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_folder_still_gives_what_it_has(tmp_path: Path):
    Cache(tmp_path).get_or_build(key("a"), lambda: b"kept")
    for folder in (tmp_path / key("a")[:2], tmp_path):
        folder.chmod(0o500)
    cache = Cache(tmp_path)
    assert cache.get_or_build(key("a"), lambda: b"new") == b"kept"
    with pytest.warns(WorkbenchWarning, match="Permission denied"):
        assert cache.get_or_build(key("b"), lambda: b"new") == b"new"
    tmp_path.chmod(0o700)


def test_a_failing_build_leaves_nothing(tmp_path: Path):
    def build() -> bytes:
        raise ZeroDivisionError

    cache = Cache(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_build(key("a"), build)
    assert entries(tmp_path) == []
    assert cache.get_or_build(key("a"), lambda: b"good") == b"good"


def test_the_least_recently_used_go_first(tmp_path: Path):
    cache = Cache(tmp_path, limit_bytes=4500)
    for name in "abcd":
        cache.get_or_build(key(name), lambda: bytes(1000))
    for age, name in enumerate("bdca"):  # a was used last, b longest ago
        stamp = time.time() - 100 + 10 * age
        os.utime(tmp_path / key(name)[:2] / f"{key(name)}.cubin", (stamp, stamp))
    cache.get_or_build(key("b"), lambda: b"not built")  # a use: now d is the oldest
    cache.get_or_build(key("e"), lambda: bytes(1000))
    kept = {path.stem for path in entries(tmp_path)}
    assert kept == {key(name) for name in "abe"}
    assert cache.stats.evicted == 2
    assert cache.size_bytes() <= 4500


def test_what_exceeds_the_bound_is_not_kept(tmp_path: Path):
    cache = Cache(tmp_path, limit_bytes=100)
    assert cache.get_or_build(key("a"), lambda: bytes(200)) == bytes(200)
    assert entries(tmp_path) == []


def test_half_written_files_of_the_dead_are_removed_and_foreign_files_stay(tmp_path: Path):
    cache = Cache(tmp_path)
    cache.get_or_build(key("a"), lambda: b"a")
    shelf = tmp_path / key("a")[:2]
    old, fresh, foreign = shelf / "old.part", shelf / "fresh.part", shelf / "notes.txt"
    for path in (old, fresh, foreign):
        path.write_text("x")
    os.utime(old, (1, 1))
    Cache(tmp_path).clear()
    assert entries(tmp_path) == sorted([fresh, foreign])


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "chosen"))
    assert default_folder() == tmp_path / "chosen"
    monkeypatch.delenv("WORKBENCH_CACHE")
    assert default_folder().name == "kernel-workbench"
    assert default_folder().is_absolute()


HAMMER = """
import random, sys, warnings
from pathlib import Path
from workbench.runtime.cache import Cache, key

warnings.simplefilter("ignore")
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(seed)
cache = Cache(folder, limit_bytes=40_000)
for _ in range(400):
    number = chance.randrange(24)
    expected = bytes([number]) * (500 + 100 * number)
    found = cache.get_or_build(key(str(number)), lambda: expected)
    assert found == expected, (number, len(found))
    if chance.random() < 0.05:
        victim = chance.choice(list(folder.rglob("*.cubin")) or [None])
        try:
            raw = bytearray(victim.read_bytes())
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            victim.write_bytes(raw[: chance.randrange(1, len(raw) + 1)])
        except (OSError, AttributeError, ValueError):  # none yet, or in another's hands
            pass
print(cache.stats.hits, cache.stats.misses, cache.stats.damaged, cache.stats.evicted)
"""


def test_processes_that_share_damage_and_evict_never_read_a_wrong_byte(tmp_path: Path):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", HAMMER, str(tmp_path), str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for seed in range(4)
    ]
    results = [worker.communicate(timeout=120) for worker in workers]
    assert [err for _, err in results] == [""] * 4
    counts = [[int(word) for word in out.split()] for out, _ in results]
    hits, misses, damaged, evicted = (sum(each[column] for each in counts) for column in range(4))
    assert hits + misses == 4 * 400
    assert min(hits, damaged, evicted) > 0  # the run met what it is about
    assert not list(tmp_path.rglob("*.part"))


def test_threads_share_one_cache(tmp_path: Path):
    cache = Cache(tmp_path)
    wrong: list[int] = []

    def work(seed: int) -> None:
        for step in range(100):
            number = (seed * 7 + step) % 10
            payload = bytes([number]) * 64
            if cache.get_or_build(key(str(number)), lambda: payload) != payload:  # noqa: B023
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert cache.stats.hits + cache.stats.misses == 800
