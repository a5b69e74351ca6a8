"""The record of changes, ``changes.toml`` in a folder of entries: what came, and when.

Manifests have no dates, so that the same run gives the same file; whoever adds or changes an entry
adds a block here. ::

    schema_version = 1

    [[changes]]
    date = 2026-11-21
    kind = "added"                # or "changed", "removed"
    entries = ["bm25"]
    what = "BM25 on XQuAD-R and MLQA-R."
"""

from __future__ import annotations

import datetime  # noqa: TC003  # pydantic reads it
import tomllib
import uuid
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from submissions.manifest import EntryId, Line  # noqa: TC001  # pydantic reads them
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from submissions.entry import Entry

FILE_NAME = "changes.toml"
ChangeKind = Literal["added", "changed", "removed", "withdrawn", "disputed"]
FEED_ID = uuid.uuid5(uuid.NAMESPACE_URL, "babelboard/changes").urn


class Change(BaseModel):
    """One change.

    Attributes:
        date: Day of the change.
        kind: What happened to the entries.
        entries: Their ids; those that were removed are in no folder any more.
        what: What a reader should know, in a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: datetime.date
    kind: ChangeKind
    entries: Annotated[tuple[EntryId, ...], Field(min_length=1)]
    what: Line

    @property
    def updated(self) -> str:
        """The day as the time stamp that Atom asks for."""
        return f"{self.date.isoformat()}T00:00:00Z"

    @property
    def urn(self) -> str:
        """An identifier that stays as long as the change says the same."""
        said = "\n".join([self.date.isoformat(), self.kind, *self.entries, self.what])
        return uuid.uuid5(uuid.UUID(FEED_ID), said).urn


class _Recorded(Change):
    """A change of the record; flags have a file of their own."""

    kind: Literal["added", "changed", "removed"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    changes: tuple[_Recorded, ...] = ()


def flag_changes(entries: Iterable[Entry]) -> Iterator[Change]:
    """What maintainers said against entries, as changes: one for each flag."""
    for entry in entries:
        for flag in entry.flags:
            yield Change(
                date=flag.date, kind=flag.flag, entries=(entry.manifest.id,), what=flag.reason
            )


def read_changes(root: Path) -> tuple[Change, ...]:
    """The changes of a folder of entries, newest first; none where it has no record.

    Changes of one day stay in the order of the file.

    Raises:
        EntryError: If the record is malformed; every place that is wrong is named.
    """
    path = root / FILE_NAME
    try:
        record = _Record.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EntryError(f"{path} is not a TOML file: {error}.") from error
    except ValidationError as error:
        raise EntryError(describe(path, error)) from error
    return tuple(sorted(record.changes, key=lambda change: change.date, reverse=True))
