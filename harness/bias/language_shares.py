"""The languages of the first documents of MLIR rankings, as an entry keeps them.

The ranks of the judged documents do not tell in which languages the other documents of the top k
are; this small table beside them does. As JSON, ``language_shares/<task>.json``::

    {"schema_version": 1, "task": "xquad-r", "languages": ["ar", "de", ...],
     "rows": [{"setting": "mlir/ar-xx", "query_language": "ar", "k": 10,
               "queries": 1190, "empty": 0, "shares": {"ar": 0.41, "de": 0.05, ...}}, ...]}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.files import write_atomically
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SCHEMA_VERSION = 1
DEPTHS = (10, 100)
"""The k of the top k whose languages an entry keeps."""
DECIMALS = 10
"""Shares are rounded to these, so that the file is the same on every machine."""


@dataclass(frozen=True, slots=True)
class TopShares:
    """Languages of the top k of the queries of one language in one setting.

    Attributes:
        setting: Id of the setting.
        query_language: Language of the queries.
        k: How many documents of each ranking are looked at; fewer where fewer were retrieved.
        queries: Number of queries that retrieved a document.
        empty: Number of queries that retrieved none; they have no part in the shares.
        shares: Share of each document language among the top k, mean over ``queries``, shape
            (languages,); sums to 1, or is all 0 if ``queries`` is 0.
    """

    setting: str
    query_language: str
    k: int
    queries: int
    empty: int
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LanguageShares:
    """Languages of the first documents of a task's MLIR rankings.

    Attributes:
        task: Name of the task.
        languages: The document languages.
        rows: One a setting, query language and k.
    """

    task: str
    languages: tuple[str, ...]
    rows: tuple[TopShares, ...]

    @classmethod
    def from_counts(
        cls,
        task: str,
        languages: Sequence[str],
        counts: Mapping[tuple[str, str, int], NDArray[np.int64]],
    ) -> LanguageShares:
        """Shares from counts.

        Args:
            task: Name of the task.
            languages: The document languages.
            counts: By setting, query language and k: how many of each query's first k documents
                are in each language, shape (queries, languages).
        """
        rows = []
        for (setting, query_language, k), found in counts.items():
            retrieved = found.sum(axis=1)
            answered = retrieved > 0
            share = found[answered] / retrieved[answered, None]
            mean = share.mean(axis=0) if answered.any() else np.zeros(len(languages))
            rows.append(
                TopShares(
                    setting=setting,
                    query_language=query_language,
                    k=k,
                    queries=int(answered.sum()),
                    empty=int((~answered).sum()),
                    shares=tuple(round(float(value), DECIMALS) for value in mean),
                )
            )
        return cls(task, tuple(languages), tuple(rows))

    def of(self, setting: str, query_language: str, k: int) -> TopShares | None:
        """The row of a setting, query language and k, if it is there."""
        wanted = (setting, query_language, k)
        for row in self.rows:
            if (row.setting, row.query_language, row.k) == wanted:
                return row
        return None

    @property
    def depths(self) -> tuple[int, ...]:
        """The k that there are, ascending."""
        return tuple(sorted({row.k for row in self.rows}))

    def as_bytes(self) -> bytes:
        """The file's content: JSON, the same bytes for the same shares."""
        content = {
            "schema_version": SCHEMA_VERSION,
            "task": self.task,
            "languages": list(self.languages),
            "rows": [
                {
                    "setting": row.setting,
                    "query_language": row.query_language,
                    "k": row.k,
                    "queries": row.queries,
                    "empty": row.empty,
                    "shares": dict(zip(self.languages, row.shares, strict=True)),
                }
                for row in self.rows
            ],
        }
        return (json.dumps(content, indent=1) + "\n").encode()


def shares_path(folder: Path, task: str) -> Path:
    """Where an entry keeps the language shares of a task."""
    return folder / "language_shares" / f"{task}.json"


def write_shares(path: Path, shares: LanguageShares) -> None:
    """Writes the file; either the whole of it is there afterwards, or what was there before."""
    write_atomically(path, shares.as_bytes())


def read_shares(path: Path) -> LanguageShares:
    """Reads the file.

    Raises:
        EntryError: If it is missing, malformed, or its numbers cannot be shares.
    """
    try:
        content = _File.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise EntryError(f"There are no language shares {path}.") from None
    except ValidationError as error:
        raise EntryError(describe(path, error)) from error
    rows = tuple(
        TopShares(
            setting=row.setting,
            query_language=row.query_language,
            k=row.k,
            queries=row.queries,
            empty=row.empty,
            shares=tuple(row.shares[code] for code in content.languages),
        )
        for row in content.rows
    )
    return LanguageShares(content.task, content.languages, rows)


Code = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    setting: Annotated[str, Field(pattern=r"^mlir/[a-z]{2,3}-[a-z]{2,3}$")]
    query_language: Code
    k: Annotated[int, Field(ge=1)]
    queries: Annotated[int, Field(ge=0)]
    empty: Annotated[int, Field(ge=0)]
    shares: dict[str, Share]

    @model_validator(mode="after")
    def _whole(self) -> _Row:
        whole = sum(self.shares.values())
        if abs(whole - (1 if self.queries else 0)) > 1e-6:
            raise ValueError(
                f"shares: they must sum to 1, or to 0 without queries; found {whole:g}"
            )
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    task: str
    languages: Annotated[tuple[Code, ...], Field(min_length=1)]
    rows: tuple[_Row, ...]

    @model_validator(mode="after")
    def _consistent(self) -> _File:
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("languages: one is there twice")
        keys = [(row.setting, row.query_language, row.k) for row in self.rows]
        if len(set(keys)) < len(keys):
            raise ValueError("rows: a setting, query language and k is there twice")
        for number, row in enumerate(self.rows):
            if set(row.shares) != set(self.languages):
                raise ValueError(f"rows.{number}.shares: a share is needed for each of languages")
        return self
