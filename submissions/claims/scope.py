"""How far a verdict reaches: the tasks, base models, training data and seeds behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submissions.claims.ledger import Finding

TRAININGS = "trainings"
CHECKPOINTS = "checkpoints"


def tasks_of(finding: Finding) -> tuple[str, ...]:
    """Tasks that were measured on."""
    return tuple(sorted({one.pair.sides.task for one in finding.evidence}))


def bases_of(finding: Finding) -> tuple[str, ...]:
    """Base models of the systems that were compared."""
    return tuple(sorted({system.base for system in finding.systems}))


def kinds_of(finding: Finding) -> tuple[str, ...]:
    """Kinds of these systems."""
    return tuple(sorted({system.kind for system in finding.systems}))


def training_data_of(finding: Finding) -> tuple[str, ...]:
    """What they were trained on: names of files, or the entry's own words."""
    found = set[str]()
    for system in finding.systems:
        said = system.entries[0].manifest.method.training_data
        found |= set(system.record.data) if system.record else {said}
    return tuple(sorted(found))


def about(finding: Finding) -> str:
    """``trainings`` if every system has several seeds; else the verdict is on checkpoints."""
    is_general = all(len(system.entries) > 1 for system in finding.systems)
    return TRAININGS if is_general else CHECKPOINTS


def is_of_the_source(finding: Finding) -> bool | None:
    """Whether all was measured on the source's data and kind of models; None without a source."""
    source = finding.claim.source
    if source is None:
        return None
    return set(tasks_of(finding)) <= set(source.tasks) and set(kinds_of(finding)) == {source.kind}


def in_words(finding: Finding) -> str:
    """The scope in a few sentences."""
    systems = finding.systems
    counts = sorted({len(system.entries) for system in systems})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    plural = "" if counts == [1] else "s"
    text = (
        f"Scope: {', '.join(tasks_of(finding))}; {', '.join(kinds_of(finding))} models from "
        f"{', '.join(bases_of(finding))}, trained on {', '.join(training_data_of(finding))}; "
        f"{seeds} seed{plural} a system."
    )
    if about(finding) == CHECKPOINTS:
        text += " It is about these checkpoints, not about other trainings of the same kind."
    if is_of_the_source(finding) is False and (source := finding.claim.source):
        own = ", ".join(source.tasks) or "data that are no task here"
        text += f" The source has {source.models} on {own}."
    return text
