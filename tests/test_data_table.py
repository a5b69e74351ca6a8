"""Tables of the site as data: the same values in every form, and no form that can do harm."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.data_table import Column, DataTable

COLUMNS = (
    Column("name", "text", "A name", in_latex=True),
    Column("score", "number", "A score", in_latex=True),
    Column("questions", "count", "Number of questions"),
)
ROWS = (("=HYPERLINK(1)", 0.25, 3), ("[a] & b_c", -1.5e-7, None), ("<b>", None, 12))


@pytest.fixture
def table() -> DataTable:
    return DataTable.of_rows("50 % of & all", COLUMNS, ROWS)


def test_json_has_a_row_for_each(table: DataTable) -> None:
    content = json.loads(table.as_json())
    assert content["title"] == "50 % of & all"
    assert content["rows"][0] == {"name": "=HYPERLINK(1)", "score": 0.25, "questions": 3}
    assert content["rows"][1] == {"name": "[a] & b_c", "score": -1.5e-7, "questions": None}


def test_csv_quotes_what_a_spreadsheet_takes_for_a_formula(table: DataTable) -> None:
    rows = list(csv.reader(io.StringIO(table.as_csv().decode())))
    assert rows[0] == ["name", "score", "questions"]
    assert rows[1] == ["'=HYPERLINK(1)", "0.25", "3"]
    assert rows[2] == ["[a] & b_c", "-1.5e-07", ""]


def test_parquet_keeps_types_and_missing_values(table: DataTable) -> None:
    read = pq.read_table(io.BytesIO(table.as_parquet()))
    assert read.to_pylist() == json.loads(table.as_json())["rows"]
    assert [str(field.type) for field in read.schema] == ["string", "double", "int64"]
    assert table.as_parquet() == table.as_parquet()


def test_latex_has_the_main_columns_escaped(table: DataTable) -> None:
    lines = table.as_latex().decode().splitlines()
    assert lines[2] == r"\caption{50 \% of \& all}"
    assert lines[3] == r"\begin{tabular}{lr}"
    assert lines[7:10] == [
        r"{}=HYPERLINK(1) & .250 \\",
        r"{}[a] \& b\_c & $-$.000 \\",
        r"{}\textless{}b\textgreater{} & -- \\",
    ]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))))
def test_names_come_back_and_none_starts_a_formula(names: list[str]) -> None:
    table = DataTable.of_rows("names", COLUMNS[:1], [(name,) for name in names])
    assert [row["name"] for row in json.loads(table.as_json())["rows"]] == names
    assert pq.read_table(io.BytesIO(table.as_parquet())).to_pydict() == {"name": names}
    cells = [row[0] if row else "" for row in csv.reader(io.StringIO(table.as_csv().decode()))][1:]
    assert [cell.removeprefix("'") for cell in cells] == [name.removeprefix("'") for name in names]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
