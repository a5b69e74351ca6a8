"""What a search leaves: the recipe of the best policy, and a record of all trials."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import tomli_w

from harness.files import write_atomically
from harness.provenance import hardware, versions
from submissions.baselines.policy_space import DECIMALS

if TYPE_CHECKING:
    from pathlib import Path

    from submissions.baselines.policy_search import Searched
    from submissions.baselines.recipe import Recipe, SwitchingPart
    from submissions.baselines.search_file import Search
    from submissions.baselines.trial_log import Trial

_CLASSES = {"stop": "stop words", "name": "names", "content": "other words"}
_LONGEST = 500
"""Characters of a summary."""


def write_winner(folder: Path, search: Search, base: Path, found: Searched) -> Path:
    """Writes the recipe of the best policy, all of the policy spelled out.

    What the base recipe shares with others is copied beside it, so that it goes on to be shared.

    Args:
        folder: Where to.
        search: Its name and title are the recipe's.
        base: File of the base recipe.
        found: What the search found.
    """
    own = tomllib.loads(base.read_text(encoding="utf-8"))
    shared = base.parent / str(own.get("shared"))
    if "shared" not in own or "switching" in tomllib.loads(shared.read_text(encoding="utf-8")):
        # Keys of a shared [switching] would come back into the policy.
        own = found.recipe.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    elif not (folder / shared.name).exists() or not shared.samefile(folder / shared.name):
        write_atomically(folder / shared.name, shared.read_bytes())
    own |= {
        "name": search.name,
        "title": search.title,
        "summary": summary(search, found),
        "switching": _switching(found),
    }
    path = folder / f"{search.name}.toml"
    write_atomically(path, tomli_w.dumps(own).encode())
    return path


def summary(search: Search, found: Searched) -> str:
    """What the training texts are, in words, and which search the policy is from."""
    pairs = ", ".join(f"{count:,} pairs in {code}" for code, count in found.pairs.items())
    data = ", ".join(part.file for part in found.recipe.data)
    start = f"{pairs} ({data}); "
    end = (
        f"; policy of trial {found.best.trial} of {len(found.trials)} of the search "
        f"{search.name}, seed {search.seed}, from {found.recipe.name}"
    )
    policy = in_words(found.recipe)
    room = _LONGEST - len(start) - len(end)
    return start + (policy if len(policy) <= room else f"{policy[: room - 3]}...") + end


def in_words(recipe: Recipe) -> str:
    """A switching policy as a phrase."""
    part = recipe.switching
    if part is None:
        return "nothing is switched"
    rates = ", ".join(f"{_CLASSES[name]} {rate:.2f}" for name, rate in part.rates.items())
    sources = ", ".join(f"{spec} {weight:.0%}" for spec, weight in _shares(part.sources))
    mix = ", ".join(f"{code} {weight:.0%}" for code, weight in _shares(part.mix))
    languages = ", ".join(dict.fromkeys((*part.query, *part.document)))
    return (
        f"switched with p = {rates or f'{part.probability:.2f}'} to {mix or languages} "
        f"({sources or part.lexicon}{', drawn again where a language lacks a word' * part.redraw})"
    )


def write_search_record(path: Path, search: Search, found: Searched, device: str) -> None:
    """Writes what was searched for and what was found, with every trial."""
    trials = [trial.model_dump(mode="json") for trial in found.trials]
    header = found.header
    content = {
        "schema_version": 1,
        "name": search.name,
        "title": search.title,
        "search": search.model_dump(mode="json", exclude_none=True),
        "base": {"name": found.recipe.name, "base": found.recipe.base},
        "plan": header.plan,
        "objective": "mean RR@10 over languages and both directions",
        "sentences": {"searched": dict(found.sentences[0]), "reported": dict(found.sentences[1])},
        "untrained": {
            "searched": header.searched.model_dump(),
            "reported": header.reported.model_dump(),
        },
        "best": found.best.trial,
        "seconds": round(sum(trial.seconds for trial in found.trials), 1),
        "threads": header.threads,
        "trials": trials,
        "versions": versions(),
        "hardware": hardware(device),
    }
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _switching(found: Searched) -> dict[str, Any]:
    """``[switching]`` of the best policy."""
    part = found.recipe.switching
    content = part.model_dump(mode="json") if part else {}
    if part and part.rates:
        content["probability"] = _overall(found.best, part)
    return {key: value for key, value in content.items() if value not in ("", {}, [])}


def _overall(best: Trial, part: SwitchingPart) -> float:
    """What the rates of the classes came to, over the words that the lexicons have."""
    covered = sum(side["covered"] for side in best.switching.values())
    switched = sum(side["switched"] for side in best.switching.values())
    return round(switched / covered, DECIMALS) if covered else part.probability


def _shares(weights: dict[str, float]) -> list[tuple[str, float]]:
    total = sum(weights.values())
    return [(name, weight / total) for name, weight in weights.items()]
