"""Code-switching: some words of a text are replaced by translations, at a rate that is asked for.

BL-CS takes one lexicon, ML-CS one for each of several languages, Wiki-CS the level ``entity``
(Litschko et al. 2023, "Boosting Zero-shot Cross-lingual Retrieval by Training on Artificially
Code-Switched Data", Findings of ACL 2023).

Every draw is a part of SHAKE-128 of (seed, side, text id), at the place of the word in its text:
it depends on nothing else, so neither on the order of the texts nor on the process. The draw that
decides whether a word is switched does not depend on the rate: what is switched at a lower rate is
switched at a higher one too. That holds for the rate of each class of words.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Literal, get_args

from submissions.baselines.lexicon_matches import Matcher, Rules
from submissions.baselines.stop_words import stop_words as usual_stop_words
from submissions.baselines.switched_text import Replacement, replaced
from submissions.baselines.word_classes import CLASSES, WordClass, word_classes
from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from submissions.baselines.lexicon import Lexicon
    from submissions.baselines.lexicon_matches import Match, Text

Level = Literal["word", "phrase", "entity"]

_DRAWS = struct.Struct("<QII")
_LARGEST = 1 << 64
_WORD = 1 << 32


@dataclass(frozen=True, slots=True)
class SwitchOptions:
    """How texts are switched.

    Attributes:
        probability: Of switching a word, or a phrase, that the lexicon has: p.
        seed: Of all draws.
        level: ``word``: single words. ``phrase``: from left to right, the longest term of 1-3 words
            that the lexicon has. ``entity``: the longest terms of the text first, in characters,
            and never a stop word, as in Wiki-CS.
        stop_words: Whether stop words may be switched, as they are in the published BL-CS and
            ML-CS. A phrase counts as one if all its words are.
        redraw: Of several languages, one is drawn for each word, all with the same chance. Where
            its lexicon lacks the word, the word stays, as published; or, with ``redraw``, one is
            drawn among the languages that have it.
        language_by: Whether the language is drawn for each ``token``, as in ML-CS, or once for the
            ``text``, as in Wiki-CS.
        choice: Of several translations, one is ``drawn`` by weight, or it is the ``best``.
        mix: Relative weights of the languages, in the order of the lexicons; empty: all the same.
        capitals: Whether only what has a capital first in the text may be switched. Lists of names
            have many that are ordinary words too, such as ``will``.
        rates: Probability of a class of words, as :mod:`submissions.baselines.word_classes` has
            them, in place of ``probability``. What may not be switched has none.

    Raises:
        UsageError: If one of them makes no sense.
        UnknownNameError: If there is no such class of words.
    """

    probability: float = 0.5
    seed: int = 0
    level: Level = "word"
    stop_words: bool = True
    redraw: bool = False
    language_by: Literal["token", "text"] = "token"
    choice: Literal["drawn", "best"] = "drawn"
    mix: tuple[float, ...] = ()
    capitals: bool = False
    rates: Mapping[WordClass, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise UsageError(
                f"The switching probability is {self.probability}; it must be from 0 to 1."
            )
        for name, value, allowed in (
            ("level", self.level, get_args(Level)),
            ("language_by", self.language_by, ("token", "text")),
            ("choice", self.choice, ("drawn", "best")),
        ):
            if value not in allowed:
                raise UsageError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
        if self.mix and not (min(self.mix) >= 0 and 0 < sum(self.mix) < float("inf")):
            raise UsageError(f"The language mix {self.mix} has no weight above 0, or one below.")
        for name, rate in self.rates.items():
            if name not in CLASSES:
                raise UnknownNameError("class of words", name, CLASSES)
            if not 0 <= rate <= 1:
                raise UsageError(f"The rate of {name} is {rate}; it must be from 0 to 1.")


@dataclass(frozen=True, slots=True)
class Switched:
    """A text, switched.

    Attributes:
        text: The text.
        tokens: Its words.
        covered: Words that a probability of 1 would switch: those that the language that was drawn
            for them has, and that may be switched.
        switched: Words that were switched.
        languages: Words that were switched to each language.
    """

    text: str
    tokens: int
    covered: int
    switched: int
    languages: Mapping[str, int]


@dataclass(slots=True)
class SwitchTally:
    """Counts over many texts, and the rates that come of them.

    Attributes:
        texts: Number of texts.
        tokens: Their words.
        covered: Words that a probability of 1 would switch.
        switched: Words that were switched.
        languages: Words that were switched to each language.
    """

    texts: int = 0
    tokens: int = 0
    covered: int = 0
    switched: int = 0
    languages: Counter[str] = field(default_factory=Counter)

    def add(self, done: Switched) -> None:
        """Counts one more text."""
        self.texts += 1
        self.tokens += done.tokens
        self.covered += done.covered
        self.switched += done.switched
        self.languages.update(done.languages)

    @property
    def coverage(self) -> float:
        """Share of the words that could be switched; 0 if there are no words."""
        return self.covered / self.tokens if self.tokens else 0.0

    @property
    def achieved(self) -> float:
        """Share of the words that were switched; 0 if there are no words."""
        return self.switched / self.tokens if self.tokens else 0.0

    def as_json(self, requested: float) -> dict[str, object]:
        """The counts and rates, for a record."""
        return {
            "requested": requested,
            "achieved": self.achieved,
            "coverage": self.coverage,
            "texts": self.texts,
            "tokens": self.tokens,
            "covered": self.covered,
            "switched": self.switched,
            "languages": dict(sorted(self.languages.items())),
        }


class CodeSwitcher:
    """Switches texts of one language to one or several others.

    Args:
        lexicons: One for each target language, all from the same source language.
        options: How.
        stop_words: In lower case; by default those of the source language.

    Raises:
        UsageError: If the lexicons do not go together, or the mix does not fit them.
    """

    def __init__(
        self,
        lexicons: Sequence[Lexicon],
        options: SwitchOptions,
        stop_words: frozenset[str] | None = None,
    ) -> None:
        self.source = _check(lexicons, options)
        self.targets = tuple(lexicon.target for lexicon in lexicons)
        self.options = options
        if stop_words is None:
            stop_words = usual_stop_words(self.source)
        never = options.level == "entity" or not options.stop_words
        rules = Rules(
            options.level,
            stop_words if never else frozenset(),
            options.capitals,
            options.redraw,
            options.mix,
        )
        self._matcher = Matcher(lexicons, rules)
        self._stop_words = stop_words
        self._threshold = round(options.probability * _LARGEST)
        self._thresholds = {name: round(rate * _LARGEST) for name, rate in options.rates.items()}

    def switch(self, text_id: str, text: str, side: str = "") -> Switched:
        """Switches a text.

        Args:
            text_id: What its draws hang on; texts with the same id and side get the same draws.
            text: The text.
            side: Such as ``query`` or ``document``: two texts with one id are drawn for apart.
        """
        read = self._matcher.read(text)
        draws = self._draws(text_id, side, len(read.spans))
        languages = self._languages(draws)
        covered = switched = 0
        counts: Counter[str] = Counter()
        replacements = []
        matches = self._matcher.matches(read, languages)
        for match, threshold in zip(matches, self._thresholds_of(read, matches), strict=False):
            covered += match.words
            coin, _, pick = draws[match.first + 1]
            if coin < threshold:
                switched += match.words
                target = self.targets[match.language]
                counts[target] += match.words
                replacements.append(self._replacement(read, match, pick))
        switched_text = replaced(text, replacements) if replacements else text
        return Switched(switched_text, len(read.spans), covered, switched, dict(counts))

    def _thresholds_of(self, read: Text, matches: Sequence[Match]) -> Iterable[int]:
        """What the number of each match must be below for it to be switched."""
        if not self._thresholds:
            return repeat(self._threshold)
        return (
            self._thresholds.get(name, self._threshold)
            for name in word_classes(read, matches, self._stop_words)
        )

    def _draws(self, text_id: str, side: str, words: int) -> list[tuple[int, int, int]]:
        """Three numbers for the text as a whole, then for each word, from one stream of bytes."""
        # The length of the side keeps ("a", "bc") and ("ab", "c") apart.
        key = f"codeswitch:v1:{self.options.seed}:{len(side)}:{side}{text_id}"
        stream = hashlib.shake_128(key.encode("utf-8", "surrogatepass"))
        return list(_DRAWS.iter_unpack(stream.digest(_DRAWS.size * (words + 1))))

    def _languages(self, draws: Sequence[tuple[int, int, int]]) -> list[int]:
        """Number below 2^32 of each word, by which its language is drawn."""
        if self.options.language_by == "text":
            return [draws[0][1]] * (len(draws) - 1)
        return [draw[1] for draw in draws[1:]]

    def _replacement(self, read: Text, match: Match, pick: int) -> Replacement:
        translations = match.translations
        chosen = translations[0][0]
        if len(translations) > 1 and self.options.choice == "drawn":
            left = pick / _WORD
            for translation, weight in translations:
                chosen = translation
                left -= weight
                if left < 0:
                    break
        start, end = read.spans[match.first][0], read.spans[match.first + match.words - 1][1]
        return Replacement(start, end, chosen, self.targets[match.language])


def _check(lexicons: Sequence[Lexicon], options: SwitchOptions) -> str:
    """The one source language.

    Raises:
        UsageError: If there is not one.
    """
    sources = {lexicon.source for lexicon in lexicons}
    if len(sources) != 1:
        raise UsageError(
            "Code-switching needs lexicons from one language; these are from "
            f"{', '.join(sorted(sources)) or 'none'}."
        )
    targets = [lexicon.target for lexicon in lexicons]
    if twice := [code for code, count in Counter(targets).items() if count > 1]:
        raise UsageError(
            f"Two lexicons are for {twice[0]}: merge them, so that languages are drawn evenly."
        )
    if options.mix and len(options.mix) != len(lexicons):
        raise UsageError(
            f"The language mix has {len(options.mix)} weights for {len(lexicons)} languages."
        )
    return sources.pop()
