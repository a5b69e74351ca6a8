"""``babelboard codeswitch``: replaces words of a text by translations."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from harness.progress import SECONDS_BETWEEN_LINES, OnStderr
from submissions.baselines.code_switching import CodeSwitcher, SwitchOptions, SwitchTally
from submissions.baselines.lexicon import load_lexicon
from submissions.baselines.switching_streams import Form, switched_lines
from submissions.cli.switching_options import as_list, fields_of, form_of, rates_of
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from submissions.baselines.lexicon import Lexicon

STDIN = Path("-")


class Side(StrEnum):
    """Whose texts are switched."""

    query = "query"
    document = "document"
    both = "both"


class LevelChoice(StrEnum):
    """What is switched."""

    word = "word"
    phrase = "phrase"
    entity = "entity"


class LanguageBy(StrEnum):
    """How often a language is drawn."""

    token = "token"  # noqa: S105  # no password
    text = "text"


class Choice(StrEnum):
    """Which of several translations."""

    drawn = "drawn"
    best = "best"


def command(
    file: Annotated[Path, typer.Argument(help="What to switch; - for standard input.")] = STDIN,
    *,
    to: Annotated[list[str], typer.Option(help="Target languages; may be repeated: de,es.")],
    source: Annotated[str, typer.Option("--from", help="Language of the text.")] = "en",
    lexicon: Annotated[
        str, typer.Option(help="As in babelboard lexicon: cldr, muse, ... or muse+cldr.")
    ] = "cldr",
    p: Annotated[float, typer.Option("--p", help="Probability of switching, 0 to 1.")] = 0.5,
    rate: Annotated[
        list[str] | None,
        typer.Option(help="CLASS=P, in place of --p: stop, name or content; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 0,
    level: Annotated[
        LevelChoice, typer.Option(help="Words; terms of 1-3 words; or such terms as in Wiki-CS.")
    ] = LevelChoice.word,
    keep_stop_words: Annotated[
        bool, typer.Option("--keep-stop-words", help="Do not switch stop words.")
    ] = False,
    capitals: Annotated[
        bool, typer.Option("--capitals", help="Switch only what has a capital first.")
    ] = False,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw among the languages that have the word.")
    ] = False,
    language_by: Annotated[
        LanguageBy, typer.Option(help="Draw a language for each word or for each text.")
    ] = LanguageBy.token,
    choice: Annotated[
        Choice, typer.Option(help="Of several translations: one by weight, or the best.")
    ] = Choice.drawn,
    form: Annotated[
        Form | None, typer.Option(help="Default: by the file's name, else text.")
    ] = None,
    side: Annotated[Side, typer.Option(help="Whose texts to switch.")] = Side.both,
    query_field: Annotated[
        list[str] | None, typer.Option(help="Field (JSONL) or column (TSV) of queries.")
    ] = None,
    document_field: Annotated[
        list[str] | None, typer.Option(help="Field (JSONL) or column (TSV) of documents.")
    ] = None,
    id_field: Annotated[
        str | None, typer.Option(help="Field or column of ids. Default: the line's number.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    out: Annotated[Path | None, typer.Option(help="Default: standard output.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rates as JSON; needs --out.")
    ] = False,
) -> None:
    """Replace words of a text by translations, at a rate that is asked for.

    Text, TSV or JSONL comes in, and the same goes out. With several languages one is drawn for
    each word. JSONL has its texts in the fields query and positive unless others are named.
    """
    options = SwitchOptions(
        probability=p,
        seed=seed,
        level=level.value,
        stop_words=not keep_stop_words,
        redraw=redraw,
        language_by=language_by.value,
        choice=choice.value,
        capitals=capitals,
        rates=rates_of(rate or []),
    )
    if as_json and out is None:
        raise UsageError("--json prints on standard output, where the text goes: give --out FILE.")
    if file != STDIN and not file.is_file():
        raise UsageError(f"{file} is not a file.")
    if out is not None and file != STDIN and out.resolve() == file.resolve():
        raise UsageError(f"--out {out} is the file that is read: name another.")
    chosen = form_of(form, file)
    fields = fields_of(chosen, query_field or [], document_field or [], side.value, id_field)
    lexicons = [load_lexicon(lexicon, source, target, data) for target in as_list(to)]
    switcher = CodeSwitcher(lexicons, options)
    reporter = OnStderr()
    tally = SwitchTally()
    with ExitStack() as stack:
        stream = sys.stdin.buffer if file == STDIN else stack.enter_context(file.open("rb"))
        sink = sys.stdout.buffer if out is None else stack.enter_context(_replacing(out))
        advance = stack.enter_context(_progress(reporter, file))
        name = "standard input" if file == STDIN else str(file)
        for size, line in switched_lines(stream, name, chosen, fields, switcher, tally):
            sink.write(line)
            advance(size)
        sink.flush()
    reporter.say(_in_words(tally, options))
    if as_json:
        record = _record(tally, options) | {"lexicons": [_named(one) for one in lexicons]}
        print(json.dumps(record, indent=1))


@contextmanager
def _replacing(out: Path) -> Iterator[BinaryIO]:
    """A file beside ``out`` that takes its place once all of it is written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        temporary.chmod(0o644)
        temporary.replace(out)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _progress(reporter: OnStderr, file: Path) -> Iterator[Callable[[int], None]]:
    """Progress in bytes; of standard input nobody knows how many there are."""
    if file != STDIN:
        with reporter.track(f"Switching {file.name}", file.stat().st_size, "bytes") as advance:
            yield advance
        return
    done = 0
    last = time.monotonic()

    def advance_unknown(more: int) -> None:
        nonlocal done, last
        done += more
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            reporter.say(f"Switching: {done:,} bytes")

    yield advance_unknown


def _in_words(tally: SwitchTally, options: SwitchOptions) -> str:
    to = ", ".join(f"{code} {count:,}" for code, count in sorted(tally.languages.items()))
    rates = ", ".join(f"{name} {rate:.1%}" for name, rate in sorted(options.rates.items()))
    return (
        f"Asked for {options.probability:.1%}{f' ({rates})' if rates else ''}; "
        f"switched {tally.achieved:.1%} of {tally.tokens:,} words{f' ({to})' if to else ''}. "
        f"{tally.coverage:.1%} could be switched."
    )


def _record(tally: SwitchTally, options: SwitchOptions) -> dict[str, Any]:
    return {
        "schema_version": 1,
        **tally.as_json(options.probability),
        "options": {
            "seed": options.seed,
            "level": options.level,
            "stop_words": options.stop_words,
            "redraw": options.redraw,
            "language_by": options.language_by,
            "choice": options.choice,
            "capitals": options.capitals,
            **({"rates": dict(sorted(options.rates.items()))} if options.rates else {}),
        },
    }


def _named(lexicon: Lexicon) -> dict[str, Any]:
    return {
        "name": lexicon.name,
        "target": lexicon.target,
        "entries": len(lexicon.entries),
        "checksum": lexicon.checksum,
    }
