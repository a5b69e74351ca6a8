"""The claims of the literature with their verdicts, and the evidence of each."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from leaderboard.claim_evidence import evidence_pages
from leaderboard.page import Page
from submissions.claims import scope
from submissions.claims.evidence import DESIGN, POWER, has_seeds
from submissions.claims.ledger import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leaderboard.facts import SiteFacts
    from submissions.claims.ledger import Finding

SECTION = "claims"
_AUTHORS_AND_YEAR = re.compile(r"[^,].*? \d{4}(?=[,.])")


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``claims.html``, and ``claims/<id>.html`` with the evidence of each."""
    findings = facts.ledger.findings
    published = [one for one in findings if one.claim.kind == "claim"]
    questions = [one for one in findings if one.claim.kind == "question"]
    content = {
        "answer": answer(findings),
        "tally": {verdict: facts.ledger.counts[verdict] for verdict in VERDICTS},
        "groups": {"What is claimed": published, "What is asked": questions},
        "reasons": {one.claim.id: reasons(one) for one in findings},
        "cited": {
            one.claim.id: cited(one.claim.source.paper) for one in findings if one.claim.source
        },
        "notes": facts.ledger.notes,
        "entries": facts.ledger.entries,
    }
    yield Page("claims.html", "claims.html", content, SECTION)
    systems = {site.name: site for site in facts.standing}
    for finding in findings:
        found = evidence_pages(finding)
        for one in found:
            yield Page(
                _path(finding, one.number),
                "claim.html",
                {
                    "finding": finding,
                    "answer": answer_of(finding),
                    "scope": scope.in_words(finding) if finding.evidence else "",
                    "page": one,
                    "paths": [_path(finding, other.number) for other in found],
                    "systems": [systems[system.label] for system in finding.systems],
                    "design": DESIGN,
                    "power": POWER,
                    "by_seeds": has_seeds([e.pair for e in finding.evidence]),
                },
                SECTION,
            )


def _path(finding: Finding, number: int) -> str:
    # Ids of claims have no dot: the pages of one cannot be those of another.
    return f"claims/{finding.claim.id}{f'.{number}' if number > 1 else ''}.html"


def answer(findings: Sequence[Finding]) -> str:
    """The ledger in one sentence."""
    if not any(finding.evidence for finding in findings):
        return f"None of {len(findings)} statements can be tested on the entries here yet"
    parts = []
    for kind, noun in (("claim", "published claim"), ("question", "open question")):
        counts = Counter(one.verdict for one in findings if one.claim.kind == kind)
        tested = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]
        total = counts.total()
        if total:
            parts.append(f"Of {total} {noun}{'s' if total > 1 else ''}: {', '.join(tested)}")
    return ". ".join(parts)


def answer_of(finding: Finding) -> str:
    """The verdict on a claim in a sentence."""
    if not finding.evidence:
        return "No comparison on the entries here can tell."
    counts = Counter(one.outcome for one in finding.evidence)
    total = len(finding.evidence)
    comparisons = f"{total} comparison{'s' if total > 1 else ''}"
    text = (
        f"Of {comparisons} on the entries here, {counts['for']} for it, {counts['against']} "
        f"against it, {counts['open']} open"
    )
    if finding.tested_parts < len(finding.parts):
        text += f"; {finding.tested_parts} of its {len(finding.parts)} parts were tested"
    return text + "."


def cited(paper: str) -> str:
    """Authors and year of a citation, without the title."""
    found = _AUTHORS_AND_YEAR.match(paper)
    return found[0] if found else paper


def reasons(finding: Finding) -> list[str]:
    """Why parts were not tested, each reason once, as sentences."""
    said = dict.fromkeys(part.why_not.rstrip(".") for part in finding.parts if part.why_not)
    return [f"{why[:1].upper()}{why[1:]}." for why in said]
