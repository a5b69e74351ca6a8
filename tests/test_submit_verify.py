"""``babelboard submit verify``: an entry is scored again, from runs or by its model."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tomli_w

from harness.models.encoder_options import HOW_IT_RUNS, EncoderOptions
from harness.ranks import ranks_as_bytes
from submissions.cli.submit_verify_report import print_compared
from submissions.entry import ranks_path, read_entry
from submissions.manifest import read_manifest, write_manifest
from submissions.rerun import read_command
from submissions.trust import trust_level
from submissions.verification import SettingDifference, TaskComparison
from submissions.verification_record import read_verification
from tasks.errors import EntryError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping

    from conftest import RunsCommand

    Verify = Callable[..., subprocess.CompletedProcess[str]]

OURS = Path(__file__).parents[1] / "submissions" / "entries"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ABOUT = """\
schema_version = 1
id = "bm25"
name = "BM25"
contact = "Jane Doe <jane@example.org>"
licence = "Apache-2.0"

[model]
source = "bm25"

[method]
training = "untrained"
training_data = "none"
"""


@pytest.fixture
def entry(babelboard: RunsCommand, own_task: Path, tmp_path: Path) -> Path:
    """BM25 on a task of two questions; its entry."""
    root = tmp_path / "entries"
    done = babelboard("score", "bm25", "--task", own_task, "--entries", root, "--keep-runs", "10")
    assert done.returncode == 0, done.stderr
    return root / "bm25"


@pytest.fixture
def verify(babelboard: RunsCommand, own_task: Path, entry: Path) -> Verify:
    def run(*options: str | Path) -> subprocess.CompletedProcess[str]:
        fixed = ("--entries", entry.parent, "--task", own_task)
        return babelboard("submit", "verify", entry.name, *fixed, *options)

    return run


def rewrite(entry: Path, change: Callable[[Any], Any]) -> None:
    """Changes the ranks of an entry, and the checksum of them in its manifest."""
    made = read_entry(entry)
    content = ranks_as_bytes(change(made.ranks("own")))
    ranks_path(entry, "own").write_bytes(content)
    sha = hashlib.sha256(content).hexdigest()
    with_run(entry, ranks=sha)


def with_run(entry: Path, **changes: object) -> None:
    manifest = read_manifest(entry / "submission.toml")
    runs = {"own": manifest.runs["own"].model_copy(update=changes)}
    write_manifest(entry / "submission.toml", manifest.model_copy(update={"runs": runs}))


def better(table: Any) -> Any:
    """What was not found across languages is first now; a query has one answer there."""
    across = [name.startswith("clir") for name in table.setting.names]
    missed = np.array(across)[table.setting.codes] & (table.rank == 0)
    return replace(table, rank=np.where(missed, 1, table.rank))


def test_a_lexical_model_comes_out_the_same(verify: Verify) -> None:
    done = verify("--rerun")
    assert done.returncode == 0, done.stderr
    assert "bm25 on own: verified. 0 of " in done.stdout
    assert "Against the tolerance of 0 counts 0." in done.stdout


def test_json_has_every_setting(verify: Verify, entry: Path) -> None:
    done = verify("--rerun", "--json")
    found = json.loads(done.stdout)
    assert (found["schema_version"], found["entry"], found["holds"]) == (1, "bm25", True)
    task = found["tasks"]["own"]
    table = read_entry(entry).ranks("own")
    assert list(task["settings"]) == list(table.pool_sizes)
    assert sum(one["judged"] for one in task["settings"].values()) == len(table)
    assert task["settings"]["moir/de-de"]["differences"] == {"AP": 0.0, "RR@10": 0.0}


def test_ranks_that_were_made_better_are_found(verify: Verify, entry: Path) -> None:
    before = read_entry(entry).ranks("own").rank
    rewrite(entry, better)
    wrong = int((before != read_entry(entry).ranks("own").rank).sum())
    assert wrong
    done = verify("--rerun")
    assert done.returncode == 1
    assert f"bm25 on own: NOT verified. {wrong} of " in done.stdout
    assert "clir/de-en" in done.stdout
    lax = verify("--rerun", "--tolerance", "1")
    assert lax.returncode == 0
    assert "Against the tolerance of 1 counts 1." in lax.stdout


def test_ranks_that_are_not_those_of_the_manifest_are_refused(verify: Verify, entry: Path) -> None:
    path = ranks_path(entry, "own")
    path.write_bytes(path.read_bytes()[:-9])
    done = verify("--rerun")
    assert done.returncode == 2
    assert "is not the file that was scored" in done.stderr


@pytest.fixture
def kept(
    babelboard: RunsCommand, own_task: Path, tiny_encoder: Path, tmp_path: Path
) -> tuple[Path, tuple[str | Path, ...]]:
    """The first document of each ranking of an encoder, and the command that holds it against."""
    place = ("--task", own_task, "--entries", tmp_path / "dense")
    assert not babelboard("score", tiny_encoder, *place, "--keep-runs", "1").returncode
    export = ("export", "tiny-encoder", "--to", "trec", "--entries", tmp_path / "dense")
    runs = tmp_path / "runs"
    done = babelboard(*export, "--task", "own", "--out", runs)
    assert done.returncode == 0, done.stderr
    return runs, ("submit", "verify", "tiny-encoder", *place, "--runs", runs)


def test_its_own_runs_verify_it_as_deep_as_they_go(babelboard: RunsCommand, kept: Any) -> None:
    runs, verify_kept = kept
    done = babelboard(*verify_kept, "--tolerance", "0")
    assert done.returncode == 0, done.stderr
    assert "verified. 0 of " in done.stdout
    # A run that puts the other document first supports other ranks.
    run = runs / "moir__de-de.trec"
    lines = [line.split() for line in run.read_text("utf-8").splitlines()]
    swapped = {"de_0_0": "de_0_1", "de_0_1": "de_0_0"}
    run.write_text("".join(f"{q} Q0 {swapped[d]} 1 1.0 x\n" for q, _, d, *_ in lines), "utf-8")
    done = babelboard(*verify_kept)
    assert done.returncode == 1, done.stderr
    assert "moir/de-de" in done.stdout


def test_a_query_that_the_runs_lack_shows(babelboard: RunsCommand, kept: Any) -> None:
    runs, verify_kept = kept
    run = runs / "moir__de-de.trec"
    lines = run.read_text("utf-8").splitlines(keepends=True)
    run.write_text(lines[0], "utf-8")
    done = babelboard(*verify_kept)
    assert done.returncode == 1
    assert "moir/de-de" in done.stdout


def test_many_settings_are_cut_and_the_worst_come_first(
    entry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [
        SettingDifference(f"clir/{number:02}", 9, 1, 1, 9, {"AP": -number / 100}, number / 100)
        for number in range(1, 31)
    ]
    same = SettingDifference("clir/00", 9, 0, 0, 9, {"AP": 0.0}, 0.0)
    compared = TaskComparison("own", 0.1, (same, *settings), {}, ("Something else.",))
    print_compared(read_entry(entry), [compared])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["setting", "ranks", "by", "up", "to", "AP"]
    assert lines[1].split() == ["clir/30", "1", "1", "-0.3000"]
    assert [line.split()[0] for line in lines[1:21]] == [f"clir/{n}" for n in range(30, 10, -1)]
    assert lines[21] == "10 more settings differ, by less: see --json."
    assert lines[22].startswith("bm25 on own: NOT verified. 30 of 279 judged ranks differ")
    assert lines[23:] == ["Something else."]


def test_a_record_gives_t3(verify: Verify, entry: Path) -> None:
    (entry / "about.toml").write_text(ABOUT, "utf-8")
    assert trust_level(read_entry(entry)).level == "T2"
    done = verify("--rerun", "--record", "--by", "John Roe")
    assert done.returncode == 0
    assert f"own is recorded in {entry / 'verification.toml'}" in done.stderr
    record = read_verification(entry)
    assert record is not None
    found = record.tasks["own"]
    run = read_entry(entry).manifest.runs["own"]
    assert (found.by, found.delta, found.tolerance, found.largest) == ("John Roe", 0, 0, 0)
    assert (found.ranks, found.settings) == (run.ranks, run.settings)
    assert found.versions["babelboard"] == run.versions["babelboard"]
    assert set(found.hardware) == {"processor", "cores", "device"}
    trust = trust_level(read_entry(entry))
    assert trust.level == "T3"
    assert trust.needed == ()
    assert any(reason.startswith("John Roe repeated own on ") for reason in trust.holds)


def test_a_record_by_the_submitter_gives_no_t3(verify: Verify, entry: Path) -> None:
    (entry / "about.toml").write_text(ABOUT, "utf-8")
    done = verify("--rerun", "--record", "--by", "jane doe")
    assert "jane doe is the submitter: the record gives no trust level T3." in done.stderr
    trust = trust_level(read_entry(entry))
    assert trust.level == "T2"
    assert "by jane doe, the submitter" in trust.needed[0]


def test_a_record_outside_the_tolerance_is_kept_and_counts_for_nothing(
    verify: Verify, entry: Path
) -> None:
    (entry / "about.toml").write_text(ABOUT, "utf-8")
    rewrite(entry, better)
    done = verify("--rerun", "--record", "--by", "John Roe", "--tolerance", "1")
    assert done.returncode == 0
    record = read_verification(entry)
    assert record is not None
    assert record.tasks["own"].tolerance == 1
    assert record.tasks["own"].largest == 1
    trust = trust_level(read_entry(entry))
    assert trust.level == "T2"
    assert re.search(r"it differed by 1, and 0 is allowed", trust.needed[0])


def test_what_is_another_task_is_not_recorded(verify: Verify, entry: Path) -> None:
    def larger(table: Any) -> Any:
        return replace(table, pool_sizes=dict.fromkeys(table.pool_sizes, 9))

    rewrite(entry, larger)
    done = verify("--rerun", "--record", "--by", "John Roe")
    assert done.returncode == 1
    assert "own is not recorded." in done.stderr
    assert "are of another size" in done.stdout
    assert not (entry / "verification.toml").exists()


def test_the_record_of_another_task_stays(verify: Verify, entry: Path) -> None:
    verify("--rerun", "--record", "--by", "John Roe")
    path = entry / "verification.toml"
    content = tomllib.loads(path.read_text("utf-8"))
    content["tasks"]["another"] = {**content["tasks"]["own"], "by": "Mary Major"}
    path.write_text(tomli_w.dumps(content), "utf-8")
    verify("--rerun", "--record", "--by", "Mary Major")
    record = read_verification(entry)
    assert record is not None
    assert list(record.tasks) == ["another", "own"]
    assert {task: found.by for task, found in record.tasks.items()} == dict.fromkeys(
        ("another", "own"), "Mary Major"
    )


def test_a_partial_run_is_verified_as_far_as_it_goes(
    babelboard: RunsCommand, own_task: Path, tmp_path: Path
) -> None:
    place = ("--task", own_task, "--entries", tmp_path)
    assert not babelboard("score", "bm25", *place, "--settings", "clir/*").returncode
    done = babelboard("submit", "verify", tmp_path / "bm25", *place, "--rerun", "--json")
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)["tasks"]["own"]["settings"]) == ["clir/de-en", "clir/en-de"]


def test_an_encoder_comes_out_within_its_tolerance(
    babelboard: RunsCommand, own_task: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    place = ("--task", own_task, "--entries", tmp_path)
    assert not babelboard("score", tiny_encoder, *place).returncode
    again = ("submit", "verify", "tiny-encoder", *place, "--rerun", "--device", "cpu")
    done = babelboard(*again)
    assert done.returncode == 2
    assert "a folder that was called 'tiny-encoder'" in done.stderr
    assert "--model" in done.stderr
    elsewhere = shutil.copytree(tiny_encoder, tmp_path / "models" / "renamed")
    done = babelboard(*again, "--model", elsewhere)
    assert done.returncode == 0, done.stderr
    assert "Against the tolerance of 0.001 counts 0." in done.stdout
    (elsewhere / "config_sentence_transformers.json").write_text(
        json.dumps({"similarity_fn_name": "dot", "prompts": {}}), "utf-8"
    )
    done = babelboard(*again, "--model", elsewhere)
    assert done.returncode == 2
    assert "This is not the model of tiny-encoder" in done.stderr
    assert re.search(r"digest: the entry has '[0-9a-f]{64}', found '[0-9a-f]{64}'", done.stderr)


def test_a_hub_model_is_the_one_of_its_commit(
    babelboard: RunsCommand,
    own_task: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    cached = tmp_path / "hub" / "models--org--mine"
    shutil.copytree(tiny_encoder, cached / "snapshots" / COMMIT)
    place = ("--task", own_task, "--entries", tmp_path)
    said = ("--contact", "Jane", "--licence", "MIT", "--method", "as-released")
    begin = ("submit", "new", "--model", "org/mine", "--revision", COMMIT)
    begun = babelboard(*begin, *said, *place[2:])
    assert begun.returncode == 0, begun.stderr
    (score,) = re.findall(r"^Next: babelboard (.*)$", begun.stdout, re.M)
    done = babelboard(*score.replace("TASK", str(own_task)).split(), *place[2:])
    assert done.returncode == 0, done.stderr
    assert trust_level(read_entry(tmp_path / "mine")).level == "T2"
    again = ("submit", "verify", "mine", *place, "--rerun", "--record", "--by", "John")
    done = babelboard(*again)
    assert done.returncode == 0, done.stderr
    assert trust_level(read_entry(tmp_path / "mine")).level == "T3"
    shutil.move(cached / "snapshots" / COMMIT, cached / "snapshots" / ("1" * 40))
    done = babelboard(*again)
    assert done.returncode == 2, "another commit is another model"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "either --rerun, or --runs FOLDER"),
        (("--rerun", "--runs", "x"), "either --rerun, or --runs FOLDER"),
        (("--runs", "x", "--record", "--by", "Jane"), "--record, --model and --device go with"),
        (("--rerun", "--record"), "--record and --by NAME go together"),
        (("--rerun", "--by", "Jane"), "--record and --by NAME go together"),
        (("--rerun", "--record", "--by", "a\nb"), "is one line without control characters"),
        (("--rerun", "--record", "--by", ""), "--by"),
        (("--rerun", "--model", "x"), "'bm25' is built in"),
        (("--rerun", "--memory", "1"), "at least 16M"),
        (("--runs", "no-such-folder"), "names no folder"),
    ],
)
def test_what_does_not_go_together(verify: Verify, options: tuple[str, ...], said: str) -> None:
    done = verify(*options)
    assert done.returncode == 2
    assert said in done.stderr


def test_entries_and_tasks_that_are_not_there(babelboard: RunsCommand, entry: Path) -> None:
    there = ("--entries", entry.parent, "--rerun")
    done = babelboard("submit", "verify", "bm2", *there)
    assert (done.returncode, "Did you mean bm25?" in done.stderr) == (2, True)
    done = babelboard("submit", "verify", "bm25", *there, "--task", "pocket")
    assert (done.returncode, "Unknown task of the entry 'bm25'" in done.stderr) == (2, True)
    done = babelboard("submit", "verify", "bm25", *there)
    assert (done.returncode, "--task own.toml" in done.stderr) == (2, True)
    manifest = read_manifest(entry / "submission.toml")
    write_manifest(entry / "submission.toml", manifest.model_copy(update={"runs": {}}))
    done = babelboard("submit", "verify", "bm25", *there)
    assert (done.returncode, "has no runs to verify" in done.stderr) == (2, True)


def test_runs_are_of_one_task(babelboard: RunsCommand, tmp_path: Path) -> None:
    folder = shutil.copytree(OURS / "bm25", tmp_path / "bm25")
    manifest = read_manifest(folder / "submission.toml")
    runs = dict.fromkeys(("pocket", "pocket+context"), manifest.runs["pocket"])
    shutil.copy(ranks_path(folder, "pocket"), ranks_path(folder, "pocket+context"))
    write_manifest(folder / "submission.toml", manifest.model_copy(update={"runs": runs}))
    done = babelboard("submit", "verify", folder, "--runs", tmp_path)
    assert done.returncode == 2
    assert "choose it with --task from pocket, pocket+context" in done.stderr


def test_other_data_are_refused(verify: Verify, entry: Path) -> None:
    data = read_entry(entry).manifest.runs["own"].data
    with_run(entry, data={**data, "de.json": "0" * 64})
    for options in (("--rerun",), ("--runs", entry)):
        done = verify(*options)
        assert done.returncode == 2
        assert f"de.json has sha256 {'0' * 64} there, {data['de.json']} here" in done.stderr


COMMANDS: Mapping[str, tuple[str, str]] = {
    "quotes": ("babelboard score 'bm25 --task own", "cannot be read: No closing quotation"),
    "fuse": ("babelboard fuse a b --task own", "is not one of `babelboard score`"),
    "shell": ("rm -rf /", "is not one of `babelboard score`"),
    "joined": ("babelboard score bm25; rm -rf /", "has 'rm', which `babelboard score` does not"),
    "bare": ("babelboard score", "is not one of `babelboard score`"),
    "code": ("babelboard score org/x --trust-remote-code", "runs code that comes with the model"),
    "entries": ("babelboard score bm25 --entries /etc", "has '--entries', which"),
    "value": ("babelboard score bm25 --task", "ends with --task, which needs a value"),
    "dtype": ("babelboard score org/x --dtype float8", "dtype"),
    "depth": ("babelboard score org/x --first-stage bm25 --depth ten", "no whole number"),
    "stage": ("babelboard score org/x --first-stage org/other", "of which no revision is recorded"),
    "path": ("babelboard score /home/jane/model --task own", "names the path '/home/jane/model'"),
    "up": ("babelboard score org/../../x --task own", "names the path"),
    "lexicon": ("babelboard score org/x --translate-test muse:a/b", "names the path 'muse:a/b'"),
    "stage path": ("babelboard score org/x --first-stage entry:../x", "names the path"),
}


@pytest.mark.parametrize("case", list(COMMANDS))
def test_a_command_is_read_and_never_run(entry: Path, case: str) -> None:
    command, said = COMMANDS[case]
    with_run(entry, command=command)
    with pytest.raises(EntryError, match=re.escape(said)):
        read_command(read_entry(entry), "own")


def test_what_score_writes_is_understood(entry: Path) -> None:
    words = (
        "babelboard score org/x --task own --settings 'clir/*' --first-stage entry:bm25 --depth 50 "
        "--translate-test cldr --revision main --query-prompt 'query: ' --no-normalise --dtype "
        "bfloat16 --max-tokens 128 --kind cross-encoder"
    )
    with_run(entry, command=words)
    found = read_command(read_entry(entry), "own")
    assert (found.model, found.stage.name, found.stage.depth) == ("org/x", "entry:bm25", 50)
    assert found.translate_test == "cldr"
    assert found.options.changed() == {
        "revision": "main",
        "query_prompt": "query: ",
        "normalise": False,
        "dtype": "bfloat16",
        "max_tokens": 128,
        "kind": "cross-encoder",
    }


def test_every_option_that_a_command_can_have_is_understood(entry: Path) -> None:
    said: dict[str, Any] = {
        "revision": "main",
        "query_prompt": "query: ",
        "document_prompt": "passage: ",
        "pooling": "cls",
        "normalise": True,
        "similarity": "dot",
        "max_tokens": 99,
        "dtype": "float16",
        "kind": "dense",
        "truncate_dimensions": 64,
        "embeddings": "int8",
        "rescore": 50,
    }
    never = {*HOW_IT_RUNS, "trust_remote_code"}
    assert said.keys() == {one.name for one in fields(EncoderOptions)} - never
    words = ["babelboard", "score", "org/x"]
    for key, value in said.items():
        words += [f"--{key.replace('_', '-')}", *([] if value is True else [str(value)])]
    with_run(entry, command=shlex.join(words))
    assert read_command(read_entry(entry), "own").options.changed() == said


def test_given_rankings_cannot_be_made_again(verify: Verify, entry: Path) -> None:
    with_run(entry, command="babelboard score run:mine --task own")
    done = verify("--rerun")
    assert done.returncode == 2
    assert "with --runs in place of --rerun" in done.stderr


def test_a_translated_model_is_verified_with_its_lexicon(
    babelboard: RunsCommand, own_task: Path, tmp_path: Path
) -> None:
    place = ("--task", own_task, "--entries", tmp_path)
    done = babelboard("score", "bm25", *place, "--translate-test", "cldr")
    assert done.returncode == 0, done.stderr
    done = babelboard("submit", "verify", "bm25-translate-test", *place, "--rerun")
    assert done.returncode == 0, done.stderr
    assert "verified. 0 of " in done.stdout
