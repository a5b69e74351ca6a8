"""The ledger for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from harness.reports.wording import number, p_value, signed
from submissions.claims import scope
from submissions.claims.claim import ClaimPart
from submissions.claims.evidence import DESIGN, POWER

if TYPE_CHECKING:
    from rich.console import Console

    from submissions.claims.evidence import Evidence
    from submissions.claims.ledger import Finding, Ledger, PartFinding, Verdict

STYLES: dict[Verdict, str] = {
    "supported": "bold green",
    "contradicted": "bold red",
    "not separated": "bold yellow",
    "not tested here": "dim",
}
RULE = (
    "A part is supported if every comparison is significant as claimed, contradicted if one is "
    "against it; a claim follows from its tested parts in the same way."
)


def print_ledger(console: Console, ledger: Ledger, *, whole: bool) -> None:
    """Prints verdicts.

    Args:
        console: Where to.
        ledger: What to print.
        whole: Whether with the reading of each claim, its parts and the evidence.
    """
    for finding in ledger.findings:
        _print_finding(console, finding, whole=whole)
        if whole:
            console.print()
    counts = ", ".join(f"{count} {verdict}" for verdict, count in ledger.counts.items())
    where = f" on {ledger.task}" if ledger.task else ""
    looked_at = ", ".join(f"{count} {training}" for training, count in ledger.entries.items())
    console.print(f"{counts}. Entries{where}: {looked_at or 'none'}.", markup=False)
    if any(finding.evidence for finding in ledger.findings):
        console.print(_tests(), markup=False)
    for note in ledger.notes:
        console.print(f"Note: {note}", markup=False)


def _tests() -> str:
    return (
        f"Two-sided at level {DESIGN.alpha:g} over all comparisons of a claim, with intervals that "
        f"hold together: sign flips over questions with max-T (B = {DESIGN.resamples:,}, seed "
        f"{DESIGN.seed}), or, where systems have several seeds, t over questions and seeds with "
        f"Holm. 'Could have been seen': with a chance of {POWER:g}. {RULE}"
    )


def _print_finding(console: Console, finding: Finding, *, whole: bool) -> None:
    claim = finding.claim
    heading = Text(f"{claim.number:>2}  ").append(finding.verdict, STYLES[finding.verdict])
    heading.append(f"  {claim.id}")
    if 0 < finding.tested_parts < len(finding.parts):
        heading.append(f" ({finding.tested_parts} of {len(finding.parts)} parts tested)")
    console.print(heading)
    _indented(console, claim.statement, 4)
    if whole:
        if claim.source:
            _indented(console, f"Source: {claim.source.paper}, {claim.source.where}.", 4)
        _indented(console, f"Read as: {claim.reading}", 4)
        for part in finding.parts:
            _print_part(console, part)
        if finding.evidence:
            _indented(console, scope.in_words(finding), 4)
    elif finding.evidence:
        for part in finding.parts:
            _indented(console, _part_line(part), 6)
    else:
        why = dict.fromkeys(_as_sentence(part.why_not) for part in finding.parts)
        _indented(console, " ".join(why), 4)


def _as_sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _part_line(part: PartFinding) -> str:
    line = f"{part.verdict}: {part.part.statement}"
    if len(part.evidence) > 1:
        counts = Counter(one.outcome for one in part.evidence)
        line += f", {counts['for']} for, {counts['against']} against, {counts['open']} open"
    if part.detectable is not None:
        line += f" (from {number(part.detectable)} on, a difference could have been seen)"
    return line


def _print_part(console: Console, part: PartFinding) -> None:
    line = Text(part.verdict, STYLES[part.verdict]).append(f": {part.part.statement}")
    if isinstance(part.part, ClaimPart):
        line.append(f" ({_expected(part.part)})")
    console.print(Padding.indent(line, 4))
    if part.why_not:
        _indented(console, _as_sentence(part.why_not), 6)
    for one in part.evidence:
        _indented(console, _evidence_line(one), 6)


def _expected(part: ClaimPart) -> str:
    text = {"same": "no difference", "differs": "a difference"}.get(part.expect, part.expect)
    if part.margin:
        text += f", margin {part.margin:g}"
    return text + (f", claimed {part.size:g}" if part.size else "")


def _evidence_line(one: Evidence) -> str:
    pair, sides = one.pair, one.pair.sides
    compared = f"{sides.a.label} - {sides.b.label}" if sides.a is not sides.b else sides.a.label
    if sides.baseline:
        compared += f", gains over {sides.baseline.label}"
    interval = "no bound" if one.ci is None else f"{signed(one.ci[0])} to {signed(one.ci[1])}"
    text = (
        f"{sides.task}, {pair.setting}, {pair.measure}, {one.over_questions.n:,} questions, "
        f"{sides.a.base}: {compared} = {signed(one.difference)} ({interval}), "
        f"p adj. {p_value(one.p_adjusted)}"
    )
    if one.equivalence and one.equivalence.p_adjusted is not None:
        text += f", p equiv. {p_value(one.equivalence.p_adjusted)}"
    text += f": {one.why}"
    if one.outcome == "open" and one.detectable is not None:
        text += f"; {number(one.detectable)} could have been seen"
    return text + "."


def _indented(console: Console, text: str, left: int) -> None:
    console.print(Padding.indent(Text(text), left))
