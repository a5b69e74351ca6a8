"""Systems: entries that differ in nothing but the seed of their training."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from submissions.baselines.recipe import Recipe  # noqa: TC001  # pydantic reads it
from submissions.entry import TRAINING_RECORD
from submissions.manifest import Sha256  # noqa: TC001  # pydantic reads it
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from pathlib import Path

    from harness.models.description import ModelKind
    from submissions.entry import Entry
    from submissions.manifest import Training

TRANSLATED = "translate_test"
"""What the names of the settings of translate-test begin with."""
TRAINED = ("zero-shot", "code-switched", "hybrid-batches", "fine-tuned", "translate-test")
"""Methods of training that claims are about."""


class _Part(BaseModel):
    # The record tells more than is needed here.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Base(_Part):
    """The model that a training started from."""

    name: str
    digest: Sha256


class LexiconUsed(_Part):
    """A lexicon that words were switched by."""

    name: str
    checksum: str
    entries: int


Shared = Annotated[int, Field(ge=0, strict=True)]


class SharedTexts(_Part):
    """What the training texts share with tasks, found before the training.

    Attributes:
        leaks: Whether they share a question.
        questions: By task that was compared, the number of its questions that they share.
        passages: By task, the number of its passages.
    """

    leaks: Annotated[bool, Field(strict=True)]
    questions: dict[str, Shared]
    passages: dict[str, Shared]

    @model_validator(mode="after")
    def _consistent(self) -> SharedTexts:
        if self.leaks != any(self.questions.values()):
            raise ValueError("leaks: true if a question of a task is shared, else false")
        if self.questions.keys() != self.passages.keys():
            raise ValueError("questions and passages: of the same tasks")
        return self


class TrainingRecord(_Part):
    """What decided the weights; written by :mod:`submissions.baselines.training_record`.

    Attributes:
        contamination: None where the training texts were not compared with tasks.
        steps: Number of steps that were done; None where it was not recorded.
        seconds: What they took, in all parts of the training; None where it was not recorded.
        hardware: What it ran on.
    """

    schema_version: Literal[1]
    seed: int
    model_digest: Sha256
    recipe: Recipe
    base: Base
    data: dict[str, str]
    lexicons: dict[str, LexiconUsed] = {}
    contamination: SharedTexts | None = None
    steps: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    hardware: dict[str, str] = {}

    @property
    def own_pairs(self) -> tuple[tuple[str, str], ...]:
        """Query and document language of a training for one pair; else none.

        A side that is not switched is in the language of the texts. Trained for both directions,
        it has two.
        """
        switching = self.recipe.switching
        if switching is None or self.recipe.batches.strategy != "monolingual":
            return ()
        if len(switching.query) > 1 or len(switching.document) > 1:
            return ()
        (query,) = switching.query or (switching.source,)
        (document,) = switching.document or (switching.source,)
        both = ((query, document), (document, query))
        return both if switching.mirrored and query != document else both[:1]

    @property
    def languages(self) -> frozenset[str]:
        """Languages that it was trained on."""
        recipe, switching = self.recipe, self.recipe.switching
        found = {part.language for part in recipe.data} | set(recipe.batches.languages)
        if switching:
            found |= {*switching.query, *switching.document}
        return frozenset(found)

    @property
    def lexicon_size(self) -> float | None:
        """Mean number of entries of its lexicons."""
        sizes = [lexicon.entries for lexicon in self.lexicons.values()]
        return sum(sizes) / len(sizes) if sizes else None


@dataclass(frozen=True, slots=True)
class System:
    """A way to train and to retrieve, with an entry for each seed.

    Attributes:
        label: What it is called; no other system is called so.
        entries: One for each seed, by seed.
        seeds: Seeds of the training; empty where nothing is known of them.
        training: How it was trained.
        kind: How it retrieves.
        translated: Whether texts are translated before they are ranked.
        record: Of the first seed's training, where there is one.
        records: Of the training of each seed; empty where there is none.
    """

    label: str
    entries: tuple[Entry, ...]
    seeds: tuple[int, ...]
    training: Training
    kind: ModelKind
    translated: bool
    record: TrainingRecord | None
    records: tuple[TrainingRecord, ...] = ()

    @property
    def base(self) -> str:
        """Name of the base model, or of the model itself where the base is not known."""
        return self.record.base.name if self.record else self.entries[0].manifest.model.name

    @property
    def conditions(self) -> Hashable:
        """What two systems must share, so that a difference is that of their methods.

        The base model, the kind, the steps and their size, and how they were scored. Without a
        record of the training, a system is like no other.
        """
        if self.record is None:
            return self.entries[0].manifest.id
        numbers = self.record.recipe.training
        settings = _scoring(self.entries[0])
        return (self.record.base.digest, self.kind, numbers.steps, numbers.batch_size, settings)

    def has(self, task: str) -> bool:
        """Whether all seeds were scored on all settings of a task."""
        runs = [entry.manifest.runs.get(task) for entry in self.entries]
        return all(run is not None and run.complete for run in runs)


@dataclass(frozen=True, slots=True)
class Systems:
    """The systems of a folder of entries.

    Attributes:
        found: By label.
        notes: Entries that had to be left out, or of which too little is known, and why.
    """

    found: tuple[System, ...]
    notes: tuple[str, ...]


def systems_of(entries: Iterable[Entry]) -> Systems:
    """Groups entries into systems; reported numbers are no entries in this sense.

    A training is known by the sha256 of the model that it made, so that one record serves all
    entries of that model.

    Raises:
        EntryError: If a record is malformed, or of another model than was scored.
    """
    scored = sorted((e for e in entries if e.manifest.runs), key=lambda e: e.manifest.id)
    records = {r.model_digest: r for r in (training_record(entry) for entry in scored) if r}
    groups: dict[Hashable, dict[int, Entry]] = {}
    notes = []
    for entry in scored:
        name, digest = entry.manifest.id, entry.manifest.model.digest
        record = records.get(digest) if digest else None
        key, seed = (name, 0) if record is None else (_same_but_seed(entry, record), record.seed)
        if record is None and entry.manifest.method.training in TRAINED:
            notes.append(
                f"{name} has no {TRAINING_RECORD}: its base model and recipe are not known, so it "
                "is compared with no other system."
            )
        group = groups.setdefault(key, {})
        if seed in group:
            notes.append(
                f"{name} is left out: {group[seed].manifest.id} has the same recipe and seed."
            )
        else:
            group[seed] = entry
    systems = [_system(group, records) for group in groups.values()]
    return Systems(_with_labels(systems), tuple(notes))


def training_record(entry: Entry) -> TrainingRecord | None:
    """The record of the training that made an entry's model, where the entry keeps it.

    Raises:
        EntryError: If it is malformed, or of another model than was scored.
    """
    path: Path = entry.folder / TRAINING_RECORD
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        record = TrainingRecord.model_validate(content)
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise EntryError(describe(path, error)) from error
    except ValueError as error:
        raise EntryError(f"{path} is not a JSON file: {error}.") from error
    if record.model_digest != entry.manifest.model.digest:
        raise EntryError(
            f"{path} is of a model with sha256 {record.model_digest}, the entry of one with "
            f"{entry.manifest.model.digest}. Copy the record of the model that was scored."
        )
    return record


def _is_translated(entry: Entry) -> bool:
    is_said = entry.manifest.method.training == "translate-test"
    return is_said or any(k.startswith(TRANSLATED) for k in entry.manifest.model.settings)


def _scoring(entry: Entry, *, with_translation: bool = False) -> str:
    """The settings that change a model's scores, besides the translation of its texts."""
    settings = entry.manifest.model.settings
    kept = {k: v for k, v in settings.items() if with_translation or not k.startswith(TRANSLATED)}
    return json.dumps(kept, sort_keys=True)


def _same_but_seed(entry: Entry, record: TrainingRecord) -> Hashable:
    lexicons = ((code, used.checksum) for code, used in record.lexicons.items())
    return (
        record.recipe.digest(),
        record.base.digest,
        tuple(sorted(record.data.items())),
        tuple(sorted(lexicons)),
        entry.manifest.model.kind,
        _scoring(entry, with_translation=True),
        _is_translated(entry),
    )


def _system(group: dict[int, Entry], records: dict[str, TrainingRecord]) -> System:
    seeds = sorted(group)
    entries = tuple(group[seed] for seed in seeds)
    manifest = entries[0].manifest
    known = [records.get(entry.manifest.model.digest or "") for entry in entries]
    record = known[0]
    translated = _is_translated(entries[0])
    label = manifest.name
    if record:
        label = record.recipe.title + (", translate-test" if translated else "")
    return System(
        label=label,
        entries=entries,
        seeds=tuple(seeds) if record else manifest.method.seeds,
        training=record.recipe.method if record else manifest.method.training,
        kind=manifest.model.kind,
        translated=translated,
        record=record,
        records=tuple(one for one in known if one),
    )


def _with_labels(systems: list[System]) -> tuple[System, ...]:
    """Systems by label; where several have one, the id of an entry is added."""
    labels = [system.label for system in systems]
    named = [
        replace(s, label=f"{s.label} [{s.entries[0].manifest.id}]")
        if labels.count(s.label) > 1
        else s
        for s in systems
    ]
    return tuple(sorted(named, key=lambda s: s.label))
