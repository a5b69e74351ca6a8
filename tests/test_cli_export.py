"""Other tools read what is exported and find the numbers that the entry has."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pytrec_eval
import tomli_w

from harness.question_scores import class_averages, judged_ranks, question_scores, setting_means
from harness.ranks import Column, RankTable, ranks_as_bytes
from submissions.entry import read_entry
from submissions.exports.scores_csv import scores_as_csv
from submissions.exports.setting_languages import settings_of
from submissions.exports.trec import in_float32
from tasks.mteb_names import CUTOFFS, SCORES

if TYPE_CHECKING:
    from conftest import RunsCommand

ENTRIES = Path(__file__).parents[1] / "submissions" / "entries"
MINILM = "all-minilm-l6-v2"


def export(babelboard: RunsCommand, *arguments: str | Path, root: Path = ENTRIES) -> str:
    done = babelboard("export", *arguments, "--entries", root)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def pocket() -> RankTable:
    return read_entry(ENTRIES / MINILM).ranks("pocket")


@pytest.fixture(scope="module")
def kept(babelboard: RunsCommand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of entries with one that has kept its rankings, of whole pools."""
    pytest.importorskip("bm25s", reason="needs the extra 'score'")
    root = tmp_path_factory.mktemp("entries")
    arguments = ("--task", "pocket", "--keep-runs", "3000", "--entry", "kept", "--entries", root)
    some = ("--settings", "clir/de-en", "--settings", "mlir/tr-xx", "--settings", "mlir/xx-xx")
    done = babelboard("score", "bm25", *arguments, *some)
    assert done.returncode == 0, done.stderr
    return root


# --- mteb -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mteb_result(babelboard: RunsCommand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mteb-results")
    said = export(babelboard, MINILM, "--to", "mteb", "--task", "pocket", "--out", out)
    assert said == f"Written to {out / 'babelboard-pocket.json'}\n"
    return out / "babelboard-pocket.json"


def test_mteb_loads_its_result(
    mteb_result: Path, pocket: RankTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTEB_CACHE", str(tmp_path / "mteb"))
    pytest.importorskip("mteb", reason="needs the extra 'score'")
    from mteb.results import TaskResult

    result = TaskResult.from_disk(mteb_result)
    assert result.task_name == "babelboard-pocket"
    rows = {row["hf_subset"]: row for row in result.scores["test"]}
    assert list(rows) == list(pocket.pool_sizes)
    assert rows["clir/zh-ar"]["languages"] == ["zho-Hans", "ara-Arab"]
    assert rows["mlir/tr-xx"]["languages"][0] == "tur-Latn"
    assert len(rows["mlir/tr-xx"]["languages"]) == 11
    for name, score in (
        ("AP@1000", "map_at_1000"),
        ("AP@20", "map_at_20"),
        ("RR@10", "mrr_at_10"),
        ("nDCG@10", "ndcg_at_10"),
        ("R@100", "recall_at_100"),
        ("P@5", "precision_at_5"),
        ("Success@1", "hit_rate_at_1"),
    ):
        means = setting_means(question_scores(pocket, name))
        expected = {setting: mean.mean for setting, mean in means.items()}
        assert {k: row[score] for k, row in rows.items()} == pytest.approx(expected, abs=1e-9)
    main = np.mean([row["map_at_1000"] for row in rows.values()])
    assert result.get_score() == pytest.approx(float(main))
    # Written by mteb and read again it is the same.
    result.to_disk(tmp_path / "again.json")
    again = TaskResult.from_disk(tmp_path / "again.json")
    assert again.get_score() == pytest.approx(result.get_score(), abs=1e-5)


def test_the_result_is_that_of_the_mteb_task(
    mteb_result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTEB_CACHE", str(tmp_path / "mteb"))
    pytest.importorskip("mteb", reason="needs the extra 'score'")
    from tasks.mteb_tasks import as_mteb_task
    from tasks.task import load_task

    task = load_task("pocket")
    mteb_task = as_mteb_task(task, task.settings)
    result = json.loads(mteb_result.read_text("utf-8"))
    assert result["task_name"] == mteb_task.metadata.name
    assert result["dataset_revision"] == mteb_task.metadata.revision
    rows = result["scores"]["test"]
    assert {r["hf_subset"]: r["languages"] for r in rows} == mteb_task.metadata.eval_langs
    cutoffs = {int(key.rpartition("_")[2]) for key in rows[0] if key.startswith("ndcg_at_")}
    assert sorted(cutoffs) == list(mteb_task.k_values)
    assert all(row["main_score"] == row[mteb_task.metadata.main_score] for row in rows)
    assert len(rows[0]) == len(SCORES) * len(CUTOFFS) + 4


def test_every_task_has_its_file(babelboard: RunsCommand, tmp_path: Path) -> None:
    export(babelboard, "char-ngram", "--to", "mteb", "--settings", "moir/*", "--out", tmp_path)
    names = {path.name: json.loads(path.read_text("utf-8")) for path in tmp_path.iterdir()}
    assert set(names) == {f"babelboard-{task}.json" for task in ("mlqa-r", "pocket", "xquad-r")}
    assert len(names["babelboard-mlqa-r.json"]["scores"]["test"]) == 7


def test_languages_of_a_users_own_task_are_those_of_its_rows(
    babelboard: RunsCommand, own_task: Path, tmp_path: Path
) -> None:
    pytest.importorskip("bm25s", reason="needs the extra 'score'")
    done = babelboard("score", "bm25", "--task", own_task, "--entries", tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(export(babelboard, "bm25", "--to", "mteb", root=tmp_path))
    rows = {row["hf_subset"]: row["languages"] for row in result["scores"]["test"]}
    assert rows["clir/en-de"] == ["eng-Latn", "deu-Latn"]
    assert rows["mlir/xx-xx"] == ["deu-Latn", "eng-Latn"]
    assert "own" in export(babelboard, "bm25", "--to", "hf-model-index", root=tmp_path)


def test_languages_of_a_setting_that_the_task_no_longer_has() -> None:
    row = np.zeros(1, dtype=np.int64)
    table = RankTable(
        task="pocket",
        pool_sizes={"clir/de-fi": 3},
        setting=Column(("clir/de-fi",), row),
        query_language=Column(("de",), row),
        question=Column(("q",), row),
        document=Column(("fi_1",), row),
        relevance=row + 1,
        rank=row + 1,
    )
    (setting,) = settings_of(table)
    assert (setting.query_languages, setting.document_languages) == (("de",), ("fi",))


# --- model cards ------------------------------------------------------------------------------


def test_a_model_card_holds_the_averages(
    babelboard: RunsCommand, pocket: RankTable, tmp_path: Path
) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra 'score'")

    block = tmp_path / "block.yaml"
    export(babelboard, MINILM, "--to", "hf-model-index", "--task", "pocket", "--out", block)
    card = hub.ModelCard(f"---\nlanguage: en\n{block.read_text('utf-8')}---\n# A model\n")
    assert card.data.model_name == "all-MiniLM-L6-v2"
    found = {(r.dataset_config, r.metric_name): r for r in card.data.eval_results}
    for name in pocket.measures:
        for kind, average in class_averages(question_scores(pocket, name)).items():
            result = found.pop((kind, name))
            assert result.metric_value == pytest.approx(average.macro, abs=1e-9)
            assert (result.task_type, result.dataset_split) == ("text-retrieval", "test")
            assert result.dataset_type == "pocket"
    assert not found
    results = {r.metric_name: r for r in card.data.eval_results if r.dataset_config == "mlir"}
    assert results["AP"].dataset_name == "Pocket, mean of 11 MLIR settings"
    types = {name: result.metric_type for name, result in results.items()}
    assert types == {
        "AP": "map",
        "RR@10": "mrr_at_10",
        "nDCG@10": "ndcg_at_10",
        "R@100": "recall_at_100",
        "AP@20": "map_at_20",
        "RankDistance": "RankDistance",
    }


def test_a_model_card_holds_the_settings_that_are_asked_for(
    babelboard: RunsCommand, pocket: RankTable
) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra 'score'")

    arguments = ("--to", "hf-model-index", "--task", "pocket", "--settings", "clir/de-*")
    card = hub.ModelCard(f"---\n{export(babelboard, MINILM, *arguments)}---\n")
    means = setting_means(question_scores(pocket, "nDCG@10"))
    found = {
        result.dataset_config: result.metric_value
        for result in card.data.eval_results
        if result.metric_type == "ndcg_at_10"
    }
    expected = {k: v.mean for k, v in means.items() if k.startswith("clir/de-")}
    assert len(found) == 10
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_name_is_quoted_for_yaml(babelboard: RunsCommand, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra 'score'")

    copy_entry(MINILM, tmp_path, name='yes: "[a\\b]" # größer')
    block = export(babelboard, MINILM, "--to", "hf-model-index", "--task", "pocket", root=tmp_path)
    assert hub.ModelCard(f"---\n{block}---\n").data.model_name == 'yes: "[a\\b]" # größer'


def copy_entry(entry: str, root: Path, **changed: str) -> Path:
    folder = shutil.copytree(ENTRIES / entry, root / entry)
    manifest = tomllib.loads((folder / "submission.toml").read_text("utf-8")) | changed
    (folder / "submission.toml").write_text(tomli_w.dumps(manifest), encoding="utf-8")
    return folder


# --- TREC -------------------------------------------------------------------------------------

TREC_EVAL = {"map": "AP", "recip_rank": "RR", "ndcg_cut_10": "nDCG@10", "recall_100": "R@100"}


def test_trec_eval_gives_the_entrys_numbers(
    babelboard: RunsCommand, kept: Path, tmp_path: Path
) -> None:
    said = export(babelboard, "kept", "--to", "trec", "--out", tmp_path, root=kept)
    assert said == (
        f"3 runs, the first 3000 documents of each ranking, and their qrels are in {tmp_path}\n"
    )
    settings = ("clir/de-en", "mlir/tr-xx", "mlir/xx-xx")
    stems = [setting.replace("/", "__") for setting in settings]
    expected = sorted(f"{stem}.{suffix}" for stem in stems for suffix in ("trec", "qrels"))
    assert sorted(path.name for path in tmp_path.iterdir()) == expected
    table = read_entry(kept / "kept").ranks("pocket")
    _, first = judged_ranks(table)
    for number, (setting, stem) in enumerate(zip(settings, stems, strict=True)):
        with (tmp_path / f"{stem}.qrels").open(encoding="utf-8") as file:
            qrels = pytrec_eval.parse_qrel(file)
        with (tmp_path / f"{stem}.trec").open(encoding="utf-8") as file:
            run = pytrec_eval.parse_run(file)
        measures = {"map", "recip_rank", "ndcg_cut.10", "recall.100"}
        theirs = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
        rows = first[table.setting.codes[first] == number]
        ids = [
            f"{table.query_language.names[language]}_{table.question.names[question]}"
            for language, question in zip(
                table.query_language.codes[rows], table.question.codes[rows], strict=True
            )
        ]
        assert set(ids) == set(qrels), setting
        for name, ours in TREC_EVAL.items():
            scores = question_scores(table, ours)
            values = dict(zip(ids, scores.value[scores.setting == number], strict=True))
            for query, value in values.items():
                # A query that finds nothing is not in the run, and counts 0.
                found = theirs.get(query, {name: 0.0})[name]
                assert found == pytest.approx(value, abs=1e-9), (setting, query, name)


def test_evaluate_reads_what_is_exported(
    babelboard: RunsCommand, kept: Path, tmp_path: Path
) -> None:
    arguments = ("--to", "trec", "--settings", "mlir/xx-xx", "--out", tmp_path)
    export(babelboard, "kept", *arguments, root=kept)
    run, qrels = tmp_path / "mlir__xx-xx.trec", tmp_path / "mlir__xx-xx.qrels"
    done = babelboard("evaluate", run, "--qrels", qrels, "--measure", "AP", "--json")
    table = read_entry(kept / "kept").ranks("pocket")
    expected = setting_means(question_scores(table, "AP"))["mlir/xx-xx"].mean
    assert json.loads(done.stdout)["measures"]["AP"] == pytest.approx(expected, abs=1e-9)
    lines = run.read_text("utf-8").splitlines()
    assert lines[0].split()[1::4] == ["Q0", "kept"]
    assert lines[0].split()[3] == "1"


def test_exported_runs_score_as_the_entry(
    babelboard: RunsCommand, kept: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "runs"
    export(babelboard, "kept", "--to", "trec", "--out", folder, root=kept)
    arguments = ("--task", "pocket", "--entry", "again", "--entries", tmp_path)
    chosen = ("--settings", "clir/de-en", "--settings", "mlir/tr-xx", "--settings", "mlir/xx-xx")
    done = babelboard("score", f"run:{folder}", *arguments, *chosen)
    assert done.returncode == 0, done.stderr
    again, first = (
        read_entry(path).ranks("pocket") for path in (tmp_path / "again", kept / "kept")
    )
    np.testing.assert_array_equal(again.rank, first.rank)


def test_scores_that_float32_cannot_tell_apart_keep_their_order() -> None:
    # By hand. In the first query b beats a by less than float32 holds, and c ties with a for
    # real, before it by its id; in the second, d and a tie in the order of trec_eval already, and
    # score more than the first query's last.
    one = np.float32(1)
    score = np.array([1 + 1e-9, 1.0, 1.0, 0.5, 0.75, 0.75])
    order = np.array([1, 2, 0, 3, 3, 0])
    starts = np.array([True, False, False, False, True, False])
    found = in_float32(score, order, starts)
    below = np.nextafter(one, np.float32(0))
    assert found.tolist() == [one, below, below, 0.5, 0.75, 0.75]


@pytest.mark.parametrize("seed", range(5))
def test_trec_evals_order_is_ours_whatever_the_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exact = 1 + rng.integers(0, 40, 200) * 2.0 ** rng.integers(-30, -20, 200)
    order = rng.permutation(200)
    by = np.lexsort((-order, -exact))
    starts = np.zeros(200, dtype=np.bool_)
    starts[[0, 90]] = True
    found = in_float32(exact[by], order[by], starts)
    for part in (slice(0, 90), slice(90, 200)):
        again = np.lexsort((-order[by][part], -found[part]))
        assert again.tolist() == list(range(len(again)))
    assert np.abs(found - exact[by]).max() < 1e-4
    assert len(set(exact.astype(np.float32).tolist())) < len(set(exact.tolist()))


def test_an_entry_without_kept_rankings_says_how_to_keep_them(
    babelboard: RunsCommand, tmp_path: Path
) -> None:
    arguments = ("--to", "trec", "--task", "pocket", "--out", tmp_path / "runs")
    done = babelboard("export", MINILM, *arguments, "--entries", ENTRIES)
    assert done.returncode == 2
    assert "--keep-runs" in done.stderr
    assert not (tmp_path / "runs").exists()


# --- CSV --------------------------------------------------------------------------------------


def test_csv_has_every_value(babelboard: RunsCommand, pocket: RankTable) -> None:
    arguments = (
        "--to",
        "csv",
        "--task",
        "pocket",
        "--settings",
        "mlir/*",
        "--settings",
        "moir/tr*",
    )
    rows = list(csv.DictReader(io.StringIO(export(babelboard, MINILM, *arguments))))
    assert list(rows[0]) == [
        "entry", "task", "setting", "query_language", "question_id", "measure", "value",
    ]  # fmt: skip
    assert {row["entry"] for row in rows} == {MINILM}
    for name in pocket.measures:
        mine: dict[str, list[float]] = {}
        for row in rows:
            if row["measure"] == name:
                mine.setdefault(row["setting"], []).append(float(row["value"]))
        means = setting_means(question_scores(pocket, name))
        chosen = {k: v.mean for k, v in means.items() if k.startswith(("mlir/", "moir/tr"))}
        assert {k: float(np.mean(v)) for k, v in mine.items()} == pytest.approx(chosen)
    pooled = [row for row in rows if row["setting"] == "mlir/xx-xx" and row["measure"] == "AP"]
    assert len({(row["query_language"], row["question_id"]) for row in pooled}) == 75 * 11
    turkish = {
        (row["setting"], row["question_id"]): row["value"]
        for row in rows
        if row["query_language"] == "tr" and row["measure"] == "RankDistance"
    }
    # The pooled setting repeats the queries of the others, against the same pool.
    for (setting, question), value in turkish.items():
        assert turkish["mlir/xx-xx", question] == value, setting


def test_csv_of_chosen_measures(babelboard: RunsCommand) -> None:
    arguments = ("--to", "csv", "--task", "pocket", "--measure", "nDCG@3", "-m", "Success@1")
    rows = csv.DictReader(io.StringIO(export(babelboard, MINILM, *arguments)))
    assert {row["measure"] for row in rows} == {"nDCG@3", "Success@1"}


def test_csv_quotes_what_a_spreadsheet_would_run() -> None:
    starts = ("=1+1", "+1", "-1", "@sum", "plain")
    column = Column(tuple(sorted(starts)), np.arange(5))
    zero = np.zeros(5, dtype=np.int64)
    table = RankTable(
        task="t",
        pool_sizes={"moir/de-de": 3},
        setting=Column(("moir/de-de",), zero),
        query_language=Column(("de",), zero),
        question=column,
        document=Column(("de_1",), zero),
        relevance=np.ones(5, dtype=np.int64),
        rank=np.ones(5, dtype=np.int64),
    )
    rows = list(csv.DictReader(io.StringIO(scores_as_csv("e", [table], ()))))
    assert {row["question_id"] for row in rows} == {"'=1+1", "'+1", "'-1", "'@sum", "plain"}


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("all-minilm", "--to", "csv"), "Did you mean all-minilm-l6-v2?"),
        ((MINILM, "--to", "csv", "--task", "pockt"), "Did you mean pocket?"),
        ((MINILM, "--to", "csv", "--task", "pocket", "--settings", "mlir/xx-yy"), "mlir/xx-xx"),
        ((MINILM, "--to", "csv", "--measure", "nDGC@10"), "Did you mean nDCG@10"),
        ((MINILM, "--to", "mteb", "--measure", "AP"), "--measure is for --to csv"),
        ((MINILM, "--to", "mteb"), "choose one with --task, or a folder with --out"),
        ((MINILM, "--to", "trec", "--task", "pocket"), "name a folder with --out"),
        ((MINILM, "--to", "trec", "--out", "runs"), "a task with --task"),
        ((MINILM, "--to", "excel"), "'mteb', 'hf-model-index', 'trec', 'csv'"),
    ],
)
def test_wrong_input_is_one_message(
    arguments: tuple[str, ...], message: str, babelboard: RunsCommand
) -> None:
    done = babelboard("export", *arguments, "--entries", ENTRIES)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_altered_ranks_are_not_exported(babelboard: RunsCommand, tmp_path: Path) -> None:
    folder = copy_entry(MINILM, tmp_path)
    table = read_entry(folder).ranks("pocket")
    table.rank[0] += 1
    (folder / "ranks" / "pocket.parquet").write_bytes(ranks_as_bytes(table))
    done = babelboard("export", folder, "--to", "csv", "--task", "pocket")
    assert done.returncode == 2
    assert "is not the file that was scored" in done.stderr


def test_the_same_entry_gives_the_same_bytes(babelboard: RunsCommand, tmp_path: Path) -> None:
    for form in ("mteb", "csv", "hf-model-index"):
        arguments = ("--to", form, "--task", "pocket", "--settings", "mlir/*")
        first, again = (export(babelboard, MINILM, *arguments) for _ in range(2))
        assert first == again
        assert str(tmp_path.parent) not in first


def test_exporting_needs_no_heavy_library(tmp_path: Path) -> None:
    from test_architecture import RUN_COMMAND, loaded_by

    for form in ("mteb", "hf-model-index", "csv"):
        arguments = ("export", str(ENTRIES / MINILM), "--to", form, "--task", "pocket")
        heavy, output = loaded_by(RUN_COMMAND, tmp_path, *arguments, "--settings", "moir/de-de")
        assert heavy == set(), form
        assert output
