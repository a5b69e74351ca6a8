"""Fixtures of the tests of the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from made_up_queue import make_queue, write_template

if TYPE_CHECKING:
    from pathlib import Path

    from submissions.queue.folder import QueueFolder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_template(tmp_path_factory.mktemp("template") / "made-up-id")


@pytest.fixture
def queue(tmp_path: Path) -> QueueFolder:
    return make_queue(tmp_path / "queue")
