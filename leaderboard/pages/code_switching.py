"""What training on code-switched text does: every trained method against zero-shot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.code_switching import BIAS, CLASSES, WITHIN_CLIR
from leaderboard.code_switching_words import answer, overall, scope_of, tally, verdicts
from leaderboard.page import Page
from submissions.claims.evidence import DESIGN, POWER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leaderboard.code_switching import CodeSwitching, Contrast, MethodRow, Study
    from leaderboard.facts import SiteFacts
    from submissions.claims.evidence import Evidence
    from submissions.claims.ledger import Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """The main method of a study, in words.

    Attributes:
        method: The method.
        text: What it shows.
        verdicts: On each class and on rank distance.
        scope: How far that reaches.
    """

    method: MethodRow
    text: str
    verdicts: Sequence[tuple[Contrast, Verdict, Evidence]]
    scope: str


@dataclass(frozen=True, slots=True)
class StudySection:
    """A study on the page.

    Attributes:
        id: Of its section.
        study: The study.
        answer: None where no method is trained by code-switching.
        tally: How many methods do better, by class.
        classes: Columns of the first table: those that a method has.
        within_clir: Columns of the second.
        zero_shot: The means of zero-shot, by class.
    """

    id: str
    study: Study
    answer: Answer | None
    tally: str
    classes: Sequence[Contrast]
    within_clir: Sequence[Contrast]
    zero_shot: dict[str, float]


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``code-switching.html``."""
    found = facts.code_switching
    content = {
        "found": found,
        "overall": overall(found.studies),
        "mains": _names(found),
        "sections": [_section(number, study) for number, study in enumerate(found.studies, 1)],
        "missing": _missing(found),
        "design": DESIGN,
        "power": POWER,
    }
    yield Page("code-switching.html", "code_switching.html", content, "code-switching")


def _names(found: CodeSwitching) -> list[str]:
    """The main methods, each once."""
    return list(dict.fromkeys(s.main.site.name for s in found.studies if s.main))


def _section(number: int, study: Study) -> StudySection:
    cells = [row.found for row in study.methods]
    main = study.main
    return StudySection(
        id=f"study-{number}",
        study=study,
        answer=Answer(main, answer(main.found), verdicts(main.found), scope_of(main))
        if main
        else None,
        tally=" ".join(filter(None, (tally(study.methods, c) for c in CLASSES))),
        classes=[c for c in (*CLASSES, BIAS) if any(c.id in one for one in cells)],
        within_clir=[c for c in WITHIN_CLIR if any(c.id in one for one in cells)],
        zero_shot={
            c.id: one[c.id].over_questions.mean_b
            for c in (*CLASSES, BIAS)
            for one in reversed(cells)
            if c.id in one
        },
    )


def _missing(found: CodeSwitching) -> str:
    """What is needed before anything can be said."""
    if found.studies:
        return ""
    if not found.zero_shot and not found.trained:
        return "There is no entry of a zero-shot training, nor of any other to hold against it."
    if not found.zero_shot:
        return "There is no entry of a zero-shot training to hold the others against."
    if not found.trained:
        return "There is a zero-shot training, and no entry of another to hold against it."
    return (
        "The zero-shot trainings and the others share no task in full, base model, kind, number of "
        "steps and way of scoring, so that a difference would not be that of their methods."
    )
