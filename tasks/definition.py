"""Task definitions: the files of ``tasks/catalogue/``, and a user's own in the same form."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from tasks.errors import DataFileError, UnknownNameError, UsageError
from tasks.languages import NAMES

CATALOGUE = Path(__file__).parent / "catalogue"

CandidateForm = Literal["sentence", "sentence+context"]
CONTEXT_SUFFIX = "+context"
"""``xquad-r+context`` is ``xquad-r`` with each candidate sentence followed by its paragraph."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class LanguageFile(BaseModel):
    """The file of one language, and what it must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: FileName
    sha256: Sha256 | None = None
    queries: Annotated[int, Field(ge=1)] | None = None
    documents: Annotated[int, Field(ge=1)] | None = None


class TaskDefinition(BaseModel):
    """A data set, its settings, its measures and its protocol."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    name: Name
    title: str
    summary: str
    source: Literal["squad-r"]
    protocol: Literal["full"]
    settings: Literal["parallel"]
    candidates: tuple[CandidateForm, ...] = ("sentence",)
    measures: tuple[str, ...]
    primary_measure: str
    licence: str
    homepage: str
    citation: str
    folder: str
    url: str | None = None
    files: dict[str, LanguageFile]

    home: Path | None = Field(default=None, exclude=True)
    """The folder that holds ``folder``, where it is known; else the data folders are searched."""

    @model_validator(mode="after")
    def _consistent(self) -> TaskDefinition:
        if not self.files:
            raise ValueError("files: at least one language is needed")
        if len(set(self.measures)) < len(self.measures) or not self.measures:
            raise ValueError("measures: at least one is needed, each once")
        if self.primary_measure not in self.measures:
            raise ValueError(f"primary_measure: {self.primary_measure!r} is not among measures")
        if self.url is not None:
            if self.url.replace("{file}", "").count("{") or "{file}" not in self.url:
                raise ValueError("url: it needs {file}, and no other placeholder")
            if any(file.sha256 is None for file in self.files.values()):
                raise ValueError("url: files that are fetched need a sha256 each")
        return self

    @property
    def is_built_in(self) -> bool:
        """Whether babelboard itself carries the files."""
        return self.home == Path(__file__).parent

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the task's languages, ascending."""
        return tuple(sorted(self.files))


def task_names() -> tuple[str, ...]:
    """Names of the tasks in the catalogue, ascending."""
    return tuple(sorted(_parse(path).name for path in CATALOGUE.glob("*.toml")))


def load_definition(name: str) -> tuple[TaskDefinition, CandidateForm]:
    """The definition of a task and the form of its candidates.

    Args:
        name: A name of the catalogue, or the path of a TOML file in the catalogue's form (its
            data files then lie in ``folder`` beside it); with ``+context`` appended, each
            candidate sentence is followed by its paragraph.

    Raises:
        UnknownNameError: If there is no such task.
        UsageError: If the task has no candidates of that form.
        DataFileError: If a TOML file is missing or malformed.
    """
    base = name.removesuffix(CONTEXT_SUFFIX)
    form: CandidateForm = "sentence" if base == name else "sentence+context"
    if base.endswith(".toml"):
        path = Path(base)
        definition = _parse(path).model_copy(update={"home": path.parent})
        if definition.name in task_names():
            raise UsageError(
                f"{path} is named {definition.name!r}, as a task of babelboard's is; "
                "give it another name."
            )
    else:
        found = {d.name: d for d in map(_parse, sorted(CATALOGUE.glob("*.toml")))}
        if base not in found:
            raise UnknownNameError("task", base, found)
        definition = found[base]
        if definition.url is None:
            definition = definition.model_copy(update={"home": Path(__file__).parent})
    if form not in definition.candidates:
        raise UsageError(
            f"Task {definition.name!r} has no candidates of the form {form!r}. "
            f"It has: {', '.join(definition.candidates)}."
        )
    return definition, form


def _parse(path: Path) -> TaskDefinition:
    try:
        definition = TaskDefinition.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError):
        raise DataFileError(f"There is no task file {path}. See `babelboard tasks`.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataFileError(f"{path} is not a TOML file: {error}.") from error
    except ValidationError as error:
        raise DataFileError(describe(path, error)) from error
    for language in definition.files:
        if language not in NAMES:
            raise UnknownNameError(f"language in {path}", language, NAMES)
    return definition


def describe(what: Path | str, error: ValidationError, most: int = 5) -> str:
    """What pydantic found wrong in a file, a line for each place."""
    found = error.errors(include_url=False, include_context=False)
    lines = [
        f"  {'.'.join(str(part) for part in item['loc']) or 'the file'}: {item['msg']}"
        + (
            f", found {str(item['input'])[:60]!r}"
            if item["loc"] and item["type"] != "missing"
            else ""
        )
        for item in found[:most]
    ]
    if len(found) > most:
        lines.append(f"  ... and {len(found) - most} more")
    return "\n".join([f"{what} is not as expected:", *lines])
