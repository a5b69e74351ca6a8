"""The ledger as data, for programs and for the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.claims import scope
from submissions.claims.claim import ClaimPart
from submissions.claims.evidence import DESIGN, POWER, has_seeds

if TYPE_CHECKING:
    from submissions.claims.evidence import Evidence
    from submissions.claims.ledger import Finding, Ledger, PartFinding
    from submissions.claims.system import System

SCHEMA_VERSION = 1
DIGITS = 10


def as_json(ledger: Ledger) -> dict[str, Any]:
    """The ledger in the documented form; the same entries give the same bytes."""
    return {
        "schema_version": SCHEMA_VERSION,
        "unit": "question",
        "task": ledger.task,
        "alpha": DESIGN.alpha,
        "power": POWER,
        "resamples": DESIGN.resamples,
        "seed": DESIGN.seed,
        "entries": dict(ledger.entries),
        "notes": list(ledger.notes),
        "verdicts": dict(ledger.counts),
        "claims": [_claim(finding) for finding in ledger.findings],
    }


def _claim(finding: Finding) -> dict[str, Any]:
    claim, evidence = finding.claim, finding.evidence
    return {
        "id": claim.id,
        "number": claim.number,
        "kind": claim.kind,
        "statement": claim.statement,
        "reading": claim.reading,
        "source": claim.source and claim.source.model_dump(mode="json"),
        "verdict": finding.verdict,
        "parts_tested": finding.tested_parts,
        "family": {
            "size": len(evidence),
            "test": _test([one.pair for one in evidence]) if evidence else None,
        },
        "scope": _scope(finding) if evidence else None,
        "parts": [_part(part) for part in finding.parts],
    }


def _test(pairs: list[Any]) -> str:
    """The test that decides, and its correction."""
    return "seed-t, holm" if has_seeds(pairs) else "sign-flip, max-t"


def _scope(finding: Finding) -> dict[str, Any]:
    return {
        "tasks": list(scope.tasks_of(finding)),
        "bases": list(scope.bases_of(finding)),
        "kinds": list(scope.kinds_of(finding)),
        "training_data": list(scope.training_data_of(finding)),
        "systems": [_system(system) for system in finding.systems],
        "about": scope.about(finding),
        "as_in_source": scope.is_of_the_source(finding),
    }


def _system(system: System) -> dict[str, Any]:
    return {
        "label": system.label,
        "entries": [entry.manifest.id for entry in system.entries],
        "seeds": list(system.seeds),
        "training": system.training,
        "translated": system.translated,
        "kind": system.kind,
        "base": system.base,
        "recipe": system.record and system.record.recipe.name,
    }


def _part(part: PartFinding) -> dict[str, Any]:
    said = part.part
    expected = {}
    if isinstance(said, ClaimPart):
        expected = {"expect": said.expect, "margin": said.margin, "size": said.size}
    return {
        "id": said.id,
        "statement": said.statement,
        **expected,
        "verdict": part.verdict,
        "why_not": part.why_not or None,
        "detectable": _rounded(part.detectable),
        "evidence": [_evidence(one) for one in part.evidence],
    }


def _evidence(one: Evidence) -> dict[str, Any]:
    pair, test, equivalence = one.pair, one.over_questions, one.equivalence
    return {
        "task": pair.sides.task,
        "measure": pair.measure,
        "higher_is_better": pair.higher_is_better,
        "a": pair.sides.a.label,
        "b": pair.sides.b.label,
        "baseline": pair.sides.baseline and pair.sides.baseline.label,
        "settings_a": list(pair.settings_a),
        "settings_b": list(pair.settings_b),
        "n": test.n,
        "mean_a": _rounded(test.mean_a),
        "mean_b": _rounded(test.mean_b),
        "difference": _rounded(test.difference),
        "ci": None if one.ci is None else [_rounded(bound) for bound in one.ci],
        "p": _rounded(one.p),
        "p_adjusted": _rounded(one.p_adjusted),
        "effect_size": _rounded(test.effect_size),
        "wins": test.wins,
        "ties": test.ties,
        "losses": test.losses,
        "over_questions": {
            "p": _rounded(test.p),
            "p_adjusted": _rounded(test.p_adjusted),
            "ci": None if test.ci is None else [_rounded(bound) for bound in test.ci],
            "exact": test.exact,
        },
        "equivalence": equivalence
        and {
            "margin": equivalence.margin,
            "p": _rounded(equivalence.p),
            "p_adjusted": _rounded(equivalence.p_adjusted),
        },
        "detectable": _rounded(one.detectable),
        "outcome": one.outcome,
        "why": one.why,
    }


def _rounded(value: float | None) -> float | None:
    """To significant digits, so that machines agree and no p-value becomes 0."""
    return None if value is None else float(f"{value:.{DIGITS}g}")
