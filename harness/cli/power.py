"""``babelboard power``: how many questions a comparison needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from harness.hypotheses import hypotheses_of
from harness.reports.wording import number, setting_name
from harness.score_sources import load_scores
from harness.significance.power import Plan, minimum_detectable_effect, questions_needed
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_EFFECTS = (0.01, 0.02, 0.05)
SOURCES = "From scores"


def command(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Two entries, two TREC runs with --qrels, or a CSV of two systems."),
    ] = None,
    *,
    deviation: Annotated[
        float | None,
        typer.Option("--sd", help="Standard deviation of the differences between two systems."),
    ] = None,
    questions: Annotated[
        int | None, typer.Option("--n", min=2, help="Number of questions at hand.")
    ] = None,
    effects: Annotated[
        list[float] | None, typer.Option("--effect", help="Difference to show; may be repeated.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of the family, two-sided.")] = 0.05,
    power: Annotated[float, typer.Option(help="Wanted chance to see a difference.")] = 0.8,
    family: Annotated[
        int, typer.Option(min=1, help="Number of tests corrected for (Bonferroni).")
    ] = 1,
    task: Annotated[
        str | None, typer.Option(help="A task of the entries.", rich_help_panel=SOURCES)
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Judgments of the runs.", rich_help_panel=SOURCES)
    ] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", "-m", help="A measure.", rich_help_panel=SOURCES)
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option(help="Settings, as globs.", rich_help_panel=SOURCES)
    ] = None,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder of entries.", rich_help_panel=SOURCES)
    ] = Path("submissions/entries"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how many questions a difference needs, and which difference questions can show.

    Give --sd, or two systems from whose scores it is taken. The figures are those of the paired
    t-test; the sign-flip test has nearly the same power.
    """
    plan = Plan(alpha=alpha, power=power, family_size=family)
    wanted = tuple(effects or DEFAULT_EFFECTS)
    if (deviation is None) == (not sources):
        raise UsageError("Give either --sd or two systems to take it from.")
    if deviation is not None:
        rows = [_row("", deviation, questions, wanted, plan)]
    else:
        loaded = load_scores(
            sources or [],
            task=task,
            qrels=qrels,
            measure=measure,
            settings=settings or [],
            root=root,
        )
        if len(loaded.scores.systems) != 2:
            raise UsageError(f"Give two systems, found {len(loaded.scores.systems)}.")
        rows = []
        for hypothesis in hypotheses_of(loaded.scores):
            spread = float(hypothesis.differences.std(ddof=1))
            if spread == 0.0:
                raise UsageError("The two systems have the same scores; there is nothing to plan.")
            name = setting_name(loaded.scores.settings[hypothesis.setting])
            n = questions or len(hypothesis.rows)
            rows.append(_row(name, spread, n, wanted, plan))
    if as_json:
        content = {"schema_version": 1, "alpha": alpha, "power": power, "family": family}
        print(json.dumps({**content, "rows": rows}, indent=1))
    else:
        _print(rows, wanted, plan)


def _row(
    name: str, deviation: float, questions: int | None, effects: Sequence[float], plan: Plan
) -> dict[str, Any]:
    smallest = None if questions is None else minimum_detectable_effect(deviation, questions, plan)
    return {
        "setting": name,
        "sd": deviation,
        "n": questions,
        "smallest_difference": smallest,
        "questions_needed": {
            f"{effect:g}": questions_needed(effect, deviation, plan) for effect in effects
        },
    }


def _print(rows: Sequence[dict[str, Any]], effects: Sequence[float], plan: Plan) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for heading in ("sd", "questions", "shows from", *(f"for {e:g}" for e in effects)):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        n, smallest = row["n"], row["smallest_difference"]
        table.add_row(
            row["setting"],
            number(row["sd"]),
            "" if n is None else f"{n:,}",
            "" if smallest is None else number(smallest),
            *(f"{needed:,}" for needed in row["questions_needed"].values()),
        )
    console.print(table)
    tests = f"{plan.family_size:,} test" + ("s" if plan.family_size > 1 else "")
    console.print(
        f"sd: standard deviation of the differences. With the questions at hand, differences from "
        f"'shows from' on are significant with a chance of {plan.power:g}; 'for {effects[0]:g}' is "
        f"the number of questions that a difference of {effects[0]:g} needs. "
        f"Two-sided level {plan.alpha:g} over {tests}."
    )
