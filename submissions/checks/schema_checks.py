"""What a TOML file of an entry must hold: what pydantic finds, as problems with lines."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from submissions.checks.problems import Problem, Problems, shown
from submissions.checks.toml_lines import Place, line_of
from tasks.definition import task_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_DIFFERENT_SCALE = "divide a percentage by 100"


def check_schema(
    path: str,
    content: dict[str, Any],
    model: type[BaseModel],
    lines: Mapping[Place, int],
    problems: Problems,
) -> BaseModel | None:
    """The content of a file in the form of a model, if it has that form.

    Args:
        path: The file, relative to the entry.
        content: What it holds.
        model: What it must be.
        lines: Lines of its keys.
        problems: Takes every place that is wrong.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            problems.add(_problem(path, item, model, lines))
        return None


def _problem(
    path: str, item: ErrorDetails, model: type[BaseModel], lines: Mapping[Place, int]
) -> Problem:
    place = tuple(part for part in item["loc"] if part != "[key]")
    message = item["msg"].removeprefix("Value error, ")
    code = _code(item, place, message)
    found = "nothing" if code == "E021" else shown(item["input"])
    allowed = message
    fix = "Put in one that is allowed."
    if code == "E020":
        known = _keys(model, place[:-1])
        found = f"the key {shown(place[-1])}"
        allowed = f"the keys {', '.join(known)}"
        fix = _did_you_mean(str(place[-1]), known) or "Remove it."
    elif code == "E021":
        allowed = f"the key {shown(place[-1])} with a value"
        fix = "Add it; what `babelboard score` measures comes from scoring again."
    elif code == "E024":
        fix = _did_you_mean(str(item["input"]), task_names()) or "See `babelboard tasks`."
    elif code == "E026":
        allowed, fix = "an address that begins with https://", "Give the address with https."
    elif code == "E061":
        fix = "Divide by 100."
    elif item["type"] == "literal_error":
        values = _literals(model, place)
        allowed = ", ".join(values)
        fix = _did_you_mean(str(item["input"]), values) or "Choose one of these."
    key = ".".join(shown(part)[1:-1] for part in place)
    return Problem(code, path, found, allowed, fix, line=line_of(lines, place), key=key)


def _code(item: ErrorDetails, place: Place, message: str) -> str:  # noqa: PLR0911  # a code each
    if item["type"] == "extra_forbidden":
        return "E020"
    if item["type"] == "missing":
        return "E021"
    last = place[-1] if place else ""
    if last == "id":
        return "E023"
    if "U+" in message and "control" in message:
        return "E025"
    if last in ("url", "homepage"):
        return "E026"
    if _DIFFERENT_SCALE in message:
        return "E061"
    if "neither a setting" in message:
        return "E044"
    is_task = last == "task" or (place[:1] == ("runs",) and len(place) == 2)
    return "E024" if is_task else "E022"


def _did_you_mean(name: str, known: tuple[str, ...] | list[str]) -> str | None:
    near = get_close_matches(name.lower(), list(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else None


def _keys(model: type[BaseModel], place: Place) -> tuple[str, ...]:
    """The keys of the table at a place."""
    found = _type_at(model, place)
    return tuple(found.model_fields) if _is_model(found) else ()


def _literals(model: type[BaseModel], place: Place) -> tuple[str, ...]:
    """The values that may stand at a place that takes only some."""
    return tuple(str(value) for value in get_args(_type_at(model, place)))


def _type_at(model: type[BaseModel], place: Place) -> Any:
    """The type of what stands at a place; None if nothing may."""
    found: Any = model
    for part in place:
        if _is_model(found):
            field = found.model_fields.get(str(part))
            found = field.annotation if field else None
        else:
            arguments = get_args(found)
            is_table = get_origin(found) is dict
            found = arguments[1 if is_table else 0] if arguments else None
    return found


def _is_model(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)
