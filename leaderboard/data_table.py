"""A table of data in the four forms that the site gives it in."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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


@dataclass(frozen=True, slots=True)
class DataTable:
    """Rows of values.

    Attributes:
        title: What it is a table of.
        columns: Its columns.
        rows: Values, aligned with the columns.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]

    def as_json(self) -> bytes:
        """A list of objects, one a row."""
        names = [column.name for column in self.columns]
        rows = [dict(zip(names, map(_rounded, row), strict=True)) for row in self.rows]
        content = {"schema_version": 1, "title": self.title, "rows": rows}
        return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()

    def as_csv(self) -> bytes:
        """A line for each row, after one with the names of the columns."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([column.name for column in self.columns])
        writer.writerows([csv_cell(_rounded(value)) for value in row] for row in self.rows)
        return buffer.getvalue().encode()

    def as_parquet(self) -> bytes:
        """One column group; the same bytes for the same table."""
        fields = [pa.field(c.name, _PARQUET[c.type]) for c in self.columns]
        arrays = [
            pa.array([_rounded(row[index]) for row in self.rows], type=field.type)
            for index, field in enumerate(fields)
        ]
        buffer = io.BytesIO()
        table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
        pq.write_table(table, buffer, compression="zstd", store_schema=False)
        return buffer.getvalue()

    def as_latex(self) -> bytes:
        """A table environment with the main columns; it needs the package booktabs."""
        shown = [index for index, column in enumerate(self.columns) if column.in_latex]
        texts = {i for i in shown if self.columns[i].type == "text"}
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape(self.title)}}}",
            r"\begin{tabular}{" + "".join("l" if i in texts else "r" for i in shown) + "}",
            r"\toprule",
            " & ".join(escape(self.columns[i].name.replace("_", " ")) for i in shown) + r" \\",
            r"\midrule",
            # A group first: the line break before a row would take "[" and "*" for its own.
            *(" & ".join(_latex(row[i]) for i in shown).join(("{}", r" \\")) for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
        return ("\n".join(lines) + "\n").encode()


def _rounded(value: Value) -> Value:
    return round(value, DECIMALS) if isinstance(value, float) else value


def _latex(value: Value) -> str:
    if value is None:
        return "--"
    if isinstance(value, float):
        text = f"{abs(value):.{LATEX_DECIMALS}f}".removeprefix("0") if abs(value) < 1 else ""
        text = text or f"{abs(value):,.0f}"
        return f"$-${text}" if value < 0 else text
    return escape(str(value))
