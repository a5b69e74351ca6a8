"""Published results: what is committed is what was printed, and what is malformed is refused."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leaderboard.reported import class_mean, reported_boards
from submissions.entry import read_entries
from submissions.reported import Reported, covered, read_reported, setting_ids
from tasks.errors import EntryError
from tasks.settings import counted_in_average

if TYPE_CHECKING:
    from conftest import RunsCommand

ENTRIES = Path(__file__).parents[1] / "submissions" / "entries"

HEAD = """\
schema_version = 1
id = "published"
name = "A published system"
{top}
[model]
kind = "dense"
name = "encoder"

[method]
training = "zero-shot"

[source]
title = "On finding things"
authors = ["Doe, Jane", "Roe, Richard"]
year = 2024
venue = "A journal"
url = "https://example.org/paper"
bibtex = "@misc{{doe}}"
"""
BLOCK = """
[[results]]
task = "{task}"
measure = "{measure}"
where = "{where}"
provenance = "{provenance}"
decimals = {decimals}
[results.values]
{values}
"""


def block(values: str, **other: str | int) -> str:
    """A block of results, of xquad-r in AP if nothing else is said."""
    usual = {"task": "xquad-r", "measure": "AP", "where": "Table 1", "decimals": 4}
    return BLOCK.format(**({"provenance": "seen: the paper"} | usual | other), values=values)


def read(root: Path, *blocks: str, top: str = "") -> Reported:
    """The entry ``published`` with these blocks."""
    folder = root / "published"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reported.toml").write_text(HEAD.format(top=top) + "".join(blocks), "utf-8")
    (found,) = read_reported(root)
    return found


@pytest.fixture(scope="module")
def committed() -> dict[str, Reported]:
    return {entry.id: entry for entry in read_reported(ENTRIES)}


def test_the_systems_of_every_source_are_there(committed: dict[str, Reported]) -> None:
    assert Counter(entry.source.citation for entry in committed.values()) == {
        "Elmahdy et al. 2024": 6,
        "Roy et al. 2020": 5,
        "Bonifacio et al. 2021": 3,
        "Louis et al. 2024": 5,
        "Zhang et al. 2023": 6,
        "Litschko et al. 2023": 1,
    }


@pytest.mark.parametrize(
    ("entry", "tables"),
    [
        # 11 and 7 languages in three classes and the means; 3 means of recall each.
        *(
            (
                f"elmahdy-2024-{model}-{batches}",
                {
                    "Table 1": 6,
                    "Table 2": 2,
                    xquad: 3 * 12 + 3,
                    mlqa: 3 * 8 + 3,
                    "Table 7": 12,
                    "Table 8": 8,
                    miracl: 2 * 16,
                },
            )
            for model, xquad, mlqa, miracl in (
                ("xlm-r", "Table 3", "Table 4", "Table 12"),
                ("labse", "Table 5", "Table 6", "Table 13"),
            )
            for batches in ("x-x-mono", "x-y", "hybrid")
        ),
        ("lareqa-2020-mbert-x-y", {"README, Training and Evaluation": 2}),
        ("mmarco-2021-mono-mt5", {"model card, Evaluation, mMARCO": 15}),
        ("miracl-2023-bm25", {"pyserini/2cr/miracl.yaml, dev": 36}),
        (
            "miracl-2023-mdpr-tied-pft-msmarco-ft-miracl",
            {"pyserini/2cr/miracl.yaml, dev": 32},
        ),
        ("litschko-2023-zero-shot", {"quotation, table not known": 4}),
    ],
)
def test_every_table_is_whole(
    committed: dict[str, Reported], entry: str, tables: dict[str, int]
) -> None:
    found: Counter[str] = Counter()
    for results in committed[entry].results:
        found[results.where] += len(results.values)
    assert found == tables


@pytest.mark.parametrize(
    ("entry", "task", "measure", "key", "value"),
    [
        ("elmahdy-2024-xlm-r-hybrid", "xquad-r", "AP", "moir/ar-ar", 0.7619),
        ("elmahdy-2024-xlm-r-x-y", "xquad-r", "AP", "clir/hi-*", 0.6835),
        ("elmahdy-2024-xlm-r-x-x-mono", "xquad-r", "AP", "mlir/zh-xx", 0.5496),
        ("elmahdy-2024-xlm-r-x-y", "mlqa-r", "AP", "clir/hi-*", 0.6),
        ("elmahdy-2024-labse-hybrid", "xquad-r", "AP", "moir/el-el", 0.8121),
        ("elmahdy-2024-labse-hybrid", "mlqa-r", "AP", "mlir/*", 0.5785),
        ("elmahdy-2024-labse-hybrid", "mlqa-r", "R@10", "mlir/*", 0.6941),
        ("elmahdy-2024-xlm-r-x-x-mono", "xquad-r", "RankDistance", "mlir/*", 410.2),
        ("elmahdy-2024-labse-x-y", "mlqa-r", "RankDistance", "mlir/zh-xx", 155.1),
        ("elmahdy-2024-xlm-r-x-y", "miracl", "R@100", "moir/hi-hi", 0.741),
        ("elmahdy-2024-labse-x-x-mono", "miracl", "nDCG@10", "moir/sw-sw", 0.5076),
        ("lareqa-2020-mbert-translate-test", "mlqa-r", "AP", "mlir/xx-xx", 0.58),
        ("mmarco-2021-mcolbert", "mmarco", "RR@10", "moir/vi-vi", 0.18),
        ("colbert-xm-2024-colbert-xm", "mmarco", "RR@10", "moir/en-en", 0.372),
        ("miracl-2023-bm25", "miracl", "nDCG@10", "moir/yo-yo", 0.4059),
        ("litschko-2023-zero-shot", "mmarco-rerank", "RR@10", "clir/en-ar", 0.14),
    ],
)
def test_values_are_those_that_were_printed(
    committed: dict[str, Reported], entry: str, task: str, measure: str, key: str, value: float
) -> None:
    assert committed[entry].printed(task, measure)[key].values[key] == value


def test_printed_means_are_the_means_of_their_rows(committed: dict[str, Reported]) -> None:
    checked = 0
    for entry in committed.values():
        for results in entry.results:
            for kind in ("moir", "clir", "mlir"):
                rows = [
                    value
                    for key, value in results.values.items()
                    if key.startswith(f"{kind}/") and key != f"{kind}/*"
                ]
                if rows and f"{kind}/*" in results.values:
                    printed = results.values[f"{kind}/*"]
                    half = 0.5 * 10.0**-results.decimals
                    assert sum(rows) / len(rows) == pytest.approx(printed, abs=half + 1e-9)
                    checked += 1
    # Six systems: 3 classes and the rank distance on two tasks, 2 measures on MIRACL; 8 on mMARCO.
    assert checked == 6 * (2 * 4 + 2) + 8


def test_summary_tables_round_the_detailed_ones(committed: dict[str, Reported]) -> None:
    differ = set()
    for entry in committed.values():
        for results in entry.results:
            if results.where in ("Table 1", "Table 2"):
                for key, value in results.values.items():
                    exact = entry.printed(results.task, results.measure)[key]
                    assert exact.decimals > results.decimals
                    half = 0.5 * 10.0**-results.decimals + 1e-9
                    if abs(exact.values[key] - value) > half:
                        differ.add((entry.id, results.task, results.measure, key))
    # The paper cuts .5479 to .547; the entry's notes say so.
    assert differ == {("elmahdy-2024-xlm-r-x-x-mono", "xquad-r", "AP", "mlir/*")}
    notes = " ".join(committed["elmahdy-2024-xlm-r-x-x-mono"].notes)
    assert "prints 0.547" in notes


@pytest.mark.parametrize(
    ("system", "ndcg", "recall"),
    [
        ("bm25", 0.3881, 0.7768),
        ("mdpr-tied-pft-msmarco", 0.4210, 0.7966),
        ("mdpr-tied-pft-msmarco-ft-all", 0.4617, 0.7167),
        ("bm25-mdpr-tied-pft-msmarco-hybrid", 0.5808, 0.8953),
        ("mdpr-tied-pft-msmarco-ft-miracl", 0.6271, 0.9203),
        ("mcontriever-tied-pft-msmarco", 0.4307, 0.8493),
    ],
)
def test_miracl_averages(
    committed: dict[str, Reported], system: str, ndcg: float, recall: float
) -> None:
    for measure, expected in (("nDCG@10", ndcg), ("R@100", recall)):
        mean = class_mean(committed[f"miracl-2023-{system}"], "miracl", measure, "moir")
        assert mean
        assert mean.value == pytest.approx(expected, abs=6e-5)
        assert mean.label.startswith("computed")


def test_quotations_are_tagged(committed: dict[str, Reported]) -> None:
    second_hand = {e.id for e in committed.values() if any(r.is_secondary for r in e.results)}
    assert second_hand == {
        name
        for name in committed
        if name.startswith(("mmarco-", "colbert-xm-", "litschko-")) or "translate-test" in name
    }
    for name in second_hand:
        assert all(results.is_secondary for results in committed[name].results)


def test_entries_that_were_scored_are_not_touched(tmp_path: Path) -> None:
    scored = {entry.manifest.id for entry in read_entries(ENTRIES)}
    assert scored.isdisjoint(entry.id for entry in read_reported(ENTRIES))
    read(tmp_path, block('"moir/ar-ar" = 0.5'))
    assert read_entries(tmp_path) == []


def test_the_more_exact_number_counts(tmp_path: Path) -> None:
    entry = read(
        tmp_path,
        block('"moir/ar-ar" = 0.5', decimals=1),
        block('"moir/ar-ar" = 0.5432', where="Table 2"),
        block('"moir/ar-ar" = 0.54', where="Table 3", decimals=2),
    )
    assert entry.printed("xquad-r", "AP")["moir/ar-ar"].where == "Table 2"


@pytest.mark.parametrize(
    ("key", "settings"),
    [("moir/de-de", 1), ("clir/de-*", 10), ("clir/*-de", 10), ("clir/*", 110), ("mlir/*", 12)],
)
def test_a_key_covers_settings(key: str, settings: int) -> None:
    assert len(covered("xquad-r", key)) == settings


ALL_MOIR = "\n".join(f'"{name}" = 0.5' for name in setting_ids("xquad-r") if name[:4] == "moir")


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ('"moir/ar-ar" = 0.2\n"moir/*" = 0.7', "moir", (0.7, "1 of 11")),
        (ALL_MOIR + '\n"moir/*" = 0.7', "moir", (0.7, "")),
        (ALL_MOIR, "moir", (0.5, "computed")),
        ('"moir/*" = 0.7', "moir", (0.7, "")),
        ('"moir/ar-ar" = 0.2\n"moir/de-de" = 0.4', "moir", (0.3, "computed, 2 of 11")),
        ('"clir/ar-*" = 0.2\n"clir/*-ar" = 0.9', "clir", (0.2, "computed, 10 of 110")),
        ('"clir/*-ar" = 0.2\n"clir/ar-de" = 0.9', "clir", (0.2, "computed, 10 of 110")),
        ('"clir/ar-de" = 0.2\n"clir/ar-en" = 0.4', "clir", (0.3, "computed, 2 of 110")),
        ('"mlir/ar-xx" = 0.2\n"mlir/xx-xx" = 0.9', "mlir", (0.2, "computed, 1 of 11")),
        ('"mlir/xx-xx" = 0.9', "mlir", (0.9, "all queries")),
        ('"mlir/xx-xx" = 0.9', "moir", None),
    ],
)
def test_class_means(
    tmp_path: Path, values: str, kind: str, expected: tuple[float, str] | None
) -> None:
    found = class_mean(read(tmp_path, block(values)), "xquad-r", "AP", kind)  # type: ignore[arg-type]
    if expected is None:
        assert found is None
    else:
        assert found
        assert (found.value, found.label) == (pytest.approx(expected[0]), expected[1])


def test_three_drawn_settings_are_the_mlir_average_of_a_rerank_task(tmp_path: Path) -> None:
    ids = [n for n in counted_in_average(setting_ids("mmarco-rerank")) if n.startswith("mlir/")]
    values = "\n".join(f'"{name}" = 0.{place + 1}' for place, name in enumerate(ids))
    entry = read(tmp_path, block(values, task="mmarco-rerank", measure="RR@10"))
    found = class_mean(entry, "mmarco-rerank", "RR@10", "mlir")
    assert found
    assert (found.value, found.label) == (pytest.approx(0.2), "computed")


def test_a_row_with_one_second_hand_number_is_second_hand(tmp_path: Path) -> None:
    distance = {"measure": "RankDistance", "where": "Table 2", "decimals": 0}
    entry = read(
        tmp_path,
        block('"mlir/*" = 0.5'),
        block('"mlir/*" = 300', provenance="secondary: a review", **distance),
    )
    (group,) = reported_boards([entry])["xquad-r"].groups
    assert group.provenance == "secondary: a review"


def test_a_task_without_its_primary_measure_has_no_table(tmp_path: Path) -> None:
    assert reported_boards([read(tmp_path, block('"mlir/*" = 0.5', measure="R@10"))]) == {}


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (block('"moir/ar-ar" = 61.9', decimals=1), r"0\.values\.moir/ar-ar.*divide a percentage"),
        (block('"moir/ar-ar" = -0.1'), r"0\.values\.moir/ar-ar.*greater than or equal to 0"),
        (block('"moir/ar-ar" = nan'), r"0\.values\.moir/ar-ar.*finite"),
        (block('"moir/ar-ar" = true'), r"0\.values\.moir/ar-ar.*valid number"),
        (block('"moir/ar-ar" = "0.5"'), r"0\.values\.moir/ar-ar.*valid number"),
        (block('"moir/ar-ar" = 0.61234'), "more decimals than the 4"),
        (block('"moir/ar-de" = 0.5'), r"neither a setting of xquad-r.*Did you mean .*moir/ar-ar"),
        (block('"moir/ja-ja" = 0.5'), "neither a setting of xquad-r"),
        (block('"clir/ja-*" = 0.5'), "neither a setting of xquad-r"),
        (block('"mlir/ar-*" = 0.5'), "neither a setting of xquad-r"),
        (block('"*" = 0.5'), "neither a setting of xquad-r"),
        (block('"clir/ar-de" = 0.5', task="miracl", measure="nDCG@10"), "a setting of miracl"),
        (block('"moir/ar-ar" = 3', measure="RankDistance", decimals=0), "MLIR settings only"),
        (block('"moir/ar-ar" = 0.5', measure="mAP"), "Unknown measure: 'mAP'"),
        (block('"moir/ar-ar" = 0.5', task="xquad"), "Unknown task: 'xquad'.*Did you mean xquad-r"),
        (block('"moir/ar-ar" = 0.5', task="./own.toml"), "Unknown task"),
        (block('"moir/ar-ar" = 0.5', provenance="I think"), "0.provenance"),
        (block(""), r"0\.values: Value error, at least one is needed"),
        (block('"moir/ar-ar" = 0.5', where=""), "0.where"),
        ("", "results: Field required"),
        (block('"moir/ar-ar" = 0.5') + "[extra]\na = 1\n", "extra: Extra inputs"),
        (
            block('"moir/ar-ar" = 0.5') + block('"moir/ar-ar" = 0.6', where="Table 2"),
            r"differ between places:\n.*1\.values\.moir/ar-ar: Table 2 has 0\.6, Table 1 has 0\.5",
        ),
    ],
)
def test_malformed_results_are_refused(tmp_path: Path, blocks: str, message: str) -> None:
    with pytest.raises(EntryError, match=message) as refusal:
        read(tmp_path, blocks)
    assert str(refusal.value).startswith(f"{tmp_path / 'published' / 'reported.toml'} is not")


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "javascript:alert(1)", "https://", "//example.org", "example.org"),
        *('https://example.org/\\"><script>', "https://a@b.example/", "https://example.org/a b"),
        "https://example.org/\\n",
    ],
)
def test_addresses_that_may_not_stand_in_a_page(tmp_path: Path, url: str) -> None:
    blocks = [block('"moir/ar-ar" = 0.5')]
    read(tmp_path, *blocks)
    path = tmp_path / "published" / "reported.toml"
    text = path.read_text("utf-8").replace("https://example.org/paper", url)
    path.write_text(text, "utf-8")
    with pytest.raises(EntryError, match=r"source\.url"):
        read_reported(tmp_path)
    with pytest.raises(EntryError, match=r"results\.0\.url"):
        read(tmp_path, blocks[0].replace("decimals", f'url = "{url}"\ndecimals'))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = block('"moir/ar-ar" = 7.5\n"clir/ar-ar" = 0.5', measure="AP@20")
    with pytest.raises(EntryError) as refusal:
        read(tmp_path, wrong, block('"moir/xx-xx" = 0.5', decimals=-1), top="notes = 1")
    assert "at least one" not in str(refusal.value), "that follows from the others"
    for place in (
        *("notes", "results.0.values.moir/ar-ar", "results.0.values.clir/ar-ar"),
        *("results.1.decimals", "results.1.values.moir/xx-xx"),
    ):
        assert re.search(rf"^  {re.escape(place)}", str(refusal.value), re.M), place


def test_the_id_is_the_name_of_the_folder(tmp_path: Path) -> None:
    read(tmp_path, block('"moir/ar-ar" = 0.5'))
    (tmp_path / "published").rename(tmp_path / "other")
    with pytest.raises(EntryError, match="has the id 'published'; it must be the folder's name"):
        read_reported(tmp_path)


def test_a_folder_is_scored_or_reported(tmp_path: Path) -> None:
    read(tmp_path, block('"moir/ar-ar" = 0.5'))
    shutil.copy(ENTRIES / "bm25" / "submission.toml", tmp_path / "published")
    with pytest.raises(EntryError, match=r"has both reported\.toml and submission\.toml"):
        read_reported(tmp_path)


def test_files_that_are_no_toml_are_refused(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    path = tmp_path / "published" / "reported.toml"
    for content in (b"id = ", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(EntryError, match=r"reported\.toml is not a TOML file"):
            read_reported(tmp_path)
    with pytest.raises(EntryError, match="no folder of entries"):
        read_reported(tmp_path / "none")


@pytest.mark.parametrize("by", ["id", "folder"])
def test_compare_refuses_a_reported_entry(babelboard: RunsCommand, by: str) -> None:
    name = "elmahdy-2024-labse-hybrid"
    source = name if by == "id" else ENTRIES / name
    done = babelboard("compare", "bm25", source, "--task", "xquad-r", "--entries", ENTRIES)
    assert done.returncode == 2
    assert done.stdout == ""
    message = " ".join(done.stderr.split())
    assert "is reported, not scored" in message
    assert "have no ranks, so it can neither be ranked nor tested" in message
    assert "Traceback" not in done.stderr
