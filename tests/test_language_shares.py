"""The table of languages of the first documents: from counts, to a file and back, damage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bias.language_shares import (
    LanguageShares,
    TopShares,
    read_shares,
    shares_path,
    write_shares,
)
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {
    # The second query retrieved two documents only, the third none.
    ("mlir/de-xx", "de", 10): np.array([[7, 3], [2, 0], [0, 0]]),
    ("mlir/xx-xx", "en", 10): np.array([[0, 0]]),
    ("mlir/de-xx", "de", 100): np.array([[50, 50], [2, 0], [0, 0]]),
}
SHARES = LanguageShares.from_counts("own", ("de", "en"), COUNTS)


def test_every_query_that_retrieved_something_counts_the_same() -> None:
    first, nothing, deep = SHARES.rows
    assert first == TopShares("mlir/de-xx", "de", 10, 2, 1, (0.85, 0.15))
    assert nothing == TopShares("mlir/xx-xx", "en", 10, 0, 1, (0.0, 0.0))
    assert deep.shares == (0.75, 0.25)
    assert SHARES.depths == (10, 100)


def test_a_row_is_found_by_setting_language_and_k() -> None:
    assert SHARES.of("mlir/de-xx", "de", 100) is SHARES.rows[2]
    assert SHARES.of("mlir/de-xx", "de", 20) is None
    assert SHARES.of("mlir/de-xx", "en", 10) is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = shares_path(tmp_path, "own")
    write_shares(path, SHARES)
    assert path == tmp_path / "language_shares" / "own.json"
    assert path.read_bytes() == SHARES.as_bytes()
    assert read_shares(path) == SHARES


def test_the_file_is_as_documented() -> None:
    content = json.loads(SHARES.as_bytes())
    assert list(content) == ["schema_version", "task", "languages", "rows"]
    assert content["schema_version"] == 1
    assert content["rows"][0] == {
        "setting": "mlir/de-xx",
        "query_language": "de",
        "k": 10,
        "queries": 2,
        "empty": 1,
        "shares": {"de": 0.85, "en": 0.15},
    }


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=6),
)
def test_any_counts_can_be_written_and_read_back(tmp_path_factory, counts) -> None:
    shares = LanguageShares.from_counts(
        "own+context", ("ar", "de", "en"), {("mlir/ar-xx", "ar", 10): np.array(counts)}
    )
    path = tmp_path_factory.mktemp("shares") / "own.json"
    write_shares(path, shares)
    assert read_shares(path) == shares
    (row,) = shares.rows
    assert row.queries + row.empty == len(counts)
    assert sum(row.shares) == pytest.approx(1 if row.queries else 0, abs=1e-8)


def changed(*path: str | int, to: object) -> str:
    content = json.loads(SHARES.as_bytes())
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not as expected"),
        (changed("schema_version", to=2), "schema_version: Input should be 1, found '2'"),
        (changed("rows", 0, "shares", to={"de": 0.5, "en": 0.6}), "sum to 1, .* found 1.1"),
        (changed("rows", 0, "shares", to={"de": 1.5, "en": -0.5}), "less than or equal to 1"),
        (changed("rows", 0, "shares", to={"de": 1.0}), "needed for each of languages"),
        (changed("rows", 1, "shares", to={"de": 1.0, "en": 0.0}), "or to 0 without queries"),
        (changed("rows", 0, "shares", to={"de": "NaN", "en": 1.0}), "rows.0.shares.de"),
        (changed("rows", 0, "k", to=0), "rows.0.k: .* greater than or equal to 1, found '0'"),
        (changed("rows", 0, "queries", to=-1), "rows.0.queries"),
        (changed("rows", 0, "setting", to="clir/de-en"), "rows.0.setting"),
        (changed("rows", 2, "k", to=10), "query language and k is there twice"),
        (changed("languages", to=["de", "de"]), "languages: one is there twice"),
        (changed("languages", to=["de"]), "needed for each of languages"),
        (changed("more", to=1), "more: Extra inputs are not permitted"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(EntryError, match=message) as caught:
        read_shares(path)
    assert str(path) in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EntryError, match=r"There are no language shares .*none\.json"):
        read_shares(tmp_path / "none.json")
