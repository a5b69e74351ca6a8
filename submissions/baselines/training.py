"""Trains a baseline from its recipe.

::

    <out>/<recipe>-seed-<seed>/
        <recipe>-seed-<seed>/   the model, as sentence-transformers saves it
        record.json             what it was made from, and how; written last
        loss.svg                the loss of each step
        checkpoint.safetensors  where the training stands, until it is done
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.files import remove_left_behind, sync_folder, write_atomically
from harness.locks import only_writer
from harness.models.model_files import digest_of
from submissions.baselines.base_model import load_base
from submissions.baselines.batch_languages import Batches
from submissions.baselines.bi_encoder_training import BiEncoderLoss
from submissions.baselines.contamination import check_contamination, tasks_at_hand
from submissions.baselines.cross_encoder_training import CrossEncoderLoss
from submissions.baselines.hard_negatives import Negatives
from submissions.baselines.loss_curve import loss_curve
from submissions.baselines.step_texts import StepSource, SwitchedTexts, recipe_lexicons
from submissions.baselines.training_checkpoint import refuse_other_plan
from submissions.baselines.training_loop import Job, run_steps
from submissions.baselines.training_pairs import read_pairs
from submissions.baselines.training_record import (
    FILE_NAME,
    is_of,
    plan_of,
    read_record,
    write_record,
)
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.progress import Reporter
    from submissions.baselines.base_model import BaseModel
    from submissions.baselines.lexicon import Lexicon
    from submissions.baselines.recipe import Recipe
    from submissions.baselines.training_loop import Loss
    from submissions.baselines.training_pairs import TrainingPairs

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Where:
    """Places and habits of a training; no place changes what comes out.

    Attributes:
        out: Folder of trained models.
        data: Folder with training data and lexicons.
        device: Such as ``cpu`` or ``cuda``; None takes the best there is.
        every: Steps from one checkpoint to the next.
        from_scratch: Whether what an earlier run left is thrown away.
        threads: That torch computes with on a CPU: the one habit that changes last digits. None
            takes torch's own number.
    """

    out: Path
    data: Path | None = None
    device: str | None = None
    every: int = 25
    from_scratch: bool = False
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """What recipes train on, read and checked.

    Attributes:
        pairs: The training pairs.
        lexicons: From the source language, by target language.
        contamination: What the pairs share with the tasks at hand.
    """

    pairs: TrainingPairs
    lexicons: Mapping[str, Lexicon]
    contamination: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained.

    Attributes:
        model: Folder of the model.
        record: Content of its record.
        is_new: Whether anything was left to do.
    """

    model: Path
    record: Mapping[str, Any]
    is_new: bool


def model_name(recipe: Recipe, seed: int) -> str:
    """What a trained model is called."""
    return f"{recipe.name}-seed-{seed}"


def read_material(
    recipe: Recipe, data: Path | None, *, allow_contaminated: bool = False
) -> Material:
    """Reads the training pairs and lexicons of a recipe, and compares the pairs with the tasks.

    Args:
        recipe: Names them.
        data: Folder that is searched for them first.
        allow_contaminated: Whether the pairs may hold questions of a task.

    Raises:
        DataFileError: If a file is missing or malformed.
        UsageError: If the pairs hold questions of a task, and may not.
    """
    pairs = read_pairs(recipe.data, data)
    lexicons = recipe_lexicons(recipe, data)
    report = check_contamination(pairs.texts(), tasks_at_hand(data), data)
    if report.leaks and not allow_contaminated:
        raise UsageError(
            f"{report.refusal()}\nLeave them out with leave_out, or train on them all the same "
            "with --allow-contaminated; the record will say so."
        )
    return Material(pairs, lexicons, report.summary())


def train(
    recipe: Recipe, seed: int, material: Material, where: Where, reporter: Reporter
) -> Trained:
    """Trains one model, or goes on where an earlier run stopped; what is done is left alone.

    The same recipe, seed, data and versions give the same weights, bit by bit, on one machine,
    however often the training is stopped and started again.

    Raises:
        DataFileError: If the data do not suffice, or a checkpoint is damaged.
        ModelError: If the base model cannot be had, or a loss is no finite number.
        InUseError: If another process trains in the folder.
        UsageError: If the folder holds another training.
    """
    with only_writer(where.out / model_name(recipe, seed)):
        return _train(recipe, seed, material, where, reporter)


def _train(
    recipe: Recipe, seed: int, material: Material, where: Where, reporter: Reporter
) -> Trained:
    name = model_name(recipe, seed)
    folder = where.out / name
    if where.from_scratch:
        shutil.rmtree(folder, ignore_errors=True)
    base = load_base(recipe, where.device, seed)
    plan = plan_of(recipe, seed, base, material.pairs, material.lexicons)
    remove_left_behind(folder, older_than=0)
    if (done := _finished(folder, name, plan)) is not None:
        (folder / CHECKPOINT).unlink(missing_ok=True)  # of a run that was killed at its very end
        return done
    reporter.say(f"{name}: {recipe.training.steps} steps on {base.model.device}")
    job = Job(
        model=base.model,
        loss=_loss(recipe, base),
        numbers=recipe.training,
        seed=seed,
        plan=plan,
        checkpoint=folder / CHECKPOINT,
        every=where.every,
        threads=where.threads,
    )
    progress = run_steps(job, _source(recipe, seed, material), reporter)
    _save(base, folder / name)
    digest = digest_of(folder / name)
    write_atomically(folder / "loss.svg", loss_curve(name, progress.losses).encode())
    write_record(folder / FILE_NAME, recipe, plan, (base, material), (progress, digest))
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return Trained(folder / name, read_record(folder / FILE_NAME) or {}, is_new=True)


def is_made_by(record: Mapping[str, Any], recipe: Recipe, seed: int, material: Material) -> bool:
    """Whether a record is of this training, on whatever machine and versions it was done.

    Raises:
        ModelError: If the base model cannot be had.
    """
    base = load_base(recipe, "cpu", seed)
    return is_of(record, plan_of(recipe, seed, base, material.pairs, material.lexicons))


def _finished(folder: Path, name: str, plan: Mapping[str, str]) -> Trained | None:
    """The model of an earlier run, if it is there as it was saved.

    Raises:
        UsageError: If it is of another plan.
    """
    record = read_record(folder / FILE_NAME)
    if record is None or not (folder / name).is_dir():
        return None
    refuse_other_plan(folder, record.get("plan") or {}, plan)
    if digest_of(folder / name) != record.get("model_digest"):
        return None
    return Trained(folder / name, record, is_new=False)


def _loss(recipe: Recipe, base: BaseModel) -> Loss:
    if recipe.architecture == "cross-encoder":
        return CrossEncoderLoss(base.model)
    return BiEncoderLoss(base.model, recipe)


def _source(recipe: Recipe, seed: int, material: Material) -> StepSource:
    pairs = material.pairs
    return StepSource(
        batches=Batches(recipe, pairs.by_language(), seed),
        texts=SwitchedTexts(pairs.pairs, recipe, seed, material.lexicons),
        negatives=Negatives(recipe.negatives, pairs, seed) if recipe.negatives else None,
    )


def _save(base: BaseModel, folder: Path) -> None:
    """Saves the model beside its place and moves it there whole."""
    temporary = folder.with_name(f".{folder.name}.new")
    for left in (temporary, folder):  # by a run that was killed, and by one whose model was altered
        shutil.rmtree(left, ignore_errors=True)
    # It is saved with what its last call set, and a run that went on at the very end has had none.
    tokenizer = base.model.tokenizer
    if tokenizer.is_fast:
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
    base.model.save_pretrained(str(temporary), create_model_card=False)
    for path in (found for found in temporary.rglob("*") if found.is_file()):
        if path.suffix == ".safetensors":
            path.chmod(0o644)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    temporary.rename(folder)
    sync_folder(folder.parent)
