"""Task definitions: the files of ``tasks/catalogue/``, and a user's own in the same form."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping  # noqa: TC003  # pydantic reads it
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

from tasks.errors import BabelboardError, DataFileError, UnknownNameError, UsageError
from tasks.languages import NAMES
from tasks.settings import (
    Setting,
    listed_settings,
    monolingual_and_pool_settings,
    pair_settings,
    parallel_settings,
)

CATALOGUE = Path(__file__).parent / "catalogue"

CandidateForm = Literal["sentence", "sentence+context", "passage", "passage+paper-draw"]
"""What a candidate is. What follows ``+`` is part of a task's name: ``xquad-r+context`` is
``xquad-r`` with each candidate sentence followed by its paragraph, ``mmarco-rerank+paper-draw``
is ``mmarco-rerank`` with the languages that the paper's own code drew."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32}|unchecked)$")]
Count = Annotated[int, Field(ge=1)]

_SETTINGS = {
    "parallel": parallel_settings,
    "monolingual and pool": monolingual_and_pool_settings,
    "all pairs": pair_settings,
}


class LanguageSize(BaseModel):
    """What the files of one language must hold; None where it is not said.

    Attributes:
        queries: Number of queries.
        documents: Number of documents in the corpus.
        judgments: Number of judgments of its documents.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    queries: Count | None = None
    documents: Count | None = None
    judgments: Count | None = None


class LanguageFile(BaseModel):
    """The file of one language, and what it must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: FileName
    sha256: Sha256 | None = None
    queries: Count | None = None
    documents: Count | None = None


class TaskDefinition(BaseModel):
    """A data set, its settings, its measures and its protocol.

    Attributes:
        settings: A rule that gives the settings of the languages, or their ids.
        note: What a reader of the numbers must know.
        folder: Where the files are: in a data folder, or, for a task file of the user's own,
            beside it. For the sources of ir_datasets it is the user's own home of ir_datasets.
        files: Of the source ``squad-r``: one file a language.
        sizes: Of the sources of ir_datasets: the languages, and what their files must hold.
        candidate_pairs: Pairs of question and candidate in the file of candidates.
        md5: Of the sources of ir_datasets: checksums that replace the published ones, by path in
            the home of ir_datasets; ``unchecked`` is taken as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    name: Name
    title: str
    summary: str
    note: str = ""
    source: Literal["squad-r", "miracl", "mmarco"]
    protocol: Literal["full", "rerank"]
    settings: Literal["parallel", "monolingual and pool", "all pairs"] | tuple[str, ...]
    candidates: tuple[CandidateForm, ...] = ()
    measures: tuple[str, ...]
    primary_measure: str
    licence: str
    homepage: str
    citation: str
    folder: str | None = None
    url: str | None = None
    files: dict[str, LanguageFile] = {}
    sizes: dict[str, LanguageSize] = {}
    candidate_pairs: Count | None = None
    md5: dict[str, Md5] | Literal["unchecked"] = {}

    home: Path | None = Field(default=None, exclude=True)
    """The folder that holds ``folder``, where it is known; else the data folders are searched."""

    @model_validator(mode="after")
    def _consistent(self) -> TaskDefinition:
        if len(set(self.measures)) < len(self.measures) or not self.measures:
            raise ValueError("measures: at least one is needed, each once")
        if self.primary_measure not in self.measures:
            raise ValueError(f"primary_measure: {self.primary_measure!r} is not among measures")
        if self.source == "squad-r":
            self._consistent_squad_r()
        else:
            self._consistent_ir_datasets()
        forms = FORMS[self.source, self.protocol]
        if not set(self.candidates) <= set(forms):
            raise ValueError(f"candidates: {self.source} has {', '.join(forms)}")
        try:
            settings = self.all_settings()
        except BabelboardError as error:
            raise ValueError(f"settings: {error}") from None
        if self.source == "miracl":
            for one in settings:
                if one.kind == "clir" or len(one.query_languages) > 1:
                    raise ValueError(f"settings: MIRACL has no answers across languages: {one.id}")
        return self

    def _consistent_squad_r(self) -> None:
        if not self.files:
            raise ValueError("files: at least one language is needed")
        if self.folder is None:
            raise ValueError("folder: the name of the folder that holds the files is needed")
        if self.sizes or self.md5 or self.candidate_pairs or self.protocol != "full":
            raise ValueError(
                "source: 'squad-r' has files, and protocol 'full'; sizes, md5 and "
                "candidate_pairs are for the sources of ir_datasets"
            )
        if self.url is not None:
            if self.url.replace("{file}", "").count("{") or "{file}" not in self.url:
                raise ValueError("url: it needs {file}, and no other placeholder")
            if any(file.sha256 is None for file in self.files.values()):
                raise ValueError("url: files that are fetched need a sha256 each")

    def _consistent_ir_datasets(self) -> None:
        if not self.sizes:
            raise ValueError("sizes: at least one language is needed")
        if self.files or self.url:
            raise ValueError(f"source: {self.source!r} takes its files from ir_datasets: no files")
        if self.source == "miracl" and self.protocol != "full":
            raise ValueError("protocol: 'miracl' has no lists of candidates, so only 'full'")
        if self.candidate_pairs and self.protocol == "full":
            raise ValueError("candidate_pairs: for the protocol 'rerank'")

    @property
    def is_built_in(self) -> bool:
        """Whether babelboard itself carries the files."""
        return self.home == Path(__file__).parent

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the task's languages, ascending."""
        return tuple(sorted(self.files or self.sizes))

    @property
    def forms(self) -> tuple[CandidateForm, ...]:
        """The forms of its candidates, the usual one first."""
        return self.candidates or FORMS[self.source, self.protocol][:1]

    @property
    def language_sizes(self) -> Mapping[str, LanguageSize]:
        """What the files of each language hold, whatever the source."""
        if self.sizes:
            return {code: self.sizes[code] for code in self.languages}
        return {
            code: LanguageSize(queries=file.queries, documents=file.documents)
            for code, file in sorted(self.files.items())
        }

    def all_settings(self) -> tuple[Setting, ...]:
        """Every setting of the task, in the order in which they are reported."""
        if isinstance(self.settings, str):
            return _SETTINGS[self.settings](self.languages)
        return listed_settings(self.settings, self.languages)


FORMS: dict[tuple[str, str], tuple[CandidateForm, ...]] = {
    ("squad-r", "full"): ("sentence", "sentence+context"),
    ("miracl", "full"): ("passage",),
    ("mmarco", "full"): ("passage",),
    ("mmarco", "rerank"): ("passage", "passage+paper-draw"),
}
"""The forms that a source and a protocol can have; the first is the one without a suffix."""


def form_suffix(form: CandidateForm) -> str:
    """What a form adds to the name of a task: nothing, or for example ``+context``."""
    return "".join(form.partition("+")[1:])


def task_names() -> tuple[str, ...]:
    """Names of the tasks in the catalogue, ascending."""
    return tuple(sorted(_parse(path).name for path in CATALOGUE.glob("*.toml")))


def load_definition(name: str) -> tuple[TaskDefinition, CandidateForm]:
    """The definition of a task and the form of its candidates.

    Args:
        name: A name of the catalogue, or the path of a TOML file in the catalogue's form (its
            data files then lie in ``folder`` beside it); with a suffix such as ``+context``
            appended, the task with candidates of another form.

    Raises:
        UnknownNameError: If there is no such task.
        UsageError: If the task has no candidates of that form.
        DataFileError: If a TOML file is missing or malformed.
    """
    suffixes = {form_suffix(form) for forms in FORMS.values() for form in forms} - {""}
    suffix = next((known for known in sorted(suffixes) if name.endswith(known)), "")
    base = name.removesuffix(suffix)
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
        if definition.files and definition.url is None:
            definition = definition.model_copy(update={"home": Path(__file__).parent})
    for form in definition.forms:
        if form_suffix(form) == suffix:
            return definition, form
    raise UsageError(
        f"Task {definition.name!r} has no candidates of the form "
        f"{definition.forms[0].partition('+')[0] + suffix!r}. "
        f"It has: {', '.join(definition.forms)}."
    )


def _parse(path: Path) -> TaskDefinition:
    try:
        definition = TaskDefinition.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError):
        raise DataFileError(f"There is no task file {path}. See `babelboard tasks`.") from None
    except ValidationError as error:
        raise DataFileError(describe(path, error)) from error
    except (ValueError, RecursionError) as error:  # also numbers and nesting beyond all measure
        raise DataFileError(f"{path} is not a TOML file: {error}.") from error
    for language in definition.languages:
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
