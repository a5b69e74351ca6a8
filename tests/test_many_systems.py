"""Places among very many systems: all they say follows from one range of means a unit."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scored_systems import QUESTIONS, SETTINGS, STEP, by_question, drawn, many, of_values

from harness.design import Design
from harness.question_scores import classes
from harness.significance.letters import compact_letters, letter
from harness.significance.rank_intervals import rank_intervals
from harness.significance.signs import Signs
from leaderboard import many_systems
from leaderboard.families import PlacesByColumn, all_pairs, columns_of
from leaderboard.many_systems import (
    CLASS_RESAMPLES,
    LETTERS_IN_FULL,
    SETTING_RESAMPLES,
    all_pairs_of_many,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from leaderboard.families import Family
    from leaderboard.kept_extremes import Member

ALPHA = 0.05
COUNT = 60
LETTER = re.compile(r"[a-z]\d*")
UNITS = {**{name: (name,) for name in SETTINGS}, **classes(SETTINGS)}
"""The settings that each unit is a mean over."""
NUMBERS = {letter(number): number for number in range(200)}


@pytest.fixture(scope="module")
def members() -> dict[str, Member]:
    """Systems from weak to strong, some of the same skill, one with two seeds, two the same."""
    found = many(np.repeat(np.linspace(0.2, 0.8, COUNT // 3), 3).tolist())
    found["s07"] = (*found["s07"], drawn(0.35, 99))
    found["s30"] = found["s31"]
    return found


@pytest.fixture(scope="module", params=[True, False], ids=["settings", "classes"])
def family(request: pytest.FixtureRequest, members: dict[str, Member]) -> Family:
    return all_pairs_of_many(members, "own", None, by_setting=request.param)


def p_of_pairs(scores: NDArray[np.float64], resamples: int) -> NDArray[np.float64]:
    """p-values of all pairs of systems, by comparing each with the range in every resample.

    Args:
        scores: Shape (systems, questions).
        resamples: Number of resamples.
    """
    design = Design()
    drawn_signs = Signs([f"q{number:02}" for number in range(QUESTIONS)], design.seed, resamples)
    centred = scores - scores.mean(axis=1, keepdims=True)
    ranges = np.ptp(centred @ drawn_signs.block(0, resamples, np.float64), axis=0) / QUESTIONS
    means = scores.mean(axis=1)
    return np.array([[(1 + np.sum(ranges >= abs(a - b))) for a in means] for b in means]) / (
        1 + resamples
    )


def adjusted_p(members: Mapping[str, Member], family: Family, unit: str) -> NDArray[np.float64]:
    """p-values of all pairs, corrected, shape (systems, systems)."""
    scores = by_question(members, UNITS[unit])
    is_setting = "/" in unit
    p = p_of_pairs(scores, SETTING_RESAMPLES if is_setting else CLASS_RESAMPLES)
    return np.minimum(1.0, p * (1 if is_setting else len(family.places)))


def in_full(letters: str) -> set[int]:
    """Numbers of all letters that a place has, those between two ends too."""
    first, dash, last = letters.partition("–")
    if dash:
        return set(range(NUMBERS[first], NUMBERS[last] + 1))
    return {NUMBERS[one] for one in LETTER.findall(letters)}


def test_a_family_says_what_it_is(members: dict[str, Member]) -> None:
    pairs = COUNT * (COUNT - 1) // 2
    by_setting = all_pairs_of_many(members, "own", None, by_setting=True)
    assert (by_setting.size, by_setting.test) == (pairs, "range")
    assert (by_setting.resamples, tuple(by_setting.places)) == (SETTING_RESAMPLES, SETTINGS)
    by_class = all_pairs_of_many(members, "own", None, by_setting=False)
    assert (by_class.size, by_class.test) == (3 * pairs, "range")
    assert (by_class.resamples, tuple(by_class.places)) == (
        CLASS_RESAMPLES,
        ("moir", "clir", "mlir"),
    )


def test_letters_and_ranks_are_those_of_the_pairs_that_are_separated(
    members: dict[str, Member], family: Family
) -> None:
    most_letters = 0
    for unit, places in family.places.items():
        p = adjusted_p(members, family, unit)
        means = by_question(members, UNITS[unit]).mean(axis=1)
        place = {name: position for position, name in enumerate(members)}
        order = sorted(members, key=lambda name: (-means[place[name]], name))
        assert [one.system for one in places] == order
        index = [place[name] for name in order]
        separated = (p < ALPHA)[np.ix_(index, index)]
        better = np.triu(separated)
        expected = rank_intervals(better)
        assert [one.ranks for one in places] == list(
            zip(expected.best.tolist(), expected.worst.tolist(), strict=True)
        )
        found = [in_full(one.letters) for one in places]
        for a, b in combinations(range(COUNT), 2):
            assert bool(found[a] & found[b]) != separated[a, b]
        pairs = {(order[a], order[b]) for a, b in np.argwhere(better)}
        as_compact = compact_letters(order, pairs)
        assert [{NUMBERS[one] for one in LETTER.findall(as_compact[name])} for name in order] == (
            found
        )
        for numbers, one in zip(found, places, strict=True):
            assert ("–" in one.letters) == (len(numbers) > LETTERS_IN_FULL)
        most_letters = max(most_letters, *(len(one) for one in found))
        assert 0 < separated.sum() < COUNT * (COUNT - 1)
    assert most_letters > LETTERS_IN_FULL, "some are written as the first and the last"


def test_differences_to_the_first_are_tested_at_the_level_of_the_family(
    members: dict[str, Member], family: Family
) -> None:
    names = list(members)
    for unit, places in family.places.items():
        p = adjusted_p(members, family, unit)
        first = names.index(places[0].system)
        assert places[0].to_first is None
        marked = set()
        for place in places[1:]:
            found = place.to_first
            assert found is not None
            assert found.p == p[first, names.index(place.system)]
            assert found.difference == place.mean - places[0].mean
            assert found.n == QUESTIONS
            assert found.ci is not None
            assert (found.ci[0] <= 0 <= found.ci[1]) == (found.p >= ALPHA)
            assert found.significant == (found.p < ALPHA)
            marked.add(found.significant)
        assert marked == {True, False}


def test_intervals_of_all_differences_are_as_wide(family: Family) -> None:
    for places in family.places.values():
        width = {
            round(found.ci[1] - found.ci[0], 12)
            for place in places
            if (found := place.to_first) and found.ci
        }
        assert len(width) == 1


def test_means_are_those_of_the_pages_of_fewer_systems(
    members: dict[str, Member], family: Family
) -> None:
    kept = {name: members[name] for name in list(members)[::10]} | {"s07": members["s07"]}
    groups = {name: [f"{name}-{i}" for i in range(len(member))] for name, member in kept.items()}
    scores = {f"{n}-{i}": one.scores for n, member in kept.items() for i, one in enumerate(member)}
    patterns = SETTINGS if SETTINGS[0] in family.places else ()
    few = all_pairs(scores, groups, patterns, Design(resamples=20))
    assert tuple(few.places) == tuple(family.places)
    for unit, places in few.places.items():
        many_means = {place.system: place.mean for place in family.places[unit]}
        for place in places:
            assert many_means[place.system] == pytest.approx(place.mean, abs=1e-12)


def test_columns_are_those_of_the_places(family: Family) -> None:
    for places in family.places.values():
        assert isinstance(places, PlacesByColumn)
        assert columns_of(places) == columns_of(tuple(places))


def test_too_few_resamples_bound_nothing(
    members: dict[str, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    # 3 / (1 + 59) is not below .05.
    monkeypatch.setattr(many_systems, "CLASS_RESAMPLES", 59)
    for places in all_pairs_of_many(members, "own", None, by_setting=False).places.values():
        assert {place.letters for place in places} == {"a"}
        assert {place.ranks for place in places} == {(1, COUNT)}
        changes = [place.to_first for place in places][1:]
        assert [(one.ci, one.significant) for one in changes if one] == [(None, False)] * 59
        assert columns_of(places) == columns_of(tuple(places))
        assert columns_of(places)[6] == [None] * COUNT


def test_places_are_a_sequence(family: Family) -> None:
    places = next(iter(family.places.values()))
    everyone = tuple(places)
    assert len(places) == len(everyone) == COUNT
    assert places[-1] == everyone[-1] == places[COUNT - 1]
    assert places[-COUNT] == everyone[0]
    assert places[3:9:2] == everyone[3:9:2]
    assert places[::-1] == everyone[::-1]
    assert places[58:99] == everyone[58:]
    assert places[-2:] == everyone[-2:]
    assert everyone[5] in places
    assert places.index(everyone[5]) == 5
    for beyond in (COUNT, -COUNT - 1):
        with pytest.raises(IndexError):
            places[beyond]


def test_seeds_are_averaged(members: dict[str, Member]) -> None:
    one, other = members["s07"]
    mean = (one.scores.value + other.scores.value) / 2
    joined = members | {"s07": (of_values(mean / STEP),)}
    for by_setting in (True, False):
        families = [
            all_pairs_of_many(found, "own", None, by_setting=by_setting)
            for found in (members, joined)
        ]
        for unit, places in families[0].places.items():
            assert columns_of(places) == columns_of(families[1].places[unit])


def test_the_order_in_which_systems_are_given_does_not_matter(members: dict[str, Member]) -> None:
    turned = dict(reversed(members.items()))
    families = [
        all_pairs_of_many(found, "own", None, by_setting=False) for found in (members, turned)
    ]
    for unit, places in families[0].places.items():
        assert columns_of(places) == columns_of(families[1].places[unit])


def test_where_systems_are_far_apart_step_down_max_t_says_the_same() -> None:
    found = many([0.2] * 10 + [0.5] * 10 + [0.8] * 10)
    scores = {name: member[0].scores for name, member in found.items()}
    groups = {name: [name] for name in found}
    families = (
        all_pairs_of_many(found, "own", None, by_setting=False),
        all_pairs(scores, groups, (), Design(resamples=199)),
    )
    for family in families:
        for places in family.places.values():
            third = {place.system: (place.ranks[0] - 1) // 10 for place in places}
            assert third == {name: 2 - int(name[1:]) // 10 for name in found}
            assert {(place.ranks[1] - 1) // 10 - third[place.system] for place in places} == {0}
            changes = {place.system: place.to_first for place in places[10:]}
            assert all(one and one.significant and one.difference < 0 for one in changes.values())
