"""How systems are compared: the choices of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.errors import UsageError

Test = Literal["sign-flip", "sign-flip-exact", "paired-t", "seed-t", "wilcoxon", "mcnemar", "tukey"]
Correction = Literal["max-t", "bonferroni", "holm", "hochberg", "hommel", "bh", "by", "none"]
Scope = Literal["all", "setting"]
Intervals = Literal["test", "bca"]

LARGEST_SEED = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Design:
    """How systems are compared.

    Attributes:
        test: The test of a single difference.
        correction: How a family of tests is corrected for.
        family: What is tested together: all tests, or those of a setting.
        baseline: Compare each other system with this one only.
        alpha: Level at which a family is tested.
        resamples: Number of resamples of Monte-Carlo tests.
        seed: Seed of Monte-Carlo tests.
        margin: Differences within it count as equivalent; None to make no such test.
        interval: That of the test, or by BCa bootstrap.
        strict: Refuse systems that lack questions, instead of comparing on the common ones.
    """

    test: Test = "sign-flip"
    correction: Correction = "max-t"
    family: Scope = "all"
    baseline: str | None = None
    alpha: float = 0.05
    resamples: int = 100_000
    seed: int = 0
    margin: float | None = None
    interval: Intervals = "test"
    strict: bool = False

    @property
    def intervals_hold_together(self) -> bool:
        """Whether intervals are simultaneous over the family, or hold one by one."""
        return self.test == "tukey" or self.correction not in ("none", "bh", "by")

    def __post_init__(self) -> None:
        """Refuses what does not go together."""
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha must be between 0 and 1, found {self.alpha:g}.")
        if self.resamples < 1:
            raise UsageError(f"At least 1 resample is needed, found {self.resamples}.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise UsageError(f"The seed must be from 0 to 2^64 - 1, found {self.seed}.")
        if self.margin is not None and not self.margin > 0:
            raise UsageError(f"The equivalence margin must be above 0, found {self.margin:g}.")
        if self.test == "tukey" and self.correction != "max-t":
            raise UsageError("Tukey's test corrects by itself; leave the correction out.")
        if self.test == "tukey" and self.baseline is not None:
            raise UsageError("Tukey's test compares all pairs; leave the baseline out.")
        if self.correction == "max-t" and self.test not in ("sign-flip", "tukey"):
            raise UsageError(
                f"The correction max-t goes with the test sign-flip, not with {self.test}; "
                "choose bonferroni, holm, hochberg, hommel, bh, by or none."
            )
