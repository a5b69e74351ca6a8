"""Manifests of jobs: what is taken, what is refused, and the command that comes of it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from job_manifests import COMMIT, GOOD, command_of, manifest, refusal
from made_up_queue import make_queue

from submissions.queue import job as job_module
from submissions.queue.job import MOST_BYTES, Job, read_job
from submissions.queue.score_command import ScoreOnThisMachine
from tasks.errors import DataFileError


def test_a_job_with_every_option_becomes_the_options_of_score(queue, tmp_path):
    path = manifest(
        tmp_path,
        model="owner/name",
        revision=COMMIT,
        tasks=["pocket", "xquad-r+context"],
        name="--help",
        training="zero-shot",
        training_data="English",
        seeds=[1, -2],
        settings=["moir/*", "clir/en-*"],
        first_stage="bm25",
        depth=50,
        keep_runs=10,
        kind="dense",
        query_prompt="--trust-remote-code",
        document_prompt="Instruct:\nText\t",
        pooling="mean",
        normalise=False,
        similarity="dot",
        max_tokens=64,
        truncate_dimensions=32,
        embeddings="int8",
        rescore=0,
        dtype="bfloat16",
        translate_test="muse+cldr",
    )
    command = command_of(queue, path, data=tmp_path, device="cpu")
    work = queue.work("job")
    assert command[:2] == [sys.executable, "-I"]
    assert command[5:] == [
        "--task=pocket",
        "--task=xquad-r+context",
        "--settings=moir/*",
        "--settings=clir/en-*",
        "--seed=1",
        "--seed=-2",
        "--name=--help",
        f"--revision={COMMIT}",
        "--training=zero-shot",
        "--training-data=English",
        "--first-stage=bm25",
        "--depth=50",
        "--keep-runs=10",
        "--kind=dense",
        "--query-prompt=--trust-remote-code",
        "--document-prompt=Instruct:\nText\t",
        "--pooling=mean",
        "--similarity=dot",
        "--max-tokens=64",
        "--truncate-dimensions=32",
        "--embeddings=int8",
        "--rescore=0",
        "--dtype=bfloat16",
        "--translate-test=muse+cldr",
        "--no-normalise",
        "--device=cpu",
        "--entry=mine",
        f"--entries={work / 'entries'}",
        f"--cache={work / 'cache'}",
        f"--data={tmp_path}",
        "--",
        "owner/name",
    ]


def test_every_key_of_a_job_reaches_the_command(queue, tmp_path):
    """A key that is accepted and does nothing would mislead."""
    values = {
        "seeds": [7],
        "settings": ["moir/*"],
        "normalise": True,
        "revision": COMMIT,
        "training": "unknown",
        "kind": "dense",
        "similarity": "cosine",
        "embeddings": "binary",
        "dtype": "float16",
        "first_stage": "char-ngram",
        "pooling": "cls",
        "translate_test": "cldr",
    }
    numbers = {"depth", "keep_runs", "max_tokens", "truncate_dimensions", "rescore"}
    plain = command_of(queue, manifest(tmp_path, model="a/b", revision=COMMIT))
    for key in sorted(set(Job.model_fields) - set(GOOD) - {"revision"}):
        value = values.get(key, 9 if key in numbers else "text")
        path = manifest(tmp_path, **{"model": "a/b", "revision": COMMIT, key: value})
        added = set(command_of(queue, path)) - set(plain)
        assert len(added) == 1, key


def test_a_built_in_model_is_given_no_device(queue, tmp_path):
    assert "--device=cuda" not in command_of(queue, manifest(tmp_path), device="cuda")


def test_data_of_the_users_cache_are_found_from_the_job(queue, tmp_path, user_cache):
    path = manifest(tmp_path)
    assert not any(word.startswith("--data") for word in command_of(queue, path))
    (user_cache / "babelboard" / "data").mkdir(parents=True)
    try:
        assert f"--data={user_cache}/babelboard/data" in command_of(queue, path)
    finally:
        (user_cache / "babelboard" / "data").rmdir()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modle": "x"}, "Unknown key: 'modle'. Did you mean model?"),
        ({"trust_remote_code": True}, "never runs on a scoring machine"),
        ({"command": "rm -rf /"}, "a job is data"),
        ({"device": "cuda"}, "the scoring machine's maintainer"),
        ({"tasks": ["pockt"]}, "Did you mean pocket?"),
        ({"tasks": ["own.toml"]}, "not a file"),
        ({"tasks": ["/etc/passwd"]}, "tasks.0"),
        ({"tasks": []}, "1 to 32 tasks"),
        ({"tasks": ["pocket", "pocket"]}, "each once"),
        ({"tasks": "pocket"}, "tasks"),
        ({"id": "../up"}, "id: "),
        ({"id": "Upper"}, "id: "),
        ({"id": "x" * 65}, "id: "),
        ({"id": None}, "id: Field required"),
        ({"schema_version": 2}, "schema_version"),
        ({"name": "two\nlines"}, "U+000A"),
        ({"query_prompt": "\x1b[2J"}, "U+001B"),
        ({"query_prompt": "x" * 2001}, "query_prompt"),
        ({"settings": ["moir/*; rm"]}, "settings.0"),
        ({"settings": ["--help"] * 65}, "settings"),
        ({"depth": 0}, "depth"),
        ({"depth": True}, "depth"),
        ({"depth": "50"}, "depth"),
        ({"normalise": "yes"}, "normalise"),
        ({"keep_runs": 1001}, "keep_runs"),
        ({"first_stage": "entry:other"}, "first_stage"),
        ({"dtype": "float64"}, "dtype"),
        ({"pooling": "mean --kind=x"}, "pooling"),
        ({"translate_test": "muse:/etc/passwd"}, "translate_test"),
        ({"training": "magic"}, "training"),
        ({"model": {"a": {"b": {"c": 1}}}}, "deeper than 3"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_a_manifest_that_is_wrong_is_refused(tmp_path, changes, message):
    said = refusal(manifest(tmp_path, **changes))
    assert message in said
    assert "job.toml" in said


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    said = refusal(manifest(tmp_path, id="A", tasks=["x"], depht=3, nmae="x"))
    for part in ("id:", "tasks.0:", "'depht': Unknown key", "Did you mean name or"):
        assert part in said


def write_link(path: Path) -> None:
    path.with_name("other.toml").write_text(tomli_w.dumps(GOOD), "utf-8")
    path.symlink_to("other.toml")


UNREADABLE = {
    "nothing": (str, "cannot be read"),
    "a link": (write_link, "cannot be read"),
    "a named pipe": (os.mkfifo, "is not a file"),
    "a folder": (Path.mkdir, "Is a directory"),
    "too large": (lambda path: path.write_bytes(b"#" * (MOST_BYTES + 1)), "16,384 bytes"),
    "no TOML": (lambda path: path.write_text("id = "), "not a TOML file"),
    "no UTF-8": (lambda path: path.write_bytes(b'id = "\xff"'), "not a TOML file"),
    "deep lists": (lambda path: path.write_text("a = " + "[" * 8000), "deeper than"),
    "a long dotted key": (lambda path: path.write_text(".".join("a" * 5000) + " = 1"), "deeper"),
    "deep inline tables": (lambda path: path.write_text("a = " + "{a = " * 3000), "deeper than"),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_what_is_no_manifest_is_refused(tmp_path, how):
    make, message = UNREADABLE[how]
    make(tmp_path / "job.toml")
    assert message in refusal(tmp_path / "job.toml")


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_whatever_comes_is_a_job_or_refused(content):
    path = _any_file()
    path.write_bytes(content)
    with suppress(DataFileError):
        read_job(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
).filter(lambda value: value is not None)


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_none(one) for one in value if one is not None]
    return value


@given(st.dictionaries(st.sampled_from([*Job.model_fields, "other"]), VALUES, max_size=4))
def test_no_value_becomes_another_word_of_the_command(changes):
    content = tomli_w.dumps({**GOOD, **{k: _without_none(v) for k, v in changes.items()}})
    path = _any_file()
    path.write_text(content, "utf-8")
    try:
        job = read_job(path)
    except DataFileError:
        return
    queue = make_queue(_any_file().parent / f"queue-{os.urandom(8).hex()}")
    command = ScoreOnThisMachine()(queue, "job", job)
    assert command[-2:] == ["--", job.model]
    options = {word.partition("=")[0] for word in command[5:-2]}
    assert all(word.startswith("--") for word in options)
    assert "--trust-remote-code" not in options


def _any_file() -> Path:
    return _FOLDER / "job.toml"


_FOLDER: Path


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _FOLDER  # noqa: PLW0603  # hypothesis and function-scoped fixtures do not go together
    _FOLDER = tmp_path_factory.mktemp("manifests")


def test_the_documented_job_is_one():
    example = Path(job_module.__file__).parents[2] / "docs/examples/queue/waiting/bm25.toml"
    assert read_job(example).tasks == ("pocket",)
