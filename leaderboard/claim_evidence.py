"""The evidence of a claim, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from harness.measures import RANK_DISTANCE
from leaderboard.charts.forest import ForestRow, ForestText, forest_chart
from submissions.claims.claim import ClaimPart
from submissions.claims.evidence import DESIGN
from tasks.languages import language_name
from tasks.settings import KIND_NAMES, KINDS, kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leaderboard.charts.forest import ForestChart, Verdict
    from submissions.claims.claim import Claim
    from submissions.claims.comparisons import PairOfScores
    from submissions.claims.evidence import Evidence
    from submissions.claims.ledger import Finding, PartFinding

MOST_ROWS = 60
"""Comparisons on a page; more follow on pages of their own."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One comparison.

    Attributes:
        evidence: The comparison, tested.
        where: What is averaged over, in words.
        systems: What was compared, in words.
        base: The base model, where the claim has comparisons of several.
    """

    evidence: Evidence
    where: str
    systems: str
    base: str


@dataclass(frozen=True, slots=True)
class PartSection:
    """A part of a claim with its comparisons, or those that fit on a page.

    Attributes:
        finding: The part and its verdict.
        expected: What is claimed of the difference, in words; nothing where no entry can tell.
        rows: Its comparisons.
        continued: Whether earlier ones stand on the page before.
    """

    finding: PartFinding
    expected: str
    rows: tuple[EvidenceRow, ...]
    continued: bool


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """A page of evidence.

    Attributes:
        number: From 1.
        sections: Parts in order.
        charts: Forest plots: one of scores, one of ranks, where there are any.
    """

    number: int
    sections: tuple[PartSection, ...]
    charts: tuple[ForestChart, ...]


def evidence_pages(finding: Finding) -> list[EvidencePage]:
    """The evidence of a claim, on as many pages as it takes; at least one."""
    several = len({one.pair.sides.a.base for one in finding.evidence}) > 1
    parts = [(part, _rows(part, several=several)) for part in finding.parts]
    pages: list[list[PartSection]] = [[]]
    left = MOST_ROWS
    for part, rows in parts:
        rest, continued = rows, False
        while True:
            if rest and not left:
                pages.append([])
                left = MOST_ROWS
            now, rest = rest[:left], rest[left:]
            left -= len(now)
            expected = _expected(finding.claim, part)
            pages[-1].append(PartSection(part, expected, tuple(now), continued))
            continued = True
            if not rest:
                break
    return [
        EvidencePage(number, tuple(sections), tuple(_charts(sections)))
        for number, sections in enumerate(pages, 1)
    ]


def where_measured(pair: PairOfScores) -> str:
    """``CLIR, 110 settings``, ``Arabic to Russian``, or one against the other."""
    if pair.settings_a == pair.settings_b:
        return _settings(pair.settings_a)
    return f"{_settings(pair.settings_a)} against {_settings(pair.settings_b)}"


def _settings(names: Sequence[str]) -> str:
    if len(names) == 1:
        query, document = languages_of(names[0])
        kind = KIND_NAMES[kind_of(names[0])]
        if query == document:
            return f"{language_name(query)} ({kind})"
        return f"{language_name(query)} to {language_name(document)} ({kind})"
    kinds = sorted({kind_of(name) for name in names}, key=KINDS.index)
    return f"{' and '.join(KIND_NAMES[kind] for kind in kinds)}, {len(names)} settings"


def _rows(part: PartFinding, *, several: bool) -> list[EvidenceRow]:
    return [
        EvidenceRow(
            evidence=one,
            where=where_measured(one.pair),
            systems=_systems(one.pair),
            base=one.pair.sides.a.base if several else "",
        )
        for one in part.evidence
    ]


def _systems(pair: PairOfScores) -> str:
    sides = pair.sides
    text = sides.a.label if sides.a is sides.b else f"{sides.a.label} − {sides.b.label}"
    return f"{text}, gains over {sides.baseline.label}" if sides.baseline else text


def _expected(claim: Claim, part: PartFinding) -> str:
    said = part.part
    if not isinstance(said, ClaimPart):
        return ""
    a, b = claim.methods[said.a].name, claim.methods[said.b].name
    words = {
        "higher": f"{a} is higher than {b}",
        "lower": f"{a} is lower than {b}",
        "same": f"{a} and {b} do not differ",
        "differs": f"{a} and {b} differ",
    }
    if said.a == said.b and said.settings_b:
        here, there = said.settings.words, said.settings_b.words
        of = f" (gains over {claim.methods[said.baseline].name})" if said.baseline else ""
        words = {
            "higher": f"{a} is higher in {here} than in {there}{of}",
            "lower": f"{a} is lower in {here} than in {there}{of}",
            "same": f"{a} does not differ between {here} and {there}{of}",
            "differs": f"{a} differs between {here} and {there}{of}",
        }
    size = f", by {said.size:g}" if said.size else ""
    margin = f", with a margin of {said.margin:g}" if said.margin else ""
    return words[said.expect] + size + margin


def _charts(sections: Sequence[PartSection]) -> Iterator[ForestChart]:
    pairs = [(section, row) for section in sections for row in section.rows]

    def of_ranks(item: tuple[PartSection, EvidenceRow]) -> bool:
        return item[1].evidence.pair.measure == RANK_DISTANCE

    for ranks, found in groupby(sorted(pairs, key=of_ranks), key=of_ranks):
        rows = [_forest_row(section, row) for section, row in found]
        text = ForestText(
            title="Differences, with intervals that hold together",
            rows="Comparison",
            lower="first is lower",
            higher="first is higher",
            decimals=0 if ranks else 3,
        )
        yield forest_chart(rows, text)


def _forest_row(section: PartSection, row: EvidenceRow) -> ForestRow:
    one = row.evidence
    place = [section.finding.part.statement, one.pair.sides.task]
    if [other.evidence.pair.sides.task for other in section.rows].count(place[1]) > 1:
        place.append(row.where)
    if row.base:
        place.append(row.base)
    return ForestRow(
        label=" · ".join(place),
        difference=one.difference,
        interval=_holding(one),
        verdict=_direction(one),
    )


def _holding(one: Evidence) -> tuple[float, float] | None:
    """The interval; sums in another order may put the difference a hair outside."""
    if one.ci is None:
        return None
    return min(one.ci[0], one.difference), max(one.ci[1], one.difference)


def _direction(one: Evidence) -> Verdict:
    if not one.p_adjusted < DESIGN.alpha:
        return "not separated"
    return "better" if (one.difference > 0) == one.pair.higher_is_better else "worse"
