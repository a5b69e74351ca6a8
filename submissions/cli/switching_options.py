"""What the commands on code-switching have in common: languages, forms and fields of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from submissions.baselines.switching_streams import Fields, Form
from submissions.baselines.word_classes import WordClass
from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Of pairs for training.
USUAL_FIELDS: dict[str, tuple[str, ...]] = {"query": ("query",), "document": ("positive",)}


def as_list(given: Sequence[str]) -> list[str]:
    """Language codes, repeated or joined by commas, each once.

    Raises:
        UsageError: If there are none.
    """
    codes = [code.strip() for one in given for code in one.split(",")]
    found = list(dict.fromkeys(code for code in codes if code))
    if not found:
        raise UsageError("--to names no language: give language codes, such as de or de,es.")
    return found


def rates_of(given: Sequence[str]) -> dict[WordClass, float]:
    """Rates of classes of words, each as ``CLASS=RATE``.

    Raises:
        UsageError: If one is not of this form, its rate is no number, or a class is named twice.
        UnknownNameError: If there is no such class.
    """
    classes: dict[str, WordClass] = {name: name for name in get_args(WordClass)}
    rates: dict[WordClass, float] = {}
    for one in given:
        name, _, number = one.partition("=")
        if name not in classes:
            raise UnknownNameError("class of words in --rate", name, classes)
        if classes[name] in rates:
            raise UsageError(f"--rate names {name} twice.")
        try:
            rates[classes[name]] = float(number)
        except ValueError:
            raise UsageError(
                f"--rate {one}: give a class and a number from 0 to 1, such as {name}=0.1."
            ) from None
    return rates


def form_of(form: Form | None, path: Path | None) -> Form:
    """The form that is asked for, or that a file's name tells."""
    if form is not None:
        return form
    suffix = path.suffix.lower().removeprefix(".") if path else ""
    return Form(suffix) if suffix in ("tsv", "jsonl") else Form.text


def fields_of(
    form: Form, query: Sequence[str], document: Sequence[str], side: str, text_id: str | None = None
) -> Fields:
    """Which fields are switched.

    Args:
        form: Of the file.
        query: Fields with queries.
        document: Fields with documents.
        side: ``query``, ``document`` or ``both``.
        text_id: Field with the id.

    Raises:
        UsageError: If the fields do not go with the form or the side.
    """
    if form is Form.text:
        if query or document or text_id:
            raise UsageError("A text file has no fields: give --form tsv or --form jsonl.")
        return Fields((("text", "" if side == "both" else side),))
    given = {"query": tuple(query), "document": tuple(document)}
    if not query and not document:
        if form is Form.tsv:
            raise UsageError("Name the columns of a TSV file that have text, numbered from 1.")
        given = USUAL_FIELDS
    wanted = tuple(
        (field, name)
        for name, fields in given.items()
        if side in (name, "both")
        for field in fields
    )
    if not wanted:
        raise UsageError(f"--side {side}, and no field of that side is named.")
    names = [field for field, _ in wanted]
    if len(set(names)) < len(names):
        raise UsageError("A field is named twice.")
    return Fields(wanted, text_id)
