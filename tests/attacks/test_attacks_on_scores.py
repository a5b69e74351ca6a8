"""Attacks by what stands beside the ranks: scores and rankings that do not follow from them."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from honest_entry import RANKS, SCORES, TASK, edit, put

from harness.ranks import Column, RankTable, read_ranks
from harness.run_table import RunTable, runs_as_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Checks


def test_a_percentage_is_an_error(entry: Path, problems: Checks) -> None:
    def to_percent(content: dict[str, Any]) -> None:
        content["settings"]["moir/de-de"]["AP"] *= 100

    edit(entry, to_percent, SCORES)
    (one,) = problems(entry)
    assert (one["code"], one["key"]) == ("E061", "settings.moir/de-de.AP")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("settings/moir~de-de/AP", 0.99),
        ("settings/moir~de-de/AP", -1),
        ("settings/moir~de-de/AP", "0.5"),
        ("settings/moir~de-de/AP", None),
        ("settings/moir~de-de/n", 10**9),
        ("settings/moir~de-de/nDCG@1000", 1.0),
        ("settings/moir~xx-yy/AP", 1.0),
        ("classes/clir/AP/macro_over_settings", 1.0),
        ("task", "<script>"),
    ],
)
def test_a_score_that_the_ranks_do_not_support_is_an_error(
    entry: Path, problems: Checks, place: str, value: object
) -> None:
    content = json.loads((entry / SCORES).read_text())
    part = content
    *parents, last = (key.replace("~", "/") for key in place.split("/"))
    for key in parents:
        part = part.setdefault(key, {})
    part[last] = value
    (entry / SCORES).write_text(json.dumps(content))
    (one,) = problems(entry)
    assert (one["code"], one["key"]) == ("E060", place.replace("/", ".").replace("~", "/"))


def test_a_score_beyond_all_numbers_is_no_json(entry: Path, problems: Checks) -> None:
    content = json.loads((entry / SCORES).read_text())
    content["settings"]["moir/de-de"]["AP"] = math.inf
    (entry / SCORES).write_text(json.dumps(content).replace("Infinity", "1e999"))
    (one,) = problems(entry)
    assert one["code"] == "E011"


def kept_run(table: RankTable, depth: int = 3) -> RunTable:
    """A run file that agrees with ranks: other places hold documents that nobody judged."""
    names = (*table.document.names, *(f"de_unjudged{n}" for n in range(depth)))
    found = []
    keys = zip(
        table.setting.codes.tolist(),
        table.query_language.codes.tolist(),
        table.question.codes.tolist(),
        strict=True,
    )
    rankings: dict[tuple[int, int, int], dict[int, int]] = {}
    for key, document, rank in zip(
        keys, table.document.codes.tolist(), table.rank.tolist(), strict=True
    ):
        rankings.setdefault(key, {})[rank] = document
    for key, judged in rankings.items():
        found += [
            (*key, judged.get(place, len(names) - depth + place - 1), float(-place))
            for place in range(1, depth + 1)
        ]
    columns = [np.array(values) for values in zip(*found, strict=True)]
    return RunTable(
        table.task,
        depth,
        Column(tuple(table.pool_sizes), columns[0]),
        Column(table.query_language.names, columns[1]),
        Column(table.question.names, columns[2]),
        Column(names, columns[3]),
        columns[4].astype(np.float64),
    )


def write_kept(folder: Path, run: RunTable) -> None:
    content = runs_as_bytes(run)
    path = folder / "runs" / f"{TASK}.parquet"
    path.parent.mkdir()
    path.write_bytes(content)
    put(folder, f"runs/{TASK}/runs", hashlib.sha256(content).hexdigest())


def test_rankings_that_agree_with_the_ranks_are_fine(entry: Path, problems: Checks) -> None:
    write_kept(entry, kept_run(read_ranks(entry / RANKS)))
    assert problems(entry) == []


def test_rankings_that_do_not_agree_with_the_ranks_are_an_error(
    entry: Path, problems: Checks
) -> None:
    run = kept_run(read_ranks(entry / RANKS))
    judged = run.document.codes < len(run.document.names) - run.depth
    # A ranking whose first document is judged and whose second is not: the two change places.
    row = next(row for row in range(0, len(run), 3) if judged[row] and not judged[row + 1])
    codes = run.document.codes.copy()
    codes[[row, row + 1]] = codes[[row + 1, row]]
    write_kept(entry, replace(run, document=Column(run.document.names, codes)))
    (one,) = problems(entry)
    assert (one["code"], one["path"]) == ("E062", f"runs/{TASK}.parquet")
    assert "at place 2" in one["found"]
    assert one["allowed"].startswith("rank 1,")


def test_rankings_of_another_task_are_an_error(entry: Path, problems: Checks) -> None:
    write_kept(entry, replace(kept_run(read_ranks(entry / RANKS)), task="xquad-r"))
    assert [one["code"] for one in problems(entry)] == ["E043"]


def test_a_ranking_file_that_is_none_is_an_error(entry: Path, problems: Checks) -> None:
    write_kept(entry, kept_run(read_ranks(entry / RANKS)))
    (entry / "runs" / f"{TASK}.parquet").write_bytes(b"PAR1 PAR1 PAR1")
    assert {one["code"] for one in problems(entry)} == {"E030", "E040"}
