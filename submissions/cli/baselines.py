"""``babelboard baselines``: trains the code-switching baselines and scores them."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.files import write_atomically
from harness.locks import only_writer
from harness.models.encoder_options import DType  # typer reads it
from harness.progress import OnStderr
from submissions.baselines.recipe_file import RECIPES, load_recipe
from submissions.baselines.training_record import read_record
from submissions.cli import score
from submissions.entry import TRAINING_RECORD, read_entry
from submissions.manifest import FILE_NAME
from tasks.errors import UnknownNameError, UsageError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from submissions.baselines.recipe import Recipe
    from submissions.baselines.training import Trained

SHARED = "grid.toml"
"""What the recipes have in common; no recipe itself."""


def command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Recipes by name. Default: all of the folder.")
    ] = None,
    *,
    task: Annotated[list[str], typer.Option(help="A task to score on; may be repeated.")],
    recipes: Annotated[Path, typer.Option(help="Folder of recipes.")] = RECIPES,
    seed: Annotated[
        list[int] | None, typer.Option(help="Only this seed; may be repeated. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the models.")] = Path("build/baselines"),
    root: Annotated[Path, typer.Option("--entries", help="Folder of entries.")] = Path(
        "submissions/entries"
    ),
    data: Annotated[
        Path | None, typer.Option(help="Folder with training data, lexicons and tasks.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for embeddings.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads on a CPU; another number gives other last digits."),
    ] = None,
    dtype: Annotated[
        DType, typer.Option(help="Number format of the weights when models are scored.")
    ] = "float32",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps in place of the recipes'; records say so.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="Base model in place of the recipes'.")] = None,
    allow_contaminated: Annotated[
        bool, typer.Option(help="Train also on questions of the tasks; the record says so.")
    ] = False,
    first_stage: Annotated[
        str, typer.Option(help="What finds the candidates of cross-encoders.")
    ] = "bm25",
    depth: Annotated[int, typer.Option(min=1, help="Their candidates for each query.")] = 100,
    rerank_settings: Annotated[
        list[str] | None,
        typer.Option(help="Only these settings for cross-encoders: globs such as 'moir/*'."),
    ] = None,
) -> None:
    """Train the baselines of a folder of recipes, and score each on tasks.

    Each seed of a recipe becomes an entry. What is done is left alone, also where an entry was made
    on another machine, so a run that was stopped goes on where it was.
    """
    replaced: dict[str, Any] = {"seeds": seed} if seed else {}
    if steps is not None:
        replaced["training"] = {"steps": steps}
    if base is not None:
        replaced["base"] = base
    chosen = [load_recipe(path, replaced) for path in _paths(recipes, names or [])]
    for name in task:
        load_task(name, data)  # what is missing is said before hours of training

    import torch

    from submissions.baselines.training import Where, is_made_by, model_name, read_material, train

    progress = OnStderr()
    for recipe in chosen:
        material = read_material(recipe, data, allow_contaminated=allow_contaminated)
        for one in recipe.seeds:
            record = read_record(root / model_name(recipe, one) / TRAINING_RECORD)
            if record is not None and not is_made_by(record, recipe, one, material):
                raise UsageError(
                    f"The entry {root / model_name(recipe, one)} was made by another training: of "
                    "another recipe, base model, data or lexicon. Remove it to make it anew, or "
                    "name another folder with --entries."
                )
    # Counted once: scoring uses numba, which changes the number that torch takes by itself.
    where = Where(
        out=out,
        data=data,
        device=None if device == "auto" else device,
        threads=threads or torch.get_num_threads(),
    )
    done = 0
    for one, recipe in _in_order(chosen):
        material = read_material(recipe, data, allow_contaminated=allow_contaminated)
        entry = root / model_name(recipe, one)
        reranks = recipe.architecture == "cross-encoder"
        whole = not (reranks and rerank_settings)
        record = read_record(entry / TRAINING_RECORD)
        if record is not None and not _missing(entry, task, record, whole=whole):
            done += 1
            continue
        trained = train(recipe, one, material, where, progress)
        if missing := _missing(entry, task, trained.record, whole=whole):
            score.command(
                str(trained.model),
                task=missing,
                settings=rerank_settings if reranks else None,
                data=data,
                cache=cache,
                first_stage=first_stage if reranks else None,
                depth=depth if reranks else None,
                entry=entry.name,
                name=f"{recipe.title}, seed {one}",
                training=recipe.method,
                training_data=recipe.summary,
                seed=[one],
                root=root,
                device=device,
                dtype=dtype,
            )
        _keep_record(trained, entry)
    asked = sum(len(recipe.seeds) for recipe in chosen)
    progress.say(f"Done: {asked} entries in {root}, {done} of them before")


def _in_order(recipes: list[Recipe]) -> Iterator[tuple[int, Recipe]]:
    """All recipes with their first seed, then with their second, and so on.

    A run that is stopped leaves recipes that can be compared.
    """
    for seeds in zip_longest(*(recipe.seeds for recipe in recipes)):
        for one, recipe in zip(seeds, recipes, strict=True):
            if one is not None:
                yield one, recipe


def _paths(folder: Path, names: list[str]) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"--recipes names {str(folder)!r}, which is not a folder.")
    found = {path.stem: path for path in sorted(folder.glob("*.toml")) if path.name != SHARED}
    for name in names:
        if name not in found:
            raise UnknownNameError(f"recipe in {folder}", name, found)
    return [found[name] for name in names] if names else list(found.values())


def _missing(entry: Path, task: list[str], record: Mapping[str, Any], *, whole: bool) -> list[str]:
    """The tasks that an entry lacks, or lacks the ``whole`` of, from the very model of a record."""
    if not (entry / FILE_NAME).is_file():
        return task
    manifest = read_entry(entry).manifest
    if manifest.model.digest != record["model_digest"]:
        return task
    runs = {name: manifest.runs.get(name) for name in task}
    return [name for name, run in runs.items() if run is None or (whole and not run.complete)]


def _keep_record(trained: Trained, entry: Path) -> None:
    """Puts what there is to know of the training beside the results."""
    made = trained.model.parent
    with only_writer(entry):
        # The record last: an entry that has it is done.
        for source, target in (("loss.svg", "loss.svg"), ("record.json", TRAINING_RECORD)):
            write_atomically(entry / target, (made / source).read_bytes())
