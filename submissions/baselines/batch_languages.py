"""Which pairs a step trains on, and the languages of their sides.

Elmahdy, Lin & Ahmad 2024 ("Synergistic Approach for Simultaneous Optimization of Monolingual,
Cross-lingual, and Multilingual Information Retrieval", section 3) compare batches in one language
(X-X-mono), in two (X-Y) and a mixture of both (Hybrid); X-X is from Roy et al. 2020 (LAReQA).

All draws are keyed by the seed and the step, so that a step has the same pairs whatever was done
before. Recipes that train on the same files see the same pairs in the same steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from submissions.baselines.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pair of a batch.

    Attributes:
        pair: Index of the pair.
        query: Languages that its query is switched to, by lot if there are several; none leaves
            it as it is.
        document: The same for its passage.
    """

    pair: int
    query: tuple[str, ...] = ()
    document: tuple[str, ...] = ()


class Batches:
    """Iterates over the batches of a training without end.

    Args:
        recipe: What it says of batches and switching is followed.
        by_language: Indices of the pairs in each language.
        seed: Of all draws.
    """

    def __init__(self, recipe: Recipe, by_language: Mapping[str, Sequence[int]], seed: int) -> None:
        self._part = part = recipe.batches
        self._switching = recipe.switching
        self._source = recipe.switching.source if recipe.switching else None
        self._size, self._seed = recipe.training.batch_size, seed
        self._queues = {
            language: _Queue(pairs, f"{self._seed}:order:{language}")
            for language, pairs in by_language.items()
        }
        # A language without pairs of its own has those of the source, switched.
        self._languages = part.languages or tuple(sorted(by_language))
        sizes = [len(by_language[self._home(language)]) for language in self._languages]
        even = part.language_draw == "even"
        self._weights = np.array([1 if even else size for size in sizes]) / (
            len(sizes) if even else sum(sizes)
        )

    def __iter__(self) -> Iterator[list[Drawn]]:
        step = 0
        while True:
            yield self._batch(keyed_generator(f"{self._seed}:batch:{step}"))
            step += 1

    def _batch(self, generator: np.random.Generator) -> list[Drawn]:
        strategy = self._part.strategy
        if strategy == "hybrid":
            strategy = "x-x-mono" if generator.random() < (self._part.alpha or 0) else "x-y"
        if strategy == "x-y":
            return [self._in_two_languages(generator) for _ in range(self._size)]
        if strategy == "x-x":
            drawn = [self._draw(generator) for _ in range(self._size)]
        else:
            drawn = [self._draw(generator)] * self._size
        if strategy == "monolingual":
            return [self._as_switched(language, generator) for language in drawn]
        return [self._in_one_language(language) for language in drawn]

    def _draw(self, generator: np.random.Generator) -> str:
        return self._languages[generator.choice(len(self._languages), p=self._weights)]

    def _home(self, language: str) -> str:
        """The language whose pairs are taken for a language."""
        return language if language in self._queues else str(self._source)

    def _in_one_language(self, language: str) -> Drawn:
        target = () if language in self._queues else (language,)
        return Drawn(self._queues[self._home(language)].next(), target, target)

    def _in_two_languages(self, generator: np.random.Generator) -> Drawn:
        """A pair of the source language, its sides put into two languages."""
        chosen = generator.choice(len(self._languages), 2, replace=False, p=self._weights)
        query, document = (self._languages[index] for index in chosen)
        source = str(self._source)
        return Drawn(
            self._queues[source].next(),
            () if query == source else (query,),
            () if document == source else (document,),
        )

    def _as_switched(self, language: str, generator: np.random.Generator) -> Drawn:
        pair = self._queues[language].next()
        switching = self._switching
        if switching is None or language != self._source:
            return Drawn(pair)
        sides = [switching.query, switching.document]
        if switching.mirrored and generator.random() < 0.5:
            sides.reverse()
        if switching.draw == "text":
            chosen = [(side[generator.integers(len(side))],) if side else () for side in sides]
            sides = [() if side == (language,) else side for side in chosen]
        return Drawn(pair, sides[0], sides[1])


class _Queue:
    """Indices in a random order, each once before any comes again; a new order each time."""

    def __init__(self, pairs: Sequence[int], key: str) -> None:
        self._pairs = np.array(pairs)
        self._key = key
        self._taken = 0
        self._order = np.empty(0, dtype=np.int64)

    def next(self) -> int:
        epoch, place = divmod(self._taken, len(self._pairs))
        if place == 0:
            self._order = keyed_generator(f"{self._key}:{epoch}").permutation(self._pairs)
        self._taken += 1
        return int(self._order[place])


def keyed_generator(key: str) -> np.random.Generator:
    """A generator of random numbers that depends on a text alone."""
    digest = blake2b(key.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "big")))
