"""What people say of a system, ``about.toml``: ``babelboard submit new`` begins it.

People edit this file and nobody else does: scoring takes the name and the method from it, writes
them into ``submission.toml`` with all that it measures, and leaves this one as it is. ::

    schema_version = 1
    id = "my-model"                         # the folder's name
    name = "My model"
    contact = "Jane Doe <jane@example.org>"
    licence = "Apache-2.0"
    url = "https://example.org/my-model"    # optional

    [model]
    source = "org/my-model"                 # what `babelboard score` takes; no path
    revision = "40 hexadecimal digits"      # of a hub model
    base = "org/base-model"                 # optional
    languages = ["de", "en"]                # those that it is made for; optional
    dimension = 384                         # these three as the model's files have them
    max_tokens = 512
    parameters = 22713216

    [method]                                # as in submission.toml
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from harness.files import write_atomically
from submissions.manifest import Commit, EntryId, Line, MethodPart
from submissions.toml_file import read_toml_file
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

    from submissions.manifest import Submission

FILE_NAME = "about.toml"
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")


def _no_path(source: str) -> str:
    """The name of a model, if it is no path on somebody's machine."""
    if source.startswith(("/", "~", ".")) or ".." in source or "\\" in source:
        raise ValueError("a hub id, mteb:NAME, bm25, char-ngram, or the own name of a folder")
    return source


Source = Annotated[Line, AfterValidator(_no_path)]
Url = Annotated[
    str,
    StringConstraints(
        max_length=500, pattern=r"^https://[A-Za-z0-9][A-Za-z0-9.-]*(/[A-Za-z0-9._~/?#=&%+:@-]*)?$"
    ),
]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AboutModel(_Part):
    """The model, before it is scored.

    Attributes:
        source: What ``babelboard score`` takes; a folder by its own name.
        revision: Commit of a hub model.
        base: The model that it was made from.
        languages: Codes of the languages that it is made for.
        dimension: Of its embeddings.
        max_tokens: Longer texts are cut.
        parameters: Number of its parameters.
    """

    source: Source
    revision: Commit | None = None
    base: Source | None = None
    languages: tuple[LanguageCode, ...] = ()
    dimension: Count | None = None
    max_tokens: Count | None = None
    parameters: Count | None = None


class About(_Part):
    """What people say of a system.

    Attributes:
        id: Id of the entry, also the name of its folder.
        name: Name that people read.
        contact: Who answers for the entry: a name, and how to reach them.
        licence: Of the model, as its card has it.
        url: Where to read of it; https only.
        model: The model.
        method: How the model came about.
    """

    schema_version: Literal[1]
    id: EntryId
    name: Line
    contact: Line
    licence: Line
    url: Url | None = None
    model: AboutModel
    method: MethodPart


def read_about(folder: Path) -> About | None:
    """What people say of an entry; None where nobody has.

    Raises:
        EntryError: If the file is malformed, or of another entry.
    """
    about = read_toml_file(folder / FILE_NAME, About)
    if about is not None and about.id != folder.resolve().name:
        raise EntryError(
            f"{folder / FILE_NAME} has the id {about.id!r}; it must be the folder's name."
        )
    return about


def write_about(folder: Path, about: About) -> None:
    """Writes the file of a new entry.

    Raises:
        EntryError: If there is one: what people wrote is never replaced.
    """
    path = folder / FILE_NAME
    if path.exists():
        raise EntryError(f"There is {path} already. Edit it, or choose another id with --id.")
    content = about.model_dump(mode="json", exclude_none=True)
    write_atomically(path, tomli_w.dumps(content).encode())


def check_said(folder: Path, submission: Submission) -> None:
    """Refuses to say something else of an entry than people wrote.

    Raises:
        EntryError: If the file is malformed, or says otherwise.
    """
    about = read_about(folder)
    if about is None:
        return
    said = submission.method.model_dump(exclude_unset=True) if submission.method else {}
    if submission.name is not None:
        said["name"] = submission.name
    written = {**about.method.model_dump(), "name": about.name}
    if other := sorted(key for key, value in said.items() if value != written[key]):
        key = other[0]
        raise EntryError(
            f"{folder / FILE_NAME} says {key} = {written[key]!r}, and now it is to be "
            f"{said[key]!r}. Edit the file, or leave the option out."
        )


def is_same_party(one: str, other: str) -> bool:
    """Whether two of ``Name <address>`` may be one party: they share a name or an address."""
    return bool(_names_of(one) & _names_of(other))


def _names_of(text: str) -> set[str]:
    """The addresses in a text, and what remains without them, as far as they tell people apart."""
    folded = text.casefold()
    addresses = set(_ADDRESS.findall(folded))
    name = " ".join(re.findall(r"\w+", _ADDRESS.sub(" ", folded)))
    return addresses | ({name} if name else set())
