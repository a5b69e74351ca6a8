"""What training on code-switched text does: every trained method against zero-shot.

The comparisons and their tests are those of the claims ledger: systems that share base model,
kind, steps and way of scoring, seeds averaged within the question, all comparisons of a task one
family.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from harness.measures import RANK_DISTANCE
from leaderboard.heat_maps import heat_maps
from submissions.claims.claim import Claim, ClaimPart
from submissions.claims.comparisons import Scored, ScoreShelf, comparisons_of
from submissions.claims.evidence import has_seeds, weigh
from submissions.claims.method import Method
from submissions.claims.setting_choice import SettingChoice
from submissions.claims.system import TRAINED
from submissions.manifest import Training

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison import Comparer
    from leaderboard.facts import SiteFacts
    from leaderboard.heat_maps import HeatMap
    from leaderboard.systems import SiteSystem
    from leaderboard.tables import TaskText
    from submissions.claims.evidence import Evidence
    from submissions.claims.system import System
    from submissions.entry import Entry

USUAL_RATE = 0.5
"""The switching rate of the literature's main results."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Where methods are compared with zero-shot.

    Attributes:
        id: Its key.
        name: What readers call it.
        settings: Averaged within each question.
        measure: By default the task's own.
    """

    id: str
    name: str
    settings: SettingChoice
    measure: str | None = None


CLASSES = (
    Contrast("moir", "MoIR", SettingChoice(of=("moir",))),
    Contrast("clir", "CLIR", SettingChoice(of=("clir",))),
    Contrast("mlir", "MLIR", SettingChoice(of=("mlir",))),
)
BIAS = Contrast("distance", "Rank distance", SettingChoice(of=("mlir",)), RANK_DISTANCE)
WITHIN_CLIR = (
    Contrast("near", "Near pairs", SettingChoice(of=("clir",), pairs="near")),
    Contrast("far", "Far pairs", SettingChoice(of=("clir",), pairs="far")),
    Contrast("seen", "Seen languages", SettingChoice(of=("clir",), languages="seen")),
    Contrast("unseen", "Unseen languages", SettingChoice(of=("clir",), languages="unseen")),
    Contrast("own", "Its own pair", SettingChoice(of=("clir",), own=True)),
)

_ZERO_SHOT: Training = "zero-shot"
_ALL: tuple[Training, ...] = tuple(one for one in get_args(Training) if one in TRAINED)
_METHODS = {
    _ZERO_SHOT: Method(name="Zero-shot", training=(_ZERO_SHOT,)),
    "trained": Method(
        name="Another training", training=tuple(one for one in _ALL if one != _ZERO_SHOT)
    ),
    "translated": Method(name="Translate-test", training=_ALL, translated=True),
}
_OTHERS = ("trained", "translated")


@dataclass(frozen=True, slots=True)
class MethodRow:
    """A method against zero-shot.

    Attributes:
        site: The method.
        found: The comparisons with zero-shot, by contrast; ``for`` is better than zero-shot.
    """

    site: SiteSystem
    found: Mapping[str, Evidence]


@dataclass(frozen=True, slots=True)
class Study:
    """Methods that differ from one zero-shot system in their training alone, on one task.

    Attributes:
        task: The task.
        measure: Its primary measure.
        zero_shot: What they are compared with.
        methods: Best gain in CLIR first.
        main: The method that stands for code-switching; None if none is trained by it. Chosen by
            how it was trained, never by its scores; see :func:`main_method`.
        pairs: The main method against zero-shot in every pair of languages; None without one.
        family_size: Number of tests of the task that are corrected for together.
        by_seeds: Whether the tests are over questions and seeds.
    """

    task: TaskText
    measure: str
    zero_shot: SiteSystem
    methods: tuple[MethodRow, ...]
    main: MethodRow | None
    pairs: HeatMap | None
    family_size: int
    by_seeds: bool


@dataclass(frozen=True, slots=True)
class CodeSwitching:
    """All studies, and what had to be left out.

    Attributes:
        studies: By task, the largest first.
        zero_shot: Number of zero-shot systems with an entry.
        trained: Number of systems that were trained otherwise.
        notes: Entries that had to be left out, and why.
    """

    studies: tuple[Study, ...]
    zero_shot: int
    trained: int
    notes: tuple[str, ...]


def code_switching(facts: SiteFacts) -> CodeSwitching:
    """Compares every method with zero-shot on every task."""
    systems = [site.system for site in facts.standing]
    shelf = _SiteShelf(facts)
    studies = []
    for board in facts.boards:
        has_bias = any(row.rank_distance is not None for row in board.rows)
        contrasts = (*CLASSES, *([BIAS] if has_bias else []), *WITHIN_CLIR)
        found = _compared(board.task.id, contrasts, systems, shelf, facts.cache.compare)
        studies += _studies(board.task, board.measure, found, facts)
    return CodeSwitching(
        studies=tuple(studies),
        zero_shot=sum(_METHODS[_ZERO_SHOT].matches(s) for s in systems),
        trained=sum(_METHODS[m].matches(s) for s in systems for m in _OTHERS),
        notes=facts.ledger.notes,
    )


def main_method(rows: Sequence[MethodRow]) -> MethodRow | None:
    """The method that stands for code-switching, or None if none is trained by it.

    The main method of the literature, or the nearest to it: for several languages at once, one
    objective, words rather than entities, p = 0.5.
    """
    trained = [row for row in rows if row.site.system.training == "code-switched"]
    return min((r for r in trained if not r.site.system.translated), key=_distance, default=None)


def _distance(row: MethodRow) -> tuple[bool, bool, bool, float, str]:
    record = row.site.system.record
    switching = record.recipe.switching if record else None
    if record is None or switching is None:
        return True, True, True, 1.0, row.site.id
    return (
        bool(record.own_pairs),
        record.recipe.multitask is not None,
        switching.level == "entity",
        abs(switching.probability - USUAL_RATE),
        row.site.id,
    )


def _compared(
    task: str,
    contrasts: Sequence[Contrast],
    systems: Sequence[System],
    shelf: ScoreShelf,
    comparer: Comparer,
) -> list[Evidence]:
    """Every comparison of a task, tested as one family."""
    # Not validated, as a claim of the ledger is: the task may be the user's own.
    claim = Claim.model_construct(id="code-switching", tasks=(task,), methods=_METHODS)
    parts = [part_of(contrast, method) for contrast in contrasts for method in _OTHERS]
    pairs = [
        (pair, part)
        for part in parts
        for pair in comparisons_of(claim, part, systems, None, shelf)[0]
    ]
    if not pairs:
        return []
    sides, asked = [pair for pair, _ in pairs], [part for _, part in pairs]
    return weigh(sides, asked, [False] * len(pairs), comparer)


def part_of(contrast: Contrast, method: str = "trained") -> ClaimPart:
    """A contrast as a part of a claim: a method does better than zero-shot."""
    return ClaimPart(
        id=contrast.id,
        statement=contrast.name,
        a=method,
        b=_ZERO_SHOT,
        settings=contrast.settings,
        measure=contrast.measure,
        expect="lower" if contrast is BIAS else "higher",
    )


def _studies(
    task: TaskText, measure: str, found: Sequence[Evidence], facts: SiteFacts
) -> list[Study]:
    sites = {site.name: site for site in facts.standing}
    by_side: dict[str, dict[str, dict[str, Evidence]]] = {}
    for one in found:
        sides = one.pair.sides
        of_method = by_side.setdefault(sides.b.label, {}).setdefault(sides.a.label, {})
        of_method[one.pair.part] = one
    studies = []
    for zero_shot, methods in sorted(by_side.items()):
        rows = [MethodRow(sites[label], cells) for label, cells in methods.items()]
        main = main_method(rows)
        studies.append(
            Study(
                task=task,
                measure=measure,
                zero_shot=sites[zero_shot],
                methods=tuple(sorted(rows, key=_by_gain)),
                main=main,
                pairs=_pairs(main.site, sites[zero_shot], task.id, facts) if main else None,
                family_size=len(found),
                by_seeds=has_seeds([one.pair for one in found]),
            )
        )
    return studies


def _pairs(main: SiteSystem, zero_shot: SiteSystem, task: str, facts: SiteFacts) -> HeatMap:
    """As on the page of the method itself."""
    maps = heat_maps(main, task, facts)
    return next(one for one in maps if one.baseline and one.baseline.id == zero_shot.id)


def _by_gain(row: MethodRow) -> tuple[float, str]:
    clir = row.found.get("clir")
    return (-clir.difference if clir else float("inf"), row.site.id)


class _SiteShelf(ScoreShelf):
    """Takes the scores that the site has computed already."""

    def __init__(self, facts: SiteFacts) -> None:
        super().__init__()
        self._facts = facts

    def scored(self, entry: Entry, task: str) -> Scored:
        found = self._facts.scored(entry.manifest.id, task).scores
        return Scored(found.settings, found.measure)

    def by_question(
        self, entry: Entry, task: str, measure: str, settings: Sequence[str]
    ) -> dict[str, float]:
        found = self._facts.scored(entry.manifest.id, task).scores
        if found.measure == measure:
            return found.by_question(settings)
        return super().by_question(entry, task, measure, settings)
