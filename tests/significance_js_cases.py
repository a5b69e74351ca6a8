"""Scores of many shapes, on which the page's statistics must equal those of Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.comparison import compare
from harness.design import Design
from harness.paired_scores import PairedScores
from harness.reports.data import as_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 5_000
"""Neither a multiple of a block of the page nor of a word of 64 bits."""
COLUMNS = (
    "a", "b", "setting", "n", "mean_a", "mean_b", "difference", "ci", "p", "p_setting",
    "p_adjusted", "effect_size", "wins", "ties", "losses", "exact",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Scores to compare.

    Attributes:
        name: What is special about them.
        scores: The scores.
        design: The defaults but for the seed and the number of resamples.
    """

    name: str
    scores: PairedScores
    design: Design

    def as_json(self) -> dict[str, Any]:
        """For the page: settings and systems first, null for a missing score."""
        values = self.scores.values
        return {
            "systems": self.scores.systems,
            "settings": self.scores.settings,
            "questions": self.scores.questions,
            "averagedOver": [self.scores.averaged_over.get(s, 1) for s in self.scores.settings],
            "values": [
                [[None if np.isnan(x) else x for x in column.tolist()] for column in setting.T]
                for setting in values.transpose(1, 0, 2)
            ],
            "seed": str(self.design.seed),
            "resamples": self.design.resamples,
        }


def in_python(case: Case) -> list[dict[str, Any]]:
    """What ``babelboard compare --format json`` says of a case, as far as the page says it."""
    tests = as_json(compare(case.scores, case.design))["tests"]
    return [{name: test[name] for name in COLUMNS} for test in tests]


def ap_like(rng: np.random.Generator, shape: tuple[int, ...], over: int) -> NDArray[np.float64]:
    """Means of 1 / rank over a number of settings: on no lattice."""
    return (1 / rng.geometric(0.2, size=(over, *shape))).mean(axis=0) ** 1.1


def rr_like(rng: np.random.Generator, shape: tuple[int, ...], over: int) -> NDArray[np.float64]:
    """Means of RR@10 over a number of settings, many of them 0."""
    ranks = rng.geometric(0.15, size=(over, *shape))
    return np.where(ranks <= 10, 1 / ranks, 0.0).mean(axis=0)


def _case(
    name: str,
    values: NDArray[np.float64],
    over: int = 1,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Case:
    questions, settings, systems = values.shape
    names = ("moir", "clir", "mlir")[:settings]
    return Case(
        name,
        PairedScores(
            measure="AP",
            systems=tuple(f"system-{i}" for i in range(systems)),
            settings=names,
            questions=tuple(sorted(f"56be4db0{i:04x}ä😀" for i in range(questions))),
            values=values,
            averaged_over=dict.fromkeys(names, over),
        ),
        Design(seed=seed, resamples=resamples),
    )


def _missing(
    rng: np.random.Generator, values: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    return np.where(rng.random(values.shape) < share, np.nan, values)


def cases() -> list[Case]:
    """The same cases every time."""
    rng = np.random.default_rng(20_240_601)
    made = []
    for systems in (2, 3, 5):
        for settings in (1, 3):
            shape = (150, settings, systems)
            label = f"{systems} systems, {settings} settings"
            made += [
                _case(f"AP, {label}", ap_like(rng, shape, 11), 11),
                _case(f"RR@10, {label}", rr_like(rng, shape, 1)),
                _case(f"mean RR@10, {label}", rr_like(rng, shape, 10), 10, seed=systems),
                _case(f"missing, {label}", _missing(rng, ap_like(rng, shape, 3), 0.1), 3),
                _case(f"few, {label}", rr_like(rng, (9, settings, systems), 2), 2),
                _case(f"hits, {label}", rng.integers(0, 2, shape).astype(float)),
            ]
    alike = ap_like(rng, (60, 2, 4), 5)
    alike[:, :, 3] = alike[:, :, 0]  # two systems are the same one
    nearly = np.repeat(ap_like(rng, (80, 1, 1), 5), 3, axis=2)
    nearly[:20, 0, 1] += 0.25  # 20 differences that are not 0: still exact
    nearly[:21, 0, 2] -= 0.125  # 21: by resampling
    shifted = np.repeat(rr_like(rng, (40, 1, 1), 1), 2, axis=2)
    shifted[:, 0, 1] += 0.1  # the same difference on every question
    flat = np.full((2, 1, 2), 0.5)
    flat[:, 0, 1] = (0.2, 0.8)
    zero = np.zeros((30, 2, 3))
    lone = _missing(rng, rr_like(rng, (100, 2, 3), 1), 0.4)
    small = ap_like(rng, (50, 1, 3), 2) * 1e-5
    tiny = ap_like(rng, (50, 1, 3), 2) * 1e-9
    low = ap_like(rng, (50, 1, 3), 2) * 0.4
    halves = (2 * rng.integers(0, 2**30, (50, 1, 3)) + 1) / 2**33  # between two steps of 2^-32
    large = np.rint(ap_like(rng, (50, 1, 3), 2) * 1e6) + ap_like(rng, (50, 1, 3), 2)
    mixed = ap_like(rng, (70, 1, 2), 4)
    mixed[:, 0, 1] = rr_like(rng, (70,), 1)
    return [
        *made,
        _case("two systems alike", alike, 5),
        _case("20 and 21 differences", nearly),
        _case("constant difference", shifted),
        _case("two questions", flat),
        _case("all zero", zero, 11),
        _case("much is missing", lone),
        _case("very small scores", small),
        _case("scores below any coarse step", tiny),
        _case("no score above .4", low),
        _case("halves of a step", halves),
        _case("large scores", large),
        _case("two lattices", mixed),
        _case("largest seed", ap_like(rng, (40, 1, 2), 3), seed=2**64 - 1),
        _case("one block and one", ap_like(rng, (40, 1, 2), 3), resamples=2049),
        _case("fewest resamples", ap_like(rng, (40, 1, 3), 3), resamples=20),
        _case("as many as the site has", ap_like(rng, (129, 3, 2), 11), 11, resamples=100_000),
    ]
