"""Run files: read as trec_eval reads them, and refused with the place of the fault."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pytrec_eval
from hand_made_tasks import drawn_task, rows_of, two_languages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.models.run_file import RunFolder
from harness.progress import Silent
from harness.question_scores import question_scores
from harness.retrieval.layout import Layout
from harness.score import Plan, score
from tasks.errors import DataFileError, UsageError
from tasks.settings import Setting
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import RunsCommand

    from harness.ranks import RankTable
    from tasks.task import Task

    Run = Mapping[str, Mapping[str, float]]

MOIR = Setting("moir", ("de",), ("de",))
ALL = Setting("mlir", ("de", "en"), ("de", "en"))
SETTINGS = {setting.id: setting for setting in (MOIR, ALL)}


def lines(run: Run) -> str:
    return "".join(
        # The rank column is wrong on purpose: only scores count.
        f"{query} Q0 {document} {place} {value!r} tag\n"
        for query, scores in run.items()
        for place, (document, value) in enumerate(scores.items())
    )


def write(folder: Path, runs: Mapping[str, Run]) -> Path:
    folder.mkdir(exist_ok=True)
    for setting, run in runs.items():
        (folder / f"{setting.replace('/', '__')}.trec").write_text(lines(run), encoding="utf-8")
    return folder


def ranked(task: Task, folder: Path, *chosen: Setting) -> RankTable:
    return score(RunFolder(folder), task, chosen, Plan(), Silent()).table


def test_ranks_of_a_run_by_hand(tmp_path: Path) -> None:
    task, _ = two_languages()
    pool = {
        "de_q": {"en_b": 1.0, "de_b": 1.0, "de_a": 1.0, "en_a": 0.5},
        "en_q": {"de_a": -2.0},
    }
    folder = write(tmp_path / "runs", {"moir/de-de": {"q": {"a": 0.1, "b": 7}}, "mlir/xx-xx": pool})
    assert rows_of(ranked(task, folder, MOIR, ALL)) == {
        ("moir/de-de", "de", "q", "de_a"): (1, 2),
        ("mlir/xx-xx", "de", "q", "de_a"): (1, 3),  # ties: en_b, de_b, de_a
        ("mlir/xx-xx", "de", "q", "en_b"): (1, 1),
        ("mlir/xx-xx", "en", "q", "de_a"): (1, 1),
        ("mlir/xx-xx", "en", "q", "en_b"): (1, 0),
    }


@pytest.mark.parametrize("query", ["q", "de_q"])
@pytest.mark.parametrize("a", ["a", "de_a"])
@pytest.mark.parametrize("b", ["b", "de_b"])
def test_languages_may_be_left_out_where_there_is_one(
    tmp_path: Path, query: str, a: str, b: str
) -> None:
    task, _ = two_languages()
    folder = write(tmp_path / "runs", {"moir/de-de": {query: {a: 1.0, b: 2.0}}})
    assert rows_of(ranked(task, folder, MOIR)) == {("moir/de-de", "de", "q", "de_a"): (1, 2)}


def test_a_question_that_is_drawn_in_one_language_needs_no_language(tmp_path: Path) -> None:
    run = {"q0": {"de_2": 1.0, "en_0": 2.0}, "q1": {"en_0": 1.0}}
    folder = write(tmp_path / "runs", {"mlir/xx-xx": run})
    assert rows_of(ranked(drawn_task(), folder, ALL)) == {
        ("mlir/xx-xx", "de", "q1", "en_0"): (1, 1),
        ("mlir/xx-xx", "en", "q0", "de_2"): (1, 2),
    }


def test_queries_that_have_no_answer_in_the_pool_may_be_there(tmp_path: Path) -> None:
    task = load_task("pocket")
    setting = next(setting for setting in task.settings if setting.id == "moir/de-de")
    questions = task.collection.questions
    document = task.collection.corpora["de"].ids[0]
    folder = write(tmp_path / "runs", {"moir/de-de": {q: {document: 1.0} for q in questions}})
    table = ranked(task, folder, setting)
    assert set(table.rank.tolist()) <= {0, 1}


@pytest.mark.parametrize("suffix", [".trec", ".run", ".txt"])
def test_a_run_may_be_gzip_and_have_another_name(tmp_path: Path, suffix: str) -> None:
    task, _ = two_languages()
    text = lines({"q": {"a": 1.0, "b": 2.0}}).encode()
    for number, (name, content) in enumerate(
        [(suffix, text), (f"{suffix}.gz", gzip.compress(text))]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / f"moir__de-de{name}").write_bytes(content)
        assert rows_of(ranked(task, folder, MOIR)) == {("moir/de-de", "de", "q", "de_a"): (1, 2)}


RUN = "q Q0 a 1 1.0 tag\nq Q0 b 2 0.5 tag\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("moir__de-de.trec", RUN + "q Q0 c 3\n", r"moir__de-de\.trec:3: 4 columns, expected 6"),
        ("moir__de-de.trec", RUN + "q Q0 c 3 0.1\n", r":3: 5 columns, expected 6"),
        ("moir__de-de.trec", RUN + "q Q0 a 3 0.1 tag\n", r":3: document 'a' is there twice"),
        ("moir__de-de.trec", RUN + "q Q0 c 3 high tag\n", r":3: the score 'high' is not"),
        ("moir__de-de.trec", "", r"moir__de-de\.trec is empty"),
        ("moir__de-de.trec", RUN + "r Q0 a 1 1 tag\n", r"query 'r' is not one of moir/de-de"),
        ("moir__de-de.trec", "en_q Q0 a 1 1 tag\n", r"query 'en_q' is not one of moir/de-de"),
        ("moir__de-de.trec", RUN + "q Q0 c 3 0 tag\n", r"document 'c', which moir/de-de does not"),
        ("moir__de-de.trec", RUN + "q Q0 en_a 3 0 tag\n", r"document 'en_a', which moir/de-de"),
        ("moir__de-de.trec", RUN + "q Q0 de_a 3 0 tag\n", r"ranks the document 'de_a' twice"),
        ("moir__de-de.trec", RUN + "de_q Q0 de_a 3 0 t\n", r"the query '(de_)?q' .* two names"),
        ("mlir__xx-xx.trec", "q Q0 de_a 1 1 tag\n", r"query 'q' is not one of mlir/xx-xx.*'de_q'"),
        ("mlir__xx-xx.trec", "de_q Q0 a 1 1 tag\n", r"document 'a', which mlir/xx-xx.*'de_a'"),
    ],
)
def test_a_faulty_run_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    task, _ = two_languages()
    (tmp_path / name).write_text(content)
    chosen = SETTINGS[name.removesuffix(".trec").replace("__", "/")]
    with pytest.raises(DataFileError, match=message) as caught:
        ranked(task, tmp_path, chosen)
    assert str(tmp_path / name) in str(caught.value)


def test_a_gzip_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    task, _ = two_languages()
    whole = gzip.compress(("".join(f"q{n} Q0 a 1 1.0 tag\n" for n in range(5000))).encode())
    path = tmp_path / "moir__de-de.trec.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataFileError, match=r"de-de\.trec\.gz:\d+: the gzip file is cut short"):
        ranked(task, tmp_path, MOIR)


def test_a_setting_needs_one_run(tmp_path: Path) -> None:
    task, _ = two_languages()
    folder = write(tmp_path / "runs", {"moir/de-de": {"q": {"a": 1.0}}})
    with pytest.raises(DataFileError, match=r"lacks the runs of 1 settings, .*mlir__xx-xx\.trec"):
        ranked(task, folder, MOIR, ALL)
    (folder / "moir__de-de.run.gz").write_bytes(gzip.compress(RUN.encode()))
    with pytest.raises(DataFileError, match=r"several runs of moir/de-de: .*\.trec, .*\.run\.gz"):
        ranked(task, folder, MOIR)


def test_a_folder_is_needed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"names no folder\. It must hold one TREC run a setting"):
        RunFolder(tmp_path / "none")


def test_the_runs_are_known_by_their_content(tmp_path: Path) -> None:
    folder = write(tmp_path / "some-system", {"moir/de-de": {"q": {"a": 1.0}}})
    first = RunFolder(folder).describe()
    assert (first.kind, first.name) == ("run", "some-system")
    assert RunFolder(folder).describe() == first
    write(folder, {"moir/de-de": {"q": {"a": 1.5}}})
    assert RunFolder(folder).describe().digest != first.digest


def test_scores_beyond_float32_tie_as_in_trec_eval(tmp_path: Path) -> None:
    task, _ = two_languages()
    folder = write(tmp_path / "runs", {"moir/de-de": {"q": {"a": 1e300, "b": 1e200}}})
    scored = score(RunFolder(folder), task, [MOIR], Plan(keep_runs=5), Silent())
    assert scored.table.rank.tolist() == [2]
    assert scored.runs is not None
    assert np.isfinite(scored.runs.score).all()


# Against trec_eval itself, over the collection that comes with babelboard.


def names_of(task: Task, setting: Setting) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Judgments of a setting by the names of its queries, and the documents of its pool."""
    layout = Layout(task, [setting])
    names = [
        f"{code}_{task.collection.questions[question]}"
        for code in layout.query_languages
        for question in task.collection.queries[code].question
    ]
    which = layout.judged_in(setting)
    documents = layout.document_names(layout.judged.document[which])
    qrels: dict[str, dict[str, int]] = {}
    for row, document, grade in zip(
        layout.judged.query[which].tolist(),
        documents,
        layout.judged.relevance[which].tolist(),
        strict=True,
    ):
        qrels.setdefault(names[row], {})[document] = grade
    return qrels, layout.document_names(layout.document_rows(setting.document_languages))


# Many ties: equal scores, and scores that are equal in float32 only.
FEW_SCORES = (0.0, -3.5, 1.0, 1.0 + 1e-9, 1.0 - 1e-9, 2.0, 1e-30)


@pytest.mark.parametrize("setting_id", ["moir/th-th", "clir/ar-zh", "mlir/ru-xx", "mlir/xx-xx"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_measures_of_a_random_run_are_those_of_trec_eval(
    tmp_path_factory: pytest.TempPathFactory, setting_id: str, seed: int
) -> None:
    task = load_task("pocket")
    setting = next(setting for setting in task.settings if setting.id == setting_id)
    qrels, pool = names_of(task, setting)
    rng = np.random.default_rng(seed)
    run = {
        query: dict(
            zip(
                rng.permutation([*rng.choice(pool, 40, replace=False), *judged]).tolist(),
                rng.choice(FEW_SCORES, 40 + len(judged)).tolist(),
                strict=True,
            )
        )
        for query, judged in qrels.items()
    }
    folder = write(tmp_path_factory.mktemp("runs"), {setting_id: run})
    table = ranked(task, folder, setting)
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"map", "recip_rank", "recall_100"}).evaluate(
        run
    )
    for name, of_trec_eval in (("AP", "map"), ("RR", "recip_rank"), ("R@100", "recall_100")):
        found = question_scores(table, name)
        expected = by_row(table, {q: values[of_trec_eval] for q, values in theirs.items()})
        np.testing.assert_allclose(found.value, expected, atol=1e-6, err_msg=name)


def by_row(table: RankTable, values: Mapping[str, float]) -> list[float]:
    """Values by the names of queries in the order of the table's queries."""
    language, question = table.query_language, table.question
    order = dict.fromkeys(
        f"{language.names[a]}_{question.names[b]}"
        for a, b in zip(language.codes, question.codes, strict=True)
    )
    assert order.keys() == values.keys()
    return [values[name] for name in order]


# The command line.


def test_runs_are_scored_from_the_command_line(
    babelboard: RunsCommand, own_task: Path, tmp_path: Path
) -> None:
    first = {"q0": {"0_0": 2.0, "0_1": 1.0}, "q1": {"de_0_0": 3.0, "0_1": 3.5}}
    write(tmp_path / "my-system", {"moir/de-de": first})
    arguments = (
        "score",
        f"run:{tmp_path / 'my-system'}",
        "--task",
        own_task,
        "--entries",
        tmp_path,
    )
    done = babelboard(*arguments, "--settings", "moir/de-de")
    assert done.returncode == 0, done.stderr
    assert "1.0000" in done.stdout
    manifest = (tmp_path / "run-my-system" / "submission.toml").read_text("utf-8")
    assert 'kind = "run"' in manifest
    assert str(tmp_path) not in manifest


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda path: path.unlink(), "lacks the runs of 1 settings"),
        (lambda path: path.write_text("q0 Q0 0_0 1 2.0\n"), "moir__de-de.trec:1: 5 columns"),
        (
            lambda path: path.write_bytes(b"\x1f\x8b\x08"),
            "moir__de-de.trec:1: the gzip file is cut",
        ),
    ],
)
def test_a_faulty_run_ends_the_command_with_its_place(
    babelboard: RunsCommand,
    own_task: Path,
    tmp_path: Path,
    break_it: Callable[[Path], object],
    message: str,
) -> None:
    folder = write(tmp_path / "runs", {"moir/de-de": {"q0": {"0_0": 2.0}}})
    break_it(folder / "moir__de-de.trec")
    done = babelboard(
        "score",
        f"run:{folder}",
        "--task",
        own_task,
        "--settings",
        "moir/de-de",
        "--entries",
        tmp_path,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
