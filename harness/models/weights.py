"""Weights that a checkpoint lacks: transformers fills them with random numbers and goes on."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Parts of a checkpoint that embeddings do not need: a pooler that nothing reads.
_UNUSED_WEIGHTS = ("pooler.",)


@contextmanager
def no_weights_missing(name: str) -> Iterator[None]:
    """Refuses a model that is loaded within, if its checkpoint lacks weights that it needs.

    Raises:
        ModelError: If it does.
    """
    with _load_reports() as reports:
        yield
    if missing := _missing_weights(reports):
        raise ModelError(
            f"The model {name!r} lacks {len(missing)} of its weights, such as {missing[0]!r}: they "
            "would be random numbers. Check that its weights fit its config.json."
        )


@contextmanager
def _load_reports() -> Iterator[list[str]]:
    """Collects transformers' reports on loading weights instead of showing them.

    Weights that a checkpoint lacks are filled with random numbers and only mentioned in the log.
    """
    reports: list[str] = []
    logger = logging.getLogger("transformers")
    handler = logging.Handler()
    # One method replaced: no class is needed for it.
    handler.emit = lambda record: reports.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.level, logger.propagate, logger.handlers
    logger.setLevel(logging.WARNING)
    logger.propagate, logger.handlers = False, [handler]
    try:
        yield reports
    finally:
        logger.setLevel(logging.ERROR)
        _, logger.propagate, logger.handlers = before


def _missing_weights(reports: list[str]) -> list[str]:
    """Names of the weights that the reports call missing and that the model needs."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(reports))
    named = re.findall(r"^\s*(\S+)\s*\|\s*MISSING\b", plain, re.MULTILINE)
    return [name for name in named if not name.startswith(_UNUSED_WEIGHTS)]
