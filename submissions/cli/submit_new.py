"""``babelboard submit new``: begins an entry, before it is scored."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError
from rich.console import Console

from harness.entry_folders import REPORTED
from harness.models.description import RUN, display_name
from harness.models.door import BUILT_IN, MTEB
from submissions.about import FILE_NAME, About, write_about
from submissions.manifest import ID_PATTERN, Training
from submissions.model_facts import ModelFacts, facts_of, training_of
from tasks.definition import describe
from tasks.errors import EntryError, UnknownNameError, UsageError

FOUND = "Otherwise read from the model's files"
METHOD = "How it was trained"
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
QUESTIONS = {
    "model": "Model: a hub id, a folder, mteb:NAME, run:FOLDER, bm25 or char-ngram",
    "id": "Id of the entry (a-z 0-9 . _ -)",
    "name": "Name that people read",
    "licence": "Licence of the model",
    "contact": "Contact: Name <address>, published with the entry",
    "method": f"Method of training ({', '.join(get_args(Training))})",
    "revision": "Commit of the hub model, 40 hexadecimal digits",
}
"""What is required, as it is asked for."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a system: what was said, what its files say, or what follows from either.

    Attributes:
        said: Values by option; None where nothing is known.
        facts: What the files of the model say.
    """

    said: dict[str, Any]
    facts: ModelFacts

    @property
    def missing(self) -> list[str]:
        """Options that are required and not known."""
        needless = set() if self._is_of_the_hub() else {"revision"}
        if not self.said["model"]:
            needless |= {"id", "name"}  # they follow from the model
        return [n for n in QUESTIONS if n not in needless and not self.said.get(n)]

    def _is_of_the_hub(self) -> bool:
        model = self.said.get("model") or ""
        return not (model in BUILT_IN or ":" in model or not model or Path(model).is_dir())


def new(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            help="A hub id, a folder with a model, mteb:NAME, run:FOLDER, bm25, or char-ngram."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name that people read.")] = None,
    entry_id: Annotated[
        str | None, typer.Option("--id", help="Id of the entry. Default: from the model.")
    ] = None,
    contact: Annotated[
        str | None, typer.Option(help="Who answers for the entry: 'Name <address>'.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where to read of it; https.")] = None,
    root: Annotated[Path, typer.Option("--entries", help="Folder of entries.")] = Path(
        "submissions/entries"
    ),
    method: Annotated[
        str | None,
        typer.Option(help=f"One of: {', '.join(get_args(Training))}.", rich_help_panel=METHOD),
    ] = None,
    training_data: Annotated[
        str | None, typer.Option(help="What it was trained on.", rich_help_panel=METHOD)
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(help="Seed of its training; may be repeated.", rich_help_panel=METHOD),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="The model that it was made from.", rich_help_panel=FOUND)
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the model.", rich_help_panel=FOUND)
    ] = None,
    languages: Annotated[
        str | None,
        typer.Option(help="Codes of the languages it is for: de,en.", rich_help_panel=FOUND),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(help="Commit of a hub model, 40 hexadecimal digits.", rich_help_panel=FOUND),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Begin an entry: write its about.toml, which scoring keeps.

    What is not said is read from the model's files, if they are on this machine, and what is
    required and not known then is asked for on a terminal.
    """
    said: dict[str, Any] = {
        "model": model,
        "id": entry_id,
        "name": name,
        "licence": licence,
        "contact": contact,
        "method": method,
        "training_data": training_data,
        "seeds": tuple(seed or ()) or None,
        "url": url,
        "base": base,
        "languages": tuple(re.findall(r"[^,\s]+", languages or "")) or None,
        "revision": revision,
    }
    known = _complete(said)
    about = _about(known)
    folder = root / about.id
    if (folder / REPORTED).is_file():
        raise EntryError(
            f"{folder} holds reported numbers, which a run may not join. "
            "Choose another id with --id."
        )
    write_about(folder, about)
    _tell(folder, about, str(known.said["model"]), as_json=as_json)


def _complete(said: dict[str, Any]) -> _Known:
    """All that is required: known, or asked for.

    Raises:
        UsageError: If something is missing and there is nobody to ask.
    """
    known = _fill(said)
    if not known.missing or sys.stdin.isatty():
        while known.missing:
            # One at a time: an answer may make others unnecessary.
            name = known.missing[0]
            answer = typer.prompt(QUESTIONS[name], err=True).strip()
            known = _fill({**said, name: answer})
            said = {**said, name: answer}
        return known
    lines = "\n".join(f"  --{name}: {QUESTIONS[name]}" for name in known.missing)
    raise UsageError(
        f"Needed to begin an entry, and neither said nor found in the model's files:\n{lines}\n"
        "Give these options, or run the command on a terminal, where it asks."
    )


def _fill(said: dict[str, Any]) -> _Known:
    """What was said, and what follows from the model for what was not."""
    model = said["model"]
    if not model:
        return _Known(said, ModelFacts())
    facts, called = facts_of(model, said["revision"]), _own_name(model)
    record = training_of(model)
    found: dict[str, Any] = {
        "id": re.sub(r"[^a-z0-9._-]+", "-", called.lower()).strip("-._")[:64],
        "name": called,
        "licence": facts.licence,
        "base": facts.base,
        "languages": facts.languages or None,
        "revision": facts.revision,
    }
    if model in BUILT_IN:
        found |= {"licence": "Apache-2.0", "method": "untrained", "training_data": "none"}
    if record is not None:
        recipe = record.recipe
        found |= {
            "method": recipe.method,
            "training_data": recipe.summary,
            "seeds": (record.seed,),
            "base": record.base.name,
        }
    return _Known({key: value or found.get(key) for key, value in said.items()}, facts)


def _own_name(model: str) -> str:
    """What a model is called, without its owner, and without what says how it is loaded."""
    return display_name(model).removeprefix(RUN).removeprefix(MTEB).rpartition("/")[2]


def _about(known: _Known) -> About:
    """What is written.

    Raises:
        UnknownNameError: If there is no such method.
        UsageError: If something that was said cannot be written; all places are named.
    """
    said, facts = known.said, known.facts
    if said["method"] not in get_args(Training):
        raise UnknownNameError("method of training", said["method"], get_args(Training))
    if not re.fullmatch(ID_PATTERN, said["id"]):
        raise UsageError(
            f"{said['id']!r} cannot be an entry's id: it needs 1 to 64 of a-z 0-9 . _ - and begins "
            "with a letter or digit. Choose one with --id."
        )
    source = display_name(said["model"])
    model = {
        "source": source,
        "revision": said["revision"],
        "base": said["base"],
        "languages": said["languages"] or (),
        "dimension": facts.dimension,
        "max_tokens": facts.max_tokens,
        "parameters": facts.parameters,
    }
    method = {
        "training": said["method"],
        "training_data": said["training_data"] or "unknown",
        "seeds": said["seeds"] or (),
    }
    content = {key: said[key] for key in ("id", "name", "contact", "licence", "url")}
    try:
        return About.model_validate(
            {"schema_version": 1, **content, "model": model, "method": method}
        )
    except ValidationError as error:
        raise UsageError(describe("What was said of the entry", error)) from error


def _tell(folder: Path, about: About, model: str, *, as_json: bool) -> None:
    words = ["babelboard", "score", model, "--task", "TASK", "--entry", about.id]
    if about.model.revision and _HUB_ID.fullmatch(model):
        words += ["--revision", about.model.revision]
    if as_json:
        content = about.model_dump(mode="json", exclude_none=True)
        made = {"schema_version": 1, "entry": str(folder), "about": content, "score": words}
        print(json.dumps(made, indent=1))
        return
    console = Console(highlight=False)
    written = folder / FILE_NAME
    for line in (
        f"Written: {written}. Edit it as you like; scoring keeps it.",
        f"Next: {shlex.join(words)}",
    ):
        console.print(line, soft_wrap=True, markup=False)
