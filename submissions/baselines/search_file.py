"""Reads what a search for a switching policy is to do, from a TOML file."""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic import model_validator as checked

from submissions.baselines.recipe import (  # noqa: TC001  # pydantic reads them
    Count,
    Language,
    Seed,
)
from submissions.baselines.toml_tables import read_tables
from submissions.baselines.word_classes import WordClass  # noqa: TC001  # pydantic reads it
from submissions.manifest import Line  # noqa: TC001  # pydantic reads it
from tasks.errors import DataFileError
from tasks.languages import NAMES

if TYPE_CHECKING:
    from pathlib import Path

# The claims know a policy that was searched for by its name.
Name = Annotated[str, StringConstraints(pattern=r"^policy[a-z0-9._-]{0,42}$")]


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] >= bounds[1]:
        raise ValueError("two numbers, the lower bound first")
    return bounds


def _known(language: str) -> str:
    if language not in NAMES:
        near = get_close_matches(language, NAMES, n=3, cutoff=0.5) or sorted(NAMES)
        raise ValueError(f"unknown language; known: {', '.join(near)}")
    return language


_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Shares = Annotated[tuple[_Share, _Share], AfterValidator(_ascending)]
Weights = Annotated[tuple[_Weight, _Weight], AfterValidator(_ascending)]
PositiveWeights = Annotated[tuple[_Positive, _Positive], AfterValidator(_ascending)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeldOutPart(_Part):
    """Sentences and their translations, which the objective is measured on.

    Attributes:
        language: Of the translations.
        source: File of the sentences, one a line, in the language that the recipe switches.
        target: File of their translations, line by line.
    """

    language: Annotated[Language, AfterValidator(_known)]
    source: Line
    target: Line


class SpacePart(_Part):
    """What is searched for, as the lower and the upper bound of each number.

    Attributes:
        probability: Of switching, one for all words.
        rates: Of switching, one for each class of words.
        sources: The weight of each lexicon beside the others; 0 leaves it out.
        mix: The weight of each language beside the others; where all weigh the same, each has 1.
        redraw: Whether to search for whether a language that lacks a word is drawn again.
    """

    probability: Shares | None = None
    rates: dict[WordClass, Shares] = {}
    sources: dict[Line, Weights] = {}
    mix: PositiveWeights | None = None
    redraw: bool = False

    @checked(mode="after")
    def _has_something(self) -> Self:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("names nothing to search for: probability, rates, sources, mix, ...")
        if self.probability and self.rates:
            raise ValueError("probability is for all words, rates for classes of them: give one")
        if self.sources and not any(low > 0 for low, _ in self.sources.values()):
            raise ValueError("sources: at least one needs a lower bound above 0")
        return self


class Search(_Part):
    """A search for a switching policy.

    Attributes:
        name: Of the recipe that is found; it begins with ``policy``.
        title: Of that recipe.
        recipe: File of the recipe that the search begins from, beside this one.
        seed: Of the search, and of the training in each trial.
        trials: Policies that are tried; the first is the recipe's own.
        steps: Of the training in a trial.
        pairs: Most pairs of each language that are held out, of both halves together.
        held_out: The languages of the objective.
        space: What is searched for.
    """

    schema_version: Literal[1]
    name: Name
    title: Line
    recipe: Line
    seed: Seed
    trials: Count
    steps: Count
    pairs: Annotated[int, Field(ge=4)]
    held_out: Annotated[tuple[HeldOutPart, ...], Field(min_length=1)]
    space: SpacePart

    @checked(mode="after")
    def _each_language_once(self) -> Self:
        languages = [part.language for part in self.held_out]
        if len(set(languages)) < len(languages):
            raise ValueError("held_out: each language once")
        return self

    def digest(self) -> str:
        """sha256 of what decides the trials, however many there are."""
        decides = self.model_dump(
            mode="json", exclude={"name", "title", "recipe", "trials"}, exclude_defaults=True
        )
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


_TABLES: dict[str, type[BaseModel]] = {"": Search, "held_out": HeldOutPart, "space": SpacePart}


def load_search(path: Path) -> Search:
    """Reads a search.

    Raises:
        DataFileError: If the file is missing or malformed; every place that is wrong is named.
    """
    content = read_tables(path, f"There is no search {path}. See docs/policy-search.md.")
    try:
        return Search.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        lines = "\n".join(f"  {_problem(dict(item))}" for item in found)
        raise DataFileError(f"{path} is no search:\n{lines}") from error


def _problem(item: dict[str, Any]) -> str:
    """What is wrong at a place, with the nearest names of an unknown key."""
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = _TABLES[str(item["loc"][0]) if len(item["loc"]) > 1 else ""].model_fields
        near = get_close_matches(str(item["loc"][-1]), known, n=3, cutoff=0.6)
        advice = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
        return f"{place}: unknown key. {advice}"
    message = item["msg"].removeprefix("Value error, ")
    if not place or item["type"] == "missing" or isinstance(item["input"], dict):
        return f"{place}: {message}".removeprefix(": ")
    return f"{place}: {message}, found {str(item['input'])[:60]!r}"
