"""Superseded results are kept, whatever happens; flags are read with the entry."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from test_entry import COMMAND, contents, scored, submission, table

from submissions import entry as entry_module
from submissions.entry import ranks_path, read_entry, write_run
from submissions.history import history_path
from submissions.status import Flag
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = """\
schema_version = 1

[[flags]]
flag = "disputed"
date = 2026-11-20
reason = "Its training texts are not listed."

[[flags]]
flag = "withdrawn"
date = 2026-11-21
reason = "Trained on the questions."
"""
ONE = FLAGS.partition('\n[[flags]]\nflag = "withdrawn"')[0]


def test_what_is_replaced_is_kept_oldest_first(tmp_path: Path) -> None:
    ranks = ((1, 3, 2, 0), (1, 2, 1, 2), (2, 1, 1, 0))
    runs = []
    for one in ranks:
        made = write_run(tmp_path, submission(), COMMAND, scored(table=table("toy", one)))
        runs.append(made.manifest.runs["toy"])
    entry = read_entry(tmp_path / "my-model")
    kept = entry.history["toy"]
    assert [one.run for one in kept] == runs[:2]
    assert entry.manifest.runs["toy"] == runs[2]
    assert kept[0].primary_measure == "AP"
    # (1 + 2/3) / 2 and (1/2 + 0) / 2, of two relevant documents each.
    first = kept[0].averages["moir"]["AP"]
    assert first.macro == first.micro == pytest.approx((5 / 6 + 1 / 4) / 2)
    assert kept[1].averages["moir"]["AP"].macro == pytest.approx(1.0)


def test_the_same_ranks_supersede_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    again = scored(versions={"babelboard": "0.2.0"})
    made = write_run(tmp_path, submission(), COMMAND, again)
    assert made.manifest.runs["toy"].versions == {"babelboard": "0.2.0"}
    assert made.history == {}
    assert not history_path(made.folder, "toy").exists()


def test_another_task_supersedes_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    made = write_run(tmp_path, submission(), COMMAND, scored(table=table("another")))
    assert made.history == {}


def test_ranks_that_were_lost_are_superseded_without_averages(tmp_path: Path) -> None:
    first = write_run(tmp_path, submission(), COMMAND, scored())
    ranks_path(first.folder, "toy").write_bytes(b"damaged")
    made = write_run(tmp_path, submission(), COMMAND, scored(table=table("toy", (2, 1, 1, 2))))
    (kept,) = made.history["toy"]
    assert kept.run == first.manifest.runs["toy"]
    assert (kept.primary_measure, kept.averages) == (None, {})


@pytest.mark.parametrize("stopped_at", ["write_manifest", "write_atomically"])
def test_a_stop_halfway_keeps_what_was_replaced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: str
) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    again = scored(table=table("toy", (2, 1, 1, 2)))

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(entry_module, stopped_at, stop)
        with pytest.raises(KeyboardInterrupt):
            write_run(tmp_path, submission(), COMMAND, again)
    write_run(tmp_path, submission(), COMMAND, again)
    stopped = contents(tmp_path / "my-model")
    write_run(tmp_path / "whole", submission(), COMMAND, scored())
    write_run(tmp_path / "whole", submission(), COMMAND, again)
    assert stopped == contents(tmp_path / "whole" / "my-model")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not a JSON file"),
        ("[]", "the file"),
        ('{"schema_version": 2, "superseded": []}', "schema_version"),
        ('{"schema_version": 1, "superseded": [{}]}', "superseded.0.run"),
    ],
    ids=["cut", "list", "version", "empty"],
)
def test_a_history_that_is_malformed_is_refused(tmp_path: Path, text: str, said: str) -> None:
    made = write_run(tmp_path, submission(), COMMAND, scored())
    path = history_path(made.folder, "toy")
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    with pytest.raises(EntryError, match=said) as found:
        read_entry(made.folder)
    assert str(path) in str(found.value)


def test_flags_are_read_with_the_entry(tmp_path: Path) -> None:
    folder = write_run(tmp_path, submission(), COMMAND, scored()).folder
    assert (read_entry(folder).flags, read_entry(folder).is_withdrawn) == ((), False)
    (folder / "status.toml").write_text(ONE, "utf-8")
    assert not read_entry(folder).is_withdrawn
    (folder / "status.toml").write_text(FLAGS, "utf-8")
    found = read_entry(folder)
    disputed = Flag(
        flag="disputed", date=date(2026, 11, 20), reason="Its training texts are not listed."
    )
    assert found.flags[0] == disputed
    assert [flag.flag for flag in found.flags] == ["disputed", "withdrawn"]
    assert found.is_withdrawn
    before = (folder / "status.toml").read_bytes()
    write_run(tmp_path, submission(), COMMAND, scored())
    assert (folder / "status.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flags = [", "is not a TOML file"),
        ("schema_version = 1\nflags = []\n", "flags"),
        (ONE.replace('"disputed"', '"deleted"'), "'withdrawn' or 'disputed'"),
        (ONE.replace('reason = "Its', 'reason = ""\nwhy = "Its'), "flags.0.why"),
        (ONE.replace('reason = "Its', 'reason = "\\u202e\\u0000'), "control characters"),
        (ONE.replace("2026-11-20", '"yesterday"'), "flags.0.date"),
        (ONE + ONE.partition("\n\n")[2], "each may be set once"),
        (ONE.replace("version = 1", "version = 2"), "schema_version"),
    ],
    ids=["cut", "none", "other", "unknown key", "control", "date", "twice", "version"],
)
def test_flags_that_are_malformed_make_an_entry_invalid(
    tmp_path: Path, text: str, said: str
) -> None:
    folder = write_run(tmp_path, submission(), COMMAND, scored()).folder
    (folder / "status.toml").write_text(text, "utf-8")
    with pytest.raises(EntryError, match=said):
        read_entry(folder)


def test_a_link_is_no_file_of_an_entry(tmp_path: Path) -> None:
    folder = write_run(tmp_path, submission(), COMMAND, scored()).folder
    (tmp_path / "status.toml").write_text(FLAGS, "utf-8")
    (folder / "status.toml").symlink_to(tmp_path / "status.toml")
    with pytest.raises(EntryError, match="is not a plain file"):
        read_entry(folder)


def test_a_history_is_json_that_says_its_version(tmp_path: Path) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    made = write_run(tmp_path, submission(), COMMAND, scored(table=table("toy", (2, 1, 1, 2))))
    content = json.loads(history_path(made.folder, "toy").read_text("utf-8"))
    assert content["schema_version"] == 1
    assert list(content["superseded"][0]) == ["run", "primary_measure", "averages"]
