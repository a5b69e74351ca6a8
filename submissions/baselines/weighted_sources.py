"""Lexicons of several sources, each with a weight.

The translations of a term are drawn from the mixture of the sources that have it: a source is
chosen by its weight, then a translation by the weight that it has there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from submissions.baselines.lexicon import BUILT_IN, load_lexicon, merged, spec_parts
from submissions.baselines.lexicon_sources import KINDS, directions, locate, place_for
from tasks.errors import DataFileError, UnknownNameError
from tasks.languages import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from submissions.baselines.lexicon import Lexicon


def load_sources(
    specs: Iterable[str], source: str, targets: Iterable[str], data: Path | None
) -> dict[str, dict[str, Lexicon]]:
    """The lexicons of several sources; a source is left out for a language that it lacks.

    Args:
        specs: Each as :func:`submissions.baselines.lexicon.load_lexicon` takes it.
        source: Code of the language that is translated.
        targets: Codes of the languages of the translations.
        data: Folder that is searched first.

    Returns:
        For each target the lexicons by spec, in the order of the specs.

    Raises:
        DataFileError: If a file is missing or malformed, no source has one of the languages, or a
            source has none of them.
        UnknownNameError: If a source is of no known kind.
        UsageError: If a spec or the languages make no sense.
    """
    specs = tuple(specs)
    found: dict[str, dict[str, Lexicon]] = {}
    for target in targets:
        found[target] = {
            spec: load_lexicon(spec, source, target, data)
            for spec in specs
            if has_direction(spec, source, target, data)
        }
        if not found[target]:
            raise DataFileError(
                f"None of the sources has {source}-{target}: {', '.join(specs)}. Add one that has, "
                "or leave the language out; `babelboard lexicon show` says what a source has."
            )
    for spec in specs:
        if found and not any(spec in lexicons for lexicons in found.values()):
            raise DataFileError(
                f"The source {spec} has none of the languages {', '.join(found)}: leave it out."
            )
    return found


def has_direction(spec: str, source: str, target: str, data: Path | None) -> bool:
    """Whether a source has a lexicon of two languages, in either direction.

    What is no lexicon at all is not found out here: loading it says what is wrong.

    Raises:
        DataFileError: If a file or folder that the spec names is not there.
    """
    return all(_one_has(part, source, target, data) for part in spec_parts(spec))


def _one_has(spec: str, source: str, target: str, data: Path | None) -> bool:
    kind, _, place = spec.partition(":")
    if kind == BUILT_IN and not place:
        from submissions.baselines.cldr_lexicon import cldr_names

        try:
            return bool(cldr_names(source).keys() & cldr_names(target).keys())
        except UnknownNameError:
            return False
    if kind not in KINDS:
        return True
    try:
        path = locate(place_for(place, source, target) or f"lexicons/{kind}", data)
    except DataFileError:
        if "{target}" in place:
            return False  # each language has a file of its own, and this one has none
        raise
    ways = [way for way in directions(path) if set(way) <= NAMES.keys()] if path.is_file() else None
    if ways is None:
        ways = [way for file in path.iterdir() for way in directions(file)]
    elif not ways:
        return True  # its name tells no languages
    return (source, target) in ways or (target, source) in ways


def weighted(lexicons: Mapping[str, Lexicon], weights: Mapping[str, float]) -> Lexicon:
    """One lexicon of several: the mixture, over the sources that have a term, by their weights.

    Args:
        lexicons: By source.
        weights: Above 0, by source; those of sources without a lexicon are not looked at.

    Raises:
        UsageError: If there are no lexicons, or their directions differ.
    """
    used = sorted(spec for spec in weights if spec in lexicons)  # in any order the same lexicon
    if len(used) == 1:
        return lexicons[used[0]]
    return merged([lexicons[spec] for spec in used], [weights[spec] for spec in used])
