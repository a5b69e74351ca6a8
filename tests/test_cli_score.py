"""``babelboard score``: from a model's name to an entry, and what goes wrong on the way."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

from harness.cli.app import main
from harness.embeddings.embedding_store import EmbeddingStore
from harness.question_scores import question_scores, setting_means
from submissions.entry import read_entry
from tasks.task import load_task

if TYPE_CHECKING:
    from harness.ranks import RankTable
    from tests.conftest import RunsCommand

COMMITTED = Path(__file__).parents[1] / "submissions" / "entries"


@dataclass(frozen=True)
class Done:
    """What a run of the command line gave."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> list[dict[str, Any]]:
        """What ``--json`` printed."""
        assert self.code == 0, self.stderr
        printed: list[dict[str, Any]] = json.loads(self.stdout)
        return printed

    def refused(self) -> str:
        """The message of a run that ended because the input was wrong."""
        assert self.code == 2, self.stderr
        assert self.stdout == ""
        assert "Traceback" not in self.stderr
        before, _, message = self.stderr.partition("babelboard: ")
        assert message, self.stderr
        # Nothing but progress comes before the message.
        assert all(
            line.startswith(("Loading", "Encoding", "Ranking")) for line in before.splitlines()
        )
        return message


class Scores(Protocol):
    """The type of the fixture ``score``."""

    def __call__(self, *arguments: str | Path) -> Done: ...


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Scores:
    """Runs ``babelboard score`` in this process, where torch is loaded already."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str | Path) -> Done:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["babelboard", "score", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else int(code is not None), *printed)

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(table: RankTable) -> list[tuple[Any, ...]]:
    """A table as rows, whatever the order of the names behind its columns."""
    columns = (table.setting, table.query_language, table.question, table.document)
    names = [[column.names[code] for code in column.codes] for column in columns]
    return list(zip(*names, table.relevance.tolist(), table.rank.tolist(), strict=True))


@pytest.mark.parametrize("model", ["bm25", "char-ngram"])
def test_a_built_in_model_gives_the_committed_ranks(
    score: Scores, tmp_path: Path, model: str
) -> None:
    arguments = (model, "--task", "pocket", "--entries", tmp_path, "--json")
    (result,) = score(*arguments).json()
    assert result["schema_version"] == 1
    assert (result["task"], result["complete"]) == ("pocket", True)
    assert Path(result["entry"]) == tmp_path / model
    assert set(result["cost"]) == {
        "texts",
        "distinct_texts",
        "encoded_texts",
        "padding",
        "pairs",
        "seconds",
    }
    assert (result["cost"]["texts"], result["cost"]["encoded_texts"]) == (3003, 0)
    assert set(result["cost"]["seconds"]) == {"prepare", "rank"}
    assert {kind: part["settings"] for kind, part in result["classes"].items()} == {
        "moir": 11,
        "clir": 110,
        "mlir": 11,
    }
    for part in result["classes"].values():
        assert part["questions"] == 75
        assert 0 < part["AP"]["macro_over_settings"] <= 1
        assert 0 < part["AP"]["micro_over_questions"] <= 1
    assert "RankDistance" in result["classes"]["mlir"]
    assert "RankDistance" not in result["classes"]["moir"]

    written = read_entry(tmp_path / model)
    committed = read_entry(COMMITTED / model)
    assert rows(written.ranks("pocket")) == rows(committed.ranks("pocket"))
    assert written.manifest.model == committed.manifest.model
    assert written.manifest.runs["pocket"].data == committed.manifest.runs["pocket"].data

    before = contents(tmp_path)
    score(*arguments).json()
    assert contents(tmp_path) == before


def test_an_encoder_is_asked_once_for_each_text(
    score: Scores, tiny_encoder: Path, tmp_path: Path
) -> None:
    task = load_task("pocket").collection
    texts = {text for part in task.queries.values() for text in part.texts}
    texts |= {text for part in task.corpora.values() for text in part.texts}
    arguments = (tiny_encoder, "--task", "pocket", "--entries", tmp_path / "entries", "--json")
    arguments = (*arguments, "--cache", tmp_path / "cache", "--max-tokens", "32")

    (first,) = score(*arguments).json()
    assert first["complete"] is True
    assert first["cost"]["texts"] == 3003
    assert first["cost"]["distinct_texts"] == first["cost"]["encoded_texts"] == len(texts)
    assert 0 <= first["cost"]["padding"] < 0.2
    before = contents(tmp_path)

    (second,) = score(*arguments).json()
    assert second["cost"]["encoded_texts"] == 0
    assert second["cost"]["distinct_texts"] == len(texts)
    assert second["classes"] == first["classes"]
    assert contents(tmp_path) == before

    # Other settings need no other texts.
    (third,) = score(*arguments, "--settings", "clir/*-de", "--entry", "to-german").json()
    assert third["complete"] is False
    assert third["cost"]["encoded_texts"] == 0
    assert third["classes"]["clir"]["settings"] == 10
    assert read_entry(tmp_path / "entries" / "to-german").manifest.runs["pocket"].complete is False

    # Another prompt makes other texts of the queries alone.
    prompted = (*arguments, "--query-prompt", "ask: ", "--entry", "prompted")
    (fourth,) = score(*prompted, "--settings", "moir/en-en").json()
    assert fourth["cost"]["encoded_texts"] == len(set(task.queries["en"].texts))


def test_minilm_scores_what_it_scored(score: Scores, minilm: Path, tmp_path: Path) -> None:
    # Floats differ between machines, and with them a rank here and there.
    arguments = ("--task", "pocket", "--settings", "moir/en-en", "--entry", "all-minilm-l6-v2")
    (result,) = score(minilm, *arguments, "--entries", tmp_path, "--json").json()
    written, committed = read_entry(tmp_path / "all-minilm-l6-v2"), COMMITTED / "all-minilm-l6-v2"
    means = [
        setting_means(question_scores(entry.ranks("pocket"), "AP"))["moir/en-en"]
        for entry in (written, read_entry(committed))
    ]
    assert means[0].n == means[1].n == 75
    assert means[0].mean == pytest.approx(means[1].mean, abs=1e-3)
    assert means[0].mean > 0.7
    assert result["classes"]["moir"]["AP"]["macro_over_settings"] == pytest.approx(means[0].mean)
    assert written.manifest.model.digest == read_entry(committed).manifest.model.digest


def test_tasks_extend_an_entry(score: Scores, tmp_path: Path) -> None:
    some = ("--settings", "moir/en-en", "--entries", tmp_path)
    both = score("bm25", "--task", "pocket", "--task", "pocket+context", *some, "--json").json()
    assert [result["task"] for result in both] == ["pocket", "pocket+context"]
    entry = read_entry(tmp_path / "bm25")
    assert list(entry.manifest.runs) == ["pocket", "pocket+context"]
    assert rows(entry.ranks("pocket")) != rows(entry.ranks("pocket+context"))


def test_a_table_is_printed_for_people(score: Scores, tmp_path: Path) -> None:
    done = score("bm25", "--task", "pocket", "--settings", "?lir/en-*", "--entries", tmp_path)
    assert done.code == 0
    assert "bm25 on pocket: 11 settings" in done.stdout
    assert "CLIR 10 settings" in done.stdout
    assert "nDCG@10" in done.stdout
    assert "no place in the ranking" in done.stdout
    assert done.stderr.splitlines()[0] == "Loading bm25"


def test_what_the_submitter_says_is_written(score: Scores, tmp_path: Path) -> None:
    arguments = (
        "--training",
        "hybrid-batches",
        "--training-data",
        "SQuAD",
        "--seed",
        1,
        "--seed",
        2,
    )
    done = score(
        "bm25", "--task", "pocket", "--settings", "moir/*", "--entries", tmp_path,
        "--entry", "mine", "--name", "Mine, [b]first[/i] try", *map(str, arguments),
    )  # fmt: skip
    assert done.code == 0
    assert "Mine, [b]first[/i] try on pocket" in done.stdout
    manifest = read_entry(tmp_path / "mine").manifest
    assert manifest.name == "Mine, [b]first[/i] try"
    assert manifest.method.model_dump() == {
        "training": "hybrid-batches",
        "training_data": "SQuAD",
        "seeds": (1, 2),
        "contaminated": None,
    }


def test_the_command_that_is_recorded_has_no_path(
    score: Scores, tiny_encoder: Path, tmp_path: Path
) -> None:
    done = score(
        tiny_encoder, "--task", "pocket", "--settings", "moir/en-*", "--entries", tmp_path,
        "--cache", tmp_path / "cache", "--data", tmp_path, "--device", "cpu",
        "--query-prompt", "ask: ", "--pooling", "cls", "--no-normalise", "--similarity", "dot",
        "--max-tokens", "16", "--dtype", "bfloat16",
    )  # fmt: skip
    assert done.code == 0
    text = (tmp_path / "tiny-encoder" / "submission.toml").read_text("utf-8")
    assert tomllib.loads(text)["runs"]["pocket"]["command"] == (
        "babelboard score tiny-encoder --task pocket --settings 'moir/en-*' --query-prompt 'ask: ' "
        "--pooling cls --no-normalise --similarity dot --max-tokens 16 --dtype bfloat16"
    )
    for path in (tmp_path, tiny_encoder.parent, Path.home()):
        assert str(path) not in text
    settings = read_entry(tmp_path / "tiny-encoder").manifest.model.settings
    assert (settings["pooling"], settings["normalised"]) == ("cls", False)
    assert (settings["similarity"], settings["dtype"]) == ("dot", "bfloat16")


def test_a_prompt_of_several_lines_is_recorded(
    score: Scores, tiny_encoder: Path, tmp_path: Path
) -> None:
    prompt = "Instruct: Given a question, retrieve passages that answer it\nQuery: "
    some = ("--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    assert score(tiny_encoder, *some, "--query-prompt", prompt).code == 0
    assert read_entry(tmp_path / "tiny-encoder").manifest.model.settings["query_prompt"] == prompt


# What is refused: exit code 2, one message, and nothing is written.


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("bm25", "--task", "pokcet"), "Unknown task: 'pokcet'. Did you mean pocket?"),
        (("bm25", "--task", "pocket+contex"), "pocket"),
        (("bm25", "--task", "pocket", "--settings", "moir/en-ne"), "Did you mean moir/en-en"),
        (("bm25", "--task", "pocket", "--settings", "moir/*", "--settings", "x"), "'x'"),
        (("bm25", "--task", "pocket", "--task", "nothing"), "'nothing'"),
        (("bm25", "--task", "pocket", "--entry", "BM 25"), "'BM 25' cannot be an entry's id"),
        (("bm25", "--task", "pocket", "--entry", "../bm25"), "cannot be an entry's id"),
    ],
)
def test_a_mistake_is_found_before_the_model_is_loaded(
    score: Scores, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    done = score(*arguments, "--entries", tmp_path)
    assert expected in done.refused()
    assert "Loading" not in done.stderr
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--name", "two\nlines", "name"),
        ("--training-data", "x" * 501, "training"),
        ("--entry", "bm25\n", "cannot be an entry's id"),
    ],
)
def test_what_the_manifest_cannot_hold_is_refused(
    score: Scores, tmp_path: Path, option: str, value: str, expected: str
) -> None:
    some = ("--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    assert expected in score("bm25", *some, option, value).refused()
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("bm25", "--pooling", "cls", "--max-tokens", "9"), "of an encoder: pooling, max_tokens."),
        (("char-ngram", "--no-normalise"), "of an encoder: normalise."),
        (("./no-such-folder",), "no folder './no-such-folder'"),
        (("nobody/nothing",), "without a network, name a folder"),
    ],
)
def test_a_model_that_cannot_be_opened(
    score: Scores, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    entry = ("--task", "pocket", "--entries", tmp_path, "--entry", "mine")
    assert expected in score(*arguments, *entry).refused()
    assert contents(tmp_path) == {}


def test_without_a_task_nothing_is_scored(score: Scores, tmp_path: Path) -> None:
    done = score("bm25", "--entries", tmp_path)
    assert done.code == 2
    assert "--task" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(tmp_path) == {}


def test_a_complete_run_is_not_replaced_by_a_partial_one(score: Scores, tmp_path: Path) -> None:
    score("bm25", "--task", "pocket", "--entries", tmp_path, "--json").json()
    before = contents(tmp_path)
    partial = ("bm25", "--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    done = score(*partial)
    assert "has a complete run of pocket" in done.refused()
    assert "Loading" not in done.stderr
    assert contents(tmp_path) == before
    assert score(*partial, "--entry", "bm25-english").code == 0


def test_another_model_does_not_get_into_an_entry(score: Scores, tmp_path: Path) -> None:
    some = ("--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    assert score("bm25", *some, "--entry", "mine").code == 0
    before = contents(tmp_path)
    message = score("char-ngram", *some, "--entry", "mine").refused()
    assert "another model" in message
    assert "--entry" in message
    assert contents(tmp_path) == before


@pytest.mark.parametrize("below", [".", "entries"])
def test_a_folder_of_entries_that_is_a_file(score: Scores, tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("kept", "utf-8")
    some = ("bm25", "--task", "pocket", "--settings", "moir/en-en")
    assert str(file) in score(*some, "--entries", file / below).refused()
    assert file.read_text("utf-8") == "kept"


@pytest.mark.parametrize(
    "number", [errno.EACCES, errno.EROFS], ids=lambda number: errno.errorcode[number]
)
def test_a_folder_of_entries_that_cannot_be_written(
    score: Scores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: Any, **__: Any) -> None:  # root may write everywhere, so chmod is not enough
        raise OSError(number, os.strerror(number), str(tmp_path))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    some = ("bm25", "--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    assert str(tmp_path) in score(*some).refused()


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_where_entries_are(
    score: Scores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full)
    some = ("bm25", "--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    assert "No space left" in score(*some).refused()
    assert contents(tmp_path) == {}


def test_a_full_disk_where_embeddings_are(
    score: Scores, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = ("--task", "pocket", "--settings", "moir/en-en", "--max-tokens", "8")
    folders = ("--entries", tmp_path / "entries", "--cache", tmp_path / "cache")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "No space left" in score(tiny_encoder, *some, *folders).refused()
    assert contents(tmp_path) == {}
    assert score(tiny_encoder, *some, *folders, "--json").json()[0]["cost"]["encoded_texts"] > 0


def test_damaged_embeddings_are_made_anew(
    score: Scores, tiny_encoder: Path, tmp_path: Path
) -> None:
    some = ("--task", "pocket", "--settings", "moir/en-en", "--max-tokens", "8", "--json")
    folders = ("--entries", tmp_path / "entries", "--cache", tmp_path / "cache")
    (first,) = score(tiny_encoder, *some, *folders).json()
    entries = contents(tmp_path / "entries")
    (shard,) = (tmp_path / "cache").rglob("*.npz")
    shard.write_bytes(b"not a zip archive")
    done = score(tiny_encoder, *some, *folders)
    assert "damaged" in done.stderr
    assert done.json()[0]["cost"]["encoded_texts"] == first["cost"]["encoded_texts"]
    assert contents(tmp_path / "entries") == entries


def test_an_interrupted_run_keeps_what_it_has_and_goes_on(
    score: Scores, tiny_encoder: Path, tmp_path: Path
) -> None:
    collection = load_task("pocket").collection
    texts = set(collection.queries["de"].texts)
    texts |= {text for code in collection.corpora for text in collection.corpora[code].texts}
    arguments = [tiny_encoder, "--task", "pocket", "--settings", "mlir/de-xx", "--json"]
    arguments += ["--entries", tmp_path / "entries", "--cache", tmp_path / "cache"]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("babelboard"), "score", *map(str, arguments)],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    # The first 1,024 of 2,253 texts are saved while it encodes the others.
    deadline = time.monotonic() + 300
    while not list((tmp_path / "cache").rglob("*.npz")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 130
    assert stdout == ""
    assert "Traceback" not in stderr
    assert not (tmp_path / "entries").exists()

    (folder,) = (tmp_path / "cache" / "embeddings").iterdir()
    kept = EmbeddingStore(folder)
    missing = sum(text not in kept for text in texts)
    assert 0 < missing < len(texts)
    (result,) = score(*arguments).json()
    assert result["cost"]["distinct_texts"] == len(texts)
    assert result["cost"]["encoded_texts"] == missing

    # One line says that it stopped, and that the same command goes on.
    said = [line for line in stderr.splitlines() if not line.startswith(("Loading", "Encoding"))]
    assert said == [
        "babelboard: Stopped. What was finished is kept; the same command goes on from there."
    ]


def test_the_console_command_scores(babelboard_apart: RunsCommand, tmp_path: Path) -> None:
    done = babelboard_apart(
        "score", "bm25", "--task", "pocket", "--settings", "clir/de-*", "--json", cwd=tmp_path
    )
    assert done.returncode == 0
    (result,) = json.loads(done.stdout)
    assert result["entry"] == "submissions/entries/bm25"
    assert read_entry(tmp_path / result["entry"]).manifest.runs["pocket"].settings == 10
    assert "Loading bm25" in done.stderr
    refused = babelboard_apart("score", "bm25", "--task", "pokcet", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "babelboard: Unknown task: 'pokcet'. Did you mean pocket?\n"
