"""The tests keep what they promise in simulations; methods that do not are seen not to.

The cut-down form of the calibration suite; `make calibrate` runs the full one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from harness.significance.paired_t import paired_t
from harness.significance.score_lattice import LCM_TO_10
from tests.calibration.bars import BARS, Bar, size
from tests.calibration.run import allowed, main, measure
from tests.calibration.simulate import (
    draw,
    draw_checkpoints,
    draw_in_languages,
    draw_near_clones,
    mean_score,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "calibration.md"
BY_NAME = {bar.name: bar for bar in BARS}
ANTI_TESTS = [bar.name for bar in BARS if bar.kind == "anti-test"]


@pytest.fixture(scope="module")
def results():
    return {result.bar.name: result for result in measure(BARS, quick=True, jobs=2)}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_bar_is_met(results, name):
    result = results[name]
    assert result.met, f"{result.figure:.4f}, allowed {allowed(result.bar, quick=True)}"


@pytest.mark.parametrize("name", ANTI_TESTS)
@pytest.mark.parametrize("bar", ["Size, clustered paired t", "Size, two-way, 5 seeds"])
def test_a_wrong_method_does_not_pass_for_a_calibrated_one(results, name, bar):
    assert not BY_NAME[bar].met(results[name].figure, quick=True)


def test_there_are_bars_and_anti_tests():
    assert len(BY_NAME) == len(BARS)
    assert {"Pooled t", "Wilcoxon under asymmetry", "Best of 5 seeds against 1"} <= set(ANTI_TESTS)


def one_sided_p(differences, _seed):
    return paired_t(differences).p / 2


def anticonservative_bar():
    return replace(BY_NAME["Size, paired t, n = 50"], measure=partial(size, one_sided_p, 50))


def test_a_test_that_rejects_twice_as_often_misses_its_bar():
    bar = anticonservative_bar()
    assert bar.run(quick=True) == pytest.approx(0.1, abs=0.02)
    assert not bar.met(bar.run(quick=True), quick=True)


def test_ranges_end_where_they_say():
    bar = BY_NAME["Size, sign-flip, n = 50"]
    assert [bar.met(x) for x in (0.0434, 0.0435, 0.0565, 0.0566)] == [False, True, True, False]
    # 3 sqrt(.0435 x .9565 / 400) = .0306, 3 sqrt(.0565 x .9435 / 400) = .0346
    assert replace(bar, quick=400).allowed(quick=True) == pytest.approx((0.0129, 0.0911), abs=1e-4)
    assert [BY_NAME["Pooled t"].met(x) for x in (0.2, 0.2001)] == [False, True]
    agreement = BY_NAME["Monte Carlo against exact"]
    assert [agreement.met(z, quick=True) for z in (3.999, 4.0)] == [True, False]


def test_a_missed_bar_shows_and_is_the_exit_status(capsys):
    bars = (anticonservative_bar(), BY_NAME["Size, paired t, n = 8"])
    assert main(["--quick", "--jobs", "1"], bars) == 1
    shown = capsys.readouterr()
    assert re.findall(r"\| (\w+) \|$", shown.out, re.M) == ["Met", "NO", "yes"]
    assert "Missed: Size, paired t, n = 50\n" in shown.err


def test_the_document_is_of_these_bars():
    text = DOCUMENT.read_text("utf-8")
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("| ") and not line.endswith(" Met |")
    ]
    assert [row[0] for row in rows] == [
        bar.name for bar in sorted(BARS, key=lambda bar: bar.kind == "anti-test")
    ]
    for name, what, simulations, limits, figure, met in rows:
        bar = BY_NAME[name]
        assert what.replace("\\", "") == bar.what
        assert (simulations, limits) == (f"{bar.simulations:,}", allowed(bar, quick=False))
        assert bar.met(float(figure))
        assert met == "yes"


def test_the_document_has_the_figures_of_the_code(tmp_path):
    chosen = ("Size, paired t, n = 8", "Size, two-way, 3 seeds", "Pooled t")
    made = tmp_path / "calibration.md"
    assert main(["--jobs", "2", "--write", str(made)], [BY_NAME[name] for name in chosen]) == 0
    document = DOCUMENT.read_text("utf-8").splitlines()
    lines = made.read_text("utf-8").splitlines()
    assert sum(line.startswith(tuple(f"| {name} |" for name in chosen)) for line in lines) == 3
    assert [line for line in lines if line not in document] == []


def test_the_cut_down_form_is_not_written(tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["--quick", "--write", str(tmp_path / "calibration.md")])
    assert stop.value.code == 2


def test_equal_systems_tie_on_45_percent_of_the_questions():
    scores = draw(np.random.default_rng(1), (200_000,), np.zeros(3))
    assert set(np.unique(scores)) == {0, *(2520 // rank for rank in range(1, 11))}
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (scores[:, a] == scores[:, b]).mean() == pytest.approx(0.45, abs=0.005)


@pytest.mark.parametrize(("quality", "common"), [(0.0, 0.5), (0.4, 0.5), (-0.3, 0.0), (1.0, 0.9)])
def test_the_true_mean_is_that_of_many_scores(quality, common):
    scores = draw(np.random.default_rng(2), (200_000,), (quality,), common) / LCM_TO_10
    assert mean_score(quality, common) / LCM_TO_10 == pytest.approx(scores.mean(), abs=0.004)


def test_differences_correlate_between_languages():
    scores = draw_in_languages(np.random.default_rng(3), 50_000, 3, 2)
    differences = scores[..., 0] - scores[..., 1]
    found = np.corrcoef(differences.T)[np.triu_indices(3, 1)]
    assert found == pytest.approx([0.55] * 3, abs=0.02)
    assert (differences == 0).mean() == pytest.approx(0.45, abs=0.01)


def test_checkpoints_vary_around_one_mean():
    rng = np.random.default_rng(4)
    a, b = draw_checkpoints(rng, 20_000, (300, 300))
    # The means of so many questions vary little but for the training: sd .02.
    assert a.mean(axis=0).std() / LCM_TO_10 == pytest.approx(0.02, abs=0.003)
    assert a.mean() / LCM_TO_10 == pytest.approx(b.mean() / LCM_TO_10, abs=0.01)


def test_a_near_clone_is_better_by_one_place():
    scores = draw_near_clones(np.random.default_rng(5), 20_000, 2, gains=0.2)
    assert scores.shape == (20_000, 4)
    ladder = np.array([0, *(2520 // rank for rank in range(10, 0, -1))])
    places = np.searchsorted(ladder, scores[:, 2:])
    steps = places[:, 1] - places[:, 0]
    assert set(steps.tolist()) == {0, 1}
    assert steps[places[:, 0] < 10].mean() == pytest.approx(0.2, abs=0.01)


def test_a_bar_is_the_same_every_time():
    bar = BY_NAME["Size, paired t, n = 12"]
    assert isinstance(bar, Bar)
    assert bar.run(quick=True) == bar.run(quick=True)
