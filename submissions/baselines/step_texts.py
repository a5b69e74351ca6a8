"""The texts of a step: pairs with their sides put into the languages that were drawn for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from itertools import islice
from typing import TYPE_CHECKING, Any

from submissions.baselines.code_switching import CodeSwitcher, SwitchOptions, SwitchTally
from submissions.baselines.lexicon import load_lexicon
from submissions.baselines.weighted_sources import load_sources, weighted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from submissions.baselines.batch_languages import Drawn
    from submissions.baselines.hard_negatives import Negatives
    from submissions.baselines.lexicon import Lexicon
    from submissions.baselines.recipe import Recipe
    from submissions.baselines.training_pairs import Pair

SIDES = ("query", "document")
MIXED = "mixed"
"""How records call a text that is switched to several languages."""


@dataclass(frozen=True, slots=True)
class StepTexts:
    """What a step trains on; all sequences are aligned with the pairs of the batch.

    Attributes:
        queries: Queries, as they were switched.
        positives: The passages that answer them, as they were switched.
        source_queries: The queries before.
        source_positives: The passages before.
        negatives: Passages that do not answer each query, as they were switched.
    """

    queries: Sequence[str]
    positives: Sequence[str]
    source_queries: Sequence[str]
    source_positives: Sequence[str]
    negatives: Sequence[Sequence[str]] = ()


class SwitchedTexts:
    """Makes the texts of a step, and counts what is switched.

    Args:
        pairs: The training pairs.
        recipe: Languages, lexicon and options of the switching.
        seed: Of all draws. A text has the same draws each time it is used.
        lexicons: From the source language, by target language.
    """

    def __init__(
        self, pairs: Sequence[Pair], recipe: Recipe, seed: int, lexicons: Mapping[str, Lexicon]
    ) -> None:
        self._pairs = pairs
        self._switching = recipe.switching
        self._seed = seed
        self._lexicons = lexicons
        self._switchers: dict[tuple[str, ...], CodeSwitcher] = {}
        self.tallies = {side: SwitchTally() for side in SIDES}
        self.languages: Counter[str] = Counter()

    def of(self, batch: Sequence[Drawn], negatives: Sequence[Sequence[int]] = ()) -> StepTexts:
        """The texts of a batch.

        Args:
            batch: Pairs and the languages of their sides.
            negatives: For each, the pairs whose passages do not answer its query; they are
                switched as its own passage is.
        """
        for drawn in batch:
            own = self._pairs[drawn.pair].language
            labels = [_label(own, targets) for targets in (drawn.query, drawn.document)]
            self.languages["-".join(labels)] += 1
        return StepTexts(
            queries=[self._text(drawn.pair, "query", drawn.query) for drawn in batch],
            positives=[self._text(drawn.pair, "document", drawn.document) for drawn in batch],
            source_queries=[self._pairs[drawn.pair].query for drawn in batch],
            source_positives=[self._pairs[drawn.pair].positive for drawn in batch],
            negatives=[
                [self._text(other, "document", drawn.document) for other in others]
                for drawn, others in zip(batch, negatives, strict=False)
            ],
        )

    def counts(self) -> dict[str, Any]:
        """The counts so far, as JSON holds them."""
        sides = {
            # asdict would make a Counter of pairs out of a Counter.
            side: {one.name: getattr(tally, one.name) for one in fields(tally)}
            for side, tally in self.tallies.items()
        }
        return {"languages": dict(self.languages), "sides": sides}

    def restore(self, counts: Mapping[str, Any]) -> None:
        """Goes on from earlier counts."""
        self.languages = Counter(counts["languages"])
        self.tallies = read_tallies(counts)

    def _text(self, index: int, side: str, targets: tuple[str, ...]) -> str:
        pair = self._pairs[index]
        text = pair.query if side == "query" else pair.positive
        if not targets:
            return text
        switched = self._switcher(targets).switch(pair.id, text, side)
        self.tallies[side].add(switched)
        return switched.text

    def _switcher(self, targets: tuple[str, ...]) -> CodeSwitcher:
        if targets not in self._switchers:
            if self._switching is None:
                raise ValueError("a batch was drawn in other languages without any switching")
            mix = self._switching.mix
            options = SwitchOptions(
                probability=self._switching.probability,
                seed=self._seed,
                level=self._switching.level,
                stop_words=self._switching.stop_words,
                capitals=self._switching.capitals,
                redraw=self._switching.redraw,
                choice=self._switching.choice,
                mix=tuple(mix[target] for target in targets) if mix else (),
                rates=self._switching.rates,
            )
            lexicons = [self._lexicons[target] for target in targets]
            self._switchers[targets] = CodeSwitcher(lexicons, options)
        return self._switchers[targets]


@dataclass(frozen=True, slots=True)
class StepSource:
    """Gives the texts of each step.

    Attributes:
        batches: What each step trains on, in order.
        texts: Makes the texts.
        negatives: Draws them, for cross-encoders.
    """

    batches: Iterable[Sequence[Drawn]]
    texts: SwitchedTexts
    negatives: Negatives | None = None

    def steps(self, first: int, end: int) -> Iterator[tuple[int, StepTexts]]:
        """The steps from ``first`` to before ``end``, each with its texts."""
        for step, batch in enumerate(islice(self.batches, first, end), first):
            others = self.negatives.of(batch, step) if self.negatives else ()
            yield step, self.texts.of(batch, others)


def read_tallies(counts: Mapping[str, Any]) -> dict[str, SwitchTally]:
    """What was switched on each side, from :meth:`SwitchedTexts.counts`."""
    return {
        side: SwitchTally(**{**tally, "languages": Counter(tally["languages"])})
        for side, tally in counts["sides"].items()
    }


def recipe_lexicons(recipe: Recipe, data: Path | None) -> dict[str, Lexicon]:
    """The lexicons that a recipe needs, by target language.

    Raises:
        DataFileError: If one is missing or malformed, or a source has none of the languages.
    """
    part = recipe.switching
    if part is None:
        return {}
    if not part.sources:
        return {
            target: load_lexicon(part.lexicon, part.source, target, data)
            for target in languages_of(recipe)
        }
    sources = load_sources(part.sources, part.source, languages_of(recipe), data)
    return {target: weighted(found, part.sources) for target, found in sources.items()}


def languages_of(recipe: Recipe) -> tuple[str, ...]:
    """The languages that a recipe needs lexicons into, ascending."""
    part, native = recipe.switching, {one.language for one in recipe.data}
    if part is None:
        return ()
    needed = {*part.query, *part.document} if recipe.batches.strategy == "monolingual" else set()
    if recipe.batches.strategy in ("x-y", "hybrid"):
        needed = set(recipe.batches.languages)
    elif recipe.batches.strategy != "monolingual":
        needed = set(recipe.batches.languages) - native
    return tuple(sorted(needed - {part.source}))


def _label(own: str, targets: tuple[str, ...]) -> str:
    return MIXED if len(targets) > 1 else targets[0] if targets else own
