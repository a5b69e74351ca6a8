"""Which systems a claim means: conditions on how a system was trained, and from what."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.models.description import ModelKind  # noqa: TC001  # pydantic reads it
from submissions.manifest import Line, Training  # noqa: TC001  # pydantic reads them

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from submissions.claims.system import System, TrainingRecord

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Objective = Literal["none", "source", "switched"]


class Method(BaseModel):
    """A kind of system. All conditions that are given must hold; of a list, one of its items.

    Attributes:
        name: What it is called.
        training: How it was trained.
        kind: How it retrieves.
        translated: Whether its texts were translated before they were ranked (translate-test).
        recipe: Globs of the recipe's name.
        base: Globs of the base model's name.
        data: Globs of the names of the training files.
        strategy: What languages meet in a training batch.
        pair: Whether it was trained for one pair of languages; else for several at once.
        level: What is switched: ``word``, ``phrase``, ``entity``.
        probability: Chance of a token to be switched.
        lexicon: Globs of the lexicon.
        most_entries: Lexicons with at most so many entries, on average over languages.
        least_entries: Lexicons with at least so many.
        multitask: Whether there is a second loss on code-switched twins, and whether the first is
            then on the texts as they were (``source``) or switched.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line
    training: tuple[Training, ...] = ()
    kind: tuple[ModelKind, ...] = ()
    translated: bool = False
    recipe: tuple[Line, ...] = ()
    base: tuple[Line, ...] = ()
    data: tuple[Line, ...] = ()
    strategy: tuple[Literal["monolingual", "x-x", "x-x-mono", "x-y", "hybrid"], ...] = ()
    pair: bool | None = None
    level: tuple[Literal["word", "phrase", "entity"], ...] = ()
    probability: tuple[Share, ...] = ()
    lexicon: tuple[Line, ...] = ()
    most_entries: Count | None = None
    least_entries: Count | None = None
    multitask: Objective | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Method:
        if not self.model_fields_set - {"name", "translated"}:
            raise ValueError("a method needs at least one condition besides its name")
        return self

    def matches(self, system: System) -> bool:
        """Whether the method means a system."""
        if self.translated != system.translated:
            return False
        if self.training and system.training not in self.training:
            return False
        if self.kind and system.kind not in self.kind:
            return False
        asked = [name for name in _OF_RECORD if getattr(self, name) not in ((), None)]
        if not asked:
            return True
        record = system.record
        return record is not None and all(_OF_RECORD[name](self, record) for name in asked)


def _any(patterns: Sequence[str], names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _pair(method: Method, record: TrainingRecord) -> bool:
    return method.pair == bool(record.own_pairs)


def _level(method: Method, record: TrainingRecord) -> bool:
    switching = record.recipe.switching
    return switching is not None and switching.level in method.level


def _probability(method: Method, record: TrainingRecord) -> bool:
    switching = record.recipe.switching
    return switching is not None and switching.probability in method.probability


def _lexicon(method: Method, record: TrainingRecord) -> bool:
    switching = record.recipe.switching
    return switching is not None and _any(method.lexicon, [switching.lexicon])


def _most(method: Method, record: TrainingRecord) -> bool:
    size = record.lexicon_size
    return size is not None and method.most_entries is not None and size <= method.most_entries


def _least(method: Method, record: TrainingRecord) -> bool:
    size = record.lexicon_size
    return size is not None and method.least_entries is not None and size >= method.least_entries


def _multitask(method: Method, record: TrainingRecord) -> bool:
    multitask = record.recipe.multitask
    return method.multitask == (multitask.retrieval if multitask else "none")


_OF_RECORD: dict[str, Callable[[Method, TrainingRecord], bool]] = {
    "recipe": lambda method, record: _any(method.recipe, [record.recipe.name]),
    "base": lambda method, record: _any(method.base, [record.base.name]),
    "data": lambda method, record: _any(method.data, list(record.data)),
    "strategy": lambda method, record: record.recipe.batches.strategy in method.strategy,
    "pair": _pair,
    "level": _level,
    "probability": _probability,
    "lexicon": _lexicon,
    "most_entries": _most,
    "least_entries": _least,
    "multitask": _multitask,
}
"""Conditions that only the record of a training tells."""
