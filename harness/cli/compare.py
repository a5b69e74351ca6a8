"""``babelboard compare``: which differences are real."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from harness.comparison import compare
from harness.measures import parse_measure
from harness.question_scores import classes, question_scores
from harness.ranks import read_ranks
from tasks.errors import EntryError, UnknownNameError, UsageError
from tasks.settings import KIND_NAMES, select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison import Comparison, PairedDifference
    from harness.question_scores import QuestionScores


class Format(StrEnum):
    """Forms of output."""

    table = "table"
    json = "json"


def command(
    entries: Annotated[list[str], typer.Argument(help="Two or more entries: ids or folders.")],
    *,
    task: Annotated[
        str | None, typer.Option(help="The task; may be left out if there is but one.")
    ] = None,
    measure: Annotated[str | None, typer.Option(help="Default: the task's own.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(help="Settings, as globs such as 'clir/*-de'. Default: the class averages."),
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Compare with this entry only.")] = None,
    alpha: Annotated[float, typer.Option(help="Level at which the family is tested.")] = 0.05,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder in which ids are looked up.")
    ] = Path("submissions/entries"),
    format_: Annotated[Format, typer.Option("--format", help="Form of the output.")] = Format.table,
) -> None:
    """Test paired differences between entries: paired t-test, Bonferroni over the whole family.

    The unit is the question. Class averages (moir, clir, mlir) are taken within each question
    first, so a question asked in eleven languages is one observation.
    """
    folders = _folders(entries, root)
    name = task or _only_task(folders)
    scores = _scores(folders, name, measure)
    chosen = _chosen(scores, settings)
    result = compare(
        {
            setting: {system: found.by_question(ids) for system, found in scores.items()}
            for setting, ids in chosen.items()
        },
        next(iter(scores.values())).measure,
        alpha=alpha,
        baseline=Path(baseline).name if baseline else None,
        higher_is_better=parse_measure(next(iter(scores.values())).measure).higher_is_better,
    )
    if format_ is Format.json:
        print(json.dumps(_as_json(name, result), indent=1))
    else:
        _print(name, result)


def _folders(entries: Sequence[str], root: Path) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for entry in entries:
        folder = Path(entry) if Path(entry).is_dir() else root / entry
        if not (folder / "ranks").is_dir():
            known = [path.parent.name for path in root.glob("*/ranks")]
            raise UnknownNameError("entry", entry, known)
        name = folder.resolve().name
        if name in folders:
            raise UsageError(f"The entry {name!r} is named twice.")
        folders[name] = folder
    return folders


def _only_task(folders: dict[str, Path]) -> str:
    found = [{path.stem for path in (f / "ranks").glob("*.parquet")} for f in folders.values()]
    common = sorted(set.intersection(*found))
    if len(common) == 1:
        return common[0]
    if common:
        raise UsageError(f"Choose a task with --task: the entries share {', '.join(common)}.")
    raise EntryError(f"No task was scored for all of {', '.join(folders)}.")


def _scores(folders: dict[str, Path], task: str, measure: str | None) -> dict[str, QuestionScores]:
    scores = {}
    for name, folder in folders.items():
        table = read_ranks(folder / "ranks" / f"{task}.parquet")
        scores[name] = question_scores(table, measure or table.primary_measure)
    return scores


def _chosen(
    scores: dict[str, QuestionScores], patterns: list[str] | None
) -> dict[str, tuple[str, ...]]:
    """What is compared: a name, and the ids of the settings that it averages over."""
    shared = set.intersection(*(set(found.settings) for found in scores.values()))
    first = next(iter(scores.values()))
    valued = {first.settings[position] for position in set(first.setting.tolist())}
    ids = [name for name in first.settings if name in shared & valued]
    averages = classes(ids)
    if not patterns:
        for system, found in scores.items():
            if set(found.settings) != shared:
                raise EntryError(
                    f"The entries were not scored on the same settings ({system!r} has others "
                    "too), so their class averages do not compare. Name settings with --settings."
                )
        return dict(averages)
    chosen: dict[str, tuple[str, ...]] = {}
    for pattern in patterns:
        if pattern in averages:
            chosen[pattern] = averages[pattern]
        else:
            chosen |= {name: (name,) for name in select(ids, [pattern])}
    return chosen


def _as_json(task: str, result: Comparison) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "unit": "question",
        "task": task,
        "measure": result.measure,
        "alpha": result.alpha,
        "family": {"size": result.family_size, "correction": result.correction},
        "tests": [
            {
                "a": t.a,
                "b": t.b,
                "setting": t.setting,
                "n": t.n,
                "mean_a": t.mean_a,
                "mean_b": t.mean_b,
                "difference": t.difference,
                "ci": list(t.ci),
                "p": t.p,
                "p_adjusted": t.p_adjusted,
                "effect_size": t.effect_size,
                "wins": t.wins,
                "ties": t.ties,
                "losses": t.losses,
                "test": result.test,
                "resamples": None,
                "exact": False,
                "seed": None,
            }
            for t in result.tests
        ],
        "letters": {setting: dict(found) for setting, found in result.letters.items()},
    }


def _print(task: str, result: Comparison) -> None:
    console = Console(highlight=False)
    for setting in dict.fromkeys(test.setting for test in result.tests):
        tests = [test for test in result.tests if test.setting == setting]
        questions = f"{tests[0].n:,} questions"
        kind = f"{KIND_NAMES[setting]} average" if setting in KIND_NAMES else setting
        console.print(f"[bold]{task}, {kind}, {result.measure}[/bold] ({questions})")
        console.print(Padding.indent(_means(tests, result.letters.get(setting, {})), 2))
        console.print(Padding.indent(_differences(tests, result.alpha), 2))
        console.print()
    console.print(_in_words(result))


def _means(tests: Sequence[PairedDifference], letters: Mapping[str, str]) -> Table:
    means = {test.b: test.mean_b for test in tests} | {test.a: test.mean_a for test in tests}
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name in letters or means:
        table.add_row(name, _number(means[name]), letters.get(name, ""))
    return table


def _differences(tests: Sequence[PairedDifference], alpha: float) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("A - B", overflow="fold", ratio=1)
    for heading in ("difference", f"{100 * (1 - alpha):g}% interval", "d_z", "W/T/L", "p adj.  "):
        table.add_column(heading, justify="right", no_wrap=True)
    for test in tests:
        low, high = (_signed(bound) for bound in test.ci)
        table.add_row(
            f"{test.a} - {test.b}",
            _signed(test.difference),
            f"{low} to {high}",
            f"{test.effect_size:+.2f}",
            f"{test.wins}/{test.ties}/{test.losses}",
            _p_value(test.p_adjusted) + (" *" if test.p_adjusted < alpha else "  "),
        )
    return table


def _in_words(result: Comparison) -> str:
    family = (
        f"Paired t-tests over questions, Bonferroni over {result.family_size} tests; intervals are "
        f"simultaneous. * marks p adj. < {result.alpha:g}."
    )
    letters = "Systems that share a letter are not separated; that does not make them equal."
    scope = "The claim is about these runs, not about other trainings of the same models."
    return "\n".join([family, letters, scope] if result.letters else [family, scope])


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"


def _signed(value: float) -> str:
    return f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.4f}"


def _p_value(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"
