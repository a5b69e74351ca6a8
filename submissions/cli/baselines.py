"""``babelboard baselines``: trains the code-switching baselines and scores them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.progress import OnStderr
from submissions.baselines.recipe_file import load_recipe
from submissions.cli import score
from submissions.entry import read_entry
from submissions.manifest import FILE_NAME
from tasks.errors import UnknownNameError, UsageError
from tasks.task import load_task

if TYPE_CHECKING:
    from submissions.baselines.training import Trained

RECIPES = Path(__file__).parents[1] / "baselines" / "recipes"
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

    Each seed of a recipe becomes an entry. What is done is left alone, so a run that was stopped
    goes on where it was.
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

    from submissions.baselines.training import Where, read_material, train

    progress = OnStderr()
    for recipe in chosen:
        read_material(recipe, data, allow_contaminated=allow_contaminated)
    # Counted once: scoring uses numba, which changes the number that torch takes by itself.
    where = Where(
        out=out,
        data=data,
        device=None if device == "auto" else device,
        threads=threads or torch.get_num_threads(),
    )
    for recipe in chosen:
        material = read_material(recipe, data, allow_contaminated=allow_contaminated)
        for one in recipe.seeds:
            trained = train(recipe, one, material, where, progress)
            entry = root / trained.model.name
            reranks = recipe.architecture == "cross-encoder"
            whole = not (reranks and rerank_settings)
            missing = [each for each in task if not _is_scored(entry, each, trained, whole=whole)]
            if missing:
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
                )
            _keep_record(trained, entry)
    progress.say(f"Done: {sum(len(recipe.seeds) for recipe in chosen)} entries in {root}")


def _paths(folder: Path, names: list[str]) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"--recipes names {str(folder)!r}, which is not a folder.")
    found = {path.stem: path for path in sorted(folder.glob("*.toml")) if path.name != SHARED}
    for name in names:
        if name not in found:
            raise UnknownNameError(f"recipe in {folder}", name, found)
    return [found[name] for name in names] if names else list(found.values())


def _is_scored(entry: Path, task: str, trained: Trained, *, whole: bool) -> bool:
    """Whether an entry has a task, or the ``whole`` of it, from this very model."""
    if not (entry / FILE_NAME).is_file():
        return False
    manifest = read_entry(entry).manifest
    run = manifest.runs.get(task)
    same = manifest.model.digest == trained.record["model_digest"]
    return run is not None and same and (run.complete or not whole)


def _keep_record(trained: Trained, entry: Path) -> None:
    """Puts what there is to know of the training beside the results."""
    made = trained.model.parent
    shutil.copyfile(made / "record.json", entry / "training.json")
    shutil.copyfile(made / "loss.svg", entry / "loss.svg")
