"""Translate-test: queries and documents are put into English, term by term, before they are ranked.

The baseline of Litschko et al. (2023), after Roy et al. (2020): each word of a query or passage is
replaced by its translation in a lexicon, words that the lexicon lacks stay as they are, and the
rest is left to a system that knows English. Each side is translated with the lexicon of its own
language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, overload, runtime_checkable

from harness.retrieval.layout import languages_asked
from harness.retrieval.retrievers import GivenRankings, Model, PairModel
from submissions.baselines.code_switching import CodeSwitcher, SwitchOptions
from submissions.baselines.lexicon import load_lexicon
from tasks.errors import UsageError
from tasks.languages import NAMES, language_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from harness.models.description import ModelDescription
    from harness.progress import Reporter
    from harness.retrieval.retrievers import Prepared
    from harness.score import FirstStage
    from submissions.baselines.lexicon import Lexicon
    from tasks.collection import Collection
    from tasks.task import Task

PIVOT = "en"
"""The language that texts are put into."""
# Every word that the lexicon has, and its heaviest translation: nothing is drawn.
_ALL = SwitchOptions(probability=1.0, level="phrase", choice="best")


@runtime_checkable
class ReadsLanguages(Protocol):
    """A model that treats texts by their language, as BM25 does with its stemmers."""

    def for_texts_in(self, languages: Mapping[str, str]) -> Model:
        """The same model for texts that are in other languages than the codes they go under.

        Args:
            languages: The language of the texts, by code, where the two differ.
        """


class Translator:
    """Puts texts of one language into English.

    Args:
        lexicon: From that language into English.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._switcher = CodeSwitcher([lexicon], _ALL)

    def translate(self, text: str) -> str:
        """The text with the heaviest translation of each of its terms; the longest terms win."""
        return self._switcher.switch("", text).text


class TranslatedTexts(Sequence[str]):
    """Texts of a corpus that stays on disk, each translated when it is asked for."""

    def __init__(self, texts: Sequence[str], translator: Translator) -> None:
        self._texts = texts
        self._translator = translator

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(map(self._translator.translate, self._texts[index]))
        return self._translator.translate(self._texts[index])

    def __iter__(self) -> Iterator[str]:
        return map(self._translator.translate, self._texts)


class TranslateTest:
    """A model that is shown English translations, whatever the language of a text.

    A model that reads pairs is wrapped by :func:`translate_test`.

    Args:
        model: What ranks the translations.
        lexicons: Into English, by the language that is translated. English stays as it is.

    Raises:
        UsageError: If a lexicon has another direction, or the model ranks no texts.
    """

    def __init__(self, model: Model, lexicons: Mapping[str, Lexicon]) -> None:
        for language, lexicon in lexicons.items():
            if (lexicon.source, lexicon.target) != (language, PIVOT):
                raise UsageError(
                    f"Translate-test needs a lexicon {language}-{PIVOT}; {lexicon.name!r} is "
                    f"{lexicon.source}-{lexicon.target}."
                )
        if (kind := model.describe().kind) in ("run", "fusion"):
            raise UsageError(
                f"Translate-test translates texts, and a model of the kind {kind!r} reads none."
            )
        self._lexicons = dict(sorted(lexicons.items()))
        if isinstance(model, ReadsLanguages):
            model = model.for_texts_in({code: PIVOT for code in NAMES if code != PIVOT})
        self._model = model

    def describe(self) -> ModelDescription:
        """The model, and where the lexicons are from: the same whatever languages a task has."""
        described = self._model.describe()
        names = {lexicon.name.rpartition("/")[0] for lexicon in self._lexicons.values()}
        settings = {**described.settings, "translate_test": " ".join(sorted(names))}
        return replace(described, settings=settings)

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,
        progress: Reporter,
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`; the data are the lexicons.

        Raises:
            UsageError: If there is no lexicon for a language.
        """
        translated = self._translated(collection, languages, progress)
        prepared = self._model.prepare(translated, languages, cache, progress)
        return replace(
            prepared,
            description=self.describe(),
            collection=translated,
            data={one.name: one.checksum for one in self._used(languages)},
        )

    def _used(self, languages: tuple[Sequence[str], Sequence[str]]) -> list[Lexicon]:
        """The lexicons of the languages that are asked for.

        Raises:
            UsageError: If there is none for one of them.
        """
        asked = sorted({*languages[0], *languages[1]} - {PIVOT})
        if missing := [code for code in asked if code not in self._lexicons]:
            raise UsageError(
                f"Translate-test has no lexicon from {language_name(missing[0])} "
                f"({missing[0]}) to English."
            )
        return [self._lexicons[code] for code in asked]

    def _translated(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        progress: Reporter,
    ) -> Collection:
        """The collection with English texts; ids, judgments and codes of languages stay."""
        used = self._used(languages)
        queries, corpora = dict(collection.queries), dict(collection.corpora)
        with progress.track("Translating", len(used), "languages") as advance:
            for lexicon in used:
                code, translator = lexicon.source, Translator(lexicon)
                if code in languages[0]:
                    texts = tuple(map(translator.translate, queries[code].texts))
                    queries[code] = replace(queries[code], texts=texts)
                if code in languages[1]:
                    whole = TranslatedTexts(corpora[code].texts, translator)
                    is_held = isinstance(corpora[code].texts, tuple)
                    corpora[code] = replace(corpora[code], texts=tuple(whole) if is_held else whole)
                advance(1)
        return replace(collection, queries=queries, corpora=corpora)


class _ModelOfPairs(Model, PairModel, Protocol):
    """A model that reads pairs."""


class _TranslateTestOfPairs(TranslateTest):
    """A model that reads pairs: scoring gives it those of the translated collection."""

    _model: _ModelOfPairs

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.PairModel.scores_of`."""
        return self._model.scores_of(pairs, on_pairs)


def translate_test(model: Model, lexicons: Mapping[str, Lexicon]) -> TranslateTest:
    """A model under translate-test, of the kind that the model is; see :class:`TranslateTest`."""
    if isinstance(model, PairModel):
        return _TranslateTestOfPairs(model, lexicons)
    return TranslateTest(model, lexicons)


@dataclass(frozen=True, slots=True)
class Translation:
    """What a user asks to be translated with, if anything.

    Attributes:
        spec: Of the lexicons, without the folders of its files, which are this machine's; None to
            translate nothing.
        lexicons: Into English, by the language that is translated.
    """

    spec: str | None
    lexicons: Mapping[str, Lexicon]

    def model(self, model: Model) -> Model:
        """The model, under translate-test if that is asked for."""
        return model if self.spec is None else translate_test(model, self.lexicons)

    def first_stage(self, stage: FirstStage | None) -> FirstStage | None:
        """The first stage; a model is under translate-test too, rankings stay as they are."""
        if stage is None or isinstance(stage.source, GivenRankings):
            return stage
        return replace(stage, source=self.model(stage.source))


def translation_of(spec: str | None, tasks: Iterable[Task], data: Path | None) -> Translation:
    """The lexicons that the selected settings of some tasks need.

    Args:
        spec: As :func:`submissions.baselines.lexicon.load_lexicon` takes it; None for none.
        tasks: What is asked.
        data: A folder of data.

    Raises:
        DataFileError: If a file is missing or malformed, or there is none for a language.
        UnknownNameError: If there is no such kind of lexicon.
        UsageError: If all texts are English.
    """
    if spec is None:
        return Translation(None, {})
    languages = {
        code for task in tasks for side in languages_asked(task.selected) for code in side
    } - {PIVOT}
    if not languages:
        raise UsageError("--translate-test: all texts of the selected settings are English.")
    lexicons = {code: load_lexicon(spec, code, PIVOT, data) for code in sorted(languages)}
    return Translation(re.sub(r"[^:,+]*/", "", spec), lexicons)
