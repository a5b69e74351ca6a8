"""What must hold between the parts of a recipe; each function gives a line for each problem."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from tasks.languages import NAMES

if TYPE_CHECKING:
    from submissions.baselines.recipe import Recipe


def language_problems(recipe: Recipe) -> list[str]:
    """Languages that do not exist, or stand twice in a list."""
    batches, switching = recipe.batches, recipe.switching
    named = {f"data.{number}.language": [part.language] for number, part in enumerate(recipe.data)}
    named["batches.languages"] = list(batches.languages)
    if switching:
        named["switching.source"] = [switching.source]
        named["switching.query"] = list(switching.query)
        named["switching.document"] = list(switching.document)
    problems = []
    for place, codes in named.items():
        for code in [code for code in codes if code not in NAMES]:
            near = get_close_matches(code, NAMES, n=3, cutoff=0.5) or sorted(NAMES)
            problems.append(f"{place}: unknown language {code!r}; known: {', '.join(near)}")
        if len(set(codes)) < len(codes):
            problems.append(f"{place}: each language once")
    return problems


def strategy_problems(recipe: Recipe) -> list[str]:
    """What the strategy of batches lacks, or does not take."""
    batches, strategy = recipe.batches, recipe.batches.strategy
    problems = []
    if (batches.alpha is None) == (strategy == "hybrid"):
        problems.append("batches.alpha: needed for the strategy 'hybrid', and for no other")
    if strategy == "monolingual" and batches.languages:
        problems.append("batches.languages: the strategy 'monolingual' takes those of the data")
    if strategy != "monolingual":
        if len(batches.languages) < 2:
            problems.append(f"batches.languages: {strategy!r} needs two or more")
        lacking = sorted(set(batches.languages) - {part.language for part in recipe.data})
        if not recipe.switching and lacking:
            problems.append(f"batches.languages: no data and no switching: {', '.join(lacking)}")
        if not recipe.switching and strategy in ("x-y", "hybrid"):
            problems.append(f"switching: {strategy!r} needs it for pairs in two languages")
    return problems


def switching_problems(recipe: Recipe) -> list[str]:
    """What the switching does not fit."""
    batches, switching = recipe.batches, recipe.switching
    problems = []
    if switching and switching.source not in {part.language for part in recipe.data}:
        problems.append(f"switching.source: no data in {switching.source!r}")
    if switching and bool(switching.lexicon) == bool(switching.sources):
        problems.append("switching: exactly one of lexicon, and sources with their weights")
    if switching and batches.strategy == "monolingual":
        named = {*switching.query, *switching.document}
        if named <= {switching.source}:
            problems.append("switching: query or document must name a language other than source")
        mixed = switching.draw == "token"
        if switching.mix and (set(switching.mix) != named or not mixed):
            problems.append("switching.mix: a weight for each language, of tokens")
        if mixed and switching.source in (*switching.query, *switching.document):
            problems.append("switching: the source language may be drawn for a text, not a token")
    elif switching and (switching.query or switching.document or switching.mirrored):
        problems.append(
            f"switching: with the strategy {batches.strategy!r} it is batches.languages that says "
            "what is switched to: no query, document or mirrored"
        )
    if recipe.multitask and not switching:
        problems.append("multitask: needs switching, which makes the twins")
    return problems


def architecture_problems(recipe: Recipe) -> list[str]:
    """Parts that the architecture does not take, and numbers that do not go together."""
    problems = []
    if recipe.architecture == "cross-encoder":
        if recipe.multitask:
            problems.append("multitask: for bi-encoders")
        if recipe.training.query_prefix or recipe.training.document_prefix:
            problems.append("training: prefixes are for bi-encoders")
        if not recipe.negatives:
            problems.append("negatives: a cross-encoder needs them")
    elif recipe.negatives:
        problems.append("negatives: for cross-encoders; a bi-encoder has those of its batch")
    if recipe.negatives and recipe.negatives.depth < recipe.negatives.per_positive:
        problems.append("negatives.depth: at least per_positive")
    if len(set(recipe.seeds)) < len(recipe.seeds):
        problems.append("seeds: each once")
    return problems
