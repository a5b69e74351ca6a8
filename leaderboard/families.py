"""Families of tests that the site shows, reduced to what a page needs of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from harness.comparison import compare
from harness.design import Design
from harness.paired_scores import average_over_seeds, from_question_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.comparison import Comparison
    from harness.design import Test
    from harness.question_scores import QuestionScores

SITE_RESAMPLES = 10_000
"""Of the families of single settings, of which a task has many."""
MAP_RESAMPLES = 2_500
"""Of a heat map: a system has one for each of its baselines on each task."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One system minus another.

    Attributes:
        difference: Of their means over the questions that both have.
        ci: Simultaneous interval over the family; None where the data give no bound.
        p: Adjusted for the family.
        n: Number of questions.
        significant: Whether p is below the level of the family.
    """

    difference: float
    ci: tuple[float, float] | None
    p: float
    n: int
    significant: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a system stands.

    Attributes:
        system: Its id.
        mean: Over its questions.
        letters: Systems that share one are not separated.
        ranks: The best and worst rank that the tests do not exclude.
        to_first: The system minus the first; None for the first.
    """

    system: str
    mean: float
    letters: str
    ranks: tuple[int, int]
    to_first: Difference | None


@dataclass(frozen=True, slots=True)
class Family:
    """All pairs of systems in some settings or classes.

    Attributes:
        size: Number of tests that are corrected for together.
        test: The test of a single difference, as :class:`harness.design.Design` has it, or the
            range of means of :mod:`leaderboard.many_systems`.
        resamples: Number of resamples behind each, where it resamples.
        places: By setting or class, the systems, best first.
    """

    size: int
    test: Test | Literal["range"]
    resamples: int
    places: Mapping[str, Sequence[Place]]

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a cache."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Family:
        """What :meth:`as_json` gave."""
        places = {
            name: tuple(
                Place(
                    **{
                        **found,
                        "ranks": tuple(found["ranks"]),
                        "to_first": found["to_first"] and difference_from_json(found["to_first"]),
                    }
                )
                for found in rows
            )
            for name, rows in content["places"].items()
        }
        return cls(content["size"], content["test"], content["resamples"], places)


class PlacesByColumn(Sequence[Place]):
    """Places that are at hand by column."""

    @abstractmethod
    def columns(self) -> tuple[list[Any], ...]:
        """See :func:`columns_of`."""


def columns_of(places: Sequence[Place]) -> tuple[list[Any], ...]:
    """Places by column.

    Ids, means, letters, best and worst ranks; then, None for the first, differences to it, the
    ends of their intervals, and their p-values.
    """
    if isinstance(places, PlacesByColumn):
        return places.columns()
    rows = []
    for place in places:
        change = place.to_first
        low, high = change.ci if change and change.ci else (None, None)
        of_change = (change.difference, low, high, change.p) if change else (None,) * 4
        rows.append((place.system, place.mean, place.letters, *place.ranks, *of_change))
    return tuple(list(column) for column in zip(*rows, strict=True))


def difference_from_json(content: Mapping[str, Any]) -> Difference:
    """What ``asdict`` gave, with its interval as a pair."""
    ci = content["ci"]
    return Difference(**{**content, "ci": None if ci is None else (ci[0], ci[1])})


def design_of(groups: Mapping[str, Sequence[str]], *, settings: bool) -> Design:
    """How systems are compared: over questions, and over seeds too where systems have several.

    Args:
        groups: The entries of each system.
        settings: Whether each setting is a family, or all class averages are one.
    """
    seeds = any(len(entries) > 1 for entries in groups.values())
    return Design(
        test="seed-t" if seeds else "sign-flip",
        correction="holm" if seeds else "max-t",
        family="setting" if settings else "all",
        resamples=SITE_RESAMPLES if settings else Design().resamples,
    )


def all_pairs(
    scores: Mapping[str, QuestionScores],
    groups: Mapping[str, Sequence[str]],
    patterns: Sequence[str],
    design: Design,
) -> Family:
    """Compares all pairs of systems.

    Args:
        scores: By entry, all of one measure.
        groups: The entries of each system; a single system has a place and no tests.
        patterns: Settings, or none for the class averages.
        design: See :func:`design_of`.
    """
    paired = average_over_seeds(from_question_scores(scores, patterns), groups)
    if len(groups) == 1:
        (system,) = groups
        means = np.nanmean(paired.values[:, :, 0], axis=0).tolist()
        alone = {
            setting: (Place(system, mean, "", (1, 1), None),)
            for setting, mean in zip(paired.settings, means, strict=True)
        }
        return Family(0, design.test, design.resamples, alone)
    comparison = compare(paired, design)
    tests = _by_pair(comparison)
    places = {}
    for setting, standings in comparison.standings.items():
        first = standings[0].system
        places[setting] = tuple(
            Place(
                system=found.system,
                mean=found.mean,
                letters=found.letters,
                ranks=found.ranks or (1, len(standings)),
                to_first=None if found.system == first else tests[setting, found.system, first],
            )
            for found in standings
        )
    return Family(comparison.family_size, design.test, design.resamples, places)


def two_systems(a: Sequence[QuestionScores], b: Sequence[QuestionScores]) -> dict[str, Difference]:
    """System ``a`` minus system ``b`` in every setting that both have: one family.

    Tested over questions, with the scores of seeds averaged: a mark in one setting of more than a
    hundred is about these checkpoints, as no test over three seeds could tell so many apart.

    Args:
        a: Scores of the first system, of each seed.
        b: Those of the second.
    """
    scores = {f"a{i}": one for i, one in enumerate(a)} | {f"b{i}": one for i, one in enumerate(b)}
    groups = {side: [name for name in scores if name.startswith(side)] for side in ("a", "b")}
    paired = average_over_seeds(from_question_scores(scores, ("*",)), groups)
    found = _by_pair(compare(paired, Design(resamples=MAP_RESAMPLES)))
    return {setting: one for (setting, first, _), one in found.items() if first == "a"}


def _by_pair(comparison: Comparison) -> dict[tuple[str, str, str], Difference]:
    """Every test in both directions, by setting and systems."""
    found = {}
    for test in comparison.tests:
        significant = test.p_adjusted < comparison.design.alpha
        one = Difference(test.difference, test.ci, test.p_adjusted, test.n, significant)
        turned = None if test.ci is None else (-test.ci[1], -test.ci[0])
        other = Difference(-test.difference, turned, test.p_adjusted, test.n, significant)
        found[test.setting, test.a, test.b] = one
        found[test.setting, test.b, test.a] = other
    return found
