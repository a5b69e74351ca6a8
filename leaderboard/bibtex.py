"""How to cite a system: BibTeX of its entries, and of the tasks that they were scored on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from harness.reports.latex import escape
from leaderboard.charts.labels import clean
from tasks.definition import load_definition, task_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leaderboard.systems import SiteSystem

LONGEST = 500
"""Characters of a name."""
_BRACES = {"{": r"\textbraceleft{}", "}": r"\textbraceright{}"}
"""BibTeX counts braces, also those after a backslash: in a field they must be in pairs."""


def bibtex(system: SiteSystem, tasks: Iterable[str], years: Mapping[str, int]) -> str:
    """What to put into a ``.bib`` file.

    Args:
        system: The system.
        tasks: Names of the tasks that it was scored on; each definition's citation follows, once.
        years: By id of an entry, the year in which it came, where that is recorded.
    """
    ids = [entry.manifest.id for entry in system.entries]
    model = system.manifest.model
    known = [years[name] for name in ids if name in years]
    what = "entry" if len(ids) == 1 else "entries"
    revision = f", revision {model.revision}" if model.revision else ""
    fields = {
        # Two braces keep the case of a name.
        "title": f"{{{field(system.name)}}}",
        "howpublished": field(f"babelboard, {what} {', '.join(ids)}"),
        **({"year": str(min(known))} if known else {}),
        "note": field(f"Model: {model.name}{revision}"),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    own = "\n".join([f"@misc{{babelboard-{system.id},", *lines, "}"])
    return "\n\n".join([own, *dict.fromkeys(filter(None, map(citation, tasks)))]) + "\n"


def field(text: str) -> str:
    """Text as the value of a field, on one line: LaTeX shows it as it is, braces are in pairs."""
    return "".join(
        _BRACES.get(character) or escape(character) for character in clean(text, LONGEST)
    )


@cache
def citation(task: str) -> str:
    """The BibTeX of a task's definition; nothing where it has none or is not in the catalogue."""
    if task.partition("+")[0] not in task_names():
        return ""
    return load_definition(task)[0].citation.strip()
