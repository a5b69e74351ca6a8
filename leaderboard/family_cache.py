"""Families of tests are computed once for the same ranks: a new entry leaves the others' alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.comparison import Comparison, PairedDifference, Standing, compare
from harness.design import Design
from harness.files import write_atomically
from leaderboard.code_digest import computing_digest
from leaderboard.families import (
    Family,
    all_pairs,
    design_of,
    difference_from_json,
    two_systems,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.paired_scores import PairedScores
    from leaderboard.families import Difference
    from leaderboard.score_store import Scored


class FamilyCache:
    """Computes families, or takes them from files of an earlier build.

    Args:
        folder: Of the files; None for none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def all_pairs(
        self,
        scored: Mapping[str, Scored],
        groups: Mapping[str, Sequence[str]],
        patterns: Sequence[str] = (),
    ) -> Family:
        """See :func:`leaderboard.families.all_pairs`; without patterns the class averages."""
        design = design_of(groups, settings=bool(patterns))
        key = [
            "all pairs",
            {system: [scored[entry].ranks for entry in found] for system, found in groups.items()},
            next(iter(scored.values())).scores.measure,
            list(patterns),
            asdict(design),
        ]
        scores = {name: one.scores for name, one in scored.items()}
        found = self._kept(key, lambda: all_pairs(scores, groups, patterns, design).as_json())
        return Family.from_json(found)

    def two_systems(self, a: Sequence[Scored], b: Sequence[Scored]) -> dict[str, Difference]:
        """See :func:`leaderboard.families.two_systems`."""
        key = ["two systems", [one.ranks for one in a], [one.ranks for one in b]]
        key.append(a[0].scores.measure)
        sides = [[one.scores for one in side] for side in (a, b)]
        found = self._kept(key, lambda: {s: asdict(d) for s, d in two_systems(*sides).items()})
        return {setting: difference_from_json(one) for setting, one in found.items()}

    def compare(self, scores: PairedScores, design: Design) -> Comparison:
        """See :func:`harness.comparison.compare`."""
        digest = hashlib.sha256(scores.values.tobytes())
        for seeds in scores.seeds.values():
            digest.update(seeds.tobytes())
        described = [
            scores.measure,
            scores.systems,
            scores.settings,
            scores.questions,
            sorted(scores.averaged_over.items()),
            sorted((name, seeds.shape) for name, seeds in scores.seeds.items()),
            scores.higher_is_better,
        ]
        key = ["compare", digest.hexdigest(), described, asdict(design)]
        return _comparison(self._kept(key, lambda: asdict(compare(scores, design))))

    def _kept(self, key: Sequence[object], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if self._folder is None:
            return compute()
        name = json.dumps([computing_digest("families"), *key], sort_keys=True).encode()
        path = self._folder / f"{hashlib.sha256(name).hexdigest()}.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            checksum, kept = content["sha256"], content["family"]
            if checksum == _digest(kept):
                return dict(kept)
        except (OSError, ValueError, KeyError, TypeError):
            pass  # not there, or damaged: computed again
        # Through JSON also when it is new, so that both ways give the same numbers.
        computed: dict[str, Any] = json.loads(json.dumps(compute()))
        kept_bytes = json.dumps({"sha256": _digest(computed), "family": computed}).encode()
        write_atomically(path, kept_bytes, durable=False)
        return computed


def _comparison(content: Mapping[str, Any]) -> Comparison:
    """What ``asdict`` gave."""
    tests = [{**one, "ci": one["ci"] and tuple(one["ci"])} for one in content["tests"]]
    standings = {
        setting: tuple(
            Standing(**{**one, "ranks": one["ranks"] and tuple(one["ranks"])}) for one in found
        )
        for setting, found in content["standings"].items()
    }
    return Comparison(
        **{
            **content,
            "design": Design(**content["design"]),
            "tests": tuple(PairedDifference(**one) for one in tests),
            "standings": standings,
            "notes": tuple(content["notes"]),
        }
    )


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
