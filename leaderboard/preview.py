"""Serves a built site on this machine, to be looked at."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
"""Only this machine can reach it."""


class _Quiet(SimpleHTTPRequestHandler):
    """Writes no line for each file that is asked for."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Keeps still."""


@contextmanager
def server(site: Path, port: int) -> Iterator[ThreadingHTTPServer]:
    """A server of the files of a site, which the caller starts with ``serve_forever``.

    Args:
        site: Folder of the site.
        port: Number of the port; 0 for any that is free.

    Raises:
        UsageError: If the port is taken or may not be used.
    """
    try:
        made = ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(site)))
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be used: {error.strerror}. Name another with --port."
        ) from error
    with made:
        yield made
