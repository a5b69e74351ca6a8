"""Claims: what a publication says of systems, in a form that entries can confirm or contradict.

A claim is a TOML file. ::

    schema_version = 1
    id = "ml-cs-beats-zero-shot"             # the file's name
    number = 3                               # its place in the ledger
    kind = "claim"                           # or "question": nobody has claimed an answer
    statement = "Code-switched training beats zero-shot training in CLIR."
    reading = "How the statement is made testable, and what differs from the source."
    tasks = ["mmarco-rerank", "xquad-r"]     # where it is looked for

    [source]                                 # paper, url, where, provenance; tasks, measure, models

    [methods.zero-shot]                      # conditions on systems
    name = "Zero-shot"
    training = ["zero-shot"]

    [[parts]]                                # one comparison: a minus b
    id = "clir"
    statement = "in CLIR"
    a = "ml-cs"
    b = "zero-shot"
    settings = { of = ["clir"] }
    expect = "higher"                        # or "lower", "same" (with a margin), "differs"

    [[untested]]                             # what no entry can tell
    id = "images"
    statement = "for images"
    why = "No task has images."
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from harness.measure_names import parse_measure
from submissions.claims.method import Method  # noqa: TC001  # pydantic reads it
from submissions.claims.setting_choice import SettingChoice  # noqa: TC001  # pydantic reads it
from submissions.reported import Url, setting_ids
from tasks.definition import describe
from tasks.errors import BabelboardError, DataFileError, UnknownNameError
from tasks.settings import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).parent
MOST_PROBLEMS = 20

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\n\r\t]+$")]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Expected = Literal["higher", "lower", "same", "differs"]


def _task(name: str) -> str:
    try:
        setting_ids(name)
    except BabelboardError as error:
        raise ValueError(str(error)) from None
    return name


def _measure(name: str) -> str:
    try:
        parsed = parse_measure(name)
    except UnknownNameError as error:
        raise ValueError(str(error)) from None
    if parsed.is_for_runs or parsed.is_count:
        raise ValueError(f"{name} is no mean that ranks can give")
    return name


TaskName = Annotated[str, AfterValidator(_task)]
MeasureName = Annotated[str, AfterValidator(_measure)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """The publication that makes a claim.

    Attributes:
        paper: How it is cited.
        url: Where to read it.
        where: Table, figure or section, as far as it is known.
        provenance: ``seen: ...`` if it was read there, ``secondary: ...`` if it is quoted.
        tasks: Our tasks that are its own data and protocol; elsewhere a claim is carried over.
        measure: What it was measured in.
        kind: What kind of models it was measured on.
        models: These models, in words.
    """

    paper: Text
    url: Url
    where: Text
    provenance: Annotated[Text, StringConstraints(pattern=r"^(seen|secondary): .+$")]
    tasks: tuple[TaskName, ...]
    measure: MeasureName
    kind: Literal["dense", "cross-encoder"]
    models: Text


class ClaimPart(_Part):
    """System ``a`` minus system ``b``.

    Attributes:
        id: Its id in the claim.
        statement: What it says, after the claim's statement.
        a: A method of the claim.
        b: Another, or the same in other settings.
        settings: Averaged within each question.
        settings_b: Those of ``b``, where they differ.
        each: Whether each setting is a comparison of its own.
        baseline: A method whose score in the same settings is taken off both sides first, so that
            gains are compared; for one method in two choices of settings.
        tasks: Where it is looked for; by default where the claim is.
        measure: By default the task's own.
        expect: What is claimed of the difference.
        margin: Differences within it count as none.
        size: The claimed difference; where it was measured as in the source, it must not lie
            wholly outside the interval, on the far side.
    """

    id: Id
    statement: Text
    a: Id
    b: Id
    settings: SettingChoice
    settings_b: SettingChoice | None = None
    each: bool = False
    baseline: Id | None = None
    tasks: tuple[TaskName, ...] = ()
    measure: MeasureName | None = None
    expect: Expected
    margin: Amount | None = None
    size: Amount | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ClaimPart:
        problems = []
        if self.expect == "same" and self.margin is None:
            problems.append("expect = 'same' needs a margin")
        if self.margin is not None and self.expect in ("higher", "lower"):
            problems.append("a margin is for expect = 'same' or 'differs'")
        if self.size is not None and self.expect not in ("higher", "lower"):
            problems.append("a size is for expect = 'higher' or 'lower'")
        if self.settings_b is None and self.a == self.b:
            problems.append("one method is compared with itself in other settings: settings_b")
        if self.baseline is not None and (self.a != self.b or self.settings_b is None):
            problems.append("a baseline is for one method in two choices of settings")
        if self.each and self.settings_b is not None:
            problems.append("each setting by itself has no settings_b")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def choices(self) -> tuple[SettingChoice, ...]:
        """The settings of both sides."""
        return (self.settings, self.settings_b) if self.settings_b else (self.settings,)


class UntestedPart(_Part):
    """A part that no entry can tell anything about.

    Attributes:
        id: Its id in the claim.
        statement: What it says.
        why: What is lacking.
    """

    id: Id
    statement: Text
    why: Text


class Claim(_Part):
    """A published claim, or an open question, which is put as the claim that the answer is yes."""

    schema_version: Literal[1]
    id: Id
    number: Annotated[int, Field(ge=1)]
    kind: Literal["claim", "question"]
    statement: Text
    reading: Text
    tasks: Annotated[tuple[TaskName, ...], Field(min_length=1)]
    source: Source | None = None
    methods: dict[Id, Method]
    parts: Annotated[tuple[ClaimPart, ...], Field(min_length=1)]
    untested: tuple[UntestedPart, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Claim:
        problems = list(_unknown_methods(self))
        ids = [*(part.id for part in self.parts), *(part.id for part in self.untested)]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        problems += [f"two parts have the id {one!r}" for one in twice]
        if self.kind == "claim" and self.source is None:
            problems.append("a claim needs its source")
        for part in self.parts:
            problems += _unknown_settings(part, self.tasks_of(part))
        if problems:
            raise ValueError("\n    ".join(["it contradicts itself:", *problems]))
        return self

    def tasks_of(self, part: ClaimPart) -> tuple[str, ...]:
        """Where a part is looked for."""
        return part.tasks or self.tasks


def _unknown_methods(claim: Claim) -> Iterator[str]:
    used = set()
    for part in claim.parts:
        for name in filter(None, (part.a, part.b, part.baseline)):
            used.add(name)
            if name not in claim.methods:
                yield f"{part.id}: {UnknownNameError('method', name, claim.methods)}"
    for name in sorted(set(claim.methods) - used):
        yield f"methods.{name}: no part is about it"


def _unknown_settings(part: ClaimPart, tasks: Sequence[str]) -> list[str]:
    """Choices of settings that no task can meet: a glob with a slip would never be tested."""
    problems = []
    known = {task: setting_ids(task) for task in tasks}
    for choice in part.choices:
        if not any(choice.among(ids) for ids in known.values()):
            problems.append(f"{part.id}: none of {', '.join(tasks)} has {choice.words}")
    if part.measure and parse_measure(part.measure).is_for_mlir:
        chosen = {n for ids in known.values() for choice in part.choices for n in choice.among(ids)}
        if any(kind_of(name) != "mlir" for name in chosen):
            problems.append(f"{part.id}: {part.measure} is defined for MLIR settings only")
    return problems


def read_claim(path: Path) -> Claim:
    """Reads a claim.

    Raises:
        DataFileError: If the file is missing or malformed; every place that is wrong is named.
    """
    try:
        claim = Claim.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError):
        raise DataFileError(f"There is no claim {path}. See docs/claims.md.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataFileError(f"{path} is not a TOML file: {error}.") from error
    except ValidationError as error:
        raise DataFileError(describe(path, error, MOST_PROBLEMS)) from error
    if claim.id != path.stem:
        raise DataFileError(f"{path} has the id {claim.id!r}; it must be the file's name.")
    return claim


def read_claims(names: Sequence[str] = ()) -> tuple[Claim, ...]:
    """The claims of the ledger, or some of them, by number and id.

    Args:
        names: Ids, or paths of TOML files of the user's own; none for all of the ledger.

    Raises:
        UnknownNameError: If there is no claim of that id.
        DataFileError: If a file is missing or malformed.
    """
    ours = {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}
    for name in names:
        if not name.endswith(".toml") and name not in ours:
            raise UnknownNameError("claim", name, ours)
    paths = [Path(n) if n.endswith(".toml") else ours[n] for n in names] or list(ours.values())
    claims = {claim.id: claim for claim in map(read_claim, paths)}
    return tuple(sorted(claims.values(), key=lambda claim: (claim.number, claim.id)))
