"""What there is to know of a model that was trained: ``record.json``."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.files import write_atomically
from harness.provenance import hardware, versions
from submissions.baselines.lexicon import VECTORS, spec_parts
from submissions.baselines.step_texts import read_tallies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from submissions.baselines.base_model import BaseModel
    from submissions.baselines.lexicon import Lexicon
    from submissions.baselines.recipe import Recipe
    from submissions.baselines.training import Material
    from submissions.baselines.training_checkpoint import Progress
    from submissions.baselines.training_pairs import TrainingPairs

FILE_NAME = "record.json"
_DECIDING = ("torch", "transformers", "sentence-transformers", "tokenizers", "numpy")


def plan_of(
    recipe: Recipe,
    seed: int,
    base: BaseModel,
    pairs: TrainingPairs,
    lexicons: Mapping[str, Lexicon],
) -> dict[str, str]:
    """What decides the weights that come out: two trainings with one plan are the same."""
    return {
        "recipe": recipe.digest(),
        "seed": str(seed),
        "base": base.digest,
        **{f"data {name}": checksum for name, checksum in files_of(pairs).items()},
        **{f"lexicon {code}": lexicon.checksum for code, lexicon in lexicons.items()},
        "device": base.model.device.type,
        **{package: version(package) for package in _DECIDING},
    }


def is_of(record: Mapping[str, Any], plan: Mapping[str, str]) -> bool:
    """Whether a record is of a training with this plan, on whatever machine and versions."""
    before = record.get("plan") or {}
    decides = {*before, *plan} - {"device", *_DECIDING}
    return all(before.get(key) == plan.get(key) for key in decides)


def write_record(
    path: Path,
    recipe: Recipe,
    plan: Mapping[str, str],
    parts: tuple[BaseModel, Material],
    outcome: tuple[Progress, str],
) -> None:
    """Writes the record of a training.

    Args:
        path: The file.
        recipe: What was followed, with all that replaced its values.
        plan: What decided the outcome.
        parts: The base model, and what it was trained on.
        outcome: Where the training ended, and the digest of the model it made.
    """
    (base, material), (progress, digest) = parts, outcome
    pairs, lexicons = material.pairs, material.lexicons
    content = {
        "schema_version": 1,
        "name": recipe.name,
        "seed": int(plan["seed"]),
        "model_digest": digest,
        "recipe": published(recipe),
        "plan": dict(plan),
        "base": {"name": base.name, "revision": base.revision, "digest": base.digest},
        "data": files_of(pairs),
        "pairs": {code: len(found) for code, found in pairs.by_language().items()},
        "contamination": dict(material.contamination),
        "lexicons": {
            code: {
                "name": lexicon.name,
                "checksum": lexicon.checksum,
                "entries": len(lexicon.entries),
            }
            for code, lexicon in lexicons.items()
        },
        "languages": dict(sorted(progress.counts["languages"].items())),
        "switching": _rates(recipe, progress.counts),
        "steps": progress.steps,
        "seconds": round(progress.seconds, 1),
        "loss": [round(loss, 6) for loss in progress.losses],
        "threads": progress.threads,
        "versions": versions(),
        "hardware": hardware(str(base.model.device)),
    }
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_record(path: Path) -> dict[str, Any] | None:
    """A record that was written before; None if there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("schema_version") == 1 else None


def published(recipe: Recipe) -> dict[str, Any]:
    """A recipe without the folders of this machine, since a record becomes part of an entry."""
    content = recipe.model_dump(mode="json", exclude_none=True)
    content["base"] = _own_name(recipe.base)
    for part in content["data"]:
        part["file"] = _own_name(part["file"])
    if recipe.switching is not None:
        switching, sources = content["switching"], recipe.switching.sources
        switching["lexicon"] = _own_names(recipe.switching.lexicon)
        if sources:
            switching["sources"] = {_own_names(spec): weight for spec, weight in sources.items()}
    return content


def files_of(pairs: TrainingPairs) -> dict[str, str]:
    """Checksums of the files of pairs, by name without the folders of this machine."""
    found: dict[str, str] = {}
    for path, checksum in pairs.checksums.items():
        name, number = _own_name(path), 1
        while name in found:
            number += 1
            name = f"{_own_name(path)} ({number})"
        found[name] = checksum
    return found


def _own_name(path: str) -> str:
    """The last part of a path that leads out of where it is used; else the path, or hub id."""
    leads_out = path.startswith(("/", "~")) or ".." in Path(path).parts
    return Path(path).name if leads_out else path


def _own_names(spec: str) -> str:
    """A specification of lexicons, such as ``muse:/home/me/words+cldr``, without such folders."""
    shown = []
    for part in spec_parts(spec):
        kind, colon, place = part.partition(":")
        paths = place.split(",") if kind == VECTORS else [place]
        shown.append(kind + colon + ",".join(map(_own_name, paths)))
    return "+".join(shown)


def _rates(recipe: Recipe, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Requested and achieved rates of each side, over the texts that were to be switched."""
    if recipe.switching is None:
        return {}
    requested = recipe.switching.probability
    return {side: tally.as_json(requested) for side, tally in read_tallies(counts).items()}
