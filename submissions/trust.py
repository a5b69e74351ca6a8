"""How far an entry can be trusted: computed from what it holds, never declared.

==  =====================================================================================
T0  reported: numbers without ranks, see :mod:`submissions.reported`
T1  the rank of every judged document is given, and all scores are computed from it
T2  besides, anyone can get the very same model and repeat the run
T3  besides, somebody else repeated every run and came out within tolerance, and the entry holds
    the record of it, see :mod:`submissions.verification_record`
==  =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from submissions.about import FILE_NAME as ABOUT
from submissions.about import is_same_party
from submissions.baselines.recipe_file import RECIPES, load_recipe
from submissions.claims.system import training_record
from submissions.entry import TRAINING_RECORD
from submissions.verification import tolerance_of
from tasks.errors import DataFileError, EntryError

if TYPE_CHECKING:
    from submissions.baselines.recipe import Recipe
    from submissions.entry import Entry
    from submissions.verification_record import TaskVerification

Level = Literal["T1", "T2", "T3"]
LEXICAL = ("bm25", "char-ngram")
"""Kinds of models that have no weights: the settings in the manifest say all of them."""
TO_T3 = "a repetition of the run by somebody else, within tolerance, with a record of it"
NO_CONTACT = (
    f"{ABOUT} with the submitter's contact, without which nobody can tell whether somebody else "
    "repeated the run"
)
_PACKAGE = "package:"
_NO_MODEL = {
    "run": "only its rankings were given",
    "fusion": "a fusion is as public as the entries that it fuses",
}
_ANY_MODEL = (
    "a model that anyone can get: a hub model pinned to a commit (--revision), or a training by a "
    f"recipe of babelboard with its {TRAINING_RECORD}"
)


@dataclass(frozen=True, slots=True)
class TrustLevel:
    """The level of an entry, and why it has this one.

    Attributes:
        level: ``T1``, ``T2`` or ``T3``.
        holds: What speaks for the entry, in words.
        needed: What it lacks for the next level, in words; nothing for T3, the highest.
    """

    level: Level
    holds: tuple[str, ...]
    needed: tuple[str, ...]


def trust_level(entry: Entry) -> TrustLevel:
    """The trust level of an entry whose files can be read.

    Args:
        entry: The entry. That its ranks are those of its manifest is checked where they are read,
            see :meth:`submissions.entry.Entry.ranks`.

    Raises:
        EntryError: If it has no runs, so that there is nothing to trust, or the record of its
            training is malformed.
    """
    runs = entry.manifest.runs
    if not runs:
        raise EntryError(f"{entry.folder} has no runs, so it has no trust level. Score a task.")
    found, lacking = _model(entry)
    for what, missing in (
        (
            "the sha256 of every data file is recorded",
            [task for task, run in runs.items() if not run.data],
        ),
        (
            "the versions of the software are recorded",
            [task for task, run in runs.items() if "babelboard" not in run.versions],
        ),
    ):
        if missing:
            lacking.append(f"{what}; not of {', '.join(sorted(missing))}")
        else:
            found.append(what)
    holds = (
        "all scores are computed from the rank of every judged document, which the entry holds",
        "the command of each run is recorded",
        *found,
    )
    if lacking:
        return TrustLevel("T1", holds, tuple(lacking))
    if missing := _unverified(entry):
        return TrustLevel("T2", holds, tuple(missing))
    return TrustLevel("T3", (*holds, *_verified(entry)), ())


def _unverified(entry: Entry) -> list[str]:
    """What an entry lacks for its runs to count as repeated by somebody else."""
    if entry.verification is None:
        return [TO_T3]
    if entry.about is None:
        return [NO_CONTACT]
    lacking = []
    for task in entry.manifest.runs:
        found = entry.verification.tasks.get(task)
        why = "there is no record of one" if found is None else _why_void(entry, task, found)
        if why is not None:
            lacking.append(f"a repetition of {task} by somebody else, within tolerance: {why}")
    return lacking


def _why_void(entry: Entry, task: str, found: TaskVerification) -> str | None:
    """Why the record of a repetition does not count, in words; None if it does."""
    about, ranks = entry.about, entry.manifest.runs[task].ranks
    if found.ranks != ranks:
        return (
            f"the record of {found.date} is void, as it is of ranks with sha256 {found.ranks}, and "
            f"the entry has others, {ranks}"
        )
    if about is not None and is_same_party(about.contact, found.by):
        return f"the record of {found.date} is by {found.by}, the submitter"
    # A record may be stricter than the tolerance of its number format, but not laxer.
    allowed = min(found.tolerance, tolerance_of(entry.manifest.model))
    # A delta leaves out what one question weighs: not where nothing at all may differ.
    differs = found.delta if allowed > 0 else found.largest
    if differs > allowed:
        return f"on {found.date} it differed by {differs:.4g}, and {allowed:g} is allowed"
    return None


def _verified(entry: Entry) -> list[str]:
    record = entry.verification
    return [
        f"{found.by} repeated {task} on {found.date}: means differ by {found.largest:.2g} at most"
        for task, found in (record.tasks.items() if record else ())
        if task in entry.manifest.runs
    ]


@cache
def shipped_digest(name: str) -> str | None:
    """The digest of a recipe that comes with babelboard; None if there is none of this name."""
    try:
        return load_recipe(RECIPES / f"{name}.toml").digest()
    except DataFileError:
        return None


def follows_shipped_recipe(recipe: Recipe) -> bool:
    """Whether a recipe is, in all that decides the weights, one that comes with babelboard."""
    return shipped_digest(recipe.name) == recipe.digest()


def _model(entry: Entry) -> tuple[list[str], list[str]]:
    """Why anyone can get the very same model, or why not: one of both is empty."""
    model = entry.manifest.model
    if model.kind in LEXICAL:
        return ["the model needs no weights: its settings are recorded"], []
    if model.kind in _NO_MODEL:
        return [], [f"the model: {_NO_MODEL[model.kind]}"]
    if model.revision:
        return [f"the model is pinned to the commit {model.revision} of the hub"], []
    record = training_record(entry)
    if record is None:
        return [], [_ANY_MODEL]
    return _trained(record.recipe)


def _trained(recipe: Recipe) -> tuple[list[str], list[str]]:
    if not follows_shipped_recipe(recipe):
        return [], [f"a recipe as babelboard has it: this training changed {recipe.name}"]
    if not (recipe.base.startswith(_PACKAGE) or recipe.revision):
        return [], ["the commit of the base model, or one that a package carries"]
    return [f"the model is made by the recipe {recipe.name}, which comes with babelboard"], []
