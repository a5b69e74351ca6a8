"""TREC run and qrels files, and the ranks of judged documents in a run.

Both are text in UTF-8, gzip or not; columns are parted by spaces or tabs, and lines that are empty
or start with # are passed over, as trec_eval does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.judged_ranks import JudgedRanks
from harness.text_lines import numbered_lines
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUN = "query_id Q0 doc_id rank score tag"
QRELS = "query_id 0 doc_id relevance"
# What a file of another form may be, by the form that is wanted and the number of its columns.
ADVICE = {
    (RUN, 3): " If these are MS MARCO's query_id doc_id rank, make TREC's of them with: "
    """awk '{print $1, "Q0", $2, $3, -$3, "tag"}'""",
    (RUN, 4): " Are these the judgments? The run comes first, they come after --qrels.",
    (QRELS, 3): " If these are BEIR's query-id corpus-id score, make TREC's of them with: "
    "awk 'NR > 1 {print $1, 0, $2, $3}'",
    (QRELS, 6): " Is this the run? It comes first, the judgments come after --qrels.",
}
LARGEST_GRADE = 2**31 - 1


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Reads a run: ``query_id Q0 doc_id rank score tag``, one document a line, gzip or not.

    Returns:
        Scores by query id and document id. The rank column is not used, as in trec_eval, save to
        tell one ranking whose lines are scattered from two of one query.

    Raises:
        DataFileError: If the file is missing, damaged or empty, a line is malformed, or a query or
            a document of a query is there twice; the line is named.
    """
    run: dict[str, dict[str, float]] = {}
    ranks: dict[str, list[bytes]] = {}
    again: dict[str, int] = {}
    one_of_each: dict[bytes, bytes] = {}
    current = b""
    for number, fields in _rows(path, RUN):
        if fields[0] != current:
            current = fields[0]
            query = current.decode()
            if query in run:
                again.setdefault(query, number)
            scores, places = run.setdefault(query, {}), ranks.setdefault(query, [])
        document = fields[2].decode()
        if document in scores:
            if query in again:
                raise _query_twice(path, again[query], query)
            raise _document_twice(path, number, document, query)
        scores[document] = _score(fields[4], path, number)
        places.append(one_of_each.setdefault(fields[3], fields[3]))
    for query, number in again.items():
        if len(set(ranks[query])) < len(ranks[query]):
            raise _query_twice(path, number, query)
    _refuse_empty(run, path, RUN)
    return run


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Reads judgments: ``query_id 0 doc_id relevance``, one a line, gzip or not.

    Returns:
        Grades by query id and document id.

    Raises:
        DataFileError: If the file is missing, damaged or empty, a line is malformed, or a document
            is judged twice for a query; the line is named.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, fields in _rows(path, QRELS):
        query, document = fields[0].decode(), fields[2].decode()
        grades = qrels.setdefault(query, {})
        if document in grades:
            raise _document_twice(path, number, document, query)
        grades[document] = _grade(fields[3], path, number)
    _refuse_empty(qrels, path, QRELS)
    return qrels


def judged_ranks_of_run(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]]
) -> JudgedRanks:
    """Ranks of the judged documents in a run, for every query of the qrels in their order.

    Documents go by score descending, then by id descending. Scores are compared in float32, as
    trec_eval does up to version 9, and so do pytrec_eval and ir_measures: what ties there ties
    here.
    """
    query, relevance, rank, retrieved = [], [], [], []
    for position, (query_id, judged) in enumerate(qrels.items()):
        scores = run.get(query_id, {})
        with np.errstate(over="ignore"):  # beyond float32 is infinite, as in trec_eval
            values = np.array(list(scores.values()), dtype=np.float64).astype(np.float32)
        single = dict(zip(scores, values, strict=True))
        ordered = sorted(single, reverse=True)  # code points go as the bytes of UTF-8 do
        ordered.sort(key=single.__getitem__, reverse=True)  # stable: ties keep their order
        place = {name: number for number, name in enumerate(ordered, 1)}
        for document, grade in judged.items():
            query.append(position)
            relevance.append(grade)
            rank.append(place.get(document, 0))
        retrieved.append(len(ordered))
    return JudgedRanks(
        queries=len(qrels),
        query=np.array(query, dtype=np.int64),
        relevance=np.array(relevance, dtype=np.int64),
        rank=np.array(rank, dtype=np.int64),
        pool_size=None,
        retrieved=np.array(retrieved, dtype=np.int64),
    )


def _rows(path: Path, form: str) -> Iterator[tuple[int, list[bytes]]]:
    """The columns of each line, with its number. In runs, words may follow the tag."""
    width = len(form.split())
    for number, line in numbered_lines(path):
        fields = line.split()
        if not fields or fields[0].startswith(b"#"):
            continue
        # Where a document id has a space in it, there are more columns too, and no rank.
        longer = form == RUN and len(fields) > width and fields[3].isdigit()
        if len(fields) != width and not longer:
            raise DataFileError(
                f"{path}:{number}: {len(fields)} column{'s' if len(fields) > 1 else ''}, expected "
                f"{width}: {form}.{ADVICE.get((form, len(fields)), '')}"
            )
        yield number, fields


def _score(text: bytes, path: Path, number: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # An infinite score is one that did not fit its type: it ties with others that did not.
    if not math.isfinite(value) or b"_" in text:
        raise DataFileError(
            f"{path}:{number}: the score {text.decode()!r} is not a finite number: {RUN}."
        )
    return value


def _grade(text: bytes, path: Path, number: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = LARGEST_GRADE + 1
    if abs(value) > LARGEST_GRADE or b"_" in text:
        raise DataFileError(
            f"{path}:{number}: the relevance {text.decode()!r} is not a whole number of at most "
            f"32 bits: {QRELS}."
        )
    return value


def _query_twice(path: Path, number: int, query: str) -> DataFileError:
    return DataFileError(
        f"{path}:{number}: query {query!r} is there twice: it comes back after other queries, with "
        "documents or ranks that it has had. Keep one of its rankings; if it is but one, sort the "
        "lines by query."
    )


def _document_twice(path: Path, number: int, document: str, query: str) -> DataFileError:
    return DataFileError(
        f"{path}:{number}: document {document!r} is there twice for query {query!r}."
    )


def _refuse_empty(found: Mapping[str, object], path: Path, form: str) -> None:
    if not found:
        raise DataFileError(f"{path} is empty; expected lines of the form: {form}.")
