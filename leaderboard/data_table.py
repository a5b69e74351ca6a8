"""A table of data in the four forms that the site gives it in."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.reports.csv_cells import csv_cell
from harness.reports.latex import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

Type = Literal["text", "number", "count", "yes or no"]
Value = str | float | int | bool | None

_PARQUET = {
    "text": pa.string(),
    "number": pa.float64(),
    "count": pa.int64(),
    "yes or no": pa.bool_(),
}
DECIMALS = 10
"""Of numbers, so that they are the same on every machine."""
LATEX_DECIMALS = 3
NULL = "null"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name in all forms.
        type: What its values are; every value may be missing.
        meaning: In a sentence, with the unit.
        in_latex: Whether a table in a paper has it.
    """

    name: str
    type: Type
    meaning: str
    in_latex: bool = False


@dataclass(frozen=True)
class DataTable:
    """A table, held by column: a column at a time is written much faster than a row.

    Attributes:
        title: What it is a table of.
        columns: Its columns.
        values: Values of each column; numbers are floats or None.
        in_latex: Numbers of the rows that a table in a paper has, where these are not all.
    """

    title: str
    columns: Sequence[Column]
    values: Sequence[Sequence[Value]]
    in_latex: Sequence[int] | None = None

    @classmethod
    def of_rows(
        cls, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Value]]
    ) -> DataTable:
        """A table from rows of values, aligned with the columns."""
        values = list(zip(*rows, strict=True)) if rows else [() for _ in columns]
        return cls(title, columns, values)

    def as_json(self) -> bytes:
        """A list of objects, one a row and on one line."""
        names = (json.dumps(column.name).replace("%", "%%") for column in self.columns)
        template = "  {" + ", ".join(f"{name}: %s" for name in names) + "}"
        rows = ",\n".join(map(template.__mod__, zip(*self._as_json, strict=True)))
        title = json.dumps(self.title, ensure_ascii=False)
        listed = f"[\n{rows}\n ]" if rows else "[]"
        text = f'{{\n "schema_version": 1,\n "title": {title},\n "rows": {listed}\n}}\n'
        return text.encode()

    def as_csv(self) -> bytes:
        """A line for each row, after one with the names of the columns."""
        cells = [
            _csv_texts(values) if column.type == "text" else _csv_numbers(texts)
            for column, values, texts in zip(self.columns, self.values, self._as_json, strict=True)
        ]
        head = ",".join(_csv_texts([column.name for column in self.columns]))
        return "\n".join([head, *map(",".join, zip(*cells, strict=True)), ""]).encode()

    def as_parquet(self) -> bytes:
        """One column group; the same bytes for the same table."""
        fields = [pa.field(c.name, _PARQUET[c.type]) for c in self.columns]
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(self._rounded, fields, strict=True)
        ]
        buffer = io.BytesIO()
        table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
        pq.write_table(table, buffer, compression="zstd", store_schema=False)
        return buffer.getvalue()

    def as_latex(self) -> bytes:
        """A table environment with the main columns; it needs the package booktabs."""
        shown = [index for index, column in enumerate(self.columns) if column.in_latex]
        texts = {i for i in shown if self.columns[i].type == "text"}
        every = range(len(self.values[0])) if self.in_latex is None else self.in_latex
        rows = ([_latex(self.values[i][row]) for i in shown] for row in every)
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape(self.title)}}}",
            r"\begin{tabular}{" + "".join("l" if i in texts else "r" for i in shown) + "}",
            r"\toprule",
            " & ".join(escape(self.columns[i].name.replace("_", " ")) for i in shown) + r" \\",
            r"\midrule",
            # A group first: the line break before a row would take "[" and "*" for its own.
            *(" & ".join(row).join(("{}", r" \\")) for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
        return ("\n".join(lines) + "\n").encode()

    @cached_property
    def _rounded(self) -> list[Sequence[Value]]:
        return [
            _rounded(values) if column.type == "number" else values
            for column, values in zip(self.columns, self.values, strict=True)
        ]

    @cached_property
    def _as_json(self) -> list[list[str]]:
        return [
            _json_texts(values) if column.type == "text" else _json_numbers(values)
            for column, values in zip(self.columns, self._rounded, strict=True)
        ]


def _rounded(values: Sequence[Value]) -> list[Value]:
    known = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    rounded: list[Value] = np.round(known, DECIMALS).tolist()
    return [None if value is None else new for value, new in zip(values, rounded, strict=True)]


def _json_texts(values: Sequence[Value]) -> list[str]:
    """Each text as JSON; one that is there many times is written once."""
    written = {value: json.dumps(value, ensure_ascii=False) for value in dict.fromkeys(values)}
    return [written[value] for value in values]


def _json_numbers(values: Sequence[Value]) -> list[str]:
    """Each number as JSON; written all at once, as that is much faster."""
    return json.dumps(list(values))[1:-1].split(", ") if values else []


def _csv_texts(values: Sequence[Value]) -> list[str]:
    """Each text as a cell; one that is there many times is written once."""
    written = {}
    for value in dict.fromkeys(values):
        buffer = io.StringIO()
        # With a second cell, as an empty one that is alone in its row is written in quotes.
        csv.writer(buffer, lineterminator="").writerow([csv_cell(value), 0])
        written[value] = buffer.getvalue().removesuffix(",0")
    return [written[value] for value in values]


def _csv_numbers(texts: Sequence[str]) -> list[str]:
    return ["" if text == NULL else text for text in texts]


def _latex(value: Value) -> str:
    if value is None:
        return "--"
    if isinstance(value, float):
        text = f"{abs(value):.{LATEX_DECIMALS}f}".removeprefix("0") if abs(value) < 1 else ""
        text = text or f"{abs(value):,.0f}"
        return f"$-${text}" if value < 0 else text
    return escape(str(value))
