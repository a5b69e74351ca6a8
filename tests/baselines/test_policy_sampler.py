"""CMA-ES as the search uses it."""

from __future__ import annotations

import sys

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the extra 'search'")

from submissions.baselines.policy_sampler import PolicySampler, import_optuna
from submissions.baselines.policy_space import Parameter
from tasks.errors import UsageError

PARAMETERS = {"a": Parameter(0.0, 1.0, 0.5), "b": Parameter(0.25, 4.0, 1.0, log=True)}


def sampled(number, seed=1, parameters=PARAMETERS):
    sampler = PolicySampler(parameters, seed)
    found = []
    for _ in range(number):
        found.append(sampler.ask())
        distance = sum(
            ((value - 0.9 * parameters[name].high) / parameters[name].high) ** 2
            for name, value in found[-1].items()
        )
        sampler.tell(1 - distance)
    return found


def test_the_sampler_begins_at_the_start_stays_in_bounds_and_is_seeded():
    found = sampled(30)
    assert found[0] == {"a": 0.5, "b": 1.0}
    assert found == sampled(40)[:30]
    assert found[1:] != sampled(30, seed=2)[1:]
    for values in found:
        assert 0 <= values["a"] <= 1
        assert 0.25 <= values["b"] <= 4


@pytest.mark.parametrize("parameters", [PARAMETERS, {"a": PARAMETERS["a"]}], ids=["two", "one"])
def test_the_sampler_finds_what_is_good(parameters):
    last = sampled(120, parameters=parameters)[-10:]
    assert np.mean([values["a"] for values in last]) == pytest.approx(0.9, abs=0.1)


def test_of_weights_the_ratios_count():
    found = sampled(7, parameters={"a": Parameter(0.01, 100.0, 1.0, log=True)})[1:]
    assert 0.2 < np.median([values["a"] for values in found]) < 5


@pytest.mark.parametrize("package", ["optuna", "cmaes"])
def test_a_missing_package_names_the_extra(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"'{package}' is missing: .*babelboard\[score,search\]"):
        import_optuna()
