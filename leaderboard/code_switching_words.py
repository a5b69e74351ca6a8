"""What training on code-switched text does, in words that follow from the tests.

A difference is called better or worse if it is significant after correction, else not separated;
no other words are made from it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leaderboard.code_switching import BIAS, CLASSES, part_of
from submissions.claims import scope
from submissions.claims.claim import Claim
from submissions.claims.ledger import Finding, PartFinding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leaderboard.code_switching import Contrast, MethodRow, Study
    from submissions.claims.evidence import Evidence, Outcome
    from submissions.claims.ledger import Verdict

VERDICTS: Mapping[Outcome, Verdict] = {
    "for": "supported",
    "against": "contradicted",
    "open": "not separated",
}
"""The verdict on: it does better than zero-shot."""
_ACROSS = ("clir", "mlir")
_WITHIN = "moir"
_ANSWERS_ACROSS: Mapping[Outcome, str] = {
    "for": "yes",
    "against": "no, it does worse",
    "open": "not shown",
}
_ANSWERS_WITHIN: Mapping[Outcome, str] = {
    "for": "better",
    "against": "worse",
    "open": "not separated",
}
_COMPARED: Mapping[Outcome, str] = {
    "for": "better",
    "against": "worse",
    "open": "not separated from zero-shot",
}


def overall(studies: Sequence[Study]) -> str:
    """What the main methods of all studies show, in one sentence without a full stop."""
    mains = [study.main.found for study in studies if study.main]
    across = [found[key].outcome for found in mains for key in _ACROSS if key in found]
    within = [found[_WITHIN].outcome for found in mains if _WITHIN in found]
    parts = []
    if across:
        parts.append(f"across languages {_all_or_counts(across, _ANSWERS_ACROSS)}")
    if within:
        parts.append(f"within one language {_all_or_counts(within, _ANSWERS_WITHIN)}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def answer(found: Mapping[str, Evidence]) -> str:
    """What one method shows on one task: ``Better across languages, worse within one language``."""
    places: dict[Outcome, list[str]] = {"for": [], "against": [], "open": []}
    across = {key: found[key].outcome for key in _ACROSS if key in found}
    if len(across) > 1 and len(set(across.values())) == 1:
        places[across["clir"]].append("across languages")
    else:
        for key, outcome in across.items():
            places[outcome].append(f"in {key.upper()}")
    if _WITHIN in found:
        places[found[_WITHIN].outcome].append("within one language")
    parts = [f"{_COMPARED[o]} {' and '.join(names)}" for o, names in places.items() if names]
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def verdicts(found: Mapping[str, Evidence]) -> list[tuple[Contrast, Verdict, Evidence]]:
    """The verdict on each class and on rank distance: does the method do better than zero-shot?"""
    asked = [contrast for contrast in (*CLASSES, BIAS) if contrast.id in found]
    return [(c, VERDICTS[found[c.id].outcome], found[c.id]) for c in asked]


def tally(rows: Sequence[MethodRow], contrast: Contrast) -> str:
    """How many methods do better: ``In CLIR, 5 of 6 methods do better than zero-shot, ...``."""
    outcomes = [row.found[contrast.id].outcome for row in rows if contrast.id in row.found]
    if not outcomes:
        return ""
    counts = Counter(outcomes)
    total = len(outcomes)
    return (
        f"In {contrast.name}, {counts['for']} of {total} method{'s' if total > 1 else ''} "
        f"{'do' if counts['for'] != 1 else 'does'} better than zero-shot, {counts['against']} "
        f"worse, {counts['open']} {'are' if counts['open'] != 1 else 'is'} not separated."
    )


def scope_of(row: MethodRow) -> str:
    """How far the answer on a method reaches, as the ledger of claims says it."""
    parts = tuple(
        PartFinding(part_of(contrast), verdict, (evidence,), "")
        for contrast, verdict, evidence in verdicts(row.found)
    )
    claim = Claim.model_construct(id="code-switching", source=None)
    return scope.in_words(Finding(claim, parts[0].verdict, parts)).removeprefix("Scope: ")


def _all_or_counts(outcomes: Iterable[Outcome], answers: Mapping[Outcome, str]) -> str:
    counts = Counter(outcomes)
    if len(counts) == 1:
        return answers[next(iter(counts))]
    total = counts.total()
    named = [(counts["for"], "better"), (counts["against"], "worse")]
    named.append((counts["open"], "not separated"))
    return ", ".join(f"{words} in {n} of {total} averages" for n, words in named if n)
