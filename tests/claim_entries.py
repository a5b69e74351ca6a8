"""Entries of made-up systems, trained by the real recipes, for tests of the claims ledger."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rank_tables import rank_table

import submissions.baselines
from harness.ranks import ranks_as_bytes
from submissions.baselines.recipe_file import load_recipe
from submissions.entry import ranks_path
from submissions.manifest import Manifest, MethodPart, ModelPart, RunPart, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from submissions.baselines.recipe import Recipe

    Ranks = Callable[[str, int, int], int]
    """The rank of the relevant document, by setting, number of the question, and seed."""

RECIPES = Path(submissions.baselines.__file__).parent / "recipes"
SIZES = {"moir/de-de": 200, "moir/en-en": 200, "clir/de-en": 200, "clir/en-de": 200}
QUESTIONS = 40

HEAD = """\
schema_version = 1
id = "mine"
number = 1
kind = "question"
statement = "It does."
reading = "As it stands."
tasks = ["xquad-r"]

[methods.zero-shot]
name = "Zero-shot"
training = ["zero-shot"]

[methods.ml-cs]
name = "ML-CS"
training = ["code-switched"]
"""
PART = """
[[parts]]
id = "{id}"
statement = "{id}"
a = "ml-cs"
b = "zero-shot"
settings = {settings}
expect = "{expect}"
{more}
"""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Trained:
    """A system as a recipe makes it, and how it ranks.

    Attributes:
        recipe: Name of one of the recipes.
        ranks: How it ranks.
        base: Name of its base model.
        tasks: Tasks that it was scored on.
        replaced: Values that replace those of the recipe, such as the steps.
        settings: Of the model; those of translate-test, say.
        kind: How it retrieves.
        sizes: Pool sizes by setting.
    """

    recipe: str
    ranks: Ranks
    base: str = "tiny"
    tasks: tuple[str, ...] = ("xquad-r",)
    replaced: Mapping[str, Any] | None = None
    settings: Mapping[str, str | int] | None = None
    kind: str = "dense"
    sizes: Mapping[str, int] | None = None

    def with_(self, **changes: Any) -> Trained:
        return replace(self, **changes)

    def loaded(self) -> Recipe:
        return load_recipe(RECIPES / f"{self.recipe}.toml", self.replaced)


def write_system(root: Path, system: Trained, seeds: tuple[int, ...] = (1,), **how: Any) -> None:
    """One entry a seed."""
    for seed in seeds:
        write_entry(root, system, seed, **how)


def write_entry(
    root: Path,
    system: Trained,
    seed: int,
    *,
    name: str | None = None,
    complete: bool = True,
    record: bool = True,
) -> Path:
    recipe = system.loaded()
    weights = f"{recipe.digest()} {system.base} {seed}"
    entry = name or f"{system.base}-{recipe.name}-seed-{seed}"
    runs = {task: _write_run(root / entry, task, system, seed, complete) for task in system.tasks}
    manifest = Manifest(
        schema_version=1,
        id=entry,
        name=f"{recipe.title}, seed {seed}",
        model=ModelPart.model_validate(
            {
                "kind": system.kind,
                "name": entry,
                "digest": sha256(weights),
                "settings": dict(system.settings or {"pooling": "mean"}),
            }
        ),
        method=MethodPart(training=recipe.method, training_data=recipe.summary, seeds=(seed,)),
        runs=runs,
    )
    write_manifest(root / entry / "submission.toml", manifest)
    if record:
        content = {
            "schema_version": 1,
            "name": recipe.name,
            "seed": seed,
            "model_digest": sha256(weights),
            "recipe": recipe.model_dump(mode="json", exclude_none=True),
            "base": {"name": system.base, "revision": None, "digest": sha256(system.base)},
            "data": {part.file: sha256(part.file) for part in recipe.data},
            "lexicons": {
                code: {"name": f"muse/en-{code}", "checksum": sha256(code), "entries": 5000}
                for code in (recipe.switching.query if recipe.switching else ())
            },
            "steps": recipe.training.steps,
        }
        (root / entry / "training.json").write_text(json.dumps(content), "utf-8")
    return root / entry


def _write_run(folder: Path, task: str, system: Trained, seed: int, complete: bool) -> RunPart:
    sizes = system.sizes or SIZES
    rows = []
    for setting in sizes:
        query, document = setting.partition("/")[2].split("-")
        for number in range(QUESTIONS):
            rank = system.ranks(setting, number, seed)
            rows.append((setting, query, f"q{number:03}", f"{document}_{number}", 1, rank))
    content = ranks_as_bytes(rank_table(rows, sizes, task))
    path = ranks_path(folder, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return RunPart(
        command="babelboard score x",
        complete=complete,
        settings=len(sizes),
        ranks=hashlib.sha256(content).hexdigest(),
        data={},
        versions={},
        hardware={},
    )


def part(expect: str, settings: str = '{ of = ["clir"] }', more: str = "", id_: str = "p") -> str:
    return PART.format(id=id_, settings=settings, expect=expect, more=more)


def claim_file(folder: Path, *parts: str, head: str = HEAD) -> Path:
    path = folder / "mine.toml"
    path.write_text(head + "".join(parts), "utf-8")
    return path
