"""``babelboard submit new``: what is said, found and asked for; and that scoring keeps it."""

from __future__ import annotations

import io
import json
import struct
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from claim_entries import Trained

from harness.models.model_files import digest_of
from submissions.about import is_same_party, read_about
from submissions.cli.submit_new import new
from submissions.entry import read_entry
from submissions.model_facts import ModelFacts, count_parameters, facts_of, training_of
from tasks.errors import EntryError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunsCommand

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CARD = """\
---
language:
- de
- "en"
- multilingual
license: mit
base_model: [org/base]
tags:
- x
---
# A model
license: gpl
"""
SAID = ("--contact", "Jane Doe <jane@example.org>", "--licence", "MIT", "--method", "as-released")


def safetensors(**shapes: tuple[str, list[int]]) -> bytes:
    """A header, and no tensors."""
    header = {name: {"dtype": dtype, "shape": shape} for name, (dtype, shape) in shapes.items()}
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with the files of a model, but for its tensors."""
    folder = tmp_path / "My Model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "2_Dense").mkdir()
    files: dict[str, Any] = {
        "config.json": {"hidden_size": 32, "max_position_embeddings": 512},
        "sentence_bert_config.json": {"max_seq_length": 64},
        "modules.json": [
            {"path": "", "type": "Transformer"},
            {"path": "1_Pooling", "type": "Pooling"},
            {"path": "2_Dense", "type": "Dense"},
            {"path": "../..", "type": "Up"},
            "no module",
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": 32},
        "2_Dense/config.json": {"in_features": 32, "out_features": 16},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), "utf-8")
    weights = safetensors(a=("F32", [10, 32]), b=("BF16", [7]), positions=("I64", [1, 512]))
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "2_Dense" / "model.safetensors").write_bytes(safetensors(w=("F32", [16, 32])))
    (folder / "README.md").write_text(CARD, "utf-8")
    return folder


def test_facts_of_a_folder_by_hand(model: Path) -> None:
    assert facts_of(str(model)) == ModelFacts(
        revision=None,
        dimension=16,
        max_tokens=64,
        parameters=320 + 7 + 512,
        licence="mit",
        languages=("de", "en"),
        base="org/base",
    )


def test_facts_are_as_the_loaded_model_has_them(tiny_encoder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(tiny_encoder), device="cpu")
    found = facts_of(str(tiny_encoder))
    assert found.parameters == sum(p.numel() for p in loaded.parameters())
    assert (found.dimension, found.max_tokens) == (32, 64)
    assert (found.licence, found.languages, found.base) == (None, (), None)


def test_what_is_said_of_tokens_counts_more_than_limits(model: Path) -> None:
    (model / "tokenizer_config.json").write_text('{"model_max_length": 128}', "utf-8")
    assert facts_of(str(model)).max_tokens == 64
    (model / "sentence_bert_config.json").write_text("{}", "utf-8")
    assert facts_of(str(model)).max_tokens == 128
    (model / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000}', "utf-8")
    assert facts_of(str(model)).max_tokens == 512


def test_a_folder_that_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# No front matter\nlicense: mit\n", "utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": True}), "utf-8")
    assert facts_of(str(tmp_path)) == ModelFacts()
    assert facts_of("no-such-model") == ModelFacts()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        struct.pack("<Q", 2**40),
        struct.pack("<Q", 9) + b"{",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 3) + b"{}x",
        struct.pack("<Q", 9) + b'{"a": {}}',
        struct.pack("<Q", 10**5) + b"[" * 10**5,
    ],
    ids=["empty", "short", "huge", "cut", "list", "no JSON", "no shape", "deep"],
)
def test_what_is_no_safetensors_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not a safetensors file"):
        count_parameters(path)


def test_the_cache_of_the_hub_tells_the_revision(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    cached = tmp_path / "hub" / "models--org--mine"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(COMMIT, "utf-8")
    (cached / "snapshots").mkdir()
    assert facts_of("org/mine") == ModelFacts()
    model.rename(cached / "snapshots" / COMMIT)
    assert facts_of("org/mine").revision == COMMIT
    assert facts_of("org/mine", COMMIT).dimension == 16
    assert facts_of("org/mine", "1" * 40) == ModelFacts()
    (cached / "refs" / "main").write_text("../../..", "utf-8")
    assert facts_of("org/mine") == ModelFacts()


def test_a_folder_is_enough_with_what_it_does_not_say(
    babelboard: RunsCommand, model: Path, tmp_path: Path
) -> None:
    done = babelboard(
        "submit", "new", "--model", model, *SAID[:2], *SAID[4:], "--entries", tmp_path
    )
    assert done.returncode == 0, done.stderr
    path = tmp_path / "my-model" / "about.toml"
    assert f"Written: {path}" in done.stdout
    assert f"babelboard score '{model}' --task TASK --entry my-model" in done.stdout
    assert tomllib.loads(path.read_text("utf-8")) == {
        "schema_version": 1,
        "id": "my-model",
        "name": "My Model",
        "contact": "Jane Doe <jane@example.org>",
        "licence": "mit",
        "model": {
            "source": "My Model",
            "base": "org/base",
            "languages": ["de", "en"],
            "dimension": 16,
            "max_tokens": 64,
            "parameters": 839,
        },
        "method": {"training": "as-released", "training_data": "unknown", "seeds": []},
    }


def test_what_is_said_counts_more_than_what_is_found(
    babelboard: RunsCommand, model: Path, tmp_path: Path
) -> None:
    said = (
        *("--id", "other", "--name", "Other", "--languages", "fr, it", "--base", "org/other"),
        *("--url", "https://example.org/x", "--training-data", "SQuAD", "--seed", "3"),
    )
    place = ("--model", model, "--entries", tmp_path, "--json")
    done = babelboard("submit", "new", *place, *SAID, *said)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["entry"] == str(tmp_path / "other")
    assert made["score"] == [
        *("babelboard", "score", str(model), "--task", "TASK", "--entry", "other")
    ]
    about = read_about(tmp_path / "other")
    assert about is not None
    assert made["about"] == about.model_dump(mode="json", exclude_none=True)
    assert (about.name, about.licence, about.url) == ("Other", "MIT", "https://example.org/x")
    assert (about.model.languages, about.model.base) == (("fr", "it"), "org/other")
    assert (about.method.training_data, about.method.seeds) == ("SQuAD", (3,))


def test_all_that_is_missing_is_said_at_once(babelboard: RunsCommand, tmp_path: Path) -> None:
    place = ("--entries", tmp_path / "entries")
    done = babelboard("submit", "new", *place)
    assert done.returncode == 2
    asked = [line.split(":")[0].strip() for line in done.stderr.splitlines() if "  --" in line]
    assert asked == ["--model", "--licence", "--contact", "--method"]
    done = babelboard("submit", "new", "--model", "org/x", *SAID, *place)
    assert done.returncode == 2
    assert "  --revision: Commit of the hub model" in done.stderr
    assert "--licence" not in done.stderr
    assert not (tmp_path / "entries").exists()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (("--method", "as-relased"), "Did you mean as-released?"),
        (("--id", "Upper"), "'Upper' cannot be an entry's id"),
        (("--id", "../up"), "'../up' cannot be an entry's id"),
        (("--url", "http://x.org"), "url"),
        (("--url", "javascript:alert(1)"), "url"),
        (("--languages", "de,German"), "model.languages.1"),
        (("--model", "../x", "--revision", COMMIT), "model.source"),
        (("--model", "org/x", "--revision", "main"), "model.revision"),
        (("--name", "a\tb"), "is one line without control characters"),
        (("--base", "/home/jane/base"), "model.base"),
    ],
)
def test_what_cannot_be_said(
    babelboard: RunsCommand, tmp_path: Path, said: tuple[str, ...], what: str
) -> None:
    place = ("--entries", tmp_path / "entries")
    done = babelboard("submit", "new", "--model", "bm25", *SAID, *place, *said)
    assert done.returncode == 2
    assert what in done.stderr
    assert not (tmp_path / "entries").exists()


def test_what_was_written_is_not_replaced(babelboard: RunsCommand, tmp_path: Path) -> None:
    again = ("submit", "new", "--model", "bm25", *SAID[:4], "--entries", tmp_path)
    assert babelboard(*again).returncode == 0
    path = tmp_path / "bm25" / "about.toml"
    before = path.read_bytes()
    done = babelboard(*again, "--name", "Another")
    assert done.returncode == 2
    assert f"There is {path} already" in done.stderr
    assert path.read_bytes() == before
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "reported.toml").write_text("", "utf-8")
    done = babelboard(*again, "--id", "told")
    assert (done.returncode, "holds reported numbers" in done.stderr) == (2, True)


def test_a_terminal_is_asked_for_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = Terminal("bm25\nJane Doe\n")
    monkeypatch.setattr(sys, "stdin", answers)
    new(root=tmp_path)
    shown = capsys.readouterr()
    assert "Model: a hub id, a folder" in shown.err
    assert "Contact: Name <address>" in shown.err
    assert "Licence" not in shown.err, "BM25 is ours: its licence is known"
    about = read_about(tmp_path / "bm25")
    assert about is not None
    assert (about.contact, about.method.training) == ("Jane Doe", "untrained")


def test_a_training_by_a_recipe_is_known(tmp_path: Path, model: Path) -> None:
    recipe = Trained("ml-cs-p050", lambda *_: 1).loaded()
    content = {
        "schema_version": 1,
        "seed": 2,
        "model_digest": digest_of(model),
        "recipe": recipe.model_dump(mode="json", exclude_none=True),
        "base": {"name": "tiny", "digest": "a" * 64},
        "data": {},
    }
    record = tmp_path / "record.json"
    assert training_of(str(model)) is None
    record.write_text(json.dumps(content), "utf-8")
    new(model=str(model), contact="Jane", root=tmp_path / "entries")
    about = read_about(tmp_path / "entries" / "my-model")
    assert about is not None
    assert (about.method.training, about.method.seeds) == (recipe.method, (2,))
    assert about.method.training_data == recipe.summary
    assert about.model.base == "tiny"
    record.write_text(json.dumps({**content, "model_digest": "b" * 64}), "utf-8")
    assert training_of(str(model)) is None, "the record is of another model"
    for wrong in ("{", "{}"):
        record.write_text(wrong, "utf-8")
        with pytest.raises(ModelError, match=r"record\.json"):
            training_of(str(model))


def test_scoring_keeps_what_people_wrote(
    babelboard: RunsCommand, own_task: Path, tmp_path: Path
) -> None:
    place = ("--entries", tmp_path)
    begun = babelboard("submit", "new", "--model", "bm25", *SAID[:2], *place, "--name", "Mine")
    assert begun.returncode == 0, begun.stderr
    path = tmp_path / "bm25" / "about.toml"
    path.write_text("# by hand\n" + path.read_text("utf-8"), "utf-8")
    before = path.read_bytes()
    score = ("score", "bm25", "--task", own_task, *place)
    for _ in range(2):
        done = babelboard(*score)
        assert done.returncode == 0, done.stderr
        assert path.read_bytes() == before
        manifest = tomllib.loads((tmp_path / "bm25" / "submission.toml").read_text("utf-8"))
        assert manifest["name"] == "Mine"
        assert manifest["method"]["training"] == "untrained"
    refused = babelboard(*score, "--name", "Other")
    assert refused.returncode == 2
    assert "says name = 'Mine', and now it is to be 'Other'" in refused.stderr
    path.write_bytes(before.replace(b'"Mine"', b'"Ours"'))
    assert read_entry(tmp_path / "bm25").manifest.name == "Ours", "it holds at once"
    assert not babelboard(*score).returncode
    manifest = tomllib.loads((tmp_path / "bm25" / "submission.toml").read_text("utf-8"))
    assert manifest["name"] == "Ours"


def test_what_people_wrote_of_another_entry_is_refused(
    babelboard: RunsCommand, tmp_path: Path
) -> None:
    babelboard("submit", "new", "--model", "bm25", *SAID[:2], "--entries", tmp_path)
    (tmp_path / "bm25").rename(tmp_path / "mine")
    with pytest.raises(EntryError, match="must be the folder's name"):
        read_about(tmp_path / "mine")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jane Doe <jane@x.org>", "Jane Doe", True),
        ("Jane Doe <jane@x.org>", "JANE  doe", True),
        ("Jane Doe <jane@x.org>", "J. D. <Jane@X.org>", True),
        ("jane@x.org", "jane@x.org", True),
        ("Jane Doe <jane@x.org>", "John Roe <john@x.org>", False),
        ("Jane Doe", "Jane Doering", False),
        ("<>", "<>", False),
    ],
)
def test_who_may_be_one_party(one: str, other: str, same: bool) -> None:
    assert is_same_party(one, other) is same
    assert is_same_party(other, one) is same
