"""Published results, ``reported.toml``: numbers that others measured, each with its source.

Their trust level is T0, "reported, not re-run". They have no ranks, so nothing can rank them, test
them, or compute another measure from them. ::

    schema_version = 1
    id = "elmahdy-2024-xlm-r-hybrid"        # the folder's name
    name = "XLM-R, hybrid batches"

    [model]                                 # kind, name
    [method]                                # as in submission.toml
    [source]                                # title, authors, year, venue, url, bibtex

    [[results]]
    task = "xquad-r"
    measure = "AP"
    where = "Table 3"
    provenance = "seen: the paper"          # or "secondary: who quotes it"
    decimals = 4

    [results.values]
    "moir/ar-ar" = 0.7619
    "clir/ar-*" = 0.6564                    # mean over the document languages
    "moir/*" = 0.7977                       # mean over the languages of the source
"""

from __future__ import annotations

import re
from collections.abc import Sized
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from harness.measures import RANK_DISTANCE, parse_measure
from submissions import manifest
from submissions.structured_text import read_toml
from tasks.definition import describe, load_definition, task_names
from tasks.errors import BabelboardError, EntryError, UnknownNameError
from tasks.settings import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "reported.toml"
TRUST_LEVEL = "T0"
MOST_PROBLEMS = 40

_MEAN = re.compile(r"(moir|clir|mlir)/\*|clir/([a-z]{2,3}-\*|\*-[a-z]{2,3})")
_ROUNDING = 1e-9
_Several = TypeVar("_Several", bound=Sized)


@cache
def setting_ids(task: str) -> tuple[str, ...]:
    """The ids of all settings of a task of the catalogue.

    Raises:
        UnknownNameError: If there is no such task.
        UsageError: If the task has no candidates of the form that its suffix names.
    """
    if task.partition("+")[0] not in task_names():
        raise UnknownNameError("task", task, task_names())
    definition, _ = load_definition(task)
    return tuple(setting.id for setting in definition.all_settings())


def covered(task: str, key: str) -> tuple[str, ...]:
    """The settings that a key of ``values`` stands for: itself, or those it is the mean of."""
    return tuple(name for name in setting_ids(task) if fnmatchcase(name, key))


def _task(name: str) -> str:
    try:
        setting_ids(name)
    except BabelboardError as error:
        raise ValueError(str(error)) from None
    return name


def _measure(name: str) -> str:
    try:
        parse_measure(name)
    except UnknownNameError as error:
        raise ValueError(str(error)) from None
    return name


def _setting(key: str, info: ValidationInfo) -> str:
    task, measure = info.data.get("task"), info.data.get("measure")
    if task is None:  # reported already
        return key
    known = setting_ids(task)
    if key not in known and not (_MEAN.fullmatch(key) and covered(task, key)):
        advice = str(UnknownNameError("setting", key, known)).partition(". ")[2]
        raise ValueError(f"is neither a setting of {task} nor a mean such as clir/ar-*. {advice}")
    if measure == RANK_DISTANCE and kind_of(key) != "mlir":
        raise ValueError(f"{RANK_DISTANCE} is defined for MLIR settings only")
    return key


def _value(value: float, info: ValidationInfo) -> float:
    measure, decimals = info.data.get("measure"), info.data.get("decimals")
    if measure is not None and parse_measure(measure).higher_is_better and value > 1:
        raise ValueError(f"{measure} is from 0 to 1; divide a percentage by 100")
    if decimals is not None and round(value, decimals) != value:
        raise ValueError(f"has more decimals than the {decimals} of `decimals`")
    return value


Url = Annotated[
    str,
    StringConstraints(
        max_length=500, pattern=r"^https://[A-Za-z0-9][A-Za-z0-9.-]*(/[A-Za-z0-9._~/?#=&%+:@-]*)?$"
    ),
]
"""An address that may stand in a page."""


def _not_empty(value: _Several) -> _Several:
    # Unlike min_length, this says nothing where items were left out because they are wrong.
    if not value:
        raise ValueError("at least one is needed")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportedModel(_Part):
    """The model, as far as the source names it."""

    kind: Literal["dense", "sparse", "late-interaction", "cross-encoder", "bm25", "fusion"]
    name: manifest.Line


class Source(_Part):
    """The publication that a result comes from.

    Attributes:
        title: Its title.
        authors: Each as ``Family, Given``.
        year: Year of publication.
        venue: Journal, proceedings, or archive.
        url: Where to read it; https only.
        bibtex: How to cite it.
    """

    title: manifest.Line
    authors: Annotated[tuple[manifest.Line, ...], AfterValidator(_not_empty)]
    year: Annotated[int, Field(ge=1950, le=2100)]
    venue: manifest.Line
    url: Url
    bibtex: Annotated[str, StringConstraints(min_length=1, max_length=4000)]

    @property
    def citation(self) -> str:
        """For example ``Elmahdy et al. 2024``."""
        families = [author.partition(",")[0] for author in self.authors]
        names = " and ".join(families) if len(families) <= 2 else f"{families[0]} et al."
        return f"{names} {self.year}"


class Results(_Part):
    """Numbers of one task and measure from one place of the source.

    Attributes:
        task: Name of the task.
        measure: Name of the measure.
        where: Table, figure or page.
        provenance: ``seen: SOURCE`` if the number was read there, ``secondary: WHO`` if it comes
            from somebody else's quotation.
        url: Where it stands, if not in the source itself.
        conditions: What is known, or not stated, of how it was measured.
        decimals: Decimals that the source prints, of values from 0 to 1.
        values: By id of a setting; ``clir/ar-*`` and ``clir/*-ar`` are means over one side,
            ``moir/*``, ``clir/*``, ``mlir/*`` over the settings that the source has of a class.
    """

    task: Annotated[manifest.Line, AfterValidator(_task)]
    measure: Annotated[manifest.Line, AfterValidator(_measure)]
    where: manifest.Line
    provenance: Annotated[manifest.Line, StringConstraints(pattern=r"^(seen|secondary): .+$")]
    url: Url | None = None
    conditions: manifest.Line | None = None
    decimals: Annotated[int, Field(ge=0, le=10)]
    values: Annotated[
        dict[
            Annotated[str, AfterValidator(_setting)],
            Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False), AfterValidator(_value)],
        ],
        AfterValidator(_not_empty),
    ]

    @property
    def is_secondary(self) -> bool:
        """Whether the numbers come from somebody else's quotation."""
        return self.provenance.startswith("secondary: ")


class Reported(_Part):
    """A system whose numbers were published; the more exact of two equal numbers counts."""

    schema_version: Literal[1]
    id: manifest.EntryId
    name: manifest.Line
    notes: tuple[manifest.Line, ...] = ()
    model: ReportedModel
    method: manifest.MethodPart
    source: Source
    results: Annotated[tuple[Results, ...], AfterValidator(_not_empty)]

    @model_validator(mode="after")
    def _tables_agree(self) -> Reported:
        problems = []
        for place, results in enumerate(self.results):
            for earlier in self.of(results.task, results.measure):
                if earlier is results:
                    break
                # A unit, not half of one: sources also cut off where they should round.
                unit = 10.0 ** -min(earlier.decimals, results.decimals) + _ROUNDING
                problems += [
                    f"results.{place}.values.{key}: {results.where} has {results.values[key]}, "
                    f"{earlier.where} has {earlier.values[key]}"
                    for key in results.values.keys() & earlier.values.keys()
                    if abs(results.values[key] - earlier.values[key]) > unit
                ]
        if problems:
            raise ValueError("\n    ".join(["numbers differ between places:", *sorted(problems)]))
        return self

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, in the file's order."""
        return tuple(dict.fromkeys(results.task for results in self.results))

    def measures(self, task: str) -> tuple[str, ...]:
        """Names of the measures of a task, in the file's order."""
        found = (results.measure for results in self.results if results.task == task)
        return tuple(dict.fromkeys(found))

    def of(self, task: str, measure: str) -> Iterator[Results]:
        """The results of a task in a measure."""
        return (r for r in self.results if (r.task, r.measure) == (task, measure))

    def printed(self, task: str, measure: str) -> dict[str, Results]:
        """Where each number of a task in a measure stands, by key of ``values``.

        Where two places have it, the one with more decimals counts.
        """
        found: dict[str, Results] = {}
        for results in self.of(task, measure):
            for key in results.values:
                if key not in found or results.decimals > found[key].decimals:
                    found[key] = results
        return found


def read_reported(root: Path) -> list[Reported]:
    """Every reported entry of a folder of entries, by id.

    Raises:
        EntryError: If one of them is malformed; every place that is wrong is named.
    """
    if not root.is_dir():
        raise EntryError(f"There is no folder of entries {root}.")
    return [_read(path) for path in sorted(root.glob(f"*/{FILE_NAME}"))]


def _read(path: Path) -> Reported:
    if (path.parent / manifest.FILE_NAME).exists():
        raise EntryError(
            f"{path.parent} has both {FILE_NAME} and {manifest.FILE_NAME}: what was reported and "
            "what was scored are two entries. Move one of the files to a folder of its own."
        )
    try:
        reported = Reported.model_validate(read_toml(path))
    except ValidationError as error:
        raise EntryError(describe(path, error, MOST_PROBLEMS)) from error
    if reported.id != path.parent.resolve().name:
        raise EntryError(f"{path} has the id {reported.id!r}; it must be the folder's name.")
    return reported
