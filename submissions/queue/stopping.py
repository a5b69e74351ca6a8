"""Ctrl-C and SIGTERM as a question that is asked between two looks at the jobs."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stop:
    """Whether somebody asked the run-queue to stop.

    Attributes:
        asked: How often.
    """

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, *_: object) -> None:
        """Asks it to stop; asked again, it does not wait for jobs to end by themselves."""
        self.asked += 1


@contextmanager
def on_signals() -> Iterator[Stop]:
    """A stop that SIGINT and SIGTERM ask for; the handlers from before come back at the end."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals are the main thread's
        return
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
