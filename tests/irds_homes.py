"""Tiny homes of ir_datasets, in the layout and the formats of the real ones.

Each home comes with a task file that describes it; the checksums of made-up files are left
unchecked there.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# ---- MIRACL ----------------------------------------------------------------------------------

# Passages by language and part of the corpus: id, title, text. Hindi has two parts, as it really
# has, and the one of Yoruba is called docs-1 by ir_datasets. Languages may share ids.
MIRACL_PASSAGES = {
    "sw": [
        [
            ("10#0", "Nairobi", "Nairobi ni mji mkuu wa Kenya."),
            ("10#1", "Nairobi", "Mji huo una wakazi wengi."),
            ("7#0", "Mombasa", "Mombasa ni bandari kubwa."),
        ]
    ],
    "hi": [
        [("10#0", "दिल्ली", "दिल्ली भारत की राजधानी है।"), ("3#2", "गंगा", "गंगा एक नदी है।")],
        [("99#0", "", "बिना शीर्षक का पाठ।")],
    ],
    "yo": [[("1#0", "Èkó", "Èkó jẹ́ ìlú ńlá."), ("2#0", "Ìbàdàn", "Ìbàdàn wà ní Nàìjíríà.")]],
}
MIRACL_QUERIES = {
    "sw": [("6", "Bandari kubwa iko wapi?"), ("12", "Mji mkuu wa Kenya ni upi?")],
    "hi": [("6", "भारत की राजधानी क्या है?")],
    "yo": [("1", "Níbo ni Ìbàdàn wà?")],
}
# Question, passage, grade: not in the order of either.
MIRACL_JUDGMENTS = {
    "sw": [("6", "7#0", 1), ("12", "10#1", 0), ("12", "10#0", 1), ("6", "10#0", 0)],
    "hi": [("6", "10#0", 1), ("6", "99#0", 0)],
    "yo": [("1", "2#0", 1)],
}

MIRACL_TASK = """\
schema_version = 1
name = "tiny-miracl"
title = "Tiny MIRACL"
summary = "A few passages."
source = "miracl"
protocol = "full"
settings = "monolingual and pool"
measures = ["nDCG@10", "R@100"]
primary_measure = "nDCG@10"
licence = "CC0 1.0"
homepage = "https://example.org/tiny-miracl"
citation = ""
folder = "home"
md5 = "unchecked"

[sizes]
hi = { queries = 1, documents = 3, judgments = 2 }
sw = { queries = 2, documents = 3, judgments = 4 }
yo = { queries = 1, documents = 2, judgments = 1 }
"""


def miracl_home(folder: Path) -> Path:
    """Writes ``home/miracl`` and the task file beside it, whose path is returned."""
    for language, parts in MIRACL_PASSAGES.items():
        place = folder / "home" / "miracl" / "v1.0" / language
        (place / "docs").mkdir(parents=True)
        (place / "dev").mkdir()
        for number, passages in enumerate(parts, start=language == "yo"):
            write_gzip(place / "docs" / f"docs-{number}.jsonl.gz", json_lines(passages))
        queries = "".join(f"{name}\t{text}\n" for name, text in MIRACL_QUERIES[language])
        (place / "dev" / "topics.tsv").write_text(queries, encoding="utf-8")
        judgments = "".join(f"{q}\tQ0\t{d}\t{g}\n" for q, d, g in MIRACL_JUDGMENTS[language])
        (place / "dev" / "qrels.tsv").write_text(judgments, encoding="utf-8")
    return write_task(folder, MIRACL_TASK)


def json_lines(passages: Sequence[tuple[str, str, str]]) -> str:
    names = ("docid", "title", "text")
    rows = (dict(zip(names, passage, strict=True)) for passage in passages)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# ---- mMARCO ----------------------------------------------------------------------------------

# 12 passages; queries 30, 4 and 200 are judged, 55 is another one of the dev set. In the order
# of the English file; as strings they sort differently.
WORDS = {"ar": "مقطع", "de": "Absatz", "en": "passage", "nl": "alinea"}
MMARCO_NAMES = {"ar": "arabic", "de": "german", "nl": "dutch"}
PASSAGES = 12
QUERIES = ("30", "4", "200")
JUDGED = (("30", 7), ("4", 0), ("4", 11), ("200", 3))
# Query 200 has no candidates: the English BM25 found none of its passages.
CANDIDATES = (("4", 9), ("30", 10), ("30", 7), ("4", 0), ("30", 2))
NEEDED = (0, 2, 3, 7, 9, 10, 11)

MMARCO_TASK = """\
schema_version = 1
name = "tiny-mmarco"
title = "Tiny mMARCO"
summary = "A few passages."
source = "mmarco"
protocol = "full"
settings = "all pairs"
measures = ["RR@10", "nDCG@10"]
primary_measure = "RR@10"
licence = "CC0 1.0"
homepage = "https://example.org/tiny-mmarco"
citation = ""
folder = "home"
md5 = "unchecked"

[sizes]
ar = { queries = 3, documents = 12, judgments = 4 }
de = { queries = 3, documents = 12, judgments = 4 }
en = { queries = 3, documents = 12, judgments = 4 }
nl = { queries = 3, documents = 12, judgments = 4 }
"""
RERANK = {
    'name = "tiny-mmarco"': 'name = "tiny-rerank"',
    'protocol = "full"': 'protocol = "rerank"\ncandidate_pairs = 5\n'
    'candidates = ["passage", "passage+paper-draw"]',
    '"all pairs"': '["moir/de-de", "clir/en-nl", "mlir/xx-en", "mlir/en-xx", "mlir/xx-xx"]',
}
RERANK_TASK = MMARCO_TASK
for _old, _new in RERANK.items():
    RERANK_TASK = RERANK_TASK.replace(_old, _new)


def mmarco_home(folder: Path, *, archives: bool = True) -> Path:
    """Writes ``home/mmarco`` and ``home/msmarco-passage``, and the task files beside them.

    Args:
        folder: Where they go.
        archives: Whether MS MARCO lies there as published, in archives, or as ir_datasets leaves
            it after use.

    Returns:
        The path of the task file of the protocol ``full``; ``rerank.toml`` is beside it.
    """
    translated = folder / "home" / "mmarco" / "v2"
    translated.mkdir(parents=True)
    judgments = "".join(f"{query}\t0\t{passage}\t1\n" for query, passage in JUDGED)
    (translated.parent / "qrels.dev.small.tsv").write_text(judgments, encoding="utf-8")
    for language, name in MMARCO_NAMES.items():
        collection, queries = mmarco_texts(language)
        (translated / f"{name}_collection.tsv").write_text(collection, encoding="utf-8")
        (translated / f"{name}.queries.dev.tsv").write_text(
            f"55\t{language} other\n{queries}", encoding="utf-8"
        )
    collection, queries = mmarco_texts("en")
    if archives:
        write_archive(
            folder / "home" / "msmarco-passage" / "collectionandqueries.tar.gz",
            {"collection.tsv": collection, "queries.dev.small.tsv": queries},
        )
        pairs = "".join(f"{q}\t{p}\ta query\ta passage\n" for q, p in CANDIDATES)
        write_archive(
            folder / "home" / "downloads" / "8c140662bdf123a98fbfe3bb174c5831",
            {"top1000.dev": pairs},
        )
    else:
        place = folder / "home" / "msmarco-passage"
        (place / "dev" / "small").mkdir(parents=True)
        (place / "irds_version.txt").write_text("v2", encoding="utf-8")
        (place / "collection.tsv").write_text(collection, encoding="utf-8")
        (place / "dev" / "small" / "queries.tsv").write_text(queries, encoding="utf-8")
        pairs = "".join(f"{query}\t{passage}\n" for query, passage in CANDIDATES)
        (place / "dev" / "ms.run").write_text(pairs, encoding="utf-8")
    (folder / "rerank.toml").write_text(RERANK_TASK, encoding="utf-8")
    return write_task(folder, MMARCO_TASK)


def passage_text(language: str, number: int) -> str:
    return f"{WORDS[language]} {number}"


def mmarco_texts(language: str) -> tuple[str, str]:
    """A collection and its queries, as text with tabs."""
    collection = "".join(f"{n}\t{passage_text(language, n)}\n" for n in range(PASSAGES))
    queries = "".join(f"{name}\t{language} question {name}\n" for name in QUERIES)
    return collection, queries


# ---- files -----------------------------------------------------------------------------------


def write_task(folder: Path, text: str) -> Path:
    path = folder / "task.toml"
    path.write_text(text, encoding="utf-8")
    return path


def write_gzip(path: Path, text: str) -> None:
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(text.encode())


def write_archive(path: Path, members: Mapping[str, str | bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            given = content.encode() if isinstance(content, str) else content
            item = tarfile.TarInfo(name)
            item.size = len(given)
            archive.addfile(item, io.BytesIO(given))
