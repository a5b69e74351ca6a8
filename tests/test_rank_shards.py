"""Scripts of ranks: what the page decodes is what the rank table says."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_tables import rank_table

from leaderboard.rank_shards import rank_shards

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rank_tables import Row

    from harness.ranks import RankTable

    Found = dict[tuple[str, str, str, str], int]
    """Rank by setting, query language, question and document."""

NODE = shutil.which("node")
DRIVER = Path(__file__).parent / "site" / "ranks_in_node.js"
SIZES = {
    "moir/de-de": 300,
    "clir/de-en": 70_000,
    "mlir/de-xx": 70_300,
    "mlir/en-xx": 70_300,
    "mlir/xx-xx": 70_300,
}
COUNTED = tuple(SIZES)[:-1]
HOSTILE = "</script><script>alert(1)</script>&\u2028\u202e\"'"
MOST_BYTES = 50_000
ROWS: list[Row] = [
    ("moir/de-de", "de", "q1", "de_a", 1, 1),
    ("moir/de-de", "de", "q2", "de_b", 1, 0),
    ("moir/de-de", "de", "q2", "de_c", 0, 2),
    ("clir/de-en", "de", "q1", "en_a", 2, 258),
    ("mlir/de-xx", "de", "q1", "de_a", 1, 5),
    ("mlir/de-xx", "de", "q1", "en_a", 2, 3),
]


def contents(table: RankTable, entry: str = "mine") -> dict[str, Any]:
    """What each script registers, by the name that it registers."""
    found = {}
    for path, script in rank_shards(entry, table):
        match = re.fullmatch(r"babelboard\.register\((.*)\);\n", script.decode("ascii"), re.DOTALL)
        assert match is not None
        name, content = json.loads(f"[{match[1]}]")
        assert path == f"data/{name}.js"
        found[name] = content
    return found


def parts(found: Mapping[str, Any]) -> list[Any]:
    return [content for name, content in found.items() if not name.endswith("/parts")]


def decoded(parts: Iterable[Any]) -> Found:
    """All ranks that some parts hold, read as their description says."""
    ranks = {}
    for part in parts:
        pairs = [
            (question, document)
            for question, documents in zip(part["questions"], part["documents"], strict=True)
            for document in documents
        ]
        planes = np.frombuffer(base64.b64decode(part["ranks"]), dtype=np.uint8)
        powers = 256 ** np.arange(part["bytes"])
        values = iter((powers @ planes.reshape(part["bytes"], -1).astype(np.int64)).tolist())
        for setting, language, number in part["cells"]:
            for place in np.cumsum(part["rows"][number], dtype=np.int64).tolist():
                key = setting, language, *pairs[place]
                assert key not in ranks
                ranks[key] = next(values)
        assert next(values, None) is None
    return ranks


def relevant(rows: Iterable[Row]) -> Found:
    return {row[:4]: row[5] for row in rows if row[4] > 0 and row[0] in COUNTED}


def test_a_table_by_hand() -> None:
    found = contents(rank_table(ROWS, SIZES))
    assert list(found) == ["ranks/own/mine/parts", "ranks/own/mine/1"]
    assert found["ranks/own/mine/parts"] == {
        "pools": {name: SIZES[name] for name in COUNTED},
        "starts": ["q1"],
    }
    part = found["ranks/own/mine/1"]
    assert base64.b64decode(part.pop("ranks")) == bytes([1, 0, 2, 5, 3, 0, 0, 1, 0, 0])
    assert part == {
        "questions": ["q1", "q2"],
        "documents": [["de_a", "en_a"], ["de_b"]],
        "rows": [[0, 2], [1], [0, 1]],
        "cells": [["moir/de-de", "de", 0], ["clir/de-en", "de", 1], ["mlir/de-xx", "de", 2]],
        "bytes": 2,
    }


@pytest.mark.parametrize(("largest", "size"), [(255, 1), (256, 2), (65_535, 2), (65_536, 4)])
def test_a_rank_has_as_many_bytes_as_the_largest_needs(largest: int, size: int) -> None:
    rows = [("clir/de-en", "de", "q", "en_a", 1, largest), ("clir/de-en", "de", "q", "en_b", 1, 3)]
    (part,) = parts(contents(rank_table(rows, SIZES)))
    assert part["bytes"] == size
    assert decoded([part]) == relevant(rows)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Some settings lack some questions, some questions have several relevant documents."""
    keys = st.tuples(
        st.sampled_from(tuple(SIZES)),
        st.sampled_from(("de", "en")),
        st.text(alphabet="aé\U0001f600～", min_size=1, max_size=2),
        st.sampled_from(("de_1", "de_2", "en_1")),
    )
    ranks = st.tuples(st.integers(0, 2), st.integers(0, 70_000))
    found = draw(st.dictionaries(keys, ranks, min_size=1, max_size=40))
    return [(*key, *values) for key, values in found.items()]


@given(rows=tables())
def test_every_relevant_rank_comes_back(rows: list[Row]) -> None:
    found = parts(contents(rank_table(rows, SIZES)))
    assert decoded(found) == relevant(rows)
    questions = [question for part in found for question in part["questions"]]
    assert questions == sorted({row[2] for row in rows if row[:4] in relevant(rows)})


def large(documents: int, largest: int) -> list[Row]:
    rng = np.random.default_rng(0)
    questions = [rng.bytes(20).hex() for _ in range(400)]
    return [
        (setting, "de", question, f"en_{rng.bytes(8).hex()}", 1, int(rng.integers(1, largest)))
        for question in questions
        for _ in range(documents)
        for setting in ("clir/de-en",)
    ]


@pytest.mark.parametrize(("documents", "largest"), [(30, 60_000), (30, 70_000), (1, 60_000)])
def test_no_script_is_larger_than_allowed(documents: int, largest: int) -> None:
    rows = large(documents, largest)
    table = rank_table(rows, SIZES)
    sizes = [len(gzip.compress(script)) for _, script in rank_shards("mine", table)]
    assert max(sizes) <= MOST_BYTES
    found = contents(table)
    assert decoded(parts(found)) == relevant(rows)
    starts = found["ranks/own/mine/parts"]["starts"]
    assert starts == [part["questions"][0] for part in parts(found)]
    assert starts == sorted(starts)
    assert (len(starts) > 1) == (documents > 1)


def test_a_question_larger_than_a_script_is_alone_in_one() -> None:
    rows = [
        ("clir/de-en", "de", question, f"en_{question}{i:05}", 1, i + 1)
        for question, count in (("a", 2), ("b", 6_000), ("c", 2))
        for i in range(count)
    ]
    found = parts(contents(rank_table(rows, SIZES)))
    assert [part["questions"] for part in found] == [["a"], ["b"], ["c"]]
    assert decoded(found) == relevant(rows)


@given(question=st.text(min_size=1), document=st.text(min_size=1))
def test_no_id_ends_a_script_element(question: str, document: str) -> None:
    rows = [("moir/de-de", "de", q, d, 1, 1) for q in {question, HOSTILE} for d in {document}]
    table = rank_table(rows, SIZES)
    for _, script in rank_shards("mine", table):
        assert not set("<>&\u2028\u2029") & set(script.decode("ascii"))
    assert decoded(parts(contents(table))) == relevant(rows)


def test_the_order_of_names_in_a_table_makes_no_difference() -> None:
    table, other = rank_table(ROWS, SIZES), rank_table(ROWS[::-1], SIZES)
    assert list(rank_shards("mine", table)) == list(rank_shards("mine", other))


def test_without_relevant_documents_there_are_no_parts() -> None:
    found = contents(rank_table([("moir/de-de", "de", "q", "de_a", 0, 1)], SIZES))
    assert list(found) == ["ranks/own/mine/parts"]
    assert found["ranks/own/mine/parts"]["starts"] == []


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Two parts and more, with all sizes of ranks, and cells that lack questions."""
    rng = np.random.default_rng(1)
    documents = ["de_1", "de_2", "en_1", *(f"en_{i}" for i in range(10, 60))]
    return [
        (setting, language, f"q{number:03}", document, 1, int(rng.integers(0, 70_000)))
        for setting, language in [("clir/de-en", "de"), ("mlir/en-xx", "en"), ("mlir/de-xx", "de")]
        for number in range(150)
        for document in documents
        if rng.random() < 0.7
    ]


@pytest.mark.skipif(NODE is None, reason="needs node: the browser tests read ranks too")
def test_the_page_finds_every_rank(rows: list[Row], tmp_path: Path) -> None:
    found = contents(rank_table(rows, SIZES))
    assert len(found) > 3
    questions = sorted({row[2] for row in rows} | {"before", "q045x", "zzz"})
    given_ = tmp_path / "given.json"
    wanted = {"folder": "ranks/own/mine", "scripts": found, "questions": questions}
    given_.write_text(json.dumps(wanted), encoding="utf-8")
    done = subprocess.run(
        [str(NODE), DRIVER, given_], capture_output=True, check=True, encoding="utf-8", timeout=60
    )
    answers = dict(zip(questions, json.loads(done.stdout), strict=True))
    ranks = {
        (cell["setting"], cell["query"], question, document["id"]): document["rank"]
        for question, answer in answers.items()
        for cell in answer["cells"]
        for document in cell["documents"]
    }
    assert ranks == relevant(rows)
    assert [q for q, answer in answers.items() if not answer["cells"]] == ["before", "q045x", "zzz"]
    assert answers["q000"]["pools"] == {name: SIZES[name] for name in COUNTED}
    languages = {
        (document["id"], document["language"])
        for answer in answers.values()
        for cell in answer["cells"]
        for document in cell["documents"]
    }
    assert all(id_.startswith(f"{code}_") for id_, code in languages)
