"""Draws policies by CMA-ES, through optuna."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from submissions.baselines.policy_space import Parameter


class PolicySampler:
    """CMA-ES (Hansen 2016, arXiv:1604.00772) as optuna has it, in one process, seeded.

    The first parameters are where the search begins. What comes later depends on the seed and the
    objectives that were told, in their order, and on nothing else.

    Args:
        parameters: By name.
        seed: Of all draws.

    Raises:
        UsageError: If optuna or cmaes is not installed.
    """

    def __init__(self, parameters: Mapping[str, Parameter], seed: int) -> None:
        optuna = import_optuna()
        start = {name: one.start for name, one in parameters.items()}
        self._distributions = {
            name: optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)
            for name, one in parameters.items()
        }
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            # optuna 6 will take x0 away; until then it is what makes the search begin there.
            warnings.simplefilter("ignore", FutureWarning)
            sampler = optuna.samplers.CmaEsSampler(
                x0=start, seed=seed, warn_independent_sampling=False
            )
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._study.enqueue_trial(start)
        self._asked: Any = None

    def ask(self) -> dict[str, float]:
        """The parameters of the next trial."""
        self._asked = self._study.ask(self._distributions)
        return dict(self._asked.params)

    def tell(self, objective: float) -> None:
        """Takes the objective of the trial that was asked for last; higher is better."""
        self._study.tell(self._asked, objective)


def import_optuna() -> Any:
    """The package optuna, where its sampler can be used.

    Raises:
        UsageError: If optuna or cmaes is not installed.
    """
    try:
        import_module("cmaes")  # which optuna's sampler uses
        import optuna
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The package {error.name!r} is missing: a search needs the extra 'search'. Install it "
            "with: pip install 'babelboard[score,search]' (in a clone: '.[score,search]')."
        ) from error
    return optuna
