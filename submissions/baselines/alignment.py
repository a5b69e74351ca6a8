"""Alignment: how well an encoder finds the translations of sentences that were held out.

The objective of a search is the mean, over languages and both directions, of RR@10: one over the
rank of a sentence's translation among all held-out sentences of that language, 0 beyond rank 10.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from submissions.baselines.contamination import check_contamination, tasks_at_hand
from tasks.data_files import DATA_VARIABLE, data_folders
from tasks.errors import DataFileError, ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from submissions.baselines.search_file import HeldOutPart

DEPTH = 10
_FEWEST = 2
"""Pairs of a half: with one, every ranking is right."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Sentences and their translations; no text is there twice.

    Attributes:
        sources: The sentences.
        targets: Their translations.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What is held out, in two halves.

    Attributes:
        searched: Pairs by language: policies are chosen on these.
        reported: Others, on which nothing is chosen.
        checksums: sha256 of each file, by the name that the search has for it.
    """

    searched: Mapping[str, Pairs]
    reported: Mapping[str, Pairs]
    checksums: Mapping[str, str]


def read_held_out(parts: Sequence[HeldOutPart], most: int, data: Path | None) -> HeldOut:
    """Reads held-out pairs, parts them in halves, and compares them with the tasks at hand.

    A pair of which either side was there before is left out. A half is told by a hash of the
    sentence: one that has translations into several languages is in the same half in all.

    Args:
        parts: The files.
        most: Pairs of each language that are taken, from the beginning.
        data: Folder that is searched for the files first.

    Raises:
        DataFileError: If a file is missing or malformed, two do not have as many lines, or a half
            is too small.
        UsageError: If a text is a question of a task.
    """
    halves: tuple[dict[str, Pairs], dict[str, Pairs]] = ({}, {})
    checksums: dict[str, str] = {}
    for part in parts:
        sources, targets = (_lines(name, data, checksums) for name in (part.source, part.target))
        if len(sources) != len(targets):
            raise DataFileError(
                f"{part.source} has {len(sources):,} lines and {part.target} {len(targets):,}; "
                "line by line, one must be the translation of the other."
            )
        pairs = _distinct(sources, targets)[:most]
        for half, found in enumerate(halves):
            chosen = [pair for pair in pairs if _half(pair[0]) == half]
            if len(chosen) < _FEWEST:
                raise DataFileError(
                    f"{part.source} leaves {len(chosen)} pairs for one of two halves, of "
                    f"{len(pairs)} distinct ones; at least {_FEWEST} are needed. Give more."
                )
            found[part.language] = Pairs(*zip(*chosen, strict=True))
    held_out = HeldOut(*halves, checksums)
    _refuse_test_questions(held_out, data)
    return held_out


@dataclass(frozen=True, slots=True)
class Alignment:
    """What an encoder finds of held-out pairs.

    Attributes:
        mean: RR@10, the mean over languages and directions.
        to_target: RR@10 of translations, given the sentences, by language.
        to_source: RR@10 of the sentences, given translations, by language.
    """

    mean: float
    to_target: Mapping[str, float]
    to_source: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """For a record."""
        return {
            "mean": self.mean,
            "to_target": dict(self.to_target),
            "to_source": dict(self.to_source),
        }


def alignment(model: Any, pairs: Mapping[str, Pairs]) -> Alignment:  # a SentenceTransformer
    """Measures an encoder.

    Args:
        model: As sentence-transformers has it.
        pairs: By language.

    Raises:
        ModelError: If a vector is not finite.
    """
    to_target, to_source = {}, {}
    for language, one in pairs.items():
        sources, targets = _vectors(model, one.sources), _vectors(model, one.targets)
        to_target[language] = mean_reciprocal_rank(sources["query"] @ targets["document"].T)
        to_source[language] = mean_reciprocal_rank(targets["query"] @ sources["document"].T)
    values = [*to_target.values(), *to_source.values()]
    return Alignment(sum(values) / len(values), to_target, to_source)


def mean_reciprocal_rank(scores: NDArray[np.float32]) -> float:
    """RR@10 of the diagonal, the mean over rows.

    Of equal scores the own one counts as the last, so that an encoder that tells nothing apart
    gets nothing for it.

    Args:
        scores: Of each query (row) and candidate (column), shape (n, n).
    """
    ranks = (scores >= np.diagonal(scores)[:, None]).sum(axis=1)
    return float(np.where(ranks <= DEPTH, 1.0 / ranks, 0.0).mean())


def _vectors(model: Any, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Vectors of length 1 in both roles, shape (texts, dimension)."""
    found: dict[str, NDArray[np.float32]] = {}
    by_prompt: dict[str, NDArray[np.float32]] = {}
    for role, encode in (("query", model.encode_query), ("document", model.encode_document)):
        prompt = model.prompts.get(role) or ""
        if prompt not in by_prompt:
            by_prompt[prompt] = encode(
                list(texts),
                prompt=prompt,
                batch_size=64,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=True,
            )
        found[role] = by_prompt[prompt]
        if not np.isfinite(found[role]).all():
            raise ModelError(
                "The encoder gives vectors that are not finite for held-out texts. Try a lower "
                "learning_rate in the recipe."
            )
    return found


def _lines(name: str, data: Path | None, checksums: dict[str, str]) -> list[str]:
    """The lines of a file, without spaces around them."""
    places = [Path(name)] if Path(name).is_absolute() else [f / name for f in data_folders(data)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise DataFileError(
            f"The held-out file {name!r} is not there. Looked for: "
            f"{', '.join(map(str, places))}. Name a data folder with --data or ${DATA_VARIABLE}."
        )
    content = path.read_bytes()
    checksums[name] = hashlib.sha256(content).hexdigest()
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path} is not UTF-8: {error}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise DataFileError(f"{path}:{number}: an empty line, where a sentence must be.")
    return [line.strip() for line in lines]


def _distinct(sources: Sequence[str], targets: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs, without those of which either side was there before."""
    seen: tuple[set[str], set[str]] = (set(), set())
    pairs = []
    for source, target in zip(sources, targets, strict=True):
        if source not in seen[0] and target not in seen[1]:
            pairs.append((source, target))
            seen[0].add(source)
            seen[1].add(target)
    return pairs


def _half(sentence: str) -> int:
    return hashlib.blake2b(sentence.encode(), digest_size=1).digest()[0] & 1


def _refuse_test_questions(held_out: HeldOut, data: Path | None) -> None:
    """Refuses questions of a task: what is chosen on them is not measured by them.

    Raises:
        UsageError: If there are some.
    """
    report = check_contamination(_texts(held_out), tasks_at_hand(data), data)
    if not report.leaks:
        return
    first = next(one for one in report.shared if one.role == "question")
    raise UsageError(
        f"The held-out pairs hold {report.count('question'):,} test questions: for example in "
        f"{first.training_id} the question {first.id!r} of {first.task}, {first.language}: "
        f"{first.excerpt!r}. A policy that is chosen on a test is not measured by it: hold out "
        "other texts."
    )


def _texts(held_out: HeldOut) -> Iterator[tuple[str, str]]:
    for half in (held_out.searched, held_out.reported):
        for language, pairs in half.items():
            for text in (*pairs.sources, *pairs.targets):
                yield f"held_out {language}", text
