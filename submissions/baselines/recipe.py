"""Recipes: how a baseline is trained, down to the last number."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic import model_validator as checked

from submissions.baselines.recipe_checks import (
    architecture_problems,
    language_problems,
    strategy_problems,
    switching_problems,
)
from submissions.baselines.word_classes import WordClass  # noqa: TC001  # pydantic reads it
from submissions.manifest import Line, Sha256, Training  # noqa: TC001  # pydantic reads them

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,47}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Strategy = Literal["monolingual", "x-x", "x-x-mono", "x-y", "hybrid"]
MIXED: tuple[Strategy, ...] = ("x-x", "x-x-mono", "x-y", "hybrid")
"""Strategies that put whole sides of a pair into a language."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataPart(_Part):
    """A file with training pairs.

    Attributes:
        file: Its path, in a data folder or absolute.
        language: The language of both sides.
        form: ``pairs`` is JSONL with id, query and positive; ``squad`` is question answering in
            SQuAD's format, of which the sentence with the answer is the positive.
        sha256: What its checksum must be, where that is said.
        leave_out: Ids of pairs that are not used.
    """

    file: Line
    language: Language
    form: Literal["pairs", "squad"] = "pairs"
    sha256: Sha256 | None = None
    leave_out: tuple[str, ...] = ()


class SwitchingPart(_Part):
    """What is replaced by words of other languages; see ``docs/training.md``.

    Attributes:
        lexicon: As :func:`submissions.baselines.lexicon.load_lexicon` takes it; empty where
            there are ``sources``.
        sources: Several lexicons and their weights: a word's translations are the mixture of those
            that have it. A source that lacks a language is left out for it.
        source: The language that is switched: that of the untouched pairs.
        query: Languages that queries are switched to; none leaves them untouched.
        document: Languages that documents are switched to.
        draw: With several languages, whether each token or each text has its own.
        mirrored: Whether every second pair, by lot, has the languages of the sides exchanged.
        probability: Chance of a token, or of an entity, to be switched.
        rates: The same for a class of words, in place of ``probability``: ``stop`` words, ``name``
            (a capital first, within a sentence) and ``content``, the rest.
        level: ``word``, ``phrase`` or ``entity``.
        stop_words: Whether stop words may be switched.
        capitals: Whether only what has a capital first may be switched: lists of names hold many
            common words.
        redraw: Whether a language whose lexicon lacks a word is drawn again for it.
        choice: Of several translations, one ``drawn`` by weight, or the ``best``.
        mix: Relative weights of the languages of tokens; none: all the same.
    """

    lexicon: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\n\r\t]*$")] = ""
    sources: dict[Line, Positive] = {}
    source: Language = "en"
    query: tuple[Language, ...] = ()
    document: tuple[Language, ...] = ()
    draw: Literal["token", "text"] = "token"
    mirrored: bool = False
    probability: Share
    rates: dict[WordClass, Share] = {}
    level: Literal["word", "phrase", "entity"] = "word"
    stop_words: bool = True
    capitals: bool = False
    redraw: bool = False
    choice: Literal["drawn", "best"] = "drawn"
    mix: dict[Language, Positive] = {}


class BatchPart(_Part):
    """Which languages meet in a batch.

    Attributes:
        strategy: ``monolingual`` takes pairs as the data and the switching have them, each batch
            from one language of the data. The others put pairs into ``languages``: ``x-x`` each
            pair into one, ``x-x-mono`` a whole batch into one, ``x-y`` the sides of each pair into
            two, ``hybrid`` is ``x-x-mono`` for a share ``alpha`` of the batches, else ``x-y``.
        languages: See above.
        alpha: See above.
        language_draw: Whether languages are drawn evenly or by the number of their pairs.
    """

    strategy: Strategy = "monolingual"
    languages: tuple[Language, ...] = ()
    alpha: Share | None = None
    language_draw: Literal["even", "by size"] = "even"


class MultitaskPart(_Part):
    """A second loss: find the code-switched twin of a text among those of the batch.

    Attributes:
        weight: Of the second loss beside the first.
        retrieval: Whether the first is on the texts before or after they were switched.
    """

    weight: Positive
    retrieval: Literal["source", "switched"] = "source"


class NegativesPart(_Part):
    """Where a cross-encoder's negatives come from.

    Attributes:
        source: ``bm25`` draws from the best ``depth`` other passages for a query, ``random`` from
            all.
        per_positive: Negatives of each pair.
        depth: See above.
    """

    source: Literal["bm25", "random"] = "bm25"
    per_positive: Count = 4
    depth: Count = 50


class TrainingPart(_Part):
    """Numbers of the training.

    Attributes:
        steps: Updates of the weights.
        batch_size: Pairs of a step; for a cross-encoder queries, each with its positive and its
            negatives.
        learning_rate: The highest; it rises linearly, then falls linearly to 0.
        warmup: Share of the steps until the highest learning rate.
        weight_decay: Of AdamW, for all but biases and the weights of normalisation.
        temperature: What similarities are divided by.
        max_gradient_norm: Longer gradients are scaled to this.
        query_prefix: Put before each query, also when the model is used. Default: what the base
            model declares.
        document_prefix: Put before each document.
        max_tokens: Longer texts, or pairs of a cross-encoder, are cut.
        dtype: Number format of the computation; weights are kept in float32.
    """

    steps: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    temperature: Positive = 0.05
    max_gradient_norm: Positive = 1.0
    query_prefix: str | None = None
    document_prefix: str | None = None
    max_tokens: Count = 128
    dtype: Literal["float32", "bfloat16"] = "float32"


class Recipe(_Part):
    """How a baseline is trained.

    Attributes:
        name: Of the recipe; its models are called ``<name>-seed-<seed>``.
        title: Name that people read.
        method: The method of training, as an entry has it.
        summary: What the training texts are, in words.
        architecture: What is trained.
        base: The model that training starts from: ``package:NAME`` for one that a Python package
            carries, a folder, or the id of a hub repository.
        revision: Commit of a hub repository.
        seeds: One model is trained for each.
    """

    schema_version: Literal[1]
    name: Name
    title: Line
    method: Training
    summary: Line
    architecture: Literal["bi-encoder", "cross-encoder"] = "bi-encoder"
    base: Line
    revision: Line | None = None
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    data: Annotated[tuple[DataPart, ...], Field(min_length=1)]
    switching: SwitchingPart | None = None
    batches: BatchPart = BatchPart()
    multitask: MultitaskPart | None = None
    negatives: NegativesPart | None = None
    training: TrainingPart

    @checked(mode="after")
    def _consistent(self) -> Recipe:
        problems = [
            *language_problems(self),
            *strategy_problems(self),
            *switching_problems(self),
            *architecture_problems(self),
        ]
        if problems:
            raise ValueError("\n  ".join(problems))
        return self

    def digest(self) -> str:
        """sha256 of what decides the weights, however it is written down and described."""
        described = {"name", "title", "method", "summary", "seeds"}
        # Without what is at its default, so that a new key leaves the digests of old recipes.
        decides = self.model_dump(mode="json", exclude=described, exclude_defaults=True)
        content = json.dumps(decides, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()
