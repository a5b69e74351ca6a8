"""An entry among others: copied ranks, names that look alike, data of another revision."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from harness.parquet_caps import RANKS, THRIFT_LIMITS, check_parquet
from submissions.about import read_about
from submissions.checks.problems import Problem, Problems, shown
from submissions.entry import ranks_path
from submissions.manifest import FILE_NAME, Manifest, read_manifest
from submissions.reported import FILE_NAME as REPORTED_FILE
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from harness.ranks import RankTable

FEWEST_RANKS = 20
"""Ranks that are not 1: two systems can agree in fewer by chance."""
NEARLY = 0.99
_LOOK_ALIKE = str.maketrans(
    # Cyrillic, Greek, and what is mistaken in Latin, each as what it is taken for.
    "авекмнорстухіјѕԛԝһԁαβεικνορτυχωγη015i|ı",
    "abekmhopctyxljsqwhdabelkvoptuxwynolslll",
)


@dataclass(frozen=True, slots=True)
class OtherEntry:
    """An entry that is there already.

    Attributes:
        id: Its id.
        name: Name that people read.
        manifest: What it says of itself; None if it is reported.
        folder: Where it is.
    """

    id: str
    name: str
    manifest: Manifest | None
    folder: Path


def other_entries(root: Path, own: str, folder: Path) -> list[OtherEntry]:
    """The entries of a folder, but for one; damaged ones are left out.

    Args:
        root: Folder of entries.
        own: Id of the entry that is left out.
        folder: Of that entry, whatever its id.
    """
    found = []
    for path in sorted(root.glob(f"*/{FILE_NAME}")):
        if path.parent.name == own or path.parent.resolve() == folder.resolve():
            continue
        try:
            manifest, said = read_manifest(path), read_about(path.parent)
        except EntryError:
            continue
        name = said.name if said else manifest.name
        found.append(OtherEntry(path.parent.name, name, manifest, path.parent))
    found += [
        OtherEntry(path.parent.name, path.parent.name, None, path.parent)
        for path in sorted(root.glob(f"*/{REPORTED_FILE}"))
        if path.parent.name != own
    ]
    return found


def check_names(
    path: str, own: str, name: str, others: list[OtherEntry], problems: Problems
) -> None:
    """Whether id or name could be taken for another entry's.

    Args:
        path: The file with the name.
        own: The entry's id.
        name: Its name.
        others: The other entries.
        problems: Takes what is found.
    """
    for other in others:
        for key, mine, theirs in (("id", own, other.id), ("name", name, other.name)):
            if skeleton(mine) == skeleton(theirs):
                problems.add(
                    Problem(
                        "W003",
                        path,
                        f"{shown(mine)}, which looks like {shown(theirs)} of the entry {other.id}",
                        "names that people tell apart",
                        "Choose another, unless the one entry takes the place of the other.",
                        key=key,
                    )
                )
    letters = {unicodedata.name(c, "?").split()[0] for c in name if c.isalpha()}
    if "LATIN" in letters and letters & {"CYRILLIC", "GREEK"}:
        for word in name.split():
            scripts = {unicodedata.name(c, "?").split()[0] for c in word if c.isalpha()}
            if "LATIN" in scripts and len(scripts) > 1:
                problems.add(
                    Problem(
                        "W003",
                        path,
                        f"letters of {' and '.join(sorted(scripts)).title()} in {shown(word)}",
                        "words in one script",
                        "Write the word in one script.",
                        key="name",
                    )
                )


def skeleton(text: str) -> str:
    """What a text looks like: equal for texts that people take for each other."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c for c in folded if unicodedata.category(c)[0] in "LN" or c == "|")
    plain = kept.translate(_LOOK_ALIKE)
    return plain.replace("rn", "m").replace("vv", "w")


def check_data_revisions(manifest: Manifest, others: list[OtherEntry], problems: Problems) -> None:
    """Whether the data of each task are those of the other entries that have it."""
    for task, run in manifest.runs.items():
        for other in others:
            theirs = other.manifest.runs.get(task) if other.manifest else None
            if theirs is None:
                continue
            differing = sorted(
                name
                for name in run.data.keys() & theirs.data.keys()
                if run.data[name] != theirs.data[name]
            )
            if differing:
                problems.add(
                    Problem(
                        "E032",
                        FILE_NAME,
                        f"other data than {other.id} has: {', '.join(map(shown, differing[:5]))}",
                        "one revision of the data for all entries of a task",
                        "Score the task again with the data of the catalogue.",
                        key=f"runs.{task}.data",
                    )
                )
                break


def check_copies(
    name: str, table: RankTable, digest: str, others: list[OtherEntry], problems: Problems
) -> None:
    """Whether ranks are another entry's, all or nearly all.

    Args:
        name: The rank file, relative to the entry.
        table: What it holds.
        digest: Its sha256.
        others: The other entries.
        problems: Takes what is found.
    """
    task = name.partition("/")[2].removesuffix(".parquet")
    for other in others:
        run = other.manifest.runs.get(task) if other.manifest else None
        if run is None:
            continue
        same = 1.0 if run.ranks == digest else _share(table, ranks_path(other.folder, task))
        if same < NEARLY:
            continue
        how_many = "all" if same == 1 else f"{same:.1%} of"
        many = int((table.rank != 1).sum()) >= FEWEST_RANKS
        is_copy = same == 1 and many
        problems.add(
            Problem(
                "E070" if is_copy else "W004",
                name,
                f"{how_many} ranks as the entry {other.id} has them",
                "ranks of a system of its own",
                "If it is the same system, it needs no second entry: `babelboard submit verify` "
                "repeats a run. If not, score it again.",
            )
        )


def _share(table: RankTable, path: Path) -> float:
    """Which share of the ranks that are not 1 in both files is the same; 0 for other rows."""
    try:
        check_parquet(path, RANKS)
        file = pq.ParquetFile(path, **THRIFT_LIMITS)
        # Of all columns the ranks are enough, and read in a fraction of the time.
        if file.metadata.num_rows != len(table) or "rank" not in file.schema_arrow.names:
            return 0.0
        column = file.read(columns=["rank"])["rank"]
        if not pa.types.is_integer(column.type):
            return 0.0
        theirs = column.fill_null(0).to_numpy()
    except (EntryError, OSError, pa.ArrowException):
        return 0.0
    counted: NDArray[np.bool_] = (table.rank != 1) | (theirs != 1)
    if not counted.any():
        return 1.0
    return float((table.rank == theirs)[counted].mean())
