"""What a comparison tested and what may be claimed from it, in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from harness.comparison import Comparison

TEST_NAMES = {
    "sign-flip": "sign-flip randomisation test",
    "sign-flip-exact": "exact sign-flip test",
    "paired-t": "paired t-test",
    "seed-t": "t-test",
    "wilcoxon": "Wilcoxon signed-rank test with Pratt's zeros",
    "mcnemar": "exact McNemar test",
    "tukey": "randomised Tukey HSD test",
}
CORRECTION_NAMES = {
    "max-t": "studentised step-down max-T",
    "bonferroni": "Bonferroni",
    "holm": "Holm",
    "hochberg": "Hochberg",
    "hommel": "Hommel",
    "bh": "Benjamini-Hochberg",
    "by": "Benjamini-Yekutieli",
    "none": "no correction",
}
FALSE_DISCOVERY = ("bh", "by")


def setting_name(setting: str) -> str:
    """``CLIR average`` for a class of settings, else the setting's id."""
    return f"{KIND_NAMES[setting]} average" if setting in KIND_NAMES else setting


def what_was_tested(comparison: Comparison) -> str:
    """One sentence: test, resamples and seed, correction and family."""
    design = comparison.design
    over = "questions and seeds" if design.test == "seed-t" else "questions"
    parts = [f"Two-sided {TEST_NAMES[design.test]} over {over}"]
    if design.test in ("sign-flip", "tukey"):
        parts.append(f"B = {design.resamples:,}, seed {design.seed}")
    size = comparison.family_size
    family = f"{size:,} test" + ("s" if size != 1 else "")
    if design.family == "setting":
        family = f"the {family} of each setting"
    if design.test == "tukey":
        parts.append(f"adjusted over {family}")
    elif design.correction == "none":
        parts.append(f"not corrected for the {family}")
    else:
        parts.append(f"p adjusted by {CORRECTION_NAMES[design.correction]} over {family}")
    return ", ".join(parts) + "."


def what_intervals_are(comparison: Comparison) -> str:
    """One sentence: how wide the intervals are, and whether they hold together."""
    level = f"{100 * (1 - comparison.design.alpha):g}%"
    design = comparison.design
    drawn = f"BCa bootstrap intervals (B = {design.resamples:,}, seed {design.seed})"
    kind = drawn if design.interval == "bca" else "Intervals"
    if design.intervals_hold_together:
        where = " in each setting" if _by_setting(comparison) else ""
        return f"{kind} hold together{where} with {level} confidence."
    return f"{kind} hold with {level} confidence each, not together."


def _by_setting(comparison: Comparison) -> bool:
    """Whether several settings are families of their own."""
    return comparison.design.family == "setting" and len(comparison.standings) > 1


def what_may_be_claimed(comparison: Comparison) -> list[str]:
    """Sentences for the reader of a table."""
    design = comparison.design
    if design.correction == "none":
        mark = (
            f"* marks p < {design.alpha:g} without correction: expect "
            f"{comparison.family_size * design.alpha:.2g} false marks if nothing differs."
        )
    elif design.correction in FALSE_DISCOVERY:
        mark = (
            f"* marks p adj. < {design.alpha:g}: of the marked differences a share of "
            f"{design.alpha:g} may be false, so this is exploratory."
        )
    else:
        where = "any mark of a setting" if _by_setting(comparison) else "any mark"
        mark = (
            f"* marks p adj. < {design.alpha:g}: the chance that {where} is false is at most "
            f"{100 * design.alpha:g}%."
        )
    sentences = [mark]
    if comparison.letters:
        sentences.append(
            "Systems that share a letter are not separated; that does not make them equal."
        )
    if design.margin is not None:
        sentences.append(
            f"p equiv. tests that the difference lies within {design.margin:g} (TOST, each alone)."
        )
    if design.test != "seed-t" or not any("over seeds" in note for note in comparison.notes):
        sentences.append(
            "The claim is about these runs, not about other trainings of the same models."
        )
    return sentences


def number(value: float) -> str:
    """A mean: ``0.7812``, or ``11,999`` for ranks."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"


def signed(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.4f}"


def p_value(p: float) -> str:
    """``.023``, ``< .001`` or ``1``."""
    if p < 0.001:
        return "< .001"
    text = f"{p:.3f}"
    return "1" if text == "1.000" else text[1:]
