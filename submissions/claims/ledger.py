"""The ledger: a verdict on every claim, from the entries at hand.

A comparison is for a claim if its difference is significant in the claimed direction, or, where no
difference is claimed, shown to lie within the margin; against it if the contrary is significant,
or, measured as in the source, the interval lies wholly short of the claimed size; else open.

A part is *contradicted* if a comparison is against it, else *supported* if all are for it, else
*not separated*; without comparisons it is *not tested here*. A claim follows from those of its
parts that were tested by the same rule: one counterexample is enough, whatever else holds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.comparison import compare
from submissions.claims.comparisons import ScoreShelf, comparisons_of
from submissions.claims.evidence import Evidence, weigh
from submissions.claims.system import systems_of
from tasks.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.comparison import Comparer
    from submissions.claims.claim import Claim, ClaimPart, UntestedPart
    from submissions.claims.comparisons import PairOfScores
    from submissions.claims.system import System, Systems
    from submissions.entry import Entry
    from submissions.manifest import Training

Verdict = Literal["supported", "contradicted", "not separated", "not tested here"]
VERDICTS: tuple[Verdict, ...] = ("supported", "contradicted", "not separated", "not tested here")


@dataclass(frozen=True, slots=True)
class PartFinding:
    """A part of a claim, and what the entries say of it.

    Attributes:
        part: The part.
        verdict: See the module.
        evidence: The comparisons behind it.
        why_not: Why it was not tested, if it was not.
    """

    part: ClaimPart | UntestedPart
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    why_not: str

    @property
    def detectable(self) -> float | None:
        """Where it is not separated: from here on every open comparison would have shown one."""
        known = [one.detectable for one in self.evidence if one.outcome == "open"]
        sizes = [size for size in known if size is not None]
        return max(sizes) if self.verdict == "not separated" and sizes else None


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim, and what the entries say of it.

    Attributes:
        claim: The claim.
        verdict: See the module.
        parts: Its parts, those that no entry can tell anything about last.
    """

    claim: Claim
    verdict: Verdict
    parts: tuple[PartFinding, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All comparisons: the family that was corrected for."""
        return tuple(one for part in self.parts for one in part.evidence)

    @property
    def tested_parts(self) -> int:
        """Number of parts with a verdict."""
        return sum(part.verdict != "not tested here" for part in self.parts)

    @property
    def systems(self) -> tuple[System, ...]:
        """The systems that were compared, by label."""
        found = {s.label: s for one in self.evidence for s in one.pair.sides.systems}
        return tuple(found[label] for label in sorted(found))


@dataclass(frozen=True, slots=True)
class Ledger:
    """Verdicts on claims.

    Attributes:
        findings: One a claim, by its place in the ledger.
        task: The only task that was looked at, if not all.
        entries: Number of entries that were looked at, by method of training.
        notes: Entries that had to be left out, or of which too little is known.
    """

    findings: tuple[Finding, ...]
    task: str | None
    entries: Mapping[Training, int]
    notes: tuple[str, ...]

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """Number of claims of each verdict."""
        found = Counter(finding.verdict for finding in self.findings)
        return {verdict: found[verdict] for verdict in VERDICTS}


def settle(
    claims: Sequence[Claim],
    entries: Sequence[Entry],
    task: str | None = None,
    comparer: Comparer = compare,
) -> Ledger:
    """Checks claims on entries.

    Args:
        claims: From :func:`submissions.claims.claim.read_claims`.
        entries: Entries with ranks; numbers that were only reported are no evidence.
        task: Look at this task only; comparisons in others are then not in the family either.
        comparer: What runs the sign flips.

    Raises:
        UnknownNameError: If no claim is about the task.
        EntryError: If an entry is damaged.
    """
    tasks = {name for claim in claims for part in claim.parts for name in claim.tasks_of(part)}
    if task is not None and task not in tasks:
        raise UnknownNameError("task of these claims", task, tasks)
    systems = systems_of(entries)
    shelf = ScoreShelf()
    return Ledger(
        findings=tuple(_finding(claim, systems, task, (shelf, comparer)) for claim in claims),
        task=task,
        entries=dict(sorted(Counter(e.manifest.method.training for e in entries).items())),
        notes=systems.notes,
    )


def _finding(
    claim: Claim, systems: Systems, task: str | None, means: tuple[ScoreShelf, Comparer]
) -> Finding:
    shelf, comparer = means
    asked = [(p, *comparisons_of(claim, p, systems.found, task, shelf)) for p in claim.parts]
    pairs = [(pair, part) for part, found, _ in asked for pair in found]
    evidence = _weighed(claim, pairs, comparer)
    parts = []
    for part, _, why_not in asked:
        own = tuple(one for one in evidence if one.pair.part == part.id)
        parts.append(PartFinding(part, _of_outcomes(own), own, why_not))
    parts += [PartFinding(p, "not tested here", (), p.why) for p in claim.untested]
    return Finding(claim, _of_verdicts(part.verdict for part in parts), tuple(parts))


def _weighed(
    claim: Claim, pairs: Sequence[tuple[PairOfScores, ClaimPart]], comparer: Comparer
) -> list[Evidence]:
    if not pairs:
        return []
    source = claim.source
    in_source = [
        source is not None
        and pair.sides.task in source.tasks
        and pair.measure == source.measure
        and pair.sides.a.kind == source.kind
        for pair, _ in pairs
    ]
    return weigh([pair for pair, _ in pairs], [part for _, part in pairs], in_source, comparer)


def _of_outcomes(evidence: Sequence[Evidence]) -> Verdict:
    outcomes = {one.outcome for one in evidence}
    if not outcomes:
        return "not tested here"
    if "against" in outcomes:
        return "contradicted"
    return "supported" if outcomes == {"for"} else "not separated"


def _of_verdicts(verdicts: Iterable[Verdict]) -> Verdict:
    tested = set(verdicts) - {"not tested here"}
    if not tested:
        return "not tested here"
    if "contradicted" in tested:
        return "contradicted"
    return "supported" if tested == {"supported"} else "not separated"
