"""``babelboard train``: trains baselines from their recipes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from harness.progress import OnStderr
from submissions.baselines.recipe_file import load_recipe
from tasks.errors import UsageError

if TYPE_CHECKING:
    from submissions.baselines.training import Trained


def command(
    recipe: Annotated[Path, typer.Argument(help="A recipe: a TOML file.")],
    *,
    seed: Annotated[
        list[int] | None,
        typer.Option(help="Train with this seed; may be repeated. Default: the recipe's."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the models.")] = Path("build/baselines"),
    data: Annotated[
        Path | None, typer.Option(help="Folder with training data and lexicons.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads on a CPU; another number gives other last digits."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--from-scratch", help="Go on from the last checkpoint, or throw it away."
        ),
    ] = True,
    checkpoint_every: Annotated[
        int, typer.Option(min=1, help="Steps from one checkpoint to the next.")
    ] = 25,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps in place of the recipe's; the record says so.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="Base model in place of the recipe's: package:NAME, a folder, a hub id."),
    ] = None,
    allow_contaminated: Annotated[
        bool, typer.Option(help="Train also on questions of the tasks; the record says so.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a baseline from its recipe.

    A run that was stopped goes on where it was, to the same model; what is done is left alone.
    """
    replaced: dict[str, Any] = {"seeds": seed} if seed else {}
    if steps is not None:
        replaced["training"] = {"steps": steps}
    if base is not None:
        replaced["base"] = base
    followed = load_recipe(recipe, replaced)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out names {str(out)!r}, which is not a folder.")

    # Heavy libraries are loaded only now that the recipe is known to be right.
    from submissions.baselines.training import Where, read_material, train

    progress = OnStderr()
    where = Where(
        out=out,
        data=data,
        device=None if device == "auto" else device,
        every=checkpoint_every,
        from_scratch=not resume,
        threads=threads,
    )
    material = read_material(followed, data, allow_contaminated=allow_contaminated)
    progress.say(
        f"{followed.name}: {len(material.pairs.pairs):,} pairs, {len(material.lexicons)} lexicons"
    )
    trained = [train(followed, one, material, where, progress) for one in followed.seeds]
    if as_json:
        print(json.dumps([_as_json(one) for one in trained], indent=1))
    else:
        _show(trained)


def _as_json(trained: Trained) -> dict[str, Any]:
    keys = ("name", "seed", "model_digest", "steps", "seconds", "switching", "languages")
    return {
        "schema_version": 1,
        "model": str(trained.model),
        "is_new": trained.is_new,
        **{key: trained.record[key] for key in keys},
        "last_loss": trained.record["loss"][-1],
    }


def _show(trained: list[Trained]) -> None:
    console = Console(highlight=False)
    for one in trained:
        record = one.record
        line = f"{record['steps']} steps in {record['seconds']:,.0f} s, last loss "
        line += f"{record['loss'][-1]:.4f}. " + ("" if one.is_new else "Was done before. ")
        for side in ("query", "document"):
            rates = record["switching"].get(side)
            if rates and rates["tokens"]:
                line += (
                    f"{side.capitalize()} words switched: {rates['achieved']:.1%} "
                    f"(asked for {rates['requested']:.0%} of the "
                    f"{rates['coverage']:.1%} that the lexicons have). "
                )
        console.print(f"{one.model}\n  {line}", soft_wrap=True, markup=False)
