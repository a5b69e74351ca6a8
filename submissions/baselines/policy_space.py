"""The space in which a switching policy is searched for: named numbers within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from submissions.baselines.recipe import Recipe
from submissions.baselines.word_classes import CLASSES
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from submissions.baselines.recipe import SwitchingPart
    from submissions.baselines.search_file import SpacePart

DECIMALS = 4
"""Of the rates and weights of a policy: what a recipe spells out is what was tried."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that is searched for.

    Attributes:
        low: Lower bound.
        high: Upper bound.
        start: What the base recipe has: the search begins there.
        log: Whether its ratios count, not its differences.
    """

    low: float
    high: float
    start: float
    log: bool = False


class PolicySpace:
    """Turns named numbers into switching policies.

    Args:
        space: What is searched for.
        recipe: What the policies are put into.

    Attributes:
        parameters: By name, such as ``rates.stop``, ``sources.muse``, ``mix.de``.

    Raises:
        UsageError: If the recipe does not switch, its own policy is not in the space, or something
            is searched for that makes no difference to it.
    """

    def __init__(self, space: SpacePart, recipe: Recipe) -> None:
        if recipe.switching is None or recipe.architecture != "bi-encoder":
            raise UsageError(
                f"The recipe {recipe.name!r} has no policy to begin from: a search needs a "
                "bi-encoder with [switching]."
            )
        self._space, self._recipe = space, recipe
        self._base = recipe.switching
        self._refuse_idle()
        self.parameters = dict(self._parameters())
        for name, one in self.parameters.items():
            if not one.low <= one.start <= one.high:
                raise UsageError(
                    f"space.{name}: the recipe {recipe.name!r} has {one.start:g}, which is not "
                    f"from {one.low:g} to {one.high:g}: the search begins with its policy."
                )

    def recipe(self, values: Mapping[str, float]) -> Recipe:
        """The recipe with the policy that numbers stand for."""
        content = self._recipe.model_dump()
        content["switching"] |= self._policy(values)
        return Recipe.model_validate(content)

    def _policy(self, values: Mapping[str, float]) -> dict[str, object]:
        """What changes in ``[switching]``."""
        changed: dict[str, object] = {}
        groups: dict[str, dict[str, float]] = {}
        for name, value in values.items():
            table, _, key = name.partition(".")
            groups.setdefault(table, {})[key] = value
        if "probability" in groups:
            changed["probability"] = round(groups["probability"][""], DECIMALS)
        if "rates" in groups:
            # All are spelled out, so that nothing hangs on a probability that was not chosen.
            others = {name: self._base_rate(self._base, name) for name in CLASSES}
            found = {name: round(rate, DECIMALS) for name, rate in groups["rates"].items()}
            changed["rates"] = others | found
        if "sources" in groups:
            changed["sources"] = _shares(groups["sources"])
            changed["lexicon"] = ""
        if "mix" in groups:
            changed["mix"] = _shares(groups["mix"])
        if "redraw" in groups:
            changed["redraw"] = groups["redraw"][""] >= 0.5
        return changed

    def _parameters(self) -> Iterator[tuple[str, Parameter]]:
        space, base = self._space, self._base
        if space.probability:
            yield "probability", Parameter(*space.probability, base.probability)
        for name, bounds in space.rates.items():
            yield f"rates.{name}", Parameter(*bounds, self._base_rate(base, name))
        if space.sources:
            own = base.sources or {base.lexicon: 1.0}
            for spec, bounds in space.sources.items():
                yield f"sources.{spec}", Parameter(*bounds, own.get(spec, 0.0))
        if space.mix:
            languages = sorted({*base.query, *base.document})
            mean = sum(base.mix.values()) / len(languages) if base.mix else 1.0
            for code in languages:
                start = base.mix.get(code, 1.0) / mean
                yield f"mix.{code}", Parameter(*space.mix, start, log=True)
        if space.redraw:
            yield "redraw", Parameter(0.0, 1.0, 0.75 if base.redraw else 0.25)

    @staticmethod
    def _base_rate(base: SwitchingPart, name: str) -> float:
        return {**base.rates}.get(name, base.probability)  # type: ignore[call-overload, no-any-return]

    def _refuse_idle(self) -> None:
        """Refuses numbers that change nothing, and lexicons that the recipe has and they lack.

        Raises:
            UsageError: If there are some.
        """
        space, base = self._space, self._base
        if "stop" in space.rates and (base.level == "entity" or not base.stop_words):
            raise UsageError("space.rates.stop: the recipe never switches stop words.")
        if space.probability and set(base.rates) == set(CLASSES):
            raise UsageError("space.probability: the recipe has a rate for each class of words.")
        own = base.sources or {base.lexicon: 1.0}
        if space.sources and (lacking := sorted(own.keys() - space.sources.keys())):
            raise UsageError(
                f"space.sources: the recipe has {', '.join(lacking)}, from which the search begins "
                f"and which is not among {', '.join(space.sources)}."
            )
        alone = self._recipe.batches.strategy != "monolingual" or base.draw != "token"
        if (space.mix or space.redraw) and (
            alone or max(map(len, (base.query, base.document))) < 2
        ):
            raise UsageError(
                f"space.{'mix' if space.mix else 'redraw'}: the recipe does not draw a language "
                "for each word from several."
            )


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Shares of what weighs anything; none is rounded to nothing."""
    total, least = sum(weights.values()), 10**-DECIMALS
    return {
        name: max(round(weight / total, DECIMALS), least)
        for name, weight in weights.items()
        if weight > 0
    }
