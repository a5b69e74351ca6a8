"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as RichTask
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS_BETWEEN_LINES = 10.0


class Reporter(Protocol):
    """Where progress is reported to."""

    def say(self, line: str) -> None:
        """Says one line."""

    @contextmanager
    def track(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Follows a piece of work; the function that is yielded takes how much more is done."""
        ...


class Silent:
    """Reports nothing."""

    def say(self, line: str) -> None:
        """Says nothing."""

    @contextmanager
    def track(
        self,
        what: str,  # noqa: ARG002  # the protocol's
        total: int,  # noqa: ARG002  # the protocol's
        unit: str,  # noqa: ARG002  # the protocol's
    ) -> Iterator[Callable[[int], None]]:
        """Follows nothing."""
        yield lambda _: None


class OnStderr:
    """Reports on stderr."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False)

    def say(self, line: str) -> None:
        """Says one line."""
        self._console.print(line, markup=False, emoji=False, soft_wrap=True)

    @contextmanager
    def track(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Follows a piece of work of ``total`` units."""
        if self._console.is_terminal:
            with self._bar(what, total, unit) as advance:
                yield advance
        else:
            with self._lines(what, total, unit) as advance:
                yield advance

    @contextmanager
    def _bar(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            bar = progress.add_task(what, total=total)
            yield lambda done: progress.advance(bar, done)

    @contextmanager
    def _lines(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        start = last = time.monotonic()
        done = 0

        def advance(more: int) -> None:
            nonlocal done, last
            done += more
            now = time.monotonic()
            if now - last >= SECONDS_BETWEEN_LINES and done < total:
                last = now
                self.say(f"{what}: {done:,} of {total:,} {unit}, {done / (now - start):,.0f}/s")

        yield advance
        seconds = time.monotonic() - start
        self.say(f"{what}: {done:,} {unit} in {seconds:.1f} s, {done / max(seconds, 1e-9):,.0f}/s")


class _Rate(TextColumn):
    def __init__(self, unit: str) -> None:
        super().__init__("")
        self._unit = unit

    def render(self, task: RichTask) -> Text:
        """Units a second, so far."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self._unit}/s" if speed else "", style="dim")
