"""``babelboard bias``: its tables, its JSON, what it says is not defined, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rank_tables import rank_table
from scipy.stats import chi2

from harness.bias.language_shares import LanguageShares, shares_path, write_shares
from harness.ranks import write_ranks

if TYPE_CHECKING:
    from conftest import RunsCommand

ROOT = Path(__file__).parents[1]
SIZES = {"moir/de-de": 10, "clir/de-en": 10, "mlir/de-xx": 40, "mlir/en-xx": 40}
ROWS = [
    ("moir/de-de", "de", "q1", "de_1", 1, 1),
    ("clir/de-en", "de", "q1", "en_1", 1, 4),
    *(("mlir/de-xx", "de", "q1", name, 1, rank) for name, rank in (("de_1", 1), ("en_1", 9))),
    *(("mlir/en-xx", "en", "q1", name, 1, rank) for name, rank in (("de_1", 2), ("en_1", 6))),
    # Several documents a language: what PEER needs.
    *(("mlir/en-xx", "en", "q2", f"de_{n}", 1, rank) for n, rank in ((2, 1), (3, 2))),
    *(("mlir/en-xx", "en", "q2", f"en_{n}", 1, rank) for n, rank in ((2, 3), (3, 4))),
]


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """An entry with one task, ``own``, whose English queries prefer German."""
    folder = tmp_path / "mine"
    write_ranks(folder / "ranks" / "own.parquet", rank_table(ROWS, SIZES))
    counts = {
        ("mlir/de-xx", "de", 10): np.array([[9, 1]]),
        ("mlir/en-xx", "en", 10): np.array([[8, 2], [6, 4]]),
        ("mlir/en-xx", "en", 100): np.array([[20, 20], [20, 20]]),
    }
    shares = LanguageShares.from_counts("own", ("de", "en"), counts)
    write_shares(shares_path(folder, "own"), shares)
    return folder


def test_json_of_an_entry_by_hand(babelboard: RunsCommand, entry: Path) -> None:
    finished = babelboard("bias", entry, "--json")
    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    assert {key: found[key] for key in ("schema_version", "entry", "task", "measure", "k")} == {
        "schema_version": 1,
        "entry": "mine",
        "task": "own",
        "measure": "RR",
        "k": 10,
    }
    de, en = found["pools"]
    assert (de["setting"], de["query_language"], de["queries"]) == ("mlir/de-xx", "de", 1)
    assert de["rank_distance"] == {"mean": 8.0, "share": 0.2, "queries": 1, "left_out": 0}
    assert de["preference"] == {
        "own": {"rate": 1.0, "chance": 0.5, "queries": 1},
        "others": {},
        "not_parallel": 0,
        "not_retrieved": 0,
    }
    assert de["peer"]["mean"] is None
    assert de["shares"]["excess"] == {"de": 0.4, "en": -0.4}
    assert en["preference"]["own"] == {"rate": 0.0, "chance": 0.5, "queries": 1}
    assert en["preference"]["not_parallel"] == 1
    assert en["shares"] == {
        "k": 10,
        "queries": 2,
        "empty": 0,
        "top": {"de": 0.7, "en": 0.3},
        "relevant": {"de": 0.5, "en": 0.5},
        "excess": {"de": 0.2, "en": -0.2},
        "own": -0.2,
        "total_variation": 0.2,
    }
    assert en["peer"] == {
        "mean": pytest.approx(chi2.sf(2.4, 1)),
        "queries": 1,
        "all_tied": 0,
        "one_language": 0,
        "one_document_each": 1,
    }
    assert found["gaps"] == {
        "de": {"moir": 1.0, "clir": 0.25, "gap": 0.75, "settings": 1, "questions": 1}
    }
    assert found["spreads"]["mlir"]["by_language"] == {"de": 1.0, "en": 0.75}
    assert found["means"] == {
        "rank_distance": pytest.approx((8 + 3.5) / 2),
        "rank_distance_share": pytest.approx((8 + 3.5) / 2 / 40),
        "own_copy_first": 0.5,
        "own_copy_first_chance": 0.5,
        "own_share_excess": pytest.approx(0.1),
        "total_variation": pytest.approx(0.3),
        "peer": pytest.approx(chi2.sf(2.4, 1)),
        "gap": 0.75,
    }


def test_the_tables_show_what_the_json_has(babelboard: RunsCommand, entry: Path) -> None:
    lines = babelboard("bias", entry).stdout.splitlines()
    rows = [line.split() for line in lines]
    assert lines[0] == "mine, own"
    assert ["de", "1", "8.0000", "0.2000", "1.0000", "0.5000", "+0.4000", "0.4000", "-"] in rows
    low = f"{chi2.sf(2.4, 1):.4f}"
    assert ["en", "2", "3.5000", "0.0875", "0.0000", "0.5000", "-0.2000", "0.2000", low] in rows
    means = ["mean", "5.7500", "0.1437", "0.5000", "0.5000", "+0.1000", "0.3000", low]
    assert means in rows
    assert ["de", "-", "-", "-", "0.8000", "0.5000", "+0.3000"] in rows
    assert ["de", "1.0000", "+0.7500"] in rows
    text = " ".join(" ".join(lines).split())
    assert "Left out: 1 query without parallel copies." in text
    assert "Left out: 2 queries with one document a language" in text


def test_cutoff_measure_and_weights_are_heeded(babelboard: RunsCommand, entry: Path) -> None:
    options = ("--k", "2", "--measure", "R@1", "--json")
    found = json.loads(babelboard("bias", entry, *options).stdout)
    assert (found["k"], found["measure"]) == (2, "R@1")
    # Of q2 the documents in German are within the cut-off, those in English tied behind it.
    assert found["pools"][1]["peer"]["mean"] == pytest.approx(chi2.sf(12 / 4.5, 1))
    assert found["gaps"]["de"]["moir"] == 1.0
    assert found["gaps"]["de"]["clir"] == 0.0
    assert (found["pools"][0]["shares"], found["share_depths"]) == (None, [10, 100])
    weighted = babelboard("bias", entry, "--peer-weight", "0=1", "--json")
    assert json.loads(weighted.stdout)["pools"][1]["peer"]["queries"] == 0
    text = " ".join(babelboard("bias", entry, "--k", "2").stdout.split())
    assert "Shares of the top 2: the entry has them for --k 10 or --k 100." in text
    deep = json.loads(babelboard("bias", entry, "--k", "100", "--json").stdout)
    assert [pool["shares"] and pool["shares"]["own"] for pool in deep["pools"]] == [None, 0.0]


def test_an_entry_of_the_repository(babelboard: RunsCommand) -> None:
    arguments = ("bias", "bm25", "--task", "pocket")
    finished = babelboard(*arguments, cwd=ROOT, env={"COLUMNS": "80"})
    assert (finished.returncode, finished.stderr) == (0, "")
    assert max(map(len, finished.stdout.splitlines())) <= 80
    text = " ".join(finished.stdout.split())
    assert "PEER@10: not defined for any query. Left out: 825 queries with one document" in text
    found = json.loads(babelboard(*arguments, "--json", cwd=ROOT).stdout)
    pools = found["pools"]
    for code, first in found["first_of_others"].items():
        of = [p["preference"]["others"][code] for p in pools if code in p["preference"]["others"]]
        assert first["queries"] == sum(one["queries"] for one in of)
        assert first["rate"] * first["queries"] == pytest.approx(
            sum(round(one["rate"] * one["queries"]) for one in of)
        )
        assert first["chance"] == pytest.approx(0.1)
    # BM25 meets the words of its own language only.
    assert found["means"]["own_copy_first"] > 0.98
    assert found["means"]["gap"] > 0.5
    assert found["means"]["peer"] is None


def test_without_mlir_settings_it_says_so(babelboard: RunsCommand, tmp_path: Path) -> None:
    table = rank_table(ROWS[:2], {name: SIZES[name] for name in ("moir/de-de", "clir/de-en")})
    write_ranks(tmp_path / "mine" / "ranks" / "own.parquet", table)
    finished = babelboard("bias", tmp_path / "mine")
    assert finished.returncode == 0
    text = " ".join(finished.stdout.split())
    assert "No MLIR setting was scored: rank distance, preference, shares" in text
    assert "In a pool of languages" not in text
    found = json.loads(babelboard("bias", tmp_path / "mine", "--json").stdout)
    assert (found["pools"], found["means"]["rank_distance"]) == ([], None)
    assert found["gaps"]["de"]["gap"] == 0.75


def test_settings_that_say_nothing_are_refused(babelboard: RunsCommand, tmp_path: Path) -> None:
    write_ranks(
        tmp_path / "mine" / "ranks" / "own.parquet", rank_table(ROWS[:1], {"moir/de-de": 10})
    )
    finished = babelboard("bias", tmp_path / "mine")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "say nothing of language bias: they are moir/de-de." in finished.stderr


def test_damaged_shares_are_refused(babelboard: RunsCommand, entry: Path) -> None:
    path = shares_path(entry, "own")
    path.write_text(path.read_text().replace('"queries": 2', '"queries": 3'))
    finished = babelboard("bias", entry)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "The language shares of mlir/en-xx are not those of its ranks" in finished.stderr
    path.write_text("{}")
    finished = babelboard("bias", entry)
    assert finished.returncode == 2
    assert "own.json is not as expected" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bm52"], "Unknown entry: 'bm52'. Did you mean bm25"),
        (["bm25"], "Choose a task with --task: bm25 has mlqa-r, pocket, xquad-r"),
        (["bm25", "--task", "xquad"], "Unknown task of bm25: 'xquad'. Did you mean xquad-r"),
        (["published"], "The entry 'published' is reported, not scored"),
        (["bm25", "--task", "pocket", "-m", "RankDistance"], "RankDistance is no measure of how"),
        (["bm25", "--task", "pocket", "-m", "nDCG10"], "Unknown measure: 'nDCG10'"),
        (["bm25", "--task", "pocket", "--peer-weight", "1"], "--peer-weight is GRADE=WEIGHT"),
        (["bm25", "--task", "pocket", "--peer-weight", "1=0.4"], "The weights of PEER's relevance"),
        (
            ["bm25", "--task", "pocket", "--peer-weight", "1=1", "--peer-weight", "1=0"],
            "--peer-weight gives grade 1 twice.",
        ),
        (["README.md"], "README.md is a file"),
    ],
)
def test_bad_input_ends_with_one_message(
    babelboard: RunsCommand, tmp_path: Path, arguments: list[str], message: str
) -> None:
    for name in ("bm25", "char-ngram"):
        (tmp_path / name).symlink_to(ROOT / "submissions" / "entries" / name)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "reported.toml").touch()
    finished = babelboard("bias", *arguments, "--entries", tmp_path, cwd=ROOT)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"babelboard: {message}")
    assert finished.stderr.count("\n") == 1
