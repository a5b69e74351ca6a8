"""Strings that stay on disk, Arrow files that are made once, checksums that are remembered."""

from __future__ import annotations

import hashlib
import json
import os
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.arrow_store import TEXTS, forget, store_key, stored
from tasks.arrow_strings import ArrowStrings
from tasks.collection import document_language
from tasks.data_files import cache_folder
from tasks.digests import digests
from tasks.errors import DataFileError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def batch(rows):
    return pa.record_batch([[name for name, _ in rows], [text for _, text in rows]], schema=TEXTS)


ROWS = [("sw_1", "moja"), ("sw_2", "mbili"), ("sw_3", "")]

# ---- strings -----------------------------------------------------------------------------------

# Lists of chunks: empty ones, and strings of any script, among them.
CHUNKS = st.lists(st.lists(st.text(max_size=4), max_size=5), max_size=4)


def arrow_strings(chunks):
    return ArrowStrings(pa.chunked_array([pa.array(c, pa.string()) for c in chunks], pa.string()))


@settings(deadline=None)  # the first call imports
@given(CHUNKS, st.data())
def test_arrow_strings_are_as_a_tuple(chunks, data):
    plain = tuple(text for chunk in chunks for text in chunk)
    strings = arrow_strings(chunks)
    assert len(strings) == len(plain)
    assert tuple(strings) == plain
    bounds = st.none() | st.integers(-len(plain) - 2, len(plain) + 2)
    cut = slice(data.draw(bounds), data.draw(bounds), data.draw(st.sampled_from([None, 1, 2, -1])))
    assert strings[cut] == plain[cut]
    if plain:
        number = data.draw(st.integers(-len(plain), len(plain) - 1))
        assert strings[number] == plain[number]
        rows = data.draw(st.lists(st.integers(0, len(plain) - 1), max_size=8))
        assert strings.take(np.array(rows, dtype=np.int64)) == [plain[row] for row in rows]
    for number in (len(plain), -len(plain) - 1):
        with pytest.raises(IndexError):
            strings[number]


@settings(deadline=None)
@given(CHUNKS, st.lists(st.text(max_size=4), unique=True, max_size=6))
def test_rows_of_strings(chunks, wanted):
    plain = [text for chunk in chunks for text in chunk]
    rows = arrow_strings(chunks).rows_of(wanted)
    for name, row in zip(wanted, rows.tolist(), strict=True):
        assert (plain[row] == name) if row >= 0 else (name not in plain)


def test_rows_that_are_not_there():
    strings = arrow_strings([["a"], ["b"]])
    for rows in ([2], [-1], [0, 5]):
        with pytest.raises(IndexError, match="of 2 strings"):
            strings.take(np.array(rows))


def test_strings_do_not_enter_memory_as_a_whole():
    # 200 batches of 1,000 texts of 1,000 letters: Arrow's own memory stays empty.
    def batches():
        for number in range(200):
            yield batch([(f"sw_{number}_{i}", "x" * 1000) for i in range(1000)])

    table = stored("large", store_key(large=1), TEXTS, batches)
    before = pa.total_allocated_bytes()
    strings = ArrowStrings(table.column("text"))
    assert len(strings) == 200_000
    assert strings[123_456] == "x" * 1000
    assert strings.take(np.array([199_999, 0])) == ["x" * 1000] * 2
    assert sum(map(len, strings[50_000:50_010])) == 10_000
    assert pa.total_allocated_bytes() - before < 1_000_000


def test_language_of_a_document():
    assert document_language("sw_32589#0") == "sw"
    assert document_language("ar_0_3") == "ar"


# ---- files that are made once ------------------------------------------------------------------


def test_a_file_is_made_once_and_whole():
    made = []

    def make():
        made.append(1)
        yield batch(ROWS[:2])
        yield batch(ROWS[2:])

    for _ in range(2):
        table = stored("few", "key", TEXTS, make)
        assert table.column("id").to_pylist() == [name for name, _ in ROWS]
        assert table.column("text").to_pylist() == [text for _, text in ROWS]
    assert len(made) == 1
    (path,) = (cache_folder() / "corpora").iterdir()
    assert path.name == "few-key.arrow"
    forget("few", "key")
    stored("few", "key", TEXTS, make)
    assert len(made) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "other columns"])
def test_a_damaged_file_is_made_anew(damage):
    stored("few", "key", TEXTS, lambda: [batch(ROWS)])
    path = cache_folder() / "corpora" / "few-key.arrow"
    if damage == "other columns":
        other = pa.schema([("id", pa.string())])
        with pa.ipc.new_file(str(path), other) as writer:
            writer.write_batch(pa.record_batch([["sw_1"]], schema=other))
    else:
        path.write_bytes(path.read_bytes()[:-40] if damage == "cut" else b"")
    table = stored("few", "key", TEXTS, lambda: [batch(ROWS[:1])])
    assert table.num_rows == 1


def test_nothing_is_left_of_a_conversion_that_fails():
    def make():
        yield batch(ROWS)
        raise DataFileError("line 4 is malformed")

    for _ in range(2):
        with pytest.raises(DataFileError, match="line 4 is malformed"):
            stored("few", "key", TEXTS, make)
        assert list((cache_folder() / "corpora").iterdir()) == []


def test_two_that_convert_at_once_do_not_meet():
    halfway, go_on = threading.Event(), threading.Event()

    def slow():
        yield batch(ROWS)
        halfway.set()
        assert go_on.wait(60)

    first = threading.Thread(target=stored, args=("few", "key", TEXTS, slow))
    first.start()
    assert halfway.wait(60)
    assert stored("few", "key", TEXTS, lambda: [batch(ROWS)]).num_rows == 3
    go_on.set()
    first.join()
    assert len(list((cache_folder() / "corpora").iterdir())) == 1


def test_a_cache_that_cannot_be_written():
    cache_folder().mkdir(parents=True)
    (cache_folder() / "corpora").touch()
    with pytest.raises(DataFileError, match=r"few-key\.arrow cannot be written: .*exists"):
        stored("few", "key", TEXTS, lambda: [batch(ROWS)])


def test_keys_depend_on_every_part():
    assert store_key(a="1", b="2") == store_key(b="2", a="1")
    assert len({store_key(a="1"), store_key(a="2"), store_key(b="1"), store_key(a="1", b="1")}) == 4


# ---- checksums ---------------------------------------------------------------------------------


def sums(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest(), hashlib.sha256(
        content
    ).hexdigest()


def both(path):
    found = digests(path)
    return found.md5, found.sha256


def test_checksums_follow_the_content(tmp_path):
    path = tmp_path / "file"
    for content in (b"", b"one", b"other", b"x" * 3_000_000):
        path.write_bytes(content)
        assert both(path) == both(path) == sums(content)


def test_checksums_are_remembered_for_a_file_that_did_not_change(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    before = path.stat()
    expected = both(path)
    # Same size, time put back: nobody can see the change, so it is not read again.
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert both(path) == expected
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert both(path) == sums(b"two")


def test_checksums_of_several_files_are_remembered(tmp_path):
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(path.name.encode())
        digests(path)
    remembered = json.loads((cache_folder() / "checksums.json").read_text(encoding="utf-8"))
    assert set(remembered["files"]) == {str(path.resolve()) for path in paths}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"schema_version": 2, "files": {}}',
        '{"schema_version": 1, "files": {"PATH": 3}}',
        '{"schema_version": 1, "files": {"PATH": {"size": 3}}}',
    ],
)
def test_a_damaged_memory_of_checksums_is_as_good_as_none(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    cache_folder().mkdir(parents=True)
    memory = cache_folder() / "checksums.json"
    memory.write_text(content.replace("PATH", str(path.resolve())), encoding="utf-8")
    assert both(path) == sums(b"one")
    assert str(path.resolve()) in memory.read_text(encoding="utf-8")


def test_checksums_without_a_cache_to_write(tmp_path):
    (tmp_path / "cache").touch()
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert both(path) == sums(b"one")
