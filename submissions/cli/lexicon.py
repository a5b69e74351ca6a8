"""``babelboard lexicon``: shows what a lexicon has, or writes it to a file."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from harness.files import write_atomically
from harness.progress import OnStderr
from submissions.baselines.lexicon import lexicon_lines, load_lexicon
from submissions.baselines.lexicon_coverage import coverage, word_counts
from submissions.baselines.switching_streams import Fields, Form, texts_of
from submissions.cli.switching_options import as_list, fields_of, form_of
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections import Counter

    from submissions.baselines.lexicon import Lexicon


class Action(StrEnum):
    """What to do."""

    show = "show"
    write = "write"


def command(
    action: Annotated[Action, typer.Argument(help="show: what it has. write: to a file.")],
    spec: Annotated[
        str,
        typer.Argument(
            help="cldr (built in), muse, wiktionary, wikidata-names, titles or pairs, with :PATH "
            "or without; vec:SOURCE.vec,TARGET.vec[,csls]; several joined by +."
        ),
    ],
    *,
    to: Annotated[list[str], typer.Option(help="Target languages; may be repeated: de,es.")],
    source: Annotated[str, typer.Option("--from", help="Source language.")] = "en",
    corpus: Annotated[
        Path | None, typer.Option(help="Show how much the lexicon has of this file.")
    ] = None,
    form: Annotated[
        Form | None, typer.Option(help="Of the corpus. Default: by its name, else text.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(help="Field (JSONL) or column (TSV) of the corpus; may be repeated."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="With write: the file, which pairs:FILE reads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a lexicon has, or write it to a file.

    Pairs that are the same in both languages are left out, and counted.
    """
    targets = as_list(to)
    lexicons = [load_lexicon(spec, source, target, data) for target in targets]
    if action is Action.write:
        if out is None or len(lexicons) != 1 or corpus is not None:
            raise UsageError("To write a lexicon, give one language with --to, and --out FILE.")
        write_atomically(out, "".join(lexicon_lines(lexicons[0])).encode())
    elif out is not None:
        raise UsageError("--out is for 'lexicon write'.")
    words = None
    if corpus is not None:
        chosen = form_of(form, corpus)
        words = _words(corpus, chosen, fields_of(chosen, field or [], [], "query"), source)
    shown = [_shown(lexicon, words) for lexicon in lexicons]
    if as_json:
        print(json.dumps({"schema_version": 1, "lexicons": shown}, indent=1, ensure_ascii=False))
    else:
        _print(shown)
        if out is not None:
            print(f"Written to {out}")


def _words(corpus: Path, form: Form, fields: Fields, source: str) -> Counter[str]:
    if not corpus.is_file():
        raise UsageError(f"--corpus {corpus} is not a file.")
    with (
        corpus.open("rb") as file,
        OnStderr().track(f"Reading {corpus.name}", corpus.stat().st_size, "bytes") as advance,
    ):
        return word_counts(texts_of(file, str(corpus), form, fields, advance), source)


def _shown(lexicon: Lexicon, words: Counter[str] | None) -> dict[str, Any]:
    pairs = sum(map(len, lexicon.entries.values()))
    shown: dict[str, Any] = {
        "name": lexicon.name,
        "source": lexicon.source,
        "target": lexicon.target,
        "entries": len(lexicon.entries),
        "pairs": pairs,
        "translations_per_entry": pairs / len(lexicon.entries),
        "phrases": sum(" " in key for key in lexicon.entries),
        "dropped": lexicon.dropped,
        "checksum": lexicon.checksum,
    }
    if words is not None:
        found = coverage(lexicon, words)
        shown["coverage"] = {
            kind: {"all": counts.all, "covered": counts.covered, "share": counts.share}
            for kind, counts in (
                ("types", found.types),
                ("tokens", found.tokens),
                ("content_words", found.content),
            )
        }
    return shown


def _print(shown: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("Lexicon")
    for heading in ("entries", "phrases", "pairs", "per entry", "identical", "dropped"):
        table.add_column(heading, justify="right")
    for heading in ("types", "tokens", "content words") if "coverage" in shown[0] else ():
        table.add_column(heading, justify="right")
    table.add_column("sha256")
    for row in shown:
        dropped = dict(row["dropped"])
        identical = dropped.pop("identical", 0)
        numbers = (row["entries"], row["phrases"], row["pairs"])
        table.add_row(
            row["name"],
            *(f"{number:,}" for number in numbers),
            f"{row['translations_per_entry']:.2f}",
            f"{identical:,}",
            f"{sum(dropped.values()):,}",
            *(f"{counts['share']:.1%}" for counts in row.get("coverage", {}).values()),
            row["checksum"][:12],
        )
    Console(width=10_000, markup=False, emoji=False, highlight=False).print(table)
