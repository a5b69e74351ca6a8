"""TREC run and qrels files, and the ranks of judged documents in a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from harness.measures import JudgedRanks
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Run = "Mapping[str, Mapping[str, float]]"
Qrels = "Mapping[str, Mapping[str, int]]"
Number = TypeVar("Number", int, float)


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Reads a run: ``query_id Q0 doc_id rank score tag``, one document a line.

    Returns:
        Scores by query id and document id. The rank column is not used, as in trec_eval.

    Raises:
        DataFileError: If the file is missing or a line is malformed; the line is named.
    """
    return _read(path, "query_id Q0 doc_id rank score tag", (0, 2, 4), _score)


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Reads judgments: ``query_id 0 doc_id relevance``, one a line.

    Raises:
        DataFileError: If the file is missing or a line is malformed; the line is named.
    """
    return _read(path, "query_id 0 doc_id relevance", (0, 2, 3), int)


def judged_ranks_of_run(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]]
) -> JudgedRanks:
    """Ranks of the judged documents in a run, for every query of the qrels in their order.

    Documents go by score descending, then by id descending. Scores are compared in float32, as
    trec_eval does, so that what ties there ties here.
    """
    query, relevance, rank, pool_size = [], [], [], []
    for position, (query_id, judged) in enumerate(qrels.items()):
        scores = run.get(query_id, {})
        with np.errstate(over="ignore"):  # beyond float32 is infinite, as in trec_eval
            values = np.array(list(scores.values()), dtype=np.float64).astype(np.float32)
        single = dict(zip(scores, values, strict=True))
        ordered = sorted(single, key=lambda name: name.encode(), reverse=True)
        ordered.sort(key=single.__getitem__, reverse=True)  # stable: ties keep their order
        place = {name: number for number, name in enumerate(ordered, 1)}
        for document, grade in judged.items():
            query.append(position)
            relevance.append(grade)
            rank.append(place.get(document, 0))
        pool_size.append(len(ordered))
    return JudgedRanks(
        queries=len(qrels),
        query=np.array(query, dtype=np.int64),
        relevance=np.array(relevance, dtype=np.int64),
        rank=np.array(rank, dtype=np.int64),
        pool_size=np.array(pool_size, dtype=np.int64),
    )


def _score(text: str) -> float:
    value = float(text)
    if math.isnan(value):
        raise ValueError("not a number")
    return value


def _read(
    path: Path, form: str, columns: tuple[int, int, int], number: Callable[[str], Number]
) -> dict[str, dict[str, Number]]:
    found: dict[str, dict[str, Number]] = {}
    width = len(form.split())
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for position, line in enumerate(lines, 1):
                fields = line.split()
                if not fields:
                    continue
                where = f"{path}:{position}"
                if len(fields) != width:
                    raise DataFileError(f"{where}: {len(fields)} columns, expected {width}: {form}")
                query, document, text = (fields[column] for column in columns)
                try:
                    value = number(text)
                except ValueError:
                    raise DataFileError(f"{where}: {text!r} is not a number: {form}") from None
                documents = found.setdefault(query, {})
                if document in documents:
                    raise DataFileError(
                        f"{where}: document {document!r} is there twice for query {query!r}."
                    )
                documents[document] = value
    except FileNotFoundError:
        raise DataFileError(f"There is no file {path}.") from None
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise DataFileError(f"{path} is not a text file in UTF-8: {error}.") from error
    if not found:
        raise DataFileError(f"{path} is empty; expected lines of the form: {form}")
    return found
