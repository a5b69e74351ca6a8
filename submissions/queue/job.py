"""A job: a manifest that says what is to be scored, and with which options.

A manifest comes from anyone, so it is data and never a command line: every value is checked by
rule, and none can name a file outside the queue's folder or let a model's own code run.
"""

from __future__ import annotations

import os
import stat
import tomllib
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from harness.models.description import Kind  # noqa: TC001  # pydantic reads it
from harness.models.encoder_options import (  # noqa: TC001  # pydantic reads them
    DType,
    Embeddings,
    Similarity,
)
from submissions.manifest import Commit, EntryId, Line, Training  # noqa: TC001  # as above
from submissions.queue.model_names import check_name
from tasks.definition import describe, load_definition
from tasks.errors import BabelboardError, DataFileError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 2**14
"""Size of the largest manifest that is read."""
MOST_DEPTH = 3
"""A manifest's table holds values and lists of values: nothing is deeper."""
MOST_TASKS = 32
MOST_PROBLEMS = 20
_NEVER = {
    "trust_remote_code": "code that comes with a model never runs on a scoring machine",
    "device": "the scoring machine's maintainer chooses it, with --device",
    "memory": "the scoring machine's maintainer sets limits, with --memory-limit",
    "command": "a job is data: it has options, and no command line",
}


def _in_catalogue(name: str) -> str:
    if name.endswith(".toml"):
        raise ValueError("a job names a task of babelboard's, not a file")
    try:
        load_definition(name)
    except BabelboardError as error:
        raise ValueError(str(error)) from None
    return name


def _text_for_a_model(text: str) -> str:
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in "\n\t":
            raise ValueError(f"a prompt has no control characters, found U+{ord(character):04X}")
    return text


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(names) <= MOST_TASKS or len(set(names)) < len(names):
        raise ValueError(f"name 1 to {MOST_TASKS} tasks, each once")
    return names


TaskName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9._+-]{0,127}$"),
    AfterValidator(_in_catalogue),
]
SettingGlob = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?\[\]!/_-]{1,64}$")]
Prompt = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_text_for_a_model)]
Count = Annotated[StrictInt, Field(ge=1, le=10**6)]
# Kinds of lexicons by name; a file would be named after a colon.
LexiconName = Annotated[str, StringConstraints(pattern=r"^[a-z-]+(\+[a-z-]+)*$", max_length=64)]


class Job(BaseModel):
    """What is to be scored; the options are those of ``babelboard score``, by the same names.

    Attributes:
        schema_version: 1.
        id: Id of the entry.
        model: See :data:`submissions.queue.model_names.ALLOWED`.
        tasks: Tasks of the catalogue.
        name: Name that people read.
        revision: Commit of a hub model.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    id: EntryId
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    tasks: Annotated[tuple[TaskName, ...], AfterValidator(_each_once)]
    name: Line | None = None
    revision: Commit | None = None
    training: Training | None = None
    training_data: Line | None = None
    seeds: Annotated[tuple[StrictInt, ...], Field(max_length=64)] = ()
    settings: Annotated[tuple[SettingGlob, ...], Field(max_length=64)] = ()
    first_stage: Literal["bm25", "char-ngram"] | None = None
    depth: Annotated[StrictInt, Field(ge=1, le=10_000)] | None = None
    keep_runs: Annotated[StrictInt, Field(ge=1, le=1000)] | None = None
    kind: Kind | None = None
    query_prompt: Prompt | None = None
    document_prompt: Prompt | None = None
    pooling: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")] | None = None
    normalise: StrictBool | None = None
    similarity: Similarity | None = None
    max_tokens: Count | None = None
    truncate_dimensions: Count | None = None
    embeddings: Embeddings | None = None
    rescore: Annotated[StrictInt, Field(ge=0, le=10_000)] | None = None
    dtype: DType | None = None
    translate_test: LexiconName | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Job:
        check_name(self.model, self.revision)
        return self


def read_job(path: Path) -> Job:
    """Reads a manifest of a job.

    Args:
        path: A regular file of at most :data:`MOST_BYTES`; a link is not followed.

    Raises:
        DataFileError: If it is no such file, or not a manifest; every place that is wrong is named.
    """
    try:
        content = tomllib.loads(_read_capped(path).decode("utf-8"))
    except ValueError as error:  # also of numbers with thousands of digits
        raise DataFileError(f"{path} is not a TOML file: {error}.") from error
    except RecursionError:
        raise DataFileError(_too_deep(path)) from None
    if _deeper_than(content, MOST_DEPTH):
        raise DataFileError(_too_deep(path))
    problems = []
    for key in sorted(content.keys() - Job.model_fields.keys()):
        content.pop(key)
        why = _NEVER.get(key) or UnknownNameError("key", key[:60], Job.model_fields)
        problems.append(f"  {key[:60]!r}: {why}")
    try:
        job = Job.model_validate(content)
    except ValidationError as error:
        problems = [describe(path, error, MOST_PROBLEMS), *problems]
    else:
        if not problems:
            return job
        problems = [f"{path} is not as expected:", *problems]
    raise DataFileError("\n".join(problems))


def _read_capped(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=_without_links) as file:  # Path has no opener
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DataFileError(f"{path} is not a file: a job is a TOML file.")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DataFileError(
            f"{path} cannot be read: {error.strerror}. A job is a TOML file, and no link to one."
        ) from error
    if len(content) > MOST_BYTES:
        raise DataFileError(
            f"{path} has more than {MOST_BYTES:,} bytes; a job's manifest needs a few hundred."
        )
    return content


def _without_links(name: str, flags: int) -> int:
    # Not blocking: a named pipe would wait for a writer for ever.
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _deeper_than(content: Any, levels: int) -> bool:
    if not isinstance(content, (dict, list)):
        return False
    inner = content.values() if isinstance(content, dict) else content
    return levels == 0 or any(_deeper_than(one, levels - 1) for one in inner)


def _too_deep(path: Path) -> str:
    return f"{path} is nested deeper than {MOST_DEPTH} levels; a job has keys, values and lists."
